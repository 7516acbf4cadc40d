"""Hands jobs to ``crontab``, ``systemctl`` and ``schtasks``, and takes them back.

The three classes have the same methods: ``files`` are the texts that the scheduler is handed, by path; ``entries`` are
those that are installed under this name, whoever wrote them; ``put`` and ``take`` say what they did. All raise
:class:`CannotRun` with the program's own words.
"""

from __future__ import annotations

import getpass
import html
import os
import re
import shutil
import subprocess
import sys
import tempfile
from contextlib import suppress
from pathlib import Path

from ..core.errors import CannotRun, ConfigError
from .templates import ScheduledJob, crontab, mark_in, service, task, timer

TOOL_TIMEOUT_S = 60.0
SYSTEM_UNITS = Path("/etc/systemd/system")
_HINTS = {
    "systemctl --user": "; log in as this user, with a session of its own (not by su or sudo)",
    "schtasks /Create": "; a task that runs whether you are logged on or not is taken from a terminal that was opened "
    "by 'Run as administrator'",
}


class Cron:
    """The crontab of ``user``, or the current user's."""

    def __init__(self, name: str, user: str | None = None) -> None:
        self.name = name
        self.where = f"the crontab of {user}" if user else "your crontab"
        self._crontab = ("crontab", "-u", user) if user else ("crontab",)

    def files(self, job: ScheduledJob) -> dict[str, str]:
        return {"crontab": crontab(job, shutil.which("timeout"))}

    def entries(self) -> list[str]:
        return [old] if (old := self._split()[1]) else []

    def put(self, job: ScheduledJob) -> list[str]:
        before, old, after = self._split()
        _ask(*self._crontab, "-", given=before + self.files(job)["crontab"] + after)
        return [f"{self.where}: the entry was {'replaced' if old else 'added'}"]

    def take(self) -> list[str]:
        before, _old, after = self._split()
        # Without any other line there was no crontab before the job.
        _ask(*self._crontab, "-" if before + after else "-r", given=before + after)
        return [f"{self.where}: the entry was removed"]

    def starts_runs(self) -> bool:
        """Whether the crontab has runs of ticketbot's, of any name and however they came there."""
        return "ticketbot" in self._read()

    def _read(self) -> str:
        try:
            return _ask(*self._crontab, "-l")
        except CannotRun as error:
            # Only these mean an empty crontab: taking another failure for one would overwrite a full crontab.
            if re.search("no crontab for|no such file|can't open your crontab", str(error), re.IGNORECASE):
                return ""
            raise

    def _split(self) -> tuple[str, str, str]:
        """The lines before the job's entry, the entry, and the lines after it. Raises for half an entry."""
        text = self._read()
        name = re.escape(self.name)
        begin, end = f"^# BEGIN ticketbot schedule {name}:", f"^# END ticketbot schedule {name}$"
        marks = len(re.findall(f"{begin}|{end}", text, re.MULTILINE))
        whole = re.search(rf"{begin}[\s\S]*?{end}\n?", text, re.MULTILINE)
        if marks and (marks != 2 or whole is None):
            raise CannotRun(
                f"{self.where} has half an entry of ticketbot's: its lines '# BEGIN' and '# END ticketbot schedule "
                f"{self.name}' belong together; mend it by '{' '.join(self._crontab)} -e'"
            )
        if whole is None:
            return text + ("\n" if text and not text.endswith("\n") else ""), "", ""
        return text[: whole.start()], whole[0], text[whole.end() :]


class Systemd:
    """Units of the system's manager for root, else of the user's own."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.where = str(unit_folder())
        self._units = [unit_folder() / f"{name}.{kind}" for kind in ("service", "timer")]
        self._systemctl = ("systemctl",) if is_root() else ("systemctl", "--user")

    def files(self, job: ScheduledJob) -> dict[str, str]:
        return dict(zip(map(str, self._units), (service(job, system=is_root()), timer(job)), strict=True))

    def entries(self) -> list[str]:
        return [unit.read_text(encoding="utf-8", errors="replace") for unit in self._units if unit.exists()]

    def put(self, job: ScheduledJob) -> list[str]:
        self._do("show", "--property=Version")  # fails before anything is written if no manager answers
        unit_folder().mkdir(parents=True, exist_ok=True)
        for unit, text in zip(self._units, self.files(job).values(), strict=True):
            unit.write_text(text, encoding="utf-8")
            unit.chmod(0o644)  # everybody may read it: it holds no secret
        started = [self._do("daemon-reload"), self._do("enable", "--now", f"{self.name}.timer")]
        return [f"{self.where}: the units were written", *started]

    def take(self) -> list[str]:
        done = [self._do("disable", "--now", f"{self.name}.timer")] if self._units[1].exists() else []
        for unit in self._units:
            unit.unlink(missing_ok=True)
        return [*done, f"{self.where}: the units were removed", self._do("daemon-reload")]

    def _do(self, *words: str) -> str:
        _ask(*self._systemctl, *words)
        return " ".join((*self._systemctl, *words))


class Windows:
    """Task Scheduler."""

    where = "Task Scheduler"

    def __init__(self, name: str) -> None:
        self.name = name

    def files(self, job: ScheduledJob) -> dict[str, str]:
        return {f"{self.name}.xml": task(job)}

    def entries(self) -> list[str]:
        with suppress(CannotRun):
            return [html.unescape(_ask("schtasks", "/Query", "/TN", self.name, "/XML").replace("\0", ""))]
        return []

    def put(self, job: ScheduledJob) -> list[str]:
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder, "task.xml")
            path.write_text(f'<?xml version="1.0" encoding="UTF-16"?>\n{task(job)}', encoding="utf-16")
            _ask("schtasks", "/Create", "/TN", self.name, "/XML", str(path), "/F")
        return [f"Task Scheduler: the task {self.name} is up to date"]

    def take(self) -> list[str]:
        _ask("schtasks", "/Delete", "/TN", self.name, "/F")
        return [f"Task Scheduler: the task {self.name} was removed"]


Scheduler = Cron | Systemd | Windows


def install(scheduler: Scheduler, job: ScheduledJob) -> list[str]:
    """Install the job, or update it.

    Raises :class:`ConfigError` where the name is another installation's, and :class:`CannotRun`.
    """
    try:
        for owner in map(mark_in, scheduler.entries()):
            if owner != job.settings:
                what = "is not ticketbot's" if owner is None else f"runs {owner}"
                raise ConfigError(
                    f"{scheduler.where}: what is called {job.name} there {what}; give this one another --name, "
                    "or remove that one first"
                )
        return scheduler.put(job)
    except OSError as error:
        raise _unusable(error) from None


def remove(scheduler: Scheduler) -> list[str]:
    """Remove what :func:`install` installed. Raises :class:`CannotRun`, also for what ticketbot did not write."""
    try:
        owners = list(map(mark_in, scheduler.entries()))
        if not owners:
            return [f"{scheduler.where}: there is nothing called {scheduler.name}; nothing was done"]
        if None in owners:
            raise CannotRun(f"{scheduler.where}: {scheduler.name} is not ticketbot's; nothing was done")
        return [*scheduler.take(), f"no more runs of {owners[0]}"]
    except OSError as error:
        raise _unusable(error) from None


def may_start_runs(place: Path) -> bool:
    """Whether a scheduler of this system may start runs of ticketbot's; the owner of ``place`` owns the crontab."""
    with suppress(CannotRun, ConfigError, OSError):
        timers = [path for folder in {unit_folder(), SYSTEM_UNITS} for path in folder.glob("*.timer")]
        if not any(mark_in(path.read_text(encoding="utf-8", errors="replace")) for path in timers):
            return shutil.which("crontab") is not None and crontab_of(place).starts_runs()
    return True


def crontab_of(place: Path, name: str = "") -> Cron:
    """The crontab with the job ``name``: the current user's; for root, that of the owner of ``place``."""
    user, _home = owner_of(place)
    return Cron(name, user if is_root() and user != "root" else None)


def owner_of(place: Path) -> tuple[str, Path]:
    """Name and home of the current user; for root, of the owner of ``place``. Raises :class:`ConfigError` without."""
    if sys.platform == "win32" or not is_root() or not place.exists():
        return getpass.getuser(), Path.home()
    try:
        return place.owner(), Path(f"~{place.owner()}").expanduser()
    except KeyError:
        raise ConfigError(f"{place} belongs to a user whom this system has no name for") from None


def is_root() -> bool:
    """Whether this process runs as root; never on Windows."""
    return hasattr(os, "geteuid") and os.geteuid() == 0


def unit_folder() -> Path:
    """The folder of systemd's units: the system's for root, else the user's."""
    config = os.environ.get("XDG_CONFIG_HOME", "").strip() or Path.home() / ".config"
    return SYSTEM_UNITS if is_root() else Path(config, "systemd", "user")


def _unusable(error: OSError) -> CannotRun:
    return CannotRun(f"{error.filename} cannot be read or changed ({error.strerror})")


def _ask(*words: str, given: str = "") -> str:
    """What the program prints; raises :class:`CannotRun` with its own words where it fails."""
    line = " ".join(words)
    try:
        ended = subprocess.run(  # noqa: S603 - fixed programs; no shell
            words,
            input=given.encode(errors="surrogateescape"),
            capture_output=True,
            timeout=TOOL_TIMEOUT_S,
            env={**os.environ, "LC_ALL": "C"},  # the crontab's answer is read
            check=False,
        )
    except FileNotFoundError:
        raise CannotRun(f"there is no program {words[0]} here; 'ticketbot schedule show' prints its files") from None
    except (OSError, subprocess.TimeoutExpired) as error:
        raise CannotRun(f"'{line}' gave no answer ({error})") from None
    if ended.returncode:
        told = " ".join((ended.stderr or ended.stdout).decode(errors="replace").split())
        hint = _HINTS.get(" ".join(words[:2]), "")
        raise CannotRun(f"'{line}' failed: {told or f'exit code {ended.returncode}'}{hint}")
    return ended.stdout.decode(errors="surrogateescape")
