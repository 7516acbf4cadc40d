"""What a run asks of a helpdesk, row by row, of Zendesk (sandbox), Freshdesk (sandbox) and the local one.

Where they may differ, an office says so: ``guards`` is whether a write is refused where its ticket has changed since it
was read, without another look. ``group`` is the one that a new ticket has;
``relists``: tickets that change are listed again; ``ticks``: seconds by which a real clock goes on in a test.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from ticket_processor.core.errors import ConfigError, JobRefused, PartRefused, TicketGone, UpdateConflict, UpdateRefused
from ticket_processor.core.models import Change, Priority, PublicReply, StatusChange, Ticket
from ticket_processor.helpdesk import freshdesk_reads, zendesk_reads
from ticket_processor.helpdesk.local_desk import LocalDesk, labels_of, requesters
from ticket_processor.helpdesk.local_model import Actor, NewTicket
from ticket_processor.helpdesk.local_store import LocalStore
from ticket_processor.sandbox.store import BOT_ID
from ticket_processor.wiring.desks import Desk

from ..support.fakes import ManualClock, told_apart
from ..support.freshdesk_account import FreshAccount
from ..support.local_files import add_group
from .test_zendesk import Account

KEY, INTENT = "c0ffee00" * 4, "run-1"
NOTE = f"Looks like billing.\nRef tb-{KEY[:8]}"
ORDER, FINANCE, NO_GROUP = 2_002, 8_001, 8_999
HOURS = 3600.0
ANN = "ann@example.com"


class ZendeskOffice:
    """An account, and the people around it: what an agent does to a ticket, and what is found of ours.

    ``shut`` makes a ticket one that can be changed no more, of which we say ``shut_is``.
    """

    guards, shut_is, group, relists, ticks = True, "closed", None, True, 0.0

    def __init__(self, folder: Path) -> None:
        self.account = account = Account(page_size=2)
        self.store = account.store
        self.store.groups[FINANCE]["name"] = "Finance"
        self.desk: Desk = account.desk
        self.people = zendesk_reads.requesters(account.transport)
        self.now, self.later = account.time.now, account.clock.advance
        self.labels = partial(zendesk_reads.read_labels, account.transport)
        self.agent = self.store.person_edit
        self.answer = partial(self.agent, comment="Which order?", public=True)
        self.solve = partial(self.agent, status="solved")
        self.shut = partial(self.store.system_edit, status="closed")

    def add(self, subject: str = "Refund", *, age: float = 2 * HOURS, tags: Sequence[str] = ()) -> int:
        ann = {"name": "Ann", "email": ANN}
        return self.account.add(age, subject=subject, body="Charged twice.", tags=list(tags), requester=ann)

    def notes(self, number: int) -> list[tuple[bool, str]]:
        return [(row["public"], row["plain_body"]) for row in self.store.bot_comments(number, BOT_ID)]


class FreshdeskOffice:
    guards, shut_is, group, relists, ticks = False, "deleted", None, True, 0.0

    def __init__(self, folder: Path) -> None:
        self.account = account = FreshAccount()
        self.store = account.desk
        self.store.groups[FINANCE] = {"id": FINANCE, "name": "Finance"}
        self.desk: Desk = account.client
        self.people = freshdesk_reads.requesters(account.transport)
        self.now, self.later = account.clock.now, account.clock.advance
        self.labels = partial(freshdesk_reads.read_labels, account.transport)
        self.agent, self.shut = self.store.person_edit, self.store.spam
        self.answer = partial(self.agent, comment="Which order?", public=True)
        self.solve = partial(self.agent, status=4)

    def add(self, subject: str = "Refund", *, age: float = 2 * HOURS, tags: Sequence[str] = ()) -> int:
        ann = {"requester_name": "Ann", "requester_email": ANN, "created_at": self.now() - age}
        return self.account.add(subject, "Charged twice.", tags=tags, **ann).id

    def notes(self, number: int) -> list[tuple[bool, str]]:
        return [(not row["private"], row["body_text"]) for row in self.store.bot_notes(number)]


class LocalOffice:
    guards, shut_is, group, relists, ticks = True, "closed", None, True, 0.0

    def __init__(self, folder: Path) -> None:
        clock = ManualClock()
        self.now, self.later = clock.now, clock.advance
        self.store = LocalStore(folder / "helpdesk.sqlite3")
        self.store.add_person("agent@example.com", "Agent", "agent")
        add_group(self.store, FINANCE, "Finance")
        self.desk: Desk = LocalDesk(self.store, self.now)
        self.people = requesters(self.store)
        self.labels = partial(labels_of, self.store)

    def add(self, subject: str = "Refund", *, age: float = 2 * HOURS, tags: Sequence[str] = ()) -> int:
        return self.store.create(NewTicket(subject, "Charged twice.", ANN, name="Ann", tags=tags), self.now() - age).id

    def agent(self, number: int, *, add_tags: Sequence[str] = (), remove_tags: Sequence[str] = ()) -> None:
        self._change(number, tags_add=add_tags, tags_remove=remove_tags)

    def answer(self, number: int) -> None:
        self.store.reply(number, Actor("agent", 1), "Which order?", public=True, now=self.now())

    def solve(self, number: int) -> None:
        self._change(number, status="resolved")

    def shut(self, number: int) -> None:
        self._change(number, status="spam")

    def notes(self, number: int) -> list[tuple[bool, str]]:
        said = self.store.messages(number, public_only=False)
        return [(one.public, one.body) for one in said if one.author.kind == "ai"]

    def _change(self, number: int, **what: Any) -> None:
        self.store.change(number, Actor("agent", 1), version=None, now=self.now(), **what)


Office = ZendeskOffice | FreshdeskOffice | LocalOffice


@pytest.fixture(params=[ZendeskOffice, FreshdeskOffice, LocalOffice])
def office(request: pytest.FixtureRequest, tmp_path: Path) -> Office:
    made: Callable[[Path], Office] = request.param
    return made(tmp_path)


def one(office: Office, number: int) -> Ticket:
    return office.desk.fetch([number])[number]


def change_of(ticket: Ticket, **parts: Any) -> Change:
    """A change as a run plans it: on top of what the ticket holds."""
    added, removed = parts.pop("tags_added", ()), parts.pop("tags_removed", ())
    given = {
        "ticket_id": ticket.id,
        "stamp": ticket.updated_at,
        "tags": (*(tag for tag in ticket.tags if tag not in removed), *added),
        "tags_before": ticket.tags,
        "tags_added": added,
        "tags_removed": removed,
        "priority_before": ticket.priority,
        "group_before": ticket.group,
        "key": KEY,
        "intent": INTENT,
        **parts,
    }
    return Change.model_validate(given)


def whole(ticket: Ticket, **parts: Any) -> Change:
    """A change with everything that a run writes."""
    everything = {
        "tags_added": ("ai_billing", "ai_processed"),
        "priority": Priority.HIGH,
        "group": FINANCE,
        "fields": {ORDER: "A-7"},
        "note": NOTE,
    }
    return change_of(ticket, **{**everything, **parts})


def listed(office: Office, cursor: str | None = None) -> tuple[list[int], str | None]:
    pages = list(office.desk.pages(cursor, office.now() - 24 * HOURS))
    assert [page.last for page in pages] == [False] * (len(pages) - 1) + [True]
    assert {ticket.requester_address for page in pages for ticket in page.tickets} <= {ANN}
    return [ticket.id for page in pages for ticket in page.tickets], pages[-1].cursor


# Reading


def test_new_tickets_are_listed_once_and_the_next_listing_goes_on_behind_them(office: Office) -> None:
    old = office.add(age=48 * HOURS)
    first = [office.add(f"no. {number}", age=HOURS * (4 - number)) for number in range(3)]
    found, cursor = listed(office)
    assert found == first
    assert listed(office, cursor)[0] == []

    late = office.add(age=0.0)
    office.agent(first[0], add_tags=["vip"])
    office.agent(old, add_tags=["vip"])
    office.later(200)
    found, cursor = listed(office, cursor)
    assert sorted(found) == sorted([late, first[0], old] if office.relists else [late])
    assert listed(office, cursor)[0] == []


def test_a_ticket_is_read_as_it_is(office: Office) -> None:
    number = office.add("Charged twice", tags=["vip"])
    ticket = one(office, number)
    assert (ticket.subject, ticket.description.strip()) == ("Charged twice", "Charged twice.")
    assert (ticket.tags, ticket.priority, ticket.group, ticket.fields) == (("vip",), None, office.group, {})
    assert (ticket.assignee, ticket.organization) == (None, None)
    assert ticket.status in ("new", "open")
    assert (ticket.requester_address, ticket.names) == (ANN, ("Ann",))
    assert ticket.requester == office.people.find(ANN)
    assert ticket.age_of_stamp is not None
    assert 0 <= ticket.age_of_stamp - 2 * HOURS <= office.ticks


def test_what_is_not_there_is_absent_and_has_no_history(office: Office) -> None:
    numbers = [office.add(), 999_999, office.add()]
    found = office.desk.fetch(numbers)
    assert told_apart(found) == ([numbers[0], numbers[2]], [])
    assert office.desk.history(999_999).find(KEY) is None
    assert office.desk.fetch([]) == {}


# Writing


def test_one_change_carries_everything_and_its_note_is_internal(office: Office) -> None:
    number = office.add(tags=["vip"])
    told = office.desk.update(whole(one(office, number)))
    ticket = one(office, number)
    assert set(ticket.tags) == {"vip", "ai_billing", "ai_processed"}
    assert (ticket.priority, ticket.group, ticket.fields) == (Priority.HIGH, FINANCE, {ORDER: "A-7"})
    assert office.notes(number) == [(False, NOTE)]
    assert told is not None
    found = office.desk.history(number).find(KEY)
    assert found is not None
    for edit in (told, found):
        assert (edit.key, edit.intent, edit.comment) == (KEY, INTENT, "internal")
        assert (edit.tags_added, edit.priority) == ({"ai_billing", "ai_processed"}, (None, Priority.HIGH))
        assert (edit.group, edit.fields) == ((office.group, FINANCE), {ORDER: (None, "A-7")})


def test_what_is_to_stay_stays_and_what_is_to_be_emptied_is_emptied(office: Office) -> None:
    number = office.add(tags=["vip"])
    office.desk.update(whole(one(office, number)))
    office.later(60)
    cleared = ("priority", "group") if office.group is None else ("priority",)
    undo = {"tags_removed": ("ai_billing",), "cleared": cleared, "group": office.group, "fields_cleared": (ORDER,)}
    office.desk.update(change_of(one(office, number), **undo, key="0" * 32))
    ticket = one(office, number)
    assert set(ticket.tags) == {"vip", "ai_processed"}
    assert (ticket.priority, ticket.group, ticket.fields) == (None, office.group, {})
    assert len(office.notes(number)) == 1


def test_a_person_who_was_faster_wins(office: Office) -> None:
    number = office.add(tags=["vip"])
    planned = whole(one(office, number))
    office.later(5)
    office.agent(number, add_tags=["theirs"], remove_tags=["vip"])
    if not office.guards:
        office.desk.fetch([number])
    with pytest.raises(UpdateConflict):
        office.desk.update(planned)
    ticket = one(office, number)
    assert (ticket.tags, ticket.priority, ticket.group, ticket.fields) == (("theirs",), None, office.group, {})
    assert office.notes(number) == []


def test_a_change_that_was_made_is_not_made_again(office: Office) -> None:
    number = office.add()
    planned = whole(one(office, number))
    office.desk.update(planned)
    office.later(5)
    before = one(office, number)
    with pytest.raises(UpdateConflict):
        office.desk.update(planned)
    assert one(office, number).updated_at == before.updated_at
    assert len(office.notes(number)) == 1


def test_our_write_is_known_by_its_key_whatever_people_have_made_of_it(office: Office) -> None:
    number = office.add()
    office.desk.update(whole(one(office, number)))
    office.later(60)
    office.agent(number, add_tags=["callback"], remove_tags=["ai_billing", "ai_processed"])
    office.answer(number)
    history = office.desk.history(number)
    ours = history.find(KEY)
    assert ours is not None
    assert ours.intent == INTENT
    assert history.find("b" * 32) is None
    assert history.taken_off().tags == {"ai_billing", "ai_processed"}
    assert [edit.comment for edit in history.edits if not edit.key and not edit.creation and edit.comment] == ["public"]


@pytest.mark.parametrize("place", ["shut", "absent"])
def test_nothing_is_written_on_a_ticket_that_is_closed_or_not_there(office: Office, place: str) -> None:
    number = office.add()
    if place == "shut":
        office.shut(number)
    ticket = one(office, number)
    with pytest.raises(TicketGone, match=office.shut_is if place == "shut" else "deleted"):
        office.desk.update(whole(ticket, **({} if place == "shut" else {"ticket_id": 999_999})))
    assert office.notes(number) == []


def test_a_group_that_is_not_there_is_a_refused_part_and_is_told_once(office: Office) -> None:
    for _ in range(2):
        number = office.add()
        ticket = one(office, number)
        with pytest.raises(PartRefused, match="ticketbot doctor") as refused:
            office.desk.update(whole(ticket, group=NO_GROUP, note=None))
        assert refused.value.part == "group"
        assert one(office, number).updated_at == ticket.updated_at
    assert len(office.desk.troubles) == 1
    assert f"knows no group {NO_GROUP}" in office.desk.troubles[0]


def test_a_public_reply_goes_only_where_something_guards_it(office: Office) -> None:
    text, number = "Your money is on its way.", office.add()
    draft = hashlib.sha256(text.encode()).hexdigest()
    reply = PublicReply(text=text, category="refund", threshold=0.9, draft=draft)
    planned = change_of(one(office, number), tags_added=("ai_processed",), reply=reply)
    if office.guards:
        told = office.desk.update(planned)
        assert told is not None
        assert (told.comment, office.notes(number)) == ("public", [(True, text)])
    else:
        solved = change_of(one(office, number), closing=StatusChange(status="solved"))
        for public in (planned, solved):
            with pytest.raises(UpdateRefused, match="no public reply is sent"):
                office.desk.update(public)
        assert (office.notes(number), one(office, number).tags) == ([], ())


def test_what_cannot_be_done_in_a_job_is_refused_or_named_as_one(office: Office) -> None:
    number = office.add()
    planned = whole(one(office, number))
    try:
        job = office.desk.update_many([planned])
    except JobRefused:
        assert office.desk.jobs(["1"]) == {}
        assert office.notes(number) == []
        return
    while not office.desk.jobs([job])[job].ended:
        office.later(10)
    assert office.desk.jobs([job])[job].results == {number: True}
    assert office.notes(number) == [(False, NOTE)]


# What else commands ask


def test_a_customer_is_found_by_address_and_number_with_all_tickets(office: Office) -> None:
    made = {office.add(), office.add(age=60 * 24 * HOURS)}
    office.later(900)
    ann = office.people.find(" ANN@example.com ")
    assert office.people.find(str(ann)) == ann
    assert set(office.people.tickets(ann)) == made
    for nobody in ("bo@example.com", "annxyz", 'a"b@c'):
        with pytest.raises(ConfigError) as told:
            office.people.find(nobody)
        assert nobody not in str(told.value)


def test_solved_tickets_are_listed_since_a_moment(office: Office) -> None:
    solved, _ = office.add(), office.add()
    office.later(60)
    office.solve(solved)
    office.later(900)
    since = office.now() - 24 * HOURS
    assert [ticket.id for page in office.desk.solved(since) for ticket in page] == [solved]


def test_the_account_tells_its_groups(office: Office) -> None:
    assert office.labels().groups[FINANCE] == "Finance"
