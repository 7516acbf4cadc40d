"""Who may see a ticket: whoever has its link, and then a cookie for this one ticket; nobody can guess either."""

from __future__ import annotations

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from ...helpdesk.local_model import LocalTicket
from .limits import address_of, too_many
from .parts import Portal

TICKET_COOKIE = "portal_ticket"
ACCESS_LIFE_S = 90 * 24 * 3600.0
LINK_COOKIE = "portal_link"
LINK_LIFE_S = 900.0
"""For so long a customer who has just submitted a ticket is shown its link."""


def path_of(number: str) -> str:
    """Where a ticket's page is."""
    return f"/t/{number}"


def go_to(path: str) -> RedirectResponse:
    """The answer to a form that was taken in: the browser fetches that page."""
    return RedirectResponse(path, 303)


def opened(portal: Portal, request: Request, number: str, secret: str) -> LocalTicket:
    """The ticket that a link opens. Raises ``HTTPException``: 404 for a wrong one, 429 after too many of them."""
    address = address_of(request)
    if wait_s := portal.wrong_keys.take(address, only_look=True):
        raise too_many(wait_s)
    ticket = portal.store.opens(number, secret)
    if ticket is None:
        portal.wrong_keys.take(address)
        raise HTTPException(404)
    return ticket


def let_in(portal: Portal, response: Response, number: str) -> None:
    """Let this browser see the ticket from now on."""
    signed = portal.cookies.sign("ticket", number)
    portal.cookies.set(response, TICKET_COOKIE, signed, path=path_of(number), life_s=ACCESS_LIFE_S)


def seen_by(portal: Portal, request: Request, number: str) -> LocalTicket:
    """The ticket, where this browser may see it. Raises ``HTTPException`` (404)."""
    cookie = request.cookies.get(TICKET_COOKIE, "")
    is_let_in = portal.cookies.signed_at("ticket", cookie, number, ACCESS_LIFE_S) is not None
    ticket = portal.store.by_number(number) if is_let_in else None
    if ticket is None:
        raise HTTPException(404)
    return ticket
