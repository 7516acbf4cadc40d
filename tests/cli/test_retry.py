"""``ticketbot retry``: the retry list is seen, tried at once, and given up, through the real command."""

from __future__ import annotations

import filelock
import pytest

from .conftest import Command, Desk, OpenDesk, is_update

REFUSED = "status:PUT:/tickets/2$:status=422"


def given_up(open_desk: OpenDesk, tickets: int = 4) -> Desk:
    """Ticket 2 is refused every time, and has been given up after two attempts; the cause is gone by now."""
    desk = open_desk(tickets, faults=REFUSED)
    (desk.folder / "ticketbot.toml").write_text("[run]\nmax_attempts = 2\nwrite_mode = 'single'\n", encoding="utf-8")
    desk("run", "--since", "1d", code=1)
    desk("run", code=1)
    desk.sandbox.faults.rules.clear()
    desk.seen.clear()
    return desk


def test_an_empty_list_is_told_and_needs_no_state(desk: Desk) -> None:
    assert "empty" in desk("retry", "list").out
    assert desk("retry", "list", "--json").object == {"waiting": 0, "dead": 0, "tickets": []}
    assert not (desk.state / "state.sqlite3").exists()
    assert desk.seen == []


def test_the_list_says_how_often_and_why_and_changes_nothing(open_desk: OpenDesk) -> None:
    desk = given_up(open_desk)
    shown = desk("retry", "list").out.splitlines()
    assert shown[0].split() == ["ticket", "attempts", "state", "reason"]
    assert shown[1].split()[:3] == ["2", "2", "dead"]
    assert shown[-1] == "0 waiting, 1 dead"
    (ticket,) = desk("retry", "list", "--json").object["tickets"]
    assert (ticket["ticket_id"], ticket["attempts"], ticket["dead"]) == (2, 2, True)
    assert "422" in ticket["reason"]
    assert desk.seen == []


def test_what_was_given_up_is_tried_again_and_nothing_else_is_pulled(open_desk: OpenDesk) -> None:
    desk = given_up(open_desk)
    desk.sandbox.store.create(subject="Password", body="I cannot log in, my password is refused.")
    desk.advance(120)
    ended = desk("retry", "run")
    assert "1 updated" in ended.out
    desk.assert_done([1, 2, 3, 4])
    assert desk.marked() == [1, 2, 3, 4]
    assert not [request for request in desk.helpdesk_requests() if "incremental" in request or "search" in request]
    assert desk("retry", "list", "--json").object["tickets"] == []
    desk("run")
    desk.assert_done()


def test_what_fails_again_begins_to_count_anew(open_desk: OpenDesk) -> None:
    desk = open_desk(2, faults=REFUSED)
    (desk.folder / "ticketbot.toml").write_text("[run]\nmax_attempts = 2\nwrite_mode = 'single'\n", encoding="utf-8")
    desk("run", "--since", "1d", code=1)
    desk("run", code=1)
    ended = desk("retry", "run", "--json", code=1).object
    assert ended["outcomes"] == {"failed": 1}
    (ticket,) = desk("retry", "list", "--json").object["tickets"]
    assert (ticket["attempts"], ticket["dead"]) == (1, False)


def test_only_the_tickets_that_are_named_are_tried(open_desk: OpenDesk) -> None:
    desk = open_desk(4, faults="status:PUT:/tickets/[23]$:status=422")
    (desk.folder / "ticketbot.toml").write_text("[run]\nwrite_mode = 'single'\n", encoding="utf-8")
    desk("run", "--since", "1d", code=1)
    desk.sandbox.faults.rules.clear()
    desk("retry", "run", "--ticket", "3")
    assert desk.marked() == [1, 3, 4]
    assert [item["ticket_id"] for item in desk("retry", "list", "--json").object["tickets"]] == [2]


@pytest.mark.parametrize("command", ["run", "drop"])
def test_a_ticket_that_is_not_on_the_list_is_told_and_nothing_is_done(open_desk: OpenDesk, command: str) -> None:
    desk = given_up(open_desk)
    ended = desk("retry", command, "--ticket", "2", "--ticket", "7", "--ticket", "9", code=2)
    assert "ticket 7 is not on the retry list" in ended.err
    assert "ticket 9 is not on the retry list" in ended.err
    assert "ticket 2" not in ended.err
    assert desk("retry", "list", "--json").object["dead"] == 1
    assert desk.seen == []


def test_what_is_dropped_is_not_tried_any_more_and_its_receipt_says_so(open_desk: OpenDesk) -> None:
    desk = given_up(open_desk)
    ended = desk("retry", "drop", "--all-dead")
    assert "1 dropped" in ended.out
    assert desk.seen == []
    receipt = desk.events("ticket")[-1]
    assert (receipt["ticket_id"], receipt["outcome"], receipt["reason"]) == (2, "skipped", "retry_dropped")
    (alert,) = [line for line in desk.events("alert") if line["what"] == "retry_dropped"]
    assert (alert["ticket_id"], alert["attempts"]) == (2, 2)
    assert desk("retry", "list", "--json").object["tickets"] == []
    assert desk("retry", "drop", "--all-dead", "--json").object == {"dropped": []}

    desk.sandbox.store.person_edit(2, add_tags=("vip",))
    desk.advance(120)
    assert "left alone" not in desk("run").out
    desk("run", "--since", "1d")
    desk("retry", "run")
    assert desk.marked() == [1, 3, 4]


def test_what_was_dropped_by_mistake_comes_back_by_its_number(open_desk: OpenDesk) -> None:
    desk = given_up(open_desk)
    desk("retry", "drop", "--ticket", "2")
    desk("retry", "run", "--ticket", "2")
    desk.assert_done()


def test_a_write_that_arrived_after_all_is_found_and_not_repeated(open_desk: OpenDesk) -> None:
    desk = open_desk(3, faults="lost-reply:PUT:/tickets/2$")
    (desk.folder / "ticketbot.toml").write_text("[run]\nmax_attempts = 1\nwrite_mode = 'single'\n", encoding="utf-8")
    desk("run", "--since", "1d", code=None)
    desk.sandbox.faults.rules.clear()
    desk("retry", "run")
    desk.assert_done()


def test_dropping_needs_to_be_told_what(desk: Desk) -> None:
    for arguments in ((), ("--ticket", "2", "--all-dead")):
        assert "--all-dead" in desk("retry", "drop", *arguments, code=2).err


def test_only_the_list_can_be_seen_while_a_run_is_active(open_desk: OpenDesk) -> None:
    desk = given_up(open_desk)
    with filelock.FileLock(desk.state / "run.lock"):
        desk("retry", "run", code=75)
        desk("retry", "drop", "--all-dead", code=75)
        assert desk("retry", "list", "--json").object["dead"] == 1
    assert not [request for request in desk.seen if is_update(request)]


def test_the_kill_switch_holds_for_retries_too(open_desk: OpenDesk) -> None:
    desk = given_up(open_desk)
    assert "kill switch" in desk("retry", "run", code=3, TICKETBOT_STOP="1").err
    assert desk.seen == []
    assert desk("retry", "list", "--json").object["dead"] == 1


def test_people_keep_their_head_start_even_when_the_list_is_tried_by_hand(open_desk: OpenDesk) -> None:
    desk = open_desk(1)
    (desk.folder / "ticketbot.toml").write_text("[run]\nwait_minutes = 30\n", encoding="utf-8")
    desk.sandbox.store.create(subject="Password", body="I cannot log in, my password is refused.")
    desk.advance(120)
    desk("run", "--since", "1d")
    ended = desk("retry", "run", "--ticket", "2")
    assert "waiting for a later run: 1" in ended.out
    assert desk.marked() == [1]


def test_without_settings_the_problem_is_told(bare: Command) -> None:
    for command in (("list",), ("run",), ("drop", "--all-dead")):
        assert "ZENDESK_SUBDOMAIN" in bare("retry", *command, code=2).err
