"""The sandbox's pages for a browser: a list of tickets, and one ticket with its history.

Everything shown is escaped: tickets are the customers' words. No scripts and nothing from elsewhere.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from .clock import iso
from .freshdesk_store import PRIORITIES, SOURCES, FreshdeskStore
from .messages import Request, Response, json_response, text_response
from .store import Audit, Row, Store, StoredTicket
from .zendesk_store import ZendeskStore

SHOWN = 25
"""Tickets on a page of the list."""
_POLICY = "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'"


def render(request: Request, account: Store, stats: Mapping[str, Any], marker: str) -> Response:
    """The page for a path: ``/`` (``?page=2``; ``?refresh=5`` reloads it every five seconds), or a ticket's, as vendors
    address it.
    """
    ours = marker.partition("_")[0] + "_"
    found = re.fullmatch(r"(?:/a|/agent)?/tickets/(\d{1,18})", request.path.rstrip("/"))
    ticket = account.tickets.get(int(found[1])) if found else None
    if request.method != "GET":
        return json_response(404, {"error": "InvalidEndpoint", "description": "Not found"})
    if ticket is not None:
        return _html_page(200, f"StoredTicket {ticket.id}", ours=ours, **_facts(account, ticket))
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
        "Plan": stats["plan"],
    }
    views = [_view(account, ticket) for ticket in newest[(number - 1) * SHOWN : number * SHOWN]]
    refresh = _number(request, "refresh")
    return _html_page(200, "Sandbox", refresh=refresh, ours=ours, known=known, number=number, pages=pages, rows=views)


def _facts(account: Store, ticket: StoredTicket) -> dict[str, object]:
    """What the template needs for a ticket's page."""
    view = _view(account, ticket)
    json = view["json"]
    people = [account.users] if isinstance(account, ZendeskStore) else []
    if isinstance(account, FreshdeskStore):
        people = [account.agents, account.contacts]

    def name_of(user_id: int) -> str:
        return next((str(book[user_id]["name"]) for book in people if user_id in book), "System")

    known = {
        "Status": json["status"],
        "Priority": json["priority"] or "–",
        "Group": account.groups[json["group_id"]]["name"] if json["group_id"] in account.groups else "–",
        "Source": view["source"],
        "Requester": name_of(json["requester_id"]),
        "Created": json["created_at"],
        "Last change": json["updated_at"],
    }
    history = [
        (iso(it.at), f"{name_of(it.author_id)} ({it.actor})", list(_lines(it))) for it in reversed(ticket.audits)
    ]
    return {"ticket": view, "known": known, "history": history, "name_of": name_of}


def _view(account: Store, ticket: StoredTicket) -> Row:
    """A ticket in words, with what was said, as the template wants it."""
    json, said = dict(ticket.json), ticket.comments
    if isinstance(account, FreshdeskStore):
        status = "spam" if ticket.spam else "deleted" if ticket.deleted else account.statuses[json["status"]]
        first = {"private": False, "user_id": json["requester_id"], "created_at": json["created_at"]}
        rows = [{**first, "body_text": json["description_text"]}, *said]
        said = [{**r, "public": not r["private"], "author_id": r["user_id"], "body": r["body_text"]} for r in rows]
        source: object = SOURCES.get(json["source"], json["source"])
        json |= {"status": status, "priority": PRIORITIES[json["priority"]]}
    else:
        source = json["via"]["channel"]
    note = next((_show(row["body"]) for row in reversed(said) if not row["public"]), "")
    return {"id": ticket.id, "json": json, "source": source, "comments": said, "note": note}


def _lines(change: Audit) -> Iterator[str]:
    """A change in words."""
    for name, (before, after) in change.values.items():
        yield f"{name} = {_show(after)}" if change.creates else f"{name}: {_show(before)} → {_show(after)}"
    if change.comment is not None:
        yield f"{'public comment' if change.comment_public else 'internal note'} {change.comment_was}"
    if change.event is not None:
        yield str(change.event["type"])


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


def _show(value: object) -> str:
    """A value in the history, in short."""
    text = " ".join(map(str, value)) if isinstance(value, list) else "–" if value is None else str(value)
    return text if len(text) <= 200 else text[:199] + "…"
