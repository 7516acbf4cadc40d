"""Whose tickets are these: requesters by number or address, all tickets that they have, and their names."""

from __future__ import annotations

from typing import Any

import pytest

from ticket_processor.core.errors import CannotRun, ConfigError, HelpdeskDown
from ticket_processor.helpdesk.zendesk_account import Requesters, own_user
from ticket_processor.sandbox.store import BOT_ID

from ..support.fakes import Wire, answer
from .test_zendesk import START, Account

ANNA = {"name": "Anna Schmidt", "email": "anna@example.com"}
LONG_AGO = 200 * 86_400.0


class People(Account):
    """An account, and whoever looks people up in it."""

    def __init__(self) -> None:
        super().__init__()
        self.requesters = Requesters(self.transport)

    def tickets_of(self, named: str) -> set[int]:
        return set(self.requesters.tickets(self.requesters.find(named)))


def test_an_address_that_only_contains_the_one_that_was_asked_for_is_another() -> None:
    people = People()
    people.add(requester={"name": "Joanna", "email": "joanna@example.com"})
    with pytest.raises(ConfigError, match="no user with this address"):
        people.requesters.find("anna@example.com")


def test_whoever_has_several_addresses_is_found_by_each() -> None:
    people = People()
    first = people.add(requester=ANNA)
    anna = people.store.tickets[first].json["requester_id"]
    people.store.users.add_address(anna, "a.schmidt@example.org")
    assert people.requesters.find("a.schmidt@example.org") == anna


def test_every_ticket_is_found_over_all_pages_archived_ones_included() -> None:
    people = People()
    theirs = {people.add(requester=ANNA) for _ in range(130)}
    people.add(requester={"name": "Bo Li", "email": "bo@example.com"})
    archived = people.add(requester=ANNA, status="closed", age=LONG_AGO)
    assert people.tickets_of("anna@example.com") == {*theirs, archived}


def test_a_number_that_nobody_has_is_told() -> None:
    people = People()
    with pytest.raises(ConfigError, match="no such user"):
        people.tickets_of("999999")


@pytest.mark.parametrize("named", ["", "anna", "anna@", '"x" or email:y@z', "a@b c@d", "a:b@c"])
def test_what_is_neither_number_nor_address_is_not_asked_for(named: str) -> None:
    people = People()
    people.sent.clear()
    with pytest.raises(ConfigError, match="neither") as told:
        people.requesters.find(named)
    assert people.sent == []
    assert not named or named not in str(told.value)


def user(number: int, email: str) -> dict[str, Any]:
    return {"id": number, "email": email}


def test_two_users_with_the_same_address_are_told_apart_by_number() -> None:
    wire = Wire(answer(body={"users": [user(1, "a@example.com"), user(2, "A@example.com")]}))
    with pytest.raises(ConfigError, match="more than one user"):
        Requesters(wire.transport).find("a@example.com")


def test_a_user_who_was_deleted_may_still_have_tickets_in_the_search() -> None:
    found = {"results": [{"id": 5}], "meta": {"has_more": False}}
    wire = Wire(answer(404, body={}), answer(body=found))
    assert list(Requesters(wire.transport).tickets(1)) == [5]


def test_a_list_that_never_ends_is_not_followed_for_ever() -> None:
    page = {"tickets": [{"id": 5}], "meta": {"has_more": True, "after_cursor": "x"}}
    wire = Wire(*[answer(body=page) for _ in range(3)])
    with pytest.raises(HelpdeskDown, match="repeats a cursor"):
        list(Requesters(wire.transport).tickets(1))


@pytest.mark.parametrize("status", [400, 403, 422])
def test_a_refusal_is_told_with_the_way_out_and_without_the_address(status: int) -> None:
    wire = Wire(answer(status, body={}))
    with pytest.raises(CannotRun, match="--ticket") as told:
        Requesters(wire.transport).find("anna@example.com")
    assert "anna" not in str(told.value)


@pytest.mark.parametrize("body", [{}, {"users": "none"}, []])
def test_an_answer_without_a_list_is_no_answer(body: object) -> None:
    wire = Wire(answer(body=body))
    with pytest.raises(HelpdeskDown, match="holds no list"):
        Requesters(wire.transport).find("anna@example.com")


# Whom a ticket belongs to, and who we are ourselves


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
    assert (ticket.sender, ticket.requester_address) == ("", "anna@example.com")


def test_we_are_who_signs_in() -> None:
    account = Account()
    assert own_user(account.transport) == BOT_ID


@pytest.mark.parametrize("body", [{"user": {"id": None, "name": "Anonymous user"}}, {}, [], {"user": "me"}])
def test_without_an_answer_we_are_nobody(body: object) -> None:
    assert own_user(Wire(answer(200, body)).transport) is None


def test_who_may_not_ask_is_nobody() -> None:
    assert own_user(Wire(answer(403, {"user": {"id": 9}})).transport) is None


# Names, as Zendesk gives them with the tickets anyway


def test_the_export_tells_the_names_of_a_page_with_the_page_itself() -> None:
    account = Account()
    account.add(requester=ANNA, channel="web")
    account.add(requester={"name": "Bo Li", "email": "bo@example.com"}, channel="web")
    pages = list(account.desk.pages(None, START - 86400))
    assert [ticket.names for page in pages for ticket in page.tickets] == [("Anna Schmidt",), ("Bo Li",)]
    assert len([request for request in account.sent if "/tickets" in request.path]) == 1


def test_a_fetch_tells_the_names_without_a_request_of_its_own() -> None:
    account = Account()
    ticket_id = account.add(requester=ANNA, channel="web")
    account.sent.clear()
    assert account.one(ticket_id).names == ("Anna Schmidt",)
    assert len(account.sent) == 1


def test_a_search_tells_names_for_mail_only_since_it_has_no_side_load() -> None:
    account = Account(source="search")
    account.add(requester=ANNA, channel="email")
    account.add(requester=ANNA, channel="web")
    found = {
        ticket.channel: ticket.names for page in account.desk.pages(None, START - 86400) for ticket in page.tickets
    }
    assert found == {"email": ("Anna Schmidt",), "web": ()}


def test_names_of_agents_are_not_the_requesters() -> None:
    account = Account()
    ticket_id = account.add(requester=ANNA, channel="email")
    agent = account.store.users.add("Will May", "will@example.com", role="agent")
    account.store.person_edit(ticket_id, assignee_id=agent)
    assert account.one(ticket_id).names == ("Anna Schmidt",)
