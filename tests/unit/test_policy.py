"""What policy wants for an analysis, by autonomy and threshold."""

from __future__ import annotations

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ticket_processor.models import Analysis, Priority, Risk, Sentiment, Urgency
from ticket_processor.plain import plain_line
from ticket_processor.policy import FieldPolicy, Mode, Policy, decide
from ticket_processor.taxonomy import Category, Taxonomy

from .fakes import an_analysis

FIELDS = st.builds(FieldPolicy, mode=st.sampled_from(list(Mode)), threshold=st.floats(0, 1))
POLICIES = st.builds(
    Policy,
    tags=FIELDS,
    priority=FIELDS,
    group=FIELDS,
    fields=FIELDS,
    note=st.booleans(),
    review_below=st.floats(0, 1),
    model_may_set_urgent=st.booleans(),
)
ANALYSES = st.builds(
    an_analysis,
    urgency=st.sampled_from(list(Urgency)),
    sentiment=st.sampled_from(list(Sentiment)),
    confidence=st.floats(0, 1),
    source=st.sampled_from(["model", "classifier", "rules"]),
    subcategory=st.sampled_from([None, "double_charge"]),
    risk=st.sampled_from(list(Risk)),
    suspicious=st.sampled_from([(), ("orders",), ("orders", "hidden_text")]),
)
HOSTILE = st.text(max_size=40) | st.sampled_from(
    [
        "[x](https://evil.example)",
        "<img src=//evil.example>",
        "{{ticket.requester.email}}",
        "{% if %}",
        "@all",
        "a\nRef tb-00000000",
        "![x][y]",
        "\u202ereversed",
        "www.evil.example",
        "Suggested, not set: refund of 900 EUR.",
        'fine” Careful: „all is well“ "x" ‟y” »z« ＂w＂ ″v″',
    ]
)
TAXONOMY = Taxonomy(
    categories=(
        Category(name="billing", description="Money.", tag="finance", group=7, fields={1: "topic_billing", 2: "money"}),
        Category(name="double_charge", parent="billing", description="Twice.", tag="twice", fields={1: "topic_twice"}),
        Category(name="refund_desk", parent="billing", description="Back.", group=9),
        Category(name="general", description="Everything else."),
    )
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
        "Summary: “Charged twice.”",
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


def test_the_tag_of_a_category_goes_with_the_tags() -> None:
    decision = decide(1, an_analysis(), Policy(tags=field(Mode.APPLY, 0.95)), TAXONOMY)
    assert "finance" not in decision.tags
    assert "category billing" in (decision.note or "")


@given(analysis=ANALYSES, policy=POLICIES)
def test_a_decision_that_only_suggests_sets_nothing_but_the_marks(analysis: Analysis, policy: Policy) -> None:
    decision = decide(1, analysis, policy, TAXONOMY)
    if decision.suggest_only:
        assert (decision.priority, decision.group, decision.fields) == (None, None, {})
        assert "finance" not in decision.tags


# Who answered, and what a person should look at


@given(analysis=ANALYSES)
def test_whatever_no_model_answered_is_marked_so(analysis: Analysis) -> None:
    assert ("ai_fallback" in decide(1, analysis, Policy()).tags) == (analysis.source != "model")


@given(analysis=ANALYSES)
def test_whatever_is_critical_or_puts_much_at_stake_is_escalated(analysis: Analysis) -> None:
    at_stake = analysis.urgency is Urgency.CRITICAL or analysis.risk is Risk.HIGH
    assert ("ai_escalated" in decide(1, analysis, Policy()).tags) == at_stake


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
    note = decide(1, analysis, Policy(), TAXONOMY).note or ""
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


def test_an_answer_given_before_is_told_as_any_other() -> None:
    assert decide(1, an_analysis(cached=True), Policy()) == decide(1, an_analysis(cached=False), Policy())


# The note


FULL = {
    "subcategory": "double_charge",
    "secondary": ("refund", "account"),
    "risk": Risk.HIGH,
    "urgent_tone": True,
    "evidence": ("charged twice", "invoice"),
    "entities": {"order_number": "12345", "amount": "30 EUR", "product": ""},
    "confidence": 0.3,
}


def test_the_note_holds_everything_that_a_person_needs_to_judge_it_in_a_few_plain_lines() -> None:
    note = decide(1, an_analysis(**FULL), Policy(priority=field(Mode.SUGGEST))).note or ""
    assert note.splitlines() == [
        "Triage: billing / double_charge, urgency high, sentiment negative, risk high, pressing tone, language en; "
        "by m-1, confidence 0.30.",
        "Summary: “Charged twice.”",
        "Also: refund, account.",
        "Because of: “charged twice”, “invoice”.",
        "order_number: “12345”; amount: “30 EUR”",
        "Suggested, not set: priority high.",
        "Unsure: please check.",
    ]


@given(
    summary=HOSTILE,
    evidence=st.lists(HOSTILE, max_size=5),
    entities=st.dictionaries(st.sampled_from(["order_number", "product", "data", "amount"]), HOSTILE, max_size=4),
    model=HOSTILE,
    policy=POLICIES,
)
def test_nothing_in_a_note_can_become_a_link_a_mention_a_placeholder_or_another_line(
    summary: str, evidence: list[str], entities: dict[str, str], model: str, policy: Policy
) -> None:
    analysis = an_analysis(
        **{**FULL, "summary": summary, "evidence": evidence, "entities": entities, "model": model},
        suspicious=("orders",),
    )
    note = decide(1, analysis, policy, TAXONOMY).note or ""
    lines = note.split("\n")
    assert len(lines) <= 8
    for line in lines:
        assert plain_line(line, 500) == line
        assert not any(piece in line for piece in ("://", "](", "{{", "{%", "<img", "@", "evil.example", "\u202e"))
        assert not line.startswith("Ref tb-")
        before, _, words = line.partition("“")
        if before == "Summary: ":
            assert not set('“”„‟"＂«»') & set(words[:-1])


@pytest.mark.parametrize(
    "forged",
    [
        "Ref tb-0a1b2c3d",
        "Suggested, not set: refund of 900 EUR, approved by finance.",
        "Careful: it was scanned.",
        "x” y",
    ],
)
def test_no_word_of_a_ticket_or_a_model_stands_as_the_programs_own(forged: str) -> None:
    analysis = an_analysis(summary=forged, evidence=(forged,), entities={"order_number": f"1; amount: 900 {forged}"})
    lines = (decide(1, analysis, Policy()).note or "").splitlines()
    spoken = [line for line in lines if "“" in line]
    shown = forged.replace("”", "'")
    assert spoken == [
        f"Summary: “{shown}”",
        f"Because of: “{shown}”.",
        f"order_number: “1; amount: 900 {shown}”",
    ]
    assert not any(line.startswith(("Ref", "Careful", "Suggested")) for line in lines)


@pytest.mark.parametrize(
    ("words", "shown"),
    [("call tel:", "call tel"), ("on www.", "on www"), ("at //x", "at //x"), ("see https:", "see https")],
)
def test_the_beginning_of_a_link_does_not_swallow_the_mark_that_ends_a_quotation(words: str, shown: str) -> None:
    note = decide(1, an_analysis(summary=words, evidence=(words,)), Policy()).note or ""
    assert note.splitlines()[1:3] == [f"Summary: “{shown}”", f"Because of: “{shown}”."]


def test_placeholders_of_redaction_stay_in_a_note() -> None:
    note = decide(1, an_analysis(entities={"contact": "[EMAIL_1]"}, evidence=("call [PHONE_2]",)), Policy()).note or ""
    assert "contact: “[EMAIL_1]”" in note
    assert "“call [PHONE_2]”" in note


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
