from __future__ import annotations

from pathlib import Path

import pytest

from ticket_processor.helpdesk.local_model import Actor, LocalHelpdeskError, NewTicket, Query, Sort
from ticket_processor.helpdesk.local_store import LocalStore

NOW = 1_800_000_000.0
AGENT = Actor("agent")


@pytest.fixture
def store(tmp_path: Path) -> LocalStore:
    return LocalStore(tmp_path / "helpdesk.sqlite3")


def added(store: LocalStore, text: str, *tags: str, now: float = NOW, email: str = "ann@example.com") -> int:
    return store.create(NewTicket("Subject", text, email, tags=tags), now).id


def found(store: LocalStore, text: str) -> list[int]:
    return [ticket.id for ticket in store.search(Query(text=text)).rows]


@pytest.mark.parametrize(
    ("text", "asked"),
    [
        ("Ma carte a été débitée deux fois", "debitee carte"),
        ("二重に請求されました。返金してください", "返金"),
        ("ฉันไม่สามารถเข้าสู่ระบบได้", "เข้าสู่ระบบ"),
        ("Не приходит счёт", "счёт"),
        ("Order ABC-1234 is missing", "abc-12"),
        ('He said "refund" AND (nothing) NEAR me*', '"refund" AND (nothing'),
    ],
)
def test_words_are_found_in_any_script_and_whatever_signs_stand_around_them(
    store: LocalStore, text: str, asked: str
) -> None:
    added(store, "Something else: 金返 refunds-free")
    wanted = added(store, text)

    assert found(store, asked) == [wanted]


@pytest.mark.parametrize(
    ("sort", "order"),
    [("updated", [1, 4, 3, 2]), ("created", [4, 3, 2, 1]), ("oldest", [1, 2, 3, 4]), ("urgency", [3, 1, 4, 2])],
)
def test_pages_show_every_ticket_once_in_each_order_though_tickets_arrive_meanwhile(
    store: LocalStore, sort: Sort, order: list[int]
) -> None:
    for number, tags in enumerate([["ai_urgency_low"], [], ["ai_urgency_critical"], []]):
        added(store, f"no. {number}", *tags, now=NOW - 1000 + number)
    store.change(1, AGENT, version=1, now=NOW - 500, tags_add=["x"])

    seen: list[int] = []
    after: str | None = None
    while True:
        page = store.search(Query(sort=sort), after, limit=1)
        seen += [ticket.id for ticket in page.rows if ticket.id <= 4]
        if len(seen) == 1:
            added(store, "newcomer", now=NOW)
        after = page.next_key
        if after is None:
            break

    assert seen == order


def test_a_page_that_nobody_was_given_is_refused(store: LocalStore) -> None:
    for after in ("", "x", "[]", "[1]", '["a",{}]', f'["a",{2**63}]', '["a","b","c","d"]'):
        with pytest.raises(LocalHelpdeskError, match="no such page"):
            store.search(Query(), after)
