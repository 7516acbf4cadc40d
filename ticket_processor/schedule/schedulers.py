"""Hands jobs to ``crontab``, ``systemctl`` and ``schtasks``, and takes them back.

The three classes have the same methods: ``texts`` are the templates beside this module, filled in; ``entries`` are the
texts installed under this name, whoever wrote them. :func:`install` and :func:`remove` raise :class:`CannotRun` with
the words of the program or the system that refuses.
"""

from __future__ import annotations

import getpass
import html
import json
import os
import re
import shlex
import shutil
import subprocess
import tempfile
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from xml.sax.saxutils import escape

from ..core.errors import CannotRun, ConfigError

PERIODS_MIN = (*(minutes for minutes in range(1, 61) if 60 % minutes == 0), 120, 180, 240, 360, 480, 720, 1440)
"""Even periods: divisors of an hour, and whole hours that divide a day."""
STOP_GRACE_S = 30
"""From the polite signal to the hard one: a run ends within 20 seconds of the first."""
SYSTEM_UNITS = Path("/etc/systemd/system")


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

    def filled(self, template: str, quoted: Callable[[str], str] = str, **values: str) -> str:
        """The template with this job's values, ``quoted`` each, and a mark in ASCII that says whose it is."""
        text = Path(__file__).with_name(f"{template}.txt").read_text(encoding="utf-8")
        mark = f"ticketbot schedule for {json.dumps(self.settings)}"
        known = {**vars(self), "mark": mark, "minute": f"{self.minute:02}", "grace_s": STOP_GRACE_S, **values}
        return text.format(**{name: quoted(str(value)) for name, value in known.items()})

    @property
    def minute(self) -> int:
        """Where in the period it begins; not at the full hour, when many jobs start."""
        return 7 % min(self.every_min, 60)


def mark_in(text: str) -> str | None:
    """The settings in an installed text's mark; ``None`` for a text that ticketbot did not write."""
    found = re.search(r'ticketbot schedule for ("(?:[^"\\]|\\.)*")', text)
    return str(json.loads(found[1])) if found else None


class Cron:
    """The current user's crontab; for root, that of ``user``."""

    kind = "cron"

    def __init__(self, name: str, user: str = "root") -> None:
        self.name = name
        others = is_root() and user != "root"
        self.where = f"the crontab of {user}" if others else "your crontab"
        self._crontab = ("crontab", "-u", user) if others else ("crontab",)
        mark, inside = f"ticketbot schedule {re.escape(name)}", r"(?:(?!# (?:BEGIN|END) ).*\n){1,5}"
        self._entry = re.compile(rf"^# BEGIN {mark}:.*\n{inside}# END {mark}$\n?", re.MULTILINE)

    def texts(self, job: ScheduledJob) -> list[str]:
        hours, minutes = divmod(job.every_min, 60)
        often = {1: "* *", 60: f"{job.minute} *", 1440: f"{job.minute} 0"}
        times = often.get(job.every_min, f"{job.minute}-59/{minutes} *" if minutes else f"{job.minute} */{hours}")
        timeout = shutil.which("timeout")  # cron has no limit
        limit = (timeout, "-k", str(STOP_GRACE_S), str(job.limit_s)) if timeout else ()
        command = f"cd {shlex.quote(job.folder)} && {shlex.join((*limit, *job.command))}"
        return [job.filled("crontab", times=f"{times} * * *", command=command)]

    def entries(self) -> list[str]:
        return self._entry.findall(self.read())

    def put(self, job: ScheduledJob) -> None:
        rest = self._entry.sub("", self.read())
        end = "\n" if rest and not rest.endswith("\n") else ""
        _ask(*self._crontab, "-", given=rest + end + self.texts(job)[0])

    def take(self) -> None:
        rest = self._entry.sub("", self.read())
        _ask(*self._crontab, "-" if rest else "-r", given=rest)  # without other lines there was none before the job

    def read(self) -> str:
        """The whole crontab."""
        try:
            return _ask(*self._crontab, "-l")
        except CannotRun as error:
            # Only these mean an empty crontab: taking another failure for one would overwrite a full crontab.
            if re.search("no crontab for|no such file|can't open your crontab", str(error), re.IGNORECASE):
                return ""
            raise


class Systemd:
    """Units of the system's manager for root, else of the user's own."""

    kind = "systemd"

    def __init__(self, name: str) -> None:
        self.name = name
        self.where = str(unit_folder())
        self._units = [unit_folder() / f"{name}.{kind}" for kind in ("service", "timer")]
        self._systemctl = ("systemctl",) if is_root() else ("systemctl", "--user")

    def texts(self, job: ScheduledJob) -> list[str]:
        hours, minutes = divmod(job.every_min, 60)
        calendar = f"*:0/{minutes}" if minutes else {1: "*:00", 24: "00:00"}.get(hours, f"0/{hours}:00")
        command = " ".join(f'"{word}"' if " " in word else word for word in job.command)
        system = job.filled("system") if is_root() else ""
        return [
            job.filled(unit.suffix[1:], path=str(unit), calendar=calendar, command=command, system=system)
            for unit in self._units
        ]

    def entries(self) -> list[str]:
        return [unit.read_text(encoding="utf-8", errors="replace") for unit in self._units if unit.exists()]

    def put(self, job: ScheduledJob) -> None:
        _ask(*self._systemctl, "show", "--property=Version")  # fails before anything is written if no manager answers
        unit_folder().mkdir(parents=True, exist_ok=True)
        for unit, text in zip(self._units, self.texts(job), strict=True):
            unit.write_text(text, encoding="utf-8")
            unit.chmod(0o644)  # everybody may read it: it holds no secret
        _ask(*self._systemctl, "daemon-reload")
        _ask(*self._systemctl, "enable", "--now", f"{self.name}.timer")

    def take(self) -> None:
        if self._units[1].exists():
            _ask(*self._systemctl, "disable", "--now", f"{self.name}.timer")
        for unit in self._units:
            unit.unlink(missing_ok=True)
        _ask(*self._systemctl, "daemon-reload")


class Windows:
    """Task Scheduler."""

    kind = "windows"

    def __init__(self, name: str) -> None:
        self.name = name
        self.where = "Task Scheduler"

    def texts(self, job: ScheduledJob) -> list[str]:
        seconds = {"every": job.every_min * 60, "limit": job.limit_s}
        spans = {name: f"PT{of // 3600}H{of % 3600 // 60}M{of % 60}S" for name, of in seconds.items()}
        arguments = subprocess.list2cmdline(job.command[1:])
        text = job.filled("task", escape, **spans, program=job.command[0], arguments=arguments)
        # ASCII without a declaration, so that it is right however it is saved.
        return [text.encode("ascii", "xmlcharrefreplace").decode("ascii")]

    def entries(self) -> list[str]:
        with suppress(CannotRun):
            return [html.unescape(_ask("schtasks", "/Query", "/TN", self.name, "/XML").replace("\0", ""))]
        return []

    def put(self, job: ScheduledJob) -> None:
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder, "task.xml")
            path.write_text(f'<?xml version="1.0" encoding="UTF-16"?>\n{self.texts(job)[0]}', encoding="utf-16")
            _ask("schtasks", "/Create", "/TN", self.name, "/XML", str(path), "/F")

    def take(self) -> None:
        _ask("schtasks", "/Delete", "/TN", self.name, "/F")


Scheduler = Cron | Systemd | Windows


def install(scheduler: Scheduler, job: ScheduledJob) -> str:
    """Install the job, or update it. Raises :class:`ConfigError` where the name is another installation's."""
    try:
        for owner in map(mark_in, scheduler.entries()):
            if owner != job.settings:
                what = "is not ticketbot's" if owner is None else f"runs {owner}"
                raise ConfigError(f"{scheduler.where}: {job.name} there {what}; give another --name, or remove it")
        scheduler.put(job)
    except OSError as error:
        raise CannotRun(f"{error.filename} cannot be read or changed ({error.strerror})") from None
    return f"{scheduler.where}: {job.name} is installed; a run every {job.every_min} minutes"


def remove(scheduler: Scheduler) -> str:
    """Remove what :func:`install` installed, and nothing that ticketbot did not write."""
    try:
        owners = list(map(mark_in, scheduler.entries()))
        if None in owners:
            raise CannotRun(f"{scheduler.where}: {scheduler.name} is not ticketbot's; nothing was done")
        if owners:
            scheduler.take()
    except OSError as error:
        raise CannotRun(f"{error.filename} cannot be read or changed ({error.strerror})") from None
    done = f"{scheduler.name} is removed; no more runs of {owners[0]}" if owners else ""
    return f"{scheduler.where}: {done or f'there is nothing called {scheduler.name}; nothing was done'}"


def problems(kind: str, job: ScheduledJob, deadline_s: float) -> list[str]:
    """Why the scheduler cannot take the job, a sentence each; ``deadline_s`` is ``run.deadline_s``."""
    found, too_long_s = [], job.limit_s - job.every_min * 60
    if not re.fullmatch(r"[a-z0-9]([a-z0-9-]{0,38}[a-z0-9])?", job.name):
        found.append("--name: must be 1 to 40 small letters, digits and hyphens, such as ticketbot-eu")
    if job.every_min not in PERIODS_MIN:
        found.append(f"--every {job.every_min}: must be one of {', '.join(map(str, PERIODS_MIN))}")
    elif too_long_s > 0:
        found.append(
            f"--every {job.every_min}: with run.deadline_s = {deadline_s:g} a run that hangs is cut off after "
            f"{job.limit_s} s; take a longer period, or set run.deadline_s to {deadline_s - too_long_s:g} or less"
        )
    strange = r"%[^%]+%|\$\(" if kind == "windows" else r"[%$\"'`\\]"
    return found + [
        f"the path {json.dumps(path)} holds a character that {kind} reads as something else, such as % or $, a "
        "quotation mark or a line's end, or a space at its end: rename it"
        for path in dict.fromkeys((*job.command, job.folder))
        if not path.isprintable() or path != path.strip() or re.search(strange, path)
    ]


def may_start_runs(place: Path) -> bool:
    """Whether a scheduler of this system may start runs of ticketbot's; the owner of ``place`` owns the crontab."""
    with suppress(CannotRun, ConfigError, OSError):
        timers = [path for folder in {unit_folder(), SYSTEM_UNITS} for path in folder.glob("*.timer")]
        if not any(mark_in(path.read_text(encoding="utf-8", errors="replace")) for path in timers):
            return shutil.which("crontab") is not None and "ticketbot" in Cron("", owner_of(place)).read()
    return True


def owner_of(place: Path) -> str:
    """The current user; for root, the owner of ``place``. Raises :class:`ConfigError` where that one has no name."""
    with suppress(KeyError):
        return place.owner() if is_root() and place.exists() else getpass.getuser()
    raise ConfigError(f"{place} belongs to a user whom this system has no name for")


def is_root() -> bool:
    """Whether this process runs as root; never on Windows."""
    return hasattr(os, "geteuid") and os.geteuid() == 0


def unit_folder() -> Path:
    """The folder of systemd's units: the system's for root, else the user's."""
    config = os.environ.get("XDG_CONFIG_HOME", "").strip() or Path.home() / ".config"
    return SYSTEM_UNITS if is_root() else Path(config, "systemd", "user")


def _ask(*words: str, given: str = "") -> str:
    """What the program prints; raises :class:`CannotRun` with its own words where it fails."""
    line, text = " ".join(words), given.encode(errors="surrogateescape")
    environ = {**os.environ, "LC_ALL": "C"}  # the crontab's answer is read
    try:
        ended = subprocess.run(  # noqa: S603 - fixed programs; no shell
            words, input=text, capture_output=True, timeout=60, env=environ, check=False
        )
    except FileNotFoundError:
        raise CannotRun(f"there is no program {words[0]} here; 'ticketbot schedule show' prints its files") from None
    except (OSError, subprocess.TimeoutExpired) as error:
        raise CannotRun(f"'{line}' gave no answer ({error})") from None
    if ended.returncode:
        output = " ".join((ended.stderr or ended.stdout).decode(errors="replace").split())
        raise CannotRun(f"'{line}' failed: {output or f'exit code {ended.returncode}'}")
    return ended.stdout.decode(errors="surrogateescape")
