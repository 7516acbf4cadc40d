"""The Freshdesk client: a few calls, each in its own method. No other module of the pipeline knows Freshdesk's words.

Freshdesk has no guarded update, no record of changes and no idempotency key, and takes a note in a request of its own.
So a write sends the note, if there is one, reads the ticket again, and sends one ``PUT`` with everything else; the
state keeps what was sent. A person's change between that read and the ``PUT`` is overwritten.

Facts and their sources: developers.freshdesk.com/api, "Tickets", "Conversations", "Rate Limit", "Authentication".
"""

from __future__ import annotations

import functools
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, NoReturn

from .core.clock import iso, parse_iso
from .core.errors import (
    HelpdeskDown,
    NotePublished,
    OutcomeUnknown,
    TicketError,
    UpdateConflict,
    UpdateRefused,
    WaitForEarlier,
)
from .core.models import Change, Ticket
from .helpdesk.freshdesk_format import (
    ACCOUNT_LIMIT,
    UPDATE_LIMIT,
    Conversation,
    FieldNames,
    as_edit,
    error_code,
    history_of,
    holds_fields,
    note_body,
    people_of,
    read_conversations,
    read_ticket,
    refused_fields,
    set_low,
    shows,
    update_body,
    with_references,
)
from .helpdesk.freshdesk_reads import OVERLAP_S, Listing, Rows, field_names, moment_of, own_user, rows_of
from .helpdesk.http_messages import (
    Reply,
    is_unauthorised,
    mapping,
    not_shown,
    string,
    tickets_of,
    with_ids,
    write_refused,
)
from .helpdesk.note_first import LATE_S, NoteFirstDesk, SeenTicket, of_people
from .helpdesk.protocol import Page
from .helpdesk.ticket_history import Edit, History
from .helpdesk.transport import Transport
from .state.records import KeptWrite
from .state.store import State

MAX_TICKET_BYTES = 2_000_000
EMBEDDED = 10
"""Maximum number of conversations in a view of a ticket, the oldest ones; others need requests of their own."""
CONVERSATION_PAGES = 30
MOST_REMEMBERED = 2_000
"""Maximum number of rows that a cursor names, so that the next listing passes over them."""


@dataclass(frozen=True)
class TicketView(SeenTicket):
    """A ticket with the conversations that Freshdesk shows together with it."""

    said: tuple[Conversation, ...]


class ListingPlace:
    """How far a listing has been read: the newest change, and the rows of the last two minutes before it.

    A row that was listed before is passed over until it changes.
    """

    def __init__(self, moment: float, newest: str, seen: dict[str, str]) -> None:
        self.moment = moment
        self._newest = newest
        self._seen = seen

    @classmethod
    def read(cls, cursor: str | None, since: float) -> ListingPlace:
        """The place that a cursor names; without one, ``since`` (Unix seconds)."""
        newest, _, named = (cursor or "").removeprefix("changed:").partition(";")
        seen = dict(item.split("@", 1) for item in named.split(",") if "@" in item)
        return cls(parse_iso(newest) - OVERLAP_S if newest else since, newest, seen)

    @property
    def cursor(self) -> str | None:
        """The place as a text; ``None`` where nothing was ever listed."""
        if not self._newest:
            return None
        named = sorted(self._seen.items(), key=lambda item: item[1])[-MOST_REMEMBERED:]
        return f"changed:{self._newest};" + ",".join(f"{number}@{stamp}" for number, stamp in named)

    def new(self, rows: Sequence[Mapping[str, Any]], date: float | None) -> Rows:
        """The rows that are new or changed since they were listed; moves the place behind them.

        ``date`` is the date of the answer (Unix seconds).
        """
        new = [row for row in rows if self._seen.get(str(row.get("id")), "") != str(row.get("updated_at"))]
        self._seen |= {str(row["id"]): str(row.get("updated_at")) for row in with_ids(new)}
        if (newest := moment_of(rows, date)) is not None:
            self._newest = max(self._newest, iso(newest))
            oldest = iso(newest - OVERLAP_S)
            self._seen = {number: stamp for number, stamp in self._seen.items() if stamp >= oldest}
        return new

    def is_behind(self, moment: float | None) -> bool:
        """Whether the place lies behind a moment (Unix seconds)."""
        return moment is not None and bool(self._newest) and parse_iso(self._newest) > moment


class Freshdesk(NoteFirstDesk[TicketView]):
    """One Freshdesk account, behind the :class:`Helpdesk` protocol.

    Thread-safe, as its transport and ``state`` are. Without ``state`` it can only read, and recognises our writes by
    their notes alone. ``marker`` is the tag on tickets that are done; ``open_statuses`` are the account's own statuses
    that count as open.
    """

    def __init__(
        self,
        transport: Transport,
        state: State | None = None,
        *,
        marker: str = "ai_processed",
        open_statuses: Collection[int] = (),
        service_times: bool = False,
    ) -> None:
        super().__init__(transport, state)
        self._stats = service_times
        self._marker = marker
        self._open_statuses = frozenset(open_statuses)
        self._listing = Listing(transport, stats=service_times)
        self._own = functools.cache(lambda: own_user(transport))
        self._known_fields: FieldNames | None = None
        self._people: dict[int, tuple[str, str]] = {}

    # Reading

    def pages(self, cursor: str | None, since: float) -> Iterator[Page]:
        """See :meth:`Helpdesk.pages`: by last change; see :class:`Listing`."""
        place = ListingPlace.read(cursor, since)
        begun: float | None = None
        for rows, date, last in self._listing.changed_since(place.moment):
            begun = begun or date
            tickets, unread = self._tickets(place.new(rows, date), date)
            # Tickets changed after the listing began are left to the next run: this run wrote most of them itself.
            over = last or place.is_behind(begun)
            yield Page(tickets, place.cursor, over, unread)
            if over:
                return

    def solved(self, since: float) -> Iterator[tuple[Ticket, ...]]:
        """Solved and closed tickets changed since ``since`` (Unix seconds), a page at a time, without archived ones.

        Raises :class:`CannotRun`.
        """
        place = ListingPlace.read(None, since)
        for rows, date, _ in self._listing.changed_since(since):
            tickets, _ = self._tickets(place.new(rows, date), date)
            yield tuple(ticket for ticket in tickets if ticket.status in ("solved", "closed"))

    def history(self, ticket_id: int) -> History:
        """See :meth:`Helpdesk.history`: put together from the ticket, its conversations and our own writes."""
        view = self._view(ticket_id)
        if view is None:
            return History()
        return history_of(view.ticket, self._all_said(view), self._confirmed(view.ticket), self._own(), self._marker)

    def _tickets(self, rows: Rows, date: float | None) -> tuple[tuple[Ticket, ...], dict[int, TicketError]]:
        """The tickets of a list's rows, and an error for each row that cannot be read."""
        names = self._names(any(map(holds_fields, rows)))
        self._people |= people_of(rows)
        read = functools.partial(read_ticket, read_at=date, names=names, listed=True, open_statuses=self._open_statuses)
        tickets, unread, nameless = tickets_of(rows, "Freshdesk", read)
        if nameless:
            self.report(nameless)
        return tickets, unread

    def _read(self, ticket_id: int) -> TicketView | None:
        include = {"include": "conversations" + ",stats" * self._stats}
        reply = self._get(f"/tickets/{ticket_id}", include, 2 + self._stats)
        if reply.status == 404:
            return None
        if not reply.ok:
            raise not_shown(f"Freshdesk refuses to show this ticket (HTTP {reply.status}{error_code(reply)})", reply)
        row = mapping(reply.body)
        if row.get("id") != ticket_id:
            raise TicketError("Freshdesk's answer is about another ticket")
        writes = self._writes(ticket_id)
        said = with_references(read_conversations(row.get("conversations", [])), writes, self._own)
        touched = set_low(writes) or any(map(self._by_an_agent, said)) or len(said) >= EMBEDDED
        person = self._person(row.get("requester_id"))
        names = self._names(holds_fields(row))
        ticket = read_ticket(row, reply.date, names, touched=touched, person=person, open_statuses=self._open_statuses)
        return TicketView(ticket, said)

    def _person(self, number: object) -> tuple[str, str]:
        """Name and address of a requester: from the lists that were read, or else by a request."""
        if not isinstance(number, int):
            return "", ""
        if number not in self._people:
            row = self._shown(f"/contacts/{number}") or mapping(self._shown(f"/agents/{number}").get("contact"))
            self._people[number] = string(row.get("name")), string(row.get("email"))
        return self._people[number]

    def _shown(self, path: str) -> Mapping[str, Any]:
        """A record; empty if it does not exist or this agent may not see it."""
        reply = self._get(path)
        return mapping(reply.body) if reply.ok else {}

    def _by_an_agent(self, item: Conversation) -> bool:
        ours = bool(item.reference) and item.author == self._own()
        return not item.incoming and not (ours and item.edited_by in (None, item.author))

    def _all_said(self, view: TicketView) -> tuple[Conversation, ...]:
        """All conversations of a ticket; a view holds only the oldest ones."""
        if len(view.said) < EMBEDDED:
            return view.said
        found: dict[int, Conversation] = {}
        writes = self._writes(view.ticket.id)
        for page in range(1, CONVERSATION_PAGES + 1):
            reply = self._get(f"/tickets/{view.ticket.id}/conversations", {"page": page, "per_page": 100})
            if not reply.ok:
                raise TicketError(f"Freshdesk refuses this ticket's conversations (HTTP {reply.status})")
            rows = with_references(read_conversations(reply.body), writes, self._own)
            fresh = {item.id: item for item in rows if item.id not in found}
            found |= fresh
            if not fresh or 'rel="next"' not in reply.headers.get("Link", ""):
                return tuple(sorted(found.values(), key=lambda item: (item.at, item.id)))
        raise TicketError(f"more than {CONVERSATION_PAGES * 100} conversations; they were not searched")

    def _names(self, needed: bool) -> FieldNames:
        """The account's custom fields, read once, when a ticket first has or gets one."""
        if self._known_fields is None and needed:
            reply = self._transport.request("GET", "/api/v2/ticket_fields")
            if not reply.ok:
                self.report(
                    f"this Freshdesk agent may not read the ticket fields (HTTP {reply.status}): none are read or set"
                )
            self._known_fields = field_names(rows_of(reply)) if reply.ok else {}
        return self._known_fields or {}

    def _get(self, path: str, params: Mapping[str, str | int] = {}, cost: int = 1) -> Reply:
        return self._transport.request(
            "GET",
            "/api/v2" + path,
            params=params,
            limits={ACCOUNT_LIMIT: cost},
            most=MAX_TICKET_BYTES,
            about_one=True,
        )

    # Writing

    def update(self, change: Change) -> Edit | None:
        """See :meth:`Helpdesk.update`. Freshdesk does not guard it, so fetch the ticket just before.

        The note is sent first, with a reference by which it is found again. Tags are sent last, the marker among them,
        so a ticket that carries the marker is done.
        Also raises ``WaitForEarlier`` while an earlier request that got no answer may still take effect.
        """
        if self._state is None:
            raise TicketError("nothing can be written without the state folder")
        if change.reply is not None or change.closing is not None:
            raise UpdateRefused("nothing guards an update on Freshdesk, so no public reply is sent")
        names = self._names(bool(change.fields or change.fields_cleared))
        if not {*change.fields, *change.fields_cleared} <= {*names.values()}:
            raise self.part_refused("Freshdesk does not tell of a ticket field with this number", "fields")
        view = self._seen(change)
        self._wait_for_earlier(view, change)
        replaced = {*change.fields_replaced, *change.fields_cleared}
        before = {key: value for key, value in view.ticket.fields.items() if key in replaced}
        kept = KeptWrite(change=change.model_copy(update={"note": None}), fields_before=before)
        note = None if change.note is None else self._our_note(view, change)
        if change.note is not None and note is None:
            kept = self._send_note(change, kept, view.ticket.read_at)
            again = self._seen(change, reread=True)
            if of_people(again.ticket) != of_people(view.ticket):
                raise UpdateConflict("the ticket changed while the note was written")
            self._viewed = view = replace(again, since=change.stamp)  # a refused part is left out at once
            note = self._our_note(view, change)
        for number in change.notes_removed:
            self._delete_note(number)
        kept = self._keep(kept, sent=view.ticket.read_at or 0.0)
        reply = self._transport.request(
            "PUT",
            f"/api/v2/tickets/{change.ticket_id}",
            json=update_body(change, names),
            limits={ACCOUNT_LIMIT: 1, UPDATE_LIMIT: 1},
            ours=is_unauthorised,
        )
        if not reply.ok:
            self._keep(kept, sent=None)
            self._explain(reply, change, names)
        row = mapping(reply.body)
        if row.get("id") != change.ticket_id or not isinstance(row.get("updated_at"), str):
            raise OutcomeUnknown("the reply to the update is not about this ticket", if_shared=HelpdeskDown)
        return as_edit(self._keep(kept, done=row["updated_at"]), note, self._own())

    def withdraw(self, change: Change) -> None:
        """See :meth:`Helpdesk.withdraw`: deletes the note that was sent for ``change``, unless a person edited it.

        Raises ``WaitForEarlier`` while such a note may still arrive.
        """
        writes = [write for write in self._writes(change.ticket_id) if write.change.key == change.key]
        view = self._view(change.ticket_id) if any(write.note_sent for write in writes) else None
        if view is None or any(write.sent and shows(view.ticket, write.change) for write in writes):
            return  # no note was sent, or it came with the rest
        self._wait_for_earlier(view, change)
        note = self._our_note(view, change)
        if note is not None and note.edited_by in (None, self._own()):
            self._delete_note(note.id)

    def _our_note(self, view: TicketView, change: Change) -> Conversation | None:
        """The note on the ticket that was sent for the same write before, if any."""

        def ours(item: Conversation) -> bool:
            return bool(item.reference) and change.key.startswith(item.reference) and item.author == self._own()

        return next(filter(ours, view.said), None) or next(filter(ours, self._all_said(view)), None)

    def _wait_for_earlier(self, view: TicketView, change: Change) -> None:
        now = view.ticket.read_at or 0.0
        for write in self._writes(change.ticket_id):
            note_due = write.note_sent is not None and write.note is None and now - write.note_sent < LATE_S
            if note_due and write.change.key == change.key and self._our_note(view, change) is None:
                raise WaitForEarlier("a note may still be on its way")
            if write.sent is not None and not write.done and now - write.sent < LATE_S:
                raise WaitForEarlier("an update may still be on its way")

    def _send_note(self, change: Change, kept: KeptWrite, now: float | None) -> KeptWrite:
        kept = self._keep(kept, note_sent=now or 0.0)
        reply = self._transport.request(
            "POST",
            f"/api/v2/tickets/{change.ticket_id}/notes",
            json=note_body(change.note or ""),
            ours=is_unauthorised,
        )
        if not reply.ok:
            self._keep(kept, note_sent=None)
            self._explain(reply, change, {})
        row = mapping(reply.body)
        if not isinstance(row.get("id"), int):
            raise OutcomeUnknown("the reply to the note names no note", if_shared=HelpdeskDown)
        if row.get("private") is not True:
            raise NotePublished(
                f"Freshdesk made the internal note on ticket {change.ticket_id} public although it was sent as internal"
            )
        return self._keep(kept, note=row["id"])

    def _delete_note(self, number: int) -> None:
        reply = self._transport.request("DELETE", f"/api/v2/conversations/{number}", about_one=True)
        if not reply.ok and reply.status != 404:
            raise UpdateRefused(f"Freshdesk refuses to delete our note (HTTP {reply.status}{error_code(reply)})")

    def _explain(self, reply: Reply, change: Change, names: FieldNames) -> NoReturn:
        """Raise the error that fits Freshdesk's refusal of this change."""
        refused = refused_fields(reply) if reply.status not in (401, 403, 404, 405, 409) else ()
        if "group_id" in refused and (change.group is not None or "group" in change.cleared):
            raise self.part_refused(f"Freshdesk knows no group {change.group}; see 'ticketbot doctor'", "group")
        if "priority" in refused and (change.priority is not None or "priority" in change.cleared):
            raise self.part_refused("Freshdesk refuses the priority", "priority")
        ours = {name for name, number in names.items() if number in change.fields}
        if ours.intersection(refused):
            raise self.part_refused("Freshdesk refuses the value of a ticket field; see 'ticketbot doctor'", "fields")
        if refused:
            raise UpdateRefused(f"Freshdesk refuses every change of this ticket until its field {refused[0]} is right")
        raise write_refused("Freshdesk", reply, error_code(reply), gone=(404, 405, 410))  # 405 means spam

    # What the state knows

    def _confirmed(self, ticket: Ticket) -> tuple[KeptWrite, ...]:
        """Our writes on a ticket; one that got no answer is stored as done once the ticket shows its values."""
        return tuple(
            self._keep(write, done=max(ticket.updated_at, iso(write.sent)))
            if write.sent is not None and not write.done and shows(ticket, write.change)
            else write
            for write in self._writes(ticket.id)
        )
