from __future__ import annotations

import json
import re
from html import unescape
from typing import Any

import pytest

from ticket_processor.helpdesk.local_model import Actor, LocalTicket

from ..conftest import Browser
from .conftest import AgentsDesk, send


def picked(*tickets: LocalTicket) -> list[str]:
    return [f"{ticket.id}:{ticket.version}" for ticket in tickets]


def undo_of(page: str) -> list[str]:
    return [unescape(value) for value in re.findall(r'name="undo" value="([^"]*)"', page)]


def what_agents_set(ticket: LocalTicket) -> tuple[Any, ...]:
    return (ticket.status, ticket.priority, ticket.category, ticket.urgency, ticket.assignee, sorted(ticket.tags))


@pytest.mark.parametrize("status", ["open", "in_progress", "escalated", "waiting", "resolved", "spam"])
def test_a_change_of_many_tickets_can_be_taken_back_from_any_status(
    desk: AgentsDesk, agent: Browser, status: str
) -> None:
    tickets = []
    for number in range(3):
        ticket = desk.triaged(desk.ticket(f"Ticket {number}"), "ai_billing", "ai_urgency_high", "old")
        if status != "open":
            ticket = desk.rig.store.change(ticket.id, Actor("agent", 1), version=None, now=desk.rig.at, status=status)  # type: ignore[arg-type]
        tickets.append(ticket)
    before = [what_agents_set(ticket) for ticket in tickets]
    wanted = {"priority": "low", "category": "refund", "urgency": "-", "assignee": "1", "add": "sale", "remove": "old"}
    goal = "resolved" if status not in ("resolved", "spam") else "in_progress"
    answer = send(agent, "/admin/bulk", {"ticket": picked(*tickets), **wanted, "status": goal, "back": "q=ticket"})
    assert answer.status_code == 200
    assert "3 tickets changed" in answer.text
    assert 'href="/admin?q=ticket"' in answer.text
    for ticket in tickets:
        now = desk.now(ticket.id)
        assert what_agents_set(now) == (goal, "low", "refund", None, 1, ["ai_refund", "sale"])
    back = send(agent, "/admin/bulk/undo", {"undo": undo_of(answer.text)})
    assert "3 tickets changed back" in back.text
    assert [what_agents_set(desk.now(ticket.id)) for ticket in tickets] == before
    assert {
        event.reason
        for event in desk.rig.store.events(tickets[0].id)
        if event.version == desk.now(tickets[0].id).version
    } == {"undo"}


def test_tickets_that_changed_meanwhile_are_left_alone_by_change_and_undo(desk: AgentsDesk, agent: Browser) -> None:
    first, second = desk.ticket("First"), desk.ticket("Second")
    desk.answered(first, desk.person("carl@example.com", "agent"))
    answer = send(agent, "/admin/bulk", {"ticket": picked(first, second), "status": "resolved"})
    assert "1 ticket changed, 1 left alone" in answer.text
    assert "Another person changed it meanwhile" in answer.text
    assert (desk.now(first.id).status, desk.now(second.id).status) == ("open", "resolved")
    desk.rig.store.reply(second.id, Actor("customer", second.requester), "Thanks", public=True, now=desk.rig.at + 2)
    back = send(agent, "/admin/bulk/undo", {"undo": undo_of(answer.text)})
    assert "0 tickets changed back, 1 left alone" in back.text
    assert desk.now(second.id).status == "resolved"


def test_a_status_that_a_ticket_cannot_get_is_said_for_that_ticket(desk: AgentsDesk, agent: Browser) -> None:
    ticket, resolved = desk.ticket("First"), desk.ticket("Second")
    resolved = desk.rig.store.change(resolved.id, Actor("agent", 1), version=None, now=desk.rig.at, status="resolved")
    answer = send(agent, "/admin/bulk", {"ticket": picked(ticket, resolved), "status": "spam"})
    assert "1 ticket changed, 1 left alone" in answer.text
    assert "The ticket cannot get this status." in answer.text


@pytest.mark.parametrize(
    "values",
    [
        {"status": "resolved"},
        {"ticket": ["1:1"]},
        {"ticket": ["1:1"], "status": "closed"},
        {"ticket": ["1:1"], "status": "nonsense"},
        {"ticket": ["1:1"], "category": "nonsense"},
        {"ticket": ["1"], "status": "resolved"},
        {"ticket": ["1:x"], "status": "resolved"},
        {"ticket": ["99999999999999999999:1"], "status": "resolved"},
        {"ticket": [f"{number}:1" for number in range(1, 102)], "status": "resolved"},
    ],
)
def test_senseless_and_too_many_changes_are_refused(desk: AgentsDesk, agent: Browser, values: Any) -> None:
    ticket = desk.ticket()
    assert send(agent, "/admin/bulk", values).status_code == 422
    assert desk.now(ticket.id) == ticket


@pytest.mark.parametrize(
    "undo",
    [
        "",
        "[]",
        json.dumps({"id": 1, "version": 1}),
        json.dumps({"id": 1, "version": 1, "edit": {"values": {"subject": "x"}}}),
        json.dumps({"id": 1, "version": 1, "edit": {"values": {"status": "nonsense"}}}),
        json.dumps({"id": 1, "version": 1, "edit": {"values": {"assignee": "99"}}}),
        json.dumps({"id": 1, "version": 1, "edit": {"add": ["x"], "secret_hash": "x"}}),
    ],
)
def test_an_undo_that_was_made_up_can_do_no_more_than_a_change(desk: AgentsDesk, agent: Browser, undo: str) -> None:
    ticket = desk.ticket()
    answer = send(agent, "/admin/bulk/undo", {"undo": [undo]})
    assert answer.status_code == 422 or "0 tickets changed back, 1 left alone" in answer.text
    assert desk.now(ticket.id) == ticket
