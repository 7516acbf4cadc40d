"""Every rule that a write of ours sets off is among those that the doctor names: writes and rules drawn at random."""

from __future__ import annotations

import random

import pytest

from ticket_processor.core.models import Analysis, Change, Priority, Risk, Sentiment, Ticket, Urgency
from ticket_processor.core.taxonomy import Category, Taxonomy
from ticket_processor.helpdesk.business_rules import AccountSetup, BusinessRule, Clause, RuleAction, RuleCondition
from ticket_processor.learning.doctor.conditions import HypotheticalUpdate, Truth, holds
from ticket_processor.learning.doctor.examine import examine
from ticket_processor.learning.doctor.writes import planned_writes
from ticket_processor.policy.decide import Policy, decide
from ticket_processor.tags import merge

STAMP = "2026-11-01T10:00:00Z"
TAXONOMY = Taxonomy(
    categories=(
        Category(name="money", description="Money.", tag="finance", group=7, fields={9: "money"}),
        Category(name="refund", description="Money back.", parent="money", threshold=0.6),
        Category(name="rest", description="Everything else."),
    ),
    fallback="rest",
)
POLICIES = {
    "as it comes": Policy(),
    "careful": Policy.model_validate({"priority": {"mode": "suggest"}, "tags": {"threshold": 0.8}, "note": "never"}),
    "bold": Policy.model_validate(
        {"priority": {"overwrite": "always"}, "tag_secondary": True, "preset": "tiers", "model_may_set_urgent": True}
    ),
}
TAGS = [
    *("vip", "gold", "finance", "ai_processed", "ai_money", "ai_refund", "ai_rest", "ai_also_rest", "ai_tier_complex"),
    *("ai_urgency_critical", "ai_urgency_low", "ai_sentiment_negative", "ai_review", "ai_escalated", "ai_fallback"),
]


def a_condition(dice: random.Random) -> RuleCondition:
    words = " ".join(dice.sample(TAGS, dice.randint(1, 2)))
    priority = dice.choice(["", "low", "normal", "high", "urgent"])
    kinds = [
        ("current_tags", dice.choice(["includes", "not_includes"]), words),
        ("priority", dice.choice(["is", "is_not", "less_than", "greater_than", "changed", "not_changed"]), priority),
        ("priority", dice.choice(["value", "value_previous", "not_value", "not_value_previous"]), priority),
        ("status", dice.choice(["is", "is_not", "less_than", "changed"]), dice.choice(["new", "open", "solved"])),
        ("group_id", dice.choice(["is", "is_not", "changed", "value"]), dice.choice(["", "7", "8"])),
        ("custom_fields_9", dice.choice(["is", "is_not", "present", "not_present"]), dice.choice(["money", "other"])),
        ("comment_is_public", "is", dice.choice(["true", "false", "not_relevant", "requester_can_see_comment"])),
        ("update_type", "is", dice.choice(["Change", "Change", "Create"])),
        ("role", dice.choice(["is", "is_not"]), dice.choice(["agent", "end_user", "42"])),
    ]
    field, operator, value = dice.choice(kinds)
    return RuleCondition(field, operator, (value,))


def a_rule(dice: random.Random, number: int) -> BusinessRule:
    every = [a_condition(dice) for _ in range(dice.randint(0, 3))]
    some = [a_condition(dice) for _ in range(dice.choice([0, 0, 2]))]
    clause = Clause("all", (*every, Clause("any", tuple(some))) if some else tuple(every))
    return BusinessRule(
        "trigger", str(number), f"Rule {number}", clause, (RuleAction("notification_user", ("requester_id",)),)
    )


def a_write(dice: random.Random, policy: Policy) -> tuple[Ticket, Change]:
    name = dice.choice(TAXONOMY.names)
    category, subcategory = TAXONOMY.split(name)
    source = dice.choice(["model", "model", "rules", "classifier"])
    analysis = Analysis(
        category=category,
        subcategory=subcategory,
        secondary=tuple(dice.sample([other for other in TAXONOMY.top if other != category], dice.randint(0, 1))),
        urgency=dice.choice(list(Urgency)),
        sentiment=dice.choice(list(Sentiment)),
        urgent_tone=dice.random() < 0.3,
        risk=dice.choice(list(Risk)),
        suspicious=("told to",) if dice.random() < 0.1 else (),
        language="en",
        summary="",
        confidence=dice.random(),
        source=source,
        why_fallback=dice.choice([None, "unreachable"]) if source != "model" else None,
    )  # fmt: skip
    ticket = Ticket(
        id=1,
        status=dice.choice(["new", "open"]),
        priority=dice.choice([None, None, *Priority]),
        tags=tuple(dice.sample(["vip", "gold"], dice.randint(0, 2))),
        group=dice.choice([None, None, 7, 8]),
        fields=dice.choice([{}, {9: "other"}]),
        created_at=STAMP,
        updated_at=STAMP,
    )
    return ticket, merge(ticket, decide(1, analysis, policy, TAXONOMY), key="0" * 32)


def as_met(ticket: Ticket, change: Change) -> HypotheticalUpdate:
    """The write as a trigger of the helpdesk meets it."""
    priority, group, field = ticket.priority or "", str(ticket.group or ""), ticket.fields.get(9, "")
    return HypotheticalUpdate(
        tags=frozenset(change.tags),
        values={
            "status": (ticket.status, ticket.status),
            "priority": (priority, change.priority or priority),
            "group_id": (group, str(change.group or group)),
            "custom_fields_9": (field, change.fields.get(9, field)),
        },
        comment=None if change.note is None else "internal",
        own_user="42",
    )


@pytest.mark.parametrize("name", POLICIES)
def test_no_rule_that_a_write_sets_off_is_missing_among_the_named(name: str) -> None:
    dice, policy = random.Random(f"writes {name}"), POLICIES[name]
    rules = [a_rule(dice, number) for number in range(150)]
    writes = [as_met(*a_write(dice, policy)) for _ in range(150)]
    planned = planned_writes(policy, TAXONOMY, ("new", "open"))
    found = examine(AccountSetup(rules=tuple(rules), own_user="42"), planned, policy, TAXONOMY)
    named = {item.rule_id for item in found if item.severity == "conflict"}
    met = {rule.id for rule in rules if any(holds(rule.conditions, write) is Truth.YES for write in writes)}
    assert met <= named
    # And hardly one is named for nothing.
    assert len(met) >= 0.8 * len(named) > 20
