"""The file of the knowledge base: what is kept, replaced and forgotten."""

from __future__ import annotations

import sys
from contextlib import suppress
from pathlib import Path

import pytest

from ticket_processor.core.errors import StateUnusable
from ticket_processor.knowledge.model import READABLE, Article
from ticket_processor.knowledge.store import FILE_NAME, KnowledgeStore, hash_of

from ..support.bad_disk import Failing


def article(name: str = "a", body: str = "Words.", **others: object) -> Article:
    values: dict[str, object] = {
        "source": "folder",
        "title": "Title",
        "url": "",
        "lang": "en",
        "audience": "everyone",
        "updated_at": 1.0,
        **others,
    }
    return Article(id=name, body_text=body, **values)  # type: ignore[arg-type]


def indexed(store: KnowledgeStore, word: str) -> int:
    return int(store.all("SELECT count(*) FROM words WHERE words MATCH ?", f'"{word}"')[0][0])


def test_articles_survive_closing_the_file(tmp_path: Path) -> None:
    store = KnowledgeStore(tmp_path / FILE_NAME)
    store.put([(article(), "stamp")])
    store.close()
    again = KnowledgeStore(tmp_path / FILE_NAME)
    assert again.article("a") == article()
    kept = again.kept("folder")["a"]
    assert (kept.hash, kept.stamp) == (hash_of(article()), "stamp")
    again.close()


def test_words_of_an_earlier_version_are_no_longer_found() -> None:
    store = KnowledgeStore(None)
    store.put([(article(body="obsolete"), "")])
    store.put([(article(body="current"), "")])
    assert (indexed(store, "obsolete"), indexed(store, "current")) == (0, 1)
    store.remove(["a"])
    assert (indexed(store, "current"), store.counts()) == (0, (0, 0))
    store.all("INSERT INTO words(words) VALUES ('integrity-check')")


def test_of_an_article_that_comes_twice_the_later_one_is_kept() -> None:
    store = KnowledgeStore(None)
    store.put([(article(body="early"), "1"), (article("b"), ""), (article(body="late"), "2")])
    assert (indexed(store, "early"), indexed(store, "late"), store.counts()) == (0, 1, (2, 2))
    assert store.kept("folder")["a"].stamp == "2"


def test_articles_of_all_readers_and_languages_replace_each_other_in_one_portion() -> None:
    store = KnowledgeStore(None)
    scopes = [(lang, audience) for audience in READABLE for lang in ("en", "de", "")]

    def portion(shift: int, word: str) -> list[tuple[Article, str]]:
        turned = scopes[shift:] + scopes[:shift]
        return [
            (article(f"a{number}", f"## A\n{word}\n## B\n{word}", lang=lang, audience=audience), "")
            for number, (lang, audience) in enumerate(turned * 3)
        ]

    for shift, word in enumerate(("first", "second", "third")):
        store.put(portion(shift, word))
    assert [indexed(store, word) for word in ("first", "second", "third")] == [0, 0, 54]
    assert store.counts() == (27, 54)
    store.all("INSERT INTO words(words) VALUES ('integrity-check')")


def test_a_write_that_fails_at_any_point_changes_nothing_and_the_next_one_is_kept(tmp_path: Path) -> None:
    number = 0
    while True:
        number += 1
        disk = Failing(sys.maxsize, "full", tmp_path, once=True)
        with disk.at_work():
            store = KnowledgeStore(tmp_path / str(number) / FILE_NAME)
            disk.at = len(disk.operations) + number
            with suppress(StateUnusable):
                store.put([(article(body="first"), "")])
            failed, disk.at = disk.struck, sys.maxsize
            assert indexed(store, "first") == (not failed), disk.operations
            store.put([(article("b", body="second"), "")])
            assert indexed(store, "second") == 1
            store.close()
        if not failed:
            return


def test_a_disk_that_is_full_is_said_in_words_and_changes_nothing() -> None:
    store = KnowledgeStore(None)
    store.put([(article(body="first"), "")])
    [(pages,)] = store.all("PRAGMA page_count")
    store.all(f"PRAGMA max_page_count={pages + 2}")
    with pytest.raises(StateUnusable, match="full"):
        store.put([(article(body="second " * 50_000), "")])
    assert (indexed(store, "first"), indexed(store, "second")) == (1, 0)


def test_a_file_of_another_version_is_made_anew_and_keeps_no_word_of_what_was_in_it(tmp_path: Path) -> None:
    path = tmp_path / FILE_NAME
    store = KnowledgeStore(path)
    store.put([(article(), "")])
    store.all("CREATE TABLE solved (id INTEGER PRIMARY KEY, question TEXT)")
    store.all("CREATE VIRTUAL TABLE solved_words USING fts5(question, content='solved', content_rowid='id')")
    store.all("INSERT INTO solved VALUES (1, 'zanzibar')")
    store.all("INSERT INTO solved_words (rowid, question) VALUES (1, 'zanzibar')")
    store.all("PRAGMA user_version=2")
    store.close()
    again = KnowledgeStore(path)
    assert again.counts() == (0, 0)
    again.put([(article(), "")])
    assert indexed(again, "words") == 1
    again.close()
    left = b"".join(each.read_bytes() for each in tmp_path.iterdir())
    assert b"zanzibar" not in left
    assert b"solved" not in left


def test_a_file_that_is_no_database_is_said_in_words(tmp_path: Path) -> None:
    (tmp_path / FILE_NAME).write_text("this is no database, but a text that is long enough to be taken for one" * 20)
    with pytest.raises(StateUnusable, match=r"knowledge\.sqlite3 cannot be used.* or delete it"):
        KnowledgeStore(tmp_path / FILE_NAME)
