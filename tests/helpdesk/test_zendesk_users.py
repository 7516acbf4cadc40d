from __future__ import annotations

import pytest

from ticket_processor.core.errors import CannotRun, ConfigError, HelpdeskDown
from ticket_processor.helpdesk.zendesk_reads import own_user, requesters
from ticket_processor.sandbox.store import BOT_ID

from ..support.fakes import Wire, answer
from .test_zendesk import START, Account

ANNA = {"name": "Anna Schmidt", "email": "anna@example.com"}
LONG_AGO = 200 * 86_400.0


class People(Account):
    """An account, and whoever looks people up in it."""

    def __init__(self) -> None:
        super().__init__()
        self.requesters = requesters(self.transport)

    def tickets_of(self, named: str) -> set[int]:
        return set(self.requesters.tickets(self.requesters.find(named)))


def test_an_address_that_only_contains_the_one_that_was_asked_for_is_another() -> None:
    people = People()
    people.add(requester={"name": "Joanna", "email": "joanna@example.com"})
    with pytest.raises(ConfigError, match="no user with this address"):
        people.requesters.find("anna@example.com")


def test_every_ticket_is_found_over_all_pages_archived_ones_included() -> None:
    people = People()
    theirs = {people.add(requester=ANNA) for _ in range(130)}
    people.add(requester={"name": "Bo Li", "email": "bo@example.com"})
    archived = people.add(requester=ANNA, status="closed", age=LONG_AGO)
    assert people.tickets_of("anna@example.com") == {*theirs, archived}


@pytest.mark.parametrize("named", ["", "anna", "anna@", '"x" or email:y@z', "a@b c@d", "a:b@c"])
def test_what_is_neither_number_nor_address_is_not_asked_for(named: str) -> None:
    people = People()
    people.sent.clear()
    with pytest.raises(ConfigError, match="neither") as told:
        people.requesters.find(named)
    assert people.sent == []
    assert not named or named not in str(told.value)


SAME = {"users": [{"id": 1, "email": "anna@example.com"}, {"id": 2, "email": "Anna@example.com"}]}


@pytest.mark.parametrize(
    ("status", "body", "error", "words"),
    [
        (200, SAME, ConfigError, "more than one user"),
        *((status, {}, CannotRun, "--ticket") for status in (400, 403, 422)),
        *((200, body, HelpdeskDown, "holds no list") for body in ({}, {"users": "none"}, [])),
    ],
)
def test_who_is_not_found_is_told_with_the_way_out_and_without_the_address(
    status: int, body: object, error: type[Exception], words: str
) -> None:
    with pytest.raises(error, match=words) as told:
        requesters(Wire(answer(status, body)).transport).find("anna@example.com")
    assert "anna" not in str(told.value)


def test_a_user_who_was_deleted_may_still_have_tickets_in_the_search() -> None:
    found = {"results": [{"id": 5}], "meta": {"has_more": False}}
    wire = Wire(answer(404, body={}), answer(body=found))
    assert list(requesters(wire.transport).tickets(1)) == [5]


# Whom a ticket belongs to, and who we are ourselves


@pytest.mark.parametrize(
    ("status", "body"),
    [
        *((200, body) for body in ({"user": {"id": None, "name": "Anonymous user"}}, {}, [], {"user": "me"})),
        (403, {"user": {"id": 9}}),
    ],
)
def test_we_are_who_signs_in_and_nobody_without_an_answer(status: int, body: object) -> None:
    assert own_user(Account().transport) == BOT_ID
    assert own_user(Wire(answer(status, body)).transport) is None


# Names, as Zendesk gives them with the tickets anyway


def test_pages_and_a_fetch_tell_the_requesters_names_without_a_request_of_their_own() -> None:
    account = Account()
    numbers = [
        account.add(requester=who, channel="web") for who in (ANNA, {"name": "Bo Li", "email": "bo@example.com"})
    ]
    agent = account.store.users.add("Will May", "will@example.com", role="agent")
    account.store.person_edit(numbers[0], assignee_id=agent)
    account.clock.advance(120)
    pages = list(account.desk.pages(None, START - 86400))
    assert {ticket.id: ticket.names for page in pages for ticket in page.tickets} == {
        numbers[0]: ("Anna Schmidt",),
        numbers[1]: ("Bo Li",),
    }
    assert account.one(numbers[0]).names == ("Anna Schmidt",)
    assert len([request for request in account.sent if "/tickets" in request.path]) == 2
