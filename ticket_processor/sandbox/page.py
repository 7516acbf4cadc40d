"""What a browser sees of the sandbox: the list of its tickets, and one ticket with all that was done to it.

It is plain text, so that nothing in a customer's words is markup.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from .clock import iso
from .freshdesk_store import PRIORITIES, FreshdeskStore
from .messages import Request, Response, json_response, text_response
from .store import Audit, Store, StoredTicket


def render(request: Request, account: Store) -> Response:
    """The page for a path: ``/``, or a ticket's, as vendors address it."""
    found = re.fullmatch(r"(?:/a|/agent)?/tickets/(\d{1,18})", request.path.rstrip("/"))
    ticket = account.tickets.get(int(found[1])) if found else None
    if ticket is not None:
        lines = _ticket(account, ticket)
    elif request.path == "/":
        lines = _list(account)
    else:
        return json_response(404, {"error": "InvalidEndpoint", "description": "Not found"})
    response = text_response(200, "\n".join(lines) + "\n")
    response.headers["X-Content-Type-Options"] = "nosniff"
    return response


def _list(account: Store) -> Iterator[str]:
    yield f"{len(account.tickets)} tickets, the newest first; look at one under /tickets/NUMBER"
    for _, number in reversed(account.by_created):
        ticket = account.tickets[number]
        yield f"{number}  {ticket.json['subject']}  [{', '.join(ticket.tags)}]"


def _ticket(account: Store, ticket: StoredTicket) -> Iterator[str]:
    json = ticket.json
    status, priority, description = json["status"], json["priority"], json.get("description_text")
    if isinstance(account, FreshdeskStore):
        status, priority = account.statuses[status], PRIORITIES[priority]
    yield f"Ticket {ticket.id}: {json['subject']}"
    yield f"Status {status}, priority {priority}, group {json['group_id']}, tags: {', '.join(ticket.tags)}"
    if description:
        yield f"\n{description}"
    for change in ticket.audits:
        yield f"\n{iso(change.at)}, by {change.author_id} ({change.actor})"
        yield from _changes(change)


def _changes(change: Audit) -> Iterator[str]:
    for name, (before, after) in change.values.items():
        yield f"{name} = {after}" if change.creates else f"{name}: {before} → {after}"
    if change.comment is not None:
        words = change.comment.get("body_text") or change.comment["body"]
        yield f"{'public comment' if change.comment_public else 'internal note'} {change.comment_was}: {words}"
