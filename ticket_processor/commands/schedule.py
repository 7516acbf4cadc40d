"""``ticketbot schedule``: runs at fixed times, by the scheduler that the system has."""

from __future__ import annotations

import os
import shutil
import socket
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from ..config import Settings, config_file
from ..errors import ConfigError, ExitCode
from ..schedule import cron, kubernetes, systemd, windows
from ..schedule.job import Job, LocalJob, limit_after, minute_of, problems_of, unwritable
from ..screen import Screen
from . import installation
from .installation import Account, is_root
from .programs import run_program
from .schedulers import Cron, Kubernetes, Scheduler, Systemd, Windows
from .watchdog import GRACE_S

Kind = Literal["cron", "systemd", "windows", "kubernetes"]
BOOTED_BY_SYSTEMD = Path("/run/systemd/system")
SYSTEM_UNITS = Path("/etc/systemd/system")
LINGERING = Path("/var/lib/systemd/linger")


@dataclass(frozen=True)
class Wishes:
    """What the command line says of the job."""

    name: str
    every_min: int
    config: Path | None
    image: str | None
    mail_to: str | None


def show(kind: Kind | None, wishes: Wishes, *, as_json: bool) -> int:
    """``ticketbot schedule show``: what ``install`` would hand over, ready for use."""
    kind = kind or fitting()
    screen = Screen(quiet=False, as_json=as_json)
    scheduler, notices = _prepared(kind, wishes, begun=False)
    screen.notices(notices)
    files = scheduler.files
    # Where one of several goes is a comment above it.
    parts = [f"# {file.path}\n{file.text}" if len(files) > 1 else file.text for file in files]
    screen.result(
        "\n".join(parts).rstrip("\n"),
        {
            "scheduler": kind,
            "files": [{"path": file.path, "content": file.text} for file in files],
            "commands": list(scheduler.commands),
        },
    )
    return int(ExitCode.OK)


def install(kind: Kind | None, wishes: Wishes, *, as_json: bool) -> int:
    """``ticketbot schedule install``. Says exactly what was done."""
    kind = kind or fitting()
    screen = Screen(quiet=False, as_json=as_json)
    scheduler, notices = _prepared(kind, wishes, begun=True)
    done = scheduler.install()
    screen.notices(notices)
    screen.result("\n".join(done), {"scheduler": kind, "name": wishes.name, "done": done})
    return int(ExitCode.OK)


def remove(kind: Kind | None, name: str, config: Path | None, *, as_json: bool) -> int:
    """``ticketbot schedule remove``. The settings need not be right; ``config`` only says whose crontab it is."""
    kind = kind or fitting()
    if problems := problems_of(name):
        raise ConfigError(*problems)
    scheduler: Scheduler
    if kind == "kubernetes":
        scheduler = Kubernetes(name, run_program)
    elif kind == "windows":
        scheduler = Windows(name, run_program)
    elif kind == "systemd":
        scheduler = Systemd(name, run_program, _unit_folder(), system=is_root())
    else:
        account = installation.account_for(config_file(config=config) or Path.cwd())
        scheduler = Cron(name, run_program, user=account.other_user)
    done = scheduler.remove()
    Screen(quiet=False, as_json=as_json).result("\n".join(done), {"scheduler": kind, "name": name, "done": done})
    return int(ExitCode.OK)


def fitting() -> Kind:
    """The scheduler of this system."""
    if installation.ON_WINDOWS:
        return "windows"
    return "systemd" if BOOTED_BY_SYSTEMD.is_dir() and shutil.which("systemctl") else "cron"


def _prepared(kind: Kind, wishes: Wishes, *, begun: bool) -> tuple[Scheduler, list[str]]:
    """The scheduler with its job, and what to know about it. ``begun``: there has to have been a first run.

    Raises :class:`ConfigError` with everything that stands in the way of such a job, or of its runs.
    """
    problems = [
        f"{option} belongs to {place}"
        for option, value, place in (("--image", wishes.image, "kubernetes"), ("--mail-to", wishes.mail_to, "cron"))
        if value is not None and kind != place
    ]
    file = config_file(config=wishes.config)
    file = None if file is None else _absolute(file)
    folder = Path.cwd() if file is None else file.parent
    if kind == "kubernetes":
        return _for_kubernetes(wishes, file, folder, problems)
    return _for_this_machine(kind, wishes, file, folder, problems, begun=begun)


def _for_kubernetes(
    wishes: Wishes, file: Path | None, folder: Path, problems: list[str]
) -> tuple[Scheduler, list[str]]:
    """The account and its credentials are in the cluster's secret; everything else is as it is here."""
    settings = installation.settings_of(file, folder, problems, in_terminal=True, need_helpdesk=False)
    job = _job(wishes, settings, f"kubernetes {wishes.name}", problems)
    problems += kubernetes.problems(wishes.image)
    if problems:
        raise ConfigError(*problems)
    text = None if file is None else file.read_text(encoding="utf-8-sig")
    return Kubernetes(wishes.name, run_program, manifests=kubernetes.render(job, wishes.image or "", text)), []


def _for_this_machine(
    kind: Kind, wishes: Wishes, file: Path | None, folder: Path, problems: list[str], *, begun: bool
) -> tuple[Scheduler, list[str]]:
    # What is set for good on Windows cannot be told from what is set in this terminal only.
    settings = installation.settings_of(file, folder, problems, in_terminal=kind == "windows")
    job = _job(wishes, settings, f"{socket.gethostname()} {wishes.name}", problems)
    if settings is None:
        raise ConfigError(*problems)
    account = installation.account_for(file or folder)
    state = installation.state_folder(settings, folder, account)
    notices = [*settings.notices, *_differences(kind, file, folder)]
    if not installation.has_begun(settings, state):
        told = (
            "no run has been made yet, and a scheduled one cannot say where to begin: 'ticketbot run --since now' does"
        )
        (problems if begun else notices).append(f"{told} (looked into {state})")
    local = LocalJob(
        **vars(job),
        command=(*installation.program(), "run", "--quiet", *(["--config", str(file)] if file else [])),
        folder=str(folder),
        settings=str(file or folder),
        reads=installation.reads(settings, folder),
        writes=tuple(dict.fromkeys(str(_absolute(place)) for place in (state, folder / settings.log_dir))),
        user=account.name,
    )
    problems += unwritable(local.texts)
    if kind == "windows":
        problems += windows.problems(local)
        return _unless(problems, Windows(wishes.name, run_program, job=local)), notices
    if account.is_root:
        told = f"the runs will be root's, since root owns {local.settings}; safer: give it to a user of its own"
        notices.append(f"{told}, and say this again")
    if kind == "systemd":
        problems += systemd.problems(local)
        if not is_root() and not (LINGERING / account.name).exists():
            told = f"runs only while {account.name} is logged in, unless an administrator says: "
            notices.append(f"{told}loginctl enable-linger {account.name}")
        scheduler = Systemd(wishes.name, run_program, _unit_folder(), system=is_root(), job=local)
        return _unless(problems, scheduler), notices
    timeout = shutil.which("timeout")
    problems += cron.problems(local, timeout=timeout, mail_to=wishes.mail_to)
    block = cron.render(local, timeout=timeout, mail_to=wishes.mail_to)
    return _unless(problems, _cron(wishes.name, account, block, local.settings)), notices


def _cron(name: str, account: Account, block: str, settings: str) -> Cron:
    return Cron(name, run_program, user=account.other_user, block=block, settings=settings)


def _unless(problems: list[str], scheduler: Scheduler) -> Scheduler:
    if problems:
        raise ConfigError(*problems)
    return scheduler


def _job(wishes: Wishes, settings: Settings | None, seed: str, problems: list[str]) -> Job:
    """Whatever the problems are, so that those of others can be found as well."""
    run = (settings or Settings()).run
    limit_s = limit_after(run.deadline_s + GRACE_S)
    problems += problems_of(wishes.name, wishes.every_min, run.deadline_s, limit_s)
    return Job(wishes.name, wishes.every_min, limit_s, minute_of(seed, wishes.every_min))


def _differences(kind: Kind, file: Path | None, folder: Path) -> list[str]:
    """What is otherwise in this terminal than in the file, which is where people look."""
    names = ", ".join(installation.set_here_only(file, folder))
    if not names:
        return []
    if kind == "windows":
        return [
            f"{names}: scheduled runs see it if it is set for good (by setx, say); else put it into {folder / '.env'}"
        ]
    return [f"{names}: set otherwise in this terminal than in {folder / '.env'}, which is what scheduled runs go by"]


def _absolute(path: Path) -> Path:
    """Without ``..``, which systemd refuses; links stay, for what they lead to may change."""
    return Path(os.path.abspath(path))  # noqa: PTH100 - resolve() would follow them


def _unit_folder() -> Path:
    if is_root():
        return SYSTEM_UNITS
    return Path(os.environ.get("XDG_CONFIG_HOME", "").strip() or Path.home() / ".config") / "systemd" / "user"
