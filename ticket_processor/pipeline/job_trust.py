"""Learns from each job of many updates whether this account's jobs are safe for our writes.

Zendesk does not document whether an item of a job keeps its comment, its metadata and its own stamp. Without them a job
would lose the note, the guard or the proof; so jobs are used only after they have been seen to work.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from typing import TYPE_CHECKING

from pydantic import ConfigDict, ValidationError

from ..core.clock import iso, moment_of
from ..core.errors import TicketError
from ..core.models import Change, Frozen, Ticket
from ..helpdesk.protocol import JobStatus
from ..helpdesk.ticket_history import Edit, History
from ..policy.skip_rules import ENDED_STATUSES
from ..state.store import State
from ..tags import reference
from .fan_out import read_each
from .settlement import Settlement, note_published

if TYPE_CHECKING:
    from .jobs import Tools

TRUST = "batch"
DAY_S = 86_400.0


class BatchTrust(Frozen):
    """Findings about an account's jobs; ``stamps`` is ``None`` if no job has shown it yet.

    ``ok``: they may be used. ``metadata``: an item's metadata arrives. ``stamps``: an item with an old stamp fails.
    Other fields, which earlier versions stored, are ignored.
    """

    model_config = ConfigDict(extra="ignore")

    at: str
    ok: bool
    metadata: bool
    stamps: bool | None
    why: str = ""

    def age_s(self, now: float) -> float:
        """Seconds since this was found; very many for an invalid date."""
        return now - moment_of(self.at)


def learnt(state: State) -> BatchTrust | None:
    """The findings about the account's jobs; ``None`` if there are none, or they cannot be read."""
    text = state.fact(TRUST)
    if text is None:
        return None
    try:
        return BatchTrust.model_validate_json(text)
    except ValidationError:
        return None


PASSED_OVER = "a job's item was written although its ticket had changed since it was read"
STALE_DONE = "a job's item was done although its stamp was out of date"


def revoked(state: State, now: str) -> BatchTrust:
    """Findings that forbid jobs from now on, because an item of a job overwrote an edit."""
    before = learnt(state)
    return BatchTrust(
        at=now,
        ok=False,
        metadata=before is None or before.metadata,
        stamps=False,
        why=PASSED_OVER,
    )


def remember(state: State, known: BatchTrust) -> None:
    """Store findings for later runs, in place of earlier ones."""
    state.remember(**{TRUST: known.model_dump_json()})


LOST_KEY, LOST_NOTE = "a job's item lost its metadata, by which our writes are known", "a job's item lost its note"
RETRY_TRIAL_S = 30 * DAY_S
"""Seconds after which a failed trial is repeated, since the vendor may have changed how jobs work."""


class JobTrust:
    """Decides whether jobs may be used on this account. Used by one thread."""

    def __init__(self, tools: Tools) -> None:
        self._desk, self._state, self._audit, self._clock = tools.desk, tools.state, tools.audit, tools.clock
        self._each = read_each if tools.readers else map
        self._known = learnt(tools.state)
        if self.refused and self._age_s > RETRY_TRIAL_S:
            self._known = None
        self._suspects: set[int] = set()
        """Tickets whose items with an old stamp failed, perhaps for a group or field that the account refuses."""
        self.guard_ended = False
        """True if stamps were known to guard, but this run found an item that was written with an old stamp."""

    @property
    def refused(self) -> bool:
        """True if a job has shown that only single updates are safe."""
        return self._known is not None and not self._known.ok

    @property
    def on_trial(self) -> bool:
        """True until jobs are known to do all that single updates do, and stamps to guard their items."""
        return self._known is None or (self._known.ok and self._known.stamps is None)

    @property
    def stamps_guard(self) -> bool:
        """True if items with an old stamp are known to fail."""
        return self._known is not None and self._known.stamps is True

    @property
    def wants_stale_item(self) -> bool:
        """True if the next job should test that an item with an old stamp fails: on trial, and once a day."""
        return self.on_trial or (self.stamps_guard and self._age_s > DAY_S)

    @property
    def unguarded(self) -> bool:
        """True if no stamp is known to guard items, so that an item is done only once its record was compared."""
        return self._known is None or (self._known.metadata and not self._known.stamps)

    @property
    def _age_s(self) -> float:
        return 0.0 if self._known is None else self._known.age_s(self._clock.now())

    def overwrote(self, change: Change, write: Edit, history: History | None = None) -> None:
        """Note that a write replaced a person's value. If the person's edit changed the stamp, jobs are not guarded."""
        if self.refused:
            return
        history = history or self._record(change.ticket_id) or History()
        if write not in history.edits or history.passed_over(write, change.stamp):
            self._learn(revoked(self._state, iso(self._clock.now())))

    def _learn(self, known: BatchTrust) -> None:
        remember(self._state, known)
        if not known.ok and not self.refused:
            self._audit.alert("write_mode", mode="single", why=known.why)
            self.guard_ended = self.stamps_guard and known.stamps is False
        self._known = known

    def judge(
        self, works: Sequence[Settlement], stale: Settlement | None, status: JobStatus, tickets: Mapping[int, Ticket]
    ) -> None:
        """Read the records of a job's items into their ``recorded``, and learn whether jobs are safe.

        ``works`` are items whose ``tickets`` show the write, all of them or a sample; ``stale`` is the one whose
        item had an old stamp. Raises ``NotePublished``.
        """
        why, judged = "", False
        for work, history in zip(works, self.records([work.ticket_id for work in works]), strict=True):
            change = work.sent[-1]
            if history is None:
                continue  # unreadable, so nothing can be learnt from it
            edit = history.find(change.key)
            public = [item for item in history.edits if item.comment == "public"]
            if edit in public or any(reference(change.key) in item.text for item in public):
                raise note_published(work.ticket_id)
            tags = frozenset(change.tags_added)
            later = [item for item in history.edits if item.at > change.stamp]
            if edit is None and not any(item.tags_added & tags or not tags for item in later):
                continue  # the record is behind the ticket, and says nothing of the job yet, only of people's edits
            judged = True
            if edit is None:
                why = LOST_KEY
                continue
            work.found(edit, change, tickets[work.ticket_id])
            if change.note and edit.comment is None:
                why = LOST_NOTE
        stamps = None if stale is None else self._failed_for_its_stamp(stale, status, works)
        if stamps is False:
            judged, why = True, STALE_DONE
        tried = self.on_trial or (stale is not None and stamps is not None)
        if not judged or self.refused or not (why or tried):
            return
        self._learn(
            BatchTrust(
                at=iso(self._clock.now()),
                ok=not why,
                metadata=why != LOST_KEY,
                stamps=self._known and self._known.stamps if stamps is None else stamps,
                why=why,
            )
        )

    def records(self, ticket_ids: Sequence[int]) -> Iterable[History | None]:
        """The tickets' records, in their order; ``None`` for one that cannot be read."""
        return self._each(self._record, ticket_ids)

    def _record(self, ticket_id: int) -> History | None:
        with suppress(TicketError):
            return self._desk.history(ticket_id)
        return None

    def _failed_for_its_stamp(self, work: Settlement, status: JobStatus, shown: Sequence[Settlement]) -> bool | None:
        """True if the item with the old stamp failed because of it; ``None`` if there may be another reason.

        The ticket may be closed, or a group or field refused. It counts as done only once its ticket shows the write.
        """
        stale, change = work.ticket_id, work.sent[-1]
        made = status.results.get(stale)
        if made:
            return False if work in shown else None
        if made is None or not self.on_trial:
            return None if made is None else True
        with suppress(TicketError):
            there = self._desk.fetch([stale]).get(stale)
            if isinstance(there, Ticket) and there.status not in ENDED_STATUSES:
                if change.group is None and not change.fields:
                    return True
                self._suspects.add(stale)
        return None

    def accepted(self, work: Settlement) -> None:
        """Learn from a write that was taken whole: if its item with an old stamp had failed, the stamp was why."""
        if work.ticket_id in self._suspects and not work.without and self._known is not None and self.on_trial:
            self._learn(self._known.model_copy(update={"at": iso(self._clock.now()), "stamps": True}))
