from __future__ import annotations

import errno
import os
import sqlite3
from contextlib import nullcontext
from dataclasses import replace
from pathlib import Path

import pytest

from ticket_processor.core.errors import HelpdeskDown
from ticket_processor.helpdesk.local_model import (
    AI,
    REOPEN_S,
    SYSTEM,
    Actor,
    FormUsed,
    IllegalTransition,
    LocalHelpdeskError,
    NewFile,
    NewTicket,
    allowed,
    as_written,
    new_number,
)
from ticket_processor.helpdesk.local_store import LocalStore

NOW = 1_800_000_000.0
NEW = NewTicket("Refund", "I was charged twice.", "Ann@Example.com", name="Ann")
AGENT = Actor("agent", 1)
PNG = b"\x89PNG\r\n\x1a\n...."


@pytest.fixture
def store(tmp_path: Path) -> LocalStore:
    made = LocalStore(tmp_path / "desk" / "helpdesk.sqlite3")
    made.add_person("agent@example.com", "Agent", "agent")
    return made


def customer(store: LocalStore, ticket_id: int) -> Actor:
    ticket = store.ticket(ticket_id)
    assert ticket is not None
    return Actor("customer", ticket.requester)


def test_a_submitted_ticket_opens_with_its_number_and_secret_only(store: LocalStore) -> None:
    made = store.create(NEW, NOW)

    found = store.opens(made.number.lower().replace("-", " "), made.secret)

    assert found is not None
    assert (found.id, found.subject, found.status, found.version) == (made.id, "Refund", "open", 1)
    assert store.opens(made.number, "guess") is None
    assert store.opens(new_number(), made.secret) is None
    assert len(made.secret) >= 22
    assert made.secret not in repr(made)
    assert made.secret.encode() not in b"".join(path.read_bytes() for path in store.path.parent.glob("helpdesk*"))


def test_a_ticket_that_comes_again_with_a_forgotten_file_gets_it_once(store: LocalStore) -> None:
    file, form = NewFile("lamp.txt", b"dark"), replace(NEW, form="a form")
    first = store.create(form, NOW)
    for _ in range(2):
        store.create(replace(form, files=(file,)), NOW + 60)
    assert [known.name for known in store.files(first.id)] == ["lamp.txt"]


@pytest.mark.parametrize(
    ("same", "more"),
    [
        (True, {}),
        (False, {"body": "No."}),
        (False, {"public": False}),
        (False, {"files": [NewFile("a.txt", b"a")]}),
        (False, {"actor": Actor("agent", 1)}),
    ],
)
def test_a_reply_that_the_same_form_brings_again_is_there_already(
    store: LocalStore, same: bool, more: dict[str, object]
) -> None:
    ticket_id = store.create(NEW, NOW).id
    said = {"actor": Actor("customer", 1), "body": "Yes.", "public": True, "form": "a form", "now": NOW}
    for _ in range(2):
        said_once = store.reply(ticket_id, version=1, **said)  # type: ignore[arg-type]
    with pytest.raises(FormUsed) if not same else nullcontext():
        store.reply(ticket_id, version=1, **{**said, **more})  # type: ignore[arg-type]
    elsewhere = store.create(NEW, NOW).id
    with pytest.raises(FormUsed):
        store.reply(elsewhere, **said)  # type: ignore[arg-type]
    assert store.ticket(ticket_id) == said_once
    assert len(store.messages(ticket_id, public_only=False)) == 1


def test_who_submits_under_an_agents_address_names_no_agent_before_or_afterwards(store: LocalStore) -> None:
    store.create(NewTicket("Refund", "Pay me.", "new@example.com", name="Your bank"), NOW)
    assert store.add_person("new@example.com", "Ada", "agent").name == "Ada"
    admin = store.add_person("boss@example.com", "", "admin")
    store.create(NewTicket("Hello", "text", "boss@example.com", name="Your Bank"), NOW)
    assert store.person(admin.id) == admin


def test_numbers_survive_how_people_read_them_and_notice_a_wrong_digit() -> None:
    number = new_number()

    assert as_written(number.replace("-", "").lower()) == number
    assert as_written(number.replace("0", "O").replace("1", "l")) == number
    digits = number[2:]
    for place, digit in enumerate(digits):
        wrong = "7" if digit != "7" else "8"
        assert digit == "-" or as_written(f"T-{digits[:place]}{wrong}{digits[place + 1 :]}") is None
    assert as_written("nonsense") is None


def test_every_change_is_an_event_with_who_made_it_and_no_event_can_be_altered(store: LocalStore) -> None:
    ticket_id = store.create(NEW, NOW).id
    store.change(ticket_id, AGENT, version=1, now=NOW, status="in_progress", assignee=None, category="billing")

    told = [(event.version, event.actor, event.field, event.old, event.new) for event in store.events(ticket_id)]

    assert told[1:] == [
        (2, AGENT, "status", "open", "in_progress"),
        (2, AGENT, "tag", None, "ai_billing"),
    ]
    with sqlite3.connect(store.path) as db:
        for statement in ("UPDATE event SET new = 'x'", "DELETE FROM event"):
            with pytest.raises(sqlite3.IntegrityError, match="only ever added"):
                db.execute(statement)


def test_only_people_resolve_a_ticket_and_what_may_follow_is_told(store: LocalStore) -> None:
    ticket_id = store.create(NEW, NOW).id

    with pytest.raises(IllegalTransition) as refused:
        store.change(ticket_id, AI, version=1, now=NOW, status="resolved")

    assert refused.value.allowed == ("escalated", "waiting")
    assert "resolved" not in {status for now in ("open", "in_progress", "escalated") for status in allowed(now, "ai")}
    resolved = store.change(ticket_id, customer(store, ticket_id), version=1, now=NOW + 5, status="resolved")
    assert resolved.resolved_at == resolved.updated_at
    reopened = store.change(ticket_id, customer(store, ticket_id), version=2, now=NOW + 9, status="open")
    assert reopened.resolved_at is None


def test_a_customer_reopens_for_thirty_days_and_a_closed_ticket_stays_closed(store: LocalStore) -> None:
    ticket_id = store.create(NEW, NOW).id
    store.change(ticket_id, AGENT, version=1, now=NOW, status="resolved")

    with pytest.raises(IllegalTransition):
        store.change(ticket_id, customer(store, ticket_id), version=2, now=NOW + REOPEN_S + 1, status="open")

    store.change(ticket_id, SYSTEM, version=2, now=NOW + REOPEN_S, status="closed")
    for actor in (AGENT, AI, customer(store, ticket_id)):
        with pytest.raises(IllegalTransition):
            store.reply(ticket_id, actor, "Hello?", public=True, now=NOW + REOPEN_S)


def test_a_files_name_leads_nowhere_and_its_content_is_kept(store: LocalStore) -> None:
    files = [
        NewFile("../../etc/pass\nwd.png", PNG),
        NewFile("page.png", b"<svg onload=alert(1)>"),
        NewFile("C:\\x\\run.exe", b"MZ\x90\x00\xff"),
    ]
    made = store.create(NewTicket("Files", "Here.", "a@b.example", files=files), NOW)

    kept = store.files(made.id)

    assert [file.name for file in kept] == ["passwd.png", "page.png", "run.exe"]
    assert [store.content(file) for file in kept] == [file.content for file in files]
    with pytest.raises(LocalHelpdeskError, match="10 MB"):
        store.keep(NewFile("big", b"x" * 10_000_001))


def test_the_helpdesk_can_be_read_while_another_process_writes(store: LocalStore) -> None:
    made = store.create(NEW, NOW)
    with store.writing():
        other = LocalStore(store.path, make=False)
        assert other.ticket(made.id) is not None
        other.close()


def test_a_full_disk_takes_no_ticket_and_leaves_no_part_of_its_file(
    store: LocalStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(_file: int) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(HelpdeskDown):
        store.create(NewTicket("Refund", "text", "ann@example.com", files=[NewFile("a.png", PNG)]), NOW)
    assert store.ticket(1) is None
    assert [file for file in store.folder.rglob("*") if file.is_file()] == []
