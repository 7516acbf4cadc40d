"""``ticketbot retry`` and ``ticketbot apply``: tickets that wait, and writes that a dry run has kept."""

from __future__ import annotations

import json
import sys
from typing import Any

import filelock
import pytest

from ticket_processor.sandbox.store import BOT_ID

from .conftest import Desk, OpenDesk, is_update


@pytest.fixture
def given_up(open_desk: OpenDesk) -> Desk:
    """Ticket 2 of four is refused every time, and has been given up after five attempts; the cause is gone by now."""
    desk = open_desk(4, faults="status:PUT:/tickets/2$:status=422")
    desk.configure("[run]\nwrite_mode = 'single'\n")
    desk("run", "--since", "1d", code=1)
    for _ in range(4):
        desk("run", code=1)
    desk.seen.clear()
    return desk


def test_the_list_says_how_often_and_why_and_what_fails_again_begins_to_count_anew(given_up: Desk) -> None:
    shown = given_up("retry", "list").out.splitlines()
    assert shown[0].split() == ["ticket", "attempts", "state", "reason"]
    assert shown[1].split()[:3] == ["2", "5", "dead"]
    assert shown[-1] == "0 waiting, 1 dead"
    assert given_up.seen == []
    assert given_up("retry", "run", "--json", code=1).object["outcomes"] == {"failed": 1}
    (ticket,) = given_up("retry", "list", "--json").object["tickets"]
    assert (ticket["attempts"], ticket["dead"]) == (1, False)


def test_what_cannot_be_done_is_told_and_nothing_is_done(given_up: Desk) -> None:
    desk = given_up
    for command in ("run", "drop"):
        told = desk("retry", command, "--ticket", "2", "--ticket", "7", "--ticket", "9", code=2).err
        assert "ticket 7 is not on the retry list" in told
        assert "ticket 9 is not on the retry list" in told
        assert "ticket 2" not in told
    for arguments in ((), ("--ticket", "2", "--all-dead")):
        assert "--all-dead" in desk("retry", "drop", *arguments, code=2).err
    assert "kill switch" in desk("retry", "run", code=3, TICKETBOT_STOP="1").err
    with filelock.FileLock(desk.state / "run.lock"):
        desk("retry", "run", code=75)
        desk("retry", "drop", "--all-dead", code=75)
        assert desk("retry", "list", "--json").object["dead"] == 1
    assert not [request for request in desk.seen if is_update(request)]


FILE = "planned.jsonl"
PLAN = ("run", "--dry-run", "--since", "2d", "--out", FILE)


def lines(desk: Desk) -> list[dict[str, Any]]:
    return [json.loads(line) for line in (desk.folder / FILE).read_text(encoding="utf-8").splitlines()]


def rewrite(desk: Desk, *changed: dict[str, Any]) -> None:
    (desk.folder / FILE).write_text("".join(json.dumps(line) + "\n" for line in changed), encoding="utf-8")


@pytest.mark.skipif(sys.platform == "win32", reason="Windows keeps rights elsewhere than in the mode")
def test_the_file_is_for_its_owner_and_holds_no_words_that_a_receipt_does_not_hold(open_desk: OpenDesk) -> None:
    body = "I was charged twice, please write to ada.secret@example.com or call +49 30 1234567."
    desk = open_desk([{"subject": "Charged twice", "body": body, "age": 7200.0}])
    desk(*PLAN)
    path = desk.folder / FILE
    assert path.stat().st_mode & 0o777 == 0o600
    text = path.read_text(encoding="utf-8")
    assert "ada.secret" not in text
    assert "1234567" not in text


def test_applying_twice_writes_nothing_the_second_time_even_without_the_state(smart: Desk) -> None:
    shown = smart(*PLAN).out
    assert f"6 planned writes are in {FILE}, and are written with: ticketbot apply {FILE}" in shown
    planned = {line["ticket_id"]: line for line in lines(smart)}
    smart("apply", FILE)
    for number, line in planned.items():
        (audit,) = [audit for audit in smart.tickets[number].audits if audit.author_id == BOT_ID and audit.custom]
        assert audit.custom["ticketbot"]["key"] == line["key"]
        assert set(line["decision"]["tags"]) <= set(smart.ticket(number)["tags"])
    for again in range(2):
        changes = len(smart.sandbox.store.history)
        smart.helpdesk_requests()
        told = smart("apply", FILE, "--json").object
        assert (told["outcomes"], told["reasons"]) == ({"skipped": 6}, {"already_done": 6})
        assert len(smart.sandbox.store.history) == changes
        if not again:
            assert not [line for line in smart.helpdesk_requests() if "tickets" in line]  # the state knows
            for path in smart.state.iterdir():
                path.unlink()
            smart.sandbox.store.person_edit(1, remove_tags=["ai_processed"])
            smart.advance(60)


def test_a_broken_line_is_named_and_nothing_is_written(open_desk: OpenDesk) -> None:
    desk = open_desk(3)
    desk(*PLAN)
    first, second, third = lines(desk)
    broken: dict[str, dict[str, Any]] = {
        "line 2: decision.tags": {**second, "decision": {**second["decision"], "tags": 7}},
        "line 2: frob": {**second, "frob": 1},
        "line 2: key": {**second, "key": ""},
        "line 2: unchanged_at": {name: value for name, value in second.items() if name != "unchanged_at"},
        "line 2: it is about https://other.zendesk.com": {**second, "account": "https://other.zendesk.com"},
        f"line 2: ticket {first['ticket_id']} has an earlier line": first,
    }
    for words, line in broken.items():
        rewrite(desk, first, line, third)
        said = desk("apply", FILE, code=2).err
        assert words in said
        assert "nothing was written" in said
    (desk.folder / FILE).write_text("hello\n", encoding="utf-8")
    assert "line 1" in desk("apply", FILE, code=2).err
    assert "cannot be read" in desk("apply", "nothing.jsonl", code=2).err
    assert desk.marked() == []
    rewrite(desk, first, third)
    desk("apply", FILE)
    assert desk.marked() == sorted((first["ticket_id"], third["ticket_id"]))


def test_a_file_that_cannot_be_written_ends_the_run_before_anything_is_asked(desk: Desk) -> None:
    (desk.folder / "there").mkdir()
    ended = desk("run", "--dry-run", "--since", "2d", "--out", "there", code=3)
    assert "there cannot be written" in ended.err
    assert desk.helpdesk_requests() == []
