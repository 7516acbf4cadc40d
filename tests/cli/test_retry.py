"""``ticketbot retry``: the retry list is seen, tried at once, and given up, through the real command."""

from __future__ import annotations

import filelock
import pytest

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


def test_what_is_dropped_is_tried_only_where_it_is_named_and_its_receipt_says_so(given_up: Desk) -> None:
    desk = given_up
    assert "1 dropped" in desk("retry", "drop", "--all-dead").out
    assert desk.seen == []
    receipt = desk.events("ticket")[-1]
    assert (receipt["ticket_id"], receipt["outcome"], receipt["reason"]) == (2, "skipped", "retry_dropped")
    (alert,) = [line for line in desk.events("alert") if line["what"] == "retry_dropped"]
    assert (alert["ticket_id"], alert["attempts"]) == (2, 5)
    assert "nothing to drop" in desk("retry", "drop", "--all-dead").out

    desk.sandbox.faults.rules.clear()
    desk.sandbox.store.person_edit(2, add_tags=("vip",))
    desk.advance(120)
    assert "left alone" not in desk("run").out
    desk("run", "--since", "1d")
    desk("retry", "run")
    assert desk.marked() == [1, 3, 4]
    desk("retry", "run", "--ticket", "2")
    desk.assert_done()


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
