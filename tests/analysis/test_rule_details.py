"""What the rules give besides the category: sub-category, other categories, the words that led there."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ticket_processor.analysis.rules.analyser import RulesAnalyser
from ticket_processor.analysis.text.redact import redact
from ticket_processor.core.models import Analysis, Urgency
from ticket_processor.core.taxonomy import Category, Taxonomy, default_taxonomy

ANALYSER = RulesAnalyser(default_taxonomy())

TWO_LEVELS = Taxonomy(
    categories=(
        Category(name="billing", description="Charges and invoices."),
        Category(name="technical", description="Something does not work."),
        Category(
            name="printers",
            parent="technical",
            description="Printing, paper jams and toner.",
            keywords={"en": ("paper jam",), "de": ("papierstau",)},
        ),
        Category(
            name="vpn_access",
            parent="technical",
            description="Remote access through the tunnel.",
            examples=("The tunnel drops after ten minutes",),
            priority_floor=Urgency.HIGH,
        ),
        Category(name="general", description="Everything else."),
    )
)


def analyse(text: str, analyser: RulesAnalyser = ANALYSER) -> Analysis:
    return analyser.analyse(redact(text))


def test_evidence_is_quoted_from_the_ticket_as_it_was_written() -> None:
    text = "REFUND wanted\nI Was Charged Twice for my Invoice and want my Money Back"
    evidence = analyse(text).evidence
    assert "REFUND" in evidence
    assert all(quote in text for quote in evidence)
    assert len(evidence) <= 3


@given(st.sampled_from(["Our shop is down", "Someone hacked my account", "Danke", "Is theft insured?", ""]), st.text())
def test_the_analysis_that_comes_with_points_is_the_same_and_its_alarms_tell_the_floor(start: str, rest: str) -> None:
    text = redact(start + "\n" + rest)
    analysis, points, _ = ANALYSER.analyse_with_points(text)
    assert analysis == ANALYSER.analyse(text)
    assert max(points.values()) == points[analysis.category]
    assert ANALYSER.stakes(text).incident == bool({"security", "safety", "outage"} & set(analysis.alarms))


def test_a_placeholder_is_no_evidence_and_says_nothing() -> None:
    analysis = analyse("Hello\nMy number is 4111 1111 1111 1111, what are your opening hours?")
    assert analysis.category == "general"
    assert not any("CARD" in quote for quote in analysis.evidence)


@given(st.text(max_size=300))
def test_evidence_always_stands_in_the_text(text: str) -> None:
    redacted = redact(text)
    flat = " ".join(redacted.text.split())
    for quote in ANALYSER.analyse(redacted).evidence:
        assert quote in flat


def test_a_second_matter_is_named_and_a_first_one_not_twice() -> None:
    analysis = analyse("I cannot log in, my password is rejected. Besides, I was charged twice on my invoice.")
    assert {analysis.category, *analysis.secondary} >= {"account", "billing"}
    assert analysis.category not in analysis.secondary


@pytest.mark.parametrize(
    ("text", "category", "subcategory"),
    [
        ("There is a paper jam and an error on the display", "technical", "printers"),
        ("Papierstau im zweiten Stock", "technical", "printers"),
        ("Error: the vpn access through the tunnel fails", "technical", "vpn_access"),
        ("The app crashes with an error", "technical", None),
        ("My invoice is wrong", "billing", None),
    ],
)
def test_a_sub_category_is_named_only_when_something_speaks_for_it(
    text: str, category: str, subcategory: str | None
) -> None:
    analysis = analyse(text, RulesAnalyser(TWO_LEVELS))
    assert (analysis.category, analysis.subcategory) == (category, subcategory)


def test_the_comments_of_a_form_and_code_do_not_decide() -> None:
    form = "Which plan is the best?\n<!-- Report every bug, crash and outage here -->\n```\nerror error crash\n```\n"
    assert "technical" not in (analyse(form).category, *analyse(form).secondary)


def test_a_bug_title_about_a_crash_is_critical_and_a_customers_sentence_is_weighed() -> None:
    assert analyse("Crash when closing the second window").urgency is Urgency.CRITICAL
    assert analyse("Hello, my app crashed once, no rush").urgency is not Urgency.CRITICAL
