"""``replies.mode = "note"``: the best articles and their lines in the internal note, by the real command."""

from __future__ import annotations

import json
from collections.abc import Sequence
from contextlib import closing
from pathlib import Path

import pytest

from ticket_processor.analysis.cache import AnswerStore
from ticket_processor.analysis.chain import Understanding
from ticket_processor.analysis.model_server.settings import ModelSettings
from ticket_processor.analysis.rules.analyser import RulesAnalyser
from ticket_processor.analysis.text.redact import redact
from ticket_processor.core.clock import SystemClock
from ticket_processor.core.models import Decision, RedactionLevel, Ticket
from ticket_processor.core.taxonomy import default_taxonomy
from ticket_processor.knowledge.model import Found, KnowledgeSettings
from ticket_processor.knowledge.search import KnowledgeSearch
from ticket_processor.knowledge.store import FILE_NAME, KnowledgeStore
from ticket_processor.replies.settings import ReplySettings
from ticket_processor.settings.schema import Settings
from ticket_processor.wiring.answers import answers

from .conftest import OpenDesk
from .drafting import KNOWLEDGE, with_articles


def test_an_article_counts_as_shown_once_for_each_note_that_was_written(open_desk: OpenDesk) -> None:
    desk = with_articles(open_desk, 500, toml=f'[replies]\nmode = "note"\n{KNOWLEDGE}')

    def counts() -> dict[str, int]:
        with closing(KnowledgeStore(desk.state / FILE_NAME)) as store:
            return dict(store.all("SELECT id, found FROM article WHERE found > 0"))

    desk("run", "--since", "7d", "--dry-run")
    desk("analyse", "1")
    assert counts() == {}, "nobody has seen a note"
    desk("run", "--since", "7d")
    assert counts() == {"folder:help/charged.md": 1}
    remarks = json.loads(desk("kb", "doctor", "--json").out)["findings"]
    never = {item["places"][0]["article"] for item in remarks if item["kind"] == "never_found"}
    assert "folder:help/Parcels.md" in never
    assert "folder:help/charged.md" not in never


@pytest.mark.parametrize(("level", "number_goes"), [(RedactionLevel.STANDARD, True), (RedactionLevel.STRICT, False)])
def test_a_question_to_the_knowledge_base_holds_no_personal_data(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, level: RedactionLevel, number_goes: bool
) -> None:
    asked: list[str] = []

    def search(_base: KnowledgeSearch, queries: Sequence[str], **_options: object) -> list[Found]:
        asked.extend(queries)
        return []

    monkeypatch.setattr(KnowledgeSearch, "search", search)
    settings = Settings(
        state_dir=tmp_path,
        models=ModelSettings(names=["m"], base_url="http://127.0.0.1:9/v1", redaction=level),
        knowledge=KnowledgeSettings(folders=(tmp_path,)),
        replies=ReplySettings(mode="note"),
    )
    KnowledgeStore(tmp_path / FILE_NAME).close()
    ticket = Ticket(
        id=1,
        subject="Charged twice",
        description="I am Ana Lima, ana.lima@example.org. My customer number is 8812345. I was charged twice.",
        created_at="2026-11-22T08:00:00Z",
        updated_at="2026-11-22T08:00:00Z",
        names=("Ana Lima",),
    )
    rules = RulesAnalyser(default_taxonomy())
    store = AnswerStore(None, SystemClock())
    with answers(settings, Understanding([], rules), store, pytest.fail) as add:
        assert add is not None
        add(ticket, rules.analyse(redact(ticket.description)), Decision(ticket_id=1, reason="by rules"))

    assert "charged twice" in " ".join(asked)
    assert "ana.lima" not in " ".join(asked).lower()
    assert "Lima" not in " ".join(asked)
    assert ("8812345" in " ".join(asked)) is number_goes
