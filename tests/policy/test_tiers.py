"""The preset that says who should take a ticket."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given

from ticket_processor.core.models import Analysis, Risk, Sentiment, Urgency
from ticket_processor.policy.decide import RESERVED_TAGS, TIER_TAGS, FieldPolicy, Mode, Policy, Tier, Tiers, decide

from ..support.fakes import an_analysis
from ..support.policies import ANALYSES, POLICIES, TAXONOMY

EASY = {"urgency": Urgency.MEDIUM, "sentiment": Sentiment.NEUTRAL, "confidence": 0.8}
GROUPS = {Tier.FIRST: 81, Tier.SECOND: 82, Tier.COMPLEX: 83}


def tier(analysis: Analysis, policy: Policy | None = None, **fields: Any) -> str:
    wishes = policy or Policy(preset="tiers", tiers=Tiers(**fields))
    (found,) = {tag.removeprefix("ai_") for tag in decide(1, analysis, wishes, TAXONOMY).tags} & set(TIER_TAGS)
    return found.removeprefix("tier_")


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        ({}, "1"),
        ({"urgency": Urgency.LOW}, "1"),
        ({"confidence": 0.64}, "1"),
        ({"confidence": 0.63}, "2"),
        ({"urgency": Urgency.HIGH}, "2"),
        ({"risk": Risk.MEDIUM}, "2"),
        ({"secondary": ("refund",)}, "2"),
        ({"category": "general"}, "2"),
        ({"sentiment": Sentiment.NEGATIVE, "urgent_tone": True}, "2"),  # escalated
        ({"urgency": Urgency.CRITICAL}, "complex"),
        ({"risk": Risk.HIGH}, "complex"),
        ({"confidence": 0.49}, "complex"),
        ({"secondary": ("refund", "account")}, "complex"),
        ({"suspicious": ("orders",)}, "complex"),
    ],
)
def test_the_tier_follows_from_what_was_understood(fields: dict[str, Any], expected: str) -> None:
    assert tier(an_analysis(**{**EASY, **fields})) == expected


@given(analysis=ANALYSES, policy=POLICIES)
def test_a_ticket_has_one_tier_with_the_preset_and_none_without(analysis: Analysis, policy: Policy) -> None:
    tags = {tag for tag in decide(1, analysis, policy, TAXONOMY).tags if tag.startswith("ai_tier_")}
    assert len(tags) == (policy.preset == "tiers" and policy.tags.mode is Mode.APPLY)
    if policy.preset == "tiers" and "ai_tier_1" in tags:
        assert analysis.risk is Risk.LOW
        assert not analysis.suspicious
        assert "ai_escalated" not in decide(1, analysis, policy, TAXONOMY).tags


def test_a_tier_is_told_however_unsure_the_labels_are() -> None:
    policy = Policy(preset="tiers", tags=FieldPolicy(threshold=0.9))
    assert decide(1, an_analysis(confidence=0.3), policy).tags == ("ai_processed", "ai_review", "ai_tier_complex")


@pytest.mark.parametrize(
    ("fields", "escalation", "group"),
    [
        ({"category": "general"}, {}, 82),
        ({"category": "general", "risk": Risk.HIGH}, {}, 83),
        ({"category": "general", "risk": Risk.HIGH}, {"group": 70}, 70),
        ({}, {}, 7),
        ({"risk": Risk.HIGH}, {"group": 70}, 70),
    ],
)
def test_a_tiers_group_comes_after_those_of_escalation_and_category(
    fields: dict[str, Any], escalation: dict[str, Any], group: int
) -> None:
    policy = Policy(preset="tiers", tiers=Tiers(groups=GROUPS), escalation=escalation)
    assert decide(1, an_analysis(**{**EASY, **fields}), policy, TAXONOMY).group == group
    assert decide(1, an_analysis(**EASY), policy.model_copy(update={"preset": "labels"})).group is None


def test_a_tiers_group_that_may_not_be_set_is_suggested() -> None:
    policy = Policy(preset="tiers", tiers=Tiers(groups=GROUPS), group=FieldPolicy(mode=Mode.SUGGEST))
    decision = decide(1, an_analysis(**EASY), policy)
    assert decision.group is None
    assert "group 81" in (decision.note or "")


def test_no_category_can_be_called_like_a_tier() -> None:
    assert set(TIER_TAGS) == {"tier_1", "tier_2", "tier_complex"} <= RESERVED_TAGS
