"""Solved tickets of the helpdesk as labelled ones, and Zendesk's own triage of them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest

from ticket_processor.core.models import Analysis, Priority, Ticket
from ticket_processor.core.taxonomy import Category, Taxonomy, default_taxonomy
from ticket_processor.evaluation.data import Example
from ticket_processor.evaluation.measure import answer_all, intelligent_triage
from ticket_processor.evaluation.solved import Solved, how_it_was_decided, solved_examples
from ticket_processor.policy.decide import Policy

from ..support.fakes import ManualClock

TAXONOMY = Taxonomy(
    categories=(
        Category(name="billing", description="d", fields={7: "money"}),
        Category(name="reminders", description="d", parent="billing", tag="dunning"),
        Category(name="technical", description="d", tag="tech_team", group=31),
        Category(name="account", description="d", fields={7: "login"}, group=32),
        Category(name="general", description="d"),
    )
)
OURS = ("ai_processed", "ai_urgency_high", "ai_sentiment_neutral")


def ticket(number: int = 1, **values: Any) -> Ticket:
    given: dict[str, Any] = {
        "subject": "Help",
        "description": "It is broken",
        "status": "solved",
        "created_at": "2026-11-01T08:00:00Z",
        "updated_at": "2026-11-01T09:00:00Z",
        **values,
    }
    return Ticket(id=number, **given)


def read(*tickets: Ticket, **options: Any) -> Solved:
    return solved_examples([tickets], TAXONOMY, Policy(), **options)


def category(values: Mapping[str, Any], **options: Any) -> str | None:
    found = read(ticket(priority="low", **values), **options)
    return found.examples[0].category if found.examples else None


@pytest.mark.parametrize(
    ("priority", "urgency"), [("urgent", "critical"), ("high", "high"), ("normal", "medium"), ("low", "low")]
)
def test_the_priority_says_how_urgent_it_was(priority: str, urgency: str) -> None:
    (example,) = read(ticket(priority=Priority(priority))).examples
    assert example.label("urgency") == urgency


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        ({"fields": {7: "money"}}, "billing"),
        ({"fields": {7: "other login"}}, "account"),
        ({"tags": ("tech_team",)}, "technical"),
        ({"group": 31}, "technical"),
        ({"tags": ("general",)}, "general"),
        ({"tags": ("technical",)}, None),  # it has a tag of its own
        ({"tags": ("dunning",)}, "reminders"),
        ({"fields": {7: "login"}, "tags": ("tech_team",), "group": 31}, "account"),
        ({"tags": ("tech_team", "general")}, None),
        ({"fields": {8: "money"}, "group": 99}, None),
        ({"tags": ("dunning", "billing")}, "reminders"),  # a sub-category says more than its parent
    ],
)
def test_the_taxonomys_targets_say_which_category_it_was(values: Mapping[str, Any], expected: str | None) -> None:
    assert category(values) == expected


@pytest.mark.parametrize(
    ("values", "reason"),
    [
        ({"tags": OURS}, "triaged by ticketbot"),
        ({"tags": ("ai_urgency_low",)}, "triaged by ticketbot"),  # somebody removed the marker
        ({"follow_up": True}, "follow-ups of another"),
        ({"tags": ("closed_by_merge",)}, "merged into another"),
        ({"sender": "MAILER-DAEMON@example.com", "subject": "Undelivered Mail"}, "machine mail"),
        ({"status": "open"}, "reopened since"),
        ({"priority": None}, "without any label"),
    ],
)
def test_tickets_that_prove_nothing_are_left_out_and_counted(values: dict[str, Any], reason: str) -> None:
    found = read(ticket(**{"priority": "high", **values}), ticket(2, priority="low"))
    assert [example.id for example in found.examples] == ["2"]
    assert found.left_out == {reason: 1}
    assert found.read == 2


def test_another_products_tags_with_our_prefix_are_none_of_ours() -> None:
    assert len(read(ticket(priority="low", tags=("ai_summary", "ai_urgencyless"))).examples) == 1


def test_what_people_left_of_ours_counts_where_a_person_was_seen_to_decide() -> None:
    ours = (*OURS, "ai_general")
    found = read(
        ticket(1, priority="high", tags=ours),
        ticket(2, priority="low", tags=ours),
        ticket(3, priority="high", tags=(*ours, "tech_team")),
        ticket(4, priority="low"),
        decided=(1, 2, 3),
    )
    labels = [(example.category, example.label("urgency")) for example in found.examples]
    assert labels == [("general", "high"), ("general", "low"), ("technical", "high"), (None, "low")]
    assert found.ours == 3
    said = "\n".join(how_it_was_decided(found, "2026-08-23"))
    assert "3 of them were triaged by ticketbot, and people kept or changed their labels" in said
    assert found.category_by == {"ours": 2, "tag": 1}


def test_our_tag_does_not_stand_for_a_target_that_somebody_took_off() -> None:
    assert category({"tags": (*OURS, "ai_technical")}, decided=(1,)) is None
    assert category({"tags": (*OURS, "ai_technical", "tech_team")}, decided=(1,)) == "technical"


def test_no_page_is_asked_for_once_there_are_enough() -> None:
    pages = iter([tuple(ticket(10 * page + n, priority="low") for n in range(3)) for page in range(4)])
    found = solved_examples(pages, TAXONOMY, Policy(), limit=6)
    assert len(found.examples) == 6
    assert len([*pages]) == 2


def test_how_it_was_decided_is_told_without_a_customers_word() -> None:
    found = read(
        ticket(1, priority="high", tags=("tech_team",)),
        ticket(2, priority="high", tags=("tech_team", "general")),
        ticket(3, tags=OURS),
    )
    text = "\n".join(how_it_was_decided(found, "2026-08-23"))
    assert "3 solved and closed tickets created since 2026-08-23; 2 can be compared" in text
    assert "priority (2); category is from a tag (1)" in text
    assert "1 have the marks of several categories" in text
    assert "1 triaged by ticketbot" in text
    assert "broken" not in text


# Zendesk's own triage as an analyser


BUILT_IN = default_taxonomy()


def answers(*tickets: tuple[str | None, str]) -> list[Analysis]:
    """What intelligent triage says of tickets with these categories of people's and tags, a space between two."""
    examples = [Example(id=str(number), category=category) for number, (category, _) in enumerate(tickets)]
    triage = intelligent_triage(examples, [tags.split() for _, tags in tickets], BUILT_IN, lambda _said: None)
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
        ((("billing", "intent__a"),), "intent__new intent_confidence__high", BUILT_IN.fallback, 0.0),
        ((("billing", "intent__a"),), "intent__a intent__b intent_confidence__high", BUILT_IN.fallback, 0.0),
        ((("billing", "intent__a"),), "intent_confidence__high", BUILT_IN.fallback, 0.0),
    ],
)
def test_an_intent_means_what_people_chose_on_other_tickets_with_it_or_its_parent(
    others: tuple[tuple[str | None, str], ...], tags: str, category: str, confidence: float
) -> None:
    last = answers(*others, (None, tags))[-1]
    assert (last.category, last.confidence) == (category, confidence)


def test_no_ticket_learns_from_what_people_chose_on_itself() -> None:
    told = answers(("billing", "intent__a"), ("order", "intent__b"), ("order", "intent__b"))
    assert [each.category for each in told] == [BUILT_IN.fallback, "order", "order"]


@pytest.mark.parametrize(("category", "tags"), [("billing", ()), (None, ("intent__a",))])
def test_without_an_intent_on_a_ticket_with_a_category_it_is_not_compared(
    category: str | None, tags: tuple[str, ...]
) -> None:
    examples = [Example(id="1", category=category)]
    assert intelligent_triage(examples, [tags], BUILT_IN, lambda _said: None) is None
