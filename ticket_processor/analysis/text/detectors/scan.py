"""Input and output of every detector: a text prepared once, and spans of it.

Patterns are written so that most texts cost next to nothing: they begin with a character class and look behind
afterwards (an assertion in front would be tried at every place), or run only near a word that has to be there.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Iterator
from functools import lru_cache, reduce
from operator import or_
from typing import NamedTuple

from ....core.text import lazy_pattern


class Span(NamedTuple):
    """A place in the text, why it is to be replaced, and the value that makes two places the same."""

    start: int
    end: int
    kind: str
    value: str


_LETTERS, _ASCII_LETTERS = re.compile(r"[^\W\d_]+"), re.compile(r"[a-z]+")
_NO_LETTER, _WITH_BORDERS = re.compile(r"[\W\d_]+"), re.compile(r" ?[^ ]+ ?")


class Stems:
    """Pieces in lower case of which one is in all that some pattern can find; ``marks`` count as written only."""

    def __init__(self, stems: Iterable[str], marks: Iterable[str] = ()) -> None:
        self._stems = {_WORDS.learn(mark.lower()): (mark.lower(), mark) for mark in marks}
        self._stems |= {_WORDS.learn(stem): (stem, "") for stem in stems}
        self.bits = sum(self._stems)

    def within(self, scan: Scan) -> list[str]:
        """Those that the text holds."""
        found: list[str] = []
        hints = scan.hints & self.bits
        while hints:
            bit = hints & -hints
            hints ^= bit
            stem, mark = self._stems[bit]
            if stem in scan.lower and mark in scan.text:
                found.append(stem)
        return found


class _Words(dict[str, int]):
    """The stems that each word can be a part of, as bits, for as many words as a run meets."""

    def __init__(self) -> None:
        self.always = 0
        self._stems: dict[str, int] = {}
        self._pieces: dict[str, list[tuple[str, int]]] = {}

    def learn(self, stem: str) -> int:
        """The bit of this stem. Only a word with the stem's longest piece can be a part of it."""
        if stem in self._stems:
            return self._stems[stem]
        bit = self._stems[stem] = 1 << len(self._stems)
        # A space is the border of a word.
        piece = max(_WITH_BORDERS.findall(_NO_LETTER.sub(" ", stem)), key=len, default="")
        if piece:
            self._pieces.setdefault(piece[:2], []).append((piece, bit))
        else:
            self.always |= bit
        self.clear()
        return bit

    def __missing__(self, word: str) -> int:
        if len(word) > _LONGEST_READ:
            return -1
        if len(self) >= _MOST_WORDS:
            self.clear()
        bordered = f" {word} "
        bits = 0
        for at in range(len(word) + 1):
            for piece, bit in self._pieces.get(bordered[at : at + 2], ()):
                if bordered.startswith(piece, at):
                    bits |= bit
        if len(word) <= _LONGEST_WORD:
            self[word] = bits
        return bits


_WORDS = _Words()
_MOST_WORDS, _LONGEST_WORD, _LONGEST_READ = 40_000, 24, 400


class Scan:
    """A text in its matching form, with cheap answers to "can there be any?", which most tickets end with.

    ``lower`` is as long as ``text``, so that places hold. ``digits`` says how many there are; ``hints`` has the bits of
    the stems that the text can hold.
    """

    __slots__ = ("digits", "hints", "lower", "text")

    def __init__(self, text: str) -> None:
        self.text, self.lower = text, lowered(text)
        self.digits = sum(map(text.count, "0123456789"))
        words = set((_ASCII_LETTERS if self.lower.isascii() else _LETTERS).findall(self.lower))
        self.hints = reduce(or_, filter(None, map(_WORDS.__getitem__, words)), _WORDS.always)

    def near(
        self, pattern: re.Pattern[str], stems: Stems | list[str], *, before: int, behind: int, digits: bool = False
    ) -> Iterable[re.Match[str]]:
        """Matches of ``pattern`` in the neighbourhood of any of the stems, each once, in order.

        A list are stems found already. ``digits``: there is no match without one.
        """
        if digits and not self.digits:
            return ()
        if isinstance(stems, Stems):
            stems = stems.within(self) if self.hints & stems.bits else []
        return self._around(pattern, stems, before, behind, digits=digits) if stems else ()

    def _around(
        self, pattern: re.Pattern[str], stems: list[str], before: int, behind: int, *, digits: bool
    ) -> Iterator[re.Match[str]]:
        lower = self.lower
        windows: list[tuple[int, int]] = []
        for stem in stems:
            at = lower.find(stem)
            while at >= 0:
                windows.append((max(0, at - before), min(len(lower), at + len(stem) + behind)))
                at = lower.find(stem, at + len(stem))
        windows.sort()
        merged: list[tuple[int, int]] = []
        for start, end in windows:
            if merged and start <= merged[-1][1]:
                merged[-1] = (merged[-1][0], max(end, merged[-1][1]))
            else:
                merged.append((start, end))
        for start, end in merged:
            if not digits or _DIGITS.search(self.text, start, end):
                yield from pattern.finditer(self.text, start, end)


_DIGITS = lazy_pattern(r"[0-9]+")


def lowered(text: str) -> str:
    """``text`` in lower case, as long as it was; Turkish İ and ı are an i, as for patterns that ignore case."""
    return text.lower() if text.isascii() else text.replace("İ", "i").lower().replace("ı", "i")


def matching_form(text: str) -> str:
    """``text`` with every character in its compatibility form where that is one character: same length.

    Full-width, circled and other scripts' digits become ASCII, dashes ``-``, odd spaces a space, full stops ``.``, and
    a word in letters of two scripts is written in one, so that patterns match what people read and offsets still hold.
    """
    if text.isascii():
        return text
    odd = {char for char in text if char > "\x7f"}
    changed = {ord(char): form for char in odd if (form := _matched(char)) != char}
    if changed:
        text = text.translate(changed)
    if odd.isdisjoint(_ALIKE):
        return text
    # Where one word mixes scripts, the words of look-alikes alone are no words of their script either.
    every = any(_is_mixed(word) for word in _ALIKE_WORD.finditer(text))
    return _MIXED.sub(lambda word: _in_one_script(word, every=every), text)


_SIGNS = {"\u2800": " ", "−": "-", "⁃": "-", "˗": "-", "。": ".", "｡": ".", "۔": "."}


@lru_cache(maxsize=4096)
def _matched(char: str) -> str:
    if char in _SIGNS:
        return _SIGNS[char]
    category = unicodedata.category(char)
    if category in ("Nd", "No"):
        digit = unicodedata.numeric(char)
        return str(int(digit)) if digit in range(10) else char
    if category == "Zs":
        return " "
    if category == "Pd":
        return "-"
    form = unicodedata.normalize("NFKC", char)
    return form if len(form) == 1 else char


_CYRILLIC = dict(zip("асԁеһіјӏорԛѕԝхуАВСЕНІЈКМОРЅТХУкт", "acdehijlopqswxyABCEHIJKMOPSTXYkt", strict=True))
_ALIKE = {
    **_CYRILLIC,
    **dict(zip("αειοκνρτυωχγΑΒΕΖΗΙΚΜΝΟΡΤΥΧ", "aeioknptuwxyABEZHIKMNOPTYX", strict=True)),
    **dict(zip("օոսցհᴀʙᴄᴅᴇꜰɢʜɪᴊᴋʟᴍɴᴏᴘǫʀꜱᴛᴜᴠᴡʏᴢɑɡ", "onughabcdefghijklmnopqrstuvwyzag", strict=True)),
    **{chr(first + at): chr(97 + at) for first in (0x1F150, 0x1F170) for at in range(26)},
}
"""Letters, each with the Latin one that looks like it."""
_FOREIGN = {ord(latin): other for other, latin in _CYRILLIC.items()}
_ALIKE_WORD = lazy_pattern(rf"(?<![^\W\d_])[A-Za-z{''.join(_ALIKE)}]{{2,}}(?![^\W\d_])")
_MIXED = lazy_pattern(rf"{_ALIKE_WORD.pattern}|[^\W\d_]+")


def _is_mixed(match: re.Match[str]) -> bool:
    """Whether a word of look-alikes is of two scripts, or of signs that are letters of none, or glued to digits."""
    word, behind = match.group(), match.string[match.end() : match.end() + 1]
    scripts = {"a" if char < "\u0370" else "α" if char < "\u0400" else "а" if char < "\u0500" else "ո" for char in word}
    return not word.isascii() and (len(scripts) > 1 or "ո" in scripts or (behind.isdecimal() and word.isupper()))


def _in_one_script(match: re.Match[str], *, every: bool) -> str:
    """A word of look-alikes and Latin letters as a Latin one; else one of Cyrillic and Latin letters as Cyrillic."""
    word = match.group()
    if word.isascii():
        return word
    latin = "".join(_ALIKE.get(char, char) for char in word)
    if latin.isascii():
        return latin if every or _is_mixed(match) else word
    return word.translate(_FOREIGN) if any("\u0400" <= char <= "\u04ff" for char in word) else word


DATE = lazy_pattern(
    r"(?:19|20)\d\d([.\-/ ])(?:0?\d|1[0-2])\1(?:[012]?\d|3[01])"
    r"|(?:[012]?\d|3[01])([.\-/ ])(?:0?\d|1[0-2])\2(?:19|20)?\d\d"
    r"|(?:0?\d|1[0-2])([.\-/ ])(?:[012]?\d|3[01])\3(?:19|20)?\d\d"
    r"|(?:19|20)\d\d ?[\-/] ?(?:19|20)\d\d"
)
"""A date in figures, whole."""

IS = r"(?: ?(?:is|was|ist|lautet|war|est|es|era|é|è|sono|to|as|now|jest|är|er)\b| ?(?:は|是))"
"""The verb between a name for a thing and the thing itself."""
