"""``ticketbot undo`` over HTTP: what comes back, what stays with people, and what it says."""

from __future__ import annotations

import re
import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest

from ticket_processor.sandbox.account import BOT_ID
from ticket_processor.sandbox.server import SandboxServer

from .at_work import CONFIG, FINANCE, ORDER, account, judge, people_work, shown
from .conftest import Desk, wait_for
from .terminal import shown_on_a_terminal

Account = Callable[..., Desk]


@pytest.fixture
def at_account(tmp_path: Path) -> Iterator[Account]:
    """Make a command pointed at an account with so many tickets; see :func:`.at_work.account`."""
    with ExitStack() as stack:

        def make(count: int = 6, config: str = CONFIG, **options: Any) -> Desk:
            sandbox = account(count, **options)
            server = stack.enter_context(SandboxServer(sandbox))
            desk = Desk(tmp_path, sandbox, server.url, model=False)
            stack.callback(desk.close)
            (tmp_path / "ticketbot.toml").write_text(config, encoding="utf-8")
            return desk

        yield make


def triaged(desk: Desk) -> str:
    """The id of a first run over all tickets, which have rested since."""
    run = desk("run", "--since", "1d", "--json").object
    assert set(run["outcomes"]) == {"updated"}
    desk.advance(600)
    return str(run["run_id"])


def undo_notes(desk: Desk, number: int) -> list[dict[str, Any]]:
    return [note for note in desk.notes(number) if note["plain_body"].startswith("Undo of run ")]


def writes(desk: Desk) -> list[str]:
    return [entry for entry in desk.helpdesk_requests() if entry.startswith("PUT")]


def test_what_was_taken_back_is_triaged_anew_when_somebody_asks_for_it(at_account: Account) -> None:
    desk = at_account()
    run = triaged(desk)
    after = shown(desk.sandbox.store)
    desk("undo", run)
    desk.advance(600)
    first = min(desk.tickets)
    assert "left alone (ticketbot has triaged the ticket before)" in desk("run", "--ticket", str(first)).out
    assert "1 updated" in desk("run", "--ticket", str(first), "--again").out
    assert (shown(desk.sandbox.store)[first], len(desk.notes(first))) == (after[first], 3)
    desk.advance(600)
    again = desk("run", "--again-run", run, "--json").object
    assert again["outcomes"] == {"updated": 5, "skipped": 1}
    assert shown(desk.sandbox.store) == after
    desk.advance(600)
    desk("undo", str(again["run_id"]))
    marked = {number for number, ticket in desk.sandbox.store.tickets.items() if "ai_processed" in ticket.tags}
    assert marked == {first}


def test_options_that_contradict_named_tickets_are_all_told_at_once(at_account: Account) -> None:
    desk = at_account()
    assert "--again goes with --ticket ID" in desk("run", "--again", code=2).err
    told = desk("run", "--ticket", "1", "--since", "1d", "--retry-fallbacks", code=2).err
    assert "--since has no use here" in told
    assert "--retry-fallbacks has no use here" in told
    assert "only receipts tell what a run wrote" in desk("run", "--again-run", "2020", code=2).err


def test_no_later_run_triages_the_tickets_again_even_without_the_state(at_account: Account) -> None:
    desk = at_account()
    before = shown(desk.sandbox.store)
    run = triaged(desk)
    desk("undo", run)
    desk.advance(600)
    desk.sandbox.store.person_edit(2, comment="Still broken.", public=True)
    desk.advance(600)
    writes(desk)
    assert "nothing to do" in desk("run", "--since", "1d", "--retry-fallbacks").out
    for path in desk.state.iterdir():
        path.unlink()
    assert "nothing to do" in desk("run", "--since", "1d", "--retry-fallbacks").out
    assert writes(desk) == []
    assert shown(desk.sandbox.store) == before


def test_json_tells_each_ticket_by_its_parts(at_account: Account) -> None:
    desk = at_account(2)
    run = triaged(desk)
    desk.sandbox.store.person_edit(2, priority="low")
    desk.advance(60)
    told = desk("undo", run, "--json").object
    assert (told["undoes"], told["dry_run"], told["exit_code"]) == (run, False, 0)
    assert told["run_id"] == desk.events("run_started")[-1]["run_id"]
    first, second = sorted(told["tickets"], key=lambda row: row["ticket_id"])
    assert (first["outcome"], first["left"]) == ("taken_back", [])
    assert "ai_processed" in first["taken_back"]["tags_off"]
    assert first["taken_back"]["group"]["from"] == FINANCE
    assert ORDER in first["taken_back"]["fields"]
    assert second["left"] == [{"part": "priority", "why": "changed_since"}]
    left = [{"part": "priority", "why": "changed_since", "tickets": 1}]
    assert told["in_part"] == {"tickets": 1, "left": left}


def test_the_kill_switch_stops_an_undo_unless_it_is_told_to_go_on(at_account: Account) -> None:
    desk = at_account(2)
    run = triaged(desk)
    (desk.state / "STOP").touch()
    stopped = desk("undo", run, code=3)
    assert "--while-stopped" in stopped.err
    assert len(desk.marked()) == 2
    assert "2 to be taken back" in desk("undo", run, "--dry-run").out
    assert "2 taken back" in desk("undo", run, "--while-stopped").out
    assert desk("run", code=3).out != ""  # and runs stay stopped


@pytest.mark.skipif(sys.platform == "win32", reason="there are no pseudo-terminals")
def test_on_a_terminal_there_is_a_bar_with_the_total_and_what_is_left_above_it(at_account: Account) -> None:
    desk = at_account(4)
    run = triaged(desk)
    desk.sandbox.store.person_edit(2, status="closed")
    desk.advance(60)
    seen = shown_on_a_terminal(desk, "undo", run, TERM="xterm", COLUMNS="120")
    assert " of 4" in seen
    assert "looked at" not in seen
    assert re.search(r"(^|[\r\n\x1bK])ticket 2: left \(the ticket is closed", seen)
    assert "ticket 1:" not in seen
    assert "3 taken back, 1 left" in seen


@pytest.mark.slow
@pytest.mark.parametrize(("mode", "nth"), [("single", 1), ("single", 12), ("batch", 1)])
def test_after_a_kill_the_same_command_ends_it_with_one_note_each(at_account: Account, mode: str, nth: int) -> None:
    desk = at_account(30, CONFIG.replace("[run]\n", f'[run]\nwrite_mode = "{mode}"\n'))
    before = shown(desk.sandbox.store)
    run = triaged(desk)
    begun = desk.when(lambda request: request.method == "PUT", nth=nth)
    process = desk.start("undo", run)
    wait_for(begun, process)
    process.kill()
    desk.end(process, code=None)
    desk.advance(60)
    ended = desk("undo", run)
    assert " failed" not in ended.out
    assert shown(desk.sandbox.store) == before
    assert all(len(undo_notes(desk, number)) == 1 for number in desk.tickets)
    desk.advance(600)
    desk("run")
    assert shown(desk.sandbox.store) == before


@pytest.mark.slow
@pytest.mark.parametrize("faults", ["", "lost-reply=0.1:PUT:/tickets,error-after=0.1:PUT:/tickets"])
@pytest.mark.parametrize("mode", ["single", "auto"])
def test_no_value_of_a_person_is_lost_whatever_people_do_to_half_of_the_tickets(
    at_account: Account, mode: str, faults: str
) -> None:
    desk = at_account(60, CONFIG.replace("[run]\n", f'[run]\nwrite_mode = "{mode}"\n'), faults=faults)
    store = desk.sandbox.store
    before = shown(store)
    run = desk("run", "--since", "1d", "--json", code=None).object["run_id"]
    after = shown(store)
    desk.advance(600)
    people_work(store, 0.5, seed=4711)
    left = shown(store)
    desk.advance(600)
    desk("undo", run, code=None)
    desk.advance(60)
    desk("undo", run)
    found = judge(store, before, after, left)
    assert found.human_values > 20
    assert found.human_values_changed == []
    assert found.not_taken_back == []
    assert found.others_changed == []
    assert found.notes == []
    assert (found.untouched, found.untouched_as_before) == (30, 30)
    assert not any(
        audit.comment_public
        for ticket in store.tickets.values()
        for audit in ticket.audits
        if audit.author_id == BOT_ID
    )
