"""The agents' list of tickets: search, filters, sorting, pages, and the same as CSV."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from typing import get_args
from urllib.parse import urlencode

from fastapi import APIRouter, Depends
from starlette.datastructures import QueryParams
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response, StreamingResponse

from ....core.sanitize import harmless
from ....helpdesk.local_model import LocalHelpdeskError, LocalTicket, Person
from ....helpdesk.local_search import PageOfTickets, Query, Sort
from ..parts import Portal
from .accounts import PATH, Sessions
from .edits import STATUS_WORDS, Choices, Part

COLUMNS = (
    "number subject status priority category urgency sentiment escalated assignee group tags language "
    "created_at updated_at first_reply_at resolved_at closed_at"
).split()


def csv_of(pages: Iterable[Sequence[LocalTicket]], choices: Choices) -> Iterator[bytes]:
    """The file in pieces, one for each page."""
    yield b"\xef\xbb\xbf" + _lines([COLUMNS])
    for page in pages:
        yield _lines([_cells(ticket, choices) for ticket in page])


def _cells(ticket: LocalTicket, choices: Choices) -> list[object]:
    told = {
        "escalated": "yes" if ticket.escalated else "no",
        "assignee": choices.shown("assignee", str(ticket.assignee)) if ticket.assignee else "",
        "group": choices["group"].get(str(ticket.group), ""),
        "tags": " ".join(ticket.tags),
    }
    return [harmless(told.get(name, getattr(ticket, name))) for name in COLUMNS]


def _lines(rows: Iterable[Sequence[object]]) -> bytes:
    text = io.StringIO()
    csv.writer(text, lineterminator="\r\n").writerows(rows)
    return text.getvalue().encode("utf-8", "replace")


ROWS, MOST_ROWS = 25, 100
"""Tickets on a page, and on one for changing many at once."""
AGES = {"1h": 3600.0, "1d": 86_400.0, "3d": 3 * 86_400.0, "7d": 7 * 86_400.0, "30d": 30 * 86_400.0}
AGE_WORDS = {"1h": "an hour", "1d": "a day", "3d": "3 days", "7d": "a week", "30d": "30 days"}
SORT_WORDS: dict[Sort, str] = {
    "updated": "changed last",
    "created": "newest",
    "oldest": "oldest",
    "urgency": "most urgent",
}
_FILTERS: tuple[Part, ...] = ("status", "category", "urgency", "sentiment")
_AT_ONCE = 500
MOST_WORDS = 500


def routes(portal: Portal, sessions: Sessions) -> APIRouter:
    """The routes of ``/admin`` and ``/admin/tickets.csv``. Nothing here changes a ticket."""
    router = APIRouter()
    store = portal.store
    agent_here = Depends(sessions.agent)

    @router.get(PATH)
    @router.get(f"{PATH}/")
    def tickets(request: Request, agent: Person = agent_here) -> Response:
        """Show one page of what the filters let pass."""
        choices, asked = Choices.of(store), request.query_params
        query = query_of(asked, choices)
        rows = MOST_ROWS if asked.get("rows") == str(MOST_ROWS) else ROWS
        found = _page(asked.get("after"), query, rows)
        kept = [(name, value) for name, value in asked.multi_items() if value and name != "after"]
        return portal.pages.page(
            request,
            "admin/list.html",
            agent=agent,
            tickets=found.rows,
            counts=store.counts(query)["status"],
            next=urlencode([*kept, ("after", found.next_key)]) if found.next_key else "",
            here=urlencode(asked.multi_items()),
            filters=urlencode(kept),
            asked=asked,
            choices=choices,
            shown_filters=_FILTERS,
            in_use=sum(bool(asked.get(name)) for name in (*_FILTERS, "escalated", "age")),
            status_words=STATUS_WORDS,
            age_words=AGE_WORDS,
            sort_words=SORT_WORDS,
            rows=rows,
        )

    @router.get(f"{PATH}/tickets.csv", dependencies=[agent_here])
    def as_csv(request: Request) -> Response:
        """Give everything that the filters let pass, in an order that no change upsets meanwhile."""
        choices = Choices.of(store)
        query = query_of(request.query_params, choices)
        query = replace(query, sort="oldest" if query.sort == "oldest" else "created")
        headers = {"Content-Disposition": 'attachment; filename="tickets.csv"'}
        pages = _pages(query)
        return StreamingResponse(csv_of(pages, choices), headers=headers, media_type="text/csv; charset=utf-8")

    def _page(after: str | None, query: Query, rows: int) -> PageOfTickets:
        try:
            return store.search(query, after or None, rows)
        except (LocalHelpdeskError, OverflowError):
            raise HTTPException(404) from None

    def _pages(query: Query) -> Iterator[Sequence[LocalTicket]]:
        after = None
        while True:
            found = store.search(query, after, _AT_ONCE)
            yield found.rows
            after = found.next_key
            if after is None:
                return

    return router


def query_of(asked: QueryParams, choices: Choices) -> Query:
    """The query of an address; what makes no sense filters nothing."""
    chosen = {part: tuple(value for value in asked.getlist(part) if value in choices[part]) for part in _FILTERS}
    sort = asked.get("sort", "")
    return Query(
        text=asked.get("q", "")[:MOST_WORDS],
        escalated={"yes": True, "no": False}.get(asked.get("escalated", "")),
        older_than_s=AGES.get(asked.get("age", "")),
        sort=sort if sort in get_args(Sort) else "updated",  # type: ignore[arg-type]
        **chosen,  # type: ignore[arg-type]
    )
