"""Zendesk's own triage as an analyser: intents mean what people chose on other tickets, and none learns from itself."""

from __future__ import annotations

import pytest

from ticket_processor.core.models import Analysis
from ticket_processor.core.taxonomy import default_taxonomy
from ticket_processor.evaluation.data import Example
from ticket_processor.evaluation.measure import answer_all, intelligent_triage

from ..support.fakes import ManualClock

TAXONOMY = default_taxonomy()


def answers(*tickets: tuple[str | None, str]) -> list[Analysis]:
    """What intelligent triage says of tickets with these categories of people's and tags, a space between two."""
    examples = [Example(id=str(number), category=category) for number, (category, _) in enumerate(tickets)]
    triage = intelligent_triage(examples, [tags.split() for _, tags in tickets], TAXONOMY, lambda _said: None)
    assert triage is not None
    return [answer.analysis for answer in answer_all(triage, examples, ManualClock())]


@pytest.mark.parametrize(
    ("others", "tags", "category", "confidence"),
    [
        ((("billing", "intent__a__b"),), "vip intent__a__b intent_confidence__high", "billing", 0.9),
        ((("billing", "intent__a__b"),), "intent__a__b intent_confidence__low", "billing", 0.3),
        ((("billing", "intent__a__b"),), "intent__a__b", "billing", 0.0),
        (
            (("billing", "intent__a__b"), ("order", "intent__a__b"), ("order", "intent__a__b")),
            "intent__a__b",
            "order",
            0,
        ),
        ((("billing", "intent__a__b"),), "intent__a__new intent_confidence__high", "billing", 0.9),
        ((("billing", "intent__a"),), "intent__new intent_confidence__high", TAXONOMY.fallback, 0.0),
        ((("billing", "intent__a"),), "intent__a intent__b intent_confidence__high", TAXONOMY.fallback, 0.0),
        ((("billing", "intent__a"),), "intent_confidence__high", TAXONOMY.fallback, 0.0),
    ],
)
def test_an_intent_means_what_people_chose_on_other_tickets_with_it_or_its_parent(
    others: tuple[tuple[str | None, str], ...], tags: str, category: str, confidence: float
) -> None:
    last = answers(*others, (None, tags))[-1]
    assert (last.category, last.confidence) == (category, confidence)


def test_no_ticket_learns_from_what_people_chose_on_itself() -> None:
    told = answers(("billing", "intent__a"), ("order", "intent__b"), ("order", "intent__b"))
    assert [each.category for each in told] == [TAXONOMY.fallback, "order", "order"]


@pytest.mark.parametrize(("category", "tags"), [("billing", ()), (None, ("intent__a",))])
def test_without_an_intent_on_a_ticket_with_a_category_it_is_not_compared(
    category: str | None, tags: tuple[str, ...]
) -> None:
    examples = [Example(id="1", category=category)]
    assert intelligent_triage(examples, [tags], TAXONOMY, lambda _said: None) is None
