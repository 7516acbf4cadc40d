"""Knowledge: articles are cut into passages and kept."""

from __future__ import annotations

import sys
from contextlib import suppress
from pathlib import Path

import pytest

from ticket_processor.core.errors import StateUnusable
from ticket_processor.knowledge.model import READABLE, Article
from ticket_processor.knowledge.store import FILE_NAME, KnowledgeStore, hash_of
from ticket_processor.knowledge.text import LONGEST, LONGEST_WHOLE, chunks_of, html_to_text, markdown_to_text

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


# Articles as text, and their passages


def test_html_keeps_headings_lists_tables_code_and_pictures() -> None:
    text = html_to_text(
        "<h2>Reset it</h2><p>Go to <a href='https://x.example'>settings</a>.</p><ol><li>Open</li><li>Click "
        "<img src='a.png' alt='the red button'></li></ol><table><tr><th>Plan</th><th>Price</th></tr>"
        "<tr><td>Pro</td><td>9 EUR</td></tr></table><pre>a  b\n  c</pre><script>alert(1)</script>"
    )
    assert "## Reset it" in text.splitlines()
    assert "Go to settings." in text
    assert "- Click ![the red button]" in text
    assert "| Pro | 9 EUR |" in text
    assert "```\na  b\n  c\n```" in text
    assert "alert" not in text


def test_what_tabs_and_accordions_hide_is_read() -> None:
    assert html_to_text("<div style='display:none'><p>Press F5.</p></div>") == "Press F5."


def test_markdown_loses_addresses_emphasis_and_anchors_but_not_words() -> None:
    text = markdown_to_text(
        'Refunds<a name="x"></a>\n=====\n\nSee [the terms](https://x.example/a_(b)) for **all** `--flag` \\* rules.\n'
        "<!-- note to self -->\n\n## Times {#times}\n\n![a screen](s.png)\n\n```sh\nrm **x**  # not a heading\n```\n"
    )
    lines = text.splitlines()
    assert lines[0] == "# Refunds"
    assert "See the terms for all `--flag` * rules." in lines
    assert "## Times" in lines
    assert "![a screen]" in lines
    assert "rm **x**  # not a heading" in lines
    assert "note to self" not in text


def test_markdown_keeps_the_numbers_of_steps_which_other_lines_name() -> None:
    steps = "1. Open it.\n2) Close it.\n- After steps 1 to 2 wait."
    assert markdown_to_text(steps) == steps


def test_a_passage_knows_the_headings_above_it_without_the_title() -> None:
    chunks = chunks_of("# Refunds\nIntro.\n## How long\nFive days.\n### Cards\nTen days.\n## Who\nWe.", "Refunds")
    assert [(chunk.heading, chunk.text) for chunk in chunks] == [
        ("", "Intro."),
        ("How long", "Five days."),
        ("How long > Cards", "Ten days."),
        ("Who", "We."),
    ]


def test_long_sections_are_cut_between_sentences_and_nothing_is_lost() -> None:
    words = [f"Sentence number {number} says a little more." for number in range(200)]
    chunks = chunks_of(" ".join(words))
    assert all(len(chunk.text) <= LONGEST for chunk in chunks)
    assert " ".join(chunk.text for chunk in chunks) == " ".join(words)


def test_code_and_tables_stay_whole_up_to_a_limit() -> None:
    code = "```\n" + "\n\n".join(f"step {number}" for number in range(300)) + "\n```"
    table = "\n".join(f"| row {number} | value |" for number in range(100))
    assert LONGEST < len(code) < LONGEST_WHOLE
    texts = [chunk.text for chunk in chunks_of(f"Before.\n{code}\nAfter.\n\n{table}")]
    assert any(code in text for text in texts)
    assert any(table in text for text in texts)


def test_an_article_without_words_still_has_a_passage_for_its_title() -> None:
    assert [chunk.text for chunk in chunks_of("", "Only a title")] == [""]
