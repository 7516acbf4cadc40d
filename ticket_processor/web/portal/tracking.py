"""A ticket's page ``/t/{number}`` for its customer: status, steps, and the forms on it.

The customer answers the ticket, says that it is solved, opens it again, rates it. Each is a POST.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Annotated, Any, Literal
from urllib.parse import quote

from fastapi import APIRouter, Form
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response

from ...core.clock import parse_iso
from ...core.text import strip_hidden
from ...helpdesk.local_model import (
    MAX_COMMENT,
    Actor,
    Event,
    IllegalTransition,
    LocalHelpdeskError,
    LocalTicket,
    Status,
    allowed_now,
)
from .form import MOST_DESCRIPTION, Files, Text, files_in
from .parts import LINK_COOKIE, Portal, address_of, go_to, let_in, opened, path_of, seen_by, too_many

STATUS_WORDS: dict[Status, str] = {
    "open": "Open",
    "in_progress": "In progress",
    "escalated": "Escalated",
    "waiting": "Waiting for you",
    "resolved": "Resolved",
    "closed": "Closed",
    "spam": "Closed",
}
_OVER: tuple[Status, ...] = ("resolved", "closed", "spam")
_SOON_S, _POLL_SOON_S, _POLL_LATER_S = 120.0, 3, 60
"""A page asks for news every few seconds for two minutes after a change, since triage takes seconds; then every minute.
"""
State = Literal["done", "now", "todo"]


@dataclass(frozen=True)
class TimelineStep:
    """One step in a ticket's progress; ``at`` is when it was reached, if it was."""

    words: str
    at: str | None
    state: State


def needs_alert(ticket: LocalTicket, events: Sequence[Event]) -> bool:
    """True if the ticket was escalated and no agent has written to the customer since."""
    if ticket.status == "escalated" or not ticket.escalated or ticket.status in _OVER:
        return ticket.status == "escalated"
    since = _escalated_at(events) or ""
    answers = (event for event in events if (event.field, event.reason) == ("message", "public"))
    return not any(event.actor.kind == "agent" and event.at > since for event in answers)


def status_words(ticket: LocalTicket, *, alert: bool) -> str:
    """The ticket's status as its customer reads it."""
    shown: Status = "escalated" if alert and ticket.status in ("open", "in_progress") else ticket.status
    return STATUS_WORDS[shown]


def steps(ticket: LocalTicket, events: Sequence[Event]) -> list[TimelineStep]:
    """The ticket's progress: submitted, understood, escalated if it was, answered, resolved."""
    understood = _first(events, lambda event: event.actor.kind == "ai" and event.field in ("tag", "priority"))
    escalated = _escalated_at(events)
    is_over = ticket.status in _OVER
    ended = (ticket.resolved_at or ticket.closed_at or ticket.updated_at) if is_over else None
    made: list[tuple[str, str | None]] = [("Submitted", ticket.created_at)]
    if understood or not (is_over or ticket.first_reply_at):
        made.append(("Understood and sorted", understood))
    if escalated:
        made.append(("Escalated to a person", escalated))
    if ticket.first_reply_at or not is_over:
        made.append(("Answered", ticket.first_reply_at))
    made.append(("Resolved" if ticket.status != "spam" else "Closed", ended))
    following = next((number for number, (_, at) in enumerate(made) if at is None), None)
    return [
        TimelineStep(words, at, "done" if at else "now" if number == following else "todo")
        for number, (words, at) in enumerate(made)
    ]


def asks_every(ticket: LocalTicket, now: float) -> int | None:
    """Seconds until a page asks for news again; ``None`` if there will be no news."""
    if ticket.status in ("closed", "spam"):
        return None
    return _POLL_SOON_S if now - parse_iso(ticket.updated_at) < _SOON_S else _POLL_LATER_S


def _escalated_at(events: Sequence[Event]) -> str | None:
    return _first(events, _escalates)


def _escalates(event: Event) -> bool:
    by_tag = event.field == "tag" and (event.new or "").endswith("escalated")
    return by_tag or (event.field, event.new) == ("status", "escalated")


def escalations(events: Sequence[Event]) -> list[str]:
    """The AI's reasons of each escalation, oldest first."""
    return [event.reason for event in events if event.actor.kind == "ai" and _escalates(event)]


def _first(events: Sequence[Event], fits: Callable[[Event], bool]) -> str | None:
    return next((event.at for event in events if fits(event)), None)


STARS = range(1, 6)
Number = Annotated[int, Form()]
_NOT_ANY_MORE = "The ticket's status does not allow this any more."


def routes(portal: Portal) -> APIRouter:
    """The page and its live part, and the forms on it."""
    router = APIRouter(prefix="/t/{number}")

    @router.get("")
    def ticket_page(request: Request, number: str, k: str = "") -> Response:
        """Show the ticket; a link's secret is first exchanged for a cookie, so that no log or history keeps it."""
        if k:
            ticket = opened(portal, request, number, k)
            answer = go_to(path_of(ticket.number))
            let_in(portal, answer, ticket.number)
            return answer
        return shown(portal, request, seen_by(portal, request, number))

    @router.get("/live")
    def live(request: Request, number: str) -> Response:
        ticket = seen_by(portal, request, number)
        tag = _etag(portal, ticket)
        headers = {"ETag": tag, "Cache-Control": "private, no-cache"}
        if tag in request.headers.get("if-none-match", ""):
            return Response(status_code=304, headers=headers)
        return portal.page(request, "live.html", headers=headers, **_live(portal, ticket))

    @router.get("/files/{file_id}")
    def file(request: Request, number: str, file_id: int) -> Response:
        """Send a file of the ticket or of a public message; the browser saves it and does not show it."""
        ticket = seen_by(portal, request, number)
        found = next((each for each in portal.store.files(ticket.id) if each.id == file_id and each.public), None)
        if found is None:
            raise HTTPException(404)
        return saved(found.name, portal.store.content(found))

    @router.post("/reply")
    def reply(
        request: Request, number: str, body: Text = "", solved: Text = "", form_token: Text = "", files: Files = None
    ) -> Response:
        """Store the customer's message and its files.

        The message reopens a resolved ticket, unless the customer says that it is ``solved``.
        """
        ticket = admitted(request, number, form_token)
        text = strip_hidden(body).strip()
        sent, wrong = files_in(files)
        if not text or len(text) > MOST_DESCRIPTION:
            wrong = f"Use at most {MOST_DESCRIPTION:,} characters." if text else "Write something first."
        if wrong:
            return shown(portal, request, ticket, 422, notice=wrong, typed=text, solved=solved)
        if wait_s := portal.files.take(address_of(request), len(sent)):
            return shown(portal, request, ticket, 429, notice=too_many(wait_s).detail, typed=text, solved=solved)
        try:
            portal.store.reply(
                ticket.id,
                _customer(ticket),
                text,
                public=True,
                now=portal.now(),
                files=sent,
                form=portal.forms.name(request, form_token),
                reopens=solved != "yes",
            )
        except LocalHelpdeskError as error:
            return shown(portal, request, ticket, 409, notice=_words(error), typed=text, solved=solved)
        portal.notify(ticket.id)
        return go_to(f"{path_of(number)}#conversation")

    @router.post("/solved")
    def solved(request: Request, number: str, form_token: Text = "") -> Response:
        return change(request, number, form_token, "resolved", "#rating")

    @router.post("/reopen")
    def reopen(request: Request, number: str, form_token: Text = "") -> Response:
        return change(request, number, form_token, "open", "")

    @router.post("/rating")
    def rating(request: Request, number: str, stars: Number = 0, comment: Text = "", form_token: Text = "") -> Response:
        ticket = admitted(request, number, form_token)
        text = strip_hidden(comment).strip()
        if stars not in STARS or len(text) > MAX_COMMENT:
            words = "Choose one to five stars." if stars not in STARS else f"Use at most {MAX_COMMENT:,} characters."
            return shown(portal, request, ticket, 422, notice=words, stars=max(0, min(5, stars)), comment=text)
        try:
            portal.store.rate(ticket.id, stars, text, portal.now())
        except LocalHelpdeskError as error:
            return shown(portal, request, ticket, 409, notice=_words(error), stars=stars, comment=text)
        return go_to(f"{path_of(number)}#rating")

    def admitted(request: Request, number: str, form_token: str) -> LocalTicket:
        ticket = seen_by(portal, request, number)
        portal.forms.check(request, form_token)
        if wait_s := portal.acts.take(f"{ticket.id}"):
            raise too_many(wait_s)
        return ticket

    def change(request: Request, number: str, form_token: str, status: Status, then: str) -> Response:
        ticket = admitted(request, number, form_token)
        if ticket.status != status:  # else it was sent twice
            try:
                portal.store.change(ticket.id, _customer(ticket), version=None, now=portal.now(), status=status)
            except LocalHelpdeskError as error:
                return shown(portal, request, ticket, 409, notice=_words(error))
            if status == "open":
                portal.notify(ticket.id)
        return go_to(path_of(number) + then)

    return router


def saved(name: str, content: bytes) -> Response:
    """A response that makes a browser save the file, whatever its type."""
    disposition = f"attachment; filename*=UTF-8''{quote(name, safe='')}"
    return Response(content, headers={"Content-Disposition": disposition}, media_type="application/octet-stream")


def shown(
    portal: Portal,
    request: Request,
    ticket: LocalTicket,
    status: int = 200,
    *,
    notice: str = "",
    typed: str = "",
    solved: str = "",
    stars: int = 0,
    comment: str = "",
) -> Response:
    """The ticket's page; ``notice`` says what went wrong, and the form keeps what was typed."""
    secret = request.cookies.get(LINK_COOKIE, "")
    link = f"{portal.address}{path_of(ticket.number)}?k={quote(secret)}" if secret else ""
    return portal.page(
        request,
        "ticket.html",
        status,
        notice=notice,
        typed=typed,
        solved=solved,
        link=link,
        can_reply=ticket.status not in ("closed", "spam"),
        **_live(portal, ticket, stars=stars, comment=comment),
    )


def _live(portal: Portal, ticket: LocalTicket, *, stars: int = 0, comment: str = "") -> dict[str, Any]:
    rating = portal.store.rating(ticket.id)
    events = portal.store.events(ticket.id)
    alert = needs_alert(ticket, events)
    files = [each for each in portal.store.files(ticket.id) if each.public]
    return {
        "ticket": ticket,
        "path": path_of(ticket.number),
        "status_words": status_words(ticket, alert=alert),
        "steps": steps(ticket, events),
        "alert": alert,
        "messages": portal.store.messages(ticket.id, public_only=True),
        "files": [each for each in files if each.message_id is None],
        "files_of": {each.message_id: [one for one in files if one.message_id == each.message_id] for each in files},
        "may": allowed_now(ticket, "customer", portal.now()),
        "may_rate": ticket.status in ("resolved", "closed"),
        "rating": rating,
        "stars": stars or (rating.stars if rating else 0),
        "comment": comment or (rating.comment if rating else ""),
        "etag": _etag(portal, ticket),
        "every": asks_every(ticket, portal.now()),
    }


def _etag(portal: Portal, ticket: LocalTicket) -> str:
    return f'"{ticket.version}-{asks_every(ticket, portal.now())}"'


def _customer(ticket: LocalTicket) -> Actor:
    return Actor("customer", ticket.requester)


def _words(error: LocalHelpdeskError) -> str:
    return _NOT_ANY_MORE if isinstance(error, IllegalTransition) else f"{str(error)[:1].upper()}{str(error)[1:]}."
