"""The Zendesk client: a handful of calls, each in its own method. Zendesk's words stop here.

Facts and their sources: developer.zendesk.com, "Incremental Exports", "Tickets" (safe updates), "Search",
"Ticket Audits", "Rate limits".
"""

from __future__ import annotations

import html
import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from .clock import iso, parse_iso
from .errors import (
    CannotRun,
    GroupUnknown,
    HelpdeskDown,
    NotAuthorised,
    NotePublished,
    OutcomeUnknown,
    TicketError,
    TicketGone,
    UpdateConflict,
    UpdateRefused,
)
from .helpdesk import FoundWrite, Page, TicketField
from .models import Change, Priority, TakenOff, Ticket
from .throttle import Limit
from .transport import Effect, Reply, Transport
from .zendesk_labels import CHOICES, LabelsForbidden, read_fields

PAGE_SIZE = 1000
SHOW_MANY_MAX = 100
EXPORT_LIMIT = "incremental-exports"
UPDATE_LIMIT = "tickets-update"
ACCOUNT_LIMIT = "account"
SEARCH_OVERLAP_S = 1800
"""Search lags behind by minutes, so each listing by search begins this much before the end of the last one."""

MAX_AUDIT_PAGES = 50
FORBIDDEN_IN_A_ROW = 3
_PRIORITIES = frozenset(item.value for item in Priority)
METADATA = "ticketbot"
_EMPTY: tuple[object, ...] = (None, "", [])
"""What a field without a value holds. An unticked box is not among them: a person may have unticked it."""

_ENDPOINT_LIMIT = re.compile(r"zendesk-rate-?limit-(?P<name>[a-z-]+)$")
_LIMIT_PART = re.compile(r"(total|remaining|resets)\s*=\s*(\d+)")
_SAFE_CODE = re.compile(r"^[A-Za-z][A-Za-z0-9_ ]{0,39}$")


class Zendesk:
    """One Zendesk account, behind the :class:`~ticket_processor.helpdesk.Helpdesk` protocol.

    Thread-safe, as its transport is. ``source`` is ``"export"`` (needs an admin), ``"search"``, or ``"auto"``:
    export, and search where the account is not allowed to export. ``troubles`` are sentences on what it had to do
    without, for whoever reads the run's report.
    """

    def __init__(self, transport: Transport, *, source: str = "auto", page_size: int = PAGE_SIZE) -> None:
        self._transport = transport
        self._source = source
        self._page_size = page_size
        self._forbidden: set[int] = set()
        self._known_fields: Mapping[int, TicketField] | None = None
        self.troubles: list[str] = []

    # Reading

    def pages(self, cursor: str | None, since: float) -> Iterator[Page]:
        """See :meth:`Helpdesk.pages`. Cursors are ``export:…`` or ``search:…``, so a run resumes as it began."""
        kind, _, place = (cursor or "").partition(":")
        if kind == "search":
            since, place = parse_iso(place), ""
        if self._source == "search" or (kind == "search" and self._source == "auto"):
            yield from self._search_pages(since)
            return
        try:
            yield from self._export_pages(place or None, since)
        except _ExportForbidden:
            if self._source == "export":
                raise NotAuthorised(
                    "this Zendesk user may not use the incremental export (HTTP 403): make it an admin, or set "
                    "zendesk.source to 'search'"
                ) from None
            yield from self._search_pages(since)

    def _export_pages(self, cursor: str | None, since: float) -> Iterator[Page]:
        params: dict[str, str | int] = {"per_page": self._page_size, "include": "users"}
        if cursor is None:
            params["start_time"] = int(since)
        else:
            params["cursor"] = cursor
        seen = {cursor}
        while True:
            reply = self._get("/incremental/tickets/cursor", params, (ACCOUNT_LIMIT, EXPORT_LIMIT))
            if reply.status == 403:
                raise _ExportForbidden
            if not reply.ok:
                raise CannotRun(
                    f"Zendesk refuses the export (HTTP {reply.status}{_code(reply)}); if the stored cursor is the "
                    "reason, start again with --since, which repeats no work"
                )
            body = _body(reply)
            after, last = body.get("after_cursor"), bool(body.get("end_of_stream"))
            if not last and (not after or after in seen):
                raise HelpdeskDown("Zendesk's export repeats a cursor before its end; nothing is lost, try later")
            seen.add(after)
            yield Page(
                tickets=_tickets(reply),
                cursor=f"export:{after}" if after else None,
                last=last,
            )
            if last:
                return
            params = {"per_page": self._page_size, "include": "users", "cursor": str(after)}

    def _search_pages(self, since: float) -> Iterator[Page]:
        """Tickets created since, by search export: no admin needed, but minutes late and by creation only."""
        newest = since
        for tickets, last in self._searched(f"created>={iso(since)} status<solved"):
            newest = max([newest, *(parse_iso(ticket.created_at) for ticket in tickets)])
            resume = max(since, newest - SEARCH_OVERLAP_S)
            yield Page(tickets=tickets, cursor=f"search:{iso(resume)}" if last else None, last=last)

    def solved(self, since: float) -> Iterator[tuple[Ticket, ...]]:
        """Solved and closed tickets created since ``since`` (Unix seconds), a page at a time, by search export.

        Each page is read once more by its ids: a search lags behind, and does not know the requesters' names.
        Take the pages without long pauses: Zendesk keeps the place for an hour. Raises :class:`CannotRun`.
        """
        for tickets, _ in self._searched(f"created>={iso(since)} status>=solved"):
            fresh = self.fetch([ticket.id for ticket in tickets])
            yield tuple(fresh.get(ticket.id, ticket) for ticket in tickets)

    def _searched(self, query: str) -> Iterator[tuple[tuple[Ticket, ...], bool]]:
        """Pages of what a search finds, and whether each is the last."""
        params: dict[str, str | int] = {"query": query, "filter[type]": "ticket", "page[size]": SHOW_MANY_MAX}
        seen = set()
        while True:
            reply = self._get("/search/export", params, (ACCOUNT_LIMIT, "search-export"))
            if reply.status == 403:
                raise NotAuthorised("this Zendesk user may neither export nor search tickets (HTTP 403)")
            if not reply.ok:
                raise CannotRun(f"Zendesk refuses the search (HTTP {reply.status}{_code(reply)})")
            tickets = _tickets(reply, "results")
            meta = _body(reply).get("meta") or {}
            after, more = meta.get("after_cursor"), bool(meta.get("has_more"))
            if more and (not after or after in seen):
                raise HelpdeskDown("Zendesk's search repeats a cursor before its end; nothing is lost, try later")
            seen.add(after)
            yield tickets, not more
            if not more:
                return
            params["page[after]"] = str(after)

    def fetch(self, ticket_ids: Sequence[int]) -> Mapping[int, Ticket]:
        """See :meth:`Helpdesk.fetch`; one request for each hundred."""
        found: dict[int, Ticket] = {}
        for start in range(0, len(ticket_ids), SHOW_MANY_MAX):
            part = ticket_ids[start : start + SHOW_MANY_MAX]
            reply = self._get("/tickets/show_many", {"ids": ",".join(map(str, part)), "include": "users"})
            if not reply.ok:
                raise CannotRun(f"Zendesk refuses to show tickets (HTTP {reply.status}{_code(reply)})")
            found.update((ticket.id, ticket) for ticket in _tickets(reply))
        return found

    def find_write(self, ticket_id: int, key: str) -> FoundWrite | None:
        """See :meth:`Helpdesk.find_write`: our key lies in an audit's ``metadata.custom``, which nobody can edit."""
        for audit in self._audits(ticket_id):
            mark = _mapping(_mapping(_mapping(audit.get("metadata")).get("custom")).get(METADATA))
            if mark.get("key") == key:
                return FoundWrite(intent=str(mark.get("intent", "")))
        return None

    def taken_off(self, ticket_id: int) -> TakenOff:
        """See :meth:`Helpdesk.taken_off`, from the audits' changes, oldest first."""
        removed: set[str] = set()
        emptied: dict[str, bool] = {}
        for audit in self._audits(ticket_id):
            for event in map(_mapping, audit.get("events") or ()):
                name = str(event.get("field_name"))
                if name == "tags":
                    before, after = _tag_set(event.get("previous_value")), _tag_set(event.get("value"))
                    removed = (removed | (before - after)) - (after - before)
                elif name != "group_id" and not name.isdecimal():
                    continue
                elif event.get("value") not in _EMPTY:
                    emptied[name] = False
                elif event.get("type") == "Change" and event.get("previous_value") not in _EMPTY:
                    # A creation names what was left empty as well, which nobody took off.
                    emptied[name] = True
        fields = {int(name) for name, gone in emptied.items() if gone and name.isdecimal()}
        if removed:
            # Whoever takes a choice's tag off empties the drop-down, which the audit need not say.
            fields |= {key for key, field in self._ticket_fields().items() if removed & field.options.keys()}
        return TakenOff(
            tags=frozenset(removed),
            fields=frozenset(fields),
            group=emptied.get("group_id", False),
        )

    def _audits(self, ticket_id: int) -> Iterator[Mapping[str, Any]]:
        params: dict[str, str | int] = {"page[size]": 100}
        for _ in range(MAX_AUDIT_PAGES):
            reply = self._get(f"/tickets/{ticket_id}/audits", params)
            if reply.status == 404:
                return
            if not reply.ok:
                raise TicketError(f"Zendesk refuses this ticket's audits (HTTP {reply.status}{_code(reply)})")
            yield from map(_mapping, _body(reply).get("audits") or ())
            meta = _mapping(_body(reply).get("meta"))
            if not meta.get("has_more") or not meta.get("after_cursor"):
                return
            params["page[after]"] = str(meta["after_cursor"])
        raise TicketError(f"more than {MAX_AUDIT_PAGES * 100} audits; they were not searched")

    # Writing

    def update(self, change: Change) -> None:
        """See :meth:`Helpdesk.update`: one ``PUT`` carries tags, priority, group, fields, note, key and guard."""
        reply = self._transport.request(
            "PUT",
            f"/api/v2/tickets/{change.ticket_id}",
            json={"ticket": self._with_choices(_update_body(change), change)},
            effect=Effect.WRITE,
            limits=(ACCOUNT_LIMIT, UPDATE_LIMIT),
        )
        if reply.status != 403:
            self._forbidden.clear()
        if reply.ok:
            _check_reply(reply, change)
            return
        if reply.status == 409:
            raise UpdateConflict("the ticket changed since it was read")
        if reply.status in (404, 410):
            raise TicketGone("deleted")
        if reply.status == 403:
            # One private group is a matter of that ticket; several in a row are a matter of this user's rights.
            self._forbidden.add(change.ticket_id)
            if len(self._forbidden) >= FORBIDDEN_IN_A_ROW:
                raise NotAuthorised(f"Zendesk forbids this user to update tickets ({len(self._forbidden)} in a row)")
            raise UpdateRefused(f"Zendesk forbids this user to update the ticket (HTTP 403{_code(reply)})")
        if reply.status == 422 and "status" in _details(reply):
            raise TicketGone("closed")
        if reply.status == 422 and change.group is not None and "group" in _details(reply):
            unknown = f"Zendesk knows no group {change.group}; see 'ticketbot taxonomy check'"
            self._trouble(unknown)
            raise GroupUnknown(unknown)
        raise UpdateRefused(f"Zendesk refused the update (HTTP {reply.status}{_code(reply)})")

    def _with_choices(self, body: dict[str, object], change: Change) -> dict[str, object]:
        """A drop-down's value has to stand among the tags as well: of two that disagree, the list of tags wins."""
        if not change.fields:
            return body
        kinds = self._ticket_fields()
        chosen = {
            key: value
            for key, value in change.fields.items()
            if key in kinds and kinds[key].kind in CHOICES and value in kinds[key].options
        }
        body["tags"] = list(dict.fromkeys((*change.tags, *chosen.values())))
        body["custom_fields"] = [
            {"id": key, "value": [value] if key in chosen and kinds[key].kind == "multiselect" else value}
            for key, value in change.fields.items()
        ]
        return body

    def _ticket_fields(self) -> Mapping[int, TicketField]:
        """Read once, when the first ticket gets a field; none where this user may not read them."""
        if self._known_fields is None:
            try:
                self._known_fields = {field.id: field for field in read_fields(self._transport)}
            except LabelsForbidden:
                self._known_fields = {}
                self._trouble(
                    "this Zendesk user may not read the ticket fields (HTTP 403): they are set without knowing which "
                    "are drop-downs, whose values Zendesk may drop"
                )
        return self._known_fields

    def _trouble(self, sentence: str) -> None:
        if sentence not in self.troubles:
            self.troubles.append(sentence)

    def _get(self, path: str, params: Mapping[str, str | int], limits: tuple[str, ...] = (ACCOUNT_LIMIT,)) -> Reply:
        return self._transport.request("GET", "/api/v2" + path, params=params, limits=limits)


class _ExportForbidden(Exception):
    pass


def read_limits(headers: Mapping[str, str]) -> dict[str, Limit]:
    """The limits that Zendesk's reply headers tell, in the 2023 and the 2024 spelling."""
    found: dict[str, Limit] = {}
    lower = {name.lower(): value for name, value in headers.items()}
    total = _number(lower, "ratelimit-limit", "rate-limit-limit", "x-rate-limit")
    remaining = _number(lower, "ratelimit-remaining", "rate-limit-remaining", "x-rate-limit-remaining")
    if total is not None and remaining is not None:
        resets = _number(lower, "ratelimit-reset", "rate-limit-reset")
        found[ACCOUNT_LIMIT] = Limit(total, remaining, None if resets is None else float(resets))
    for name, value in lower.items():
        match = _ENDPOINT_LIMIT.match(name)
        parts = {key: int(number) for key, number in _LIMIT_PART.findall(value)} if match else {}
        if match and {"total", "remaining"} <= parts.keys():
            found[match["name"]] = Limit(parts["total"], parts["remaining"], parts.get("resets"))
    return found


def note_html(note: str) -> str:
    """A plain note as HTML that Zendesk shows as it is: everything escaped, and no placeholder to expand."""
    lines = html.escape(note).replace("{", "&#123;").replace("}", "&#125;").split("\n")
    return "<p>" + "<br>".join(lines) + "</p>"


def _update_body(change: Change) -> dict[str, object]:
    body: dict[str, object] = {
        "tags": list(change.tags),
        "safe_update": True,
        "updated_stamp": change.stamp,
        "metadata": {METADATA: {"key": change.key, "intent": change.intent}},
    }
    if change.priority is not None:
        body["priority"] = change.priority.value
    if change.group is not None:
        body["group_id"] = change.group
    if change.fields:
        body["custom_fields"] = [{"id": key, "value": value} for key, value in change.fields.items()]
    if change.note is not None:
        # Left out, "public" would follow the ticket, and e-mail tickets are public.
        body["comment"] = {"html_body": note_html(change.note), "public": False}
    return body


def _check_reply(reply: Reply, change: Change) -> None:
    ticket = reply.body.get("ticket") if isinstance(reply.body, dict) else None
    if not isinstance(ticket, dict) or ticket.get("id") != change.ticket_id:
        raise OutcomeUnknown("the reply to the update is not about this ticket")
    for event in (reply.body.get("audit") or {}).get("events") or ():
        if event.get("type") == "Comment" and event.get("public"):
            raise NotePublished(
                f"Zendesk made the internal note on ticket {change.ticket_id} public although it was sent as internal"
            )


def _tickets(reply: Reply, field: str = "tickets") -> tuple[Ticket, ...]:
    rows = _body(reply).get(field)
    if not isinstance(rows, list):
        raise HelpdeskDown("Zendesk's answer holds no list of tickets")
    people = _user_names(_body(reply).get("users"))
    try:
        tickets = tuple(_ticket(row, reply.date, people) for row in rows)
        for ticket in tickets:
            _ = ticket.seconds_to_last_change  # dates that are none fail here
    except (AttributeError, KeyError, TypeError, ValueError) as error:
        raise HelpdeskDown("Zendesk's answer holds a ticket without id or dates") from error
    return tickets


def _body(reply: Reply) -> dict[str, Any]:
    if not isinstance(reply.body, dict):
        raise HelpdeskDown("Zendesk's answer is no JSON object")
    return reply.body


def _user_names(users: object) -> Mapping[int, str]:
    """Names by user id, from the users side-loaded with a page of tickets; not every endpoint has them."""
    rows = [_mapping(user) for user in users] if isinstance(users, list) else []
    return {row["id"]: _string(row.get("name")) for row in rows if isinstance(row.get("id"), int)}


def _ticket(row: Mapping[str, Any], read_at: float | None, people: Mapping[int, str]) -> Ticket:
    via = _mapping(row.get("via"))
    source = _mapping(via.get("source"))
    origin = _mapping(source.get("from"))
    sender = origin.get("address")
    names = (_string(origin.get("name")), people.get(row.get("requester_id") or 0, ""))
    priority = row.get("priority")
    return Ticket(
        id=row["id"],
        subject=_string(row.get("subject") or row.get("raw_subject")),
        description=_string(row.get("description")),
        status=row.get("status") or "new",
        priority=Priority(priority) if priority in _PRIORITIES else None,
        tags=tuple(row.get("tags") or ()),
        created_at=row["created_at"],
        updated_at=row["updated_at"],
        read_at=read_at,
        channel=_string(via.get("channel")),
        sender=_string(sender),
        names=tuple(dict.fromkeys(name for name in map(str.strip, names) if name)),
        follow_up=source.get("rel") == "follow_up",
        group=row.get("group_id") if isinstance(row.get("group_id"), int) else None,
        fields=_filled_in(row.get("custom_fields") or row.get("fields")),
    )


def _filled_in(fields: object) -> dict[int, str]:
    """The custom fields that hold something."""
    rows = [_mapping(item) for item in fields] if isinstance(fields, list) else []
    found = {row["id"]: row.get("value") for row in rows if isinstance(row.get("id"), int)}
    return {
        key: " ".join(map(str, value)) if isinstance(value, list) else str(value)
        for key, value in found.items()
        if value not in _EMPTY
    }


def _mapping(value: object) -> Mapping[str, Any]:
    return value if isinstance(value, dict) else {}


def _tag_set(value: object) -> set[str]:
    """Tags in an audit: a list in most, a text with spaces between them in some."""
    if isinstance(value, str):
        return set(value.split())
    return {item for item in value if isinstance(item, str)} if isinstance(value, list) else set()


def _string(value: object) -> str:
    return value if isinstance(value, str) else ""


def _number(headers: Mapping[str, str], *names: str) -> int | None:
    for name in names:
        value = headers.get(name, "").strip()
        if value.isdigit():
            return int(value)
    return None


def _details(reply: Reply) -> Mapping[str, object]:
    details = reply.body.get("details") if isinstance(reply.body, dict) else None
    return details if isinstance(details, dict) else {}


def _code(reply: Reply) -> str:
    """The error's fixed code word, fit for a log. Descriptions may quote a ticket, so they are not used."""
    body = reply.body if isinstance(reply.body, dict) else {}
    error = body.get("error")
    if isinstance(error, dict):
        error = error.get("title")
    if error is None and isinstance(body.get("errors"), list) and body["errors"]:
        first = body["errors"][0]
        error = first.get("code") if isinstance(first, dict) else None
    return f", {error}" if isinstance(error, str) and _SAFE_CODE.match(error) else ""
