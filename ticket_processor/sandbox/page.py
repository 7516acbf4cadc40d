"""The sandbox's pages for a browser: an overview, and one ticket with its history.

Everything shown is escaped: tickets are the customers' words. No scripts and nothing from elsewhere.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import partial
from pathlib import Path
from typing import Any

from .messages import Request, Response, text_response
from .records import Audit, StoredTicket
from .store import Store

SHOWN = 200

_POLICY = "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'"


def render(request: Request, store: Store, stats: Mapping[str, Any], marker: str) -> Response:
    """The page for a path: ``/`` (``?refresh=5`` reloads it every five seconds) or ``/tickets/{id}``."""
    ours = marker.partition("_")[0] + "_"
    found = re.fullmatch(r"/tickets/(\d{1,18})", request.path.rstrip("/"))
    if found:
        ticket = store.tickets.get(int(found[1]))
        if ticket is not None:
            return html_page(200, f"Ticket {ticket.id}", ours=ours, **_of_ticket(store, ticket))
    elif request.path in ("", "/", "/index.html"):
        return html_page(200, "Sandbox", refresh=refresh_of(request), ours=ours, **_overview(store, stats, marker))
    return html_page(404, "Nothing here")


def refresh_of(request: Request) -> int:
    """After how many seconds the overview reloads itself; 0 for never."""
    seconds = request.query.get("refresh", "")
    return int(seconds) if seconds.isdecimal() and 1 <= len(seconds) <= 4 else 0


def html_page(status: int, title: str, **facts: object) -> Response:
    """The template with these facts."""
    from jinja2 import Environment, FileSystemLoader

    loader = FileSystemLoader(Path(__file__).parent)
    templates = Environment(loader=loader, autoescape=True, trim_blocks=True, lstrip_blocks=True)
    page = templates.get_template("page.html").render(title=title, **facts) + "\n"
    response = text_response(status, page, "text/html; charset=utf-8")
    response.headers |= {"Content-Security-Policy": _POLICY, "X-Content-Type-Options": "nosniff"}
    return response


def _overview(store: Store, stats: Mapping[str, Any], marker: str) -> dict[str, object]:
    newest = sorted(store.tickets.values(), key=lambda ticket: (-ticket.created, -ticket.id))[:SHOWN]
    return {
        "known": {
            "Tickets": stats["tickets"],
            f"With {marker}": stats["marked"],
            "API requests": stats["requests_total"],
            "Model calls": stats["llm_calls"],
            "Jobs": stats["jobs"],
            "Plan": stats["plan"],
        },
        "shown": f"The newest {SHOWN} of {len(store.tickets)}." if len(store.tickets) > SHOWN else "",
        "rows": [(ticket, _last_note(ticket)) for ticket in newest],
    }


def _last_note(ticket: StoredTicket) -> str:
    notes = [str(comment["body"]) for comment in ticket.comments if not comment["public"]]
    return notes[-1][:400] if notes else ""


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
