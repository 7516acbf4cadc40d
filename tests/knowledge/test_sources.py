"""Syncs with the imitated help centers and with a folder: what is read, what it costs, who may see it."""

from __future__ import annotations

import os
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from ticket_processor.core.errors import ConfigError, DeadlineReached
from ticket_processor.helpdesk import freshdesk_reads, zendesk_reads
from ticket_processor.knowledge.sources import FolderArticles, HelpCenter
from ticket_processor.knowledge.store import GENERATION, KnowledgeStore
from ticket_processor.knowledge.sync import SyncResult, sync

from ..helpdesk.test_zendesk import Account
from ..imitation.solutions import SIGNED_IN, SOME, STAFF
from ..support.freshdesk_account import FreshAccount


class Zendesk(Account):
    """A Help Center, its reader, and a store."""

    def __init__(self, **options: Any) -> None:
        super().__init__(**options)
        self.kept = KnowledgeStore(None)

    def sync(self, advance: Callable[[int], None] = lambda _count: None) -> SyncResult:
        self.sent.clear()
        return sync(self.kept, [center(self)], advance=advance)

    def titles(self) -> list[str]:
        return [title for (title,) in self.kept.all("SELECT title FROM article ORDER BY title")]

    def audiences(self) -> dict[str, str]:
        return dict(self.kept.all("SELECT title, audience FROM article"))


def center(desk: Account) -> HelpCenter:
    return HelpCenter("zendesk", partial(zendesk_reads.articles, desk.transport))


def add_translation(desk: Zendesk, article_id: int, locale: str, title: str, **others: Any) -> None:
    url = f"{desk.store.base_url}/hc/{locale}/articles/{article_id}"
    text = {"locale": locale, "title": title, "body": "<p>x</p>", "html_url": url, "outdated": False, "draft": False}
    stamp = desk.store.articles[0]["updated_at"]
    desk.store.article_translations.setdefault(article_id, []).append({**text, "updated_at": stamp, **others})


def test_a_sync_with_nothing_new_takes_two_requests_at_most_and_writes_nothing() -> None:
    desk = Zendesk()
    for number in range(30):
        desk.store.add_article(f"Article {number}", f"<p>Words {number}</p>", user_segment_id=SIGNED_IN)
    assert desk.sync().changed == {"zendesk": 30}
    before = desk.kept.fact(GENERATION)
    desk.clock.wait(60)
    assert desk.sync().changed == {"zendesk": 0}
    assert len(desk.sent) <= 2
    assert desk.kept.fact(GENERATION) == before


def test_votes_change_nothing_and_words_do() -> None:
    desk = Zendesk()
    desk.store.add_article("Refunds", "<p>Five days.</p>")
    desk.sync()
    desk.clock.wait(60)
    row = desk.store.articles[0]
    row.update(vote_sum=5, updated_at="2031-01-01T00:00:00Z")
    assert desk.sync().changed == {"zendesk": 0}
    row.update(body="<p>Ten days.</p>", updated_at="2031-01-02T00:00:00Z")
    assert desk.sync().changed == {"zendesk": 1}
    assert "Ten days." in desk.kept.all("SELECT body FROM article")[0][0]


def test_drafts_and_outdated_translations_are_left_out_and_an_article_taken_back_goes() -> None:
    desk = Zendesk()
    desk.store.add_article("Draft", "<p>x</p>", draft=True)
    first = desk.store.add_article("Refunds", "<p>x</p>")
    add_translation(desk, first, "de", "Erstattungen")
    add_translation(desk, first, "fr", "Remboursements", outdated=True)
    desk.sync()
    assert desk.titles() == ["Erstattungen", "Refunds"]
    assert {lang for (lang,) in desk.kept.all("SELECT lang FROM article")} == {"en", "de"}
    desk.clock.wait(60)
    desk.store.articles[1].update(draft=True, updated_at="2031-01-01T00:00:00Z")
    desk.store.article_translations[first][0]["draft"] = True
    assert desk.sync().removed == {"zendesk": 2}
    assert desk.titles() == []


def test_a_segment_decides_who_may_read_and_the_list_of_segments_counts_as_well() -> None:
    desk = Zendesk()
    desk.store.add_article("all", "<p>x</p>")
    for title, segment in (("signed in", SIGNED_IN), ("staff", STAFF), ("some", SOME), ("unknown", 999)):
        desk.store.add_article(title, "<p>x</p>", user_segment_id=segment)
    desk.store.add_article("plural", "<p>x</p>")
    desk.store.articles[-1]["user_segment_ids"] = [STAFF]
    desk.sync()
    assert desk.audiences() == {
        "all": "everyone",
        "signed in": "customers",
        "staff": "agents",
        "some": "agents",
        "unknown": "agents",
        "plural": "agents",
    }


def pages(most: int) -> Callable[[int], None]:
    """Time for so many pages."""
    left = iter(range(most - 1))

    def advance(_count: int) -> None:
        if next(left, None) is None:
            raise DeadlineReached

    return advance


def test_a_sync_whose_time_ends_keeps_what_it_read_and_a_whole_one_notices_what_is_gone() -> None:
    desk = Zendesk()
    for number in range(301):
        desk.store.add_article(f"Article {number}", "<p>x</p>")
    desk.sync()
    desk.store.articles[0]["body"] = "<p>other words</p>"
    for place in (300, 250, 1):
        del desk.store.articles[place]
    cut_short = desk.sync(pages(2))
    assert (cut_short.unfinished, cut_short.changed, cut_short.removed) == (True, {"zendesk": 1}, {"zendesk": 0})
    whole = desk.sync()
    assert (whole.unfinished, whole.changed, whole.removed) == (False, {"zendesk": 0}, {"zendesk": 3})
    assert desk.kept.counts()[0] == 298


@pytest.mark.parametrize("status", [404, 401, 403])
def test_a_help_center_that_cannot_be_read_keeps_what_was_there_and_stops_no_other_source(
    status: int, tmp_path: Path
) -> None:
    (tmp_path / "a.md").write_text("# A\nx", encoding="utf-8")
    desk = Zendesk(faults=f"status:/help_center/:status={status}")
    sources = [center(desk), FolderArticles(tmp_path, lang="en", audience="everyone")]
    result = sync(desk.kept, sources)
    assert set(result.failed) == {"zendesk"}
    assert desk.titles() == ["A"]


def test_a_source_that_is_no_longer_named_is_forgotten() -> None:
    desk = Zendesk()
    desk.store.add_article("Refunds", "<p>x</p>")
    desk.sync()
    sync(desk.kept, [])
    assert desk.kept.counts() == (0, 0)


class Freshdesk(FreshAccount):
    """A Freshdesk account's solutions, their reader, and a store."""

    def __init__(self) -> None:
        super().__init__()
        self.store, self.kept = self.desk, KnowledgeStore(None)

    def sync(self) -> SyncResult:
        self.asked.clear()
        return sync(self.kept, [HelpCenter("freshdesk", partial(freshdesk_reads.articles, self.transport))])

    def audiences(self) -> dict[str, str]:
        return dict(self.kept.all("SELECT title, audience FROM article"))


def test_freshdesk_folders_decide_who_may_read_also_when_they_lie_in_others() -> None:
    desk = Freshdesk()
    outer = 0
    for visibility in range(1, 8):
        outer = desk.store.add_folder(f"Folder {visibility}", visibility=visibility)
        desk.store.add_article(f"Article {visibility}", "<p>x</p>")
    desk.store.add_folder("Inner", visibility=3, parent_folder_id=outer)
    desk.store.add_article("Nested", "<p>x</p>")
    desk.store.add_article("Draft", "<p>x</p>", status=1)
    assert desk.sync().failed == {}
    assert desk.audiences() == {
        "Article 1": "everyone",
        "Article 2": "customers",
        **{f"Article {visibility}": "agents" for visibility in range(3, 8)},
        "Nested": "agents",
    }


def test_freshdesk_translations_are_read_once_and_an_article_that_goes_takes_them_along() -> None:
    desk = Freshdesk()
    desk.store.add_folder("Help")
    article = desk.store.add_article("Refunds", "<p>Five days.</p>")
    german = {"language": "de", "title": "Erstattungen", "description": "<p>Fünf Tage.</p>"}
    desk.store.translations.append({**desk.store.articles[0], **german, "id": article})
    desk.sync()
    assert dict(desk.kept.all("SELECT lang, title FROM article")) == {"en": "Refunds", "de": "Erstattungen"}
    first = len(desk.asked)
    assert desk.sync().changed == {"freshdesk": 0}
    assert len(desk.asked) == first - 1  # the translation is not asked for again
    desk.store.articles.clear()
    assert desk.sync().removed == {"freshdesk": 2}


def test_a_folder_that_gets_hidden_hides_its_articles_at_the_next_sync() -> None:
    desk = Freshdesk()
    desk.store.add_folder("Help")
    desk.store.add_article("Refunds", "<p>Five days.</p>")
    desk.sync()
    desk.store.folders[0]["visibility"] = 3
    desk.sync()
    assert desk.audiences() == {"Refunds": "agents"}


Files = Callable[..., None]


@pytest.fixture
def files(tmp_path: Path) -> Files:
    def write(**texts: str) -> None:
        for name, text in texts.items():
            path = tmp_path / name.replace("__", "/").replace("_", ".")
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text, encoding="utf-8")

    return write


def of_folder(store: KnowledgeStore, folder: Path) -> SyncResult:
    return sync(store, [FolderArticles(folder, lang="en", audience="agents")])


def test_front_matter_says_title_address_language_and_readers(tmp_path: Path, files: Files) -> None:
    files(
        a_md="---\ntitle: 'Refunds: how'\nurl: https://x.example/r\naudience: everyone\nlang: de-AT\n---\n# B\nWords",
        deep__b_html="<h1>Cards</h1><p>Words</p>",
        c_md="---\naudience: partners\n---\nNo heading",
        d_md="---\ndraft: true\n---\nx",
        e_txt="x",
    )
    store = KnowledgeStore(None)
    of_folder(store, tmp_path)
    rows = store.all("SELECT id, title, url, lang, audience FROM article ORDER BY id")
    name = f"folder:{tmp_path.name}"
    assert rows == [
        (f"{name}/a.md", "Refunds: how", "https://x.example/r", "de", "everyone"),
        (f"{name}/c.md", "c", "", "en", "agents"),
        (f"{name}/deep/b.html", "Cards", "", "en", "agents"),
    ]


def test_an_unchanged_file_is_not_read_and_a_touched_one_changes_nothing(tmp_path: Path, files: Files) -> None:
    files(a_md="# A\none", b_md="# B\ntwo")
    store = KnowledgeStore(None)
    of_folder(store, tmp_path)
    before = store.fact(GENERATION)
    os.utime(tmp_path / "a.md", (1, 1))
    assert of_folder(store, tmp_path).changed == {f"folder:{tmp_path.name}": 0}
    assert store.fact(GENERATION) == before
    (tmp_path / "b.md").unlink()
    files(a_md="# A\nother words")
    result = of_folder(store, tmp_path)
    assert (list(result.changed.values()), list(result.removed.values())) == ([1], [1])


def test_a_link_out_of_the_folder_is_not_followed(tmp_path: Path, files: Files) -> None:
    files(in__a_md="# A\nx", out__secret_md="# Secret\nx")
    try:
        (tmp_path / "in" / "link.md").symlink_to(tmp_path / "out" / "secret.md")
    except OSError:
        pytest.skip("this system makes no links")
    store = KnowledgeStore(None)
    of_folder(store, tmp_path / "in")
    assert store.counts()[0] == 1


def test_a_folder_that_is_not_there_is_a_wrong_setting(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"knowledge\.folders"):
        of_folder(KnowledgeStore(None), tmp_path / "nowhere")
