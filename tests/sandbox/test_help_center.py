"""The imitated Help Center: languages, search, and accounts that have none."""

from __future__ import annotations

from typing import Any

import pytest

from ticket_processor.sandbox.articles import add_article, fill_help_center

from ..imitation import Rules
from .helpers import Desk


def titles(desk: Desk, **query: str) -> list[str]:
    return [row["title"] for row in desk.get("help_center/articles/search", **query)["results"]]


def test_its_languages_are_those_of_its_articles_and_the_default_one() -> None:
    desk = Desk(0)
    assert desk.get("help_center/locales.json") == {"locales": ["en-us"], "default_locale": "en-us"}
    add_article(desk.store, "Passwort", "<p>Neu setzen</p>", locale="de")
    assert desk.get("help_center/locales")["locales"] == ["en-us", "de"]


def test_a_search_is_in_one_language_and_in_the_default_one_where_none_is_named_that_there_is() -> None:
    desk = Desk(0)
    add_article(desk.store, "Password", "<p>x</p>", label_names=("login",))
    add_article(desk.store, "Password und Login", "<p>x</p>", locale="de")
    assert titles(desk, query="password") == titles(desk, query="password", locale="xx") == ["Password"]
    assert titles(desk, query="password", locale="de") == ["Password und Login"]
    assert len(titles(desk, query="password", locale="*")) == 2
    assert titles(desk, query="login") == ["Password"]  # a label counts


def test_one_word_of_several_is_enough_unless_the_account_wants_all() -> None:
    for how, found in (("any", ["Reset a password", "Password rules"]), ("all", ["Reset a password"])):
        desk = Desk(0, rules=Rules(article_search=how))  # type: ignore[arg-type]
        add_article(desk.store, "Password rules", "<p>x</p>")
        add_article(desk.store, "Reset a password", "<p>x</p>")
        assert titles(desk, query="reset password") == found


@pytest.mark.parametrize(("state", "status"), [("none", 404), ("not_in_plan", 401), ("forbidden", 403)])
@pytest.mark.parametrize("path", ["locales", "articles", "articles/search?query=x"])
def test_an_account_may_have_no_help_center(state: Any, status: int, path: str) -> None:
    desk = Desk(0, rules=Rules(help_center=state))
    assert desk.ask("GET", f"help_center/{path}").status == status


def test_a_fresh_one_covers_some_topics_and_others_not() -> None:
    desk = Desk(0)
    fill_help_center(desk.store)
    assert titles(desk, query="invoice") == ["Understanding your invoice"]
    assert titles(desk, query="refund") == ["What's new this spring"]
    assert titles(desk, query="vulnerability") == []
    assert titles(desk, query="rechnung", locale="de") == ["Ihre Rechnung verstehen"]
