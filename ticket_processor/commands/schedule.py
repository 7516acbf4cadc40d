"""``ticketbot schedule``: runs at fixed times, by the system's own scheduler."""

from __future__ import annotations

import os
import re
import shutil
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from math import ceil
from pathlib import Path
from typing import Annotated, Literal

import typer

from ..core.errors import CannotRun, ConfigError, ExitCode
from ..monitoring.run_watch import GRACE_S
from ..schedule import schedulers
from ..schedule.schedulers import Scheduler, Systemd, Windows, crontab_of, is_root, owner_of
from ..schedule.templates import DEFAULT_EVERY_MIN, ScheduledJob, limit_after, mark_in, problems
from ..settings.load import DEFAULT_FILE, config_file, load
from ..settings.schema import Settings
from ..settings.sources import VARIABLES, shared
from ..state.store import HORIZON
from ..wiring.parts import opened_state
from .installation import program
from .many_accounts import MOST_AT_ONCE, clashes_of, names_of, several
from .options import ConfigsOption, JsonOption
from .screen import Screen

BOOTED_BY_SYSTEMD = Path("/run/systemd/system")
LINGERING = Path("/var/lib/systemd/linger")
Kind = Literal["cron", "systemd", "windows"]
SchedulerArgument = Annotated[
    Kind | None,
    typer.Argument(metavar="SCHEDULER", help="cron, systemd or windows. Default: what this system has."),
]
JobNameOption = Annotated[
    str, typer.Option("--name", metavar="NAME", help="What the job is called; another for each account.")
]
EveryOption = Annotated[
    int | None,
    typer.Option(
        "--every", metavar="MINUTES", help="From the start of a run to the next. Default: as installed before, else 10."
    ),
]


@dataclass(frozen=True)
class ScheduledAccount:
    """An account of the scheduled runs, and its settings; without any, ``problems`` says why."""

    name: str
    file: Path
    settings: Settings | None = None
    problems: tuple[str, ...] = ()


def show(
    kind: SchedulerArgument = None,
    every_min: EveryOption = None,
    name: JobNameOption = "ticketbot",
    as_json: JsonOption = False,
    configs: ConfigsOption = None,
) -> int:
    """Print what install would hand over; change nothing."""
    kind, scheduler = scheduler_for(kind, name, configs)
    job, notices = _job(kind, scheduler, every_min, configs, begun=False)
    files = scheduler.files(job)
    Screen(as_json=as_json).notices(notices)
    Screen(as_json=as_json).result(
        # Each of several files has its path as a comment above it.
        "\n".join(f"# {path}\n{text}" if len(files) > 1 else text for path, text in files.items()).rstrip("\n"),
        {
            "scheduler": kind,
            "every_minutes": job.every_min,
            "files": [{"path": path, "content": text} for path, text in files.items()],
        },
    )
    return ExitCode.OK


def install(
    kind: SchedulerArgument = None,
    every_min: EveryOption = None,
    name: JobNameOption = "ticketbot",
    as_json: JsonOption = False,
    configs: ConfigsOption = None,
) -> int:
    """Install the schedule, or bring it up to date."""
    kind, scheduler = scheduler_for(kind, name, configs)
    job, notices = _job(kind, scheduler, every_min, configs, begun=True)
    done = [*schedulers.install(scheduler, job), f"a run every {job.every_min} minutes"]
    Screen(as_json=as_json).notices(notices)
    Screen(as_json=as_json).result(
        "\n".join(done), {"scheduler": kind, "name": name, "every_minutes": job.every_min, "done": done}
    )
    return ExitCode.OK


def remove(
    kind: SchedulerArgument = None,
    name: JobNameOption = "ticketbot",
    as_json: JsonOption = False,
    configs: ConfigsOption = None,
) -> int:
    """Take back what install put there, and nothing else."""
    kind, scheduler = scheduler_for(kind, name, configs)
    done = schedulers.remove(scheduler)
    Screen(as_json=as_json).result("\n".join(done), {"scheduler": kind, "name": name, "done": done})
    return ExitCode.OK


def scheduler_for(kind: Kind | None, name: str, configs: Sequence[Path] | None) -> tuple[Kind, Scheduler]:
    """The scheduler that is named, or the one that this system has; the settings' owner owns the crontab."""
    if kind is None:
        systemd = BOOTED_BY_SYSTEMD.is_dir() and shutil.which("systemctl")
        kind = "windows" if sys.platform == "win32" else "systemd" if systemd else "cron"
    if kind == "cron":
        return kind, crontab_of(configs[0] if configs else config_file() or Path.cwd(), name)
    return kind, Systemd(name) if kind == "systemd" else Windows(name)


def _job(
    kind: Kind, scheduler: Scheduler, every_min: int | None, configs: Sequence[Path] | None, *, begun: bool
) -> tuple[ScheduledJob, list[str]]:
    """The job, and notices. With ``begun`` a first run must exist.

    Raises :class:`ConfigError` with every reason why there can be no such job, or why its runs would fail.
    """
    given = configs or [path for path in [config_file()] if path]
    named = [Path(_absolute(path)) for path in given]
    place = named[0] if named else Path.cwd()
    folder = place if place.is_dir() else place.parent
    mark = ", ".join(map(str, named or [folder]))
    user, home = owner_of(place)
    # On Windows a variable that is set for good looks like one of this terminal.
    accounts = _accounts(named, None if sys.platform == "win32" else {})
    wrong = [f"{each.name}: {text}" if each.name else text for each in accounts for text in each.problems]
    notices = _unseen(named, accounts, folder / ".env")
    usable = [(each, each.settings) for each in accounts if each.settings]
    states = [_state_folder(settings, each.file.parent, home) for each, settings in usable]
    logs = [each.file.parent / settings.log_dir for each, settings in usable]
    stops = [each.file.parent / settings.stop_file for each, settings in usable]
    writes = tuple(map(_absolute, (*states, *logs)))
    deadline_s = max((settings.run.deadline_s for _, settings in usable), default=Settings().run.deadline_s)
    job = ScheduledJob(
        scheduler.name,
        _installed_every(scheduler, mark) if every_min is None else every_min,
        limit_after(ceil(len(accounts) / MOST_AT_ONCE) * (deadline_s + GRACE_S)),
        command=(*program(), "run", "--quiet", *(word for path in named for word in ("--config", str(path)))),
        folder=str(folder),
        settings=mark,
        user=user if sys.platform != "win32" else f"{os.environ.get('USERDOMAIN', '.')}\\{user}",
        writes=tuple(dict.fromkeys(writes)),
        private_tmp=not any(re.match("(/var)?/tmp/", f"{path}/") for path in (folder, sys.prefix, *writes, *stops)),
    )
    found = [*wrong, *problems(kind, job, deadline_s)]
    if wrong:
        raise ConfigError(*found, *notices)
    for (each, settings), state in zip(usable, states, strict=True):
        (found if begun else notices).extend(_not_begun(each.name, settings, state))
    if found:
        raise ConfigError(*found)
    if is_root() and user == "root":
        notices.append(f"the runs will be root's, since root owns {place}; safer: give it to a user of its own")
    elif kind == "systemd" and not is_root() and not (LINGERING / user).exists():
        notices.append(f"runs only while {user} is logged in; 'loginctl enable-linger {user}' changes that")
    return job, notices


def _not_begun(name: str, settings: Settings, state: Path) -> list[str]:
    """A sentence, where no first run has set where to begin; a scheduled one cannot."""
    with opened_state(state, settings.desk.base_url, dry_run=True) as store:
        if store.fact(HORIZON) is not None:
            return []
    told = f"{name}: no run has been made yet" if name else "no run has been made yet"
    return [f"{told} (looked into {state}): 'ticketbot run --since now' says where scheduled ones begin"]


def _absolute(path: Path) -> str:
    """The absolute path without ``..``, which systemd refuses; links stay, since their targets may change."""
    return os.path.abspath(path)  # noqa: PTH100


def _accounts(named: list[Path], environ: dict[str, str] | None) -> list[ScheduledAccount]:
    """The accounts as they are in a terminal with these variables; a single one has no name."""
    if files := several(named):
        clashes, environ = clashes_of(files), shared(os.environ if environ is None else environ)
        return [
            ScheduledAccount(name, file, problems=tuple(clashes[file]))
            if file in clashes
            else _account(name, file, file, environ)
            for name, file in zip(names_of(files), files, strict=True)
        ]
    config = named[0] if named else None
    return [_account("", config or Path.cwd() / DEFAULT_FILE, config, environ)]


def _account(name: str, file: Path, config: Path | None, environ: dict[str, str] | None) -> ScheduledAccount:
    try:
        return ScheduledAccount(name, file, load(config=config, environ=environ))
    except ConfigError as error:
        return ScheduledAccount(name, file, problems=error.problems)


def _unseen(named: list[Path], runs: list[ScheduledAccount], env: Path) -> list[str]:
    """A notice, where scheduled runs have other settings than runs in this terminal with its variables."""
    windows = sys.platform == "win32"
    names = ", ".join(name for name in VARIABLES if os.environ.get(name, "").strip())
    others = _accounts(named, {} if windows else None) if names else runs
    if [each.settings for each in runs] == [each.settings for each in others]:
        return []
    seen = f"{env} and variables that are set for good (setx)" if windows else env
    return [f"scheduled runs see {seen}, and not what this terminal sets otherwise in {names}"]


def _installed_every(scheduler: Scheduler, settings: str) -> int:
    """The period of the installed job of these settings, else the default."""
    try:
        marks = list(map(mark_in, scheduler.entries()))
    except (CannotRun, OSError):  # install reports the reason itself
        return DEFAULT_EVERY_MIN
    return next((mark[1] for mark in marks if mark and mark[0] == settings and mark[1]), DEFAULT_EVERY_MIN)


def _state_folder(settings: Settings, folder: Path, home: Path) -> Path:
    """The state folder of a scheduled run, which has its user's home and none of this terminal's variables."""
    if settings.state_dir or sys.platform == "win32":
        return folder / settings.state_folder
    parts = ("Library", "Application Support") if sys.platform == "darwin" else (".local", "state")
    return home.joinpath(*parts, "ticketbot", settings.state_folder.name)
