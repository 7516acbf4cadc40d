"""People's labels that look wrong are listed by what the other tickets teach, and only where these teach enough."""

from __future__ import annotations

import random

import pytest

from ticket_processor.core.taxonomy import Category, Taxonomy
from ticket_processor.evaluation.data import Example
from ticket_processor.evaluation.solved import doubtful_labels

WORDS = {
    "billing": "zinnia tulip begonia primrose lupin dahlia crocus".split(),
    "technical": "spade trowel rake hoe dibber mattock shears".split(),
    "order": "skillet saucepan colander whisk ladle cleaver grater".split(),
}
FILLER = [f"{one}{two}" for one in ("wander", "ponder", "gather", "linger") for two in ("ing", "ed", "s", "er", "ful")]
TAXONOMY = Taxonomy(categories=tuple(Category(name=name, description=name) for name in WORDS), fallback="order")


def tickets(count: int = 240) -> list[Example]:
    dice = random.Random(4)
    found = []
    for number in range(count):
        category = dice.choice(list(WORDS))
        words = [*dice.sample(WORDS[category], 4), *dice.sample(FILLER, 5)]
        dice.shuffle(words)
        found.append(Example(id=f"{number}", body=" ".join(words), category=category))
    return found


def wrongly(one: Example) -> Example:
    return one.model_copy(update={"category": next(name for name in WORDS if name != one.category)})


def test_planted_labels_are_listed_and_right_ones_are_not() -> None:
    right = tickets()
    assert doubtful_labels(right, TAXONOMY) == []
    planted = [wrongly(one) if place % 12 == 0 else one for place, one in enumerate(right)]
    found = doubtful_labels(planted, TAXONOMY)
    assert {one.ticket for one in found} == {one.id for one in right[::12]}
    assert {one.ticket: one.instead for one in found} == {one.id: one.category for one in right[::12]}


@pytest.mark.parametrize("count", [99, 240])
def test_nobody_is_doubted_where_tickets_are_few_or_labels_do_not_follow_from_words(count: int) -> None:
    dice = random.Random(6)
    rows = [wrongly(one) if place % 12 == 0 else one for place, one in enumerate(tickets(count))]
    if count > 99:
        rows = [one.model_copy(update={"category": dice.choice(list(WORDS))}) for one in rows]
    assert doubtful_labels(rows, TAXONOMY) == []
