"""Known values taken out of any words: what was personal in a ticket is personal in what is said about it.

A phone number is known by the words around it. In a model's summary those are gone, so the values are looked for
themselves, in any case and with any spaces, dots or dashes. Pure functions, safe in any thread.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from functools import partial
from itertools import permutations
from typing import NamedTuple

from ...core.lazy_pattern import lazy_pattern
from ...core.sanitize import PLACEHOLDER, compatible, strip_hidden

_ANYWHERE_FROM = 5
"""Letters and digits from which on a value is found inside words; one without digits needs more of them."""
_WORD_ANYWHERE_FROM = 8
_TELLING_DIGITS = 6
"""Consecutive digits that give a number away."""

_ECHO_BYTES = 12
"""Consecutive bytes of letters and digits that are no coincidence."""

_LETTER = lazy_pattern(r"\\+(?:(?P<escape>u[0-9a-fA-F]{4})|[nrtbf])|(?P<letter>[^\W_])")
_SPACELESS = lazy_pattern(r"[\u0e00-\u0e7f\u3040-\u30ff\u3400-\u9fff\uac00-\ud7af]")
_DIGITS = lazy_pattern(r"\d(?:[\s().\-/+]{0,3}\d)*")
_DATE = lazy_pattern(r"(\d{1,4})\D(\d{1,2})\D(\d{1,4})")

_Place = tuple[int, int]


class Replaced(NamedTuple):
    """A value as it stands in a text, and the placeholder that it gets."""

    text: str
    placeholder: str


def without_echo(words: str, text: str) -> str:
    """``words`` without what they repeat of ``text``: any twelve letters and digits in a row, or four of Chinese.

    Case, white space, marks and the escapes of JSON make no difference.
    """
    where, said = _squeezed(words)
    _, known = _squeezed(text)
    echoed = {
        place
        for start in range(len(said) - _ECHO_BYTES + 1)
        if said[start : start + _ECHO_BYTES] in known
        for place in where[start : start + _ECHO_BYTES]
    }
    spans: list[list[int]] = []
    for place in sorted(echoed):
        if spans and not _squeezed(words[spans[-1][1] : place])[1]:
            spans[-1][1] = place + 1
        else:
            spans.append([place, place + 1])
    for start, end in reversed(spans):
        words = f"{words[:start]}[…]{words[end:]}"
    return words


def _squeezed(text: str) -> tuple[list[int], bytes]:
    """Letters and digits alone, as bytes, and where in ``text`` each byte comes from."""
    where, squeezed = [], bytearray()
    for found in _LETTER.finditer(text):
        escape = found["escape"]
        letter = chr(int(escape[1:], 16)) if escape else found["letter"] or ""
        letters = letter.casefold().encode("utf-8", "replace") if letter.isalnum() else b""
        squeezed += letters
        where += [found.start()] * len(letters)
    return where, bytes(squeezed)


def without_values(words: str, values: Sequence[Replaced]) -> str:
    """``words`` with every one of ``values`` replaced by its placeholder, the longest first.

    Compared are letters and digits in compatibility form (NFKC), without regard to case. Short values are replaced
    where they stand alone; of numbers also any part of six digits, of dates any order. Never raises.
    """
    if not values:
        return words
    words = _readable(words)
    known = dict.fromkeys((spelling, value.placeholder) for value in values for spelling in _spellings(value.text))
    before = None
    while words != before:  # a short value may stand alone only once its neighbour is replaced
        before = words
        for spelling, placeholder in sorted(known, key=lambda item: -len(item[0])):
            words = _replacing(words, placeholder, partial(_places, spelling))
    for spelling, placeholder in known:
        if spelling.isdecimal() and len(spelling) >= _TELLING_DIGITS:
            words = _replacing(words, placeholder, partial(_parts, spelling))
    return words


def _readable(text: str) -> str:
    return strip_hidden(compatible(strip_hidden(text)))


def _spellings(value: str) -> Iterator[str]:
    """The spellings to look for: the value's letters and digits; of a date those of every order."""
    value = _readable(value)
    letters, _ = _compared(value)
    if letters:
        yield letters
    date = _DATE.fullmatch(value)
    if date:
        for order in permutations(date.groups()):
            written = "".join(part.zfill(2) for part in order), "".join(part.lstrip("0") for part in order)
            yield from (digits for digits in written if len(digits) >= _TELLING_DIGITS)


def _compared(text: str) -> tuple[str, list[int]]:
    """The letters and digits of a text as they are compared, and where each of them stands."""
    folded = [(char, place) for place, written in enumerate(text) for char in written.casefold() if char.isalnum()]
    return "".join(char for char, _ in folded), [place for _, place in folded]


def _replacing(words: str, placeholder: str, places: Callable[[str], Iterator[_Place]]) -> str:
    """``words`` with these places replaced; what is in a placeholder already stays."""
    parts: list[str] = []
    done = 0
    for start, end in [*(match.span() for match in PLACEHOLDER.finditer(words)), (len(words), len(words))]:
        text, after = words[done:start], 0
        for first, behind in places(text):
            parts += [text[after:first], placeholder]
            after = behind
        parts += [text[after:], words[start:end]]
        done = end
    return "".join(parts)


def _places(wanted: str, text: str) -> Iterator[_Place]:
    """Where ``wanted`` stands in ``text``, whatever is between its letters; a short one alone only."""
    letters, places = _compared(text)
    anywhere = _WORD_ANYWHERE_FROM if wanted.isalpha() else _ANYWHERE_FROM
    inside = len(wanted) >= anywhere or _SPACELESS.search(wanted) is not None
    at, after = letters.find(wanted), 0
    while at >= 0:
        first, behind = places[at], places[at + len(wanted) - 1] + 1
        alone = not (text[first - 1 : first].isalnum() or text[behind : behind + 1].isalnum())
        if first >= after and (inside or alone):
            yield first, behind
            after = behind
        at = letters.find(wanted, at + 1)


def _parts(digits: str, text: str) -> Iterator[_Place]:
    """The numbers in ``text`` that share six consecutive digits with ``digits``."""
    telling = {digits[at : at + _TELLING_DIGITS] for at in range(len(digits) - _TELLING_DIGITS + 1)}
    for number in _DIGITS.finditer(text):
        written = "".join(filter(str.isdecimal, number.group()))
        if any(written[at : at + _TELLING_DIGITS] in telling for at in range(len(written))):
            yield number.span()
