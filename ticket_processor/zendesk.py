"""The Zendesk client: a few calls, each in its own method. No other module of the pipeline knows Zendesk's words.

Facts and their sources: developer.zendesk.com, "Tickets" (safe updates), "Ticket Audits", "Rate limits",
"Incremental Exports", "Search".
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from .core.clock import iso, parse_iso
from .core.errors import (
    CannotRun,
    HelpdeskDown,
    JobRefused,
    NotAuthorised,
    OutcomeUnknown,
    PartRefused,
    TicketError,
    TicketGone,
    TicketUnreadable,
    TooManyJobs,
)
from .core.guards import retry_after_seconds
from .core.models import Change, Ticket
from .helpdesk.http_messages import Reply, is_unauthorised, mapping, mappings, not_shown, write_refused
from .helpdesk.protocol import Fetched, Helpdesk, JobStatus, Page, TicketField
from .helpdesk.service_times import SIDE_LOADS
from .helpdesk.ticket_history import Edit, History
from .helpdesk.transport import Transport
from .helpdesk.zendesk_format import (
    ACCOUNT_LIMIT,
    error_code,
    goes_on,
    missing_scopes,
    people_of,
    read_edits,
    read_ticket,
    recorded,
    update_body,
)
from .helpdesk.zendesk_reads import MAX_PAGE_BYTES, LabelsForbidden, Params, ZendeskReads, body_of, read_fields

SHOW_MANY_MAX = 100
PAGE_SIZE = 1000
EXPORT_LIMIT = "incremental-exports"
SEARCH_WINDOW_S = 6 * 3600.0
"""Seconds by which a listing by search begins before the end of the last one, since the search index lags."""
CHOICES = ("tagger", "multiselect")
"""Fields whose values are tags."""
MAX_AUDITS_BYTES = 2_000_000
"""Limit for a page of audits; many threads read one at the same time."""
UPDATE_LIMIT, AUDITS_LIMIT = "tickets-update", "ticket-audits"
_UNDER_WAY = ("queued", "working")
DAY_S = 86_400.0
MAX_AUDIT_PAGES = 50
NEARLY_FULL = 4_900
"""A ticket with this many comments counts as full; the limit is 5,000 (Ticket Comments)."""
MANY = 3
"""After this many tickets that cannot be shown, and none that can, the last is tried; if it fails too, so do all."""
STALE_BY_S = 3600.0
"""Seconds by which the stamp of a job's stale item is older than the ticket's own."""
_JOB_ID = re.compile(r"^[A-Za-z0-9-]{1,80}$")


class Zendesk(ZendeskReads, Helpdesk):
    """One Zendesk account, behind the :class:`Helpdesk` protocol.

    Thread-safe, as its transport is. It lists by the incremental export, and by search where the user may not export.
    """

    def __init__(self, transport: Transport, *, page_size: int = PAGE_SIZE, service_times: bool = False) -> None:
        super().__init__(transport)
        self._include = SIDE_LOADS if service_times else "users"
        self._page_size = page_size
        self._known_fields: Mapping[int, TicketField] | None = None

    # Reading

    def pages(self, cursor: str | None, since: float) -> Iterator[Page]:
        """See :meth:`Helpdesk.pages`. Cursors are ``export:…`` or ``search:…``, so a run goes on in the same way."""
        kind, _, place = (cursor or "").partition(":")
        search = kind == "search"
        return self.created_since(parse_iso(place)) if search else self.changed_since(place or None, since)

    def changed_since(self, cursor: str | None, since: float) -> Iterator[Page]:
        """Pages of tickets by last change, from a cursor of the export; by search if this user may not export."""
        params: Params = {"per_page": self._page_size, "include": self._include}
        if cursor is None:
            params["start_time"] = int(since)
        else:
            params["cursor"] = cursor
        seen, begun = {cursor}, None
        while True:
            reply = self.page("/incremental/tickets/cursor", params, "per_page", (ACCOUNT_LIMIT, EXPORT_LIMIT))
            if reply.status == 403:
                yield from self.created_since(since)
                return
            if not reply.ok:
                raise CannotRun(
                    f"Zendesk refuses the export (HTTP {reply.status}{error_code(reply)}); if the stored cursor is the "
                    "reason, start again with --since, which repeats no work"
                )
            body = body_of(reply)
            after, last = body.get("after_cursor"), bool(body.get("end_of_stream"))
            if not last and (not after or after in seen):
                raise HelpdeskDown("Zendesk's export repeats a cursor before its end; nothing is lost, try later")
            seen.add(after)
            tickets, unread = self.tickets(reply)
            # Tickets changed after the listing began are left to the next run: this run wrote most of them itself.
            begun = begun or reply.date
            last = last or changed_after(begun, body)
            yield Page(tickets, f"export:{after}" if after else None, last, unread)
            if last:
                return
            params.pop("start_time", None)
            params["cursor"] = str(after)
            del reply, body  # otherwise two pages would be in memory while the next one is read

    def created_since(self, since: float) -> Iterator[Page]:
        """Pages of tickets created since, by search export: needs no admin, but is minutes late and by creation only.

        The next listing begins :data:`SEARCH_WINDOW_S` before this one's newest ticket, since some are listed late.
        """
        newest = since
        for tickets, unread, last in self.found(f"created>={iso(since)} status<solved"):
            made = (min(parse_iso(ticket.created_at), ticket.read_at or newest) for ticket in tickets)
            newest = max([newest, *made])
            if self._include == SIDE_LOADS:
                tickets = self._as_now(tickets)  # a search side-loads no service times
            resume = max(since, newest - SEARCH_WINDOW_S)
            cursor = f"search:{iso(resume)}" if last else None
            yield Page(tickets, cursor, last, unread, since=since)

    def found(self, query: str) -> Iterator[tuple[tuple[Ticket, ...], Mapping[int, TicketError], bool]]:
        """For each page of a search: its tickets, an error for each unreadable one, and whether it is the last page."""
        params: Params = {"query": query, "filter[type]": "ticket", "page[size]": SHOW_MANY_MAX}

        def refused(reply: Reply, _words: str) -> Exception:
            if reply.status == 403:
                why = error_code(reply) if missing_scopes(reply) else ""
                return NotAuthorised(f"this Zendesk user may neither export nor search tickets (HTTP 403{why})")
            return CannotRun(f"Zendesk refuses the search (HTTP {reply.status}{error_code(reply)})")

        limits = (ACCOUNT_LIMIT, "search-export")
        searched = self.listed(
            "/search/export", params, name="results", limits=limits, most=MAX_PAGE_BYTES, refused=refused
        )
        for _, reply in searched:
            yield *self.tickets(reply, "results"), not goes_on(reply)

    def solved(self, since: float) -> Iterator[tuple[Ticket, ...]]:
        """Solved and closed tickets created since ``since`` (Unix seconds), a page at a time, by search export.

        Each page is read once more by its ids, since a search lags behind and lacks the requesters' names.
        Take the pages without long pauses: Zendesk keeps the place for an hour. Raises :class:`CannotRun`.
        """
        for tickets, _, _ in self.found(f"created>={iso(since)} status>=solved"):
            yield self._as_now(tickets)

    def _as_now(self, tickets: Sequence[Ticket]) -> tuple[Ticket, ...]:
        fresh = self.fetch([ticket.id for ticket in tickets])
        return tuple(now if isinstance(now := fresh.get(old.id), Ticket) else old for old in tickets)

    def fetch(self, ticket_ids: Sequence[int]) -> Fetched:
        """See :meth:`Helpdesk.fetch`: one request per hundred tickets, and one for each ticket that an answer lacks."""
        found: Fetched = {}
        for start in range(0, len(ticket_ids), SHOW_MANY_MAX):
            self._fetch(ticket_ids[start : start + SHOW_MANY_MAX], found)
        return found

    def _fetch(self, part: Sequence[int], found: Fetched) -> None:
        """Read tickets together; if one of them spoils the answer, read the others without it."""
        try:
            params = {"ids": ",".join(map(str, part)), "include": self._include}
            # One thread asks for a hundred at once, many threads ask for single tickets.
            most = min(MAX_PAGE_BYTES, MAX_AUDITS_BYTES + 100_000 * len(part))
            reply = self.get("/tickets/show_many", params, most=most, about_one=True)
            if not reply.ok:
                raise not_shown(f"Zendesk refuses to show tickets (HTTP {reply.status}{error_code(reply)})", reply)
            if not isinstance(body_of(reply).get("tickets"), list):
                raise TicketUnreadable("Zendesk's answer holds no list of tickets")
        except TicketError as error:
            if len(part) > 1 and _all_fail(found):
                self._fetch(part[-1:], found)
            if len(part) == 1 or _all_fail(found):
                found.update(dict.fromkeys(part, error))
            else:
                self._fetch(part[: len(part) // 2], found)
                self._fetch(part[len(part) // 2 :], found)
            return
        tickets, unread = self.tickets(reply)
        found.update((ticket.id, ticket) for ticket in tickets)
        found.update(unread)
        for ticket_id in part:
            if ticket_id not in found:
                self._fetch_alone(ticket_id, found)

    def _fetch_alone(self, ticket_id: int, found: Fetched) -> None:
        """Read a ticket that an answer about several left out: only a request for it alone can show that it is gone."""
        try:
            reply = self.get(f"/tickets/{ticket_id}", {"include": self._include}, about_one=True)
            if reply.status in (404, 410):
                return
            if not reply.ok:
                raise TicketError(f"Zendesk refuses to show this ticket (HTTP {reply.status}{error_code(reply)})")
            row = mapping(body_of(reply).get("ticket"))
            if row.get("id") != ticket_id:
                raise TicketError("Zendesk's answer is about another ticket")
            found[ticket_id] = read_ticket(row, reply.date, people_of(body_of(reply).get("users")))
        except TicketError as error:
            found[ticket_id] = error

    def history(self, ticket_id: int) -> History:
        """See :meth:`Helpdesk.history`: read from the ticket's audits, which hold our key in ``metadata.custom``."""
        edits = tuple(edit for audit in self._audits(ticket_id) for edit in read_edits(audit))
        options: dict[int, frozenset[str]] = {}
        if any(edit.tags_removed for edit in edits):
            options = {key: frozenset(field.options) for key, field in self._ticket_fields().items() if field.options}
        return History(edits=edits, options=options)

    def _audits(self, ticket_id: int) -> Iterator[Mapping[str, Any]]:
        def refused(reply: Reply, _words: str) -> Exception | None:
            message = f"Zendesk refuses this ticket's audits (HTTP {reply.status}{error_code(reply)})"
            return None if reply.status == 404 else not_shown(message, reply)

        params: Params = {"page[size]": 100}
        read = 0
        how: dict[str, Any] = {"limits": (ACCOUNT_LIMIT, AUDITS_LIMIT), "most": MAX_AUDITS_BYTES, "refused": refused}
        for audits, reply in self.listed(f"/tickets/{ticket_id}/audits", params, about_one=True, **how):
            yield from map(mapping, audits)
            read += int(params["page[size]"])  # a page may have become smaller
            if read >= MAX_AUDIT_PAGES * 100 and goes_on(reply):
                raise TicketError(f"more than {MAX_AUDIT_PAGES * 100} audits; they were not searched")

    # Writing

    def update(self, change: Change) -> Edit | None:
        """See :meth:`Helpdesk.update`: one ``PUT`` carries tags, priority, group, fields, note, key and guard."""
        reply = self._transport.request(
            "PUT",
            f"/api/v2/tickets/{change.ticket_id}",
            json={"ticket": self._with_choices(update_body(change), change)},
            limits=(ACCOUNT_LIMIT, UPDATE_LIMIT),
            ours=is_unauthorised,
        )
        if reply.ok:
            return recorded(reply, change)
        if reply.status == 422:
            self._explain(mapping(mapping(reply.body).get("details")), change)
        raise write_refused("Zendesk", reply, error_code(reply))

    def _explain(self, details: Mapping[str, object], change: Change) -> None:
        """Raise the error that fits a 422 on this change, if its details name a cause that we know."""
        if "status" in details:
            raise TicketGone("closed")
        if "group" in details and change.group is not None:
            raise self.part_refused(f"Zendesk knows no group {change.group}; see 'ticketbot doctor'", "group")
        if "group" in details and "group" in change.cleared:
            raise PartRefused("Zendesk wants the ticket to have a group", "group")
        if "priority" in details and (change.priority is not None or "priority" in change.cleared):
            raise PartRefused("Zendesk refuses the priority", "priority")
        named = {item.get("ticket_field_id") for item in mappings(details.get("base"))}
        if change.fields and ("custom_fields" in details or named & change.fields.keys()):
            raise self.part_refused("Zendesk refuses the value of a ticket field; see 'ticketbot doctor'", "fields")
        if change.note is not None and self._is_full(change.ticket_id):
            raise PartRefused("the ticket has as many comments as Zendesk allows", "note")

    def _is_full(self, ticket_id: int) -> bool:
        """True if a ticket takes no more comments. The documents do not say how Zendesk words its 422 for that, so the
        comments are counted; the count may be slightly off (Count Ticket Comments)."""
        reply = self.get(f"/tickets/{ticket_id}/comments/count", {}, about_one=True)
        count = mapping(body_of(reply).get("count")).get("value") if reply.ok else None
        return isinstance(count, int) and count >= NEARLY_FULL

    def update_many(self, changes: Sequence[Change], *, stale: int | None = None) -> str:
        """See :meth:`Helpdesk.update_many`: ``PUT /tickets/update_many``, each item with its own stamp."""
        tickets = []
        for change in changes:
            item = {"id": change.ticket_id, **self._with_choices(update_body(change), change)}
            if change.ticket_id == stale:
                item["updated_stamp"] = iso(parse_iso(change.stamp) - STALE_BY_S)
            tickets.append(item)
        reply = self._transport.request(
            "PUT",
            "/api/v2/tickets/update_many",
            json={"tickets": tickets},
            limits=(ACCOUNT_LIMIT,),
            ours=too_many_jobs,
        )
        if too_many_jobs(reply):
            wait = retry_after_seconds(reply.headers.get("Retry-After"), reply.date or 0.0)
            raise TooManyJobs("Zendesk has as many jobs under way as it allows", 10.0 if wait is None else wait)
        if not reply.ok:
            raise JobRefused(f"Zendesk refused a job of many updates (HTTP {reply.status}{error_code(reply)})")
        job_id = mapping(mapping(reply.body).get("job_status")).get("id")
        if not isinstance(job_id, str) or not _JOB_ID.match(job_id):
            raise OutcomeUnknown("the reply names no job", if_shared=HelpdeskDown)
        return job_id

    def jobs(self, job_ids: Sequence[str]) -> Mapping[str, JobStatus]:
        """See :meth:`Helpdesk.jobs`: one request for all, or one for each if they cannot be shown together."""
        found: dict[str, JobStatus] = {}
        for start in range(0, len(job_ids), SHOW_MANY_MAX):
            part = job_ids[start : start + SHOW_MANY_MAX]
            statuses = self._jobs(part)
            if statuses is None and len(part) > 1:
                statuses = {}
                for job_id in part:
                    statuses.update(self._jobs([job_id]) or {})
            found.update(statuses or {})
        return found

    def _jobs(self, job_ids: Sequence[str]) -> dict[str, JobStatus] | None:
        """The statuses of these jobs; ``None`` if the request fails, which a single stale id may cause."""
        try:
            reply = self.get("/job_statuses/show_many", {"ids": ",".join(job_ids)}, about_one=True)
        except TicketUnreadable:
            return None
        if not reply.ok:
            return None
        named = [row for row in mappings(body_of(reply).get("job_statuses")) if row.get("id") in job_ids]
        return {str(row["id"]): job_status(row) for row in named}

    def _with_choices(self, body: dict[str, object], change: Change) -> dict[str, object]:
        """Add drop-downs' values to the tags: where a field and the tags disagree, Zendesk follows the tags."""
        if not change.fields:
            return body
        kinds = self._ticket_fields()
        chosen: dict[int, list[str]] = {}
        for key, value in change.fields.items():
            field, words = kinds.get(key), value.split()
            if field is not None and field.kind in CHOICES and words and set(words) <= field.options.keys():
                chosen[key] = words
        gone = {
            tag
            for key in change.fields_replaced
            if key in chosen
            for tag in kinds[key].options
            if tag not in chosen[key]
        }
        wanted = dict.fromkeys((*change.tags, *(tag for words in chosen.values() for tag in words)))
        body["tags"] = [tag for tag in wanted if tag not in gone]
        body["custom_fields"] = [
            {"id": key, "value": chosen[key] if key in chosen and kinds[key].kind == "multiselect" else value}
            for key, value in change.field_values.items()
        ]
        return body

    def _ticket_fields(self) -> Mapping[int, TicketField]:
        """The account's ticket fields, read once when first needed; none if this user may not read them."""
        if self._known_fields is None:
            try:
                self._known_fields = {field.id: field for field in read_fields(self._transport)}
            except LabelsForbidden:
                self._known_fields = {}
                self.report(
                    "this Zendesk user may not read the ticket fields (HTTP 403): they are set without knowing which "
                    "are drop-downs, whose values Zendesk may drop"
                )
        return self._known_fields


def _all_fail(found: Fetched) -> bool:
    """True if many tickets could not be read, and none could."""
    return len(found) >= MANY and not any(isinstance(each, Ticket) for each in found.values())


def too_many_jobs(reply: Reply) -> bool:
    """True if an answer says that the account may have no more jobs; Zendesk does not document its status."""
    body = mapping(reply.body)
    codes = [item.get("code") for item in mappings(body.get("errors"))]
    error = body.get("error")
    words = (error, mapping(error).get("title"), body.get("description"), *codes)
    return not reply.ok and any("TooManyJobs" in word for word in words if isinstance(word, str))


def job_status(row: Mapping[str, Any]) -> JobStatus:
    # Only ``success`` counts: a job that says "completed" can hold items that failed, in more than one form.
    made = {
        item["id"]: item.get("success") is True
        for item in mappings(row.get("results"))
        if isinstance(item.get("id"), int)
    }
    progress = row.get("progress")
    known = progress if isinstance(progress, int) and progress > 0 else 0
    return JobStatus(ended=row.get("status") not in _UNDER_WAY, results=made, progress=known)


def changed_after(moment: float | None, body: Mapping[str, Any]) -> bool:
    """True if the last row of an export's page, and so all later rows, changed after ``moment`` (Unix seconds).

    A time of days after ``moment`` is ignored as an error.
    """
    rows = body.get("tickets")
    changed = mapping(rows[-1]).get("generated_timestamp") if isinstance(rows, list) and rows else None
    return moment is not None and isinstance(changed, int | float) and moment < changed < moment + DAY_S
