from __future__ import annotations

import copy
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.support.local_files import add_file, add_group
from ticket_processor.core.models import Priority
from ticket_processor.helpdesk.local_model import (
    AI,
    Actor,
    IllegalTransition,
    LocalHelpdeskError,
    NewFile,
    NewTicket,
    Write,
    new_number,
)
from ticket_processor.helpdesk.local_store import LocalStore

NOW = 1_800_000_000.0
ACTS = ("create", "reply", "note", "status", "tags", "fields", "rate", "file")
WORDS = st.text(st.characters(exclude_categories=("Cs", "Cc")), max_size=40)


def act(store: LocalStore, kind: str, number: int, text: str, moment: float) -> None:
    """One act of somebody's on one of the tickets, as far as it is permitted."""
    count = sum(store.counts().values())
    if kind == "create" or count == 0:
        files = [NewFile(text, text.encode())] if number % 2 else []
        store.create(NewTicket(text, text[::-1], f"p{number}@example.com", name=text, files=files, tags=[text]), moment)
        return
    ticket = store.ticket(1 + number % count)
    assert ticket is not None
    agent, customer = Actor("agent", 1), Actor("customer", ticket.requester)
    try:
        if kind == "reply":
            store.reply(ticket.id, (agent, customer)[number % 2], text, public=True, now=moment)
        elif kind == "note":
            store.apply(ticket.id, AI, Write(body=text, key="k" * 32, intent=text), version=None, now=moment)
        elif kind == "status":
            status = ("in_progress", "waiting", "resolved", "open", "spam")[number % 5]
            store.change(ticket.id, agent, version=None, now=moment, status=status)  # type: ignore[arg-type]
        elif kind == "tags":
            store.change(ticket.id, AI, version=None, now=moment, tags_add=[text, "ai_billing"], tags_remove=["x"])
        elif kind == "fields":
            write = Write(fields={number: text}, priority=Priority.HIGH, group=number + 1)
            store.apply(ticket.id, agent, write, version=None, now=moment)
        elif kind == "rate":
            store.rate(ticket.id, 1 + number % 5, text, moment)
        else:
            add_file(store, ticket.id, None, text, text.encode())
    except (IllegalTransition, LocalHelpdeskError):
        pass


@settings(max_examples=40, deadline=None)
@given(st.lists(st.tuples(st.sampled_from(ACTS), st.integers(0, 9), WORDS), min_size=1, max_size=15))
def test_an_export_taken_in_elsewhere_is_the_same_helpdesk(acts: list[tuple[str, int, str]]) -> None:
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder:
        first, second = LocalStore(Path(folder) / "a.sqlite3"), LocalStore(Path(folder) / "b.sqlite3")
        first.add_person("agent@example.com", "Agent", "agent", "hash")
        for number in range(1, 6):
            add_group(first, number, f"Group {number}")
        for place, (kind, number, text) in enumerate(acts):
            act(first, kind, number, text, NOW + 700.0 * place)
        lines = list(first.export_lines())

        done, _ = second.import_lines(copy.deepcopy(lines))

        assert list(second.export_lines()) == lines
        assert second.counts() == first.counts()
        assert second.last_event() == first.last_event()
        everything = list(range(1, done + 1))
        assert second.tickets(everything) == first.tickets(everything)
        assert second.import_lines(copy.deepcopy(lines)) == (0, done)
        assert list(second.export_lines()) == lines
        first.close()
        second.close()


@pytest.fixture
def store(tmp_path: Path) -> LocalStore:
    return LocalStore(tmp_path / "new.sqlite3")


@pytest.fixture
def lines(tmp_path: Path) -> list[dict[str, Any]]:
    """An export with two tickets, a file, a password and a session."""
    made = LocalStore(tmp_path / "old.sqlite3")
    agent = made.add_person("agent@example.com", "Agent", "agent", "$argon2id$secret")
    made.open_session(agent.id, NOW + 1000)
    made.create(NewTicket("One", "searchable", "a@b.example", files=[NewFile("a.txt", b"content")]), NOW)
    made.create(NewTicket("Two", "text", "a@b.example"), NOW)
    return list(made.export_lines())


def test_links_that_customers_have_stay_good_and_passwords_stay_behind(tmp_path: Path, store: LocalStore) -> None:
    old = LocalStore(tmp_path / "old.sqlite3")
    old.add_person("agent@example.com", "Agent", "agent", "$argon2id$secret")
    made = old.create(NewTicket("One", "text", "a@b.example"), NOW)

    store.import_lines(old.export_lines())

    assert store.opens(made.number, made.secret) is not None
    agent = store.by_email("agent@example.com")
    assert agent is not None
    assert (agent.role, agent.password_hash) == ("agent", None)


def test_an_import_with_a_wrong_line_leaves_nothing_and_quotes_nothing(
    store: LocalStore, lines: list[dict[str, Any]]
) -> None:
    ticket = next(line for line in lines if line["kind"] == "ticket")
    content = next(line for line in lines if line["kind"] == "content")
    person = next(line for line in lines if line["kind"] == "person")
    wrong: list[tuple[dict[str, Any], str]] = [
        ({"kind": "canary\x1b"}, "no line of 'ticketbot local export FILE'"),
        ({"kind": "recipe"}, "lines of the kind 'recipe' are unknown here.*update this one"),
        ({"canary": 1}, "no line of 'ticketbot local export FILE'"),
        ({"kind": "helpdesk", "format": 99}, "another version"),
        (
            {**ticket, "id": 50, "number": "canary) VALUES (1); --", "canary) --": 1},
            "parts that a helpdesk does not know",
        ),
        ({**ticket, "id": 51, "number": "x", "status": "canary"}, "does not fit"),
        ({**ticket, "id": 52, "number": "x", "event": []}, "does not fit"),
        ({**ticket, "id": 53, "number": "x", "created_at": "canary"}, "does not fit"),
        ({**ticket, "number": "T-other"}, "another ticket with this id"),
        ({**content, "base64": "Y2FuYXJ5"}, "damaged"),
        ({**person, "id": 70, "email": "canary@example.com", "password_hash": "$argon2id$canary"}, "parts that"),
        *((fits_nobody, "does not fit") for fits_nobody in odd_tickets(ticket)),
    ]
    for line, said in wrong:
        with pytest.raises(LocalHelpdeskError, match=said) as error:
            store.import_lines([*copy.deepcopy(lines), line])
        assert f"line {len(lines) + 1}" in str(error.value)
        assert "canary" not in str(error.value)
        assert len(list(store.export_lines())) == 1


def odd_tickets(ticket: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """Tickets that nobody could read, find or change once they were there."""
    ticket = {**ticket, "id": 60, "number": new_number(), "attachment": [], "secrets": []}
    (event,) = ticket["event"]
    far, first = 2**63 - 1, "0001-01-01T00:00:00+14:00"
    yield from ({**ticket, "id": odd} for odd in (0, -1, 2**47, far, 2**63, [1]))
    yield from ({**ticket, "number": odd} for odd in ("", "T-1", "T\r\nBcc: canary@example.com"))
    yield from ({**ticket, "created_at": odd} for odd in (first, "9999-12-31T23:59:59.999999Z", "", 0))
    yield from ({**ticket, "event": [{**event, "id": odd}]} for odd in (0, far, 2**63, "canary"))
    yield from ({**ticket, "event": [{**event, "id": 90, "at": odd}]} for odd in (first, "9999-12-31T23:59:59Z", "", 0))
    for name in ("status", "priority", "group", "field:canary", "field", "field:"):
        yield {**ticket, "event": [{**event, "id": 90, "field": name, "new": "canary"}]}
    yield {**ticket, "channel": ["canary"], "event": [{**event, "id": 90}]}


def test_a_file_of_an_import_leads_nowhere(store: LocalStore, lines: list[dict[str, Any]]) -> None:
    ticket = next(line for line in lines if line["kind"] == "ticket")
    (file,) = ticket["attachment"]
    file |= {"name": "../../x.html", "mime": "text/html"}
    store.import_lines(copy.deepcopy(lines))
    assert [kept.name for kept in store.files(1)] == ["x.html"]
    assert "text/html" not in str(list(store.export_lines()))

    file["sha256"] = "../../../etc/passwd"
    with pytest.raises(LocalHelpdeskError, match="the name of a file's content is none"):
        LocalStore(store.path.with_name("other.sqlite3")).import_lines(lines)


@pytest.mark.parametrize(
    ("email", "said"),
    [("boss@example.com", "another person with this id or email; import into a new file"), ("agent@example.com", "")],
)
def test_people_are_who_they_were_or_the_import_is_refused(
    store: LocalStore, lines: list[dict[str, Any]], email: str, said: str
) -> None:
    boss = store.add_person(email, "Boss", "admin", "$argon2id$own")
    if said:
        with pytest.raises(LocalHelpdeskError, match=said):
            store.import_lines(lines)
    else:
        store.import_lines(lines)
    assert store.person(1) == boss
    assert (store.ticket(1) is None) is bool(said)
