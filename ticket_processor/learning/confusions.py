"""Finds categories that people put in place of others more often than chance, and proposes descriptions. Pure.

Chance: errors hit a category as often as people use it, whatever was said before (quasi-independence; Goodman, 1968).
"""

from __future__ import annotations

import json
from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from statistics import NormalDist

from ..core.taxonomy import Taxonomy
from ..evaluation.scores import wilson_lower
from .distinguishing_words import distinguishing_words
from .model import CATEGORIES, REVIEWED, Correction, Reaction
from .review import pusher

FEWEST_TICKETS = 5
"""Tickets that a pair takes, and texts of each category that a proposal takes."""
LEVEL = 0.05
"""The chance of naming any pair of a field where there is nothing but chance."""
MOST_WORDS = 6
_TYPICAL = " Typical: "


@dataclass(frozen=True)
class Confusion:
    """Of ``reviewed`` values ``ours`` people changed ``tickets`` to ``theirs``; chance is the ``expected`` share.

    ``lower`` and ``upper`` are Wilson's interval of that share. ``people`` are the accounts, and how often each did it.
    """

    field: str
    ours: str
    theirs: str
    tickets: int
    reviewed: int
    expected: float
    lower: float
    upper: float
    people: tuple[tuple[int | None, int], ...]

    @property
    def by_one(self) -> bool:
        """Whether one account pushes it: its opinion, or an attack."""
        return pusher(self.people) is not None


def confusions(
    reactions: Iterable[Reaction], taxonomy: Taxonomy, rejected: Iterable[Correction] = ()
) -> list[Confusion]:
    """The pairs under today's names, those with the most tickets first; what a person rejected does not count."""
    wrong = {(item.ticket_id, item.field, item.theirs) for item in rejected}
    by_field: defaultdict[str, list[Reaction]] = defaultdict(list)
    for item in reactions:
        ours, theirs = taxonomy.today(item.ours or ""), taxonomy.today(item.theirs or "")
        known = ours is not None and (theirs is not None or item.theirs is None)
        counts = item.fate in REVIEWED and item.actor_kind == "person"
        if known and counts and (item.ticket_id, item.field, item.theirs) not in wrong:
            by_field[item.field].append(replace(item, ours=ours, theirs=theirs))
    found = [pair for field in CATEGORIES for pair in _of_field(field, by_field[field])]
    return sorted(found, key=lambda pair: (-pair.tickets, pair.ours, pair.theirs))


def _of_field(field: str, reviewed: Sequence[Reaction]) -> list[Confusion]:
    said = Counter(item.ours or "" for item in reviewed)
    final = Counter(item.theirs or item.ours or "" for item in reviewed if item.fate != "removed")
    pairs: defaultdict[tuple[str, str], Counter[int | None]] = defaultdict(Counter)
    for item in reviewed:
        if item.ours and item.theirs and item.ours != item.theirs:
            pairs[item.ours, item.theirs][item.author] += 1
    errors = sum(item.fate != "kept" for item in reviewed) / max(1, len(reviewed))
    names = said.keys() | final.keys()
    strict = NormalDist().inv_cdf(1 - LEVEL / max(1, len(names) * (len(names) - 1)))
    found = []
    for (ours, theirs), people in pairs.items():
        count, of = people.total(), said[ours]
        expected = errors * final[theirs] / (final.total() - final[ours])
        if count >= FEWEST_TICKETS and wilson_lower(count, of, strict) > expected:
            upper = 1 - wilson_lower(of - count, of)
            accounts = tuple(people.most_common())
            found.append(Confusion(field, ours, theirs, count, of, expected, wilson_lower(count, of), upper, accounts))
    return found


def proposed_descriptions(
    found: Iterable[Confusion], taxonomy: Taxonomy, texts: Mapping[str, Collection[str]]
) -> dict[str, str]:
    """A description for each category of the pairs whose tickets differ in their words; ``texts`` by category.

    It is today's, with the words that tell its tickets from the others'. One account's pairs count for nothing.
    """
    pairs = {pair for item in found if not item.by_one for pair in ((item.ours, item.theirs), (item.theirs, item.ours))}
    result = {}
    for name in taxonomy.names:
        here = [*texts.get(name, ())]
        others = [text for one, other in sorted(pairs) if one == name for text in texts.get(other, ())]
        if min(len(here), len(others)) >= FEWEST_TICKETS and (words := distinguishing_words(here, others, MOST_WORDS)):
            today = taxonomy[name].description.partition(_TYPICAL)[0]
            result[name] = f"{today}{_TYPICAL}{', '.join(words)}."
    return result


def taxonomy_lines(descriptions: Mapping[str, str]) -> list[str]:
    """The descriptions as lines for ``ticketbot.toml``."""
    return [
        line
        for name, text in descriptions.items()
        for line in ("[[categories]]", f'name = "{name}"', f"description = {json.dumps(text, ensure_ascii=False)}")
    ]
