"""The command ``ticketbot kb``, from the settings file to what it prints."""

from __future__ import annotations

import gzip
import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from ticket_processor.cli import app
from ticket_processor.core.errors import ExitCode
from ticket_processor.knowledge.evaluate import OFTEN, copies, examine
from ticket_processor.knowledge.model import Article
from ticket_processor.knowledge.store import FILE_NAME, KnowledgeStore
from ticket_processor.settings.schema import Settings

from ..servers.scripted import reply, scripted


class Site:
    """A folder with settings and articles, in which commands are run."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.articles = folder / "help"
        self.articles.mkdir()
        self.settings("[knowledge]", 'folders = ["help"]')

    def settings(self, *lines: str) -> None:
        text = "\n".join((f"state_dir = '{self.folder / 'state'}'", *lines))
        (self.folder / "ticketbot.toml").write_text(text, encoding="utf-8")

    def write(self, name: str, text: str) -> None:
        (self.articles / name).write_text(text, encoding="utf-8")

    def lines(self, name: str, rows: list[dict[str, Any]]) -> str:
        path = self.folder / name
        with gzip.open(path, "wt", encoding="utf-8") if name.endswith(".gz") else path.open("w") as file:
            file.writelines(json.dumps(row) + "\n" for row in rows)
        return str(path)

    def run(self, *arguments: str) -> Any:
        result = CliRunner().invoke(app, ["kb", *arguments, "--json"], catch_exceptions=False)
        assert result.exit_code == ExitCode.OK, result.output
        return json.loads(result.stdout)


@pytest.fixture
def site(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Site:
    monkeypatch.chdir(tmp_path)
    return Site(tmp_path)


def test_eval_measures_search_on_questions_with_known_articles(site: Site) -> None:
    rows = []
    for number in range(30):
        site.write(f"a{number}.md", f"# Part{number}\nThe part number{number}x breaks.")
        rows.append({"id": number, "text": f"number{number}x broke", "gold": [f"folder:help/a{number}.md"]})
    site.run("sync")
    asked = site.lines("q.jsonl.gz", rows)
    own = site.run("eval", "--queries", asked)
    assert {"id": "3", "ranked": ["folder:help/a3.md"]} in own["ranking"]
    assert own["scores"]["lexical"] == {"hit_1": 1.0, "hit_5": 1.0, "mrr_10": 1.0, "recall_10": 1.0}


@pytest.mark.parametrize("others", [0, 1, 5, 28, 40])
def test_a_perfect_match_clears_the_floor_in_a_base_of_any_size(site: Site, others: int) -> None:
    site.write("refunds.md", "# Refunds\nYou get your money back within five days.")
    for number in range(others):
        site.write(f"a{number}.md", f"# Part {number}\nHow to repair your broken part{number} with money or glue.")
    site.run("sync")
    assert "folder:help/refunds.md" in CliRunner().invoke(app, ["kb", "search", "When do I get my money back?"]).output
    result = site.run("search", "When do I get my money back?")
    assert result["found"][0]["article_id"] == "folder:help/refunds.md"
    assert result["found"][0]["score"] >= result["floor"] > 0.2
    far = site.run("search", "My parcel was lost by the carrier, and nobody answers the telephone: broken service")
    assert all(each["score"] < far["floor"] for each in far["found"])


def test_where_the_time_does_not_suffice_for_all_articles_it_is_said_what_to_do(
    site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each listing begins anew: of many thousand articles no run would see the last."""
    site.write("refunds.md", "# Refunds\nYou get your money back within five days.")
    monkeypatch.setattr("ticket_processor.commands.kb.SYNC_S", 0.0)
    synced = site.run("sync")
    assert (synced["unfinished"], ["'ticketbot kb sync'" in each for each in synced["troubles"]]) == (True, [True])


def test_the_beginning_of_a_passage_is_shown_in_a_language_without_spaces_too(site: Site) -> None:
    site.write("henkin.md", "# 返金\n" + "返金は五日以内に行われます。" * 40)
    site.run("sync")
    assert "返金は五日以内に行われます。返金は" in CliRunner().invoke(app, ["kb", "search", "返金"]).output


@pytest.mark.parametrize("command", [["sync"], ["search", "x"], ["show", "x"], ["doctor"]])
def test_without_a_source_there_is_no_knowledge_base_and_no_file(site: Site, command: list[str]) -> None:
    site.settings()
    assert not Settings().knowledge.sources
    result = CliRunner().invoke(app, ["kb", *command])
    assert result.exit_code == ExitCode.USAGE
    for name in ("help_centers", "folders"):
        assert f"knowledge.{name}" in " ".join(result.output.split())
    assert not (site.folder / "state" / FILE_NAME).exists()


@pytest.mark.parametrize(
    ("lines", "words"),
    [
        (('help_centers = ["freshdesk"]',), "no Freshdesk account"),
        (('folders = ["help", "other/help"]',), "two folders of one name"),
        (('folders = ["help"]', '[embeddings]\nmodel = "e5"'), "embeddings.base_url"),
    ],
)
def test_settings_that_cannot_work_are_said(site: Site, lines: tuple[str, ...], words: str) -> None:
    site.settings('[zendesk]\nurl = "acme"\n[knowledge]', *lines)
    result = CliRunner().invoke(app, ["kb", "sync"], env={"ZENDESK_OAUTH_TOKEN": "x" * 40})
    assert words in f"{result.output}{result.exception}"
    assert result.exit_code != ExitCode.OK


def test_a_sync_says_which_server_gets_the_articles_and_in_words_that_it_fails(site: Site) -> None:
    site.write("refunds.md", "# Refunds\nMoney is back in five days.")
    with scripted(reply({}, status=404)) as server:
        site.settings(f'[embeddings]\nmodel = "bge"\nbase_url = "{server.url}"', "[knowledge]", 'folders = ["help"]')
        result = CliRunner().invoke(app, ["kb", "sync"])
    told = " ".join(result.output.split())
    assert "ectors by bge at 127.0.0.1" in told
    assert "words alone are searched there: embeddings absent: it has no embeddings" in told
    assert "embeddings_" not in told


@pytest.mark.parametrize("text", ['{"id": 1}', '{"id": 1, "text": 5}', "[1]", "no json", ""])
def test_a_file_that_holds_no_questions_is_refused(site: Site, text: str) -> None:
    site.write("q.jsonl", text)
    result = CliRunner().invoke(app, ["kb", "eval", "--queries", str(site.articles / "q.jsonl")])
    assert result.exit_code != ExitCode.OK or result.exception


# kb doctor

YEAR_S = 365 * 86_400.0
NOW = 10 * YEAR_S
ARTICLE = Article("z:1", "z", "Title", "", "en", "everyone", NOW, "Words.")
LONG = (
    "Open the menu, choose your account, press the button that says reset and wait for the mail with the link to it. "
)


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
