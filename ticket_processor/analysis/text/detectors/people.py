"""People's names: those the helpdesk knows of a ticket's requester, and those that a text introduces or signs with."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator, Sequence
from functools import lru_cache
from typing import NamedTuple

from ....core.text import PLACEHOLDER, lazy_pattern, strip_hidden
from .. import word_lists
from .scan import Scan, Span, lowered, matching_form

_LONGEST_NAME = 100
_MOST_NAMES = 10
_MOST_WORDS = 6
_SPACELESS = lazy_pattern(r"[\u3040-\u30ff\u3400-\u9fff\uac00-\ud7af\u0e00-\u0e7f]")

_WORDS = word_lists("people")
_SMALL_WORDS, _NO_PERSON = frozenset(_WORDS["small_words"].split()), frozenset(_WORDS["no_person"].split())


class KnownName(NamedTuple):
    """A name prepared for the search: ``words`` as written, ``parts`` that may stand alone, ``bound`` that may not."""

    value: str
    words: tuple[str, ...]
    parts: tuple[str, ...]
    bound: tuple[str, ...]


@lru_cache(maxsize=64)
def known_names(names: tuple[str, ...]) -> tuple[KnownName, ...]:
    """The names that are anybody's, each once. Roles ("Support Team") and addresses are none."""
    known: list[KnownName] = []
    cleaned = (" ".join(matching_form(strip_hidden(name[:_LONGEST_NAME])).split()) for name in names[:_MOST_NAMES])
    for name in dict.fromkeys(cleaned):
        if len(name) < 2 or PLACEHOLDER.search(name) or "@" in name or not any(map(str.isalpha, name)):
            continue
        value = name.casefold()
        if _SPACELESS.search(name):
            known.append(KnownName(value, (name,), (name,), ()))
            continue
        words = tuple(word for word in re.split(r"[ ,]+", name) if word.strip(".-'’"))[:_MOST_WORDS]
        telling = [word for word in words if word.casefold().strip(".") not in _NO_PERSON]
        if not telling:
            continue
        free: list[str] = []
        bound: list[str] = []
        for word in telling:
            if not word[0].isupper() or not word[0].isalpha():
                bound += [word.capitalize()] if len(words) == 1 else []
            elif len(word) < 3 or word.casefold() in _SMALL_WORDS:
                bound.append(word)
            else:
                free += [word, *_spellings(word)]
        known.append(KnownName(value, words, tuple(dict.fromkeys(free)), tuple(bound)))
    return tuple(known)


def _spellings(word: str) -> Iterator[str]:
    """Müller is Mueller and Muller to keyboards without the letter."""
    if not word.isascii():
        yield word.translate(_UMLAUTS)
        yield "".join(char for char in unicodedata.normalize("NFKD", word) if not unicodedata.combining(char))


_UMLAUTS = str.maketrans({"ä": "ae", "ö": "oe", "ü": "ue", "ß": "ss", "Ä": "Ae", "Ö": "Oe", "Ü": "Ue"})


def names(scan: Scan, known: Sequence[KnownName]) -> Iterator[Span]:
    """The known names: whole in any case and order, their parts as they are written."""
    for name in known:
        if len(name.words) > 1:
            for words in (name.words, (name.words[-1], *name.words[:-1])):
                yield from _whole(scan, tuple(map(lowered, words)), name.value)
        for part in name.parts:
            spaceless = _SPACELESS.search(part) is not None
            for start, end in _places(scan.text, part):
                if spaceless or _alone(scan.text, start, end):
                    yield Span(start, end, "NAME", name.value)
        for part in name.bound:
            for start, end in _places(scan.text, part):
                if _alone(scan.text, start, end) and _NAME_EXPECTED.search(scan.text[max(0, start - 30) : start]):
                    yield Span(start, end, "NAME", name.value)


def _places(text: str, wanted: str) -> Iterator[tuple[int, int]]:
    at = text.find(wanted)
    while at >= 0:
        yield at, at + len(wanted)
        at = text.find(wanted, at + len(wanted))


def _alone(text: str, start: int, end: int) -> bool:
    return not (_word_char(text[start - 1 : start]) or _word_char(text[end : end + 1]))


def _word_char(char: str) -> bool:
    return char == "_" or char.isalnum()


_GAP = lazy_pattern(r",?[ \t]{1,3}")


def _whole(scan: Scan, words: tuple[str, ...], value: str) -> Iterator[Span]:
    text = scan.lower
    for start, end in _places(text, words[0]):
        for word in words[1:]:
            gap = _GAP.match(text, end)
            if gap is None or not text.startswith(word, gap.end()):
                break
            end = gap.end() + len(word)
        else:
            if _alone(text, start, end):
                yield Span(start, end, "NAME", value)


_TITLES = rf"(?:{'|'.join(_WORDS['titles'])})\.?"
_GREETINGS, _SIGN_OFFS, _INTRODUCTIONS, _PRESENTATIONS = (
    f"(?:{'|'.join(_WORDS[name])})" for name in ("greetings", "sign_offs", "introductions", "presentations")
)
_NAME_EXPECTED = lazy_pattern(
    rf"(?<!\w)(?:{_TITLES}|{_GREETINGS}(?: {_TITLES})?|{_SIGN_OFFS}|{_INTRODUCTIONS}|{_PRESENTATIONS})[,!.]?\s{{1,3}}$",
    re.IGNORECASE,
)
_NAME_WORD = r"(?-i:[A-ZÀ-ÖØ-ÞĀĂĄĆČĎĐĒĖĘĚĞĢĪĮİĶĻŁŃŅŇŌŐŒŘŚŞŠŢŤŪŮŰŲŹŻŽΑ-ΩА-Я][^\W\d_]{0,24}(?:[\-'’][^\W\d_]{1,24}){0,2})"
_NAME = (
    rf"({_NAME_WORD}\.?(?:[ \t]{{1,2}}(?:(?-i:van|von|de|der|den|del|della|di|da|dos|la|le|el|bin"
    rf"|al) ?){{0,2}}{_NAME_WORD}){{0,3}})(?![\w@])"
)
_LABELLED = lazy_pattern(
    rf"^[ \t>*\-]{{0,6}}(?:(?:full|first|last|customer|contact|your|my)[ ])?(?:name|vorname|nachname|nom|prénom"
    rf"|nombre|apellidos?|nome"
    rf"|cognome|sobrenome|naam|achternaam)[ \t]?:[ \t]{{0,3}}{_NAME}[ \t]*$",
    re.IGNORECASE | re.MULTILINE,
)
_TITLED = lazy_pattern(rf"(?<!\w)(?-i:(?=[A-ZÑ])){_TITLES} {_NAME}", re.IGNORECASE)
_GREETED = lazy_pattern(
    rf"^[ \t]{{0,4}}{_GREETINGS}(?: {_TITLES})? {_NAME}(?=[ \t]*(?:[,!:.\n]|$|-))", re.IGNORECASE | re.MULTILINE
)
_INTRODUCED = lazy_pattern(rf"(?<!\w){_INTRODUCTIONS} {{0,2}}{_NAME}", re.IGNORECASE)
# Behind these stands more than names, so what follows has to look like the end of one.
_PRESENTED = lazy_pattern(
    rf"(?<!\w){_PRESENTATIONS} {_NAME}(?=[ \t]*(?:[,.\n]|$|\(| (?:from|at|with|and|here|von|und|hier|de|et|y|e|en"
    rf"|van|aus)\b))",
    re.IGNORECASE,
)
_SIGNED = lazy_pattern(
    rf"(?<!\w){_SIGN_OFFS}(?:[,.!][ \t]{{0,3}}\n{{0,3}}|[ \t]{{0,3}}\n{{1,3}}"
    rf"|(?<=[a-zß]{{6}}) )[ \t]{{0,3}}(?:[-–—][ \t]?)?{_NAME}(?=[ \t]*(?:[,.|\n]|$))",
    re.IGNORECASE,
)
_NO_NAMES = frozenset(_WORDS["no_names"].split())
_NO_NAME_PART = lazy_pattern("|".join(_WORDS["no_name_part"]), re.IGNORECASE)
_POSSESSIVE = lazy_pattern(r"[’']s\b")


def introduced_names(scan: Scan) -> Iterator[Span]:
    """Names after a title, a greeting, a sign-off, or words such as "my name is"."""
    for pattern in (_LABELLED, _TITLED, _GREETED, _INTRODUCED, _PRESENTED, _SIGNED):
        for match in pattern.finditer(scan.text):
            words = [word.casefold().strip(".") for word in match[1].split()]
            shouted = match[1].isupper() and len(match[1]) > 3 and pattern is _PRESENTED
            if shouted or words[0] in _NO_NAMES or words[0] in _NO_PERSON or _NO_NAME_PART.search(match[1]):
                continue
            name = _POSSESSIVE.split(match[1])[0].rstrip(".")
            yield Span(match.start(1), match.start(1) + len(name), "NAME", name.casefold())
