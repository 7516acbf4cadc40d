"""Installs jobs in the system's schedulers and removes them. Each action returns what it did, line by line.

Programs are started by a :data:`Runner`, so that tests need none of them.
"""

from __future__ import annotations

import html
import os
import tempfile
from pathlib import Path
from typing import Protocol

from ..core.errors import CannotRun
from ..schedule import cron, systemd, windows
from ..schedule.job import File, Installed, LocalJob, marked_for
from .system_commands import Runner, refuse_another, text_of, write_file

NOTHING = "{}: there is nothing called {}; nothing was done"


class Scheduler(Protocol):
    """One of the system's schedulers, with the job in its own format."""

    @property
    def files(self) -> tuple[File, ...]:
        """The files of the job."""

    @property
    def commands(self) -> tuple[str, ...]:
        """The commands that install it, for a person who does it by hand."""

    def installed(self, settings: str) -> Installed | None:
        """The options of the installed entry; ``None`` if there is none, or if it belongs to other ``settings``.

        Raises :class:`CannotRun` when the scheduler does not answer.
        """

    def install(self) -> list[str]:
        """Install the job, or update it; a second call changes nothing. Raises :class:`CannotRun`."""

    def remove(self) -> list[str]:
        """Remove what :meth:`install` installed, and nothing else. Raises :class:`CannotRun`."""


class Cron:
    """The crontab of ``user`` (``None``: the current user). ``block`` is the job's text; removing needs none."""

    def __init__(self, name: str, run: Runner, *, user: str | None = None, block: str = "", settings: str = "") -> None:
        self._name = name
        self._run = run
        self._whose = ("-u", user) if user else ()
        self._where = f"the crontab of {user}" if user else "your crontab"
        self._block = block
        self._settings = settings

    @property
    def files(self) -> tuple[File, ...]:
        return (File("crontab", self._block),)

    @property
    def commands(self) -> tuple[str, ...]:
        return (self._command("-e"),)

    def installed(self, settings: str) -> Installed | None:
        block = self._block_in(self._read())
        return cron.installed(block) if block is not None and marked_for(block) == settings else None

    def install(self) -> list[str]:
        before = self._read()
        known = self._block_in(before)
        if known is not None:
            refuse_another(known, self._settings, self._name, self._where)
        after = cron.put(before, self._name, self._block)
        said = [f"{self._where} had it already, as it is" if after == before else self._write(after, known is not None)]
        lines = ", ".join(map(str, cron.by_hand(after)))
        return said + (
            [f"line {lines} there seems to run ticketbot as well: remove it by '{self._command('-e')}'"]
            if lines
            else []
        )

    def remove(self) -> list[str]:
        before = self._read()
        block = self._block_in(before)
        if block is None:
            return [NOTHING.format(self._where, self._name)]
        rest = cron.take(before, self._name)
        if rest:
            self._ask("-", text=rest)
        else:
            self._ask("-r")  # there was none before the job
        return [f"taken out of {self._where}: the runs of {marked_for(block)}"]

    def starts_runs(self) -> bool:
        """Whether the crontab has runs of ticketbot's, of any name and however they came there."""
        return "ticketbot" in self._read()

    def _write(self, crontab: str, known: bool) -> str:
        self._ask("-", text=crontab)
        done = "the entry was replaced" if known else "an entry was added"
        return f"{self._where}: {done} (look: {self._command('-l')})"

    def _block_in(self, crontab: str) -> str | None:
        try:
            return cron.block_in(crontab, self._name)
        except cron.BrokenBlock:
            raise CannotRun(
                f"{self._where} has half an entry of ticketbot's: the lines '{cron.begin_of(self._name)} ...' and "
                f"'{cron.end_of(self._name)}' belong together; mend it by '{self._command('-e')}'"
            ) from None

    def _command(self, option: str) -> str:
        """The command as a person types it."""
        return " ".join(("crontab", *self._whose, option))

    def _read(self) -> str:
        said = self._run(["crontab", *self._whose, "-l"], b"")
        if said.code == 0:
            return said.out.decode(errors="surrogateescape")
        # Only these mean an empty crontab: taking another failure for one would overwrite a full crontab.
        if any(words in said.err.lower() for words in (b"no crontab for", b"no such file", b"can't open your crontab")):
            return ""
        raise CannotRun(f"crontab does not say what is in {self._where}: {said.words}")

    def _ask(self, *arguments: str, text: str = "") -> None:
        said = self._run(["crontab", *self._whose, *arguments], text.encode(errors="surrogateescape"))
        if said.code != 0:
            raise CannotRun(f"crontab refused: {said.words}")


class Systemd:
    """Units in ``folder``, for the system's manager or the user's own."""

    def __init__(self, name: str, run: Runner, folder: Path, *, system: bool, job: LocalJob | None = None) -> None:
        self._name = name
        self._run = run
        self._folder = folder
        self._job = job
        self._system = system
        self._control = ("systemctl",) if system else ("systemctl", "--user")

    @property
    def files(self) -> tuple[File, ...]:
        if self._job is None:
            return ()
        return systemd.files(self._job, str(self._folder), system=self._system)

    @property
    def commands(self) -> tuple[str, ...]:
        return tuple(" ".join((*self._control, *words)) for words in self._install_words)

    @property
    def _install_words(self) -> tuple[tuple[str, ...], ...]:
        return ("daemon-reload",), ("enable", "--now", f"{self._name}.timer")

    def installed(self, settings: str) -> Installed | None:
        timer = text_of(self._folder / f"{self._name}.timer")
        return systemd.installed(timer) if timer is not None and marked_for(timer) == settings else None

    def install(self) -> list[str]:
        said = []
        known = {file.path: text_of(Path(file.path)) for file in self.files}
        for path, text in known.items():
            if text is not None:
                refuse_another(text, self._job.settings if self._job else "", self._name, path)
        self._ask("show", "--property=Version")  # fails before anything is written if no manager answers
        for file in self.files:
            if known[file.path] == file.text:
                said.append(f"{file.path} was there already, as it is")
                continue
            write_file(Path(file.path), file.data)
            said.append(f"{file.path} {'written' if known[file.path] is None else 'replaced'}")
        for words in self._install_words:
            self._ask(*words)
            said.append(" ".join((*self._control, *words)))
        return said

    def remove(self) -> list[str]:
        units = [self._folder / f"{self._name}.{kind}" for kind in ("timer", "service")]
        there = {path: text for path in units if (text := text_of(path)) is not None}
        if not there:
            return [NOTHING.format(self._folder, self._name)]
        for path, text in there.items():
            if marked_for(text) is None:
                raise CannotRun(f"{path} is not ticketbot's; nothing was done")
        said = []
        if units[0] in there:
            words = ("disable", "--now", f"{self._name}.timer")
            self._ask(*words)
            said.append(" ".join((*self._control, *words)))
        for path in there:
            try:
                path.unlink()
            except OSError as error:
                raise CannotRun(f"{path} cannot be removed ({error.strerror})") from None
            said.append(f"{path} removed")
        self._ask("daemon-reload")
        return [*said, " ".join((*self._control, "daemon-reload"))]

    def _ask(self, *arguments: str) -> None:
        said = self._run([*self._control, *arguments], b"")
        if said.code != 0:
            hint = "" if self._system else "; log in as this user, with a session of its own (not by su or sudo)"
            raise CannotRun(f"'{' '.join((*self._control, *arguments))}' failed: {said.words}{hint}")


class Windows:
    """Task Scheduler, by ``schtasks``."""

    def __init__(self, name: str, run: Runner, *, job: LocalJob | None = None) -> None:
        self._name = name
        self._run = run
        self._job = job

    @property
    def files(self) -> tuple[File, ...]:
        return () if self._job is None else (windows.file(self._job),)

    @property
    def commands(self) -> tuple[str, ...]:
        return (f"schtasks /Create /TN {self._name} /XML {self._name}.xml /F",)

    def installed(self, settings: str) -> Installed | None:
        known = self._known()
        return windows.installed(known) if known is not None and marked_for(known) == settings else None

    def install(self) -> list[str]:
        known = self._known()
        if known is not None:
            refuse_another(known, self._job.settings if self._job else "", self._name, "Task Scheduler")
        handle, name = tempfile.mkstemp(suffix=".xml")
        path = Path(name)
        try:
            with os.fdopen(handle, "wb") as file:
                file.write(self.files[0].data)
            self._ask("/Create", "/TN", self._name, "/XML", str(path), "/F")
        finally:
            path.unlink()
        return [f"Task Scheduler: the task {self._name} was {'added' if known is None else 'replaced'}"]

    def remove(self) -> list[str]:
        known = self._known()
        if known is None:
            return [NOTHING.format("Task Scheduler", self._name)]
        if marked_for(known) is None:
            raise CannotRun(f"the task {self._name} is not ticketbot's; nothing was done")
        self._ask("/Delete", "/TN", self._name, "/F")
        return [f"Task Scheduler: the task {self._name} was removed"]

    def _known(self) -> str | None:
        """The installed task as XML. Its mark is ASCII, so the code page does not matter."""
        said = self._run(["schtasks", "/Query", "/TN", self._name, "/XML"], b"")
        if said.code != 0:
            return None
        return html.unescape(said.out.replace(b"\0", b"").decode("ascii", errors="replace"))

    def _ask(self, *arguments: str) -> None:
        said = self._run(["schtasks", *arguments], b"")
        if said.code != 0:
            raise CannotRun(
                f"schtasks refused: {said.words}; a task that runs whether you are logged on or not is taken from a "
                "terminal that was opened by 'Run as administrator'"
            )
