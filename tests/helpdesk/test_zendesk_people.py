"""Whom a Zendesk ticket belongs to, and who we are ourselves."""

from __future__ import annotations

import pytest

from ticket_processor.helpdesk.zendesk_auth import own_user
from ticket_processor.sandbox.account import BOT_ID

from ..support.fakes import Wire, answer
from .test_zendesk import START, Account

ANNA = {"name": "Anna Schmidt", "email": "anna@example.com"}


def test_a_ticket_names_its_brand_organization_assignee_and_requester_by_number() -> None:
    account = Account()
    ticket_id = account.add(requester=ANNA, channel="web")
    agent = account.store.users.add("Will May", "will@example.com", role="agent")
    account.store.person_edit(ticket_id, assignee_id=agent)
    row = account.store.tickets[ticket_id].json
    row.update(brand_id=360_001, organization_id=360_002)
    ticket = account.one(ticket_id)
    assert (ticket.assignee, ticket.brand, ticket.organization) == (agent, 360_001, 360_002)
    assert ticket.requester == row["requester_id"]


def test_what_nobody_has_set_is_nothing() -> None:
    account = Account()
    ticket = account.one(account.add(requester=ANNA))
    assert (ticket.assignee, ticket.organization) == (None, None)


def test_the_requesters_address_is_known_from_a_page_and_a_fetch_whatever_the_channel() -> None:
    account = Account()
    ticket_id = account.add(requester=ANNA, channel="web")
    assert account.one(ticket_id).requester_address == "anna@example.com"
    assert account.one(ticket_id).sender == ""
    pages = account.desk.pages(None, START - 86_400)
    assert [ticket.requester_address for page in pages for ticket in page.tickets] == ["anna@example.com"]


def test_we_are_who_signs_in() -> None:
    account = Account()
    assert own_user(account.transport) == BOT_ID


@pytest.mark.parametrize("body", [{"user": {"id": None, "name": "Anonymous user"}}, {}, [], {"user": "me"}])
def test_without_an_answer_we_are_nobody(body: object) -> None:
    assert own_user(Wire(answer(200, body)).transport) is None


def test_who_may_not_ask_is_nobody() -> None:
    assert own_user(Wire(answer(403, {"user": {"id": 9}})).transport) is None
