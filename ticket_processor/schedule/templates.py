"""A job, and what each scheduler is handed for it: the templates beside this module, filled in. Pure."""

from __future__ import annotations

import json
import re
import shlex
import subprocess
from collections.abc import Iterable
from dataclasses import dataclass
from math import ceil
from pathlib import Path
from xml.sax.saxutils import escape

DEFAULT_EVERY_MIN = 10
PERIODS_MIN = (*(minutes for minutes in range(1, 61) if 60 % minutes == 0), 120, 180, 240, 360, 480, 720, 1440)
"""Even periods: divisors of an hour, and whole hours that divide a day."""
STOP_GRACE_S = 30
"""From the polite signal to the hard one: a run ends within 20 seconds of the first."""
_LONGEST_COMMAND = 800
"""Bytes: some crons cut a line off at a thousand, without a word."""


@dataclass(frozen=True)
class ScheduledJob:
    """One run every ``every_min`` minutes as ``user``, cut off by the scheduler after ``limit_s`` seconds.

    All paths are absolute. ``settings`` tells it from another installation's job.
    """

    name: str
    every_min: int
    limit_s: int
    command: tuple[str, ...]
    folder: str
    settings: str
    user: str

    @property
    def mark(self) -> str:
        """Says in every installed text whose it is; ASCII, whatever the path."""
        return f"ticketbot schedule for {json.dumps(self.settings)}"

    @property
    def minute(self) -> int:
        """Where in the period it begins; not at the full hour, when many jobs start."""
        return 7 % (min(self.every_min, 60) or 1)


def limit_after(watchdog_s: float) -> int:
    """The scheduler's limit in whole seconds: it only ends a run that our watchdog could not end ``watchdog_s`` in."""
    return ceil(watchdog_s + 20)


def mark_in(text: str) -> str | None:
    """The settings in an installed text's mark; ``None`` for a text that ticketbot did not write."""
    found = re.search(r'ticketbot schedule for ("(?:[^"\\]|\\.)*")', text)
    return str(json.loads(found[1])) if found else None


def crontab(job: ScheduledJob, timeout: str | None = None) -> str:
    """The lines for a crontab. ``timeout`` is the path of that program, if there is one: cron has no limit."""
    hours, minutes = divmod(job.every_min, 60)
    times = f"{job.minute} {'*' if hours == 1 else '0' if hours == 24 else f'*/{hours}'} * * *"
    if minutes:
        times = "* * * * *" if minutes == 1 else f"{job.minute}-59/{minutes} * * * *"
    limit = (timeout, "-k", str(STOP_GRACE_S), str(job.limit_s)) if timeout else ()
    command = f"cd {shlex.quote(job.folder)} && {shlex.join((*limit, *job.command))}"
    return _template("crontab").format(name=job.name, mark=job.mark, times=times, command=command)


def service(job: ScheduledJob, *, system: bool) -> str:
    """The service that is one run; ``system`` says whether the system's manager is to have it or the user's own."""
    text = _template("service").format(
        mark=job.mark,
        folder=job.folder,
        command=" ".join(f'"{word}"' if " " in word else word for word in job.command),
        limit_s=job.limit_s,
        grace_s=STOP_GRACE_S,
    )
    return text + _template("system_service").format(user=job.user) if system else text


def timer(job: ScheduledJob) -> str:
    """The timer that starts the service. In UTC: no hour is left out or comes twice when clocks change."""
    hours, minutes = divmod(job.every_min, 60)
    calendar = f"*:0/{minutes}" if minutes else {1: "*:00", 24: "00:00"}.get(hours, f"0/{hours}:00")
    return _template("timer").format(mark=job.mark, every_min=job.every_min, calendar=calendar)


def task(job: ScheduledJob) -> str:
    """The task for Task Scheduler: ASCII without a declaration, so that it is right however it is saved."""
    text = _template("task").format(
        mark=escape(job.mark),
        every=_span(job.every_min * 60),
        minute=job.minute,
        user=escape(job.user),
        limit=_span(job.limit_s),
        program=escape(job.command[0]),
        arguments=escape(subprocess.list2cmdline(job.command[1:])),
        folder=escape(job.folder),
    )
    return text.encode("ascii", "xmlcharrefreplace").decode("ascii")


def problems(kind: str, job: ScheduledJob, deadline_s: float, writes: Iterable[Path] = ()) -> list[str]:
    """The reasons why the scheduler cannot take the job, a sentence each; ``deadline_s`` is ``run.deadline_s``.

    ``writes`` are the folders that its runs write into.
    """
    found = []
    too_long_s = job.limit_s - job.every_min * 60
    if not re.fullmatch(r"[a-z0-9]([a-z0-9-]{0,38}[a-z0-9])?", job.name):
        found.append("--name: must be 1 to 40 small letters, digits and hyphens, such as ticketbot-eu")
    if job.every_min not in PERIODS_MIN:
        allowed = ", ".join(map(str, PERIODS_MIN))
        found.append(f"--every {job.every_min}: runs come round evenly with one of these numbers of minutes: {allowed}")
    elif too_long_s > 0:
        found.append(
            f"--every {job.every_min}: with run.deadline_s = {deadline_s:g} a run that hangs is cut off after "
            f"{job.limit_s} s, when the next one should long have begun; take a longer period, or set run.deadline_s "
            f"to {deadline_s - too_long_s:g} or less"
        )
    strange = r"%[^%]+%|\$\(" if kind == "windows" else r"[%$\"'`\\]"
    found += [
        f"the path {json.dumps(path)} holds a character that {kind} reads as something else, such as % or $, a "
        "quotation mark or a line's end, or a space at its end: rename it"
        for path in dict.fromkeys((*job.command, job.folder))
        if not path.isprintable() or path != path.strip() or re.search(strange, path)
    ]
    if kind == "cron" and len(" ".join((*job.command, job.folder)).encode(errors="replace")) > _LONGEST_COMMAND:
        found.append(
            "the paths are too long for a line of a crontab; move this installation, or name a folder of files"
        )
    if kind == "systemd":
        found += [
            f"the system's service may not write into {folder}: name another folder (log_dir, state_dir)"
            for folder in writes
            if re.match(r"/(etc|usr|boot)/", str(folder))
        ]
    return found


def _template(name: str) -> str:
    return Path(__file__).with_name(f"{name}.txt").read_text(encoding="utf-8")


def _span(seconds: int) -> str:
    """A time span as XML has it: ``PT0H9M40S``."""
    return f"PT{seconds // 3600}H{seconds % 3600 // 60}M{seconds % 60}S"
