from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from ticket_processor.core.clock import Deadline
from ticket_processor.core.errors import CannotRun, DeadlineReached
from ticket_processor.core.taxonomy import Category, Taxonomy, default_taxonomy
from ticket_processor.knowledge.model import Article
from ticket_processor.reporting.knowledge_gaps import ANY, Coverage, Knowledge, look_up, themes_of, topics_of

from ..support.fakes import ManualClock

TAXONOMY = Taxonomy(
    categories=(
        *default_taxonomy().categories,
        Category(name="invoice_copy", description="A copy of an invoice is wanted.", parent="billing"),
        Category(
            name="gift_vouchers",
            description="Vouchers that were given as presents",
            keywords={"en": ("voucher*",), "de": ("*gutschein*",)},
        ),
        Category(name="assembly", description="Putting furniture together at home."),
    )
)


def article(title: str, language: str = "en", body: str = "", labels: tuple[str, ...] = (), **facts: Any) -> Article:
    given = {"audience": "everyone", **facts}
    return Article(f"z:{title}/{language}", "z", title, "", language, given["audience"], 0.0, body, labels)


def topic(name: str, tickets: int = 20, language: str = "en", kind: Any = "category") -> Coverage:
    return Coverage(topic=name, kind=kind, language=language, tickets=tickets)


def looked_up(articles: Any, *topics: Coverage) -> Knowledge:
    return look_up(topics, TAXONOMY, articles, Deadline(ManualClock(), 300))


@pytest.mark.parametrize(
    ("asked", "articles", "expected"),
    [
        (topic("billing"), [article("Understanding your invoice"), article("Reset a password")], (1, None)),
        (topic("billing"), [article("Reset a password")], (0, "no_article")),
        (topic("refund"), [article("What's new", body="we fixed refunds")], (0, "no_article")),
        (topic("billing"), [article("Terms", body="billing", labels=("how_to_billing",))], (1, None)),
        (topic("billing"), [article("Billing", audience="agents"), article("Terms")], (0, "no_article")),
        (topic("billing", language="de"), [article("Ihre Rechnungen verstehen", "de")], (1, None)),
        (topic("billing", language="it"), [article("Billing")], (0, "no_such_language")),
        (topic("gift_vouchers", language="de"), [article("Geschenkgutscheine einlösen", "de")], (1, None)),
        (topic("gift_vouchers"), [article("Where to enter vouchers")], (1, None)),
        (topic("gift_vouchers"), [article("Our gift vouchers")], (1, None)),
        (topic("assembly"), [article("Furniture for the garden")], (1, None)),
        (topic("invoice_copy", kind="subcategory"), [article("A copy of your invoice")], (1, None)),
        (topic("invoice_copy", kind="subcategory"), [article("Payment methods")], (0, "no_article")),
        (topic("gift card", 20, ANY, "theme"), [article("Gift cards and how to use them", "de")], (1, None)),
        (topic("gift card", 20, ANY, "theme"), [article("A card for you")], (0, "no_article")),
        (topic("gift card expiry", 20, ANY, "theme"), [article("Gift cards")], (1, None)),
        (topic("vat", 20, ANY, "theme"), [article("Parking")], (0, "no_article")),
    ],
)
def test_an_article_is_about_a_topic_if_its_title_or_labels_have_words_of_it_in_the_tickets_language(
    asked: Coverage, articles: list[Article], expected: tuple[int, str | None]
) -> None:
    (found,) = looked_up(articles, asked).topics
    assert (found.articles, found.gap) == expected


def test_topics_are_both_levels_of_categories_without_the_one_for_everything_else() -> None:
    rows = [
        ("billing", None, "en", 3),
        ("billing", "invoice_copy", "en", 2),
        ("billing", "invoice_copy", "de", 1),
        ("billing", None, "und", 400),
        ("general", None, "en", 9),
    ]
    assert topics_of(rows, TAXONOMY) == [
        topic("billing", 5),
        topic("invoice_copy", 2, kind="subcategory"),
        topic("billing", 1, "de"),
        topic("invoice_copy", 1, "de", "subcategory"),
    ]


def test_what_tickets_without_a_category_speak_of_is_a_topic_where_there_are_enough() -> None:
    left = [f"Asks about a gift card, {n} of them" for n in range(12)] + ["Wants a job as a driver"] * 4
    (theme,) = themes_of(left)
    assert {"gift", "card"} <= set(theme.topic.split())
    assert theme == topic(theme.topic, 12, ANY, "theme")


@pytest.mark.parametrize(
    ("error", "words"),
    [
        (CannotRun("this Zendesk account has no Help Center (HTTP 404)"), "has no Help Center"),
        (DeadlineReached("x"), "the time allowed for it is used up"),
    ],
)
def test_why_articles_could_not_be_read_is_told(error: Exception, words: str) -> None:
    def articles() -> Iterator[Article]:
        yield article("Billing")
        raise error

    found = looked_up(articles(), topic("billing"))
    assert words in (found.ended_early or "")
    assert found.topics == ()
