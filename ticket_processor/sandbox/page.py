"""The sandbox's pages for a browser: a list of tickets, and one ticket with its history and forms that change it.

Everything shown is escaped: tickets are the customers' words. No scripts and nothing from elsewhere.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from .account import HeldTicket
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

_POLICY = "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'self'"


@dataclass
class View:
    """A ticket in words, as the template wants it: what was said, what happened, and what may be chosen.

    ``history`` has time, user, kind of user and lines of each change, the newest first. ``choices`` are empty for a
    ticket that takes no more changes.
    """

    id: int
    json: dict[str, Any]
    source: object
    comments: list[dict[str, Any]]
    history: Iterable[tuple[float, int, str, list[str]]]
    choices: Mapping[str, Collection[str]]

    @property
    def note(self) -> str:
        """The last internal note."""
        return next((show(row["body"]) for row in reversed(self.comments) if not row["public"]), "")


def render(request: Request, account: Store | FreshdeskStore, stats: Mapping[str, Any], marker: str) -> Response:
    """The page for a path: ``/`` (``?page=2``; ``?refresh=5`` reloads it every five seconds), or a ticket's, as vendors
    address it.
    """
    ours = marker.partition("_")[0] + "_"
    found = re.fullmatch(r"(?:/a|/agent)?/tickets/(\d{1,18})", request.path.rstrip("/"))
    ticket = account.tickets.get(int(found[1])) if found else None
    if ticket is not None and request.method == "POST":
        return _edited(request, account, ticket)
    if request.method != "GET":
        return json_response(404, {"error": "InvalidEndpoint", "description": "Not found"})
    if ticket is not None:
        return _html_page(200, f"Ticket {ticket.id}", ours=ours, writers=WRITERS, **_facts(account, ticket))
    if request.path not in ("", "/", "/index.html"):
        return _html_page(404, "Nothing here")
    pages = max(1, -(-len(account.tickets) // SHOWN))
    number = min(max(1, _number(request, "page")), pages)
    newest = sorted(account.tickets.values(), key=lambda ticket: (-ticket.created, -ticket.id))
    known = {
        "Tickets": stats["tickets"],
        f"With {marker}": stats["marked"],
        "API requests": stats["requests_total"],
        "Model calls": stats["llm_calls"],
        **({"Jobs": stats["jobs"]} if isinstance(account, Store) else {}),
        "Plan": stats["plan"],
    }
    views = [_view(account, ticket) for ticket in newest[(number - 1) * SHOWN : number * SHOWN]]
    refresh = _number(request, "refresh")
    return _html_page(200, "Sandbox", refresh=refresh, ours=ours, known=known, number=number, pages=pages, rows=views)


def _facts(account: Store | FreshdeskStore, ticket: HeldTicket) -> dict[str, object]:
    """What the template needs for a ticket's page."""
    view = _view(account, ticket)
    json = view.json
    people = (account.users,) if isinstance(account, Store) else (account.agents, account.contacts)

    def name_of(user_id: int) -> str:
        return next((str(book[user_id]["name"]) for book in people if user_id in book), "System")

    known = {
        "Status": json["status"],
        "Priority": json["priority"] or "–",
        "Group": account.groups[json["group_id"]]["name"] if json["group_id"] in account.groups else "–",
        "Source" if isinstance(account, FreshdeskStore) else "Channel": view.source,
        "Requester": name_of(json["requester_id"]),
        "Created": json["created_at"],
        "Last change": json["updated_at"],
    }
    history = [(iso(at), f"{name_of(user)} ({kind})", lines) for at, user, kind, lines in view.history]
    return {"ticket": view, "known": known, "history": history, "name_of": name_of, "choices": view.choices}


def _view(account: Store | FreshdeskStore, ticket: Any) -> View:
    return _zendesk(ticket) if isinstance(account, Store) else _freshdesk(account, ticket)


def _zendesk(ticket: StoredTicket) -> View:
    history = ((audit.at, audit.author_id, audit.actor, list(_lines(audit))) for audit in reversed(ticket.audits))
    choices = {} if ticket.deleted or ticket.json["status"] == "closed" else ENUMS
    return View(ticket.id, ticket.json, ticket.json["via"]["channel"], ticket.comments, history, choices)


def _lines(audit: Audit) -> Iterator[str]:
    for event in audit.events:
        if event["type"] == "Comment":
            yield "public comment" if event["public"] else "internal note"
        elif event["type"] == "Change":
            yield f"{event['field_name']}: {show(event['previous_value'])} → {show(event['value'])}"
        elif event["type"] == "Create":
            yield f"{event['field_name']} = {show(event['value'])}"
        else:
            yield event["type"]


def _freshdesk(store: FreshdeskStore, ticket: FreshdeskTicket) -> View:
    json = ticket.json
    status = "spam" if ticket.spam else "deleted" if ticket.deleted else store.statuses[json["status"]]
    first = {"public": True, "author_id": json["requester_id"], "created_at": json["created_at"]}
    said = [{**first, "body": json["description_text"]}]
    for row in ticket.conversations:
        said.append({**row, "public": not row["private"], "author_id": row["user_id"], "body": row["body_text"]})
    history = ((edit.at, edit.by.user_id, edit.via, list(_edit_lines(edit))) for edit in reversed(ticket.edits))
    names = {"status": store.statuses.values(), "priority": PRIORITIES.values()}
    choices = {} if ticket.deleted or ticket.spam else names
    words = {"status": status, "priority": PRIORITIES[json["priority"]]}
    return View(ticket.id, {**json, **words}, SOURCES.get(json["source"], json["source"]), said, history, choices)


def _edit_lines(edit: TicketEdit) -> Iterator[str]:
    for name, (before, after) in edit.changes.items():
        yield f"{name}: {show(before)} → {show(after)}"
    for what, tags in (("added", edit.tags_added), ("removed", edit.tags_removed)):
        if tags:
            yield f"tags {what}: {show(sorted(tags))}"
    if edit.conversation:
        what = "internal note" if edit.private else "public note" if edit.is_note else "public reply"
        yield f"{what} {edit.conversation}"


def _edited(request: Request, account: Store | FreshdeskStore, ticket: HeldTicket) -> Response:
    """The answer to a form: its page again. A form on another site's page changes nothing here."""
    origin = request.header("Origin")
    if origin and urlsplit(origin).netloc != request.header("Host"):
        return _html_page(403, "This form is not the sandbox's own")
    form = dict(parse_qsl(request.body.decode("utf-8", "replace"), keep_blank_values=True))
    if choices := _view(account, ticket).choices:
        _edit(account, ticket, form, choices)
    response = text_response(303, "")
    response.headers["Location"] = request.path
    return response


def _edit(
    account: Store | FreshdeskStore, ticket: HeldTicket, form: Mapping[str, str], choices: Mapping[str, Collection[str]]
) -> None:
    """Do what a form asks for. Its field of tags holds all that the ticket is to have."""
    words, writer = form.get("words", "").strip(), form.get("as")
    if words and writer == CUSTOMER:
        account.customer_replies(ticket.id, words)
    elif words and isinstance(account, Store):
        account.person_edit(ticket.id, comment=words, public=writer == AGENT)
    elif words and isinstance(account, FreshdeskStore):
        reply, note = (words, None) if writer == AGENT else (None, words)
        account.person_edit(ticket.id, reply=reply, note=note)
    else:
        wanted = form.get("tags", " ".join(ticket.tags)).replace(",", " ").split()
        added = [tag for tag in wanted if tag not in ticket.tags]
        removed = [tag for tag in ticket.tags if tag not in wanted]
        values: dict[str, Any] = {name: it for name in choices if (it := form.get(name)) in choices[name]}
        if isinstance(account, FreshdeskStore):
            numbers = {"status": account.statuses, "priority": PRIORITIES}
            values = {name: {it: key for key, it in numbers[name].items()}[word] for name, word in values.items()}
        account.person_edit(ticket.id, add_tags=added, remove_tags=removed, **values)


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


def show(value: object) -> str:
    """A value in the history, in short."""
    text = " ".join(map(str, value)) if isinstance(value, list) else "–" if value is None else str(value)
    return text if len(text) <= 200 else text[:199] + "…"
