"""The agents' list of tickets: search, filters, sorting, pages and CSV; and changes of many tickets at once.

Each of these changes is guarded by its ticket's version, and can be undone.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import get_args
from urllib.parse import urlencode

from fastapi import APIRouter, Depends
from pydantic import ConfigDict, Field, ValidationError
from starlette.datastructures import QueryParams
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response, StreamingResponse

from ...core.errors import HelpdeskDown
from ...core.models import Frozen
from ...core.text import harmless
from ...helpdesk.local_model import UNDONE, Actor, LocalHelpdeskError, LocalTicket, Person, Query, Sort, Stale
from ...helpdesk.local_store import LocalStore
from .agent_accounts import PATH, Sessions
from .agent_ticket import (
    PARTS,
    STATUS_WORDS,
    AgentEdit,
    Choices,
    NotAChoice,
    Part,
    apply,
    as_tags,
    in_words,
    restoring,
)
from .form import Fields, Text
from .parts import Portal

COLUMNS = (
    "number subject status priority category urgency sentiment escalated assignee group tags "
    "created_at updated_at first_reply_at resolved_at closed_at"
).split()


def csv_of(store: LocalStore, query: Query, choices: Choices) -> Iterator[bytes]:
    """The CSV file in pieces, one for each page of the search."""
    yield b"\xef\xbb\xbf" + _lines([COLUMNS])
    after: str | None = ""
    while after is not None:
        found = store.search(query, after or None, _AT_ONCE)
        yield _lines([_cells(ticket, choices) for ticket in found.rows])
        after = found.next_key


def _cells(ticket: LocalTicket, choices: Choices) -> list[object]:
    shown = {
        "escalated": "yes" if ticket.escalated else "no",
        "assignee": choices.shown("assignee", str(ticket.assignee)) if ticket.assignee else "",
        "group": choices["group"].get(str(ticket.group), ""),
        "tags": " ".join(ticket.tags),
    }
    return [harmless(shown.get(name, getattr(ticket, name))) for name in COLUMNS]


def _lines(rows: Iterable[Sequence[object]]) -> bytes:
    text = io.StringIO()
    csv.writer(text, lineterminator="\r\n").writerows(rows)
    return text.getvalue().encode("utf-8", "replace")


ROWS, MOST_ROWS = 25, 100
"""Tickets on a page, and maximum number of tickets that may be changed at once."""
SORT_WORDS: dict[Sort, str] = {
    "updated": "changed last",
    "created": "newest",
    "oldest": "oldest",
    "urgency": "most urgent",
}
_FILTERS: tuple[Part, ...] = ("status", "category", "urgency", "sentiment")
_AT_ONCE = 500
MOST_WORDS = 500
NONE = "-"
"""What a form sends for "none"; an empty value leaves the part unchanged."""
CHANGED = "Another person changed it meanwhile, so it was left alone."


class OneTicketEdit(Frozen):
    """An edit of one ticket, for the ticket's ``version``."""

    model_config = ConfigDict(extra="forbid")

    id: int = Field(ge=1, lt=2**63)
    version: int = Field(ge=1, lt=2**63)
    edit: AgentEdit


@dataclass(frozen=True)
class BulkOutcome:
    """The result for one ticket: the edit that undoes the change, or why it was not changed."""

    ticket: LocalTicket
    undo: OneTicketEdit | None = None
    why_not: str = ""


def routes(portal: Portal, sessions: Sessions) -> APIRouter:
    """The routes of ``/admin``, ``/admin/tickets.csv`` and ``/admin/bulk``."""
    router = APIRouter()
    store = portal.store
    agent_here, checked = Depends(sessions.agent), [Depends(sessions.agent), Depends(sessions.form)]

    @router.get(PATH)
    @router.get(f"{PATH}/")
    def tickets(request: Request, agent: Person = agent_here) -> Response:
        choices, asked = Choices.of(store), request.query_params
        query = query_of(asked, choices)
        try:
            found = store.search(query, asked.get("after") or None, ROWS)
        except (LocalHelpdeskError, OverflowError):
            raise HTTPException(404) from None
        kept = [(name, value) for name, value in asked.multi_items() if value and name != "after"]
        return portal.page(
            request,
            "admin/list.html",
            agent=agent,
            tickets=found.rows,
            counts=store.counts(query),
            next=urlencode([*kept, ("after", found.next_key)]) if found.next_key else "",
            here=urlencode(asked.multi_items()),
            filters=urlencode(kept),
            asked=asked,
            choices=choices,
            shown_filters=_FILTERS,
            in_use=sum(bool(asked.get(name)) for name in (*_FILTERS, "escalated")),
            status_words=STATUS_WORDS,
            sort_words=SORT_WORDS,
        )

    @router.get(f"{PATH}/tickets.csv", dependencies=[agent_here])
    def as_csv(request: Request) -> Response:
        """Send all tickets that pass the filters, in an order that changes meanwhile do not affect."""
        choices = Choices.of(store)
        query = query_of(request.query_params, choices)
        query = replace(query, sort="oldest" if query.sort == "oldest" else "created")
        headers = {"Content-Disposition": 'attachment; filename="tickets.csv"'}
        return StreamingResponse(csv_of(store, query, choices), headers=headers, media_type="text/csv; charset=utf-8")

    @router.post(f"{PATH}/bulk", dependencies=checked)
    def bulk(request: Request, fields: Fields, back: Text = "", agent: Person = agent_here) -> Response:
        sent = {part: str(fields.get(part, "")) for part in PARTS}
        edit = AgentEdit(
            values={part: "" if value == NONE else value for part, value in sent.items() if value},
            add=as_tags(str(fields.get("add", ""))),
            remove=as_tags(str(fields.get("remove", ""))),
        )
        chosen = [_chosen(str(value), edit) for value in fields.getlist("ticket")]
        if not edit or not chosen:
            raise HTTPException(422, "Choose tickets, and what to change on them.")
        try:
            Choices.of(store).check(edit, in_bulk=True)
        except NotAChoice as error:
            raise HTTPException(422, str(error)) from None
        return done(request, agent, chosen, back, "")

    @router.post(f"{PATH}/bulk/undo", dependencies=checked)
    def undo(request: Request, fields: Fields, back: Text = "", agent: Person = agent_here) -> Response:
        """Undo a change of many tickets, except on those that were changed since."""
        try:
            chosen = [OneTicketEdit.model_validate_json(str(value)) for value in fields.getlist("undo")]
        except ValidationError:
            raise HTTPException(422) from None
        return done(request, agent, chosen, back, UNDONE)

    def done(request: Request, agent: Person, chosen: Sequence[OneTicketEdit], back: str, reason: str) -> Response:
        if len(chosen) > MOST_ROWS:
            raise HTTPException(422, f"Change at most {MOST_ROWS} tickets at once.")
        choices = Choices.of(store)
        outcomes = [found for one in chosen if (found := outcome(agent, one, reason, choices)) is not None]
        return portal.page(
            request,
            "admin/bulk.html",
            agent=agent,
            changed=[one for one in outcomes if one.undo],
            left=[one for one in outcomes if one.why_not],
            back=back,
            is_undo=bool(reason),
        )

    def outcome(agent: Person, wanted: OneTicketEdit, reason: str, choices: Choices) -> BulkOutcome | None:
        before = store.ticket(wanted.id)
        if before is None:
            return None
        try:
            choices.check(wanted.edit, in_bulk=True)
            after = apply(store, Actor("agent", agent.id), wanted.id, wanted.version, wanted.edit, portal.now(), reason)
        except Stale as stale:
            return BulkOutcome(stale.current, why_not=CHANGED)
        except LocalHelpdeskError as error:
            return BulkOutcome(before, why_not=in_words(error))
        except NotAChoice as error:  # such as a ticket that belonged to a former agent
            return BulkOutcome(before, why_not=str(error))
        except HelpdeskDown:  # tickets that were changed before can still be undone
            return BulkOutcome(before, why_not="It could not be stored.")
        if after.version == before.version:
            return BulkOutcome(before, why_not="It was so already.")
        return BulkOutcome(after, OneTicketEdit(id=after.id, version=after.version, edit=restoring(before, after)))

    return router


def query_of(asked: QueryParams, choices: Choices) -> Query:
    """The query in a URL; invalid values are ignored."""
    chosen = {part: tuple(value for value in asked.getlist(part) if value in choices[part]) for part in _FILTERS}
    sort = asked.get("sort", "")
    return Query(
        text=asked.get("q", "")[:MOST_WORDS],
        escalated={"yes": True, "no": False}.get(asked.get("escalated", "")),
        sort=sort if sort in get_args(Sort) else "updated",  # type: ignore[arg-type]
        **chosen,  # type: ignore[arg-type]
    )


def _chosen(value: str, edit: AgentEdit) -> OneTicketEdit:
    number, _, version = value.partition(":")
    try:
        return OneTicketEdit(id=int(number), version=int(version), edit=edit)
    except ValueError:
        raise HTTPException(422) from None
