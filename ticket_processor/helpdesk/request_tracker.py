"""The client of Request Tracker 5, by its REST 2 interface. RT's words stop here.

A write is a comment, if there is a note, another look, and one ``PUT`` with everything else. ``If-Match`` guards that:
with the number of the newest transaction that we have seen, RT refuses it once there is a newer one. RT checks first
and writes then, without a lock, so that two writes of the same moment may both be made; each leaves its old values
on record, by which a run finds and puts back what a person lost. RT answers a write that it makes in part, or not at
all, as one that it made, in words of the user's language: what was written is read from the record.

Lists go by number, never by date: RT reads dates in its user's time zone. It hides entries of records after it has cut
them into pages, so that they are read until a page is empty. Asking for a merged ticket shows the one that survived.

Facts: a running RT 5.0.3; docs.bestpractical.com/rt/5.0.3/RT/REST2.html.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, ClassVar
from urllib.parse import quote

from ..core.clock import iso, parse_iso
from ..core.errors import (
    HelpdeskDown,
    NotAuthorised,
    OutcomeUnknown,
    TicketError,
    UpdateConflict,
    UpdateRefused,
    WaitForEarlier,
)
from ..core.models import Change, Ticket
from ..state.records import KeptWrite
from ..state.store import State
from .http_messages import Reply, is_unauthorised, mapping, not_shown, string, tickets_of, write_refused
from .note_first import LATE_S, NoteFirstDesk, SeenTicket, of_people
from .protocol import Page
from .request_tracker_format import (
    NOBODY,
    NOTE_FIELD,
    CustomField,
    Said,
    Shape,
    TrackerRecord,
    TrackerUser,
    Transaction,
    any_of,
    custom_fields,
    history_of,
    names_in,
    note_body,
    note_of,
    number,
    person_of,
    read_said,
    read_ticket,
    read_transactions,
    replaced_priority,
    status_of,
    text_parts,
    write_body,
)
from .request_tracker_reads import BASE, get, pages_of, queues_of, rows_of
from .ticket_history import Edit, History
from .transport import Transport

MOST_PAGES = 200
"""Of one ticket's record: 20,000 transactions."""
MARGIN_S = 120.0
"""A ticket may become visible after one with a higher number: so long the place of a listing stays before it."""
ZONES_S = 2 * 86_400.0
"""A date in a query has an unknown time zone, so the search begins this much earlier."""
MOST_TEXTS, TEXTS_AT_ONCE = 5_000, 40
_RECORD = "Type,Creator,Created,Field,OldValue,NewValue,CustomFields"
_MAIL = ("EmailRecord", "CommentEmailRecord")


@dataclass(frozen=True)
class View(SeenTicket):
    """A ticket with the ``etag`` that guards a write on it, and the fields that it shows, by name."""

    etag: str
    fields: Mapping[str, CustomField]


class RequestTracker(NoteFirstDesk[View]):
    """One Request Tracker, behind the :class:`Helpdesk` protocol. New tickets are listed; changed ones are not.

    Thread-safe, as its transport and ``state`` are. ``own`` is the number of our user.
    """

    ended: ClassVar = ("deleted", "closed")

    def __init__(self, transport: Transport, state: State | None, shape: Shape, own: int) -> None:
        super().__init__(transport, state)
        self._shape = shape
        self._own = own
        self._people: dict[str, TrackerUser] = {}
        self._active: dict[tuple[int | None, str], bool] = {}
        self._first: dict[int, str] = {}
        self._groups: dict[int, str] | None = None

    # Reading

    def pages(self, cursor: str | None, since: float) -> Iterator[Page]:
        """See :meth:`Helpdesk.pages`: new tickets by number."""
        after = number((cursor or "").removeprefix("id:")) or 0
        for rows, date in pages_of(self._transport, f"id > {after}" if after else _created(since)):
            tickets, unread, nameless = self._tickets(rows, date)
            if nameless:
                self.report(nameless)
            settled = [one.id for one in tickets if date and parse_iso(one.created_at) <= date - MARGIN_S]
            after = max((after, *settled))
            new = tickets if cursor else tuple(one for one in tickets if parse_iso(one.created_at) >= since)
            yield Page(new, f"id:{after}" if after else None, last=False, unread=unread)
        yield Page((), f"id:{after}" if after else None, last=True)

    def solved(self, since: float) -> Iterator[tuple[Ticket, ...]]:
        """Solved and closed tickets created since ``since`` (Unix seconds). Raises :class:`CannotRun`."""
        for rows, date in pages_of(self._transport, f"{_created(since)} AND Status = '__Inactive__'"):
            tickets = self._tickets(rows, date)[0]
            yield tuple(
                one for one in tickets if one.status in ("solved", "closed") and parse_iso(one.created_at) >= since
            )

    def _tickets(
        self, rows: Sequence[Mapping[str, Any]], date: float | None
    ) -> tuple[tuple[Ticket, ...], dict[int, TicketError], str]:
        users = (user for row in rows for user in (row.get("Owner"), *(row.get("Requestor") or ())))
        self._people |= {person.name: person for user in users if (person := person_of(user)) is not None}
        numbered = [{**row, "id": number(row.get("id"))} for row in rows]
        return tickets_of(numbered, "Request Tracker", lambda row: self._ticket(row, date))

    def _read(self, ticket_id: int) -> View | None:
        reply = self._get(f"/ticket/{ticket_id}")
        row = mapping(reply.body)
        if reply.status == 404 or (reply.ok and number(row.get("id")) != ticket_id):
            return None
        if not reply.ok:
            raise not_shown(f"Request Tracker refuses to show this ticket (HTTP {reply.status})", reply)
        for name in {*names_in(row)} - {"", NOBODY, *self._people}:
            person = person_of(self._get(f"/user/{quote(name, safe='')}").body, name)
            self._people |= {name: person} if person else {}
        return View(self._ticket(row, reply.date), reply.headers.get("ETag", ""), custom_fields(row))

    def _ticket(self, row: Mapping[str, Any], date: float | None) -> Ticket:
        ticket_id, queue = number(row.get("id")) or 0, number(mapping(row.get("Queue")).get("id"))
        if ticket_id not in self._first:  # what a ticket was made with never changes
            said = self._said(ticket_id, first=True)
            self._first[ticket_id] = said[min(said)] if said else ""
            if len(self._first) > MOST_TEXTS:
                self._first.pop(next(iter(self._first)))
        status = string(row.get("Status"))
        if (queue, status) not in self._active:  # sites have lifecycles of their own, so RT is asked
            reply = self._get("/tickets", {"query": f"id = {ticket_id} AND Status = '__Active__'"})
            self._active[queue, status] = bool(rows_of(reply))
        ours = status_of(status, active=self._active[queue, status])
        return read_ticket(row, self._first[ticket_id], self._shape, date, ours, self._people)

    def history(self, ticket_id: int) -> History:
        """See :meth:`Helpdesk.history`: RT's own record of transactions."""
        view = self._view(ticket_id)
        if view is None:
            return History()
        edits = TrackerRecord(view.fields, self._shape, self._own).edits(self._record(ticket_id), self._said(ticket_id))
        return history_of(view.ticket, tuple(edits))

    def _record(self, ticket_id: int, after: str | int = 0, kind: str = "") -> list[Transaction]:
        """The ticket's transactions that this user may see, behind that number or of a kind, oldest first."""
        wanted = f"TicketId = {ticket_id} AND id > {after}" + (f" AND Type = '{kind}'" if kind else "")
        query = {"query": wanted, "orderby": "id", "fields": _RECORD}
        return read_transactions(self._all("/transactions", {**query, "fields[Creator]": "id,Name"}))

    def _said(self, ticket_id: int, *, first: bool = False) -> Said:
        """What was said on the ticket, or ``first`` alone. Files are not read: they may be of any size."""
        wanted = {"fields": "TransactionId,ContentType,Filename"}
        rows = text_parts(
            self._all(f"/ticket/{ticket_id}/attachments", wanted, pages=1 if first else MOST_PAGES), first
        )
        found: list[Mapping[str, Any]] = []
        for start in range(0, len(rows), TEXTS_AT_ONCE):
            query = any_of(row["id"] for row in rows[start : start + TEXTS_AT_ONCE])
            fields = "TransactionId,ContentType,Content"
            found += rows_of(self._get("/attachments", {"query": query, "fields": fields, "per_page": "100"}))
        return read_said(found)

    def _all(self, path: str, params: Mapping[str, str], pages: int = MOST_PAGES) -> list[Mapping[str, Any]]:
        found: list[Mapping[str, Any]] = []
        for page in range(1, pages + 1):
            reply = self._get(path, {**params, "page": str(page), "per_page": "100"})
            if not reply.ok:
                raise TicketError(f"Request Tracker refuses to show this ticket's record (HTTP {reply.status})")
            rows = rows_of(reply)
            found += rows
            if not rows or page == pages == 1:
                return found
        raise TicketError(f"more than {len(found)} transactions; they were not searched")

    def _get(self, path: str, params: Mapping[str, str] = {}) -> Reply:
        return get(self._transport, path, params, about_one=True)

    # Writing

    def update(self, change: Change) -> Edit | None:
        """See :meth:`Helpdesk.update`. The note comes first and carries the reference by which it is found again.

        Raises ``WaitForEarlier`` too, where a comment without an answer may still be made.
        """
        if self._state is None:
            raise TicketError("nothing can be written without the state folder")
        if change.reply is not None or change.closing is not None:
            raise UpdateRefused("on Request Tracker no public reply is sent and no status set: a comment has no guard")
        view = self._seen(change)
        self._refuse_parts(view, change)
        if change.note is not None and not self._noted(view, change):
            sent = self._send_note(change, view.ticket.read_at or 0.0)
            again, since = self._seen(change, reread=True), self._since(view)
            if not any(item.id == sent and item.reference for item in since):
                raise UpdateRefused(
                    f"Request Tracker shows no reference ('{NOTE_FIELD}') on our note, which could be sent twice then: "
                    "give this user the rights ShowTicketComments, SeeCustomField and ModifyCustomField",
                    if_shared=NotAuthorised,
                )
            strange = any(item.type not in _MAIL and not item.by(self._own) for item in since)
            if strange or of_people(again.ticket) != of_people(view.ticket):
                raise UpdateConflict("the ticket changed while the note was written")
            if any(item.type == "CommentEmailRecord" for item in since):
                self.report("Request Tracker mailed our note to people: see docs/request-tracker.md, 'Mail'")
            self._viewed = view = replace(again, since=change.stamp)
        moves = change.puts_back and (change.priority is not None or "priority" in change.cleared)
        items = self._record(change.ticket_id) if moves else []
        priority = replaced_priority(change, self._shape, items, self._own)
        body = write_body(change, self._shape, view.fields, priority)
        reply = self._send("PUT", f"/ticket/{change.ticket_id}", body, {"If-Match": view.etag})
        if not reply.ok:
            raise write_refused("Request Tracker", reply)
        return self._made(view, change)

    def _made(self, view: View, change: Change) -> Edit:
        """The write as RT has it on record: it says of every write that it was made."""
        try:
            edits = list(TrackerRecord(view.fields, self._shape, self._own).edits(self._since(view), {}))
        except TicketError as error:
            raise OutcomeUnknown("the record of the ticket cannot be read after the update") from error
        edit = next((one for one in edits if (one.key, one.intent) == (change.key, change.intent)), None)
        if edit is None:
            raise UpdateRefused(
                "Request Tracker took the update and did not make it: give ticketbot's user the rights ModifyTicket, "
                "SeeCustomField and ModifyCustomField; see 'ticketbot doctor'",
                if_shared=NotAuthorised,
            )
        return edit.model_copy(update={"comment": "internal" if change.note is not None else None})

    def _refuse_parts(self, view: View, change: Change) -> None:
        """RT makes the rest of a write of which it refuses a part: what it would refuse is not sent."""
        if self._groups is None and change.group is not None:
            self._groups = queues_of(self._transport)
        if change.group is not None and change.group not in (self._groups or ()):
            message = f"Request Tracker knows no group {change.group} (a queue); see 'ticketbot doctor'"
            raise self.part_refused(message, "group")
        if not {*change.fields, *change.fields_cleared} <= {item.id for item in view.fields.values()}:
            raise self.part_refused("this queue lacks a ticket field that a category names", "fields")

    def _since(self, view: View) -> list[Transaction]:
        """What has come since a ticket was read."""
        return self._record(view.ticket.id, view.etag.strip('"') or 0)

    def withdraw(self, change: Change) -> None:
        """See :meth:`Helpdesk.withdraw`: RT deletes no comment, so a note that was sent is told to people."""
        view = self._view(change.ticket_id) if self._sent(change) else None
        if view is not None and self.history(change.ticket_id).find(change.key) is None and self._noted(view, change):
            raise UpdateRefused("a note of ours stays on the ticket without its tags: Request Tracker deletes none")

    # The note

    def _noted(self, view: View, change: Change) -> bool:
        """Whether the note for this write is there. Raises ``WaitForEarlier`` while one may still come."""
        sent = self._sent(change)
        if not sent and view.ticket.seconds_to_last_change <= 0:
            return False
        ours = [item for item in self._record(change.ticket_id, kind="Comment") if item.by(self._own)]
        said = {} if all(item.reference for item in ours) else self._said(change.ticket_id)
        if note_of(ours, said, self._own, change.key) is not None:
            return True
        now = view.ticket.read_at or 0.0
        if any(write.note is None and now - (write.note_sent or 0.0) < LATE_S for write in sent):
            raise WaitForEarlier("a note may still be on its way")
        return False

    def _sent(self, change: Change) -> list[KeptWrite]:
        """The writes under this key whose note was sent."""
        known = self._writes(change.ticket_id)
        return [write for write in known if write.change.key == change.key and write.note_sent is not None]

    def _send_note(self, change: Change, now: float) -> int:
        """Send the note; the number of its transaction."""
        kept = self._keep(KeptWrite(change=change.model_copy(update={"note": None})), note_sent=now)
        reply = self._send("POST", f"/ticket/{change.ticket_id}/comment", note_body(change), {})
        if not reply.ok:
            self._keep(kept, note_sent=None)
            if reply.status in (400, 403):
                raise self.part_refused("Request Tracker refuses our note: give the right CommentOnTicket", "note")
            raise write_refused("Request Tracker", reply)
        place = number(reply.headers.get("Location", "").rpartition("/")[2])
        if place is None:
            raise OutcomeUnknown("the reply to the note names no transaction", if_shared=HelpdeskDown)
        self._keep(kept, note=place)
        return place

    def _send(self, method: str, path: str, body: Mapping[str, Any], headers: Mapping[str, str]) -> Reply:
        headers = {"Connection": "close", **headers}
        return self._transport.request(method, BASE + path, json=body, headers=headers, ours=is_unauthorised)


def _created(since: float) -> str:
    """A query for tickets made since a moment (Unix seconds), and some before, whatever the user's time zone."""
    return f"Created > '{iso(since - ZONES_S)[:10]}'"
