"""Which words a negation takes the alarm from: "nothing is urgent", "kein Ausfall", 障害はありません. Pure.

A negation reaches the next word of its clause that means something, over words that do not, and over "or" the one
behind it. In "not only urgent", "no answer for days, urgent" and "no access and it is urgent" it reaches no urgency.
In Japanese the negation stands behind. The words are in ``words/negation.toml``.
"""

from __future__ import annotations

from functools import cache, cached_property
from itertools import pairwise
from typing import Any, NamedTuple

from ...core.lazy_pattern import lazy_pattern
from .matcher import Hit, Wording, entries_of, lists

# "Is it not an outage?" and "nobody can" deny nothing.
_NONE = r"(?:(?:あり|ござい)ません|無い|ない|なく|なかった)"
_DENIED_BEHIND = lazy_pattern(
    rf"(?:[一-龯]{{0,4}}(?:(?:で|じゃ)?[はもが]|じゃ){_NONE}|[一-龯]{{0,4}}[はも]?なし"
    r"|[一-龯]{0,4}は(?:発生|起き|起こ|確認|検知|受け)(?:し|って|て|されて|できて)?て?は?(?:い|おり)?(?:ません|ない)"
    r"|(?<=[れし])て?は?(?:い|おり)?(?:ません|ない|なかった))(?!(?:でしょう|です|の|だ)?か(?!ら))"
)
_FAR = 16
_NEGATIVE_ITSELF = frozenset("誰何")


class _Words(NamedTuple):
    negations: frozenset[str]
    pairs: frozenset[tuple[str, str]]
    of_things: frozenset[str]
    between: frozenset[str]
    alternatives: frozenset[str]
    until: frozenset[str]
    pressing: frozenset[str]


@cache
def _words(language: str) -> _Words:
    """Those of ``language`` and English, unless they are everyday words of ``language``; of all where it is unknown."""
    tables = lists("negation")
    known = tables["negations"]
    common = set(lists("languages")["words"].get(language, "").split()) if language != "en" else set()

    def of(kind: str) -> frozenset[str]:
        rows = tables[kind]
        split = entries_of if kind == "negations" else str.split
        if language not in known:
            return frozenset(word for row in rows.values() for word in split(row))
        return frozenset({*split(rows[language]), *(set(split(rows["en"])) - common)})

    entries = of("negations")
    pairs = frozenset((first, last) for first, _, last in (entry.partition(" ") for entry in entries) if last)
    return _Words(entries, pairs, of("of_things"), of("between"), of("or"), of("until"), of("pressing"))


class Denials:
    """The denials in a text whose ``language`` (an ISO 639-1 code) is known."""

    def __init__(self, wording: Wording, language: str) -> None:
        self._wording = wording
        self._language = language

    def of(self, hit: Hit[Any]) -> bool:
        """Whether what was found is denied."""
        if not hit.in_text:
            return hit.start in self._places
        text = self._wording.text
        if not _NEGATIVE_ITSELF.isdisjoint(text[hit.start : hit.end]):
            return False
        return bool(_DENIED_BEHIND.match(text, hit.end, hit.end + _FAR))

    @cached_property
    def _places(self) -> set[int]:
        known, words = _words(self._language), self._wording.words
        found = [at for at, word in enumerate(words) if word in known.negations]
        found += [at for at, pair in enumerate(pairwise(words), 1) if pair in known.pairs]
        starts = set(self._wording.clauses) if found else set()
        places: set[int] = set()
        for at in found:
            left = 1 + (words[at] in known.of_things)
            for place in range(at + 1, len(words)):
                word = words[place]
                if place in starts or word in known.until:
                    break
                if word in known.alternatives:
                    left = max(left, 1)
                elif not left or (left == 1 and words[at] in known.of_things and word in known.pressing):
                    break
                places.add(place)
                left -= word not in known.between and word not in known.alternatives
        return places
