"""Freshdesk: scripted misbehaviour, the server, the page and the filling."""

from __future__ import annotations

from typing import Any

import orjson
import pytest
import requests
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ticket_processor.sandbox.fill import fill
from ticket_processor.sandbox.freshdesk_api import ROUTES
from ticket_processor.sandbox.freshdesk_tickets import CREATABLE
from ticket_processor.sandbox.messages import Request
from ticket_processor.sandbox.server import SandboxServer

from ..imitation import KINDS, FaultPlan, FaultRule, Sandbox
from ..imitation.clock import ManualClock
from .freshdesk_helpers import KEY, FreshDesk

NOTE = {"body": "<p>seen</p>"}


def test_faults_speak_freshdesks_language() -> None:
    desk = FreshDesk(1, faults="rate-limit:PUT:seconds=7,unauthorised:GET,conflict:POST:/notes")
    conflict = desk.ask("POST", "tickets/1/notes", NOTE)
    assert (conflict.status, conflict.json()["code"]) == (409, "inconsistent_state")
    assert not desk.store.bot_notes(1)
    limited = desk.put(1, priority=2)
    assert (limited.headers["Retry-After"], list(limited.json())) == ("7", ["message"])
    assert desk.ask("GET", "tickets/1").json()["code"] == "invalid_credentials"


@pytest.mark.parametrize("edit", ["add-tag", "remove-tag", "priority"])
@pytest.mark.parametrize("request_line", ["GET tickets/1", "PUT tickets/1", "POST tickets/1/notes"])
def test_a_person_edits_the_ticket_just_before_a_request(edit: str, request_line: str) -> None:
    desk = FreshDesk(0, faults=f"human-edit:edit={edit}:times=1")
    desk.add(tags=["vip"])
    method, path = request_line.split()
    body = {"PUT": {"subject": "x"}, "POST": NOTE}.get(method)
    assert desk.ask(method, path, body).status in (200, 201)
    person = desk.store.edits[1]
    assert person.who == "agent"
    assert bool(person.tags_added) is (edit == "add-tag")
    assert bool(person.tags_removed) is (edit == "remove-tag")
    assert ("priority" in person.changes) is (edit == "priority")


def test_a_person_edits_the_ticket_just_before_its_note_is_deleted() -> None:
    desk = FreshDesk(1)
    note = desk.note(1)["id"]
    desk.sandbox.faults = FaultPlan.parse("human-edit:DELETE:edit=priority")
    assert desk.ask("DELETE", f"conversations/{note}").status == 204
    assert [(edit.who, edit.conversation) for edit in desk.store.edits[-2:]] == [("agent", None), ("bot", "deleted")]


@pytest.mark.parametrize("path", ["tickets", "tickets/2", "search/tickets?query=%22created_at:>'2000-01-01'%22"])
def test_a_row_can_be_odd_wherever_a_ticket_is_shown(path: str) -> None:
    desk = FreshDesk(3, faults="odd-row:ticket=2:odd=no-date")
    desk.clock.advance(600)
    body = desk.ask("GET", path).json()
    rows = [body] if "id" in body else body.get("results", []) if isinstance(body, dict) else body
    assert {row["id"]: row["updated_at"] is None for row in rows}[2]


def test_a_list_can_lack_a_row() -> None:
    desk = FreshDesk(3, faults="omit-row:GET:ticket=2")
    assert desk.listed() == [3, 1]
    assert desk.get("tickets/2")["id"] == 2
    assert desk.ask("GET", "tickets/1/conversations").json() == []


# --- the page and the filling --------------------------------------------------------------------------------------


def test_the_page_shows_tickets_in_words_and_what_was_done_to_them() -> None:
    desk = FreshDesk(1)
    evil = "<script>alert(1)</script>"
    number = desk.add(subject=evil, body=evil)
    desk.put(number, tags=["ai_x"], priority=3)
    desk.note(number, "<p>looked at</p>")
    overview = desk.ask("GET", "/", auth=None).body.decode()
    page = desk.ask("GET", f"/a/tickets/{number}", auth=None).body.decode()
    for text in (overview, page):
        assert "<script" not in text
        assert "looked at" in text
        assert "Open" in text
        assert "High" in text
    for part in (
        "Internal note",
        "priority: 1 → 3",
        "tags added: ai_x",
        "internal note created",
        "Ticket Bot (request)",
    ):
        assert part in page
    assert "Nothing here" in desk.ask("GET", "/tickets/9", auth=None).body.decode()


def test_filling_turns_words_into_freshdesks_numbers() -> None:
    sandbox = Sandbox(ManualClock(), helpdesk="freshdesk")
    person = {"name": "Ann", "email": "ann@example.com"}
    row = {"subject": "a", "html_body": "<p>x</p>", "channel": "web", "priority": "high", "status": "solved"}
    ids = fill(sandbox, [{**row, "requester": person, "attachments": ["a.txt"]}, {"body": "y"}], count=4)
    made = [sandbox.desk.tickets[number].json for number in ids]
    assert (
        sorted((json["priority"], json["status"], json["source"]) for json in made) == [(1, 2, 1)] * 2 + [(3, 4, 2)] * 2
    )
    rich = next(json for json in made if json["source"] == 2)
    assert (rich["description_text"], rich["attachments"][0]["name"]) == ("x", "a.txt")
    assert not sandbox.store.tickets


# --- over sockets --------------------------------------------------------------------------------------------------


def test_over_http_links_point_at_the_server_and_empty_answers_are_empty() -> None:
    desk = FreshDesk(2)
    note = desk.note(1)["id"]
    with SandboxServer(desk.sandbox) as server, requests.Session() as session:
        session.trust_env = False
        session.auth = ("sandbox-api-key", "X")
        page = session.get(f"{server.url}/api/v2/tickets", params={"per_page": 1})
        assert page.links["next"]["url"].startswith(f"{server.url}/api/v2/tickets?")
        assert session.get(page.links["next"]["url"]).json()[0]["id"] == 1
        gone = session.delete(f"{server.url}/api/v2/conversations/{note}")
        assert (gone.status_code, gone.content) == (204, b"")
        absent = session.get(f"{server.url}/api/v2/tickets/9")
        assert (absent.status_code, absent.content) == (404, b"")


# --- whatever a client sends ---------------------------------------------------------------------------------------

SCALARS = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-(2**53), 2**53),
    st.floats(allow_nan=False, allow_infinity=False),
    st.text(max_size=12),
    st.sampled_from([9001, 8001, "vip", "App", "a@b", "2026-11-21T03:20:00Z"]),
)
JSON = st.recursive(
    SCALARS,
    lambda inner: st.one_of(
        st.lists(inner, max_size=3),
        st.dictionaries(st.sampled_from(["cf_product_area", "cf_order_number", "body", "x"]), inner, max_size=3),
    ),
    max_leaves=6,
)
BODIES = st.one_of(
    JSON, st.dictionaries(st.sampled_from([*sorted(CREATABLE), "body", "private", "user_id", "name", "actions"]), JSON)
)
QUERIES = st.dictionaries(
    st.sampled_from(
        ["page", "per_page", "order_by", "order_type", "updated_since", "include", "requester_id", "query", "term"]
    ),
    st.one_of(
        st.text(max_size=10),
        st.integers(-5, 10**20).map(str),
        st.sampled_from(['"priority:>1"', "\"tag:'x'\"", "updated_at", "asc", "description", "spam", "0001-01-01"]),
        st.sampled_from(["\"created_at:>'2026-01-01'\"", "9999-12-31T23:59:59-23:59", "conversations"]),
    ),
    max_size=4,
)


@settings(suppress_health_check=[HealthCheck.too_slow])
@given(
    calls=st.lists(
        st.tuples(st.sampled_from(sorted(ROUTES)), QUERIES, BODIES, st.sampled_from(["1", "2", "99"])), max_size=4
    ),
    kinds=st.lists(st.sampled_from(sorted(KINDS)), max_size=2),
)
def test_whatever_a_client_sends_it_is_answered(calls: list[Any], kinds: list[str]) -> None:
    desk = FreshDesk(2, plan="unlimited")
    desk.note(1)
    desk.sandbox.faults = FaultPlan([FaultRule(kind, probability=0.3) for kind in kinds])
    for route, query, body, number in calls:
        method, path = route.split(" ")
        headers = {"Authorization": KEY, "Content-Type": "application/json"}
        sent = orjson.dumps(body) if method != "GET" else b""
        answer = desk.sandbox.handle(Request(method, f"/api/v2/{path.replace('{id}', number)}", query, headers, sent))
        assert answer.status in (0, 200, 201, 204, 400, 401, 404, 405, 409, 429, 500, 503)
        desk.clock.advance(30)
