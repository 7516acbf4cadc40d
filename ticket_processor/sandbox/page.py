"""The sandbox's pages for a browser: an overview, and one ticket with its history.

Everything shown is escaped: tickets are the customers' words. No scripts and nothing from elsewhere.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path
from typing import Any, TypeVar

from .freshdesk_records import FreshdeskTicket
from .messages import Request, Response, text_response
from .records import Audit, StoredTicket
from .store import Store

SHOWN = 200
AnyTicket = TypeVar("AnyTicket", StoredTicket, FreshdeskTicket)

_POLICY = "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'"


def render(request: Request, store: Store, stats: Mapping[str, Any], marker: str) -> Response:
    """The page for a path; see :func:`page_for`."""
    return page_for(request, store.tickets, stats, marker, _row, partial(_of_ticket, store))


def page_for(
    request: Request,
    tickets: Mapping[int, AnyTicket],
    stats: Mapping[str, Any],
    marker: str,
    row: Callable[[AnyTicket], tuple[object, str]],
    of_ticket: Callable[[AnyTicket], dict[str, object]],
) -> Response:
    """The page for a path: ``/`` (``?refresh=5`` reloads it every five seconds), or a ticket's, as vendors address it.

    ``row`` is a ticket as the template wants it, with its last note; ``of_ticket`` are the facts of a ticket's page.
    """
    ours = marker.partition("_")[0] + "_"
    found = re.fullmatch(r"(?:/a|/agent)?/tickets/(\d{1,18})", request.path.rstrip("/"))
    ticket = tickets.get(int(found[1])) if found else None
    if ticket is not None:
        return _html_page(200, f"Ticket {ticket.id}", ours=ours, **of_ticket(ticket))
    if request.path not in ("", "/", "/index.html"):
        return _html_page(404, "Nothing here")
    newest = sorted(tickets.values(), key=lambda ticket: (-ticket.created, -ticket.id))[:SHOWN]
    return _html_page(
        200,
        "Sandbox",
        refresh=_refresh_of(request),
        ours=ours,
        known=_figures(stats, marker),
        shown=f"The newest {SHOWN} of {len(tickets)}." if len(tickets) > SHOWN else "",
        rows=[row(ticket) for ticket in newest],
    )


def _figures(stats: Mapping[str, Any], marker: str) -> dict[str, object]:
    figures = {
        "Tickets": stats["tickets"],
        f"With {marker}": stats["marked"],
        "API requests": stats["requests_total"],
        "Model calls": stats["llm_calls"],
        "Jobs": stats["jobs"],
        "Plan": stats["plan"],
    }
    return {name: value for name, value in figures.items() if value is not None}


def _refresh_of(request: Request) -> int:
    """After how many seconds the overview reloads itself; 0 for never."""
    seconds = request.query.get("refresh", "")
    return int(seconds) if seconds.isdecimal() and 1 <= len(seconds) <= 4 else 0


def _html_page(status: int, title: str, **facts: object) -> Response:
    """The template with these facts."""
    from jinja2 import Environment, FileSystemLoader

    loader = FileSystemLoader(Path(__file__).parent)
    templates = Environment(loader=loader, autoescape=True, trim_blocks=True, lstrip_blocks=True)
    page = templates.get_template("page.html").render(title=title, **facts) + "\n"
    response = text_response(status, page, "text/html; charset=utf-8")
    response.headers |= {"Content-Security-Policy": _POLICY, "X-Content-Type-Options": "nosniff"}
    return response


def _row(ticket: StoredTicket) -> tuple[StoredTicket, str]:
    notes = [str(comment["body"]) for comment in ticket.comments if not comment["public"]]
    return ticket, notes[-1][:400] if notes else ""


def _of_ticket(store: Store, ticket: StoredTicket) -> dict[str, object]:
    json = ticket.json
    known = {
        "Status": json["status"],
        "Priority": json["priority"] or "–",
        "Group": store.groups[json["group_id"]]["name"] if json["group_id"] in store.groups else "–",
        "Channel": json["via"]["channel"],
        "Requester": _name(store, json["requester_id"]),
        "Created": json["created_at"],
        "Last change": json["updated_at"],
    }
    history = [
        (audit.as_json()["created_at"], f"{_name(store, audit.author_id)} ({audit.actor})", _lines(audit))
        for audit in reversed(ticket.audits)
    ]
    return {"ticket": ticket, "known": known, "history": history, "name_of": partial(_name, store)}


def _lines(audit: Audit) -> list[str]:
    lines = []
    for event in audit.events:
        if event["type"] == "Comment":
            lines.append("public comment" if event["public"] else "internal note")
        elif event["type"] == "Change":
            lines.append(f"{event['field_name']}: {show(event['previous_value'])} → {show(event['value'])}")
        else:
            lines.append(f"{event['field_name']} = {show(event['value'])}")
    return lines


def show(value: object) -> str:
    """A value in the history, in short."""
    text = " ".join(map(str, value)) if isinstance(value, list) else "–" if value is None else str(value)
    return text if len(text) <= 200 else text[:199] + "…"


def _name(store: Store, user_id: int) -> str:
    user = store.users.get(user_id)
    return str(user["name"]) if user else "System"
