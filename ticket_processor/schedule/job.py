"""A scheduled job, its period, and what no scheduler can take. Pure."""

from __future__ import annotations

import hashlib
import json
import math
import re
import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass

from ..monitoring.slo import STALE

DEFAULT_EVERY_MIN = 10
PERIODS_MIN = (*(minutes for minutes in range(1, 61) if 60 % minutes == 0), 120, 180, 240, 360, 480, 720, 1440)
"""Even periods: divisors of an hour, and whole hours that divide a day."""
LIMIT_AFTER_WATCHDOG_S = 20.0
"""A scheduler's own limit comes this long after our watchdog's, so that it only ends a run that ours could not."""
STOP_GRACE_S = 30
"""From the polite signal to the hard one: a run ends within 20 seconds of the first."""
GRACE = 1.5
"""A heartbeat's grace, in periods."""
_NAME = r"[a-z0-9]([a-z0-9-]{0,38}[a-z0-9])?"
_MARK = "ticketbot schedule for "


@dataclass(frozen=True)
class ScheduledJob:
    """One run every ``every_min`` minutes, cut off by the scheduler after ``limit_s`` seconds.

    ``minute`` is where in the period it begins, from :func:`minute_of`.
    """

    name: str
    every_min: int
    limit_s: int
    minute: int


@dataclass(frozen=True)
class LocalJob(ScheduledJob):
    """A job on this machine.

    ``command`` and all paths are absolute; ``folder`` is where it starts. ``reads`` and ``writes`` are the folders that
    it cannot do without. ``user`` is who it runs as where the scheduler has to be told, and ``settings`` the
    configuration file (or the folder, where there is none) that tells it from another installation's.
    """

    command: tuple[str, ...]
    folder: str
    settings: str
    reads: tuple[str, ...] = ()
    writes: tuple[str, ...] = ()
    user: str | None = None

    @property
    def texts(self) -> tuple[str, ...]:
        """Everything of it that is written into a file."""
        return (*self.command, self.folder, *self.reads, *self.writes)


@dataclass(frozen=True)
class Installed:
    """The options of an installed entry; ``None`` for one that it does not hold."""

    every_min: int | None = None
    mail_to: str | None = None


@dataclass(frozen=True)
class File:
    """A file for a scheduler, and its path. ``encoded`` are its bytes if they are not UTF-8."""

    path: str
    text: str
    encoded: bytes | None = None

    @property
    def data(self) -> bytes:
        """The file, byte for byte."""
        return self.text.encode() if self.encoded is None else self.encoded


def limit_after(watchdog_s: float) -> int:
    """The scheduler's limit in whole seconds, for a process that ends itself after ``watchdog_s``."""
    return math.ceil(watchdog_s + LIMIT_AFTER_WATCHDOG_S)


def minute_of(seed: str, every_min: int) -> int:
    """A minute of the period, the same for the same ``seed``, and not the full hour, when many jobs start."""
    step = min(every_min, 60)
    if step == 1:
        return 0
    return int.from_bytes(hashlib.sha256(seed.encode()).digest()[:8]) % (step - 1) + 1


def problems_of(name: str, every_min: int = DEFAULT_EVERY_MIN, deadline_s: float = 0.0, limit_s: int = 0) -> list[str]:
    """The reasons why there can be no such job, a sentence each."""
    problems = []
    if not re.fullmatch(_NAME, name):
        problems.append("--name: must be 1 to 40 small letters, digits and hyphens, such as ticketbot-eu")
    if every_min not in PERIODS_MIN:
        allowed = ", ".join(map(str, PERIODS_MIN))
        problems.append(f"--every {every_min}: runs come round evenly with one of these numbers of minutes: {allowed}")
    elif limit_s > every_min * 60:
        enough = next((minutes for minutes in PERIODS_MIN if limit_s <= minutes * 60), None)
        shorter = every_min * 60 - (limit_s - deadline_s)
        ways = [f"--every {enough}"] * (enough is not None) + [f"run.deadline_s = {shorter:g} or less"] * (
            shorter >= 10
        )
        problems.append(
            f"--every {every_min}: with run.deadline_s = {deadline_s:g} a run that hangs is cut off after {limit_s} s, "
            f"when the next one should long have begun; take {' or '.join(ways)}"
        )
    return problems


def followers(every_min: int, stale_minutes: float | None, *, heartbeat: bool) -> list[str]:
    """A sentence for each setting that does not fit this period, with a value that does.

    ``stale_minutes`` is the setting of ``alerts``; without a value it follows the runs. ``heartbeat`` says whether a
    dead man's switch watches the runs; its own settings are not known here.
    """
    told = []
    fits = STALE * every_min
    if stale_minutes is not None and stale_minutes < fits:
        told.append(
            f"with a run {every(every_min)}, an alert would call new tickets late too soon: set alerts.stale_minutes = "
            f"{fits:g} (it is {stale_minutes:g}), or take it out of the settings, and it follows the runs"
        )
    if heartbeat and every_min != DEFAULT_EVERY_MIN:
        grace = math.ceil(GRACE * every_min)
        told.append(f"where the heartbeat is watched, set its period to {every_min} and its grace to {grace} minutes")
    return told


def every(minutes: int) -> str:
    """``every 10 minutes``."""
    return "every minute" if minutes == 1 else f"every {minutes} minutes"


def unwritable(texts: Iterable[str]) -> list[str]:
    """The paths that no scheduler's file can hold, a sentence each: a line break would begin a line of its own."""
    bad = dict.fromkeys(text for text in texts if any(map(_strange, text)))
    return [f"the path {json.dumps(text)} holds characters that no scheduler can be given; rename it" for text in bad]


def cron_times(job: ScheduledJob) -> str:
    """The five fields that cron starts it by."""
    hours, minutes = divmod(job.every_min, 60)
    if minutes:
        return "* * * * *" if minutes == 1 else f"{job.minute}-59/{minutes} * * * *"
    return f"{job.minute} {'*' if hours == 1 else '0' if hours == 24 else f'*/{hours}'} * * *"


def every_of(times: str) -> int | None:
    """The period of these five fields, also of ``*/N``; ``None`` for fields of other kinds."""
    times = re.sub(r"^\*/", "0-59/", times)
    minute = re.match(r"\d{1,2}(?!\d)", times)
    jobs = (ScheduledJob("", every, 0, int(minute[0]) if minute else 0) for every in PERIODS_MIN)
    return next((job.every_min for job in jobs if cron_times(job) == times), None)


def mark(settings: str) -> str:
    """The mark in every installed file, by which its owner is known again. ASCII, whatever the path."""
    return _MARK + json.dumps(settings)


def marked_for(text: str) -> str | None:
    """The ``settings`` in an installed text's mark; ``None`` for a text that ticketbot did not write."""
    found = re.search(re.escape(_MARK) + r'("(?:[^"\\]|\\.)*")', text)
    return None if found is None else str(json.loads(found[1]))


def _strange(character: str) -> bool:
    """Whether it is a control character, a line's end, a surrogate (in a name that is not UTF-8), or no character."""
    return unicodedata.category(character) in ("Cc", "Cs", "Zl", "Zp") or character in "\ufffe\uffff"
