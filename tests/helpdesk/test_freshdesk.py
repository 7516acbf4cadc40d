from __future__ import annotations

import itertools
import random
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from ticket_processor import freshdesk
from ticket_processor.core.errors import CannotRun, NotAuthorised, NotePublished
from ticket_processor.core.models import OutcomeStatus, Priority
from ticket_processor.freshdesk import Freshdesk
from ticket_processor.helpdesk import freshdesk_reads
from ticket_processor.sandbox.access import PLANS
from ticket_processor.sandbox.messages import Request, Response
from ticket_processor.sandbox.store import PERSON_ID

from ..imitation import FaultPlan, FreshdeskRules
from ..simulation.virtual import Crash
from ..support.fakes import a_change
from ..support.freshdesk_account import HOURS, FreshAccount

CLOSED = 5
LOW, HIGH = 1, 3
GROUP, NO_GROUP, ORDER = 8001, 8009, 2002


@pytest.fixture
def account() -> FreshAccount:
    return FreshAccount()


def _run(account: FreshAccount, folder: Path, name: str = "run", **options: Any) -> Any:
    return account.run(folder, name, since=account.clock.now() - 24 * HOURS, **options)


def _faults(account: FreshAccount, text: str) -> None:
    account.sandbox.faults.rules += FaultPlan.parse(text).rules


def _tags(account: FreshAccount, number: int) -> set[str]:
    return set(account.desk.tickets[number].tags)


def _everything(client: Freshdesk) -> dict[int, Any]:
    return {ticket.id: ticket for page in client.pages(None, 0.0) for ticket in page.tickets}


# Figures, small


def test_a_listing_under_constant_edits_misses_no_ticket_and_no_change() -> None:
    """An account is listed from its beginning while people edit its tickets, and from there on every ten minutes.

    A second of the beginning holds up to 250 tickets, as an import would make them. People edit every second ticket,
    and stop before the last listing: the other tickets can be missed for good.
    """
    account = FreshAccount(plan="growth", latency=0.5)
    desk, clock, dice = account.desk, account.clock, random.Random(7)
    began = clock.now() - 40 * 24 * HOURS
    while len(desk.tickets) < 400:
        began += dice.choice((1.0, 600.0))
        for _ in range(min(dice.choice((1, 2, 40, 250)), 400 - len(desk.tickets))):
            account.add(created_at=began)
    worked_on = list(desk.tickets)[::2]
    working, edits = True, 0

    def work() -> None:
        nonlocal edits
        if working:
            number = dice.choice(worked_on)
            desk.person_edit(number, priority=desk.tickets[number].json["priority"] % 4 + 1)
            edits += 1
            desk.later(desk.now() + 1.0 / 50, work)

    desk.later(clock.now(), work)
    shown: dict[int, str] = {}
    cursor: str | None = None
    for run in range(3):
        for page in account.client.pages(cursor, 0.0):
            cursor = page.cursor or cursor
            shown |= {ticket.id: ticket.updated_at for ticket in page.tickets}
        clock.advance(600.0)
        desk.settle()
        working = run < 1
    assert edits > 50_000
    assert shown == {number: ticket.stamp for number, ticket in desk.tickets.items()}
    assert max(int(item.request.query.get("page", "1")) for item in account.asked) <= 3
    assert 429 not in {item.status for item in account.asked}


@pytest.mark.parametrize("starts_at", [0.0, 59.0])
def test_credits_are_booked_as_freshdesk_counts_them_and_stay_in_our_share(tmp_path: Path, starts_at: float) -> None:
    """Of a run that begins so many seconds after a full minute; some tickets have fields, or many conversations."""
    account = FreshAccount(plan="growth", latency=0.2)
    dice = random.Random(3)
    for number in range(40):
        fields = {"custom_fields": {"cf_order_number": f"A-{number}"}} if dice.random() < 0.2 else {}
        ticket = account.add(requester_email=f"c{number % 14}@example.com", **fields)
        for _ in range(12 * (dice.random() < 0.1)):
            account.desk.customer_replies(ticket.id, "And another thing.")
    account.clock.advance(60 - account.clock.now() % 60 + starts_at)
    _run(account, tmp_path)
    account.clock.advance(600)
    account.run(tmp_path, "again", anew=tuple(account.desk.tickets)[:5])
    assert [item.what for item in account.asked if item.booked != item.credits] == []
    assert 90 <= max(account.per_minute().values()) <= PLANS["freshdesk"]["growth"]["account"] / 2
    assert 429 not in {item.status for item in account.asked}
    asked = {re.sub(r"/\d+", "/{id}", item.what) for item in account.asked}
    assert asked >= {
        "GET /tickets/{id}/conversations",
        "GET /contacts/{id}",
        "GET /ticket_fields",
        "POST /tickets/{id}/notes",
    }


# Tickets that cannot be written


@pytest.mark.parametrize(("method", "path", "notes"), [("POST", "/notes", 0), ("PUT", "/tickets/{}", 1)])
def test_a_ticket_that_becomes_spam_is_skipped_with_the_reason(
    account: FreshAccount, tmp_path: Path, method: str, path: str, notes: int
) -> None:
    number = account.add().id
    with account.before(method, path.format(number), lambda: account.desk.spam(number)):
        outcome = _run(account, tmp_path).outcomes[number]
    assert (outcome.status, outcome.reason) == (OutcomeStatus.SKIPPED, "deleted")
    assert _tags(account, number) == set()
    assert len(account.desk.bot_notes(number)) == notes  # Freshdesk lets nobody delete it there
    assert 405 in {item.status for item in account.asked}


def test_a_field_that_the_account_requires_fails_the_ticket_by_its_name_and_the_note_is_withdrawn(
    tmp_path: Path,
) -> None:
    account = FreshAccount(rules=FreshdeskRules(required_fields=("cf_order_number",)))
    number = account.add().id
    outcome = _run(account, tmp_path).outcomes[number]
    assert outcome.status is OutcomeStatus.FAILED
    assert "until its field cf_order_number is right" in outcome.reason
    assert (account.desk.bot_notes(number), _tags(account, number)) == ([], set())
    account.desk.person_edit(number, custom_fields={"cf_order_number": "A-7"})
    account.clock.advance(2 * HOURS)
    assert _run(account, tmp_path, "again").outcomes[number].status is OutcomeStatus.UPDATED
    assert len(account.desk.bot_notes(number)) == 1


def test_a_note_that_became_public_stops_everything(account: FreshAccount, monkeypatch: pytest.MonkeyPatch) -> None:
    ticket = account.client.fetch([account.add().id]).popitem()[1]
    monkeypatch.setattr(freshdesk, "note_body", lambda note: {"body": note, "private": False})
    with pytest.raises(NotePublished, match="public although it was sent as internal"):
        account.client.update(a_change(ticket.id, stamp=ticket.updated_at, tags_before=ticket.tags))


def test_wherever_a_run_dies_the_next_one_ends_with_one_note_and_the_tags_of_all(tmp_path: Path) -> None:
    died = []
    for place in itertools.count():
        account = FreshAccount()
        number = account.add(tags=("vip",)).id
        hooks: Any = (account.sandbox.on_request, account.sandbox.after_request)[place % 2]
        left = iter(range(place // 2 + 1))

        def dies(*_: object, left: Iterator[int] = left, last: int = place // 2) -> None:
            if next(left, None) == last:
                raise Crash

        hooks.append(dies)
        try:
            _run(account, tmp_path / str(place))
        except Crash:
            died.append(account.requests()[-1:])
        else:
            break
        account.desk.person_edit(number, add_tags=("callback",))
        account.clock.advance(900)
        _run(account, tmp_path / str(place), "again")
        assert len(account.desk.bot_notes(number)) == 1, died
        assert {"vip", "callback", "ai_processed"} <= _tags(account, number), died
    assert [f"PUT /tickets/{number}"] in died
    assert len(died) > 10


def test_a_ticket_that_cannot_be_read_behind_its_note_does_not_end_the_run(
    account: FreshAccount, tmp_path: Path
) -> None:
    first, second = account.add().id, account.add().id
    account.clock.advance(60)

    def breaks(request: Request, response: Response) -> None:
        if request.method == "POST" and request.path.endswith(f"/tickets/{first}/notes"):
            _faults(account, f"status:GET:/tickets/{first}$:status=500")

    account.sandbox.after_request.append(breaks)
    outcomes = _run(account, tmp_path).outcomes
    assert outcomes[second].status is OutcomeStatus.UPDATED
    assert outcomes[first].status is OutcomeStatus.FAILED
    assert outcomes[first].retry


# Long tickets


@pytest.mark.parametrize("page", [2, 30])
def test_behind_more_than_ten_conversations_our_note_is_found_and_not_sent_twice(tmp_path: Path, page: int) -> None:
    account = FreshAccount(rules=FreshdeskRules(conversations_per_page=page))
    number = account.add().id
    for _ in range(11):
        account.desk.customer_replies(number, "And another thing.")
    account.clock.advance(60)
    _faults(account, "lost-reply:POST:/notes:times=1")
    first = _run(account, tmp_path).outcomes.get(number)
    assert first is None or first.status is not OutcomeStatus.UPDATED
    assert len(account.desk.bot_notes(number)) == 1
    account.clock.advance(900)
    _run(account, tmp_path, "again")
    assert len(account.desk.bot_notes(number)) == 1
    assert "ai_processed" in _tags(account, number)


def test_a_page_of_tickets_that_is_too_long_is_read_in_smaller_ones(
    account: FreshAccount, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(freshdesk_reads, "MAX_PAGE_BYTES", 200_000)
    numbers = [account.add(text="x" * 10_000, created_at=account.clock.now() - 5000 + n).id for n in range(30)]
    assert sorted(_everything(account.client)) == numbers
    assert [item.request.query["per_page"] for item in account.asked][:3] == ["100", "10", "10"]


# What lists and views show


def test_tags_that_lists_leave_out_are_kept(tmp_path: Path) -> None:
    account = FreshAccount(rules=FreshdeskRules(tags_in_lists=False))
    number = account.add(tags=("vip",)).id
    _run(account, tmp_path)
    assert {"vip", "ai_processed"} <= _tags(account, number)
    account.clock.advance(60)
    account.requests()
    _run(account, tmp_path, "again")
    assert not [what for what in account.requests() if not what.startswith("GET")]


def test_low_is_unset_while_no_agent_has_touched_the_ticket(account: FreshAccount) -> None:
    desk = account.desk
    fresh, answered, noted, taken, chosen, asked = (account.add(priority=LOW).id for _ in range(6))
    desk.person_edit(answered, comment="I am on it.", public=True)
    desk.person_edit(noted, comment="Look at this.")
    desk.person_edit(taken, responder_id=PERSON_ID)
    desk.person_edit(chosen, priority=HIGH)
    desk.customer_replies(asked, "Hello?")
    found = account.client.fetch([fresh, answered, noted, taken, chosen, asked])
    assert {number: ticket.priority for number, ticket in found.items()} == {
        fresh: None,
        answered: Priority.LOW,
        noted: Priority.LOW,
        taken: Priority.LOW,
        chosen: Priority.HIGH,
        asked: None,
    }


def test_deleted_tickets_and_spam_are_seen_as_deleted(account: FreshAccount) -> None:
    gone, spam = account.add().id, account.add().id
    account.desk.delete(gone)
    account.desk.spam(spam)
    assert {ticket.status for ticket in account.client.fetch([gone, spam]).values()} == {"deleted"}
    assert _everything(account.client) == {}


@pytest.mark.parametrize(
    ("status", "error", "words"),
    [
        (400, CannotRun, r"Freshdesk refuses to list tickets \(HTTP 400\)"),
        (403, NotAuthorised, "may not list tickets"),
    ],
)
def test_a_list_that_is_refused_ends_the_run_in_one_sentence(
    account: FreshAccount, status: int, error: type[Exception], words: str
) -> None:
    _faults(account, f"not-json-4xx:GET:/tickets:status={status}")
    with pytest.raises(error, match=words):
        _everything(account.client)
