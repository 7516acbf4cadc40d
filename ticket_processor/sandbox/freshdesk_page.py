"""The sandbox's pages for a browser when it plays Freshdesk: the same pages, filled from its store."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from types import SimpleNamespace
from typing import Any

from .clock import iso
from .freshdesk_records import PRIORITIES, SOURCES, FreshdeskTicket, TicketEdit
from .freshdesk_store import FreshdeskStore
from .messages import Request, Response
from .page import AGENT, CUSTOMER, page_for, show, tag_changes


def render(request: Request, store: FreshdeskStore, stats: Mapping[str, Any], marker: str) -> Response:
    """The page for a path; see :func:`page_for`."""
    stats = {**stats, "jobs": None}  # Freshdesk has none
    row, facts, edit = partial(_row, store), partial(_of_ticket, store), partial(_edit, store)
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


def _row(store: FreshdeskStore, ticket: FreshdeskTicket) -> tuple[SimpleNamespace, str]:
    notes = [str(row["body_text"]) for row in ticket.conversations if row["private"]]
    return _worded(store, ticket), show(notes[-1]) if notes else ""


def _edit(store: FreshdeskStore, ticket: FreshdeskTicket, form: Mapping[str, str]) -> None:
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


def _of_ticket(store: FreshdeskStore, ticket: FreshdeskTicket) -> dict[str, object]:
    worded, json = _worded(store, ticket), ticket.json
    known = {
        "Status": worded.json["status"],
        "Priority": worded.json["priority"],
        "Group": store.groups[json["group_id"]]["name"] if json["group_id"] in store.groups else "–",
        "Source": SOURCES.get(json["source"], json["source"]),
        "Requester": _name(store, json["requester_id"]),
        "Created": json["created_at"],
        "Last change": json["updated_at"],
    }
    history = [
        (iso(edit.at), f"{_name(store, edit.by.user_id)} ({edit.via})", _lines(edit)) for edit in reversed(ticket.edits)
    ]
    names = {"status": list(store.statuses.values()), "priority": list(PRIORITIES.values())}
    choices = None if ticket.deleted or ticket.spam else names
    return {"ticket": worded, "known": known, "history": history, "name_of": partial(_name, store), "choices": choices}


def _lines(edit: TicketEdit) -> list[str]:
    lines = [f"{name}: {show(before)} → {show(after)}" for name, (before, after) in edit.changes.items()]
    if edit.tags_added:
        lines.append(f"tags added: {show(sorted(edit.tags_added))}")
    if edit.tags_removed:
        lines.append(f"tags removed: {show(sorted(edit.tags_removed))}")
    if edit.conversation:
        what = "internal note" if edit.private else "public note" if edit.is_note else "public reply"
        lines.append(f"{what} {edit.conversation}")
    return lines


def _name(store: FreshdeskStore, user_id: int) -> str:
    person = store.agents.get(user_id) or store.contacts.get(user_id)
    return str(person["name"]) if person else "System"
