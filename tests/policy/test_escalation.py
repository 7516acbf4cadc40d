from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from ticket_processor.core.models import Analysis, Priority, Risk, Sentiment, Urgency
from ticket_processor.core.text import plain_line
from ticket_processor.policy.decide import FieldPolicy, Mode, Policy, decide
from ticket_processor.policy.note import (
    DEFAULT_PLANS,
    PLACEHOLDERS,
    REASONS,
    Escalation,
    plan_for,
    reasons_for,
)

from ..support.fakes import an_analysis
from ..support.policies import ANALYSES, POLICIES, TAXONOMY

CALM = {"urgency": Urgency.MEDIUM, "sentiment": Sentiment.NEUTRAL}


def escalating(**fields: Any) -> Policy:
    return Policy(escalation=Escalation(**fields))


# For what


@pytest.mark.parametrize(
    ("fields", "reasons"),
    [
        (CALM, ()),
        ({**CALM, "urgency": Urgency.CRITICAL}, ("critical",)),
        ({**CALM, "risk": Risk.MEDIUM}, ()),
        ({**CALM, "risk": Risk.HIGH}, ("high_risk",)),
        ({"sentiment": Sentiment.NEGATIVE}, ()),
        ({"sentiment": Sentiment.NEUTRAL, "urgent_tone": True}, ()),
        ({"sentiment": Sentiment.NEGATIVE, "urgent_tone": True}, ("negative_and_urgent",)),
        ({**CALM, "alarms": ("outage", "churn")}, ()),
        ({**CALM, "alarms": ("security",)}, ("security",)),
        ({**CALM, "suspicious": ("orders",)}, ()),
        (
            {"urgency": Urgency.CRITICAL, "risk": Risk.HIGH, "alarms": ("security",), "urgent_tone": True},
            ("security", "critical", "high_risk", "negative_and_urgent"),
        ),
    ],
)
def test_unless_the_site_says_otherwise_what_cannot_wait_is_escalated(
    fields: dict[str, Any], reasons: tuple[str, ...]
) -> None:
    decision = decide(1, an_analysis(**fields), Policy())
    assert decision.escalated == reasons
    assert ("ai_escalated" in decision.tags) == bool(reasons)


@pytest.mark.parametrize("category", ["security", "fraud"])
@pytest.mark.parametrize(("urgency", "escalated"), [(Urgency.MEDIUM, False), (Urgency.HIGH, True)])
def test_the_category_for_incidents_escalates_what_is_pressing_and_no_calm_question(
    category: str, urgency: Urgency, escalated: bool
) -> None:
    analysis = an_analysis(**{**CALM, "category": category, "urgency": urgency})
    assert decide(1, analysis, Policy()).escalated == (("security",) if escalated else ())


# The plan


@given(analysis=ANALYSES, policy=POLICIES)
def test_an_escalated_tickets_note_tells_why_and_what_to_do(analysis: Analysis, policy: Policy) -> None:
    decision = decide(1, analysis, policy, TAXONOMY)
    (line,) = [line for line in (decision.note or "").splitlines() if line.startswith("Escalation: ")] or [""]
    assert bool(line) == bool(decision.escalated and decision.note)
    if line:
        assert all(REASONS[reason] in line for reason in decision.escalated)
        assert line.endswith(plan_for(analysis, decision.escalated, policy.escalation))
        assert not line.endswith(". ")


@pytest.mark.parametrize(
    ("plans", "plan"),
    [
        ({}, DEFAULT_PLANS["security"]),
        ({"security": "Call the desk."}, "Call the desk."),
        ({"security": ""}, DEFAULT_PLANS["critical"]),
        ({"billing": "Tell finance.", "security": "Call the desk."}, "Tell finance."),
        ({"double_charge": "Stop the payment.", "billing": "Tell finance."}, "Stop the payment."),
        (dict.fromkeys(REASONS, ""), ""),
    ],
)
def test_the_plan_of_a_sub_category_goes_before_its_categorys_before_that_of_a_reason(
    plans: dict[str, str], plan: str
) -> None:
    analysis = an_analysis(subcategory="double_charge", urgency=Urgency.CRITICAL, alarms=("security",))
    note = decide(1, analysis, escalating(plans=plans)).note or ""
    assert f"\nEscalation: security, critical urgency. {plan}".rstrip() + "\n" in note + "\n"


@given(analysis=ANALYSES, policy=POLICIES)
def test_of_a_suspicious_text_the_plan_is_to_read_it_whatever_its_labels_ask_for(
    analysis: Analysis, policy: Policy
) -> None:
    reasons = reasons_for(analysis, policy.escalation)
    if analysis.suspicious and reasons:
        assert plan_for(analysis, reasons, policy.escalation) == DEFAULT_PLANS["suspicious"]


@pytest.mark.parametrize(
    ("template", "told"),
    [
        ("Tell {requester}.", "an unknown placeholder"),
        ("Tell {}.", "an unknown placeholder"),
        ("Tell {category.name}.", "an unknown placeholder"),
        ("Tell {category[0]}.", "an unknown placeholder"),
        ("Tell {category!r}.", "an unknown placeholder"),
        ("Tell {category:>9999999}.", "an unknown placeholder"),
        ("Tell {category.", "an unmatched brace"),
        ("Tell category}.", "an unmatched brace"),
        ("Tell {{ticket.requester.email}}.", "a link, mark-up or a character"),
        ("See https://example.com/runbook.", "a link, mark-up or a character"),
        ("See <b>this</b>.", "a link, mark-up or a character"),
        ("Tell @all.", "a link, mark-up or a character"),
        ("- one\n- two", "a link, mark-up or a character"),
        ("x" * 351, "at most 350 characters"),
    ],
)
def test_a_template_that_no_note_could_show_is_refused(template: str, told: str) -> None:
    with pytest.raises(ValidationError) as error:
        Escalation(plans={"critical": template})
    (problem,) = error.value.errors()
    assert problem["loc"] == ("plans", "critical")
    assert told in problem["msg"]


@given(
    template=st.lists(
        st.text(max_size=12) | st.sampled_from([*(f"{{{name}}}" for name in PLACEHOLDERS), "https://x.example", "@a"])
    ).map("".join),
    analysis=ANALYSES,
)
def test_whatever_template_is_taken_its_plan_is_one_plain_line(template: str, analysis: Analysis) -> None:
    try:
        escalation = Escalation(plans=dict.fromkeys(REASONS, template))
    except ValidationError:
        return
    plan = plan_for(analysis, ("critical",), escalation)
    assert plan_for(analysis, (), escalation) == ""
    assert plain_line(plan, 350) == plan
    assert "\n" not in plan
    assert "https" not in plan


# What follows


@pytest.mark.parametrize(
    ("group", "policy", "set_to", "suggested"),
    [
        (70, {}, 70, None),
        (None, {}, 7, None),
        (70, {"group": FieldPolicy(mode=Mode.SUGGEST)}, None, 70),
        (70, {"group": FieldPolicy(threshold=0.95)}, None, 70),
        (70, {"group": FieldPolicy(mode=Mode.OFF)}, None, None),
    ],
)
def test_an_escalated_ticket_goes_to_the_group_for_those_under_the_rules_of_every_group(
    group: int | None, policy: dict[str, Any], set_to: int | None, suggested: int | None
) -> None:
    wishes = Policy(escalation=Escalation(group=group), **policy)
    decision = decide(1, an_analysis(risk=Risk.HIGH), wishes, TAXONOMY)
    assert decision.group == set_to
    assert ("group 70" in (decision.note or "")) == (suggested == 70)
    assert "group 7;" not in (decision.note or "")
    assert decide(1, an_analysis(), wishes.model_copy(update={"group": FieldPolicy()}), TAXONOMY).group == 7


@pytest.mark.parametrize(
    ("urgency", "raised"),
    [
        (Urgency.LOW, Priority.HIGH),
        (Urgency.MEDIUM, Priority.HIGH),
        (Urgency.HIGH, Priority.HIGH),
        (Urgency.CRITICAL, Priority.URGENT),
    ],
)
def test_where_the_site_wants_it_the_priority_of_an_escalated_ticket_is_raised_and_never_lowered(
    urgency: Urgency, raised: Priority
) -> None:
    analysis = an_analysis(urgency=urgency, risk=Risk.HIGH, source="rules")
    decision = decide(1, analysis, escalating(raise_priority=True))
    assert (decision.priority, decision.priority_raises_only) == (raised, True)
    assert decide(1, analysis, Policy()).priority is decide(1, analysis, escalating(on=())).priority
    calm = analysis.model_copy(update={"risk": Risk.LOW, "urgency": Urgency.LOW})
    assert decide(1, calm, escalating(raise_priority=True)).priority is Priority.LOW


def test_a_suspicious_text_is_escalated_by_its_tag_only() -> None:
    analysis = an_analysis(urgency=Urgency.CRITICAL, suspicious=("orders",))
    decision = decide(1, analysis, escalating(group=70, raise_priority=True), TAXONOMY)
    assert (decision.priority, decision.group, decision.fields) == (None, None, {})
    assert {"ai_escalated", "ai_suspicious", "ai_review"} <= set(decision.tags)
    assert decision.escalated == ("critical",)
    assert "group 70" in (decision.note or "")
    assert DEFAULT_PLANS["suspicious"] in (decision.note or "")
