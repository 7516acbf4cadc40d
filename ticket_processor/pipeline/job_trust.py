"""Learns from each job of many updates whether the account's jobs are safe; see :mod:`..helpdesk.batch_trust`."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress

from ..audit.receipts import AuditLog
from ..core.clock import Clock, iso
from ..core.errors import TicketError
from ..core.models import Change
from ..helpdesk import batch_trust
from ..helpdesk.batch_trust import BatchTrust
from ..helpdesk.protocol import Helpdesk, JobStatus
from ..helpdesk.ticket_history import Edit, History
from ..policy.skip_rules import ENDED_STATUSES
from ..state.store import State
from ..tags import reference
from .settlement import Settlement, note_published

LOST_KEY, LOST_NOTE = "a job's item lost its metadata, by which our writes are known", "a job's item lost its note"


class JobTrust:
    """Whether jobs may be used on this account. Used by one thread."""

    def __init__(self, desk: Helpdesk, state: State, audit: AuditLog, clock: Clock) -> None:
        self._desk = desk
        self._state = state
        self._audit = audit
        self._clock = clock
        self._known = batch_trust.learnt(state)

    @property
    def refused(self) -> bool:
        """Whether a job has shown that only single updates are safe here."""
        return self._known is not None and not self._known.ok

    @property
    def on_trial(self) -> bool:
        """Whether it is not known yet that jobs do all that single updates do, and that stamps guard their items."""
        return self._known is None or (self._known.ok and self._known.stamps is None)

    @property
    def stamps_guard(self) -> bool:
        """Whether an item whose stamp is out of date is known to fail."""
        return self._known is not None and self._known.stamps is True

    @property
    def unguarded(self) -> bool:
        """Whether an item counts as done only once it is known what it has replaced: no stamp is known to guard it."""
        return self._known is None or (self._known.metadata and not self._known.stamps)

    def overwrote(self, change: Change, write: Edit, history: History | None = None) -> None:
        """A write has replaced what a person set meanwhile. Unless that moved no stamp, jobs are not guarded."""
        if self.refused:
            return
        if history is None:
            history = History()
            with suppress(TicketError):
                history = self._desk.history(change.ticket_id)
        if write not in history.edits or history.passed_over(write, change.stamp):
            self.revoke()

    def revoke(self, why: str = batch_trust.PASSED_OVER) -> None:
        """Use single updates from now on."""
        self._learn(batch_trust.revoked(self._state, iso(self._clock.now()), why))

    def _learn(self, known: BatchTrust) -> None:
        if not known.ok and not self.refused:
            self._audit.alert("write_mode", mode="single", why=known.why)
        self._known = known

    def judge(self, works: Sequence[Settlement], stale: int | None, status: JobStatus) -> None:
        """After the first job on an account of which nothing is known: did it do all that a single update does?"""
        why, judged = "", False
        for work in works:
            change = work.sent[-1]
            try:
                history = History(edits=(work.recorded,)) if work.recorded else self._desk.history(work.ticket_id)
            except TicketError:
                continue  # of this one nothing can be learnt
            edit = history.find(change.key)
            told = [item for item in history.edits if item.comment == "public"]
            if edit in told or any(reference(change.key) in item.text for item in told):
                raise note_published(work.ticket_id)
            if edit is None and all(item.at <= change.stamp for item in history.edits):
                continue  # the record is behind the ticket, and says nothing of the job yet
            judged = True
            if edit is None:
                why = LOST_KEY
            elif change.note and edit.comment is None:
                why = LOST_NOTE
        stamps = None if stale is None else self._failed_for_its_stamp(stale, status)
        if stamps is False:
            judged, why = True, "a job's item was done although its stamp was out of date"
        if not judged or self.refused or not (why or self.on_trial):
            return
        known = BatchTrust(
            at=iso(self._clock.now()),
            ok=not why,
            comment=why != LOST_NOTE,
            private=True,
            metadata=why != LOST_KEY,
            stamps=stamps,
            why=why,
        )
        batch_trust.remember(self._state, known)
        self._learn(known)

    def _failed_for_its_stamp(self, stale: int, status: JobStatus) -> bool | None:
        """Whether the trial's stale item failed for its stamp; ``None`` when a ticket that was closed may be why."""
        made = status.results.get(stale)
        if made is None:
            return None
        if made:
            return False
        with suppress(TicketError):
            there = self._desk.fetch([stale]).get(stale)
            if there is not None and there.status not in ENDED_STATUSES:
                return True
        return None
