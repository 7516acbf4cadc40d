"""The options of a job, completed from the entry that is installed already."""

from __future__ import annotations

import os
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal

from ..core.errors import CannotRun, ConfigError
from ..schedule.job import DEFAULT_EVERY_MIN, Installed, LocalJob, every, marked_for, problems_of
from . import installation
from .installation import is_root
from .scheduled_runs import ScheduledRuns
from .schedulers import Cron, Scheduler, Systemd, Windows
from .system_commands import NoProgram, run_program, text_of

Kind = Literal["cron", "systemd", "windows"]
SYSTEM_UNITS = Path("/etc/systemd/system")


@dataclass(frozen=True)
class ScheduleOptions:
    """A job's options. ``None`` means: as in the installed entry, else the default."""

    name: str
    every_min: int | None
    mail_to: str | None

    @property
    def minutes(self) -> int:
        """From the start of a run to the next."""
        return DEFAULT_EVERY_MIN if self.every_min is None else self.every_min

    def all_said(self, kind: Kind) -> bool:
        """Whether every option is given."""
        return self.every_min is not None and (kind != "cron" or self.mail_to is not None)

    def completed(self, known: Installed) -> ScheduleOptions:
        """The options, with missing ones from the installed entry."""
        return replace(
            self,
            every_min=known.every_min if self.every_min is None else self.every_min,
            mail_to=known.mail_to if self.mail_to is None else self.mail_to,
        )


def completed(kind: Kind, options: ScheduleOptions, runs: ScheduledRuns) -> tuple[ScheduleOptions, list[str]]:
    """The options completed from the installed entry, and notices on what was kept or could not be read."""
    if problems_of(options.name) or options.all_said(kind):
        return options, []
    instead = [] if options.every_min is not None else [f"cannot be read; set: {every(options.minutes)}"]
    try:
        known = scheduler_of(kind, options.name, runs.place).installed(runs.mark)
    except NoProgram:
        return options, []  # without a scheduler there is no entry
    except CannotRun:  # install reports the reason itself
        return options, [f"what an earlier installation was made with {words}" for words in instead]
    if known is None:
        return options, []
    told = [] if known.every_min else [f"how often the entry that is there starts runs {words}" for words in instead]
    kept = [
        words
        for said, value, words in (
            (options.every_min, known.every_min, every(known.every_min or 0)),
            (options.mail_to, known.mail_to, f"mail to {known.mail_to}"),
        )
        if said is None and value is not None
    ]
    return options.completed(known), [*told, *([f"kept: {', '.join(kept)}"] if kept else [])]


def installed_twice(kind: Kind, name: str, runs: ScheduledRuns) -> list[str]:
    """A notice if the system's other scheduler has such an entry too, and both would start runs."""
    other: Kind | None = {"cron": "systemd", "systemd": "cron"}.get(kind)  # type: ignore[assignment]
    with suppress(CannotRun):
        if other and scheduler_of(other, name, runs.place).installed(runs.mark) is not None:
            return [f"{other} starts these runs as well; 'ticketbot schedule remove {other} --name {name}' ends that"]
    return []


def may_be_scheduled(place: Path) -> bool:
    """Whether a scheduler of this system may start runs of ticketbot's, as far as it says.

    The owner of ``place`` owns the crontab.
    """
    try:
        timers = [path for folder in {unit_folder(), SYSTEM_UNITS} for path in folder.glob("*.timer")]
        if any(marked_for(text_of(path) or "") is not None for path in timers):
            return True
        return Cron("", run_program, user=installation.account_for(place).other_user).starts_runs()
    except NoProgram:
        return False
    except (CannotRun, ConfigError):
        return True


def scheduler_of(kind: Kind, name: str, place: Path, *, job: LocalJob | None = None, block: str = "") -> Scheduler:
    """The scheduler with its job, for cron as a ``block``. Without a job it can only read and remove an entry.

    The owner of ``place`` owns the crontab.
    """
    if kind == "windows":
        return Windows(name, run_program, job=job)
    if kind == "systemd":
        return Systemd(name, run_program, unit_folder(), system=is_root(), job=job)
    settings = "" if job is None else job.settings
    return Cron(name, run_program, user=installation.account_for(place).other_user, block=block, settings=settings)


def unit_folder() -> Path:
    """The folder of systemd's units: the system's for root, else the user's."""
    if is_root():
        return SYSTEM_UNITS
    return Path(os.environ.get("XDG_CONFIG_HOME", "").strip() or Path.home() / ".config") / "systemd" / "user"
