from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ticket_processor.core.models import Analysis, Risk, Urgency
from ticket_processor.core.text import plain_line
from ticket_processor.policy.decide import FieldPolicy, Mode, Policy, decide
from ticket_processor.policy.note import REASONS, NoteWhen

from ..support.fakes import an_analysis
from ..support.policies import ANALYSES, POLICIES, TAXONOMY

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


FULL = {
    "subcategory": "double_charge",
    "secondary": ("refund", "account"),
    "risk": Risk.HIGH,
    "urgent_tone": True,
    "evidence": ("charged twice", "invoice"),
    "entities": {"order_number": "12345", "amount": "30 EUR", "product": ""},
    "confidence": 0.3,
}
ADVICE = {
    "root_cause": "The subscription was renewed twice.",
    "steps": ("Look up both payments.", "Refund the second one."),
    "resolution_likelihood": 0.8,
}


def test_the_note_holds_everything_that_a_person_needs_to_judge_it_in_a_few_plain_lines() -> None:
    policy = Policy(priority=FieldPolicy(mode=Mode.SUGGEST))
    note = decide(1, an_analysis(**FULL), policy).note or ""
    assert note.splitlines() == [
        "Triage: billing / double_charge, urgency high, sentiment negative, risk high, pressing tone, language en; "
        "by m-1, confidence 0.30.",
        "Summary: “Charged twice.”",
        "Also: refund, account.",
        "Because of: “charged twice”, “invoice”.",
        "order_number: “12345”; amount: “30 EUR”",
        "Escalation: high risk, negative and pressing. Have a person with the authority to decide read it before it is "
        "answered.",
        "Suggested, not set: priority high.",
        "Unsure: please check.",
    ]


@given(
    summary=HOSTILE,
    evidence=st.lists(HOSTILE, max_size=5),
    entities=st.dictionaries(st.sampled_from(["order_number", "product", "data", "amount"]), HOSTILE, max_size=4),
    model=HOSTILE,
    plan=HOSTILE,
    suspicious=st.booleans(),
    confidence=st.sampled_from([0.3, 0.9]),
    cause=HOSTILE,
    steps=st.lists(HOSTILE | st.text(min_size=100), max_size=5),
    pressing=st.lists(HOSTILE | st.text(min_size=100), max_size=3),
    policy=POLICIES,
)
def test_nothing_in_a_note_can_become_a_link_a_mention_a_placeholder_or_another_line(
    summary: str,
    evidence: list[str],
    entities: dict[str, str],
    model: str,
    plan: str,
    suspicious: bool,
    confidence: float,
    cause: str,
    steps: list[str],
    pressing: list[str],
    policy: Policy,
) -> None:
    analysis = an_analysis(
        **{**FULL, "summary": summary, "evidence": evidence, "entities": entities, "model": model}
        | {**ADVICE, "confidence": confidence, "root_cause": cause, "steps": steps},
        suspicious=("orders",) if suspicious else (),
        urgent_words=tuple(pressing),
    )
    # Past the settings' own check, as if it had let everything through.
    plans = dict.fromkeys(REASONS, plan.replace("{", "{{").replace("}", "}}"))
    policy = policy.model_copy(update={"escalation": policy.escalation.model_copy(update={"plans": plans})})
    note = decide(1, analysis, policy, TAXONOMY).note or ""
    lines = note.split("\n")
    assert len(lines) <= 9
    for line in lines:
        assert plain_line(line, 500) == line
        assert not any(piece in line for piece in ("://", "](", "{{", "{%", "<img", "@", "evil.example", "\u202e"))
        assert not line.startswith("Ref tb-")
        before, _, words = line.partition("“")
        if before == "Summary: ":
            assert not set('“”„‟"＂«»') & set(words[:-1])
        if before in ("Because of: ", "Urgent by keyword rules because of: "):
            assert line.count("“") == line.count("”")


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


def test_the_words_that_made_a_ticket_urgent_stand_in_its_note_if_the_settings_ask_for_them() -> None:
    policy, words = Policy(note_urgent_words=True), ("production down", "asap")

    def line(**fields: Any) -> str:
        note = decide(1, an_analysis(evidence=("invoice",), urgent_words=words, **fields), policy).note or ""
        return next(line for line in note.splitlines() if line.startswith("Because"))

    assert line(source="rules") == "Because of: “invoice”. Urgent because of: “production down”, “asap”."
    assert line() == "Because of: “invoice”. Urgent by keyword rules because of: “production down”, “asap”."
    assert line(urgency=Urgency.MEDIUM) == "Because of: “invoice”."


@given(ANALYSES, POLICIES)
def test_urgent_words_change_nothing_but_a_note_and_that_only_if_the_settings_ask_for_them(
    analysis: Analysis, policy: Policy
) -> None:
    off = policy.model_copy(update={"note_urgent_words": False})
    without = analysis.model_copy(update={"urgent_words": ()})
    assert decide(1, analysis, off) == decide(1, without, off)
    on = decide(1, analysis, off.model_copy(update={"note_urgent_words": True}))
    assert on.model_copy(update={"note": None}) == decide(1, without, off).model_copy(update={"note": None})
    assert "note_urgent_words" not in off.model_dump_json()


# A model's advice


@pytest.mark.parametrize(
    ("analysis", "policy"),
    [
        ({"confidence": 0.69}, {}),
        ({"confidence": 0.9}, {"review_below": 0.95}),
        ({"suspicious": ("override",)}, {}),
        ({"source": "rules"}, {}),
        ({"source": "classifier"}, {}),
    ],
)
def test_advice_of_an_unsure_model_on_a_suspicious_ticket_or_of_no_model_is_not_shown(
    analysis: dict[str, object], policy: dict[str, object]
) -> None:
    note = decide(1, an_analysis(**ADVICE, **analysis), Policy.model_validate(policy)).note or ""
    assert not any(line.startswith(("Likely", "To try")) for line in note.splitlines())


# What every note says


def test_the_note_warns_of_a_text_that_gives_orders_to_a_program() -> None:
    note = decide(1, an_analysis(suspicious=("orders",)), Policy()).note or ""
    assert "Careful: the text seems to give instructions to a program (orders). Please check." in note


@given(analysis=ANALYSES, policy=POLICIES)
def test_a_note_says_what_why_how_surely_what_else_and_by_whom(analysis: Analysis, policy: Policy) -> None:
    analysis = analysis.model_copy(update={"evidence": ("charged twice",)})
    note = decide(1, analysis, policy, TAXONOMY).note
    if note is None:
        return
    who = {"model": "by m-1", "classifier": "by the local classifier", "rules": "by keyword rules"}[analysis.source]
    for said in (": billing", f"confidence {analysis.confidence:.2f}", who, "“charged twice”"):
        assert said in note
    assert all(name in note for name in analysis.secondary)
    assert note.startswith("Triage (a guess by keyword rules") == (
        analysis.source == "rules" and analysis.confidence < 0.68
    )


# When there is one


def test_when_useful_a_ticket_that_its_tags_and_priority_say_all_about_gets_none() -> None:
    policy = Policy(note=NoteWhen.WHEN_USEFUL)
    assert decide(1, an_analysis(resolution_likelihood=0.9), policy, TAXONOMY).note is None
    assert decide(1, an_analysis(**{**ADVICE, "confidence": 0.6}), policy, TAXONOMY).note is None
    plain = an_analysis(evidence=("charged twice",), entities={"product": ""})
    assert decide(1, plain, policy, TAXONOMY).note is None
    assert decide(1, plain.model_copy(update={"risk": Risk.MEDIUM}), policy, TAXONOMY).note is None


@pytest.mark.parametrize(
    "more",
    [
        {"suspicious": ("orders",)},
        {"confidence": 0.49},
        {"secondary": ("refund",)},
        {"entities": {"order_number": "12345"}},
        {"risk": Risk.HIGH},
        {"urgency": Urgency.CRITICAL},
        {"urgent_tone": True},  # and negative: escalated
        {"condenses": True},
        {"root_cause": "It was renewed twice."},
        {"steps": ("Look up both payments.",)},
    ],
)
def test_when_useful_a_ticket_that_more_can_be_said_about_gets_one(more: dict[str, object]) -> None:
    assert decide(1, an_analysis(**more), Policy(note=NoteWhen.WHEN_USEFUL), TAXONOMY).note


@pytest.mark.parametrize("more", [{"confidence": 0.4}, {"secondary": ("refund",), "confidence": 0.6}])
def test_when_useful_doubts_of_the_rules_alone_are_not_told(more: dict[str, object]) -> None:
    analysis = an_analysis(source="rules", **more)
    assert decide(1, analysis, Policy(note=NoteWhen.WHEN_USEFUL), TAXONOMY).note is None
