"""``ticketbot schedule``: runs at fixed times, by the system's own scheduler."""

from __future__ import annotations

import os
import shutil
import sys
from collections.abc import Sequence
from math import ceil
from pathlib import Path
from typing import Annotated, Literal

import typer

from ..core.errors import ConfigError, ExitCode
from ..monitoring.run_watch import GRACE_S
from ..schedule import schedulers
from ..schedule.schedulers import Cron, ScheduledJob, Scheduler, Systemd, Windows, is_root, owner_of
from ..settings.load import config_file, load
from ..settings.sources import shared
from .many_accounts import MOST_AT_ONCE, names_of, several
from .options import ConfigsOption
from .screen import Screen

Kind = Literal["cron", "systemd", "windows"]
SchedulerArgument = Annotated[Kind | None, typer.Argument(metavar="[SCHEDULER]", help="cron, systemd or windows.")]
JobNameOption = Annotated[str, typer.Option("--name", metavar="NAME", help="Of the job; another for each account.")]
EveryOption = Annotated[int, typer.Option("--every", metavar="MINUTES", help="From a run's start to the next's.")]


def show(
    kind: SchedulerArgument = None,
    every_min: EveryOption = 10,
    name: JobNameOption = "ticketbot",
    configs: ConfigsOption = None,
) -> int:
    """Print what install would hand over; change nothing."""
    scheduler, job, notices = _scheduled(kind, every_min, name, configs)
    return _said("\n".join(scheduler.texts(job)).rstrip("\n"), notices)


def install(
    kind: SchedulerArgument = None,
    every_min: EveryOption = 10,
    name: JobNameOption = "ticketbot",
    configs: ConfigsOption = None,
) -> int:
    """Install the schedule, or bring it up to date."""
    scheduler, job, notices = _scheduled(kind, every_min, name, configs)
    return _said(schedulers.install(scheduler, job), notices)


def remove(kind: SchedulerArgument = None, name: JobNameOption = "ticketbot", configs: ConfigsOption = None) -> int:
    """Take back what install put there, and nothing else."""
    scheduler = _scheduler(kind, name, configs[0] if configs else config_file() or Path.cwd())
    return _said(schedulers.remove(scheduler), ())


def _said(text: str, notices: Sequence[str]) -> ExitCode:
    Screen().notices(notices)
    Screen().say(text)
    return ExitCode.OK


def program() -> tuple[str, ...]:
    """This installation's own command, or its Python with ``-P``, which imports nothing from the current folder."""
    script = Path(sys.executable).with_name("ticketbot.exe" if sys.platform == "win32" else "ticketbot")
    return (str(script),) if script.is_file() else (sys.executable, "-P", "-m", "ticket_processor")


def _scheduler(kind: Kind | None, name: str, place: Path) -> Scheduler:
    """The scheduler that is named, or the one that this system has; the owner of ``place`` owns the crontab."""
    if kind is None:
        systemd = Path("/run/systemd/system").is_dir() and shutil.which("systemctl")
        kind = "windows" if sys.platform == "win32" else "systemd" if systemd else "cron"
    return Cron(name, owner_of(place)) if kind == "cron" else Systemd(name) if kind == "systemd" else Windows(name)


def _scheduled(
    kind: Kind | None, every_min: int, name: str, configs: Sequence[Path] | None
) -> tuple[Scheduler, ScheduledJob, list[str]]:
    """The scheduler, its job, and notices. Raises :class:`ConfigError` with every reason why its runs would fail."""
    given = configs or [path for path in [config_file()] if path]
    named = [Path(os.path.abspath(path)) for path in given]  # noqa: PTH100 - links stay
    place = named[0] if named else Path.cwd()
    scheduler, user, folder = _scheduler(kind, name, place), owner_of(place), place if place.is_dir() else place.parent
    deadlines, wrong = _deadlines(named)
    longest_s, turns = max(deadlines, default=0.0), ceil(len(deadlines) / MOST_AT_ONCE)
    job = ScheduledJob(
        name,
        every_min,
        ceil(turns * (longest_s + GRACE_S)) + 20,  # only ends a run that our watchdog could not end
        command=(*program(), "run", "--quiet", *(word for path in named for word in ("--config", str(path)))),
        folder=str(folder),
        settings=", ".join(map(str, named or [folder])),
        user=user if sys.platform != "win32" else f"{os.environ.get('USERDOMAIN', '.')}\\{user}",
    )
    if wrong:
        wrong.append(f"scheduled runs see {folder / '.env'}, and nothing that this terminal sets")
    if problems := [*wrong, *schedulers.problems(scheduler.kind, job, longest_s)]:
        raise ConfigError(*problems)
    notices = ["where no run has been made yet, 'ticketbot run --since now' has to say where scheduled ones begin"]
    if is_root() and user == "root":
        notices.append(f"the runs will be root's, since root owns {place}; safer: give it to a user of its own")
    elif scheduler.kind == "systemd" and not is_root() and not Path("/var/lib/systemd/linger", user).exists():
        notices.append(f"runs only while {user} is logged in; 'loginctl enable-linger {user}' changes that")
    return scheduler, job, notices


def _deadlines(named: Sequence[Path]) -> tuple[list[float], list[str]]:
    """``run.deadline_s`` of each account as scheduled runs see it, and what is wrong."""
    # On Windows a variable that is set for good looks like one of this terminal.
    environ = dict(os.environ) if sys.platform == "win32" else {}
    found, wrong, files = list[float](), list[str](), several(named)
    for account, file in zip(names_of(files) or [""], files or [*named, None][:1], strict=True):
        try:
            found.append(load(config=file, environ=shared(environ) if files else environ).run.deadline_s)
        except ConfigError as error:
            wrong += [f"{account}: {problem}" if account else problem for problem in error.problems]
    return found, wrong
