"""Who may see a ticket: whoever has its link, and then a cookie for this one ticket; nobody can guess either."""

from __future__ import annotations

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from ...helpdesk.local_model import LocalTicket
from ...helpdesk.local_store import MAILED
from .parts import Portal, address_of, key_of, too_many
from .security import KNOWN_LIFE_S

TICKET_COOKIE = "portal_ticket"
ACCESS_LIFE_S = 90 * 24 * 3600.0
LINK_COOKIE = "portal_link"
LINK_LIFE_S = 900.0
"""For so long a customer who has just submitted a ticket is shown its link."""
KNOWN_COOKIE = "portal_known"


def path_of(number: str) -> str:
    """Where a ticket's page is."""
    return f"/t/{number}"


def go_to(path: str) -> RedirectResponse:
    """The answer to a form that was taken in: the browser fetches that page."""
    return RedirectResponse(path, 303)


def opened(portal: Portal, request: Request, number: str, secret: str) -> LocalTicket:
    """The ticket that a link opens. Raises ``HTTPException``: 404 for a wrong one, 429 after too many of them."""
    who = counted_as(portal, request)
    if wait_s := portal.wrong_keys.take(who):
        raise too_many(wait_s)
    ticket = portal.store.opens(number, secret)
    if ticket is None:
        raise HTTPException(404)
    portal.wrong_keys.give_back(who)
    return ticket


def let_in(portal: Portal, response: Response, number: str) -> None:
    """Let this browser see the ticket from now on."""
    signed = portal.cookies.sign("ticket", number)
    portal.cookies.set(response, TICKET_COOKIE, signed, path=path_of(number), life_s=ACCESS_LIFE_S)


def get_to_know(portal: Portal, response: Response, ticket: LocalTicket, secret: str) -> None:
    """Let the ticket's customer share no limit with strangers from now on, if the link is one that was mailed."""
    if secret.startswith(MAILED):
        signed = portal.cookies.sign("customer", f"{ticket.requester}")
        portal.cookies.set(response, KNOWN_COOKIE, signed, path="/", life_s=KNOWN_LIFE_S)


def known(portal: Portal, request: Request) -> int | None:
    """The customer whose mail was read in this browser."""
    found = portal.cookies.read("customer", request.cookies.get(KNOWN_COOKIE, ""), KNOWN_LIFE_S)
    return None if found is None else int(found[0])


def counted_as(portal: Portal, request: Request) -> str:
    """For whom limits count what this client does: a known customer, or all strangers at its address."""
    person = known(portal, request)
    return address_of(request) if person is None else key_of(person)


def seen_by(portal: Portal, request: Request, number: str) -> LocalTicket:
    """The ticket, where this browser may see it. Raises ``HTTPException`` (404)."""
    cookie = request.cookies.get(TICKET_COOKIE, "")
    is_let_in = portal.cookies.signed_at("ticket", cookie, number, ACCESS_LIFE_S) is not None
    ticket = portal.store.by_number(number) if is_let_in else None
    if ticket is None:
        raise HTTPException(404)
    return ticket
