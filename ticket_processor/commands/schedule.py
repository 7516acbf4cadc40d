"""``ticketbot schedule``: runs at fixed times, by the system's own scheduler."""

from __future__ import annotations

import shutil
import socket
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

import typer

from ..core.errors import ConfigError, ExitCode
from ..schedule import cron, systemd, windows
from ..schedule.job import (
    File,
    LocalJob,
    every,
    followers,
    minute_of,
    problems_of,
    unwritable,
)
from . import installation
from .installation import Account, is_root
from .options import ConfigsOption, JsonOption
from .schedule_options import Kind, ScheduleOptions, completed, installed_twice, scheduler_of
from .scheduled_runs import ScheduledAccount, ScheduledRuns, absolute, limits, place_of
from .schedulers import Scheduler
from .screen import Screen
from .system_commands import write_file

BOOTED_BY_SYSTEMD = Path("/run/systemd/system")
LINGERING = Path("/var/lib/systemd/linger")
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
MailToOption = Annotated[
    str | None,
    typer.Option(
        "--mail-to",
        metavar="ADDRESS",
        help="cron: who gets what a run prints. Default: as installed before, else its owner ('').",
    ),
]


def show(
    kind: SchedulerArgument = None,
    every_min: EveryOption = None,
    name: JobNameOption = "ticketbot",
    mail_to: MailToOption = None,
    output: Annotated[
        Path | None,
        typer.Option(metavar="PATH", help="Write it there instead, byte for byte: a file, or a folder for several."),
    ] = None,
    as_json: JsonOption = False,
    configs: ConfigsOption = None,
) -> int:
    """Print what install would hand over, ready for use; change nothing."""
    kind = kind or fitting()
    screen = Screen(as_json=as_json)
    scheduler, minutes, notices = _prepared(kind, ScheduleOptions(name, every_min, mail_to), configs, begun=False)
    files, commands = scheduler.files, scheduler.commands
    by_hand = f"'install' instead of 'show' hands this over; by hand: {'; '.join(commands)}"
    screen.notices([*notices, *([] if as_json else [by_hand])])
    # Each of several files has its path as a comment above it.
    text = "\n".join(f"# {file.path}\n{file.text}" if len(files) > 1 else file.text for file in files)
    data: dict[str, object] = {
        "scheduler": kind,
        "every_minutes": minutes,
        "files": [{"path": file.path, "content": file.text} for file in files],
        "commands": list(commands),
    }
    if output is not None:
        written = _written(files, output)
        text, data["written"] = "\n".join(f"{path} written" for path in written), list(map(str, written))
    screen.result(text.rstrip("\n"), data)
    return ExitCode.OK


def install(
    kind: SchedulerArgument = None,
    every_min: EveryOption = None,
    name: JobNameOption = "ticketbot",
    mail_to: MailToOption = None,
    as_json: JsonOption = False,
    configs: ConfigsOption = None,
) -> int:
    """Have the system start runs; again, and it is brought up to date, with what is not said as it was."""
    kind = kind or fitting()
    screen = Screen(as_json=as_json)
    scheduler, minutes, notices = _prepared(kind, ScheduleOptions(name, every_min, mail_to), configs, begun=True)
    done = [*scheduler.install(), f"a run {every(minutes)}"]
    screen.notices(notices)
    screen.result("\n".join(done), {"scheduler": kind, "name": name, "every_minutes": minutes, "done": done})
    return ExitCode.OK


def remove(
    kind: SchedulerArgument = None,
    name: JobNameOption = "ticketbot",
    as_json: JsonOption = False,
    configs: ConfigsOption = None,
) -> int:
    """Take back what install put there, and nothing else."""
    kind = kind or fitting()
    if problems := problems_of(name):
        raise ConfigError(*problems)
    done = scheduler_of(kind, name, place_of(configs)).remove()
    Screen(as_json=as_json).result("\n".join(done), {"scheduler": kind, "name": name, "done": done})
    return ExitCode.OK


def fitting() -> Kind:
    """The scheduler that this system has."""
    if installation.ON_WINDOWS:
        return "windows"
    return "systemd" if BOOTED_BY_SYSTEMD.is_dir() and shutil.which("systemctl") else "cron"


def _written(files: Sequence[File], output: Path) -> list[Path]:
    """Put the files into ``output``: a folder, or the file itself where there is one only and no such folder."""
    into_folder = len(files) > 1 or output.is_dir()
    places = [output / Path(file.path).name if into_folder else output for file in files]
    for place, file in zip(places, files, strict=True):
        write_file(place, file.data)
    return places


def _prepared(
    kind: Kind, options: ScheduleOptions, configs: Sequence[Path] | None, *, begun: bool
) -> tuple[Scheduler, int, list[str]]:
    """The scheduler with its job, the job's period in minutes, and notices. With ``begun`` a first run must exist.

    Raises :class:`ConfigError` with every reason why there can be no such job, or why its runs would fail.
    """
    problems = ["--mail-to belongs to cron"] if options.mail_to is not None and kind != "cron" else []
    runs = ScheduledRuns(configs)
    options, kept = completed(kind, options, runs)
    wrong: list[str] = []
    # On Windows a variable that is set for good looks like one of this terminal.
    accounts = runs.accounts(wrong, in_terminal=kind == "windows")
    deadline_s, limit_s = limits(accounts)
    problems += [*wrong, *problems_of(options.name, options.minutes, deadline_s, limit_s)]
    if wrong:
        raise ConfigError(*problems)
    account = installation.account_for(runs.place)
    states = [installation.state_folder(each.settings, each.folder, account) for each in accounts]
    logs = [each.folder / each.settings.log_dir for each in accounts]
    reads = [path for each in accounts for path in installation.reads(each.settings, each.folder)]
    job = LocalJob(
        options.name,
        options.minutes,
        limit_s,
        minute_of(f"{socket.gethostname()} {options.name}", options.minutes),
        command=(*installation.program(), "run", "--quiet", *runs.arguments),
        folder=str(runs.folder),
        settings=runs.mark,
        reads=tuple(dict.fromkeys(reads)),
        writes=tuple(dict.fromkeys(str(absolute(path)) for pair in zip(states, logs, strict=True) for path in pair)),
        user=account.name,
    )
    notices = [notice for each in accounts for notice in _about_settings(kind, each, options.minutes)]
    if (kind == "windows") != installation.ON_WINDOWS:
        notices.append("this is for another system, with this machine's paths and user: show it on the one it is for")
    for each, state in zip(accounts, states, strict=True):
        if not installation.has_begun(each.settings, state):
            told = (
                "no run has been made yet, and a scheduled one cannot say where to begin: 'ticketbot run --since now'"
            )
            (problems if begun else notices).extend(each.named([f"{told} does (looked into {state})"]))
    problems += unwritable(job.texts)
    block = ""
    if kind == "windows":
        problems += windows.problems(job)
    else:
        notices += _about_account(account, job, runs.place, accounts)
    if kind == "systemd":
        problems += systemd.problems(job)
        if not is_root() and not (LINGERING / account.name).exists():
            told = f"runs only while {account.name} is logged in, unless an administrator says: "
            notices.append(f"{told}loginctl enable-linger {account.name}")
    elif kind == "cron":
        timeout = shutil.which("timeout")
        problems += cron.problems(job, timeout=timeout, mail_to=options.mail_to)
        block = cron.render(job, timeout=timeout, mail_to=options.mail_to)
    if problems:
        raise ConfigError(*problems)
    scheduler = scheduler_of(kind, options.name, runs.place, job=job, block=block)
    return scheduler, options.minutes, [*kept, *installed_twice(kind, options.name, runs), *notices]


def _about_account(account: Account, job: LocalJob, place: Path, accounts: Sequence[ScheduledAccount]) -> list[str]:
    """Notices on the account of the runs: it is root's, or may not use what a run needs."""
    files = [place, *(path for each in accounts for path in ([each.file] if each.file else []) + each.secrets)]
    needed = {Path(job.command[0]): 5, **dict.fromkeys(files, 4)}
    found = installation.barred(account, {**needed, **dict.fromkeys(map(Path, job.writes), 7)})
    if not account.is_root:
        return found
    told = f"the runs will be root's, since root owns {place}; safer: give it to a user of its own"
    return [f"{told}, and say this again", *found]


def _about_settings(kind: Kind, account: ScheduledAccount, minutes: int) -> list[str]:
    """Notices on settings that do not fit, and on variables whose values differ between this terminal and ``.env``."""
    alerts, told = account.settings.alerts, [*account.settings.notices]
    if names := ", ".join(account.set_here_only()):
        where = account.folder / ".env"
        if kind == "windows":
            told.append(
                f"{names}: scheduled runs see it if it is set for good (by setx, say); else put it into {where}"
            )
        else:
            told.append(f"{names}: set otherwise in this terminal than in {where}, which is what scheduled runs go by")
    told += followers(minutes, alerts.stale_minutes, heartbeat=alerts.heartbeat_url is not None)
    return account.named(told)
