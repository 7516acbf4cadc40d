"""The Freshdesk client: a handful of calls, each in its own method. Freshdesk's words stop here.

Freshdesk has no guarded update, no record of changes and no idempotency key, and a note travels by itself. So a write
is a note, if there is one, another look, and one ``PUT`` with everything else; what was sent is kept in the state.
Between the last look and the ``PUT`` nothing keeps a person's change from being overwritten.

Facts and their sources: developers.freshdesk.com/api, "Tickets", "Conversations", "Rate Limit".
"""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import replace
from typing import NoReturn

from .core.clock import iso
from .core.errors import (
    HelpdeskDown,
    NotAuthorised,
    NotePublished,
    OutcomeUnknown,
    TicketError,
    TicketGone,
    UpdateConflict,
    UpdateRefused,
    WaitForEarlier,
)
from .core.models import Change, KeptWrite, Ticket
from .helpdesk.freshdesk_format import (
    ACCOUNT_LIMIT,
    UPDATE_LIMIT,
    Conversation,
    FieldNames,
    ListingPlace,
    error_code,
    note_body,
    refused_fields,
    update_body,
)
from .helpdesk.freshdesk_history import as_edit, history_of, shows
from .helpdesk.freshdesk_reads import FreshdeskViews, Listing, TicketView
from .helpdesk.http_messages import Effect, Reply, is_unauthorised, mapping
from .helpdesk.note_first import LATE_S, NoteFirstDesk, of_people
from .helpdesk.protocol import Page
from .helpdesk.ticket_history import Edit, History
from .helpdesk.transport import Transport
from .state.store import State


class Freshdesk(NoteFirstDesk[TicketView]):
    """One Freshdesk account, behind the :class:`Helpdesk` protocol.

    Thread-safe, as its transport and ``state`` are; without ``state`` it can only read, and knows no write of ours but
    by its note. ``marker`` is the tag on tickets that are done; ``open_statuses`` are
    the account's own statuses that count as open. ``troubles`` are sentences for the run's report.
    """

    no_jobs = "Freshdesk has no jobs of different updates"

    def __init__(
        self,
        transport: Transport,
        state: State | None = None,
        *,
        marker: str = "ai_processed",
        open_statuses: Collection[int] = (),
    ) -> None:
        super().__init__(transport, state)
        self._marker = marker
        self._views = FreshdeskViews(transport, state, open_statuses)
        self._listing = Listing(transport)
        self.troubles = self._views.troubles

    def _read(self, ticket_id: int) -> TicketView | None:
        return self._views.read(ticket_id)

    # Reading

    def pages(self, cursor: str | None, since: float) -> Iterator[Page]:
        """See :meth:`Helpdesk.pages`: by last change; see :class:`Listing`."""
        place = ListingPlace.read(cursor, since)
        begun: float | None = None
        for rows, date, last in self._listing.changed_since(place.moment):
            begun = begun or date
            tickets, unread = self._views.tickets(place.new(rows, date), date)
            # What changed after the listing began is the next run's: most of it are this one's own writes.
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
            tickets, _ = self._views.tickets(place.new(rows, date), date)
            yield tuple(ticket for ticket in tickets if ticket.status in ("solved", "closed"))

    def history(self, ticket_id: int) -> History:
        """See :meth:`Helpdesk.history`: put together from the ticket, its conversations and our own writes."""
        view = self._view(ticket_id)
        if view is None:
            return History()
        return history_of(
            view.ticket, self._views.all_said(view), self._confirmed(view.ticket), self._views.own(), self._marker
        )

    # Writing

    def update(self, change: Change) -> Edit | None:
        """See :meth:`Helpdesk.update`. Nothing guards it, so the ticket should have been fetched a moment ago.

        The note comes first and carries the reference by which it is found again. Tags come last, the marker among
        them, so that a ticket that carries the marker is done.
        Raises ``WaitForEarlier`` too, where a request without an answer may still take effect.
        """
        if self._state is None:
            raise TicketError("nothing can be written without the state folder")
        if change.reply is not None or change.closing is not None:
            raise UpdateRefused("nothing guards an update on Freshdesk, so no public reply is sent")
        names = self._views.names(bool(change.fields or change.fields_cleared))
        if not {*change.fields, *change.fields_cleared} <= {*names.values()}:
            raise self._part_refused("Freshdesk does not tell of a ticket field with this number", "fields")
        view = self._seen(change)
        self._wait_for_earlier(view, change)
        replaced = {*change.fields_replaced, *change.fields_cleared}
        before = {key: value for key, value in view.ticket.fields.items() if key in replaced}
        kept = KeptWrite(change=change.model_copy(update={"note": None}), fields_before=before)
        note = None if change.note is None else self._our_note(view, change)
        if change.note is not None and note is None:
            kept = self._send_note(change, kept, view.ticket.read_at)
            again = self._seen(change, anew=True)
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
            effect=Effect.WRITE,
            limits={ACCOUNT_LIMIT: 1, UPDATE_LIMIT: 1},
            ours=is_unauthorised,
        )
        if not reply.ok:
            self._keep(kept, sent=None)
            self._explain(reply, change, names)
        row = mapping(reply.body)
        if row.get("id") != change.ticket_id or not isinstance(row.get("updated_at"), str):
            raise OutcomeUnknown("the reply to the update is not about this ticket", if_shared=HelpdeskDown)
        return as_edit(self._keep(kept, done=row["updated_at"]), note, self._views.own())

    def withdraw(self, change: Change) -> None:
        """See :meth:`Helpdesk.withdraw`: a note that was sent for ``change`` is deleted, unless a person edited it.

        Raises ``WaitForEarlier`` while one may still come.
        """
        writes = [write for write in self._views.writes(change.ticket_id) if write.change.key == change.key]
        view = self._view(change.ticket_id) if any(write.note_sent for write in writes) else None
        if view is None or any(write.sent and shows(view.ticket, write.change) for write in writes):
            return  # no note was sent, or it came with the rest
        self._wait_for_earlier(view, change)
        note = self._our_note(view, change)
        if note is not None and note.edited_by in (None, self._views.own()):
            self._delete_note(note.id)

    def _our_note(self, view: TicketView, change: Change) -> Conversation | None:
        """The note that was sent for the same write before, if it is there."""
        said = view.said
        if not view.whole and not any(_is_note(item, change, self._views.own()) for item in said):
            said = self._views.all_said(view)
        return next((item for item in said if _is_note(item, change, self._views.own())), None)

    def _wait_for_earlier(self, view: TicketView, change: Change) -> None:
        now = view.ticket.read_at or 0.0
        for write in self._views.writes(change.ticket_id):
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
            effect=Effect.WRITE,
            limits=(ACCOUNT_LIMIT,),
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
        reply = self._transport.request(
            "DELETE", f"/api/v2/conversations/{number}", limits=(ACCOUNT_LIMIT,), about_one=True
        )
        if not reply.ok and reply.status != 404:
            raise UpdateRefused(f"Freshdesk refuses to delete our note (HTTP {reply.status}{error_code(reply)})")

    def _explain(self, reply: Reply, change: Change, names: FieldNames) -> NoReturn:
        """Raise what a refusal says of this change."""
        if reply.status in (404, 405):
            raise TicketGone("deleted")  # or marked as spam
        if reply.status == 409:
            raise UpdateConflict("the ticket changed since it was read")
        if reply.status in (401, 403):
            raise UpdateRefused(
                f"Freshdesk forbids this agent to update the ticket (HTTP {reply.status}{error_code(reply)})",
                if_shared=NotAuthorised,
            )
        refused = refused_fields(reply)
        if "group_id" in refused and (change.group is not None or "group" in change.cleared):
            raise self._part_refused(f"Freshdesk knows no group {change.group}; see 'ticketbot doctor'", "group")
        if "priority" in refused and (change.priority is not None or "priority" in change.cleared):
            raise self._part_refused("Freshdesk refuses the priority", "priority")
        ours = {name for name, number in names.items() if number in change.fields}
        if ours.intersection(refused):
            raise self._part_refused("Freshdesk refuses the value of a ticket field; see 'ticketbot doctor'", "fields")
        if refused:
            raise UpdateRefused(f"Freshdesk refuses every change of this ticket until its field {refused[0]} is right")
        raise UpdateRefused(f"Freshdesk refused the update (HTTP {reply.status}{error_code(reply)})")

    # What the state knows

    def _confirmed(self, ticket: Ticket) -> tuple[KeptWrite, ...]:
        """Our writes on a ticket; one without an answer counts as done for good once the ticket has shown it."""
        return tuple(
            self._keep(write, done=max(ticket.updated_at, iso(write.sent)))
            if write.sent is not None and not write.done and shows(ticket, write.change)
            else write
            for write in self._views.writes(ticket.id)
        )


def _is_note(item: Conversation, change: Change, own: int | None) -> bool:
    return item.author == own and bool(item.reference) and change.key.startswith(item.reference)
