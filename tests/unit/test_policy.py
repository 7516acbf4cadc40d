"""What policy wants for an analysis, by autonomy and threshold."""

from __future__ import annotations

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ticket_processor.models import Priority, Sentiment, Urgency
from ticket_processor.policy import FieldPolicy, Mode, Policy, decide

from .fakes import an_analysis

FIELDS = st.builds(FieldPolicy, mode=st.sampled_from(list(Mode)), threshold=st.floats(0, 1))
POLICIES = st.builds(
    Policy,
    tags=FIELDS,
    priority=FIELDS,
    note=st.booleans(),
    review_below=st.floats(0, 1),
    model_may_set_urgent=st.booleans(),
)
ANALYSES = st.builds(
    an_analysis,
    urgency=st.sampled_from(list(Urgency)),
    sentiment=st.sampled_from(list(Sentiment)),
    confidence=st.floats(0, 1),
    source=st.sampled_from(["model", "rules"]),
)


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


@pytest.mark.parametrize(("tags", "priority"), list(itertools.product(Mode, Mode)))
def test_a_decision_only_suggests_when_nothing_is_set_and_something_is_suggested(tags: Mode, priority: Mode) -> None:
    decision = decide(1, an_analysis(), Policy(tags=field(tags), priority=field(priority)))
    nothing_set = Mode.APPLY not in (tags, priority)
    assert decision.suggest_only == (nothing_set and Mode.SUGGEST in (tags, priority))


@given(analysis=ANALYSES, policy=POLICIES)
def test_the_marker_is_always_wanted(analysis: object, policy: Policy) -> None:
    assert "ai_processed" in decide(1, analysis, policy).tags  # type: ignore[arg-type]


@given(analysis=ANALYSES, policy=POLICIES)
def test_a_model_sets_urgent_only_where_it_was_allowed_to(analysis: object, policy: Policy) -> None:
    decision = decide(1, analysis, policy)  # type: ignore[arg-type]
    if decision.priority is Priority.URGENT:
        assert policy.model_may_set_urgent or analysis.source == "rules"  # type: ignore[attr-defined]


@given(analysis=ANALYSES, policy=POLICIES)
def test_without_apply_no_priority_is_set(analysis: object, policy: Policy) -> None:
    if policy.priority.mode is not Mode.APPLY:
        assert decide(1, analysis, policy).priority is None  # type: ignore[arg-type]


def test_urgent_from_a_model_becomes_high_and_asks_a_person() -> None:
    decision = decide(1, an_analysis(urgency=Urgency.CRITICAL), Policy())
    assert decision.priority is Priority.HIGH
    assert "priority urgent, if a person agrees" in (decision.note or "")
    assert "ai_escalated" in decision.tags
    assert not decision.suggest_only


def test_urgent_from_a_model_stays_where_the_site_allows_it() -> None:
    decision = decide(1, an_analysis(urgency=Urgency.CRITICAL), Policy(model_may_set_urgent=True))
    assert decision.priority is Priority.URGENT


def test_keyword_rules_may_set_urgent_and_leave_their_tag() -> None:
    analysis = an_analysis(urgency=Urgency.CRITICAL, source="rules", model=None, why_fallback="model_timeout")
    decision = decide(1, analysis, Policy())
    assert decision.priority is Priority.URGENT
    assert "ai_fallback" in decision.tags
    assert "model timeout" in decision.reason.replace("_", " ")


@pytest.mark.parametrize(
    ("urgency", "priority"),
    [
        (Urgency.HIGH, Priority.HIGH),
        (Urgency.MEDIUM, Priority.NORMAL),
        (Urgency.LOW, Priority.LOW),
    ],
)
def test_urgency_becomes_priority(urgency: Urgency, priority: Priority) -> None:
    assert decide(1, an_analysis(urgency=urgency), Policy()).priority is priority


@pytest.mark.parametrize(("confidence", "unsure"), [(0.49, True), (0.5, False), (0.0, True), (1.0, False)])
def test_an_unsure_answer_is_marked_for_review(confidence: float, unsure: bool) -> None:
    decision = decide(1, an_analysis(confidence=confidence), Policy(review_below=0.5))
    assert ("ai_review" in decision.tags) == unsure
    assert ("please check" in (decision.note or "")) == unsure


def test_a_site_without_notes_gets_none() -> None:
    assert decide(1, an_analysis(), Policy(note=False)).note is None


def test_another_prefix_is_used_throughout() -> None:
    policy = Policy(tag_prefix="bot_")
    decision = decide(1, an_analysis(confidence=0.1, urgency=Urgency.CRITICAL, source="rules"), policy)
    assert policy.marker == "bot_processed"
    assert all(tag.startswith("bot_") for tag in decision.tags)


def test_the_note_names_what_was_understood_and_by_whom() -> None:
    note = decide(1, an_analysis(), Policy()).note or ""
    assert note.splitlines() == [
        "Triage: billing, urgency high, sentiment negative, language en; by m-1, confidence 0.90.",
        "Charged twice.",
    ]


@pytest.mark.parametrize("mode", [Mode.OFF, Mode.SUGGEST])
def test_a_site_that_wants_no_tags_gets_only_the_marker(mode: Mode) -> None:
    unsure_outage = an_analysis(urgency=Urgency.CRITICAL, confidence=0.1, source="rules")
    assert decide(1, unsure_outage, Policy(tags=field(mode))).tags == ("ai_processed",)


def test_with_priority_off_nothing_about_urgency_is_suggested() -> None:
    decision = decide(1, an_analysis(urgency=Urgency.CRITICAL), Policy(priority=field(Mode.OFF)))
    assert "priority" not in (decision.note or "")


@pytest.mark.parametrize("policy", [field(Mode.APPLY, 0.95), field(Mode.SUGGEST)])
def test_below_the_threshold_urgent_is_suggested_once(policy: FieldPolicy) -> None:
    decision = decide(1, an_analysis(urgency=Urgency.CRITICAL), Policy(priority=policy))
    assert decision.priority is None
    assert (decision.note or "").count("priority") == 1
    assert "priority urgent, if a person agrees" in (decision.note or "")
