"""What the helpdesk has on record of the items of jobs, which may have replaced more than they were merged from."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from contextlib import suppress

from ..core.clock import parse_iso
from ..core.errors import TicketError
from ..core.models import Change, Ticket
from ..helpdesk.protocol import Helpdesk
from ..helpdesk.ticket_history import Edit
from .job_trust import LOST_NOTE, JobTrust
from .settlement import Settlement, note_published

LATE_AUDITS_S = 10.0
"""How far back a second look reads the account's audits."""


class JobRecords:
    """Finds our writes in jobs in the account's last audits, or in their tickets' own. Used by one thread."""

    def __init__(self, desk: Helpdesk, trust: JobTrust) -> None:
        self._desk = desk
        self._trust = trust
        self._recorded: dict[str, Edit] = {}
        self._recent_until = 0.0

    def read(self, made: Sequence[Settlement], under_way: Iterable[Settlement], *, again: bool) -> None:
        """Keep what the account's last audits tell of writes in jobs, on from where they were read last.

        ``made`` is what a job says it has done; ``again`` when a ticket of these did not show it at the last look.
        """
        moments = [
            work.read_at for work in made if work.read_at is not None and work.sent[-1].intent not in self._recorded
        ]
        if not moments:
            return
        wanted = {work.sent[-1].intent for work in under_way}
        # Audits carry whole seconds, so that the last second that was read is read again.
        overlap = LATE_AUDITS_S if again else 0.0
        newest = ""
        with suppress(TicketError):
            for _, edit in self._desk.recent_edits(max(min(moments), self._recent_until - overlap)):
                newest = max(newest, edit.at)
                if edit.intent in wanted:
                    self._recorded[edit.intent] = edit
        with suppress(ValueError):  # a date that is none, or no edit at all
            self._recent_until = max(self._recent_until, parse_iso(newest))

    def take(self, work: Settlement) -> Edit | None:
        """Our last write on a ticket, where it has been read; it is not kept longer."""
        return self._recorded.pop(work.sent[-1].intent, None)

    def compare(self, made: Sequence[Settlement], *, last: bool) -> list[Settlement]:
        """Find what each item of a job has replaced, which may be more than it was merged from.

        Gives those of which the account's last audits do not tell yet; at the ``last`` look each of these is looked up.
        """
        missing = []
        for work in made:
            if work.recorded is None and self._recent_until and not last:
                missing.append(work)
            elif work.recorded is None:
                with suppress(TicketError):
                    work.recorded = self._desk.history(work.ticket_id).find(work.sent[-1].key)
            if work.recorded is not None:
                self._look_at(work, work.recorded)
        return missing

    def _look_at(self, work: Settlement, write: Edit) -> None:
        """Whether the note of a job's item came out as it was sent."""
        change = work.sent[-1]
        if write.comment == "public":
            raise note_published(work.ticket_id)
        if change.note and write.comment is None:
            self._trust.revoke(LOST_NOTE)


def shows(ticket: Ticket, change: Change) -> bool:
    """Whether a ticket that was read shows a change; a later edit may hide it.

    A change happens whole or not at all: one new tag of it is proof, whatever triggers have made of the rest.
    """
    if ticket.updated_at == change.stamp:
        return False
    if change.tags_added:
        return not set(change.tags_added).isdisjoint(ticket.tags)
    return (
        not set(change.tags_removed) & set(ticket.tags)
        and (change.priority is None or ticket.priority is change.priority)
        and (change.group is None or ticket.group == change.group)
        and (change.closing is None or ticket.status == change.closing.status)
        # A field of several choices may come back in another order.
        and all(set(ticket.fields.get(key, "").split()) == set(value.split()) for key, value in change.fields.items())
        and ("priority" not in change.cleared or ticket.priority is None)
        and ("group" not in change.cleared or ticket.group is None)
        and not set(change.fields_cleared) & ticket.fields.keys()
    )
