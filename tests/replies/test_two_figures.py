"""Two articles that give different figures of one kind: such a draft is refused."""

from __future__ import annotations

import json
from itertools import permutations
from typing import Any

import pytest

from ticket_processor.replies.assembly import NoAnswer, ReplyDraft, assembled
from ticket_processor.replies.writer import read_proposal

from .articles import SHOP, Part, claim, said

REFUND = "A refund for shoes takes 5 business days after approval."
DAYS = ("Refunds take 5 working days.", "A refund takes 14 working days.")


def part(name: str, text: str, title: str = "Questions", lang: str = "en") -> Part:
    return Part(name, title, f"https://help.example/{name}", text, lang)


def drafted(*parts: Part, language: str = "en") -> Any:
    """The draft of a model that says every line of these articles."""
    sources = {f"A{number}": each for number, each in enumerate(parts, 1)}
    claims = [claim(line, source=label) for label, each in sources.items() for line in each.text.splitlines()]
    return assembled(read_proposal(json.dumps(said(*claims))), sources, language)


def refused(one: str, other: str, language: str = "en") -> bool:
    result = drafted(part("a", one, lang=language), part("b", other, lang=language), language=language)
    assert isinstance(result, ReplyDraft) or result.reason == "contradiction", result
    return isinstance(result, NoAnswer)


@pytest.mark.parametrize(
    ("language", "one", "other"),
    [
        ("en", *DAYS),
        ("de", "Erstattungen dauern 5 Werktage.", "Eine Erstattung dauert 14 Werktage."),
        ("fr", "Le remboursement prend 5 jours ouvrés.", "Un remboursement prend 14 jours ouvrés."),
        ("es", "El reembolso tarda 5 días hábiles.", "Un reembolso tarda 14 días hábiles."),
        ("it", "Il rimborso richiede 5 giorni lavorativi.", "Un rimborso richiede 14 giorni lavorativi."),
        ("pt", "O reembolso demora 5 dias úteis.", "Um reembolso demora 14 dias úteis."),
        ("nl", "De terugbetaling duurt 5 werkdagen.", "Een terugbetaling duurt 14 werkdagen."),
        ("ja", "返金は5営業日以内に行われます。", "返金には14営業日かかります。"),
        ("ja", "返金は5日以内に行われます。", "14日間で返金します。"),
        ("ja", "手数料は500円です。", "手数料として800円かかります。"),
        ("ja", "保証期間は2年です。", "保証期間は18か月間となります。"),
        ("ja", "添付は10MBまでです。", "添付の上限は25MBです。"),
        ("de", "Die Versandkosten betragen 4,95 €.", "Versandkosten von 6,95 € fallen an."),
        ("en", "Refunds take 5 working days.", "A refund takes 2 months."),
        ("en", "Refunds take 48 hours.", "A refund takes 14 days."),
        ("en", "Refunds take 5 working days.", "A refund takes 14 days."),
        ("en", "The handling fee is 5% of the price.", "We keep a handling fee of 8 percent."),
        ("en", "The fee for late payment is $25.", "Late payment costs a fee of 30 dollars."),
        ("en", "Attachments have up to 10 MB.", "An attachment has at most 1 GB."),
        ("fr", "Une pièce jointe a 10 Mo au plus.", "Les pièces jointes ont 25 Mo au maximum."),
        ("en", "You can register up to four devices.", "Up to 6 devices can be registered."),
        ("en", REFUND, "After approval it takes seven working days for shoes to get a refund."),
        ("en", "Loans for new bikes run from 6 to 24 months.", "Loans run for 6 to 36 months for new bikes."),
        ("en", "Chat support opens at 9 am on weekdays.", "On weekdays our chat support opens at 08:30."),
        ("en", "The reader app needs Python 3.7 or later.", "For the reader app use Python 3.9 or newer."),
        ("en", "The audit of suppliers ends on June 3, 2026.", "The audit of suppliers ends on 10 June 2026."),
        ("en", "A refund is paid within 14 days.", "Delivery takes 3 days."),
        ("en", "A guarantee takes effect after 14 days.", "Delivery takes 3 days."),
    ],
)
def test_two_figures_of_one_kind_from_two_articles_are_no_draft(language: str, one: str, other: str) -> None:
    assert refused(one, other, language)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (REFUND, "A refund for shoes takes five business days after approval."),
        (REFUND, "A refund for shoes takes between 2 and 6 business days after approval."),
        ("Links for a reset expire after 24 to 48 hours.", "Links for a reset expire after 24 hours to 2 days."),
        ("Links for a reset expire after 1 day.", "Links for a reset expire after 24 hours."),
        ("The plan for teams costs $1,000 yearly.", "The plan for teams costs 1000 dollars yearly."),
        ("The guarantee lasts for twenty-four months.", "A guarantee lasts for 2 years."),
        ("Refunds take 5 to 7 working days.", "A refund takes 7 working days."),
        ("Refunds take 5 working days.", "A refund takes one week."),
        ("Refunds take 48 hours.", "A refund takes 2 days."),
        ("A guarantee lasts for 24 months.", "The guarantee lasts for 2 years."),
        ("Refunds take 5 working days.", "A refund has a fee of 4 dollars."),
    ],
)
def test_figures_that_agree_or_are_of_two_kinds_are_a_draft(one: str, other: str) -> None:
    assert not refused(one, other)


def test_one_article_may_give_two_figures_and_another_one_of_them() -> None:
    both = part("a", "Standard parcels take 5 days.\nExpress parcels take 2 days.", "Delivery")
    assert isinstance(drafted(both), ReplyDraft)
    assert isinstance(drafted(both, part("b", "Express parcels take 2 days.", "Express")), ReplyDraft)


def test_what_is_refused_names_both_articles_and_what_they_say() -> None:
    result = drafted(part("a", DAYS[0], "Refunds"), part("b", DAYS[1], "Returns"))
    assert result.reason == "contradiction"
    assert [(each.article_id, each.title, each.url, each.lines) for each in result.contradiction] == [
        ("a", "Refunds", "https://help.example/a", (DAYS[0],)),
        ("b", "Returns", "https://help.example/b", (DAYS[1],)),
    ]


def test_of_the_shops_articles_those_with_different_times_are_refused_beside_each_other() -> None:
    timed = {"Refunds", "Delivery times", "Download your invoice", "Connect to the VPN", "Printer offline", "Warranty"}
    timed |= {"Delete your account"}
    agreeing = {"Refunds", "Delivery times"}  # 5 to 7 working days, and 3 to 5
    for one, other in permutations(SHOP, 2):
        titles = {one.title, other.title}
        assert isinstance(drafted(one, other), NoAnswer) == (titles <= timed and titles != agreeing), titles
