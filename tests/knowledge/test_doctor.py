"""``ticketbot kb doctor``: what it lists of a site's articles."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from ticket_processor.knowledge.doctor import OFTEN, copies, examine
from ticket_processor.knowledge.model import Article
from ticket_processor.knowledge.store import KnowledgeStore

from .test_kb_command import Site

YEAR_S = 365 * 86_400.0
NOW = 10 * YEAR_S
ARTICLE = Article("z:1", "z", "Title", "", "en", "everyone", NOW, "Words.")
LONG = (
    "Open the menu, choose your account, press the button that says reset and wait for the mail with the link to it. "
)


@pytest.fixture
def site(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Site:
    monkeypatch.chdir(tmp_path)
    return Site(tmp_path)


def kinds(store: KnowledgeStore) -> list[str]:
    return [finding.kind for finding in examine(store, NOW)]


def test_what_a_person_should_mend_is_listed(site: Site) -> None:
    site.write("a.md", "# Reset\nOpen the menu and press reset.")
    site.write("b.md", "# Reset\nOpen the menu and press Reset!")
    site.write("c.md", "# Pictures\nDo so.")
    site.write("e.md", "# Returns\nYou can return unused shoes within 30 days of delivery.")
    site.run("sync")
    site.run("search", "reset")
    found = [
        (item["kind"], [place["article"].partition("/")[2] for place in item["places"]])
        for item in site.run("doctor")["findings"]
    ]
    assert found == [
        ("duplicate", ["a.md", "b.md"]),
        ("never_found", ["c.md"]),
        ("never_found", ["e.md"]),
    ]


def test_nearly_the_same_articles_are_found_and_others_on_the_topic_are_not() -> None:
    other = (
        "To reset your account, write to us from the address that you gave when you opened it, and wait for an answer."
    )
    found = copies([("a", LONG * 3), ("b", LONG * 3 + "Good luck."), ("c", other * 3), ("d", (LONG * 3).upper())])
    assert found == [("a", "b", "d")]


def test_articles_in_two_languages_are_no_copies() -> None:
    store = KnowledgeStore(None)
    store.put([(ARTICLE, ""), (replace(ARTICLE, id="z:2", lang="de"), "")])
    assert kinds(store) == []


@pytest.mark.parametrize(
    ("age", "shown", "stale"),
    [(1.1 * YEAR_S, OFTEN, True), (1.1 * YEAR_S, OFTEN - 1, False), (0.9 * YEAR_S, OFTEN, False), (NOW, OFTEN, False)],
)
def test_an_article_is_stale_when_it_is_old_and_shown_often(age: float, shown: int, stale: bool) -> None:
    store = KnowledgeStore(None)
    store.put([(replace(ARTICLE, updated_at=NOW - age), "")])
    store.count_found([ARTICLE.id] * shown)
    assert kinds(store) == (["stale"] if stale else [])
