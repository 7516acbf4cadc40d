"""Whose tickets are these: requesters by number or address, and all tickets that they have."""

from __future__ import annotations

from typing import Any

import pytest

from ticket_processor.core.errors import CannotRun, ConfigError, HelpdeskDown
from ticket_processor.helpdesk.zendesk_account import Requesters

from ..support.fakes import Wire, answer
from .test_zendesk import Account

ANNA = {"name": "Anna Schmidt", "email": "anna@example.com"}
LONG_AGO = 200 * 86_400.0


class People(Account):
    """An account, and whoever looks people up in it."""

    def __init__(self) -> None:
        super().__init__()
        self.requesters = Requesters(self.transport)

    def tickets_of(self, named: str) -> set[int]:
        return set(self.requesters.tickets(self.requesters.find(named)))


def test_a_requester_is_found_by_number_and_by_address_whatever_its_case() -> None:
    people = People()
    first = people.add(requester=ANNA)
    people.add(requester={"name": "Ann", "email": "ann@example.com"})
    anna = people.store.tickets[first].json["requester_id"]
    assert people.requesters.find(str(anna)) == anna
    assert people.requesters.find(" ANNA@example.com ") == anna


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


def test_deleted_tickets_are_not_found() -> None:
    people = People()
    kept, gone = people.add(requester=ANNA), people.add(requester=ANNA)
    people.store.delete(gone)
    assert people.tickets_of("anna@example.com") == {kept}


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
