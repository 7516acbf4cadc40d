from __future__ import annotations

from contextlib import suppress
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ticket_processor.core.errors import TicketError
from ticket_processor.core.models import Change, Priority
from ticket_processor.helpdesk import freshdesk_format as fmt
from ticket_processor.helpdesk import freshdesk_reads
from ticket_processor.helpdesk.http_messages import Reply
from ticket_processor.helpdesk.transport import Limit

ROW: dict[str, Any] = {
    "id": 7,
    "subject": "Charged twice",
    "description": "<div>I was charged <b>twice</b>.</div>",
    "description_text": "I was charged twice.",
    "status": 2,
    "priority": 1,
    "source": 1,
    "tags": ["vip"],
    "responder_id": None,
    "group_id": None,
    "requester_id": 31,
    "custom_fields": {"cf_area": "shop", "cf_order": None},
    "created_at": "2026-11-22T08:00:00Z",
    "updated_at": "2026-11-22T08:00:00Z",
}
NAMES = {"cf_area": 501, "cf_order": 502}


def test_a_row_becomes_a_ticket_in_our_words() -> None:
    person = {"name": "Ana Lima", "email": "ana@example.com"}
    ticket = fmt.read_ticket(ROW | {"requester": person}, 5.0, NAMES)

    assert (ticket.description, ticket.status, ticket.channel) == ("I was charged twice.", "open", "email")
    assert (ticket.tags, ticket.fields, ticket.read_at) == (("vip",), {501: "shop"}, 5.0)
    assert (ticket.requester, ticket.names, ticket.sender) == (31, ("Ana Lima",), "ana@example.com")


@pytest.mark.parametrize(
    ("changed", "touched", "priority"),
    [
        ({}, False, None),
        ({}, True, Priority.LOW),
        ({"responder_id": 4}, False, Priority.LOW),
        ({"priority": 3}, False, Priority.HIGH),
        ({"priority": 2}, True, Priority.NORMAL),
    ],
)
def test_low_is_no_priority_until_an_agent_has_touched_the_ticket(
    changed: dict[str, Any], touched: bool, priority: Priority | None
) -> None:
    assert fmt.read_ticket(ROW | changed, 5.0, NAMES, touched=touched).priority is priority


@pytest.mark.parametrize(
    ("touched", "assignee", "named", "status"),
    [
        (False, None, (), "open"),
        (True, None, (), "hold"),
        (False, 7, (), "hold"),
        (True, 7, (8,), "open"),
        (True, None, (9,), "hold"),
    ],
)
def test_a_status_of_the_accounts_own_is_open_until_somebody_works_on_the_ticket_or_where_the_settings_say_so(
    touched: bool, assignee: int | None, named: tuple[int, ...], status: str
) -> None:
    row = ROW | {"status": 8, "responder_id": assignee}
    assert fmt.read_ticket(row, 5.0, NAMES, touched=touched, open_statuses=named).status == status


def test_tags_may_be_missing_in_a_list_only() -> None:
    row = {key: value for key, value in ROW.items() if key != "tags"}

    assert fmt.read_ticket(row, 5.0, NAMES, listed=True).tags == ()
    with pytest.raises(TicketError):
        fmt.read_ticket(row, 5.0, NAMES)


def test_an_update_holds_only_what_changes_and_the_names_of_fields() -> None:
    change = Change(
        ticket_id=7,
        stamp="s",
        tags=("vip", "ai_billing"),
        tags_before=("vip",),
        priority=Priority.HIGH,
        fields={501: "app"},
        fields_cleared=(502,),
        key="k",
    )

    assert fmt.update_body(change, NAMES) == {
        "tags": ["vip", "ai_billing"],
        "priority": 3,
        "custom_fields": {"cf_area": "app", "cf_order": None},
    }
    undone = change.model_copy(update={"priority": None, "cleared": ("priority", "group"), "fields": {}})
    assert fmt.update_body(undone, {})["priority"] == 1
    assert fmt.update_body(undone, {})["group_id"] is None


def test_the_plan_tells_the_limits_that_no_header_does() -> None:
    growth = freshdesk_reads.read_limits({"X-RateLimit-Total": "200", "X-RateLimit-Remaining": "150"})

    assert growth == {
        "account": Limit(200, 150, None),
        "tickets-update": Limit(80, 80, None),
        "tickets-list": Limit(20, 20, None),
    }
    assert freshdesk_reads.read_limits({"X-RateLimit-Total": "50.0", "X-RateLimit-Remaining": "49.0"}) == {
        "account": Limit(50, 49, None)
    }
    assert freshdesk_reads.read_limits({"X-RateLimit-Total": "nan"}) == {}


def test_an_hours_limit_is_spread_over_its_minutes() -> None:
    told = freshdesk_reads.read_limits({"X-RateLimit-Total": "3000", "X-RateLimit-Remaining": "2400"})
    assert told == {fmt.ACCOUNT_LIMIT: Limit(50, 40, None)}


def test_a_refusal_names_fields_and_code_but_never_a_message() -> None:
    error = {"field": "cf_area", "message": "It should be one of Ana's words", "code": "invalid_value"}
    reply = Reply(400, {}, {"description": "Validation failed", "errors": [error, {"field": "Ana Lima <x>"}]}, None)

    assert fmt.refused_fields(reply) == ("cf_area",)
    assert fmt.error_code(reply) == ", invalid_value"


def test_conversations_come_oldest_first() -> None:
    rows = [{"id": number, "created_at": f"2026-11-20T12:0{number % 3}:00Z"} for number in (1, 2, 3)]
    assert [item.id for item in fmt.read_conversations(rows)] == [3, 1, 2]


@given(st.dictionaries(st.sampled_from(list(ROW)), st.none() | st.integers() | st.text() | st.lists(st.none())))
def test_a_row_of_any_form_is_a_ticket_or_one_error(odd: dict[str, Any]) -> None:
    with suppress(TicketError):
        assert fmt.read_ticket(ROW | odd, 5.0, NAMES).created_at
