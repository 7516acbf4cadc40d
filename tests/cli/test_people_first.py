"""What people keep for themselves: a head start, skip rules, a tag, a share of the tickets, and a switch for all."""

from __future__ import annotations

from typing import Any

import pytest

from ticket_processor.policy.skip_rules import in_canary
from ticket_processor.sandbox.account import BOT_ID
from ticket_processor.sandbox.messages import Request
from ticket_processor.state.store import FILE_NAME, State

from .conftest import Desk, OpenDesk, is_chat, is_update, rows


def configure(desk: Desk, toml: str) -> None:
    (desk.folder / "ticketbot.toml").write_text(toml, encoding="utf-8")


def reasons(desk: Desk) -> list[tuple[int, str]]:
    """What the receipts say of skipped tickets, in their order."""
    return [(line["ticket_id"], line["reason"]) for line in desk.events("ticket") if line["outcome"] == "skipped"]


def retry_list(desk: Desk) -> list[int]:
    state = State(desk.state / FILE_NAME)
    try:
        return [item.ticket_id for item in state.retries()]
    finally:
        state.close()


def test_people_have_their_head_start_and_then_the_ticket_is_done_once(open_desk: OpenDesk) -> None:
    desk = open_desk(2, model=True)
    configure(desk, "[run]\nwait_minutes = 30\n")
    new = desk.sandbox.store.create(subject="Password", body="I cannot log in, my password is refused.").id
    desk.advance(120)

    first = desk("run", "--since", "1d")
    desk.assert_done([1, 2])
    assert "waiting for a later run: 1" in first.out
    assert desk.sandbox.llm_calls == 2
    desk.advance(600)
    desk("run")
    assert desk.ticket(new)["tags"] == []
    assert reasons(desk) == [(new, "waiting_for_people")]
    assert retry_list(desk) == [new]

    desk.advance(1200)
    last = desk("run")
    assert "1 updated" in last.out
    desk.assert_done()
    assert desk.sandbox.llm_calls == 3
    assert retry_list(desk) == []


def test_who_took_the_ticket_in_the_meantime_keeps_it(open_desk: OpenDesk) -> None:
    desk = open_desk(0)
    configure(desk, "[run]\nwait_minutes = 10\n")
    store = desk.sandbox.store
    for _ in range(3):
        store.create(subject="Password", body="I cannot log in, my password is refused.")
    desk.advance(120)
    desk("run", "--since", "1d")
    store.person_edit(1, assignee_id=store.users.add("Will May", "will@example.com", role="agent"))
    store.person_edit(2, status="pending")
    desk.advance(1200)
    desk("run")
    assert desk.marked() == [3]
    assert set(reasons(desk)[3:]) == {(1, "person_was_faster_assigned"), (2, "person_was_faster_pending")}
    assert retry_list(desk) == []
    desk.advance(1200)
    desk("run")
    assert desk.marked() == [3]


RULES = """
[skip]
channels = ["chat"]
brands = [360001]
groups = [8002]
organizations = [360003]
tags = ["legal"]
requesters = ["boss@example.com", "partner.example"]
statuses = ["open"]
"""


def test_each_rule_leaves_its_tickets_alone_and_its_name_in_the_receipt(open_desk: OpenDesk) -> None:
    desk = open_desk(1)
    configure(desk, RULES)
    given: list[tuple[str, dict[str, Any]]] = [
        ("skip_rule_channel", {"channel": "chat"}),
        ("skip_rule_brand", {"fields": {"brand_id": 360_001}}),
        ("skip_rule_group", {"fields": {"group_id": 8002}}),
        ("skip_rule_organization", {"fields": {"organization_id": 360_003}}),
        ("skip_rule_tag", {"tags": ["legal"]}),
        ("skip_rule_requester", {"requester_email": "boss@example.com"}),
        ("skip_rule_requester", {"requester_email": "anna@partner.example", "channel": "web"}),
        ("skip_rule_status", {"status": "open"}),
        ("skip_rule_messaging", {"channel": "native_messaging"}),
        ("hands_off", {"tags": ["ai_hands_off"]}),
    ]
    expected = {}
    for reason, fields in given:
        ticket = desk.sandbox.store.create(subject="Broken", body="It does not work.", **fields)
        expected[ticket.id] = reason
    desk.advance(120)
    desk("run", "--since", "1d")
    assert dict(reasons(desk)) == expected
    assert desk.marked() == [1]
    logged = "".join(path.read_text(encoding="utf-8") for path in desk.logs.iterdir())
    assert "partner.example" not in logged
    assert "boss@example.com" not in logged


def test_a_hands_off_tag_that_is_set_while_the_model_thinks_is_heeded(smart: Desk) -> None:
    def set_tag(request: Request) -> None:
        if is_chat(request) and "ai_hands_off" not in smart.ticket(2)["tags"]:
            smart.sandbox.store.person_edit(2, add_tags=("ai_hands_off",))

    smart.sandbox.on_request.append(set_tag)
    smart("run", "--since", "1d")
    assert smart.marked() == [1, 3, 4, 5, 6]
    assert (2, "hands_off") in reasons(smart)

    smart.sandbox.on_request.remove(set_tag)
    smart.sandbox.store.person_edit(2, remove_tags=("ai_hands_off",))
    smart.advance(120)
    smart("run")
    smart.assert_done()


@pytest.mark.parametrize("own_notes", [True, False])
def test_what_our_own_user_wrote_through_the_api_is_left_alone_unless_it_is_wanted(
    open_desk: OpenDesk, own_notes: bool
) -> None:
    desk = open_desk(1)
    configure(desk, f"[skip]\nown_notes = {str(own_notes).lower()}\n")
    store = desk.sandbox.store
    bot = store.users[BOT_ID]
    own = store.create(
        subject="Note", body="Remember this.", channel="api", requester_name=bot["name"], requester_email=bot["email"]
    )
    store.create(subject="Form", body="It does not work.", channel="api")
    desk.advance(120)
    desk("run", "--since", "1d")
    asked = [request for request in desk.helpdesk_requests() if "/users/me" in request]
    if own_notes:
        assert desk.marked() == [1, 3]
        assert reasons(desk) == [(own.id, "skip_rule_own_notes")]
        assert len(asked) == 1
    else:
        assert desk.marked() == [1, 2, 3]
        assert asked == []


def test_machine_mail_is_triaged_where_it_is_wanted(open_desk: OpenDesk) -> None:
    bounce = {"subject": "Undelivered Mail", "body": "Gone.", "requester": {"email": "MAILER-DAEMON@example.com"}}
    desk = open_desk([*rows(1), bounce])
    configure(desk, "[skip]\nmachine_mail = false\n")
    desk("run", "--since", "1d")
    desk.assert_done()


def test_a_canary_handles_its_share_and_later_runs_do_not_go_back_by_themselves(open_desk: OpenDesk) -> None:
    desk = open_desk(12)
    configure(desk, "[run]\ncanary_percent = 40\n")
    inside = [number for number in desk.tickets if in_canary(number, 40)]
    assert 0 < len(inside) < 12
    desk("run", "--since", "1d")
    assert desk.marked() == inside
    assert set(reasons(desk)) == {(number, "outside_canary") for number in desk.tickets if number not in inside}

    configure(desk, "")
    desk("run")
    assert desk.marked() == inside
    desk("run", "--since", "1d")
    desk.assert_done()


# The kill switch


def test_a_stop_file_refuses_every_run_until_it_is_gone_and_nobody_is_asked_anything(desk: Desk) -> None:
    desk("run", "--since", "1d", "--limit", "2")
    desk.seen.clear()
    stop = desk.state / "STOP"
    stop.touch()
    ended = desk("run", "--since", "now", code=3)
    assert str(stop) in ended.err
    assert "remove it" in ended.err
    assert desk.seen == []
    assert desk.events("run_finished")[-1]["exit_code"] == 3

    stop.unlink()
    desk("run")
    desk.assert_done()


def test_the_environment_stops_every_run_as_well(desk: Desk) -> None:
    ended = desk("run", "--since", "1d", code=3, TICKETBOT_STOP="1")
    assert "TICKETBOT_STOP" in ended.err
    assert desk.seen == []
    desk("run", "--since", "1d", TICKETBOT_STOP="0")
    desk.assert_done()


def test_a_named_stop_file_takes_the_place_of_the_default_one(desk: Desk) -> None:
    configure(desk, '[run]\nstop_file = "halt"\n')
    desk.state.mkdir()
    (desk.state / "STOP").touch()
    desk("run", "--since", "1d", "--limit", "1")
    (desk.folder / "halt").touch()
    assert "halt" in desk("run", code=3).err


def test_a_stop_in_the_middle_of_a_run_takes_effect_within_one_ticket_and_loses_nothing(open_desk: OpenDesk) -> None:
    desk = open_desk(10, model=True)
    configure(desk, '[run]\nworkers = 2\nwrite_mode = "single"\n')
    stop = desk.state / "STOP"

    def stop_at_the_second(request: Request) -> None:
        if is_update(request) and len(desk.marked()) == 1:
            stop.touch()

    desk.sandbox.on_request.append(stop_at_the_second)
    ended = desk("run", "--since", "1d", code=3)
    assert "kill switch" in ended.err
    assert len(desk.marked()) == 2

    desk.sandbox.on_request.remove(stop_at_the_second)
    stop.unlink()
    desk("run")
    desk.assert_done()
    assert desk.sandbox.llm_calls <= 10 + 2, "only the calls that were under way are paid for again"
