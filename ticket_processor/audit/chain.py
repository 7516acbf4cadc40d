"""Checks one file of the log line by line: each must continue the chain, and be as it was written.

A changed line is distinguished from one for which the key is missing. After a wrong line the check starts again there,
so that one change is reported once.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from enum import Enum
from typing import Any

from ..core.errors import CannotRun
from .files import SEGMENT, LogFile, TooLarge
from .lines import NO_MAC, Keyring, Line, LineCipher, flaw, is_as_closed, is_encrypted, key_id, read

_MAC = re.compile(r"[0-9a-f]{32}")


class LineVerdict(Enum):
    """The result of checking one line."""

    HOLDS = "holds"
    CHANGED = "changed"
    UNCHECKED = "unchecked"
    """The key that seals or encrypts it is not available."""
    TORN = "torn"
    """It is the last line of its file, and a crash or a full disk cut it short."""


@dataclass(frozen=True, slots=True)
class CheckedLine:
    """A line with its place in the file (the first is 0), its text before encryption, and the verdict on it.

    ``line`` is ``None`` if it cannot be read; ``why`` says what is wrong; ``mac`` is the one that the line contains.
    """

    number: int
    raw: bytes
    line: Line | None
    verdict: LineVerdict
    why: str = ""
    mac: str = NO_MAC

    @property
    def erased(self) -> bool:
        """True if its personal part was erased."""
        seal = self.line.get("personal") if self.line else None
        return isinstance(seal, dict) and "salt" not in seal


class Chain:
    """Checks the chain of one file, line by line. ``keys`` verify seals, ``keyring`` decrypts."""

    def __init__(self, day: str, keys: Sequence[bytes], keyring: Keyring | None = None) -> None:
        self._day = day
        self._keys = {key_id(key): key for key in keys}
        self._keyring = keyring
        self._key: bytes | None = None
        self._header: Line | None = None
        self._cipher: LineCipher | None = None
        self._blind = False
        self._in_plain = NO_MAC
        self._ends = [(NO_MAC, 0)]
        """MACs and line counts from which the chain may go on: after the last line, and before it if it is wrong."""

    @property
    def length(self) -> int:
        """The file's number of lines according to the last line's own number."""
        return self._ends[0][1]

    def take(self, number: int, stored: bytes) -> CheckedLine:
        unfinished = not stored.endswith(b"\n")
        line = read(stored)
        if line is None and unfinished:
            self._ends = [(self._ends[0][0], self.length + 1)]
            return CheckedLine(number, stored, None, LineVerdict.TORN, "it was cut short")
        if line is None:
            return CheckedLine(number, stored, None, LineVerdict.CHANGED, "it cannot be read")
        raw = stored + b"\n" if unfinished else stored  # a crash may take the end of line alone
        if is_encrypted(line):
            return self._closed(number, raw, line)
        judged = self._judged(number, raw, line)
        self._in_plain = judged.mac or self._in_plain
        return judged

    def _closed(self, number: int, stored: bytes, line: Line) -> CheckedLine:
        place = line.get("seq")
        if self._header is None or "cipher" not in self._header or not isinstance(place, int):
            why = "it is encrypted in a way that no line is here"
            return CheckedLine(number, stored, None, LineVerdict.CHANGED, why)
        if self._cipher is None:
            self._blind, self._ends = True, [(NO_MAC, place + 1)]
            why = "the key that it is encrypted with is not here"
            return CheckedLine(number, stored, None, LineVerdict.UNCHECKED, why)
        opened = self._cipher.opened(line, self._day, place)
        inner = None if opened is None or not is_as_closed(stored, line) else read(opened)
        if opened is None or inner is None:
            why = "it cannot be decrypted as what was written there"
            return CheckedLine(number, stored, None, LineVerdict.CHANGED, why)
        return self._judged(number, opened, inner)

    def _judged(self, number: int, raw: bytes, line: Line) -> CheckedLine:
        if line.get("event") == SEGMENT:
            verdict, why = self._of_header(number, raw, line)
        elif "mac" not in line:
            verdict, why = LineVerdict.CHANGED, "it has no seal"
        else:
            verdict, why = self._of_sealed(raw, line)
        mac, place = line.get("mac"), line.get("seq")
        mac = mac if isinstance(mac, str) and _MAC.fullmatch(mac) else NO_MAC
        judged = CheckedLine(number, raw, line, verdict, why, mac)
        if judged.mac and isinstance(place, int):
            self._ends = [(judged.mac, place + 1), *(self._ends[:1] if verdict is LineVerdict.CHANGED else ())]
        return judged

    def _of_header(self, number: int, raw: bytes, header: Line) -> tuple[LineVerdict, str]:
        name, above = header.get("key_id"), self._key
        self._header = header
        self._key = self._keys.get(str(name))
        self._cipher = self._keyring.cipher_of(header) if self._keyring else None
        if header.get("segment") != self._day:
            return LineVerdict.CHANGED, "this is the file of another day"
        if self._key is None:
            return LineVerdict.UNCHECKED, _not_here(name)
        wrong = flaw(raw, header, self._key, NO_MAC, number)
        if wrong is None and number and not self._links_to_previous(header.get("after"), number, above):
            wrong = "what stands above it is not what it holds on to"
        return (LineVerdict.CHANGED, wrong) if wrong else (LineVerdict.HOLDS, "")

    def _links_to_previous(self, after: Any, number: int, above: bytes | None) -> bool:
        """True if a mid-file header names the previous line's MAC and key."""
        if not isinstance(after, dict) or (after.get("day"), after.get("lines")) != (self._day, number):
            return False
        if above is None and after.get("key_id") in self._keys:
            return False
        # A writer without the encryption key names the MAC of the last line that it can read.
        return self._blind or after.get("mac") in (self._ends[0][0], self._in_plain)

    def _of_sealed(self, raw: bytes, line: Line) -> tuple[LineVerdict, str]:
        if self._key is not None:
            wrongs = [flaw(raw, line, self._key, before, number) for before, number in self._ends]
            wrong = None if None in wrongs else self._in_words(line, wrongs[0])
            return (LineVerdict.CHANGED, wrong) if wrong else (LineVerdict.HOLDS, "")
        before, number = self._ends[0]
        self._key = next((key for key in self._keys.values() if flaw(raw, line, key, before, number) is None), None)
        if self._header is None:
            return LineVerdict.CHANGED, "there is no header above it"
        if self._key is not None:
            return LineVerdict.CHANGED, "the header above it was changed: it names another key"
        return LineVerdict.UNCHECKED, _not_here(self._header.get("key_id"))

    def _in_words(self, line: Line, wrong: str | None) -> str | None:
        place = line.get("seq")
        if not isinstance(place, int) or place == self.length:
            return wrong
        if place > self.length:
            missing = place - self.length
            return f"{missing} line{'s are' if missing > 1 else ' is'} missing before it"
        return "it does not belong there: it was moved, or is there twice"


def judged_lines(file: LogFile, chain: Chain) -> Iterator[CheckedLine]:
    """Check every line of a file in order.

    If a file is too large to be one of ours, the last result says so. Raises :class:`CannotRun` for an unreadable file.
    """
    number = 0
    try:
        for stored in file.raw_lines():
            yield chain.take(number, stored)
            number += 1
    except CannotRun as error:
        if not isinstance(error.__cause__, TooLarge):
            raise
        yield CheckedLine(number, b"", None, LineVerdict.CHANGED, str(error.__cause__.strerror))


def _not_here(name: object) -> str:
    text = str(name)  # a changed line may hold anything there
    return f"the key {text if text.isalnum() and len(text) <= 16 else 'of no name'} that it is sealed with is not here"
