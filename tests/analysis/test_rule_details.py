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


@given(st.text(max_size=300))
def test_evidence_always_stands_in_the_text(text: str) -> None:
    redacted = redact(text)
    flat = " ".join(redacted.text.split())
    for quote in ANALYSER.analyse(redacted).evidence:
        assert quote in flat


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
