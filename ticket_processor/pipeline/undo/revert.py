"""Finds the parts of a write that can be undone, which have not changed since, and makes the write that undoes them.

Values come from the helpdesk's own record. A part that changed after the write is left, even if it was changed back;
so is one for which ticket and record differ. A drop-down and its tags are one part.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

from ...analysis.text.outgoing import told as leaves
from ...core import reasons
from ...core.errors import MissingPart, TicketError
from ...core.models import Change, Frozen, Outcome, OutcomeStatus, StatusChange, Ticket
from ...core.text import plain_line
from ...helpdesk.ticket_history import Edit, History
from ...tags import COMPLETE, REPAIR, key_of_stage, merge_tags, reference
from ..settlement import WRITE_ATTEMPTS, Settlement, is_stable

if TYPE_CHECKING:
    from .run import RunWrites, UndoTools

STAGE = "undo"
"""The stage in the key of a write that undoes another."""
Why = Literal["changed_since", "a_later_run_wrote", "assigned", "refused", "customers_saw_it"]
WORDS: Mapping[Why, str] = {
    "changed_since": "changed since",
    "a_later_run_wrote": "a later run wrote on it",
    "assigned": "the ticket is assigned",
    "refused": "the helpdesk refuses it",
    "customers_saw_it": "customers have seen it",
}
MAX_LINE = 500
"""Maximum number of characters in a line of the note."""
MOST_ID = 80
"""Maximum number of characters of a run's id from the helpdesk's record."""

Part = tuple[Literal["tag", "priority", "group", "status", "field", "note"], str | int]
"""A kind, with a tag's name or a field's or note's number; other kinds have neither."""
_PRIORITY: Part = ("priority", "")
_GROUP: Part = ("group", "")
_STATUS: Part = ("status", "")


class Left(Frozen):
    """A part of a write that stays on the ticket, such as ``tag ai_billing``, and why."""

    part: str
    why: Why


@dataclass(frozen=True)
class TakeBack:
    """The parts to undo, with their present and earlier values, and the parts that stay."""

    values: Mapping[Part, tuple[Any, Any]]
    left: tuple[Left, ...] = ()

    def of(self, kind: str) -> dict[Any, tuple[Any, Any]]:
        """The parts of one kind: their names or numbers, with their present and earlier values."""
        return {part[1]: change for part, change in self.values.items() if part[0] == kind}


@dataclass
class _Trace:
    before: Any
    after: Any
    why: Why | None = None


def undo_key(write: Edit) -> str:
    """The key of the write that undoes ``write`` and its run's earlier writes on the ticket."""
    return key_of_stage(write.key, STAGE)


def run_of(intent: str) -> str:
    """The run to which an intent belongs."""
    return intent.rpartition("-")[0]


def puts_back(history: History) -> frozenset[str]:
    """Keys of repairs, which restored what we had taken from people; an undo leaves them."""
    keys = {edit.key for edit in history.edits if edit.key}
    repairs = keys.intersection(key_of_stage(key, REPAIR) for key in keys)
    return frozenset(repairs.union(keys.intersection(key_of_stage(key, COMPLETE) for key in repairs)))


def take_back(
    history: History, ticket: Ticket, mine: Callable[[Edit], bool], *, without: Collection[MissingPart] = ()
) -> TakeBack:
    """Find what to undo of the writes that are ``mine`` on a ticket as it was read.

    ``without`` are the parts that the helpdesk is known to refuse.
    """
    traces = _traces(history, mine)
    for part, trace in traces.items():
        if trace.why is None and _now(ticket, part) != trace.after:
            trace.why = "changed_since"  # although the record does not show it
        if trace.why is None and part == _GROUP and ticket.assignee is not None:
            trace.why = "assigned"  # another group could cost the assignee
        if trace.why is None and {"field": "fields"}.get(part[0], part[0]) in without:
            trace.why = "refused"
    for linked in _linked(history, mine):
        together = [traces[part] for part in linked if part in traces]
        reason = next((trace.why for trace in together if trace.why), None)
        for trace in together:
            trace.why = trace.why or reason
    return TakeBack(
        values={
            part: (trace.after, trace.before)
            for part, trace in traces.items()
            if trace.why is None and trace.before != trace.after
        },
        left=tuple(
            Left(part=f"{part[0]} {part[1]}".strip(), why=trace.why)
            for part, trace in sorted(traces.items(), key=lambda item: (item[0][0], str(item[0][1])))
            if trace.why is not None and _now(ticket, part) != trace.before
        )
        + tuple(_shown_to_customers(filter(mine, history.edits))),
    )


def _shown_to_customers(writes: Iterable[Edit]) -> Iterator[Left]:
    for edit in writes:
        if edit.comment == "public":
            yield Left(part="reply to the customer", why="customers_saw_it")
        if edit.status is not None and edit.status[1] in ("pending", "solved") and edit.comment is None:
            yield Left(part=f"status {edit.status[1]}", why="customers_saw_it")


def as_change(ticket: Ticket, back: TakeBack, *, key: str, intent: str, run_id: str) -> Change:
    """The one guarded write that undoes the parts, with a note that says so."""
    tags, fields = back.of("tag"), back.of("field")
    off = [name for name, (_, was_there) in tags.items() if not was_there]
    on = sorted(name for name, (_, was_there) in tags.items() if was_there)
    priority = back.values.get(_PRIORITY, (None, None))[1]
    group = back.values.get(_GROUP, (None, None))[1]
    opened = back.values.get(_STATUS)
    given_back = {number: before for number, (_, before) in fields.items() if before is not None}
    cleared: list[Literal["priority", "group"]] = []
    cleared += ["priority"] if _PRIORITY in back.values and priority is None else []
    cleared += ["group"] if _GROUP in back.values and group is None else []
    change = Change(
        ticket_id=ticket.id,
        stamp=ticket.updated_at,
        tags=merge_tags(ticket.tags, on, off),
        tags_before=ticket.tags,
        tags_added=tuple(on),
        tags_removed=tuple(name for name in ticket.tags if name in off),
        priority_before=ticket.priority,
        priority=priority,
        group_before=ticket.group,
        group=group,
        fields=given_back,
        fields_replaced=tuple(number for number in given_back if number in ticket.fields),
        cleared=tuple(cleared),
        fields_cleared=tuple(number for number, (_, before) in fields.items() if before is None),
        notes_removed=tuple(back.of("note")),
        closing=None if opened is None else StatusChange(status="open"),
        key=key,
        intent=intent,
        puts_back=True,
    )
    # If our note is deleted, nothing of ours is left to explain.
    return change if change.notes_removed else change.model_copy(update={"note": _note(change, back.left, run_id)})


def undone_parts(change: Change, to: str = "->") -> list[str]:
    """The parts that a change undoes, in words, without what people wrote into fields.

    ``to`` stands between a present and an earlier value.
    """
    words = []
    for names, what in ((change.tags_removed, "removed"), (change.tags_added, "put back")):
        words += [f"tag{'' if len(names) == 1 else 's'} {what}: {', '.join(names)}"] if names else []
    if change.priority is not None or "priority" in change.cleared:
        words.append(f"priority {change.priority_before or 'none'} {to} {change.priority or 'none'}")
    if change.group is not None or "group" in change.cleared:
        words.append(f"group {change.group_before or 'none'} {to} {change.group or 'none'}")
    words += [f"status {change.closing.status}"] if change.closing is not None else []
    words += [f"field {number} as it was" for number in change.fields]
    words += [f"field {number} emptied" for number in change.fields_cleared]
    return [*words, *("note deleted" for _ in change.notes_removed)]


def _note(change: Change, left: Sequence[Left], run_id: str) -> str:
    lines = [f"Undo of run {run_id}.", f"Taken back: {'; '.join(undone_parts(change, to='to'))}."]
    if left:
        lines.append("Left: " + "; ".join(f"{item.part} ({WORDS[item.why]})" for item in left) + ".")
    return "\n".join([*(leaves(plain_line(line, MAX_LINE)) for line in lines), f"Ref {reference(change.key)}"])


def _now(ticket: Ticket, part: Part) -> Any:
    kind, name = part
    if kind == "tag":
        return name in ticket.tags
    if kind == "field":
        return ticket.fields.get(int(name))
    if kind == "note":
        return True  # the history would not contain it otherwise
    return {"priority": ticket.priority, "group": ticket.group, "status": ticket.status}[kind]


def _changes(edit: Edit) -> dict[Part, tuple[Any, Any]]:
    """Every part that an edit changed, with its values before and after; for tags, whether they were set.

    Our public reply cannot be undone; so neither are the tag for it and the status after it, which has no note.
    """
    if edit.key and edit.comment == "public":
        return {}
    found: dict[Part, tuple[Any, Any]] = {("tag", name): (False, True) for name in sorted(edit.tags_added)}
    found |= {("tag", name): (True, False) for name in sorted(edit.tags_removed)}
    if edit.priority is not None:
        found[_PRIORITY] = edit.priority
    if edit.group is not None:
        found[_GROUP] = edit.group
    if edit.status is not None and (not edit.key or (edit.comment is not None and "solved" in edit.status)):
        found[_STATUS] = edit.status
    if edit.note is not None and edit.key:
        found["note", edit.note] = (False, True)
    return found | {("field", number): values for number, values in edit.fields.items()}


def _traces(history: History, mine: Callable[[Edit], bool]) -> dict[Part, _Trace]:
    """What happened to every part that one of these writes changed."""
    traces: dict[Part, _Trace] = {}
    reverted = _reverted(history)
    for place, edit in enumerate(history.edits):
        for part, (before, after) in _changes(edit).items():
            trace = traces.get(part)
            if (place, part) in reverted:
                continue
            if mine(edit):
                if trace is None or trace.why is not None:
                    # Values that others set between two of these writes are restored; an edited note stays.
                    edited = part[0] == "note" and edit.note_edited
                    traces[part] = _Trace(before, after, "changed_since" if edited else None)
                else:
                    trace.after = after
            elif trace is not None:
                trace.why = "a_later_run_wrote" if edit.key and trace.why != "changed_since" else "changed_since"
    return traces


def _reverted(history: History) -> set[tuple[int, Part]]:
    """The parts of writes that were undone, and of the writes that undid them: together they changed nothing."""
    edits = history.edits
    runs = {undo_key(edit): run_of(edit.intent) for edit in edits if edit.key}
    found: set[tuple[int, Part]] = set()
    for place, edit in enumerate(edits):
        if edit.key not in runs:
            continue
        done: dict[Part, tuple[Any, Any]] = {}
        places: dict[Part, list[int]] = {}
        for earlier, write in enumerate(edits[:place]):
            if write.key and run_of(write.intent) == runs[edit.key]:
                for part, (before, after) in _changes(write).items():
                    done[part] = (done.get(part, (before, after))[0], after)
                    places.setdefault(part, [place]).append(earlier)
        for part, (before, after) in _changes(edit).items():
            if done.get(part) == (after, before):
                found.update((number, part) for number in places[part])
    return found


def _linked(history: History, mine: Callable[[Edit], bool]) -> Iterator[set[Part]]:
    """For each ticket field that was written, the field and the tags of its values."""
    values: dict[int, set[str]] = {}
    for edit in filter(mine, history.edits):
        for number, pair in edit.fields.items():
            # Of a multi-select, the values have spaces between them.
            values.setdefault(number, set()).update(*(value.split() for value in pair if value))
    for number, names in values.items():
        yield {("field", number), *(("tag", name) for name in names)}


class UndoPlanner:
    """Decides what to undo of a run's writes on a ticket; see :class:`Planner`.

    A ticket that carries the tag ``hands_off`` is not touched. ``under_way`` are writes whose job has not ended, by
    ticket; ``arrived`` those that their job reports as done, but that a read from a late copy may not show.
    """

    def __init__(self, tools: UndoTools, writes: RunWrites) -> None:
        self._tools = tools
        self._writes = writes
        self.under_way: Mapping[int, Change] = {}
        self.arrived: dict[int, Change] = {}
        self._sent: dict[int, list[tuple[Change, tuple[Left, ...]]]] = {}
        self._left: dict[int, tuple[Left, ...]] = {}
        self._refused: dict[int, set[MissingPart]] = {}

    def plan(self, work: Settlement, ticket: Ticket | None) -> Change | Outcome:
        """The change that undoes the writes, or the outcome."""
        end = work.end
        if ticket is None:
            return end(OutcomeStatus.SKIPPED, reasons.DELETED)
        try:
            history = self._tools.desk.history(ticket.id)
        except TicketError as error:
            return end(OutcomeStatus.FAILED, str(error), retry=True)
        found = [edit for edit in history.edits if edit.key in self._writes.keys[ticket.id]]
        kept = puts_back(history)
        ours = [edit for edit in found if run_of(edit.intent) == self._writes.run_id and edit.key not in kept]
        # One write undoes them all; its key comes from the last of them.
        undone = history.find(undo_key((ours or found)[-1])) if found else None
        if undone is not None:
            for change, left in self._sent.get(ticket.id, ()):
                if change.intent == undone.intent:
                    self._left[ticket.id] = left
                    return work.written(reasons.CONFIRMED, change)
            return end(OutcomeStatus.SKIPPED, reasons.ALREADY_UNDONE)
        if ticket.status == reasons.CLOSED:
            return end(OutcomeStatus.SKIPPED, reasons.CLOSED)
        if self._tools.hands_off in ticket.tags:
            return end(OutcomeStatus.SKIPPED, reasons.HANDS_OFF)
        if not is_stable(ticket, self._tools.stable_read_s):
            return end(OutcomeStatus.SKIPPED, reasons.DEFERRED, retry=True)  # the record may not be complete either
        if (unseen := self._unseen(ticket, history)) is not None:
            return end(OutcomeStatus.SKIPPED, unseen, retry=True)
        if not ours:
            put_back = any(edit.key in kept for edit in found)
            if put_back or not found:
                return end(OutcomeStatus.SKIPPED, reasons.PUT_BACK if put_back else reasons.NOTHING_OF_OURS)
            writer = plain_line(run_of(found[-1].intent), MOST_ID)
            return end(OutcomeStatus.SKIPPED, f"{reasons.OTHER_RUN}_{writer}")
        back = take_back(
            history,
            ticket,
            lambda edit: any(edit is write for write in ours),
            without=self._refused.get(ticket.id, ()),
        )
        self._left[ticket.id] = back.left
        if not back.values:
            seen = back.left and all(part.why == "customers_saw_it" for part in back.left)
            touched = reasons.SEEN_BY_CUSTOMERS if seen else reasons.TOUCHED
            return end(OutcomeStatus.SKIPPED, touched if back.left else reasons.NOTHING_LEFT)
        change = as_change(
            ticket, back, key=undo_key(ours[-1]), intent=self._tools.audit.new_intent(), run_id=self._writes.run_id
        )
        if "note" in self._refused.get(ticket.id, ()):
            change = change.model_copy(update={"note": None})
        if self._tools.dry_run:
            return end(OutcomeStatus.PLANNED, reasons.TAKEN_BACK, change)
        if work.attempts >= WRITE_ATTEMPTS:
            return end(OutcomeStatus.FAILED, work.doubt, retry=True)
        self._sent.setdefault(ticket.id, []).append((change, back.left))
        return change

    def refused(self, work: Settlement, change: Change, part: MissingPart) -> bool:
        """Note that the helpdesk refuses one part; the rest is planned again."""
        work.doubt = f"the helpdesk refuses the {part}"
        self._refused.setdefault(change.ticket_id, set()).add(part)
        return True

    def left(self, ticket_id: int) -> tuple[Left, ...]:
        """The parts that stay on a settled ticket. Forgets the ticket."""
        self._sent.pop(ticket_id, None)
        self._refused.pop(ticket_id, None)
        return self._left.pop(ticket_id, ())

    def _unseen(self, ticket: Ticket, history: History) -> str | None:
        """Why nothing can be decided yet: a write is under way, or the read is too old to show it."""
        seen = {edit.intent for edit in history.edits}
        coming = self.under_way.get(ticket.id)
        if coming is not None and coming.intent not in seen:
            return reasons.NOT_KNOWN_YET
        arrived = self.arrived.get(ticket.id)
        if arrived is not None and arrived.intent not in seen and ticket.updated_at == arrived.stamp:
            return reasons.DEFERRED
        return None
