"""Verification of a finished run's writes: people's values are as they were, and no note of ours became public.

It has two sources that do not trust each other: the receipts, every one of which counts, and the helpdesk's own record
of a sample of the writes, or of all. Once it shows that stamps guard jobs no longer, all writes in jobs are read.
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
"""Writes that a run reads back. A mistake in one write of ten is found in nine runs of ten."""
MOST_KEPT = 20_000
"""Writes that are kept to be read back, in some 10 MB; more than a run's time and the helpdesk's limits let it read."""
MOST_LISTED = 20
LAG_S = 6.0
"""A copy of the helpdesk's data may be behind; a write that it does not show is looked for again after this."""


UNREAD = "unread_items"
"""Fact of the state: items of jobs that a run could not read back once stamps guarded jobs no longer."""


@dataclass
class _Write:
    """A write to be read back, as much of it as it takes to compare it, and whether it went in a job."""

    packed: bytes
    in_job: bool
    looked_at: bool = field(default=False, compare=False)

    @property
    def change(self) -> Change:
        return Change.model_validate_json(self.packed)


class WriteVerifier:
    """Sees every outcome of a run, and reads at most ``most`` of its writes back. Used by one thread.

    The sample is the same for the same run id and outcomes.
    """

    def __init__(self, tools: Tools, trust: JobTrust, run_id: str, *, most: int = 0) -> None:
        self._state, self._audit, self._deadline = tools.state, tools.audit, tools.deadline
        self._trust = trust
        self._most = min(most, MOST_KEPT)
        self._dice = random.Random(run_id)
        self._kept: list[_Write] = []
        self._other_items: list[_Write] = []
        self._answered: set[int] = set()
        self._written = self._checked = self._lacking = self._replies = 0
        self._values = self._tags = self._public = self._by_policy = 0
        self._found: dict[int, None] = {}

    def saw(self, settled: Settled) -> None:
        """Count a receipt, while the state still has the verdict that it came from.

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
            # What the helpdesk refused goes along with a repair; it is no loss.
            lost, missing = settled.follow_up[0].decision, outcome.missing
            values = (
                None if "priority" in missing else lost.priority,
                None if "group" in missing else lost.group,
                {} if "fields" in missing else lost.fields,
            )
            self._note(change.ticket_id, _values(*values), len(lost.tags))
            self._answered.add(change.ticket_id)
        edit = settled.recorded
        told = edit is not None and edit.intent == change.intent and (edit.comment is not None or not change.note)
        if edit is not None and told and self._most:
            self._checked += 1
            self._note(change.ticket_id, _beside(edit, change), 0)
        else:
            self._keep(write)

    def read_back(self, reserve_s: float) -> HelpdeskDown | RateLimited | None:
        """Compare writes with what the helpdesk has recorded, until less than ``reserve_s`` seconds are left.

        Gives what ended it early, when that was the helpdesk: the run has done its work all the same. What a write took
        away from people is told in an alert, and kept to be put back by the next run. Raises ``NotePublished``.
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
        """What the run before has left unread; this one reads it, too."""
        kept = json.loads(self._state.fact(UNREAD) or "[]")
        return [_Write(packed.encode(), in_job=True) for packed in kept]

    def leave_unread(self) -> None:
        """Leave to the next run what this one could not read of jobs that stamps do not guard."""
        own = [*self._kept, *self._other_items] if self._trust.guard_ended else []
        unread = [item.packed.decode() for item in (*self._left_unread, *own) if item.in_job and not item.looked_at]
        if unread or self._left_unread:
            self._state.remember(**{UNREAD: json.dumps(unread)})

    @property
    def lost(self) -> int:
        """Tickets on which a write took something away from people; the state holds what puts it back."""
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
        """A write's own answer has shown that its note became public."""
        self._public = max(1, self._public)

    # From receipts

    def _judge(self, change: Change) -> None:
        """Whether values were replaced, and tags removed, that were not ours."""
        verdict = self._state.verdict(change.ticket_id) or _verdict(change)
        decision = verdict.decision
        rules = [
            *([decision.priority_overwrite] if change.priority_before and change.priority else []),
            *([decision.group_overwrite] if change.group_before and change.group else []),
            *([decision.fields_overwrite] * len(change.fields_replaced)),
        ]
        self._by_policy += rules.count(Overwrite.ALWAYS)
        # What puts a person's edit back takes off what our own write had put there.
        ours = decision.tags_removed if verdict.puts_back else verdict.replaces
        self._note(change.ticket_id, rules.count(Overwrite.NEVER), len(set(change.tags_removed).difference(ours)))

    def _note(self, ticket_id: int, values: int, tags: int) -> None:
        self._values += values
        self._tags += tags
        if values or tags:
            self._found[ticket_id] = None

    def _keep(self, write: _Write) -> None:
        """Every write has the same chance to be in the sample, however many are still to come."""
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
            # A verdict that is still to be written would give way to a repair.
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
        """Compare these with their records, several at a time, and gather those that their records lack."""
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
        """Whether a ticket's record lacks a write, or its note; what it replaced is compared."""
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
        self._note(change.ticket_id, values + _beside(edit, change), foreign)


def _replaces(change: Change) -> bool:
    return bool((change.priority_before and change.priority) or (change.group_before and change.group))


def _values(priority: object, group: object, fields: dict[int, str]) -> int:
    return (priority is not None) + (group is not None) + len(fields)


def _beside(edit: Edit, change: Change) -> int:
    """Values that were known when it was merged, and that the write changed although its receipt names no change."""
    priority, group = (edit.priority or (None, None))[0], (edit.group or (None, None))[0]
    meant_priority = change.priority is not None or "priority" in change.cleared
    meant_group = change.group is not None or "group" in change.cleared
    return (priority is not None and priority == change.priority_before and not meant_priority) + (
        group is not None and group == change.group_before and not meant_group
    )


def _verdict(change: Change) -> Verdict:
    """A verdict to begin a repair from; the analysis has been paid for and told."""
    decision = Decision(ticket_id=change.ticket_id, reason="")
    return Verdict(
        ticket_id=change.ticket_id, key=change.key, analysis=None, decision=decision, clean_stamp=change.stamp
    )


def _pack(change: Change) -> bytes:
    """As much of a change as it takes to compare it."""
    short = change.model_copy(update={"tags": (), "note": change.note and "-"})
    return short.model_dump_json(exclude_defaults=True).encode()
