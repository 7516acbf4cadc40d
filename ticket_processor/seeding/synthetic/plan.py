"""The plan of tickets to write: every category, language and mood gets its share, every ticket hints of its own.

The same seed gives the same plan, and a longer plan begins like a shorter one, so a file can be filled up later.
"""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from ...core.models import Sentiment, Urgency
from ...core.taxonomy import Taxonomy
from ..corpus import word_lists


class Cell(NamedTuple):
    """A combination of labels. ``category`` is a name of either level of the taxonomy."""

    category: str
    language: str
    mood: Sentiment


@dataclass(frozen=True)
class Slot:
    """One ticket to be written: the ``index``-th of its cell, asked for the ``attempt``-th time (from 0)."""

    cell: Cell
    index: int
    attempt: int = 0

    @property
    def again(self) -> Slot:
        """The same ticket, to be asked for with other hints."""
        return Slot(self.cell, self.index, self.attempt + 1)


@dataclass(frozen=True)
class Hints:
    """The traits by which one ticket differs from the next."""

    urgency: Urgency
    length: str
    writer: str
    channel: str
    area: str
    detail: str
    style: str


def default_categories(taxonomy: Taxonomy) -> tuple[str, ...]:
    """Every category that has no sub-categories, and the sub-categories of the others."""
    return tuple(name for name in taxonomy.names if not taxonomy.children(name))


def ordered_cells(
    categories: Sequence[str], languages: Sequence[str], moods: Sequence[Sentiment], seed: int
) -> tuple[Cell, ...]:
    """All cells, so ordered that every beginning of the list is as balanced as it can be."""
    rng = random.Random(f"{seed}:cells")
    names = list(dict.fromkeys(categories))
    others = [(language, mood) for language in dict.fromkeys(languages) for mood in dict.fromkeys(moods)]
    rng.shuffle(names)
    rng.shuffle(others)
    return tuple(
        Cell(name, *others[(turn + place) % len(others)])
        for turn in range(len(others))
        for place, name in enumerate(names)
    )


def shares(cells: Sequence[Cell], count: int) -> dict[Cell, int]:
    """Each cell's share of ``count`` tickets; shares differ by one at most."""
    each, rest = divmod(count, len(cells))
    return {cell: each + (place < rest) for place, cell in enumerate(cells)}


def missing(cells: Sequence[Cell], count: int, there: Mapping[Cell, int]) -> list[Slot]:
    """The tickets of a plan of ``count`` that are not ``there`` yet, the cells by turns."""
    wanted = shares(cells, count)
    slots = [Slot(cell, index) for cell in cells for index in range(there.get(cell, 0), wanted[cell])]
    rank = {cell: place for place, cell in enumerate(cells)}
    return sorted(slots, key=lambda slot: (slot.index, rank[slot.cell]))


def count_there(cells: Sequence[Cell], rows: Sequence[Mapping[str, object]]) -> Counter[Cell]:
    """The number of a file's rows in each cell."""
    known = {(cell.category, cell.language, cell.mood.value): cell for cell in cells}
    found: Counter[Cell] = Counter()
    for row in rows:
        labels = (row.get("subcategory") or row.get("category"), row.get("language"), row.get("sentiment"))
        if all(isinstance(label, str) for label in labels) and labels in known:
            found[known[labels]] += 1
    return found


def hints_for(slot: Slot, seed: int, taxonomy: Taxonomy) -> Hints:
    """The hints for one ticket; the same for the same seed and slot."""
    cell = slot.cell
    rng = random.Random(f"{seed}:{cell.category}:{cell.language}:{cell.mood}:{slot.index}:{slot.attempt}")
    words = word_lists()["hints"]
    return Hints(
        urgency=_urgency(rng, cell, taxonomy),
        length=_weighted(rng, words["lengths"]),
        writer=rng.choice(words["writers"]),
        channel=_weighted(rng, words["channels"]),
        area=rng.choice(words["areas"]),
        detail=rng.choice(words["details"]),
        style=_weighted(rng, words["styles"]),
    )


def _weighted(rng: random.Random, choices: Mapping[str, int]) -> str:
    return rng.choices(list(choices), list(choices.values()))[0]


def _urgency(rng: random.Random, cell: Cell, taxonomy: Taxonomy) -> Urgency:
    weights = dict(zip(Urgency, _URGENCIES[cell.mood], strict=True))
    if taxonomy.split(cell.category)[0] in (taxonomy.fallback, *_NEVER_CRITICAL):
        weights[Urgency.CRITICAL] = 0
    drawn = rng.choices(list(weights), list(weights.values()))[0]
    return taxonomy.at_least_floor(cell.category, drawn)


# Critical, high, medium, low: the order of Urgency.
_URGENCIES = {
    Sentiment.NEGATIVE: (10, 35, 40, 15),
    Sentiment.NEUTRAL: (6, 20, 44, 30),
    Sentiment.POSITIVE: (2, 13, 40, 45),
}
_NEVER_CRITICAL = ("feature_request", "general")
