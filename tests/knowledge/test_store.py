"""The file of the knowledge base: what is kept, replaced and forgotten."""

from __future__ import annotations

from pathlib import Path

import pytest

from ticket_processor.core.errors import StateUnusable
from ticket_processor.knowledge.model import Article
from ticket_processor.knowledge.store import FILE_NAME, KnowledgeStore, hash_of


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
    return int(store.rows("SELECT count(*) FROM words WHERE words MATCH ?", (f'"{word}"',))[0][0])


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
    store.rows("INSERT INTO words(words) VALUES ('integrity-check')")


def test_a_failure_half_way_changes_nothing() -> None:
    store = KnowledgeStore(None)
    store.put([(article(body="first"), "")])

    def two() -> object:
        yield article(body="second"), ""
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        store.put(two())  # type: ignore[arg-type]
    assert (indexed(store, "first"), indexed(store, "second")) == (1, 0)


def test_a_file_of_another_version_is_made_anew(tmp_path: Path) -> None:
    path = tmp_path / FILE_NAME
    store = KnowledgeStore(path)
    store.put([(article(), "")])
    store.rows("PRAGMA user_version=99")
    store.close()
    again = KnowledgeStore(path)
    assert again.counts() == (0, 0)
    again.put([(article(), "")])
    assert indexed(again, "words") == 1
    again.close()


def test_a_file_that_is_no_database_is_said_in_words(tmp_path: Path) -> None:
    (tmp_path / FILE_NAME).write_text("this is no database, but a text that is long enough to be taken for one" * 20)
    with pytest.raises(StateUnusable, match="delete it and sync anew"):
        KnowledgeStore(tmp_path / FILE_NAME)
