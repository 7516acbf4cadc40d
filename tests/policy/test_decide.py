from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given

from ticket_processor.core.models import Analysis, Overwrite, Priority, Risk, Sentiment, Urgency
from ticket_processor.core.taxonomy import Category, Taxonomy
from ticket_processor.policy.decide import (
    PARTS,
    TIER_TAGS,
    FieldPolicy,
    Mode,
    Policy,
    Tier,
    Tiers,
    decide,
)
from ticket_processor.policy.note import NoteWhen

from ..support.fakes import an_analysis
from ..support.policies import ANALYSES, POLICIES, TAXONOMY


def field(mode: Mode, threshold: float = 0.0) -> FieldPolicy:
    return FieldPolicy(mode=mode, threshold=threshold)


@pytest.mark.parametrize(
    ("mode", "threshold", "applied", "suggested"),
    [
        (Mode.APPLY, 0.0, True, False),
        (Mode.APPLY, 0.7, True, False),
        (Mode.APPLY, 0.71, False, True),
        (Mode.SUGGEST, 0.0, False, True),
        (Mode.SUGGEST, 1.0, False, True),
        (Mode.OFF, 0.0, False, False),
        (Mode.OFF, 1.0, False, False),
    ],
)
def test_each_field_is_set_suggested_or_left_alone(
    mode: Mode, threshold: float, applied: bool, suggested: bool
) -> None:
    analysis = an_analysis(confidence=0.7)
    by_priority = decide(1, analysis, Policy(priority=field(mode, threshold)))
    assert (by_priority.priority is Priority.HIGH) == applied
    assert ("priority high" in (by_priority.note or "")) == suggested
    by_tags = decide(1, analysis, Policy(tags=field(mode, threshold)))
    assert ("ai_billing" in by_tags.tags) == applied
    assert ({"ai_urgency_high", "ai_sentiment_negative"} <= set(by_tags.tags)) == applied
    assert ("category billing" in (by_tags.note or "")) == suggested


def test_urgent_from_a_model_becomes_high_and_asks_a_person() -> None:
    decision = decide(1, an_analysis(urgency=Urgency.CRITICAL), Policy())
    assert decision.priority is Priority.HIGH
    assert "priority urgent, if a person agrees" in (decision.note or "")
    assert "ai_escalated" in decision.tags
    assert not decision.suggest_only


def test_keyword_rules_may_set_urgent_and_leave_their_tag() -> None:
    analysis = an_analysis(urgency=Urgency.CRITICAL, source="rules", model=None, why_fallback="model_timeout")
    decision = decide(1, analysis, Policy())
    assert decision.priority is Priority.URGENT
    assert "ai_fallback" in decision.tags
    assert "model timeout" in decision.reason.replace("_", " ")


@pytest.mark.parametrize(("confidence", "unsure"), [(0.49, True), (0.5, False), (0.0, True), (1.0, False)])
def test_an_unsure_answer_is_marked_for_review(confidence: float, unsure: bool) -> None:
    decision = decide(1, an_analysis(confidence=confidence), Policy(review_below=0.5))
    assert ("ai_review" in decision.tags) == unsure
    assert ("please check" in (decision.note or "")) == unsure


def test_another_prefix_is_used_throughout() -> None:
    policy = Policy(tag_prefix="bot_")
    decision = decide(1, an_analysis(confidence=0.1, urgency=Urgency.CRITICAL, source="rules"), policy)
    assert policy.marker == "bot_processed"
    assert all(tag.startswith("bot_") for tag in decision.tags)


@pytest.mark.parametrize("mode", [Mode.OFF, Mode.SUGGEST])
def test_a_site_that_wants_no_tags_gets_only_the_marker(mode: Mode) -> None:
    unsure_outage = an_analysis(urgency=Urgency.CRITICAL, confidence=0.1, source="rules")
    assert decide(1, unsure_outage, Policy(tags=field(mode))).tags == ("ai_processed",)


@given(analysis=ANALYSES, policy=POLICIES)
def test_the_second_category_is_one_more_label_where_it_is_wanted(analysis: Analysis, policy: Policy) -> None:
    without = decide(1, analysis, policy.model_copy(update={"tag_secondary": False}))
    wanted = decide(1, analysis, policy.model_copy(update={"tag_secondary": True}))
    labelled = "ai_billing" in without.tags and analysis.secondary
    assert set(wanted.tags) - set(without.tags) == ({"ai_also_refund"} if labelled else set())
    assert wanted.model_copy(update={"tags": without.tags}) == without
    assert not any("also" in tag for tag in without.tags)


# What rules alone may set


@given(analysis=ANALYSES, policy=POLICIES)
def test_what_rules_may_not_set_they_suggest_and_others_set_as_ever(analysis: Analysis, policy: Policy) -> None:
    careful = policy.model_copy(update={"rules_may_set": ("tags", "priority")})
    found, before = (decide(1, analysis, one, TAXONOMY) for one in (careful, policy))
    if analysis.source != "rules":
        assert found == before
        return
    assert (found.group, found.fields) == (None, {})
    assert (found.tags, found.priority) == (before.tags, before.priority)
    wanted = [f"group {before.group}"] * (before.group is not None)
    wanted += [f"field {key}: {value}" for key, value in before.fields.items()]
    if policy.note is not NoteWhen.NEVER:
        assert all(words in (found.note or "") for words in wanted)


@pytest.mark.parametrize(("part", "suggested"), [("tags", "category billing"), ("priority", "priority high")])
def test_rules_that_may_not_set_labels_or_the_priority_suggest_them(part: str, suggested: str) -> None:
    others = tuple(name for name in PARTS if name != part)
    decision = decide(1, an_analysis(source="rules", model=None), Policy(rules_may_set=others))
    assert suggested in (decision.note or "")
    assert (decision.priority is None) == (part == "priority")
    assert ("ai_billing" in decision.tags) == (part != "tags")


# Targets of the taxonomy


def test_a_category_brings_its_own_tag_group_and_fields() -> None:
    decision = decide(1, an_analysis(), Policy(), TAXONOMY)
    assert "finance" in decision.tags
    assert (decision.group, decision.fields) == (7, {1: "topic_billing", 2: "money"})


@pytest.mark.parametrize(
    ("subcategory", "tags", "group", "fields"),
    [
        ("double_charge", {"finance", "twice", "ai_double_charge"}, 7, {1: "topic_twice", 2: "money"}),
        ("refund_desk", {"finance", "ai_refund_desk"}, 9, {1: "topic_billing", 2: "money"}),
    ],
)
def test_what_a_sub_category_does_not_say_itself_its_parent_says(
    subcategory: str, tags: set[str], group: int, fields: dict[int, str]
) -> None:
    decision = decide(1, an_analysis(subcategory=subcategory), Policy(), TAXONOMY)
    assert tags | {"ai_billing"} <= set(decision.tags)
    assert (decision.group, decision.fields) == (group, fields)


@pytest.mark.parametrize("category", ["general", "given_up_since"])
def test_a_category_without_targets_or_given_up_since_sets_nothing(category: str) -> None:
    decision = decide(1, an_analysis(category=category), Policy(), TAXONOMY)
    assert (decision.group, decision.fields) == (None, {})
    assert all(tag.startswith("ai_") for tag in decision.tags)


@pytest.mark.parametrize(
    ("mode", "threshold", "applied", "suggested"),
    [
        (Mode.APPLY, 0.9, True, False),
        (Mode.APPLY, 0.91, False, True),
        (Mode.SUGGEST, 0.0, False, True),
        (Mode.OFF, 0.0, False, False),
    ],
)
def test_group_and_fields_have_an_autonomy_of_their_own(
    mode: Mode, threshold: float, applied: bool, suggested: bool
) -> None:
    by_group = decide(1, an_analysis(), Policy(group=field(mode, threshold)), TAXONOMY)
    assert (by_group.group == 7) == applied
    assert ("group 7" in (by_group.note or "")) == suggested
    assert by_group.fields
    by_fields = decide(1, an_analysis(), Policy(fields=field(mode, threshold)), TAXONOMY)
    assert bool(by_fields.fields) == applied
    assert ("field 1: topic_billing; field 2: money" in (by_fields.note or "")) == suggested
    assert by_fields.group == 7


# Who answered, and what a person should look at


@given(analysis=ANALYSES, policy=POLICIES)
def test_a_suspicious_text_gets_tags_and_a_persons_look_and_nothing_else(analysis: Analysis, policy: Policy) -> None:
    decision = decide(1, analysis, policy, TAXONOMY)
    marked = {"ai_suspicious", "ai_review"} <= set(decision.tags)
    if analysis.suspicious:
        assert (decision.priority, decision.group, decision.fields) == (None, None, {})
        assert marked == (policy.tags.mode is Mode.APPLY)
        assert decision.note is None or "seems to give instructions" in decision.note
    else:
        assert "ai_suspicious" not in decision.tags


def test_what_a_suspicious_text_wants_is_only_suggested() -> None:
    analysis = an_analysis(suspicious=("orders_to_a_model",), urgency=Urgency.LOW)
    decision = decide(1, analysis, Policy(), TAXONOMY)
    assert (decision.priority, decision.group, decision.fields) == (None, None, {})
    note = decision.note or ""
    assert "(orders to a model)" in note
    assert "Suggested, not set: priority low; group 7; field 1: topic_billing; field 2: money." in note


def test_a_classifier_is_named_with_why_it_had_to_answer_and_sets_no_urgent() -> None:
    analysis = an_analysis(
        source="classifier", model=None, why_fallback="model_down", confidence=0.71, urgency=Urgency.CRITICAL
    )
    decision = decide(1, analysis, Policy())
    assert decision.reason == "by the local classifier (model down), confidence 0.71"
    assert decision.priority is Priority.HIGH
    assert decide(1, analysis, Policy(model_may_set_urgent=True)).priority is Priority.URGENT


def test_a_category_with_a_threshold_of_its_own_is_only_suggested_below_it() -> None:
    taxonomy = Taxonomy(
        categories=(
            Category(name="billing", description="Money.", threshold=0.8, tag="finance", group=7, fields={1: "money"}),
            Category(name="general", description="The rest."),
        )
    )
    unsure = decide(1, an_analysis(confidence=0.79), Policy(), taxonomy)
    assert not {"ai_billing", "finance"} & set(unsure.tags)
    assert (unsure.group, unsure.fields) == (None, {})
    assert unsure.note is not None
    assert "category billing" in unsure.note
    assert unsure.priority is not None
    sure = decide(1, an_analysis(confidence=0.8), Policy(), taxonomy)
    assert {"ai_billing", "finance"} <= set(sure.tags)
    assert (sure.group, sure.fields) == (7, {1: "money"})


# What is there already


def test_nothing_that_is_there_is_replaced_unless_the_site_says_so() -> None:
    policy = Policy()
    assert {item.overwrite for item in (policy.priority, policy.group, policy.fields)} == {Overwrite.NEVER}


@pytest.mark.parametrize(
    ("urgency", "source", "raises_only"),
    [
        (Urgency.HIGH, "model", False),
        (Urgency.CRITICAL, "model", True),  # "high" stands for an urgent that nobody has confirmed
        (Urgency.CRITICAL, "rules", False),
    ],
)
def test_a_priority_that_stands_for_an_unconfirmed_urgent_replaces_lower_ones_only(
    urgency: Urgency, source: str, raises_only: bool
) -> None:
    policy = Policy(escalation={"on": ()})
    assert decide(1, an_analysis(urgency=urgency, source=source), policy).priority_raises_only == raises_only


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
