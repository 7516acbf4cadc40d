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
from ..schedule.schedulers import Scheduler, Systemd, Windows, crontab_of, is_root, owner_of
from ..schedule.templates import DEFAULT_EVERY_MIN, ScheduledJob, limit_after, problems
from ..settings.load import config_file, load
from ..settings.schema import Settings
from ..settings.sources import VARIABLES, read_env, shared
from ..state.store import HORIZON
from ..wiring.parts import opened_state
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
    int, typer.Option("--every", metavar="MINUTES", help="From the start of a run to the next. Default: 10.")
]


def show(
    kind: SchedulerArgument = None,
    every_min: EveryOption = DEFAULT_EVERY_MIN,
    name: JobNameOption = "ticketbot",
    as_json: JsonOption = False,
    configs: ConfigsOption = None,
) -> int:
    """Print what install would hand over; change nothing."""
    kind, scheduler = _scheduler(kind, name, configs)
    job, notices = _job(kind, name, every_min, configs, begun=False)
    files = scheduler.files(job)
    # Each of several files has its path as a comment above it.
    texts = [f"# {path}\n{text}" if len(files) > 1 else text for path, text in files.items()]
    contents = [{"path": path, "content": text} for path, text in files.items()]
    screen = Screen(as_json=as_json)
    screen.notices(notices)
    screen.result("\n".join(texts).rstrip("\n"), {"scheduler": kind, "every_minutes": every_min, "files": contents})
    return ExitCode.OK


def install(
    kind: SchedulerArgument = None,
    every_min: EveryOption = DEFAULT_EVERY_MIN,
    name: JobNameOption = "ticketbot",
    configs: ConfigsOption = None,
) -> int:
    """Install the schedule, or bring it up to date."""
    kind, scheduler = _scheduler(kind, name, configs)
    job, notices = _job(kind, name, every_min, configs, begun=True)
    done = [*schedulers.install(scheduler, job), f"a run every {every_min} minutes"]
    Screen().notices(notices)
    Screen().say("\n".join(done))
    return ExitCode.OK


def remove(
    kind: SchedulerArgument = None,
    name: JobNameOption = "ticketbot",
    configs: ConfigsOption = None,
) -> int:
    """Take back what install put there, and nothing else."""
    _, scheduler = _scheduler(kind, name, configs)
    done = schedulers.remove(scheduler)
    Screen().say("\n".join(done))
    return ExitCode.OK


def program() -> tuple[str, ...]:
    """This installation's own command, or its Python with ``-P``, which imports nothing from the current folder."""
    script = Path(sys.executable).with_name("ticketbot.exe" if sys.platform == "win32" else "ticketbot")
    return (str(script),) if script.is_file() else (sys.executable, "-P", "-m", "ticket_processor")


def _scheduler(kind: Kind | None, name: str, configs: Sequence[Path] | None) -> tuple[Kind, Scheduler]:
    """The scheduler that is named, or the one that this system has; the settings' owner owns the crontab."""
    if kind is None:
        systemd = BOOTED_BY_SYSTEMD.is_dir() and shutil.which("systemctl")
        kind = "windows" if sys.platform == "win32" else "systemd" if systemd else "cron"
    if kind == "cron":
        return kind, crontab_of(configs[0] if configs else config_file() or Path.cwd(), name)
    return kind, Systemd(name) if kind == "systemd" else Windows(name)


def _job(
    kind: Kind, name: str, every_min: int, configs: Sequence[Path] | None, *, begun: bool
) -> tuple[ScheduledJob, list[str]]:
    """The job, and notices. With ``begun`` a first run must exist.

    Raises :class:`ConfigError` with every reason why there can be no such job, or why its runs would fail.
    """
    given = configs or [path for path in [config_file()] if path]
    named = [Path(os.path.abspath(path)) for path in given]  # noqa: PTH100 - links stay
    place = named[0] if named else Path.cwd()
    folder = place if place.is_dir() else place.parent
    user, home = owner_of(place)
    files = several(named)
    accounts, wrong = _accounts(files, named[0] if named else None)
    deadline_s = max((each.run.deadline_s for _, _, each in accounts), default=Settings().run.deadline_s)
    job = ScheduledJob(
        name,
        every_min,
        limit_after(max(1, ceil(len(files) / MOST_AT_ONCE)) * (deadline_s + GRACE_S)),
        command=(*program(), "run", "--quiet", *(word for path in named for word in ("--config", str(path)))),
        folder=str(folder),
        settings=", ".join(map(str, named or [folder])),
        user=user if sys.platform != "win32" else f"{os.environ.get('USERDOMAIN', '.')}\\{user}",
    )
    states = [_state_folder(settings, at, home) for _, at, settings in accounts]
    logs = [Path(os.path.abspath(at / settings.log_dir)) for _, at, settings in accounts]  # noqa: PTH100
    found = [*wrong, *problems(kind, job, deadline_s, [*states, *logs] if is_root() else ())]
    notices = _unseen(folder / ".env")
    if wrong:
        raise ConfigError(*found, *notices)
    for (account, _, settings), state in zip(accounts, states, strict=True):
        (found if begun else notices).extend(_not_begun(account, settings, state))
    if found:
        raise ConfigError(*found)
    if is_root() and user == "root":
        notices.append(f"the runs will be root's, since root owns {place}; safer: give it to a user of its own")
    elif kind == "systemd" and not is_root() and not (LINGERING / user).exists():
        notices.append(f"runs only while {user} is logged in; 'loginctl enable-linger {user}' changes that")
    return job, notices


def _state_folder(settings: Settings, folder: Path, home: Path) -> Path:
    """The state folder of a scheduled run, which has its user's home and none of this terminal's variables."""
    if settings.state_dir or sys.platform == "win32":
        return folder / settings.state_folder
    parts = ("Library", "Application Support") if sys.platform == "darwin" else (".local", "state")
    return home.joinpath(*parts, "ticketbot", settings.state_folder.name)


def _not_begun(name: str, settings: Settings, state: Path) -> list[str]:
    """A sentence, where no first run has set where to begin; a scheduled one cannot."""
    with opened_state(state, settings.desk.base_url, dry_run=True) as store:
        if store.fact(HORIZON) is not None:
            return []
    told = f"{name}: no run has been made yet" if name else "no run has been made yet"
    return [f"{told} (looked into {state}): 'ticketbot run --since now' says where scheduled ones begin"]


def _accounts(files: Sequence[Path], single: Path | None) -> tuple[list[tuple[str, Path, Settings]], list[str]]:
    """Name, folder and settings of each file as scheduled runs see them, and what is wrong."""
    # On Windows a variable that is set for good looks like one of this terminal.
    environ = dict(os.environ) if sys.platform == "win32" else {}
    clashes, found, wrong = clashes_of(files), list[tuple[str, Path, Settings]](), list[str]()
    named: list[tuple[str, Path | None]] = [*zip(names_of(files), files, strict=True)] if files else [("", single)]
    for name, file in named:
        try:
            if file in clashes:
                raise ConfigError(*clashes[file])
            settings = load(config=file, environ=shared(environ) if files else environ)
            found.append((name, file.parent if file else Path.cwd(), settings))
        except ConfigError as error:
            wrong += [f"{name}: {problem}" if name else problem for problem in error.problems]
    return found, wrong


def _unseen(env: Path) -> list[str]:
    """A notice, where this terminal sets variables that scheduled runs do not have."""
    if sys.platform == "win32":  # where they may be set for good
        return []
    seen = read_env(env)[0] if env.exists() else {}
    names = [name for name in VARIABLES if os.environ.get(name, "").strip() not in ("", seen.get(name))]
    told = f"scheduled runs see {env}, and not what this terminal sets otherwise in {', '.join(names)}"
    return [told] if names else []
