"""What a customer may do with a ticket: answer it, say that it is solved, open it again, rate it. Each is a POST."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated

from fastapi import APIRouter, Form
from starlette.requests import Request
from starlette.responses import Response

from ...core.sanitize import strip_hidden
from ...helpdesk.local_model import (
    MAX_COMMENT,
    Actor,
    IllegalTransition,
    LocalHelpdeskError,
    LocalTicket,
    NewFile,
    Stale,
    Status,
)
from .access import counted_as, go_to, path_of, seen_by
from .form import MOST_DESCRIPTION, Files, Text, files_in
from .parts import Portal, too_many
from .tracking import STARS, has_news, may_become, shown

Number = Annotated[int, Form()]
TRIES = 5
"""Where others write to the ticket at the same moment."""
_CHANGED = "The ticket has changed since you opened this page. Look at what is new, then try again."
_NOT_ANY_MORE = "The ticket's status does not allow this any more."


def routes(portal: Portal) -> APIRouter:
    """The forms on a ticket's page."""
    router = APIRouter(prefix="/t/{number}")

    @router.post("/reply")
    def reply(
        request: Request, number: str, body: Text = "", solved: Text = "", form_token: Text = "", files: Files = None
    ) -> Response:
        """Store the customer's words, and the files that came with them.

        A resolved ticket is opened again, unless the customer says that it is ``solved``.
        """
        ticket = admitted(request, number, form_token)
        text = strip_hidden(body).strip()
        sent, wrong = files_in(files)
        if not text or len(text) > MOST_DESCRIPTION:
            wrong = f"Use at most {MOST_DESCRIPTION:,} characters." if text else "Write something first."
        if wrong:
            return shown(portal, request, ticket, 422, notice=wrong, typed=text, solved=solved)
        if wait_s := portal.files_by_address.take(counted_as(portal, request), len(sent)):
            raise too_many(wait_s)
        try:
            say(ticket, text, sent, portal.forms.name(request, form_token), reopens=solved != "yes")
        except LocalHelpdeskError as error:
            return shown(portal, request, ticket, 409, notice=_words(error), typed=text, solved=solved)
        portal.told(ticket.id)
        return go_to(f"{path_of(number)}#conversation")

    @router.post("/solved")
    def solved(request: Request, number: str, version: Number = 0, form_token: Text = "") -> Response:
        """Store that the customer has what was asked for."""
        return change(request, number, form_token, version, "resolved", "#rating")

    @router.post("/reopen")
    def reopen(request: Request, number: str, version: Number = 0, form_token: Text = "") -> Response:
        """Open the ticket again."""
        return change(request, number, form_token, version, "open", "")

    @router.post("/rating")
    def rating(request: Request, number: str, stars: Number = 0, comment: Text = "", form_token: Text = "") -> Response:
        """Store how content the customer is."""
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

    def say(ticket: LocalTicket, text: str, files: Sequence[NewFile], form: str, *, reopens: bool) -> None:
        for _ in range(TRIES):
            is_over = ticket.status == "resolved" and "open" in may_become(portal, ticket)
            try:
                portal.store.reply(
                    ticket.id,
                    _customer(ticket),
                    text,
                    public=True,
                    files=files,
                    version=ticket.version,
                    status="open" if is_over and reopens else None,
                    now=portal.now(),
                    form=form,
                )
                return
            except Stale as stale:
                ticket = stale.current
        raise Stale(ticket)

    def change(request: Request, number: str, form_token: str, version: int, status: Status, then: str) -> Response:
        ticket = admitted(request, number, form_token)
        if ticket.status == status:  # sent twice
            return go_to(path_of(number) + then)
        try:
            set_status(ticket, version, status)
        except LocalHelpdeskError as error:
            current = portal.store.ticket(ticket.id) or ticket
            return shown(portal, request, current, 409, notice=_words(error))
        if status == "open":
            portal.told(ticket.id)
        return go_to(path_of(number) + then)

    def set_status(ticket: LocalTicket, version: int, status: Status) -> None:
        for _ in range(TRIES):
            try:
                portal.store.change(ticket.id, _customer(ticket), version=version, now=portal.now(), status=status)
                return
            except Stale as stale:  # what a customer cannot see is no reason to look again
                if has_news(portal.store.events(ticket.id), version):
                    raise
                version = stale.current.version
        raise Stale(ticket)

    return router


def _customer(ticket: LocalTicket) -> Actor:
    return Actor("customer", ticket.requester)


def _words(error: LocalHelpdeskError) -> str:
    if isinstance(error, Stale):
        return _CHANGED
    return _NOT_ANY_MORE if isinstance(error, IllegalTransition) else f"{str(error)[:1].upper()}{str(error)[1:]}."
