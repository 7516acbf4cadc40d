"""A run brings the knowledge base up to date first, when that is due: never in a dry run, and never at its own cost."""

from __future__ import annotations

import time
from contextlib import closing
from pathlib import Path

import pytest
from pydantic import SecretStr

from ticket_processor.analysis.model_server.settings import EmbeddingSettings
from ticket_processor.core.clock import SystemClock
from ticket_processor.helpdesk.rate_limit import Limit, Throttle
from ticket_processor.knowledge.search import FLOOR
from ticket_processor.knowledge.settings import KnowledgeSettings
from ticket_processor.knowledge.store import FILE_NAME, KnowledgeStore
from ticket_processor.knowledge.sync import SYNCED, is_due, remember_end
from ticket_processor.replies.settings import ReplySettings
from ticket_processor.sandbox.articles import fill_help_center
from ticket_processor.settings.helpdesks import FreshdeskSettings
from ticket_processor.settings.load import load
from ticket_processor.settings.schema import RunSettings, Settings
from ticket_processor.wiring.knowledge import sync_when_due
from ticket_processor.wiring.runs import told_of

from ..servers.scripted import reply, scripted
from ..support.fakes import ManualClock
from .conftest import Desk, OpenDesk

NOTE = '[replies]\nmode = "note"\n'
FOLDER = '[knowledge]\nfolders = ["help"]\n'
CENTER = '[knowledge]\nhelp_centers = ["zendesk"]\n'
CHARGED = "# Charged twice\nA card charged twice for one subscription gets the second payment back.\n"
DAY = 86_400.0


def at(desk: Desk, toml: str) -> Desk:
    """The desk with these settings, a folder with an article, and a floor that ``kb eval`` would have found."""
    (desk.folder / "help").mkdir(exist_ok=True)
    (desk.folder / "help" / "charged.md").write_text(CHARGED, encoding="utf-8")
    desk.configure(toml)
    return desk


def remarks(desk: Desk, *arguments: str) -> list[str]:
    told = desk("run", *arguments, "--json").object["remarks"]
    return [remark for remark in told if "knowledge base" in remark]


def keep(desk: Desk, **facts: str) -> None:
    with closing(KnowledgeStore(desk.state / FILE_NAME)) as store:
        for name, value in facts.items():
            store.set_fact(name, value)


def articles(desk: Desk) -> int:
    with closing(KnowledgeStore(desk.state / FILE_NAME)) as store:
        return store.counts()[0]


def test_a_run_syncs_first_once_a_day_and_its_tickets_get_what_is_new(desk: Desk) -> None:
    at(desk, NOTE + FOLDER)
    keep(desk, **{FLOOR: "0.0"})
    assert remarks(desk, "--since", "7d") == ["knowledge base: articles: 1 new or changed, 0 gone"]
    assert any("gets the second payment back" in note["html_body"] for n in desk.tickets for note in desk.notes(n))

    (desk.folder / "help" / "new.md").write_text("# New\nAn article that came later.", encoding="utf-8")
    assert remarks(desk) == []
    assert articles(desk) == 1
    keep(desk, **{SYNCED: str(time.time() - DAY)})
    assert remarks(desk) == ["knowledge base: articles: 1 new or changed, 0 gone"]


def test_what_a_person_starts_and_what_a_webhook_tells_of_wait_for_no_sync(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    at(desk, "")
    desk("run", "--since", "7d")
    at(desk, NOTE + FOLDER)
    desk("run", "--dry-run", "--since", "30d", "--quiet", "--out", "planned.jsonl")
    desk("apply", "planned.jsonl")
    desk("retry", "run")
    folders = {"TICKETBOT_STATE_DIR": str(desk.state), "TICKETBOT_LOG_DIR": str(desk.logs)}
    monkeypatch.chdir(desk.folder)
    told_of(load(environ={**desk.environ, **folders}), [1])
    assert articles(desk) == 0
    desk("run")
    assert articles(desk) == 1


@pytest.mark.parametrize("arguments", [(), ("--dry-run",)])
@pytest.mark.parametrize("toml", [CENTER, NOTE + CENTER])
def test_without_a_wish_for_replies_and_in_a_dry_run_nothing_is_read(
    desk: Desk, toml: str, arguments: tuple[str, ...]
) -> None:
    at(desk, toml)
    fill_help_center(desk.sandbox.store)
    assert bool(remarks(desk, "--since", "7d", *arguments)) is (toml == NOTE + CENTER and not arguments)
    asked = [request for request in desk.helpdesk_requests() if "help_center" in request]
    assert bool(asked) is (toml == NOTE + CENTER and not arguments)
    if "mode" not in toml:
        assert not (desk.state / FILE_NAME).exists()


def test_a_help_center_that_is_down_is_told_left_for_an_hour_and_stops_no_run(open_desk: OpenDesk) -> None:
    desk = at(open_desk(faults="status:GET:/help_center:status=500"), NOTE + CENTER)
    (told,) = remarks(desk, "--since", "7d")
    assert "HTTP 500" in told
    desk.assert_done()
    desk.helpdesk_requests()
    assert remarks(desk) == []
    assert not [request for request in desk.helpdesk_requests() if "help_center" in request]


def test_a_stopped_program_reads_nothing(desk: Desk) -> None:
    at(desk, NOTE + CENTER)
    desk("run", "--since", "7d", code=3, TICKETBOT_STOP="1")
    assert not [request for request in desk.helpdesk_requests() if "help_center" in request]


def test_what_the_time_does_not_suffice_for_the_next_run_goes_on_with(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    help_ = tmp_path / "help"
    help_.mkdir()
    for number in range(450):
        (help_ / f"{number:03}.md").write_text(f"# Part {number}\nAll about part {number}.", encoding="utf-8")
    clock = ManualClock()
    put = KnowledgeStore.put

    def slow(store: KnowledgeStore, *given: object) -> None:
        put(store, *given)  # type: ignore[arg-type]
        clock.advance(8.0)

    monkeypatch.setattr(KnowledgeStore, "put", slow)
    settings = Settings(
        state_dir=tmp_path,
        knowledge=KnowledgeSettings(folders=(help_,)),
        replies=ReplySettings(mode="note"),
        run=RunSettings(deadline_s=100),
    )
    first, second, third = (sync_when_due(settings, clock) for _ in range(3))
    assert first[0] == "knowledge base: articles: 400 new or changed, 0 gone"
    assert "next sync goes on" in first[1]
    assert second == ["knowledge base: articles: 50 new or changed, 0 gone"]
    assert third == []


def test_an_embedding_server_that_hangs_takes_a_sync_no_more_than_its_share_of_the_run(tmp_path: Path) -> None:
    help_ = tmp_path / "help"
    help_.mkdir()
    (help_ / "charged.md").write_text(CHARGED, encoding="utf-8")
    with scripted(reply("", ends="hang")) as server:
        settings = Settings(
            state_dir=tmp_path,
            knowledge=KnowledgeSettings(folders=(help_,)),
            embeddings=EmbeddingSettings(model="e", base_url=server.url),
            replies=ReplySettings(mode="note"),
            run=RunSettings(deadline_s=10),
        )
        told = sync_when_due(settings, SystemClock())
    assert told[0] == "knowledge base: articles: 1 new or changed, 0 gone"
    assert "time for reading" in told[1]
    assert len(server.received) == 1, "it is not tried again"


def test_on_freshdesk_a_sync_and_its_run_share_one_share_of_the_limit(tmp_path: Path) -> None:
    clock = ManualClock()
    throttle = Throttle(clock, 0.5)
    throttle.learn({"account": Limit(total=2, remaining=2, resets_s=60.0)})
    assert throttle.delay(["account"]) == 0.0
    settings = Settings(
        state_dir=tmp_path,
        helpdesk="freshdesk",
        freshdesk=FreshdeskSettings(url="http://127.0.0.1:9", api_key=SecretStr("x" * 20)),
        knowledge=KnowledgeSettings(help_centers=("freshdesk",)),
        run=RunSettings(deadline_s=100),
    )
    (told,) = sync_when_due(settings, clock, throttle)
    assert "time for reading" in told, "it would have had to wait a minute, and no request was made"


def test_a_sync_is_due_after_its_hours_and_a_failed_one_after_one() -> None:
    store = KnowledgeStore(None)
    assert is_due(store, 1_000_000.0, 24)
    remember_end(store, 1_000_000.0, failed=False)
    assert [is_due(store, 1_000_000.0 + later, 24) for later in (0, DAY - 1, DAY)] == [False, False, True]
    remember_end(store, 1_000_000.0 + DAY, failed=True)
    assert [is_due(store, 1_000_000.0 + DAY + later, 24) for later in (0, 3_599, 3_600)] == [False, False, True]
    assert is_due(store, 1.0, 24), "a clock that was ahead must not put it off for ever"
