"""Sentences of two articles that give different figures of one kind."""

from __future__ import annotations

import pytest

from ticket_processor.knowledge.model import Passage
from ticket_processor.replies.statements import differing, measures_of, said_by

REFUND = "A refund for shoes takes 5 business days after approval."


def differ(one: str, other: str) -> bool:
    said = [
        statement
        for article, text in (("a", one), ("b", other))
        for statement in said_by(
            Passage(article, "z", "Questions", "", "en", "everyone", 0.0, 0, "", text), text, "en", text
        )
    ]
    return bool(list(differing(said)))


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (REFUND, "After approval, a refund for shoes takes 7 business days."),
        (REFUND, "After approval it takes seven working days for shoes to get a refund."),
        ("Files for upload to the portal have up to 10 MB.", "Your portal takes files of at most 25 MB for upload."),
        ("The late payment fee for cards is $25.", "Cards have a late payment charge of 30 dollars."),
        ("Loans for new bikes run from 6 to 24 months.", "Loans run for 6 to 36 months for new bikes."),
        ("Chat support opens at 9 am on weekdays.", "On weekdays our chat support opens at 08:30."),
        ("The reader app needs Python 3.7 or later.", "For the reader app use Python 3.9 or newer."),
        ("The audit of suppliers ends on June 3, 2026.", "The audit of suppliers ends on 10 June 2026."),
    ],
)
def test_two_figures_of_one_kind_differ(one: str, other: str) -> None:
    assert differ(one, other)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (REFUND, "A refund for shoes takes five business days after approval."),
        (REFUND, "A refund for shoes takes 3 to 7 business days after approval."),
        (REFUND, "A refund for shoes takes between 2 and 6 business days after approval."),
        ("Links for a reset expire after 24 hours.", "Links for a reset expire after 1 day."),
        ("The plan for teams costs $1,000 yearly.", "The plan for teams costs 1000 dollars yearly."),
        ("Files for upload need at least 2 MB.", "Files for upload have up to 10 MB."),
        ("For example, suppose the refund for shoes takes 9 business days after approval.", REFUND),
    ],
)
def test_figures_that_can_be_true_at_once_do_not_differ(one: str, other: str) -> None:
    assert not differ(one, other)


@pytest.mark.parametrize(
    ("sentence", "unit", "low", "high"),
    [
        ("It takes 2 weeks.", "second", 1_209_600, 1_209_600),
        ("It takes 24 to 48 hours.", "second", 86_400, 172_800),
        ("It takes 24 hours to 2 days.", "second", 86_400, 172_800),
        ("It takes twenty-four months.", "month", 24, 24),
        ("It takes 3 full business days.", "business", 3, 3),
        ("It costs $5 to $10.", "USD", 5, 10),
        ("It was founded in 1998.", "calendar year", 1998, 1998),
    ],
)
def test_a_measure_has_one_unit_however_it_is_written(sentence: str, unit: str, low: float, high: float) -> None:
    [measure] = measures_of(sentence, "en")[0]
    assert (measure.unit, measure.low, measure.high) == (unit, low, high)
