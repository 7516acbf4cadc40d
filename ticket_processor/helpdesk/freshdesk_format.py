"""Freshdesk's JSON and headers, read and written; pure functions. The calls are in :mod:`ticket_processor.freshdesk`.

Facts and their sources: developers.freshdesk.com/api, "Tickets", "Conversations", "Rate Limit", "Errors".
"""

from __future__ import annotations

import html
import re
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from ..core.clock import parse_iso
from ..core.errors import CannotRun, ConfigError, HelpdeskDown, TicketError
from ..core.models import Change, Priority, Ticket
from .http_messages import (
    Reply,
    field_text,
    mapping,
    mappings,
    sensible,
    string,
    tags_of,
    ticket_number,
    whole_number,
    with_ids,
)
from .protocol import NO_USER, TicketField, Webhook
from .rate_limit import Limit

ACCOUNT_LIMIT, UPDATE_LIMIT, LIST_LIMIT = "account", "tickets-update", "tickets-list"
SUB_LIMITS: Mapping[int, tuple[int, int]] = {
    200: (80, 20),
    400: (160, 100),
    700: (280, 200),
    1000: (400, 300),
    2000: (800, 400),
}
"""Updates and lists of tickets that a plan allows in a minute, by its total; the headers tell the total only."""
HOURLY_FROM = 3_000
"""A total from here on is an hour's (3,000 to 5,000 on older plans, support 225439); those of a minute are less."""
PRIORITIES = {1: Priority.LOW, 2: Priority.NORMAL, 3: Priority.HIGH, 4: Priority.URGENT}
LOW = 1
"""A ticket that is made without a priority has this one: Freshdesk has no empty priority."""
_NUMBERS = {priority: number for number, priority in PRIORITIES.items()}
_STATUSES = {2: "open", 3: "pending", 4: "solved", 5: "closed"}
_KNOWN_STATUSES = {*_STATUSES, 6, 7}  # "Waiting on Customer", "Waiting on Third Party"
_CHANNELS = {1: "email", 2: "web", 3: "voice", 5: "twitter", 6: "facebook", 7: "chat", 9: "web", 10: "email"}
_REFERENCE = re.compile(r"\bRef tb-([0-9a-f]{8})\b")
_SAFE_WORD = re.compile(r"^[A-Za-z][A-Za-z0-9_]{0,59}$")

FieldNames = Mapping[str, int]
"""Numbers of the account's custom fields by the names that tickets carry them under, such as ``cf_area``."""


def _told_ticket(said: Mapping[str, Any]) -> object:
    """The number that an automation rule's body names; Freshdesk's own layout puts all into ``freshdesk_webhook``."""
    said = mapping(said.get("freshdesk_webhook")) or said
    return said.get("ticket_id", said.get("id"))


WEBHOOK = Webhook(_told_ticket)


def read_limits(headers: Mapping[str, str]) -> dict[str, Limit]:
    """The account's limit as a reply tells it, and the limits on updates and lists that its plan has.

    The total may be written as ``50.0``. When the minute ends is not told. Older plans count by the hour; their total
    is taken evenly, a sixtieth in each minute.
    """
    total, remaining = (_number(headers.get(f"X-RateLimit-{name}")) for name in ("Total", "Remaining"))
    if total is None or remaining is None:
        return {}
    if total >= HOURLY_FROM:
        total, remaining = total // 60, remaining // 60
    found = {ACCOUNT_LIMIT: Limit(total, remaining, None)}
    if total in SUB_LIMITS:
        found |= {
            name: Limit(most, most, None)
            for name, most in zip((UPDATE_LIMIT, LIST_LIMIT), SUB_LIMITS[total], strict=True)
        }
    return found


def is_hourly(headers: Mapping[str, str]) -> bool:
    """Whether a reply tells of a limit on an hour's calls."""
    return (_number(headers.get("X-RateLimit-Total")) or 0) >= HOURLY_FROM


@sensible("Freshdesk shows this ticket in a form that cannot be read")
def read_ticket(
    row: Mapping[str, Any],
    read_at: float | None,
    names: FieldNames,
    *,
    touched: bool = False,
    listed: bool = False,
    person: tuple[str, str] = ("", ""),
    open_statuses: Collection[int] = (),
) -> Ticket:
    """A ticket from its row, with its requester's name and address.

    Low counts as no priority while no agent has ``touched`` the ticket. A row that is ``listed`` need not tell tags.
    Of the account's own statuses, those in ``open_statuses`` count as open; the others as on hold, but as open while
    no agent has ``touched`` or taken the ticket, since rules may give new tickets a status of their own.
    Raises :class:`TicketError` for a row that makes no sense.
    """
    told = mapping(row.get("requester"))
    name, address = (string(told.get("name")) or person[0], string(told.get("email")) or person[1])
    ended = bool(row.get("deleted") or row.get("spam"))
    assignee = whole_number(row.get("responder_id"))
    priority = PRIORITIES.get(row["priority"]) if isinstance(row.get("priority"), int) else None
    low = priority is Priority.LOW and not touched and assignee is None
    own = "open" if row.get("status") in open_statuses or not (touched or assignee) else "hold"
    tags = row.get("tags", [] if listed else None)
    if not isinstance(tags, list):
        raise ValueError  # without them a write would lose them
    ticket = Ticket(
        id=ticket_number(row),
        subject=string(row.get("subject")),
        description=string(row.get("description_text")) or string(row.get("description")),
        status="deleted" if ended else _STATUSES.get(row.get("status", 2), own),
        priority=None if low else priority,
        tags=tags_of(tags),
        created_at=row["created_at"],
        updated_at=row["updated_at"],
        read_at=read_at,
        channel=_CHANNELS.get(row.get("source", 2), ""),
        sender=address if row.get("source") == 1 else "",
        requester=whole_number(row.get("requester_id")),
        requester_address=address,
        names=(name,) if name.strip() else (),
        group=whole_number(row.get("group_id")),
        assignee=assignee,
        brand=whole_number(row.get("product_id")),
        organization=whole_number(row.get("company_id")),
        fields=fields_of(row, names),
    )
    _ = ticket.seconds_to_last_change  # dates that are none fail here
    return ticket


def fields_of(row: Mapping[str, Any], names: FieldNames) -> dict[int, str]:
    """The custom fields of a row that hold something, by their numbers."""
    values = mapping(row.get("custom_fields"))
    found = {names[name]: field_text(value) for name, value in values.items() if name in names}
    return {key: value for key, value in found.items() if value is not None}


def holds_fields(row: Mapping[str, Any]) -> bool:
    """Whether a row has a custom field that holds something, so that the fields' names are needed."""
    return any(field_text(value) is not None for value in mapping(row.get("custom_fields")).values())


@dataclass(frozen=True)
class Conversation:
    """A reply or a note. ``text`` are its words: never log them. ``reference`` begins a key of ours, if it has one.

    ``incoming``: it came from outside. ``edited_by`` is the last editor, if any.
    """

    id: int
    at: str
    author: int | None
    private: bool
    incoming: bool
    text: str
    reference: str = ""
    edited_by: int | None = None


@sensible("a conversation of this ticket makes no sense")
def read_conversations(rows: object) -> tuple[Conversation, ...]:
    """Conversations, oldest first. Raises :class:`TicketError` for a list that makes no sense."""
    if not isinstance(rows, list):
        raise TicketError("Freshdesk's answer holds no list of conversations")
    found = [_conversation(row) for row in map(mapping, rows)]
    return tuple(sorted(found, key=lambda item: (parse_iso(item.at), item.id)))


def _conversation(row: Mapping[str, Any]) -> Conversation:
    text = string(row.get("body_text")) or string(row.get("body"))
    reference = _REFERENCE.search(text)
    return Conversation(
        id=ticket_number(row),
        at=row["created_at"],
        author=whole_number(row.get("user_id")),
        private=row.get("private") is True,
        incoming=row.get("incoming") is True,
        text=text,
        reference=reference[1] if reference else "",
        edited_by=whole_number(row.get("last_edited_user_id")),
    )


def note_body(note: str) -> dict[str, object]:
    """The body of a note's request. Its words are escaped: a ``<`` in them would swallow the rest."""
    return {"body": "<div>" + "<br>".join(html.escape(note).split("\n")) + "</div>", "private": True}


def update_body(change: Change, names: FieldNames) -> dict[str, object]:
    """The body of the request that changes everything but the note. An unknown key would have it refused."""
    body: dict[str, object] = {"tags": list(change.tags)}
    if change.priority is not None:
        body["priority"] = _NUMBERS[change.priority]
    if "priority" in change.cleared:
        body["priority"] = LOW
    if change.group is not None or "group" in change.cleared:
        body["group_id"] = change.group
    known = {number: name for name, number in names.items()}
    if fields := {known[number]: value for number, value in change.field_values.items() if number in known}:
        body["custom_fields"] = fields
    return body


def ticket_field(row: Mapping[str, Any]) -> TicketField:
    """A field of the account's tickets, as set-ups are compared with it."""
    kind, choices = str(row.get("type") or ""), row.get("choices")
    return TicketField(
        id=row["id"],
        title=str(row.get("label") or row.get("name") or ""),
        kind="checkbox" if kind == "custom_checkbox" else kind,
        active=not row.get("archived"),
        system=row.get("default") is True,
        required=row.get("required_for_closure") is True,
        # A list or, where one choice leads to others, the names at the top of the tree.
        options={str(value): str(value) for value in choices} if isinstance(choices, list | dict) else {},
    )


def field_names(rows: Iterable[Mapping[str, Any]]) -> FieldNames:
    """The custom fields among an account's ticket fields; Freshdesk's own ones are no custom fields."""
    return {
        string(row.get("name")): row["id"]
        for row in rows
        if isinstance(row.get("id"), int) and not row.get("default") and row.get("name")
    }


def own_statuses(rows: Iterable[Mapping[str, Any]]) -> dict[int, str]:
    """The statuses that the account has made itself, by number, with their names; not the two of a new account, which
    wait for somebody."""
    choices = next((mapping(row.get("choices")) for row in rows if row.get("type") == "default_status"), {})
    named = {key: value[0] if isinstance(value, list) and value else value for key, value in choices.items()}
    return {
        int(key): string(name) for key, name in named.items() if key.isdecimal() and int(key) not in _KNOWN_STATUSES
    }


def refused_fields(reply: Reply) -> tuple[str, ...]:
    """The names of the fields that made Freshdesk refuse a request, where they are fit for a log."""
    named = [item.get("field") for item in mappings(mapping(reply.body).get("errors"))]
    return tuple(name for name in named if isinstance(name, str) and _SAFE_WORD.match(name))


def error_code(reply: Reply) -> str:
    """The error's fixed code word, fit for a log. Messages may quote a ticket, so they are not used."""
    body = mapping(reply.body)
    code = body.get("code") or next((item.get("code") for item in mappings(body.get("errors"))), None)
    return f", {code}" if isinstance(code, str) and _SAFE_WORD.match(code) else ""


def listed(reply: Reply, what: str, hint: str = "") -> list[dict[str, Any]]:
    """The rows with ids of an answer that is a list of ``what``. Raises :class:`CannotRun` with ``hint``.

    With a hint it is about a user, and where there is no such user, it raises :class:`ConfigError`.
    """
    if hint and reply.status in (400, 404):
        raise ConfigError(NO_USER)
    if not reply.ok:
        raise CannotRun(f"Freshdesk refuses to show its {what} (HTTP {reply.status}){hint}")
    if not isinstance(reply.body, list):
        raise HelpdeskDown(f"Freshdesk's answer is no list of {what}")
    return with_ids(reply.body)


def rows_of(reply: Reply) -> list[Mapping[str, Any]]:
    """The rows of an answer that is a list. Raises :class:`HelpdeskDown` for any other."""
    if not isinstance(reply.body, list):
        raise HelpdeskDown("Freshdesk's answer is no list")
    return [mapping(row) for row in reply.body]


def people_of(rows: Iterable[Mapping[str, Any]]) -> dict[int, tuple[str, str]]:
    """Names and addresses of requesters, by number, from rows that tell them."""
    told = ((whole_number(row.get("requester_id")), mapping(row.get("requester"))) for row in rows)
    return {key: (string(one.get("name")), string(one.get("email"))) for key, one in told if key is not None and one}


def _number(text: str | None) -> int | None:
    try:
        return int(float(text or ""))
    except ValueError:
        return None
