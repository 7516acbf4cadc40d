"""A run brings the knowledge base up to date first, when that is due: never in a dry run, and never at its own cost."""

from __future__ import annotations

import time
from contextlib import closing

import pytest

from ticket_processor.knowledge.store import FILE_NAME, KnowledgeStore
from ticket_processor.knowledge.sync import SYNCED, is_due, remember_end
from ticket_processor.sandbox.app import fill_articles

from .conftest import Desk, OpenDesk

NOTE = '[replies]\nmode = "note"\n'
FOLDER = '[knowledge]\nfolders = ["help"]\n'
CENTER = '[knowledge]\nhelp_centers = ["zendesk"]\n'
CHARGED = "# Charged twice\nA card charged twice for one subscription gets the second payment back.\n"
DAY = 86_400.0


def at(desk: Desk, toml: str) -> Desk:
    """The desk with these settings, and a folder with an article."""
    (desk.folder / "help").mkdir(exist_ok=True)
    (desk.folder / "help" / "charged.md").write_text(CHARGED, encoding="utf-8")
    desk.configure(toml)
    return desk


def remarks(desk: Desk, *arguments: str) -> list[str]:
    told = desk("run", *arguments, "--json").object["remarks"]
    return [remark for remark in told if "knowledge base" in remark]


def test_a_run_syncs_first_once_a_day_and_its_tickets_get_what_is_new(open_desk: OpenDesk) -> None:
    desk = open_desk([{"subject": "Charged twice", "body": "My card was charged twice for one subscription."}])
    at(desk, NOTE + FOLDER)
    assert remarks(desk, "--since", "7d") == ["knowledge base: articles: 1 new or changed, 0 gone"]
    assert any("gets the second payment back" in note["html_body"] for n in desk.tickets for note in desk.notes(n))

    (desk.folder / "help" / "new.md").write_text("# New\nAn article that came later.", encoding="utf-8")
    assert remarks(desk) == []
    with closing(KnowledgeStore(desk.state / FILE_NAME)) as store:
        assert store.counts()[0] == 1
        store.set_fact(SYNCED, str(time.time() - DAY))
    assert remarks(desk) == ["knowledge base: articles: 1 new or changed, 0 gone"]


@pytest.mark.parametrize("arguments", [(), ("--dry-run",)])
@pytest.mark.parametrize("toml", [CENTER, NOTE + CENTER])
def test_without_a_wish_for_replies_and_in_a_dry_run_nothing_is_read(
    desk: Desk, toml: str, arguments: tuple[str, ...]
) -> None:
    at(desk, toml)
    fill_articles(desk.sandbox.store)
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


def test_a_sync_is_due_after_its_hours_and_a_failed_one_after_one() -> None:
    store = KnowledgeStore(None)
    assert is_due(store, 1_000_000.0)
    remember_end(store, 1_000_000.0, failed=False)
    assert [is_due(store, 1_000_000.0 + later) for later in (0, DAY - 1, DAY)] == [False, False, True]
    remember_end(store, 1_000_000.0 + DAY, failed=True)
    assert [is_due(store, 1_000_000.0 + DAY + later) for later in (0, 3_599, 3_600)] == [False, False, True]
    assert is_due(store, 1.0), "a clock that was ahead must not put it off for ever"
