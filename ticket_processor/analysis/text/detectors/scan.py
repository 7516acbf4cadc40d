"""Input and output of every detector: a text prepared once, and spans of it.

Patterns are written so that most texts cost next to nothing: they begin with a character class and look behind
afterwards (an assertion in front would be tried at every place), or run only near a word that has to be there.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Iterator
from functools import cached_property, lru_cache
from typing import NamedTuple

from ....core.lazy_pattern import lazy_pattern


class Span(NamedTuple):
    """A place in the text, why it is to be replaced, and the value that makes two places the same."""

    start: int
    end: int
    kind: str
    value: str


class Scan:
    """A text in its matching form, with cheap answers to "can there be any?", which most tickets end with."""

    def __init__(self, text: str) -> None:
        self.text = text

    @cached_property
    def lower(self) -> str:
        """In lower case; as long as the text, so that places hold."""
        lowered = self.text.lower()
        if len(lowered) != len(self.text):
            lowered = "".join(low if len(low := char.lower()) == 1 else char for char in self.text)
        return lowered

    @cached_property
    def digits(self) -> bool:
        """Whether there is a digit at all."""
        return _DIGIT.search(self.text) is not None

    def mentions(self, stems: Iterable[str]) -> bool:
        """Whether any of the stems (lower case) occurs, inside a word or not."""
        lower = self.lower
        for stem in stems:  # noqa: SIM110 - asked so often that a generator's own cost tells
            if stem in lower:
                return True
        return False

    def near(
        self, pattern: re.Pattern[str], stems: Iterable[str], *, before: int, behind: int
    ) -> Iterator[re.Match[str]]:
        """Matches of ``pattern`` in the neighbourhood of any of the stems (lower case), each once, in order."""
        lower = self.lower
        windows: list[tuple[int, int]] = []
        for stem in [stem for stem in stems if stem in lower]:
            at = lower.find(stem)
            while at >= 0:
                windows.append((max(0, at - before), min(len(lower), at + len(stem) + behind)))
                at = lower.find(stem, at + len(stem))
        if not windows:
            return
        merged: list[tuple[int, int]] = []
        for start, end in sorted(windows):
            if merged and start <= merged[-1][1]:
                merged[-1] = (merged[-1][0], max(end, merged[-1][1]))
            else:
                merged.append((start, end))
        for start, end in merged:
            yield from pattern.finditer(self.text, start, end)


_DIGIT = lazy_pattern(r"[0-9]")


def matching_form(text: str) -> str:
    """``text`` with every character in its compatibility form where that is one character: same length.

    Full-width and other scripts' digits become ASCII, dashes ``-``, odd spaces a space, so that patterns match
    what people read and offsets still hold.
    """
    if text.isascii():
        return text
    changed = {ord(char): form for char in set(text) if char > "\x7f" and (form := _matched(char)) != char}
    return text.translate(changed) if changed else text


@lru_cache(maxsize=4096)
def _matched(char: str) -> str:
    digit = unicodedata.decimal(char, None)
    if digit is not None:
        return str(digit)
    category = unicodedata.category(char)
    if category == "Zs":
        return " "
    if category == "Pd" or char == "−":
        return "-"
    form = unicodedata.normalize("NFKC", char)
    return form if len(form) == 1 else char


DATE = lazy_pattern(
    r"(?:19|20)\d\d([.\-/ ])(?:0?\d|1[0-2])\1(?:[012]?\d|3[01])"
    r"|(?:[012]?\d|3[01])([.\-/ ])(?:0?\d|1[0-2])\2(?:19|20)?\d\d"
    r"|(?:0?\d|1[0-2])([.\-/ ])(?:[012]?\d|3[01])\3(?:19|20)?\d\d"
    r"|(?:19|20)\d\d ?[\-/] ?(?:19|20)\d\d"
)
"""A date in figures, whole."""

IS = r"(?: ?(?:is|was|ist|lautet|war|est|es|era|é|è|sono|to|as|now|jest|är|er)\b| ?(?:は|是))"
"""The verb between a name for a thing and the thing itself."""
