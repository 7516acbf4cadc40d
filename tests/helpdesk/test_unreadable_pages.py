"""A page that one row makes unreadable: the row is named and passed, and all others are read."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import pytest

from ticket_processor.core.errors import HelpdeskDown
from ticket_processor.helpdesk.http_messages import PageSize, page_of, parsed_json
from ticket_processor.helpdesk.protocol import Helpdesk
from ticket_processor.sandbox.messages import LOGIN_PAGE, Request, Response

from ..imitation import FaultPlan
from ..imitation.faults import BROKEN
from ..support.fakes import START
from ..support.freshdesk_account import FreshAccount
from .test_zendesk import Account

POISON = b'"POISON"'
LISTS = re.compile(r"/incremental|/search/export|/api/v2/tickets$")
NO_JSON = sorted(set(BROKEN) - {"no-escape", "latin-1", "control", "not-a-number"})


class Listed:
    """An account with some tickets, a few of them with a subject that is no JSON, and what a client reads of it."""

    def __init__(self, kind: str, tickets: int, poison: set[int], how: str) -> None:
        """``poison`` are places in the list."""
        self.requests: list[Request] = []
        self.how = how
        if kind == "freshdesk":
            account = FreshAccount()
            self.numbers = [
                account.desk.create(
                    subject="POISON" if place in poison else "Broken",
                    body="It does not work.",
                    source=2,
                    created_at=account.clock.now() - 5000 + place,
                ).id
                for place in range(tickets)
            ]
            self.desk: Helpdesk = account.client
            self.sandbox = account.sandbox
        else:
            zendesk = Account(bot_role="agent" if kind == "search" else "admin")
            self.numbers = [
                zendesk.add(age=7200 - place, subject="POISON" if place in poison else "Broken")
                for place in range(tickets)
            ]
            self.desk, self.sandbox = zendesk.desk, zendesk.sandbox
        self.poisoned = {self.numbers[place] for place in poison}
        self.sandbox.after_request.append(self._spoil)

    def _spoil(self, request: Request, response: Response) -> None:
        self.requests.append(request)
        if POISON in response.body and self.how == "login-page":
            response.body, response.headers["Content-Type"] = LOGIN_PAGE.encode(), "text/html"
        response.body = response.body.replace(POISON, BROKEN[self.how])

    def read(self) -> tuple[set[int], set[int]]:
        """The tickets of all pages, and those that were named as unreadable."""
        found: set[int] = set()
        unread: set[int] = set()
        for page in self.desk.pages(None, START - 86_400):
            found.update(ticket.id for ticket in page.tickets)
            unread.update(page.unread)
        return found, unread

    @property
    def lists(self) -> int:
        return sum(bool(LISTS.search(request.path)) for request in self.requests)


KINDS = ("export", "search", "freshdesk")


@pytest.mark.parametrize("how", ["no-escape", "latin-1", "control", "not-a-number"])
@pytest.mark.parametrize("kind", KINDS)
def test_a_text_that_breaks_the_rules_of_json_a_little_is_read_all_the_same(kind: str, how: str) -> None:
    listed = Listed(kind, 3, {1}, how)
    assert listed.read() == (set(listed.numbers), set())
    assert listed.lists == Listed(kind, 3, set(), how).lists or listed.lists <= 3


@pytest.mark.parametrize(
    ("tickets", "poison"),
    [
        *((100, (place,)) for place in (0, 1, 49, 98, 99)),
        *((30, places) for places in ((0, 1, 2), (3, 4, 11), range(0, 30, 2), range(12))),
    ],
    ids=str,
)
@pytest.mark.parametrize("kind", KINDS)
def test_rows_that_are_no_json_are_named_and_all_others_are_read(
    kind: str, tickets: int, poison: Sequence[int]
) -> None:
    listed = Listed(kind, tickets, set(poison), "cut")
    assert listed.read() == (set(listed.numbers) - listed.poisoned, listed.poisoned)
    assert len(poison) > 1 or listed.lists <= 50, "not row by row"


@pytest.mark.parametrize("kind", KINDS)
def test_the_next_listing_does_not_stop_at_the_same_row(kind: str) -> None:
    listed = Listed(kind, 5, {4}, "cut")
    pages = list(listed.desk.pages(None, START - 86_400))
    assert pages[-1].cursor is not None
    listed.requests.clear()
    again = list(listed.desk.pages(pages[-1].cursor, START - 86_400))
    if kind != "search":  # which looks a while back
        assert [(page.tickets, page.unread) for page in again if page.tickets or page.unread] == []
        assert listed.lists == 1 or kind == "freshdesk"


@pytest.mark.parametrize("kind", ["export", "freshdesk"])
@pytest.mark.parametrize("place", [0, 3])
def test_a_row_for_which_a_filter_shows_its_own_page_keeps_no_other_from_being_read(kind: str, place: int) -> None:
    listed = Listed(kind, 8, {place}, "login-page")
    read: set[int] = set()
    said = ""
    try:
        for page in listed.desk.pages(None, START - 86_400):
            read.update(ticket.id for ticket in page.tickets)
    except HelpdeskDown as error:
        said = str(error)
    if kind == "freshdesk":
        assert (read, said) == (set(listed.numbers) - listed.poisoned, "")
        where = f"row 4 of 8, behind ticket {listed.numbers[2]}" if place else "row 1 of 8"
        assert listed.desk.troubles == [  # type: ignore[attr-defined]
            f"Freshdesk showed rows without a ticket's number, which were passed over: {where}"
        ]
    else:
        before = f"behind ticket {listed.numbers[place - 1]}" if place else "with which the export begins"
        assert f"the row {before} can be neither read nor passed" in said
        assert read >= set(listed.numbers[:place])


@pytest.mark.parametrize("kind", KINDS)
def test_a_page_of_a_proxy_for_everything_means_that_the_helpdesk_is_down(kind: str) -> None:
    listed = Listed(kind, 5, set(), "cut")
    listed.sandbox.faults = FaultPlan.parse("html")
    with pytest.raises(HelpdeskDown, match="HTML"):
        list(listed.desk.pages(None, START - 86_400))
    assert len(listed.requests) <= 14


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("status", [401, 403, 500])
def test_a_refusal_while_the_row_is_looked_for_is_everybodys(kind: str, status: int) -> None:
    listed = Listed(kind, 20, {7}, "cut")
    listed.sandbox.faults = FaultPlan.parse(f"status:GET:after=3:status={status}")
    with pytest.raises(Exception, match=f"HTTP {status}"):
        list(listed.desk.pages(None, START - 86_400))
    assert len(listed.requests) < 20


def _asked(size: PageSize, readable: Callable[[int, int], bool], rows: int) -> Iterator[int]:
    at = 0
    while at < rows:
        yield size.now
        if readable(at, at + size.now):
            at += size.now
            size.read()
        elif size.now == 1:
            at += 1
            size.passed()
        else:
            size.unreadable()


def test_the_parts_double_until_they_hold_the_row_and_then_halve() -> None:
    size = PageSize(100)
    parts = list(_asked(size, lambda begin, end: not begin <= 20 < end, 100))
    assert parts == [100, 1, 2, 4, 8, 16, 8, 4, 2, 1, 1, 1, 2, 4, 8, 16, 32, 64]


@pytest.mark.parametrize("words", ['"id":99,', '\\",\\"id\\":99,\\"', '"after_cursor":"forged"'])
def test_nothing_that_a_customer_wrote_names_a_row_or_a_place(words: str) -> None:
    told = words if "\\" in words else words.replace('"', '\\"')
    page: Any = page_of(
        b'{"tickets":[{"url":"https://x/api/v2/tickets/7.json","id":7,"subject":"%b cut,"created_at":"x"}],'
        b'"after_cursor":"MTI=","end_of_stream":false}' % told.encode(),
        "tickets",
    )
    assert (page["tickets"], page["after_cursor"], page["end_of_stream"]) == ([{"id": 7}], "MTI=", False)


@pytest.mark.parametrize(
    ("content", "value"),
    [
        (b'\xef\xbb\xbf{"a":1}', {"a": 1}),
        (rb'["\ud83d\ude00 \ud83d \\x"]', ["😀 \N{REPLACEMENT CHARACTER} \\x"]),
        (rb'["\udc00 \\ud83d"]', ["\N{REPLACEMENT CHARACTER} \\ud83d"]),
        (rb'["\x41 \u12G4"]', ["\N{REPLACEMENT CHARACTER}x41 \N{REPLACEMENT CHARACTER}u12G4"]),
        (b'["\xff\x00\n"]', ["\N{REPLACEMENT CHARACTER}\x00\n"]),
        (b"[Infinity,-Infinity,NaN]", ["Infinity", "-Infinity", "NaN"]),
        (b'["a', None),
        (b"[" * 100_000, None),
    ],
)
def test_json_is_read_leniently_where_that_changes_nothing_else(content: bytes, value: object) -> None:
    assert parsed_json(content, 10**9) == value
