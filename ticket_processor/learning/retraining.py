"""Approved corrections as labelled tickets for the classifier. Pure.

Corrections are learnt from, and never tested on: of all of them the answer was wrong, so that any other would seem
better.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence

from ..core.models import Sentiment
from ..core.taxonomy import Taxonomy
from ..evaluation.data import Example, urgency_of
from .model import Correction

RETRAINED = "classifier"
"""The kind of a learnt change that trains the classifier anew."""
FIELDS = ("category", "subcategory", "urgency", "priority", "sentiment")


def corrected_examples(corrections: Iterable[Correction], taxonomy: Taxonomy) -> list[Example]:
    """One example a ticket, with all that people chose on it, under today's names; the newest of a field counts.

    A sub-category counts where it lies within the category, and the priority where nobody chose an urgency.
    """
    by_ticket: defaultdict[int, dict[str, Correction]] = defaultdict(dict)
    for item in sorted(corrections, key=lambda item: (item.at, item.id)):
        if item.field in FIELDS and item.text and item.actor_kind == "person":
            by_ticket[item.ticket_id][item.field] = item
    found = []
    for number, chosen in by_ticket.items():
        said = {field: item.theirs for field, item in chosen.items()}
        category = taxonomy.today(said.get("category", ""))
        below = taxonomy.today(said.get("subcategory", ""))
        if below is not None and category in (None, taxonomy.split(below)[0]):
            category = below
        mood = said.get("sentiment")
        example = Example(
            id=str(number),
            body=max(chosen.values(), key=lambda item: item.at).text,
            category=category,
            urgency=urgency_of(said.get("urgency", said.get("priority"))),
            sentiment=Sentiment(mood) if mood in set(Sentiment) else None,
        )
        if example.category or example.urgency or example.sentiment:
            found.append(example)
    return found


def with_corrections(solved: Sequence[Example], corrected: Sequence[Example]) -> tuple[list[Example], list[Example]]:
    """Solved tickets as people corrected them, and the corrected tickets that are not among them."""
    known = {example.id: example for example in corrected}
    among = [example.model_copy(update=_labels(known.get(example.id))) for example in solved]
    there = {example.id for example in solved}
    return among, [example for example in corrected if example.id not in there]


def _labels(corrected: Example | None) -> dict[str, object]:
    given = (
        {} if corrected is None else {name: getattr(corrected, name) for name in ("category", "urgency", "sentiment")}
    )
    return {name: value for name, value in given.items() if value is not None}
