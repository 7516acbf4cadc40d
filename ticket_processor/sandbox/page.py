"""The sandbox's pages for a browser: a list of tickets, and one ticket with its history and forms that change it.

Everything shown is escaped: tickets are the customers' words. No scripts and nothing from elsewhere.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path
from types import SimpleNamespace
from typing import Any, TypeVar
from urllib.parse import parse_qsl, urlsplit

from .clock import iso
from .freshdesk_records import PRIORITIES, SOURCES, FreshdeskTicket, TicketEdit
from .freshdesk_store import FreshdeskStore
from .messages import Request, Response, json_response, text_response
from .records import Audit, StoredTicket
from .store import Store
from .zendesk_writes import ENUMS

SHOWN = 25
"""Tickets on a page of the list."""
CUSTOMER, AGENT, NOTE = "customer", "agent", "note"
WRITERS = {NOTE: "internal note by the agent", AGENT: "reply by the agent", CUSTOMER: "reply by the customer"}
AnyTicket = TypeVar("AnyTicket", StoredTicket, FreshdeskTicket)

_POLICY = "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'self'"


def render(request: Request, store: Store, stats: Mapping[str, Any], marker: str) -> Response:
    """The page for a path; see :func:`page_for`."""
    return page_for(request, store.tickets, stats, marker, _row, partial(_of_ticket, store), partial(_edit, store))


def page_for(
    request: Request,
    tickets: Mapping[int, AnyTicket],
    stats: Mapping[str, Any],
    marker: str,
    row: Callable[[AnyTicket], tuple[object, str]],
    of_ticket: Callable[[AnyTicket], dict[str, object]],
    edit: Callable[[AnyTicket, Mapping[str, str]], None],
) -> Response:
    """The page for a path: ``/`` (``?page=2``; ``?refresh=5`` reloads it every five seconds), or a ticket's, as vendors
    address it.

    ``row`` is a ticket as the template wants it, with its last note; ``of_ticket`` are the facts of a ticket's page;
    ``edit`` does what a form of that page asks for.
    """
    ours = marker.partition("_")[0] + "_"
    found = re.fullmatch(r"(?:/a|/agent)?/tickets/(\d{1,18})", request.path.rstrip("/"))
    ticket = tickets.get(int(found[1])) if found else None
    if ticket is not None and request.method == "POST":
        return _edited(request, ticket, edit)
    if request.method != "GET":
        return json_response(404, {"error": "InvalidEndpoint", "description": "Not found"})
    if ticket is not None:
        return _html_page(200, f"Ticket {ticket.id}", ours=ours, writers=WRITERS, **of_ticket(ticket))
    if request.path not in ("", "/", "/index.html"):
        return _html_page(404, "Nothing here")
    pages = max(1, -(-len(tickets) // SHOWN))
    number = min(max(1, _number(request, "page")), pages)
    newest = sorted(tickets.values(), key=lambda ticket: (-ticket.created, -ticket.id))
    return _html_page(
        200,
        "Sandbox",
        refresh=_number(request, "refresh"),
        ours=ours,
        known=_figures(stats, marker),
        number=number,
        pages=pages,
        rows=[row(ticket) for ticket in newest[(number - 1) * SHOWN : number * SHOWN]],
    )


def _edited(request: Request, ticket: AnyTicket, edit: Callable[[AnyTicket, Mapping[str, str]], None]) -> Response:
    """The answer to a form: its page again. A form on another site's page changes nothing here."""
    origin = request.header("Origin")
    if origin and urlsplit(origin).netloc != request.header("Host"):
        return _html_page(403, "This form is not the sandbox's own")
    edit(ticket, dict(parse_qsl(request.body.decode("utf-8", "replace"), keep_blank_values=True)))
    response = text_response(303, "")
    response.headers["Location"] = request.path
    return response


def tag_changes(ticket: AnyTicket, form: Mapping[str, str]) -> tuple[list[str], list[str]]:
    """The tags that a form adds and takes off: its field holds all that the ticket is to have."""
    wanted = form.get("tags", " ".join(ticket.tags)).replace(",", " ").split()
    added = [tag for tag in wanted if tag not in ticket.tags]
    return added, [tag for tag in ticket.tags if tag not in wanted]


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


def _number(request: Request, name: str) -> int:
    """A number of the query; 0 where there is none."""
    text = request.query.get(name, "")
    return int(text) if text.isdecimal() and 1 <= len(text) <= 4 else 0


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
    return ticket, show(notes[-1]) if notes else ""


def _edit(store: Store, ticket: StoredTicket, form: Mapping[str, str]) -> None:
    words, writer, status = form.get("words", "").strip(), form.get("as"), ticket.json["status"]
    if ticket.deleted or status == "closed":
        return
    if words and writer == CUSTOMER:
        reopened = "open" if status in ("pending", "hold", "solved") else None
        requester = ticket.json["requester_id"]
        store.person_edit(ticket.id, comment=words, public=True, author_id=requester, status=reopened)
    elif words:
        store.person_edit(ticket.id, comment=words, public=writer == AGENT)
    else:
        priority, status = ((it if (it := form.get(name)) in ENUMS[name] else None) for name in ("priority", "status"))
        added, removed = tag_changes(ticket, form)
        store.person_edit(ticket.id, add_tags=added, remove_tags=removed, priority=priority, status=status)


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
    choices = None if ticket.deleted or json["status"] == "closed" else ENUMS
    return {"ticket": ticket, "known": known, "history": history, "name_of": partial(_name, store), "choices": choices}


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


def render_freshdesk(request: Request, store: FreshdeskStore, stats: Mapping[str, Any], marker: str) -> Response:
    """The page for a path; see :func:`page_for`."""
    stats = {**stats, "jobs": None}  # Freshdesk has none
    row, facts, edit = (
        partial(_freshdesk_row, store),
        partial(_freshdesk_of_ticket, store),
        partial(_freshdesk_edit, store),
    )
    return page_for(request, store.tickets, stats, marker, row, facts, edit)


def _worded(store: FreshdeskStore, ticket: FreshdeskTicket) -> SimpleNamespace:
    """A ticket with words for its numbers, as the template wants it."""
    status = "spam" if ticket.spam else "deleted" if ticket.deleted else store.statuses[ticket.json["status"]]
    first = {"public": True, "author_id": ticket.json["requester_id"], "created_at": ticket.json["created_at"]}
    said = [{**first, "body": ticket.json["description_text"]}]
    said += [{**row, "public": not row["private"], "author_id": row["user_id"]} for row in ticket.conversations]
    said[1:] = [{**row, "body": row["body_text"]} for row in said[1:]]
    words = {"status": status, "priority": PRIORITIES[ticket.json["priority"]]}
    return SimpleNamespace(id=ticket.id, json={**ticket.json, **words}, comments=said)


def _freshdesk_row(store: FreshdeskStore, ticket: FreshdeskTicket) -> tuple[SimpleNamespace, str]:
    notes = [str(row["body_text"]) for row in ticket.conversations if row["private"]]
    return _worded(store, ticket), show(notes[-1]) if notes else ""


def _freshdesk_edit(store: FreshdeskStore, ticket: FreshdeskTicket, form: Mapping[str, str]) -> None:
    words, writer = form.get("words", "").strip(), form.get("as")
    if ticket.deleted or ticket.spam:
        return
    if words and writer == CUSTOMER:
        store.customer_replies(ticket.id, words)
    elif words:
        store.person_edit(ticket.id, reply=words if writer == AGENT else None, note=None if writer == AGENT else words)
    else:
        priority = next((number for number, name in PRIORITIES.items() if name == form.get("priority")), None)
        status = next((number for number, name in store.statuses.items() if name == form.get("status")), None)
        added, removed = tag_changes(ticket, form)
        store.person_edit(ticket.id, add_tags=added, remove_tags=removed, priority=priority, status=status)


def _freshdesk_of_ticket(store: FreshdeskStore, ticket: FreshdeskTicket) -> dict[str, object]:
    worded, json = _worded(store, ticket), ticket.json
    known = {
        "Status": worded.json["status"],
        "Priority": worded.json["priority"],
        "Group": store.groups[json["group_id"]]["name"] if json["group_id"] in store.groups else "–",
        "Source": SOURCES.get(json["source"], json["source"]),
        "Requester": _freshdesk_name(store, json["requester_id"]),
        "Created": json["created_at"],
        "Last change": json["updated_at"],
    }
    history = [
        (iso(edit.at), f"{_freshdesk_name(store, edit.by.user_id)} ({edit.via})", _freshdesk_lines(edit))
        for edit in reversed(ticket.edits)
    ]
    names = {"status": list(store.statuses.values()), "priority": list(PRIORITIES.values())}
    choices = None if ticket.deleted or ticket.spam else names
    return {
        "ticket": worded,
        "known": known,
        "history": history,
        "name_of": partial(_freshdesk_name, store),
        "choices": choices,
    }


def _freshdesk_lines(edit: TicketEdit) -> list[str]:
    lines = [f"{name}: {show(before)} → {show(after)}" for name, (before, after) in edit.changes.items()]
    if edit.tags_added:
        lines.append(f"tags added: {show(sorted(edit.tags_added))}")
    if edit.tags_removed:
        lines.append(f"tags removed: {show(sorted(edit.tags_removed))}")
    if edit.conversation:
        what = "internal note" if edit.private else "public note" if edit.is_note else "public reply"
        lines.append(f"{what} {edit.conversation}")
    return lines


def _freshdesk_name(store: FreshdeskStore, user_id: int) -> str:
    person = store.agents.get(user_id) or store.contacts.get(user_id)
    return str(person["name"]) if person else "System"
