"""The words by which things are recognised: the lists in ``words/``, and finding many of their entries in one pass.

Syntax of an entry, entries being separated by commas:

- ``refund``: the whole word, in any case; ``refund*``: words beginning so; ``*rechnung``: words ending so;
  ``*rechnung*``: words containing it (for languages that join words)
- ``money back``: words in a row; ``charged ~ twice``: with up to three other words between them
- in Japanese and Chinese entries are looked for anywhere, for lack of spaces

Numbers in front are weights. Category weights say how far an entry decides alone (3), helps (2) or hints (1);
zero takes a phrase's words out. Urgency points add up: sixteen make a ticket critical, four high, two below zero low.
The lists were written by hand from knowledge of the languages, and revised where labelled tickets showed them wrong; no
weight was computed from data. Looking a word up costs the same however many entries there are, which a regular
expression of alternatives does not offer.
"""

from __future__ import annotations

import re
import tomllib
from bisect import bisect_left
from collections.abc import Callable, Collection, Iterable, Sequence
from functools import cache, cached_property
from importlib.resources import files
from typing import Any, Generic, NamedTuple, TypeVar

from ...core.taxonomy import default_taxonomy
from ...core.text import lazy_pattern

ByLanguage = dict[str, dict[int, str]]
"""Entries by language and weight."""


@cache
def lists(name: str, *, between_lines: str = " ") -> dict[str, Any]:
    """The tables of ``words/NAME.toml``, read once. ``between_lines`` joins the lines of a text."""
    text = files(__package__).joinpath(f"words/{name}.toml").read_text(encoding="utf-8")
    joined: dict[str, Any] = _joined(tomllib.loads(text), between_lines)
    return joined


@cache
def category_words() -> dict[str, ByLanguage]:
    """The words of each built-in category, ``words/categories/NAME.toml``, in the order of the categories."""
    return {name: weighted(lists(f"categories/{name}")) for name in default_taxonomy().names}


def known_name(name: str) -> str | None:
    """The built-in category that ``name`` stands for, if any."""
    return name if name in category_words() else lists("categories")["synonyms"].get(name)


def weighted(table: dict[str, dict[str, str]]) -> ByLanguage:
    """A table by language and weight with numbers for weights."""
    return {language: {int(weight): words for weight, words in rows.items()} for language, rows in table.items()}


def counting(language: str, known: Collection[str]) -> list[str]:
    """The languages whose words count in a text of ``language``: it and English; all ``known`` where it is none."""
    return sorted({language, "en"} if language in known else known)


def _joined(value: Any, between_lines: str) -> Any:
    if isinstance(value, dict):
        return {key: _joined(item, between_lines) for key, item in value.items()}
    if isinstance(value, list):
        return [_joined(item, between_lines) for item in value]
    return between_lines.join(value.split("\n")) if isinstance(value, str) else value


T = TypeVar("T")

# Vowel signs of Devanagari are no letters for ``re``, yet belong to the word: without them "see" and "grief" are one.
_LETTERS = r"[^\W_]+(?:[\u0900-\u0903\u093a-\u094f]+[^\W_]*)*"
_WORD = lazy_pattern(rf"{_LETTERS}(?:['’][^\W_]+)?['’]?")
_ASCII_WORD = lazy_pattern(r"[a-z0-9]+(?:'[a-z0-9]+)?'?")
_UNIT = lazy_pattern(rf"~|\*?{_LETTERS}(?:['’][^\W_]+)?['’]?\*?")
KANA_OR_HAN = lazy_pattern(r"[\u3040-\u30ff\u3400-\u9fff]+")
"""A run of Japanese or Chinese letters, between which there are no spaces."""
_SPACELESS = lazy_pattern(r"[\u3040-\u30ff\u3400-\u9fff\u0e00-\u0e7f]")
_STOPS = lazy_pattern(r"[.!;:,。！、：\n](?:(?<=[。！、：\n])|(?<!\d\.)(?=\s|$))")
_STOP = lazy_pattern(r"[.!?;…,:。！？、，\n](?:(?<=[。！？、，\n])|(?=\s|$))")
_WITHIN = frozenset(",:、，")
_LONGER_WORD = lazy_pattern(r"[^\W\d_]{2,}")
_GAP = 3
_CACHED_WORDS = 20_000


class Hit(NamedTuple, Generic[T]):
    """An entry found at words ``start`` to ``end`` (exclusive), and what was stored with it.

    With ``in_text`` the places are those of characters.
    """

    start: int
    end: int
    entry: int
    value: T
    in_text: bool = False


Found = dict[str, list[Hit[Any]]]
"""What was found of each table."""


def words_of(text: str) -> list[str]:
    """The words of ``text``, folded for comparison; ``l'erreur`` is two, ``doesn't`` is one."""
    folded = text.casefold()
    found: list[str] = (_ASCII_WORD if folded.isascii() else _WORD).findall(folded)
    if "'" not in folded and "’" not in folded:
        return found
    return [part for word in found for part in ([word] if word.isalnum() else _parted(word))]


def clauses_of(text: str) -> list[str]:
    """The parts of ``text`` between stops, commas and line ends; a dot in a date or a number is no stop."""
    return [clause for clause in map(str.strip, _STOPS.split(text)) if clause]


class Wording:
    """A text's words, folded for comparison, and the ``places`` in the text where each begins.

    The two parts of ``l'erreur`` begin at one place.
    """

    def __init__(self, text: str) -> None:
        self.text = text
        folded = text.casefold()
        same = len(folded) == len(text)  # "ß" becomes two letters
        found = list((_ASCII_WORD if folded.isascii() else _WORD).finditer(folded if same else text))
        words = [match[0] if same else match[0].casefold() for match in found]
        places = [match.start() for match in found]
        if "'" in folded or "’" in folded:
            parts = [[word] if word.isalnum() else _parted(word) for word in words]
            places = [place for place, several in zip(places, parts, strict=True) for _ in several]
            words = [word for several in parts for word in several]
        self.words, self.places = words, places

    def first_from(self, place: int) -> int:
        """The number of the first word that begins at ``place`` or behind it."""
        return bisect_left(self.places, place)

    def quote(self, hit: Hit[Any]) -> str:
        """What was found, as it stands in the text."""
        if hit.in_text:
            return self.text[hit.start : hit.end]
        last = _WORD.match(self.text, self.places[hit.end - 1])
        return self.text[self.places[hit.start] : last.end() if last else self.places[hit.end - 1]]

    @cached_property
    def _stops(self) -> list[re.Match[str]]:
        return list(_STOP.finditer(self.text))

    @cached_property
    def clauses(self) -> list[int]:
        """The numbers of the words at which the clauses begin."""
        return [0, *(self.first_from(stop.end()) for stop in self._stops)]

    @cached_property
    def sentence_places(self) -> list[int]:
        """Where in the text the sentences begin."""
        return [0, *(stop.end() for stop in self._stops if stop[0] not in _WITHIN)]

    @cached_property
    def sentences(self) -> list[int]:
        """The numbers of the words at which the sentences begin."""
        return list(map(self.first_from, self.sentence_places))


def length_of(clause: str) -> int:
    """Words of two letters and more; where no spaces divide them, about as many as its characters make."""
    return max(len(_LONGER_WORD.findall(clause)), len(_SPACELESS.findall(clause)) // 3)


def _parted(word: str) -> list[str]:
    """The words of one with an apostrophe: two of ``l'erreur``, one of ``doesn't``, ``user`` of ``user's``."""
    head, _, tail = word.replace("’", "'").partition("'")
    if tail in ("", "s"):
        return [head]
    return [f"{head}'{tail}"] if tail in ("t", "re", "ve", "ll", "d", "m") else [f"{head}'", tail]


def entries_of(text: str) -> list[str]:
    """The entries of a comma-separated list."""
    return [entry.strip() for entry in text.split(",") if entry.strip()]


class _ByWord(dict[str, T]):
    """What a function says of each word, kept for as many words as a run meets."""

    def __init__(self, find: Callable[[str], T]) -> None:
        self._find = find

    def __missing__(self, word: str) -> T:
        if len(self) >= _CACHED_WORDS:
            self.clear()
        found = self[word] = self._find(word)
        return found


_Entry = tuple[int, tuple[int, ...]]
"""An entry's number, and its units but the first."""


class _Known(NamedTuple):
    """A word's units, and the entries it begins: of one word (table, number, value), by the next unit, after a gap."""

    units: tuple[int, ...]
    alone: list[tuple[str, int, Any]]
    by_second: dict[int, list[_Entry]]
    by_later: dict[int, list[_Entry]]


class PhraseMatcher:
    """Tables of compiled entries, each with what is stored with it; one pass over a text finds those of all tables.

    Immutable but for a cache that is safe to share, so threads may use one together.
    """

    def __init__(self, **tables: Iterable[tuple[str, Any]]) -> None:
        self._entries: list[tuple[str, Any]] = []
        self._units = {"~": -1}
        self._exact: dict[str, int] = {}
        self._prefix: dict[str, int] = {}
        self._suffix: dict[str, int] = {}
        self._infix: dict[str, int] = {}
        self._by_first: dict[int, list[_Entry]] = {}
        contained: dict[str, dict[str, int]] = {table: {} for table in tables}
        for table, entries in tables.items():
            for entry, value in entries:
                number, folded = len(self._entries), entry.casefold()
                self._entries.append((table, value))
                if not folded.isascii() and _SPACELESS.search(folded):
                    contained[table][folded] = number
                elif units := [self._unit(unit) for unit in self._split(folded)]:
                    self._by_first.setdefault(units[0], []).append((number, tuple(units[1:])))
        self._tables = tuple(tables)
        self._contained = [
            (table, numbers, lazy_pattern("|".join(map(re.escape, sorted(numbers, reverse=True)))))
            for table, numbers in contained.items()
            if numbers
        ]
        self._prefix_sizes, self._suffix_sizes = sorted({*map(len, self._prefix)}), sorted({*map(len, self._suffix)})
        self._any_infix = re.compile("|".join(map(re.escape, self._infix)) or r"(?!)")
        self._known = _ByWord(self._find_known)

    @staticmethod
    def _split(entry: str) -> list[str]:
        if entry.removesuffix("*").isalpha():
            return [entry]
        found: list[str] = _UNIT.findall(entry)
        if "'" not in entry and "’" not in entry:
            return found
        units: list[str] = []
        for unit in found:
            units += _parted(unit.rstrip("*"))
            units[-1] += "*" if unit.endswith("*") else ""
        return units

    def _unit(self, pattern: str) -> int:
        if pattern in self._units:
            return self._units[pattern]
        number = self._units[pattern] = len(self._units)
        ends_free = self._infix if pattern.startswith("*") else self._prefix
        begins_free = self._suffix if pattern.startswith("*") else self._exact
        (ends_free if pattern.endswith("*") else begins_free)[pattern.strip("*")] = number
        return number

    def _find_units(self, word: str) -> tuple[int, ...]:
        found = [self._exact[word]] if word in self._exact else []
        length, prefix, suffix = len(word), self._prefix, self._suffix
        found += [prefix[word[:size]] for size in self._prefix_sizes if size <= length and word[:size] in prefix]
        found += [suffix[word[-size:]] for size in self._suffix_sizes if size <= length and word[-size:] in suffix]
        if self._any_infix.search(word):
            found += [number for text, number in self._infix.items() if text in word]
        return tuple(found)

    def _find_known(self, word: str) -> _Known | None:
        """What is known of this word; ``None`` for most words."""
        units = self._find_units(word)
        if not units:
            return None
        known = _Known(units, [], {}, {})
        for entry in sorted(entry for unit in units for entry in self._by_first.get(unit, ())):
            rest = entry[1]
            if not rest:
                table, value = self._entries[entry[0]]
                known.alone.append((table, entry[0], value))
            elif rest[0] != -1:
                known.by_second.setdefault(rest[0], []).append(entry)
            elif len(rest) > 1:
                known.by_later.setdefault(rest[1], []).append(entry)
        return known

    def find(self, words: list[str], text: str = "") -> Found:
        """Every entry of each table found in ``words``, and, for scripts without spaces, in ``text``; also overlaps.

        Hits in ``text`` are placed by character, as if each were a word.
        """
        hits: Found = {table: [] for table in self._tables}
        known = list(map(self._known.__getitem__, words))
        last = len(known) - 1
        make = tuple.__new__  # a hit's own constructor takes three times as long
        for start, word in enumerate(known):
            if word is None:
                continue
            _, alone, by_second, by_later = word
            for table, number, value in alone:
                hits[table].append(make(Hit, (start, start + 1, number, value, False)))
            if not by_second and not by_later:
                continue
            more: list[_Entry] = []
            # By a later word the few that can match are found, however many begin alike.
            if by_second and start < last and (second := known[start + 1]) is not None:
                for unit in second[0]:
                    if unit in by_second:
                        more += by_second[unit]
            if by_later:
                near = {unit for later in known[start + 1 : start + 2 + _GAP] if later for unit in later[0]}
                more += [entry for unit in near & by_later.keys() for entry in by_later[unit]]
            if not more:
                continue
            for number, rest in sorted(more):
                end = start + 2 if len(rest) == 1 else _match(known, start + 1, rest)
                if end:
                    table, value = self._entries[number]
                    hits[table].append(make(Hit, (start, end, number, value, False)))
        folded = text.casefold() if self._contained and not text.isascii() else ""
        for table, numbers, pattern in self._contained if folded else ():
            for match in pattern.finditer(folded):
                number = numbers[match.group()]
                hits[table].append(Hit(match.start(), match.end(), number, self._entries[number][1], True))
        return hits


def _match(known: Sequence[_Known | None], at: int, rest: tuple[int, ...]) -> int:
    """Where the remaining units end when they begin at ``at``; 0 when they do not."""
    for position, unit in enumerate(rest):
        if unit == -1:
            remaining = rest[position + 1 :]
            for skipped in range(_GAP + 1):
                end = _match(known, at + skipped, remaining)
                if end:
                    return end
            return 0
        word = known[at] if at < len(known) else None
        if word is None or unit not in word.units:
            return 0
        at += 1
    return at


def without_contained(hits: list[Hit[T]]) -> list[Hit[T]]:
    """``hits`` in order, without those that lie inside a longer one: "not urgent" hides "urgent"."""
    kept: list[Hit[T]] = []
    reach = -1
    for hit in sorted(hits, key=lambda hit: (hit.start, -hit.end)):
        if hit.end > reach or (kept and (hit.start, hit.end) == (kept[-1].start, kept[-1].end)):
            kept.append(hit)
            reach = max(reach, hit.end)
    return kept
