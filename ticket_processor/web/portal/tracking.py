"""A ticket's page ``/t/{number}`` for its customer, and the part of it that is asked for again and again."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Any
from urllib.parse import quote

from fastapi import APIRouter, Query
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response

from ...core.clock import parse_iso
from ...helpdesk.local_model import REOPEN_S, LocalTicket, Status, allowed
from . import timeline
from .access import LINK_COOKIE, get_to_know, go_to, let_in, opened, path_of, seen_by
from .parts import Portal

STARS = range(1, 6)
Since = Annotated[float, Query(ge=0, le=1e11)]
Stars = Annotated[int, Query(ge=0, le=5)]


def routes(portal: Portal) -> APIRouter:
    """The page and its live part. Nothing here changes a ticket."""
    router = APIRouter(prefix="/t/{number}")

    @router.get("")
    def ticket_page(request: Request, number: str, k: str = "", stars: Stars = 0) -> Response:
        """Show the ticket; a link's secret becomes a cookie first, so that no log or history keeps it."""
        if k:
            ticket = opened(portal, request, number, k)
            answer = go_to(path_of(ticket.number) + (f"?stars={stars}#rating" if stars else ""))
            let_in(portal, answer, ticket.number)
            get_to_know(portal, answer, ticket, k)
            return answer
        ticket = seen_by(portal, request, number)
        return shown(portal, request, ticket, stars=stars)

    @router.get("/live")
    def live(request: Request, number: str, since: Since = 0.0) -> Response:
        """Give the part that changes, or say that it has not (304)."""
        ticket = seen_by(portal, request, number)
        since = min(since, portal.now())
        tag = _etag(portal, ticket, since)
        headers = {"ETag": tag, "Cache-Control": "private, no-cache"}
        if tag in request.headers.get("if-none-match", ""):
            return Response(status_code=304, headers=headers)
        return portal.pages.page(request, "live.html", headers=headers, **_live(portal, ticket, since))

    @router.get("/files/{file_id}")
    def file(request: Request, number: str, file_id: int) -> Response:
        """Give a file that came with the ticket or with a public message, to be saved and not shown."""
        ticket = seen_by(portal, request, number)
        found = next((each for each in portal.store.files(ticket.id) if each.id == file_id and each.public), None)
        if found is None:
            raise HTTPException(404)
        return saved(found.name, portal.store.content(found))

    return router


def saved(name: str, content: bytes) -> Response:
    """The answer that makes a browser save a file, whatever is in it."""
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
    """The whole page: ``notice`` says what went wrong, and what was typed is kept."""
    secret = request.cookies.get(LINK_COOKIE, "")
    link = f"{portal.settings.address.rstrip('/')}{path_of(ticket.number)}?k={quote(secret)}" if secret else ""
    return portal.pages.page(
        request,
        "ticket.html",
        status,
        notice=notice,
        typed=typed,
        solved=solved,
        link=link,
        articles=portal.suggestions(ticket.subject, ticket.description) if timeline.is_at_work(ticket) else [],
        can_reply=ticket.status not in ("closed", "spam"),
        **_live(portal, ticket, portal.now(), stars=stars, comment=comment),
    )


def may_become(portal: Portal, ticket: LocalTicket) -> Sequence[Status]:
    """The statuses that the customer may give the ticket now."""
    ended = ticket.resolved_at if ticket.status == "resolved" else None
    is_late = ended is not None and portal.now() - parse_iso(ended) > REOPEN_S
    return () if is_late else allowed(ticket.status, "customer")


def _live(portal: Portal, ticket: LocalTicket, since: float, *, stars: int = 0, comment: str = "") -> dict[str, Any]:
    rating = portal.store.rating(ticket.id)
    events = portal.store.events(ticket.id)
    alert = timeline.needs_alert(ticket, events)
    files = [each for each in portal.store.files(ticket.id) if each.public]
    return {
        "ticket": ticket,
        "path": path_of(ticket.number),
        "status_words": timeline.status_words(ticket, alert=alert),
        "badges": timeline.badges(ticket) if portal.settings.show_triage else [],
        "steps": timeline.steps(ticket, events),
        "alert": alert,
        "messages": portal.store.messages(ticket.id, public_only=True),
        "files": [each for each in files if each.message_id is None],
        "files_of": {each.message_id: [one for one in files if one.message_id == each.message_id] for each in files},
        "may": may_become(portal, ticket),
        "may_rate": ticket.status in ("resolved", "closed"),
        "rating": rating,
        "stars": stars or (rating.stars if rating else 0),
        "comment": comment or (rating.comment if rating else ""),
        "etag": _etag(portal, ticket, since),
        "since": int(since),
        "every": timeline.asks_every(ticket, since, portal.now()),
    }


def _etag(portal: Portal, ticket: LocalTicket, since: float) -> str:
    return f'"{ticket.version}-{timeline.asks_every(ticket, since, portal.now())}"'
