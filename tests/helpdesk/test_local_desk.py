from __future__ import annotations

import hashlib
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from ticket_processor.core.errors import (
    ReadOnlyViolation,
    UpdateRefused,
)
from ticket_processor.core.models import PublicReply, StatusChange
from ticket_processor.helpdesk.local_desk import LocalDesk
from ticket_processor.helpdesk.local_model import Actor, NewTicket
from ticket_processor.helpdesk.local_store import LocalStore

from .test_contract import change_of

NOW = 1_800_000_000.0
AGENT = Actor("agent", 1)


@pytest.fixture
def store(tmp_path: Path) -> LocalStore:
    made = LocalStore(tmp_path / "helpdesk.sqlite3")
    made.add_person("agent@example.com", "Agent", "agent")
    return made


@pytest.fixture
def desk(store: LocalStore) -> LocalDesk:
    return LocalDesk(store, lambda: NOW)


def added(store: LocalStore, subject: str = "Refund", now: float = NOW, **more: str) -> int:
    return store.create(NewTicket(subject, "Charged twice.", "ann@example.com", name="Ann", **more), now).id


def test_a_file_that_is_older_than_the_cursor_is_listed_anew(desk: LocalDesk, store: LocalStore) -> None:
    number = added(store)

    assert [ticket.id for page in desk.pages("event:900", NOW - 60) for ticket in page.tickets] == [number]


def test_a_file_that_was_put_back_is_listed_anew_although_it_has_grown_since(
    desk: LocalDesk, store: LocalStore
) -> None:
    number = added(store)
    with closing(sqlite3.connect(":memory:")) as copy, closing(sqlite3.connect(store.path)) as file:
        file.backup(copy)
        store.reply(number, AGENT, "Hm.", public=False, now=NOW + 60)
        (page,) = desk.pages(None, NOW - 60)
        copy.backup(file)
    late = added(store, "after the repair", now=NOW + 120)

    assert [ticket.id for page in desk.pages(page.cursor, NOW - 60) for ticket in page.tickets] == [number, late]


def test_an_escalation_shows_as_a_status_and_goes_with_its_tag(desk: LocalDesk, store: LocalStore) -> None:
    ticket = desk.fetch([added(store)])[1]
    desk.update(change_of(ticket, tags_added=("ai_escalated",), escalated=("security",)))
    escalated = store.ticket(1)
    assert escalated is not None
    assert (escalated.status, escalated.escalated) == ("escalated", True)
    assert [event.reason for event in store.events(1) if event.field == "status"] == ["security"]

    ticket = desk.fetch([1])[1]
    assert ticket.status == "open"
    desk.update(change_of(ticket, tags_removed=("ai_escalated",)))

    back = store.ticket(1)
    assert back is not None
    assert (back.status, back.escalated) == ("open", False)


def test_a_public_reply_and_the_wait_behind_it_are_guarded_writes_and_people_alone_resolve(
    desk: LocalDesk, store: LocalStore
) -> None:
    text = "Please restart it."
    draft = hashlib.sha256(text.encode()).hexdigest()
    said = PublicReply(text=text, category="technical", threshold=0.9, draft=draft)
    ticket = desk.fetch([added(store)])[1]

    edit = desk.update(change_of(ticket, reply=said))

    assert edit is not None
    assert (edit.comment, edit.text) == ("public", text)
    assert [item.body for item in store.messages(1, public_only=True)] == [text]
    solved = StatusChange(status="solved", category="technical", threshold=0.9, draft=draft)
    with pytest.raises(UpdateRefused):
        desk.update(change_of(desk.fetch([1])[1], closing=solved))
    desk.update(change_of(desk.fetch([1])[1], closing=solved.model_copy(update={"status": "pending"})))
    assert desk.fetch([1])[1].status == "pending"


def test_the_record_knows_customers_agents_and_the_helpdesk_apart(desk: LocalDesk, store: LocalStore) -> None:
    number = added(store)
    ann = store.by_email("ann@example.com")
    assert ann is not None
    store.reply(number, AGENT, "Which order?", public=True, status="waiting", now=NOW + 1)
    store.reply(number, Actor("customer", ann.id), "No. 7.", public=True, now=NOW + 2)
    desk.update(change_of(desk.fetch([number])[number], tags_added=("ai_billing",)))

    history = desk.history(number)

    assert [(edit.author, edit.way, edit.comment, edit.status) for edit in history.edits] == [
        (ann.id, "hand", "public", None),
        (1, "hand", "public", ("new", "pending")),
        (ann.id, "hand", "public", ("pending", "new")),
        (None, "api", None, None),
    ]
    assert history.edits[0].creation
    assert history.by_people() == (True, True, True, False)
    assert [edit.text for edit in history.said_since(history.edits[1], ann.id)] == ["No. 7."]


def test_a_tag_that_a_ticket_came_with_is_on_record_as_its_own(desk: LocalDesk, store: LocalStore) -> None:
    number = store.create(NewTicket("Copied", "text", "a@b.example", tags=("ai_processed",)), NOW).id

    assert desk.history(number).born_with("ai_processed")


def test_a_run_that_must_not_write_cannot(desk: LocalDesk, store: LocalStore) -> None:
    ticket = desk.fetch([added(store)])[1]

    with pytest.raises(ReadOnlyViolation):
        LocalDesk(store, lambda: NOW, read_only=True).update(change_of(ticket, note="hm"))
