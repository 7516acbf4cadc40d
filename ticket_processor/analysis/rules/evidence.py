"""The words that moved the rules' decision, as they stand in the ticket. Pure."""

from __future__ import annotations

from functools import cache

from ...core.sanitize import plain_line
from ..text.outgoing import with_names
from ..text.similarity import EVERYDAY
from .matcher import Evidence, Hit, Wording, words_of
from .telling import nothing_said

Given = list[tuple[float, Hit[Evidence]]]
"""What each hit gave, and the hit."""

_MOST, _LONGEST = 3, 60
_HELPS, _DECIDES = 1.0, 3.0
"""The least weight of a phrase, and of a word that stands alone."""
_MOVED = 0.12
"""The least share of the category's points that words gave which moved the decision."""
_SAME_STEM = 5


def moving_words(given: Given, category: str, points: float, wording: Wording, *, fallback: bool) -> tuple[str, ...]:
    """Up to three phrases of a text without which ``category`` would have lost much of its ``points``.

    A word that stands alone must decide by itself, and mean something by itself; for the ``fallback`` category none
    does.
    """
    counted = [
        (gain, hit)
        for gain, hit in given
        if gain >= _MOVED / 3 * points and hit.value.target == category and hit.value.weight >= _HELPS
    ]
    strong = sorted(counted, key=lambda item: -item[0])[: 4 * _MOST]
    least = float("inf") if fallback else _DECIDES
    if not any(hit.end - hit.start > 1 or hit.value.weight >= least for _, hit in strong):
        return ()
    found: list[str] = []
    for gain, heaviest, _, quote in sorted(_joined(strong, wording), key=lambda item: (-item[0], item[2])):
        if gain < _MOVED * points or not _means_something(quote, heaviest, least):
            continue
        shown = plain_line(with_names(quote), _LONGEST)
        if shown and not any(_same(shown, other) for other in found):
            found.append(shown)
    # A longer quotation that came later holds a shorter one.
    kept = [one for one in found if not any(one != other and _holds(other, one) for other in found)]
    return tuple(kept[:_MOST])


def _joined(given: Given, wording: Wording) -> list[tuple[float, float, int, str]]:
    """Gain, heaviest weight, place and quotation of each phrase; hits that touch make one."""
    text = wording.text
    phrases: list[tuple[float, float, int, str]] = []
    last = -1
    for gain, hit in sorted(given, key=lambda item: (item[1].in_text, item[1].start, -item[1].end)):
        start, end = (hit.start, hit.end) if hit.in_text else (wording.places[hit.start], wording.end_of(hit.end - 1))
        if phrases and not hit.in_text and last >= 0 and hit.start <= last:
            before, heaviest, begin, quote = phrases[-1]
            longer = text[begin : max(end, begin + len(quote))]
            if len(longer) <= _LONGEST and not set(".,!?;:\n") & set(longer):
                phrases[-1] = (before + gain, max(heaviest, hit.value.weight), begin, longer)
                last = max(last, hit.end)
                continue
        phrases.append((gain, hit.value.weight, start, text[start:end]))
        last = -1 if hit.in_text else hit.end
    return phrases


def _means_something(quote: str, weight: float, least: float) -> bool:
    words = words_of(quote)
    return (len(words) > 1 or weight >= least) and not everyday().issuperset(words)


@cache
def everyday() -> frozenset[str]:
    """Words that say nothing about a matter, and their plurals."""
    words = EVERYDAY | nothing_said()
    return frozenset(words | {f"{word}s" for word in words})


def _holds(longer: str, shorter: str) -> bool:
    return shorter.casefold() in longer.casefold()


def _same(one: str, other: str) -> bool:
    """Whether two quotations are the same word, in other letters or with another ending, or one is in the other."""
    first, second = one.casefold(), other.casefold()
    if first in second:
        return True
    alone = " " not in first and " " not in second
    return alone and first[:_SAME_STEM] == second[:_SAME_STEM] and len(first) >= _SAME_STEM
