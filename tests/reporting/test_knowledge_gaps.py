"""Topics that many tickets are about, and whether the help centre has articles on them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import pytest

from ticket_processor.core.clock import Deadline
from ticket_processor.core.errors import CannotRun, DeadlineReached, HelpdeskDown, NotAuthorised
from ticket_processor.core.taxonomy import Category, Taxonomy, default_taxonomy
from ticket_processor.knowledge.freshdesk_source import FreshdeskArticles
from ticket_processor.knowledge.model import Article
from ticket_processor.knowledge.sync import ArticleSource
from ticket_processor.knowledge.zendesk_source import ZendeskArticles
from ticket_processor.reporting.knowledge_gaps import (
    ANY,
    MOST_QUERIES,
    Coverage,
    HelpCenter,
    Knowledge,
    look_up,
    themes_of,
    topics_of,
    wanted,
)
from ticket_processor.sandbox.fill import add_article, fill_help_center

from ..helpdesk.test_zendesk import Account
from ..imitation import Rules
from ..support.fakes import ManualClock, Wire, answer

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


def article(number: int, title: str, language: str, body: str = "", labels: tuple[str, ...] = ()) -> Article:
    return Article(f"z:{number}/{language}", "z", title, "", language, "everyone", 0.0, body, labels)


class Center(HelpCenter):
    """A help centre of these articles, which remembers what it was asked."""

    def __init__(self, *articles: tuple[str, str], body: str = "", raises: Callable[[int], None] | None = None) -> None:
        self.articles = [article(number, title, language, body) for number, (language, title) in enumerate(articles, 1)]
        self.asked: list[tuple[str, str]] = []
        self._raises = raises
        super().__init__(self.articles)

    def search(self, query: str, language: str) -> Sequence[Article]:
        self.asked.append((query, language))
        if self._raises is not None:
            self._raises(len(self.asked))
        return super().search(query, language)


def topic(name: str, tickets: int, language: str = "en", kind: Any = "category") -> Coverage:
    return Coverage(topic=name, kind=kind, language=language, tickets=tickets)


def looked_up(center: Center, *topics: Coverage, at_least: int = 10) -> Knowledge:
    return look_up(wanted(topics, at_least), TAXONOMY, center, at_least=at_least, deadline=Deadline(ManualClock(), 300))


def one(center: Center, name: str, language: str = "en", kind: Any = "category") -> Coverage:
    (found,) = looked_up(center, topic(name, 20, language, kind)).topics
    return found


def test_a_topic_with_an_article_that_speaks_of_it_is_no_gap() -> None:
    found = one(Center(("en", "Understanding your invoice"), ("en", "Reset a password")), "billing")
    assert (found.articles, found.mentions, found.gap) == (1, 0, None)


def test_a_topic_without_any_article_is_a_gap() -> None:
    found = one(Center(("en", "Reset a password")), "billing")
    assert (found.articles, found.mentions, found.gap) == (0, 0, "no_article")


def test_an_article_that_only_mentions_a_topic_leaves_the_gap_open() -> None:
    found = one(Center(("en", "What's new"), body="we fixed refund and billing"), "refund")
    assert (found.articles, found.mentions, found.gap) == (0, 1, "only_mentions")


def test_a_label_says_what_an_article_is_about() -> None:
    center = Center(("en", "Terms"), body="billing")
    center.articles[:] = [article(1, "Terms", "en", "billing", ("how_to_billing",))]
    assert one(center, "billing").gap is None


@pytest.mark.parametrize(
    ("name", "language", "title"),
    [
        ("billing", "de", "Ihre Rechnungen verstehen"),
        ("gift_vouchers", "de", "Geschenkgutscheine einlösen"),
        ("gift_vouchers", "en", "Where to enter vouchers"),
        ("gift_vouchers", "en", "Our gift vouchers"),
        ("assembly", "en", "Furniture for the garden"),
    ],
)
def test_a_topic_is_searched_by_its_words_in_the_tickets_language(name: str, language: str, title: str) -> None:
    assert one(Center((language, title)), name, language).gap is None


def test_a_subcategory_is_searched_by_its_own_name_and_not_by_its_parents_words() -> None:
    found = one(Center(("en", "Payment methods"), ("en", "A copy of your invoice")), "invoice_copy", kind="subcategory")
    assert (found.articles, found.gap) == (1, None)
    assert one(Center(("en", "Payment methods")), "invoice_copy", kind="subcategory").gap == "no_article"


def test_languages_are_looked_at_apart_and_one_without_articles_is_a_gap() -> None:
    center = Center(("en", "Billing"), ("fr", "Mot de passe"))
    found = looked_up(center, *(topic("billing", count, name) for name, count in (("it", 10), ("en", 30), ("fr", 20))))
    assert [(item.language, item.tickets, item.gap) for item in found.topics] == [
        ("en", 30, None),
        ("fr", 20, "no_article"),
        ("it", 10, "no_such_language"),
    ]
    assert [item.language for item in found.gaps] == ["fr", "it"]


def test_what_few_tickets_are_about_is_not_searched() -> None:
    center = Center(("en", "Reset a password"))
    found = looked_up(center, topic("billing", 9))
    assert (found.topics, center.asked) == ((), [])


def test_the_search_ends_with_the_first_words_that_find_an_article_and_tries_a_few() -> None:
    center = Center(("en", "Billing"))
    one(center, "billing")
    assert center.asked == [("billing", "en")]
    nothing = Center(("en", "Reset a password"))
    one(nothing, "billing")
    assert len(nothing.asked) == MOST_QUERIES
    assert all("*" not in query and "~" not in query for query, _ in nothing.asked)


def test_a_theme_is_searched_in_every_language() -> None:
    theme = topic("gift card", 12, ANY, "theme")
    found = looked_up(Center(("de", "Reset a password"), ("en", "Gift cards and how to use them")), theme)
    assert [(item.language, item.gap) for item in found.topics] == [(ANY, None)]
    assert looked_up(Center(("en", "A card for you")), theme).topics[0].gap == "no_article"


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
    left = [f"Asks about a gift card, {n} of them" for n in range(12)] + [
        f"Wants a job as a driver {n}" for n in range(4)
    ]
    assert themes_of(left, ["Charged twice"] * 20, 10) == [topic("gift card", 12, ANY, "theme")]


def test_the_words_of_one_or_two_customers_are_no_theme_however_few_are_asked_for() -> None:
    few = ["Zaphod wants his towel back", "Zaphod asks again"]
    elsewhere = ["Charged twice"] * 20
    assert themes_of(few, elsewhere, 1) == []
    assert [theme.topic for theme in themes_of([*few, "Zaphod once more"], elsewhere, 1)] == ["zaphod"]


@pytest.mark.parametrize(
    ("error", "words"),
    [
        (CannotRun("this Zendesk account has no Help Center (HTTP 404)"), "has no Help Center"),
        (DeadlineReached("x"), "the time allowed for it is used up"),
    ],
)
def test_what_ends_the_search_is_told_with_what_was_found_until_then(error: Exception, words: str) -> None:
    def raises(nth: int) -> None:
        if nth == 2:
            raise error

    center = Center(("en", "Billing"), raises=raises)
    topics = [topic("billing", 30), topic("refund", 20)]
    told: list[int] = []
    found = look_up(
        wanted(topics, 5), TAXONOMY, center, at_least=5, deadline=Deadline(ManualClock(), 300), advance=told.append
    )
    assert words in (found.ended_early or "")
    assert ([item.topic for item in found.topics], found.not_searched) == (["billing"], 1)
    assert told == [1]


# The articles


def center_of(source: ArticleSource) -> HelpCenter:
    return HelpCenter(article for portion in source.portions({}) for article, _ in portion.articles)


@pytest.mark.parametrize("english", ["en-us", "en-gb"])
def test_all_articles_are_read_once_and_searched_by_their_words(english: str) -> None:
    account = Account()
    fill_help_center(account.store)
    add_article(account.store, "Fahrradständer", "<p>für den Hof</p>", locale="de")
    add_article(account.store, "Bicycle stands", "<p>for the yard</p>", locale=english)
    center, deadline = center_of(ZendeskArticles(account.transport)), Deadline(account.clock, 300)
    names = ("billing", "account", "order", "refund")
    topics = [topic(name, count, language) for name in names for language, count in (("en", 20), ("de", 10))]
    topics += [topic("bicycle stands", 20, ANY, "theme")]
    found = look_up(wanted(topics, 5), default_taxonomy(), center, at_least=5, deadline=deadline)
    assert {(item.topic, item.language): item.gap for item in found.topics} == {
        ("billing", "en"): None,
        ("account", "en"): None,
        ("order", "en"): None,
        ("refund", "en"): "only_mentions",
        ("billing", "de"): None,
        ("account", "de"): None,
        ("order", "de"): "no_article",
        ("refund", "de"): "no_article",
        ("bicycle stands", ANY): None,
    }
    assert sum(account.transport.counts.values()) <= 2, "the articles, and who may read them"


def test_drafts_and_articles_for_agents_are_left_out_and_labels_are_read() -> None:
    page = [
        {"id": 1, "title": "Draft", "locale": "de", "draft": True},
        {"id": 2, "title": "Billing", "locale": "en-us", "body": "<p>An invoice</p>"},
        {"id": 3, "title": "Rechnung", "locale": "DE", "label_names": ["billing"]},
        {"id": 4, "title": "Rechnung intern", "locale": "de", "user_segment_id": 7},
        {"title": "without an id", "locale": "de"},
    ]
    wire = Wire(answer(200, {"articles": page}), answer(200, {"user_segments": []}))
    center = center_of(ZendeskArticles(wire.transport))
    assert center.languages() == ("en", "de")
    assert [(found.id, found.labels) for found in center.search("rechnung", "de")] == [("zendesk:3/de", ("billing",))]
    assert [found.id for found in center.search("invoice", ANY)] == ["zendesk:2/en-us"]


def test_freshdesks_articles_are_read_from_all_folders_in_the_portals_languages() -> None:
    wire = Wire(
        answer(200, {"primary_language": "en", "portal_languages": ["de", "EN"]}),
        answer(200, [{"id": 5}]),
        answer(200, [{"id": 6, "visibility": 1, "sub_folders_count": 0}]),
        answer(200, [{"id": 3, "status": 2, "title": "Invoices", "tags": ["billing"]}, {"id": 4, "status": 1}]),
        answer(200, {"id": 3, "status": 2, "title": "Rechnung", "tags": ["billing"]}),
    )
    center = center_of(FreshdeskArticles(wire.transport))
    assert center.languages() == ("en", "de")
    assert [(found.id, found.labels) for found in center.search("rechnung", "de")] == [("freshdesk:3/de", ("billing",))]


@pytest.mark.parametrize(
    ("state", "kind", "words"),
    [
        ("none", CannotRun, "has no Help Center (HTTP 404)"),
        ("forbidden", CannotRun, "may not read the Help Center (HTTP 403)"),
        ("not_in_plan", NotAuthorised, "where the account's plan has none"),
    ],
)
def test_an_account_without_a_help_center_is_told_so(state: str, kind: type[CannotRun], words: str) -> None:
    account = Account(rules=Rules(help_center=state))  # type: ignore[arg-type]
    with pytest.raises(kind) as error:
        center_of(ZendeskArticles(account.transport)).languages()
    assert words in str(error.value)


@pytest.mark.parametrize("body", [{"articles": None}, ["no object"]])
def test_an_answer_that_is_no_list_of_articles_is_a_helpdesk_that_fails(body: Any) -> None:
    with pytest.raises(HelpdeskDown):
        center_of(ZendeskArticles(Wire(answer(200, body)).transport)).search("billing", "en")


def test_an_agent_who_may_not_read_articles_is_told_so() -> None:
    with pytest.raises(CannotRun, match=r"solution articles to this agent \(HTTP 403\)"):
        center_of(FreshdeskArticles(Wire(answer(403, {})).transport)).languages()
