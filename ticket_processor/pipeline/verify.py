"""Verifies a finished run's writes: people's values are unchanged, and none of our notes became public.

It uses two independent sources: all receipts, and the helpdesk's own record of a sample of the writes, or of all. If
the record shows that stamps do not guard jobs any more, all writes in jobs are read.
"""

from __future__ import annotations

import json
import random
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cached_property

from ..core.errors import DeadlineReached, HelpdeskDown, RateLimited
from ..core.models import Change, Decision, Overwrite
from ..core.run_summary import Statement
from ..helpdesk.ticket_history import Edit, History, overwritten
from ..state.records import Verdict
from ..tags import REPAIR
from .fan_out import READERS
from .job_trust import JobTrust
from .jobs import Tools
from .settlement import Settled, note_published, repair

SAMPLE = 20
"""Number of writes that a run reads back. It finds a mistake in one write of ten in nine runs of ten."""
MOST_KEPT = 20_000
"""Maximum number of writes kept for reading back, some 10 MB; a run has no time to read more."""
MOST_LISTED = 20
LAG_S = 6.0
"""Seconds after which a missing write is looked for again: a copy of the helpdesk's data may be late."""


UNREAD = "unread_items"
"""Fact of the state: items of jobs that a run was to read back and could not."""


@dataclass
class _Write:
    """A write to be read back: the parts needed to compare it, and whether it was in a job."""

    packed: bytes
    in_job: bool
    looked_at: bool = field(default=False, compare=False)

    @property
    def change(self) -> Change:
        return Change.model_validate_json(self.packed)


class WriteVerifier:
    """Checks every outcome of a run, and reads back at most ``most`` of its writes. Used by one thread.

    The sample is the same for the same run id and outcomes.
    """

    def __init__(self, tools: Tools, trust: JobTrust, run_id: str, *, most: int = 0) -> None:
        self._state, self._audit, self._deadline = tools.state, tools.audit, tools.deadline
        self._dry_run, self._trust = tools.dry_run, trust
        self._most = min(most, MOST_KEPT)
        self._dice = random.Random(run_id)
        self._kept: list[_Write] = []
        self._other_items: list[_Write] = []
        self._answered: set[int] = set()
        self._written = self._checked = self._lacking = self._replies = 0
        self._values = self._tags = self._public = self._by_policy = 0
        self._found: dict[int, None] = {}

    def saw(self, settled: Settled) -> None:
        """Check an outcome, before the state forgets its verdict.

        A write whose record has been read already is not read back.
        """
        outcome, change = settled.outcome, settled.outcome.change
        if change is None or not outcome.written:
            return
        write = _Write(_pack(change), outcome.job is not None)
        self._written += 1
        self._replies += change.reply is not None
        if change.tags_removed or change.fields_replaced or _replaces(change):
            self._judge(change)
        if settled.follow_up is not None and settled.follow_up[1] == REPAIR:
            # A repair also holds what the helpdesk refused, which is no loss.
            lost, missing = settled.follow_up[0].decision, outcome.missing
            values = (
                None if "priority" in missing else lost.priority,
                None if "group" in missing else lost.group,
                {} if "fields" in missing else lost.fields,
            )
            self._note(change.ticket_id, _values(*values), len(lost.tags))
            self._answered.add(change.ticket_id)
        edit = settled.recorded
        complete = edit is not None and edit.intent == change.intent and (edit.comment is not None or not change.note)
        if edit is not None and complete and self._most:
            self._checked += 1
            self._note(change.ticket_id, _unreported_changes(edit, change), 0)
        else:
            self._keep(write)

    def read_back(self, reserve_s: float) -> HelpdeskDown | RateLimited | None:
        """Compare writes with the helpdesk's record, until less than ``reserve_s`` seconds are left.

        Returns the helpdesk's error if that ended it early; the run's own work is done. What a write took from people
        is reported in an alert, and stored for the next run to restore. Raises ``NotePublished``.
        """
        try:
            self._read_back(reserve_s)
        except DeadlineReached:
            return None  # the statement says how many were read
        except (HelpdeskDown, RateLimited) as end:
            return end
        return None

    @cached_property
    def _left_unread(self) -> list[_Write]:
        """The writes that the run before could not read back; this one reads them, too, unless it is a dry run."""
        kept = [] if self._dry_run else json.loads(self._state.fact(UNREAD) or "[]")
        return [_Write(packed.encode(), in_job=True) for packed in kept]

    def leave_unread(self) -> None:
        """Store unread items of jobs for the next run: all of an unguarded account, else those of the sample.

        A run that ended early has not read its sample, and nothing else tells of a guard that has ended.
        """
        own = [*self._kept, *self._other_items] if self._trust.guard_ended else self._kept
        left, own = ([it for it in items if it.in_job and not it.looked_at] for items in (self._left_unread, own))
        if not self._trust.guard_ended:
            own = own[: max(0, self._most - self._checked - len(left))]  # the sample of many such runs does not grow
        if left or own or self._left_unread:
            self._state.remember(**{UNREAD: json.dumps([item.packed.decode() for item in (*left, *own)])})

    @property
    def lost(self) -> int:
        """Number of tickets on which a write took something from people; the state holds their repairs."""
        return len(self._answered)

    def statement(self) -> Statement:
        """The counts so far."""
        return Statement(
            written=self._written,
            checked=self._checked,
            human_values_changed=self._values,
            foreign_tags_removed=self._tags,
            public_comments=self._public,
            public_replies=self._replies,
            replaced_by_policy=self._by_policy,
            not_found=self._lacking,
            tickets=tuple(self._found)[:MOST_LISTED],
        )

    def published(self) -> None:
        """Count a note that became public, as the answer to its write showed."""
        self._public = max(1, self._public)

    # From receipts

    def _judge(self, change: Change) -> None:
        """Count values that were replaced and tags that were removed although they were not ours."""
        verdict = self._state.verdict(change.ticket_id) or _verdict(change)
        decision = verdict.decision
        rules = [
            *([decision.priority_overwrite] if change.priority_before and change.priority else []),
            *([decision.group_overwrite] if change.group_before and change.group else []),
            *([decision.fields_overwrite] * len(change.fields_replaced)),
        ]
        self._by_policy += rules.count(Overwrite.ALWAYS)
        # A repair of a person's edit removes the tags of our own write.
        ours = decision.tags_removed if verdict.puts_back else verdict.replaces
        self._note(change.ticket_id, rules.count(Overwrite.NEVER), len(set(change.tags_removed).difference(ours)))

    def _note(self, ticket_id: int, values: int, tags: int) -> None:
        self._values += values
        self._tags += tags
        if values or tags:
            self._found[ticket_id] = None

    def _keep(self, write: _Write) -> None:
        """Add a write to the sample, in which every write has the same chance to be."""
        if len(self._kept) < self._most:
            self._kept.append(write)
        elif self._most:
            if (place := self._dice.randrange(self._written)) < self._most:
                self._kept[place], write = write, self._kept[place]
            if write.in_job and len(self._other_items) < MOST_KEPT:
                self._other_items.append(write)

    # From the helpdesk's record

    def _read_back(self, reserve_s: float) -> None:
        sample = self._kept
        lacking: list[_Write] = []
        try:
            wanted = max(0, self._most - self._checked)
            self._look_at(sample[:wanted], reserve_s, lacking)
            checked = self._checked  # of what this run has written
            # A repair would replace a verdict that has still to be written.
            settled = [write for write in self._left_unread if self._state.verdict(write.change.ticket_id) is None]
            self._look_at(settled, reserve_s, [])
            self._checked = checked
            if self._trust.guard_ended:
                rest = [write for write in sample[wanted:] if write.in_job]
                self._look_at([*rest, *self._other_items], reserve_s, lacking)
            if lacking and self._deadline.remaining() > reserve_s + LAG_S:
                self._deadline.wait(LAG_S)
                once_more = lacking[:]
                lacking.clear()
                self._checked -= len(once_more)
                self._look_at(once_more, reserve_s, lacking)
        finally:
            self._lacking += len(lacking)
            for write in lacking:
                self._found[write.change.ticket_id] = None
                self._audit.alert("write_not_found", ticket_id=write.change.ticket_id, intent=write.change.intent)

    def _look_at(self, writes: Sequence[_Write], reserve_s: float, lacking: list[_Write]) -> None:
        """Compare writes with their records, several at a time, and add those not on record to ``lacking``."""
        for start in range(0, len(writes), READERS):
            if self._deadline.remaining() <= reserve_s:
                return
            part = writes[start : start + READERS]
            histories = self._trust.records([write.change.ticket_id for write in part])
            for write, history in zip(part, histories, strict=True):
                write.looked_at = True
                if self._lacks(write, history):
                    lacking.append(write)

    def _lacks(self, write: _Write, history: History | None) -> bool:
        """True if a ticket's record lacks a write or its note; otherwise compares what the write replaced."""
        if history is None or not history.edits:
            return False  # unreadable, or deleted since
        change = write.change
        self._checked += 1
        edit = next((edit for edit in history.edits if (edit.key, edit.intent) == (change.key, change.intent)), None)
        if edit is not None and edit.comment == "public" and change.reply is None:
            self._public += 1
            self._found[change.ticket_id] = None
            raise note_published(change.ticket_id)
        if edit is not None:
            self._compare(write, edit, history)
        return edit is None or bool((change.note or change.reply) and edit.comment is None)

    def _compare(self, write: _Write, edit: Edit, history: History) -> None:
        change = write.change
        values = foreign = 0
        lost = overwritten(edit, change)
        if lost and change.ticket_id not in self._answered:
            self._answered.add(change.ticket_id)
            self._audit.alert("overwrote", ticket_id=change.ticket_id, parts=lost.parts)
            if write.in_job:
                self._trust.overwrote(change, edit, history)
            self._state.settled(change.ticket_id, then=(repair(change, lost, _verdict(change)), REPAIR))
            values = _values(lost.priority, lost.group, lost.fields)
            foreign = len(lost.tags)
        self._note(change.ticket_id, values + _unreported_changes(edit, change), foreign)


def _replaces(change: Change) -> bool:
    return bool((change.priority_before and change.priority) or (change.group_before and change.group))


def _values(priority: object, group: object, fields: dict[int, str]) -> int:
    return (priority is not None) + (group is not None) + len(fields)


def _unreported_changes(edit: Edit, change: Change) -> int:
    """Number of values that the write changed but its receipt does not list."""
    priority, group = (edit.priority or (None, None))[0], (edit.group or (None, None))[0]
    meant_priority = change.priority is not None or "priority" in change.cleared
    meant_group = change.group is not None or "group" in change.cleared
    return (priority is not None and priority == change.priority_before and not meant_priority) + (
        group is not None and group == change.group_before and not meant_group
    )


def _verdict(change: Change) -> Verdict:
    """A verdict without an analysis, from which a repair is made."""
    decision = Decision(ticket_id=change.ticket_id, reason="")
    return Verdict(
        ticket_id=change.ticket_id, key=change.key, analysis=None, decision=decision, clean_stamp=change.stamp
    )


def _pack(change: Change) -> bytes:
    """The parts of a change that are needed to compare it, as JSON."""
    short = change.model_copy(update={"tags": (), "note": change.note and "-"})
    return short.model_dump_json(exclude_defaults=True).encode()
