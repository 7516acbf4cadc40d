"""Several configuration files for one command: a process for each account, some of them side by side."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
import threading
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path
from typing import IO, Any

from ..core.clock import SystemClock
from ..core.errors import CannotRun, ConfigError, ExitCode, Stopping, worst
from ..core.models import OutcomeStatus
from ..settings.load import load
from ..settings.schema import Settings
from ..settings.sources import shared
from .command_group import STOP_WITHIN_S
from .screen import Screen

MOST_AT_ONCE = 8
"""Accounts whose processes run at the same time; others wait for their turn."""
_LOOK_S = 0.05
_LAST_WORDS_S = 5.0
_HEADLINE = re.compile(r"(?:Dry run|Run) \S+: (.*) \(")
_COUNT = re.compile(rf"(\d+) ({'|'.join(OutcomeStatus)}|left alone)\b")
_WELL = (ExitCode.OK, ExitCode.LOCKED)


def several(given: Sequence[Path] | None) -> list[Path]:
    """The files where several accounts are meant: more than one file, or a folder with its ``*.toml``; else none.

    Raises :class:`ConfigError` for a file that is named twice, and for a folder without any.
    """
    given = given or ()
    if len(given) < 2 and not any(place.is_dir() for place in given):
        return []
    files, problems = list[Path](), list[str]()
    for place in given:
        found = sorted(place.glob("*.toml")) if place.is_dir() else [place]
        files += found
        if not found:
            problems.append(f"--config {place}: there is no .toml file in this folder")
    places = [file.resolve() for file in files]
    twice = [file for number, file in enumerate(files) if places[number] in places[:number]]
    if problems := [*problems, *(f"--config: {file} is named twice" for file in twice)]:
        raise ConfigError(*problems)
    return files


def names_of(files: Sequence[Path]) -> list[str]:
    """Each file's name without its ending, with its folder where two have the same."""
    stems = [file.stem for file in files]
    whole = [f"{file.absolute().parent.name}/{file.stem}" for file in files]
    short = [stem if stems.count(stem) == 1 else name for stem, name in zip(stems, whole, strict=True)]
    return [name if short.count(name) == 1 else str(file) for name, file in zip(short, files, strict=True)]


def for_each(
    clock: SystemClock,
    screen: Screen,
    files: Sequence[Path],
    *,
    wrong: Sequence[str] = (),
) -> int:
    """Give this command line to a process for each of these files; the worst exit code.

    What it prints has the account's name before each line. Accounts that share what they must not get no process. A
    signal goes on to those that run, which are waited for. Raises :class:`ConfigError` for ``wrong`` options.
    """
    if wrong:
        raise ConfigError(*(f"{option} is for one account: name its --config alone" for option in wrong))
    clashes = clashes_of(files)
    clock.grace_s += STOP_WITHIN_S  # first the processes' time to end, then this one's
    screen.notices(_unused_variables())
    words = list(_without_configs(sys.argv[1:]))
    accounts = [_Account(name, file, screen) for name, file in zip(names_of(files), files, strict=True)]
    with ThreadPoolExecutor(MOST_AT_ONCE) as pool:
        ends = [pool.submit(each.play, words, clashes.get(each.file, ())) for each in accounts]
        try:
            while not all(end.done() for end in ends):
                clock.wait(_LOOK_S)
        except Stopping as error:  # those under way come to their end, and the others do not begin
            for each in accounts:
                each.stop(error)
    for end in ends:
        end.result()
    codes = [each.exit_code or 0 for each in accounts]
    ill = ", ".join(f"{one.name} ended with {one.exit_code}" for one in accounts if one.exit_code not in _WELL)
    counts: Counter[str] = Counter()
    for each in accounts:
        counts.update(each.outcomes)
    found = ", ".join(f"{count} {name}" for name, count in sorted(counts.items()))
    text = f"{len(accounts)} accounts, {sum(code in _WELL for code in codes)} of them well"
    text += (f": {found}" if found else "") + (f"; {ill}" if ill else "")
    code = worst(codes)
    screen.result(text, {"accounts": [each.data for each in accounts], "outcomes": dict(counts), "exit_code": code})
    return code


def clashes_of(files: Sequence[Path]) -> dict[Path, list[str]]:
    """What files have in common that two accounts must not: the helpdesk, the state folder, the log folder.

    Files with mistakes have nothing in common with others: their own processes tell.
    """
    known: dict[Path, dict[str, tuple[object, str]]] = {}
    for name, file in zip(names_of(files), files, strict=True):
        with suppress(ConfigError):
            known[file] = _own(name, load(config=file, environ=shared(os.environ)))
    found: dict[Path, list[str]] = {}
    for file, mine in known.items():
        problems = [
            f"{other} has the same {what}: {hint}"
            for other, theirs in known.items()
            for what, (place, hint) in mine.items()
            if other != file and what in theirs and theirs[what][0] == place
        ]
        found |= {file: problems} if problems else {}
    return found


def _own(name: str, settings: Settings) -> dict[str, tuple[object, str]]:
    """What an account must have for itself, each with what to do about another that has it."""
    own: dict[str, tuple[object, str]] = {
        "state folder": (settings.state_folder.resolve(), "set state_dir to a folder of its own"),
        "log folder": (settings.log_dir.resolve(), f'set log_dir = "logs/{Path(name).name}" in this one'),
    }
    if settings.desk.named:
        own["account"] = (settings.desk.base_url, "run one of them; run.shard divides an account")
    return own


def _unused_variables() -> list[str]:
    names = sorted(set(os.environ) - set(shared(os.environ)))
    advice = "each belongs to one account, so several take it from a file: acme.env beside acme.toml, or .env there"
    return [f"{', '.join(names)}: {advice}"] if names else []


def _without_configs(words: Iterable[str]) -> Iterator[str]:
    """A command line without its configuration files."""
    rest = iter(words)
    for word in rest:
        if word == "--config":
            next(rest, None)
        elif not word.startswith("--config="):
            yield word


class _Account:
    """One account's process, and how it ended."""

    def __init__(self, name: str, file: Path, screen: Screen) -> None:
        self.name = name
        self.file = file
        self.exit_code: int | None = None
        self._screen = screen
        self._lock = threading.Lock()  # between the beginning of its process and a signal
        self._process: subprocess.Popen[str] | None = None
        self._lines: list[str] = []
        self._errors: list[str] = []
        self._stopped: int | None = None

    def play(self, words: Sequence[str], problems: Sequence[str]) -> None:
        """Run its process to the end, unless there are ``problems``; its lines are printed as they come."""
        # A terminal's Ctrl-C goes to every process of its group, and a second signal would end them at once.
        apart: dict[str, Any] = {"start_new_session": True}
        if sys.platform == "win32":
            apart = {"creationflags": subprocess.CREATE_NEW_PROCESS_GROUP}
        with self._lock:
            if self.exit_code is not None:
                return  # a signal came first
            if problems:
                self._refused(problems, ExitCode.USAGE)
                return
            try:
                self._process = process = subprocess.Popen(  # noqa: S603 - this program
                    [sys.executable, "-P", "-m", "ticket_processor", *words, "--config", str(self.file)],
                    stdin=subprocess.DEVNULL,
                    stdout=subprocess.PIPE,
                    stderr=subprocess.PIPE,
                    encoding="utf-8",
                    errors="replace",
                    env={**shared(os.environ), "PYTHONUNBUFFERED": "1"},
                    **apart,
                )
            except OSError as error:
                self._refused([f"its process cannot be started: {error.strerror or error}"], ExitCode.CANNOT_RUN)
                return
        streams = ((process.stdout, False), (process.stderr, True))
        readers = [threading.Thread(target=self._read, args=each, daemon=True) for each in streams]
        for reader in readers:
            reader.start()
        code = process.wait()
        for reader in readers:
            reader.join(_LAST_WORDS_S)
        if code >= 0:
            self.exit_code = code
        elif self._stopped is not None:  # before it could hear the signal
            self.exit_code = self._stopped
        else:
            self._refused([f"its process was ended by signal {-code}"], ExitCode.CANNOT_RUN)

    def stop(self, error: Stopping) -> None:
        """Send its process the signal that this process got; one that has not begun does not begin."""
        with self._lock:
            if self.exit_code is not None:
                return
            if self._process is None:
                self._refused([str(error)], error.exit_code)
                return
            self._stopped = int(error.exit_code)
            with suppress(OSError):  # it has just ended
                if sys.platform == "win32":
                    self._process.send_signal(signal.CTRL_BREAK_EVENT)
                else:
                    interrupted = error.exit_code == ExitCode.INTERRUPTED
                    self._process.send_signal(signal.SIGINT if interrupted else signal.SIGTERM)

    def _refused(self, problems: Sequence[str], code: int) -> None:
        """It ends with ``code``, and says why."""
        self.exit_code = int(code)
        self._errors += problems
        for problem in problems:
            self._screen.passed_on(f"{self.name}: ticketbot: {problem}", error=True)

    @property
    def data(self) -> dict[str, object]:
        """The end as ``--json`` shows it: what the command says of this account, or why it says nothing."""
        said = self._said() or {"error": self._errors}
        helpdesk = {"helpdesk": said["account"]} if "account" in said else {}  # as health names it
        return {**said, **helpdesk, "account": self.name, "config": str(self.file), "exit_code": self.exit_code}

    @property
    def outcomes(self) -> dict[str, int]:
        """How many tickets ended how, by its JSON or by the first line of its summary."""
        if said := self._said():
            return dict(said.get("outcomes") or {})
        lines = [found[1] for found in map(_HEADLINE.match, self._lines) if found]
        return {name: int(count) for count, name in _COUNT.findall(lines[-1])} if lines else {}

    def _said(self) -> dict[str, Any]:
        with suppress(ValueError):
            found = json.loads("\n".join(self._lines))
            return found if isinstance(found, dict) else {}
        return {}

    def _read(self, stream: IO[str], error: bool) -> None:
        for text in stream:
            line = text.rstrip("\n")
            (self._errors if error else self._lines).append(line)
            with suppress(OSError, CannotRun):  # it is read on all the same, so that its process never waits
                self._screen.passed_on(f"{self.name}: {line}", error=error)
