"""What people keep for themselves: a head start, skip rules, a tag, a share of the tickets, and a switch for all."""

from __future__ import annotations

from typing import Any

from ticket_processor.sandbox.account import BOT_ID
from ticket_processor.sandbox.messages import Request

from .conftest import Desk, OpenDesk, is_chat, rows


def reasons(desk: Desk) -> list[tuple[int, str]]:
    """What the receipts say of skipped tickets, in their order."""
    return [(line["ticket_id"], line["reason"]) for line in desk.events("ticket") if line["outcome"] == "skipped"]


RULES = """
[skip]
channels = ["chat"]
brands = [360001]
groups = [8002]
organizations = [360003]
tags = ["legal"]
requesters = ["boss@example.com", "partner.example"]
"""


def test_each_rule_leaves_its_tickets_alone_and_its_name_in_the_receipt(open_desk: OpenDesk) -> None:
    desk = open_desk(1)
    desk.configure(RULES)
    given: list[tuple[str, dict[str, Any]]] = [
        ("skip_rule_channel", {"channel": "chat"}),
        ("skip_rule_brand", {"fields": {"brand_id": 360_001}}),
        ("skip_rule_group", {"fields": {"group_id": 8002}}),
        ("skip_rule_organization", {"fields": {"organization_id": 360_003}}),
        ("skip_rule_tag", {"tags": ["legal"]}),
        ("skip_rule_requester", {"requester_email": "boss@example.com"}),
        ("skip_rule_requester", {"requester_email": "anna@partner.example", "channel": "web"}),
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


def test_what_our_own_user_wrote_through_the_api_is_left_alone(open_desk: OpenDesk) -> None:
    desk = open_desk(1)
    store = desk.sandbox.store
    bot = store.users[BOT_ID]
    own = store.create(
        subject="Note", body="Remember this.", channel="api", requester_name=bot["name"], requester_email=bot["email"]
    )
    store.create(subject="Form", body="It does not work.", channel="api")
    desk.advance(120)
    desk("run", "--since", "1d")
    asked = [request for request in desk.helpdesk_requests() if "/users/me" in request]
    assert desk.marked() == [1, 3]
    assert reasons(desk) == [(own.id, "skip_rule_own_notes")]
    assert len(asked) == 1


def test_machine_mail_is_triaged_where_it_is_wanted(open_desk: OpenDesk) -> None:
    bounce = {"subject": "Undelivered Mail", "body": "Gone.", "requester": {"email": "MAILER-DAEMON@example.com"}}
    desk = open_desk([*rows(1), bounce])
    desk.configure("[skip]\nmachine_mail = false\n")
    desk("run", "--since", "1d")
    desk.assert_done()


# The kill switch


def test_the_environment_and_a_file_stop_every_run(desk: Desk) -> None:
    ended = desk("run", "--since", "1d", code=3, TICKETBOT_STOP="1")
    assert "TICKETBOT_STOP" in ended.err
    assert desk.seen == []
    desk("run", "--since", "1d", TICKETBOT_STOP="0")
    desk.assert_done()
    (desk.state / "STOP").touch()
    assert "STOP" in desk("run", code=3).err
