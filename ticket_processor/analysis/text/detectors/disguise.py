"""A text as its next reader would see it: entities, percent-encoding and escapes decoded, tags and hidden marks gone.

A number that is written so is found in such a reading and replaced where it stands in the text itself.
"""

from __future__ import annotations

import html
import re
import unicodedata
from collections.abc import Callable, Iterator
from typing import NamedTuple

from ....core.lazy_pattern import lazy_pattern
from ....core.sanitize import ENTITY, strip_hidden
from .scan import Span, matching_form

_ROUNDS = 4
"""Layers of encoding that are undone, one a round."""
_BEFORE, _BEHIND = 100, 300
"""Characters around a change that are read with it, at least."""
_INLINE = "a|abbr|b|bdo|big|code|em|font|i|mark|o:p|s|small|span|strong|sub|sup|tt|u|wbr"
_UNSEEN = rf"(?:<!--[^<>]{{0,2000}}-->|</?(?:{_INLINE})(?=[\s/>])[^<>]{{0,2000}}>)"
_TAGS = r"/?[A-Za-z!][^<>]{0,2000}>(?:\s{0,4}</?[A-Za-z!][^<>]{0,2000}>){0,8}\s{0,4}"
_WRITTEN = lazy_pattern(
    rf"{ENTITY}"
    r"|%(?:[0-7][0-9A-Fa-f]|[CDcd][0-9A-Fa-f]%[89ABab][0-9A-Fa-f]|[Ee][0-9A-Fa-f](?:%[89ABab][0-9A-Fa-f]){2}"
    r"|[Ff][0-7](?:%[89ABab][0-9A-Fa-f]){3}|[89A-Fa-f][0-9A-Fa-f])"
    r"|\\(?:u(?:[0-9A-Fa-f]{4}|\{[0-9A-Fa-f]{1,6}\})|x[0-9A-Fa-f]{2})"
    # Invisible tags, those in the middle of a word, and those beside digits, an address or a label's sign.
    rf"|{_UNSEEN}|<(?<=\w<){_TAGS}(?=\w)"
    rf"|<(?<=[0-9@:=]<){_TAGS}|<(?<=[0-9@:=]\s<){_TAGS}|<{_TAGS}(?=[0-9@:=])"
    # Marks that are drawn over a digit: keycaps, underlines.
    r"|[\u0300-\u036f\u20d0-\u20ff\ufe0f](?<=[0-9\u0300-\u036f\u20d0-\u20ff\ufe0f].)"
)
_UNSEEN_TAG = lazy_pattern(_UNSEEN, re.IGNORECASE)
_LOOSE = lazy_pattern(r"[*_~|^=+`{}$\\·•](?<=[0-9].)[*_~|^=+`{}$\\·•]{0,3}(?=[0-9])")


class Reading(NamedTuple):
    """A reading of a text; every character of it came from the place between ``starts`` and ``ends`` there."""

    text: str
    starts: list[int]
    ends: list[int]

    def in_text(self, span: Span) -> Span:
        """The span where it stands in the text itself."""
        return span._replace(start=self.starts[span.start], end=self.ends[span.end - 1])


def readings(text: str, *, digits: bool) -> Iterator[Reading]:
    """The other ways to read parts of ``text``, which is in its matching form; most texts have none.

    Each is some lines in which every layer of encoding is undone, and marks of mark-up between digits are dashes.
    ``digits`` says whether there are any in the text as it stands.
    """
    written = "&" in text or "%" in text or "<" in text or "\\" in text or (digits and not text.isascii())
    changes = [match.start() for match in _WRITTEN.finditer(text)] if written else []
    changes += [match.start() for match in _LOOSE.finditer(text)] if digits else []
    done = 0
    for change in sorted(changes):
        if change >= done:
            start, done = _lines_around(text, change)
            reading = _decoded(text[start:done])
            places = range(start, done)
            yield reading._replace(
                starts=[places[at] for at in reading.starts], ends=[places[at - 1] + 1 for at in reading.ends]
            )


def _lines_around(text: str, at: int) -> tuple[int, int]:
    """The whole lines around this place: a label stands before its value, and a number may go on below."""
    start = text.rfind("\n", 0, max(0, at - _BEFORE)) + 1
    end = text.find("\n", at + _BEHIND)
    return start, len(text) if end < 0 else end


def _decoded(text: str) -> Reading:
    reading = _itself(text)
    for _ in range(_ROUNDS):
        if _WRITTEN.search(reading.text) is None:
            break
        reading = _rewritten(reading, _WRITTEN, _meant)
    return _rewritten(reading, _LOOSE, lambda _mark: "-")


def _itself(text: str) -> Reading:
    return Reading(text, list(range(len(text))), list(range(1, len(text) + 1)))


def _rewritten(reading: Reading, pattern: re.Pattern[str], meant: Callable[[str], str]) -> Reading:
    """The reading with what the pattern finds replaced by what is meant, in its matching form."""
    parts: list[str] = []
    starts: list[int] = []
    ends: list[int] = []
    done = 0
    for match in pattern.finditer(reading.text):
        start, end = match.span()
        parts.append(reading.text[done:start])
        starts += reading.starts[done:start]
        ends += reading.ends[done:start]
        said = meant(match.group())
        parts.append(said)
        starts += [reading.starts[start]] * len(said)
        ends += [reading.ends[end - 1]] * len(said)
        done = end
    parts.append(reading.text[done:])
    return Reading(matching_form("".join(parts)), starts + reading.starts[done:], ends + reading.ends[done:])


def _meant(written: str) -> str:
    """The visible characters that an entity, escape or tag stands for."""
    if written[0] == "<":
        return "" if _UNSEEN_TAG.sub("", written) == "" else " "
    if written[0] == "&":
        return _visible(html.unescape(written))
    if written[0] == "%":
        octets = bytes.fromhex(written.replace("%", ""))
        try:
            return _visible(octets.decode("utf-8"))
        except UnicodeDecodeError:
            return _visible(octets.decode("latin-1"))
    if written[0] == "\\":
        code = int(written.strip("\\ux{}"), 16)
        return _visible(chr(code)) if code <= 0x10FFFF else ""
    return ""


def _visible(said: str) -> str:
    return "".join(
        " " if char.isspace() and char not in "\t\n" else char
        for char in strip_hidden(said)
        if char.isspace() or unicodedata.category(char) not in ("Cc", "Cf", "Mn", "Me", "Cs")
    )
