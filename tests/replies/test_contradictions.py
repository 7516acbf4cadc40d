"""Sentences that answer one question with different figures."""

from __future__ import annotations

import pytest

from ticket_processor.knowledge.model import Passage
from ticket_processor.replies.contradictions import contradictions
from ticket_processor.replies.statements import measures_of

REFUND = "A refund for shoes takes 5 business days after approval."


def passage(article: str, text: str, title: str = "Questions", heading: str = "", lang: str = "en") -> Passage:
    return Passage(article, "z", title, "", lang, "everyone", 0.0, 0, heading, text)


def contradict(one: str, other: str, **named: str) -> bool:
    return bool(contradictions([passage("a", one, **named), passage("b", other, **named)]))


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
def test_one_question_with_two_figures_is_found(one: str, other: str) -> None:
    assert contradict(one, other)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (REFUND, "A refund for shoes takes five business days after approval."),
        (REFUND, "A refund for shoes takes 3 to 7 business days after approval."),
        (REFUND, "A refund for shoes takes between 2 and 6 business days after approval."),
        (REFUND, "A refund for shoes in Malta takes 9 business days after approval."),
        ("Links for a reset expire after 24 hours.", "Links for a reset expire after 1 day."),
        ("The plan for teams costs $1,000 yearly.", "The plan for teams costs 1000 dollars yearly."),
        ("Files for upload need at least 2 MB.", "Files for upload have up to 10 MB."),
        ("The monthly fee for cards is $5.", "The annual fee for cards is $50."),
        ("A domestic transfer of money costs $5.", "An international transfer of money costs $45."),
        ("For example, suppose the refund for shoes takes 9 business days after approval.", REFUND),
        ("The tag key has up to 128 characters.", "The tag value has up to 256 characters."),
        ("See step 3 on how to return shoes.", "See step 5 on how to return shoes."),
    ],
)
def test_what_can_be_true_at_once_is_not_reported(one: str, other: str) -> None:
    titles = [passage("t", "Key and value.", title="Key"), passage("u", "Key and value.", title="Value")]
    assert not contradictions([passage("a", one), passage("b", other), *titles])


def test_articles_about_two_products_are_not_compared_unless_a_sentence_names_the_other() -> None:
    gold = passage("a", "With Gold you are fast. The fee for late payment is $25.", title="Gold card")
    silver = passage("b", "With Silver you are slow. The fee for late payment is $15.", title="Silver card")
    named = passage("c", "On the Gold card the fee for late payment is $35.", title="All about money")
    assert not contradictions([gold, silver])
    [found] = contradictions([gold, named])
    assert {found.first.sentence, found.second.sentence} == {"The fee for late payment is $25.", named.text}


def test_a_statement_that_each_article_makes_with_its_own_figure_is_about_many_things() -> None:
    texts = [f"You can borrow the big drill for {days} days." for days in (1, 2, 3, 4, 5)]
    assert contradictions([passage("a", texts[0]), passage("b", texts[1])])
    assert not contradictions(passage(f"a{number}", text) for number, text in enumerate(texts))


def test_what_several_articles_say_alike_is_reported_once() -> None:
    other = "A refund for shoes takes 9 business days after approval."
    assert len(contradictions([passage("a", REFUND), passage("b", REFUND), passage("c", other)])) == 1


def test_one_article_contradicts_itself_under_two_headings_and_not_in_one_list() -> None:
    one, other = (f"A refund for shoes and bags takes {days} business days after manual approval." for days in (5, 9))
    assert contradictions([passage("a", one, heading="Returns"), passage("a", other, heading="Money")])
    assert not contradictions([passage("a", f"{one}\n\n{other}")])


def test_code_and_tables_state_nothing() -> None:
    assert not contradict(f"```\n{REFUND}\n```", REFUND.replace("5", "9"))
    assert not contradict(f"| {REFUND} |", REFUND.replace("5", "9"))


def test_two_languages_are_not_compared() -> None:
    german = "Die Erstattung dauert nach der Genehmigung 5 Werktage."
    assert contradict(german, german.replace("5", "9"), lang="de")
    assert not contradictions([passage("a", german, lang="de"), passage("b", german.replace("5", "9"), lang="nl")])


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
