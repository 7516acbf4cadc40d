"""One run, taken back: its values that are still as it wrote them; with one note and a receipt for each ticket.

It is written as a run writes: guarded, in jobs where there are many, and exactly once, since the write that takes
another back has a key of its own, which is found on the ticket. So it may be stopped at any time and said again. What
it is about to send it keeps in memory only: a later run would take that for something to go on with.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping
from contextlib import closing
from dataclasses import dataclass, replace

from ...core import reasons
from ...core.errors import (
    AuditUnwritable,
    CannotRun,
    DeadlineReached,
    ExitCode,
    Halted,
    MissingPart,
    NotePublished,
    RateLimited,
    Stopping,
    TicketError,
)
from ...core.models import Change, Decision, Outcome, OutcomeStatus, Ticket
from ...core.run_summary import RunSummary
from ...core.run_summary import Writes as Ways
from ...core.text import plain_line
from ...helpdesk.ticket_history import History
from ...state.records import Verdict
from ...state.store import State
from ...tags import COMPLETE, REPAIR, key_of_stage
from ..context import HALTED, heed_wait
from ..job_trust import TRUST
from ..jobs import Tools
from ..settlement import WRITE_ATTEMPTS, Settled, Settlement, is_stable
from ..writeback import WriteBack
from .find import InFlight, RunWrites, wait_for_jobs
from .revert import STAGE, Left, as_change, puts_back, run_of, take_back, undo_key

MOST_ID = 80
"""Characters of a run's id that the helpdesk's record tells."""
MOST_WAITS = 5
"""How many times the undo waits for tickets that have just changed."""


@dataclass(frozen=True, kw_only=True)
class UndoTools(Tools):
    """What an undo works with, and its options. ``run_id`` is its own; ``tell`` gets sentences for who waits."""

    run_id: str
    stable_read_s: float = 6.0
    hands_off: str = ""
    dependency: str = "helpdesk"
    requests: Callable[[], Mapping[str, int]] = dict
    tell: Callable[[str], None] = lambda _sentence: None


class UndoPlanner:
    """Decides what of a run's writes on a ticket is taken back; see :class:`Planner`.

    A ticket that carries the tag ``hands_off`` is not touched. Set ``flight`` to what may still be on its way.
    """

    def __init__(self, tools: UndoTools, writes: RunWrites) -> None:
        self._tools = tools
        self._writes = writes
        self.flight = InFlight()
        self._sent: dict[int, list[tuple[Change, tuple[Left, ...]]]] = {}
        self._left: dict[int, tuple[Left, ...]] = {}
        self._refused: dict[int, set[MissingPart]] = {}

    def plan(self, work: Settlement, ticket: Ticket | None, now: float) -> Change | Outcome:
        """The change that takes back, or the end. ``now`` is monotonic, seconds."""

        def end(status: OutcomeStatus, reason: str, change: Change | None = None, *, retry: bool = False) -> Outcome:
            return work.end(status, reason, change, retry=retry, now=now)

        if ticket is None:
            return end(OutcomeStatus.SKIPPED, reasons.DELETED)
        try:
            history = self._tools.desk.history(ticket.id)
        except TicketError as error:
            return end(OutcomeStatus.FAILED, str(error), retry=True)
        found = [edit for edit in history.edits if edit.key in self._writes.keys[ticket.id]]
        kept = puts_back(history)
        ours = [edit for edit in found if run_of(edit.intent) == self._writes.run_id and edit.key not in kept]
        # One write takes them all back, under a key that the last of them gives it.
        undone = history.find(undo_key((ours or found)[-1])) if found else None
        if undone is not None:
            for change, left in self._sent.get(ticket.id, ()):
                if change.intent == undone.intent:
                    self._left[ticket.id] = left
                    return work.written(reasons.CONFIRMED, change, now)
            return end(OutcomeStatus.SKIPPED, reasons.ALREADY_UNDONE)
        if ticket.status == reasons.CLOSED:
            return end(OutcomeStatus.SKIPPED, reasons.CLOSED)
        if self._tools.hands_off in ticket.tags:
            return end(OutcomeStatus.SKIPPED, reasons.HANDS_OFF)
        if not is_stable(ticket, self._tools.stable_read_s):
            return end(OutcomeStatus.SKIPPED, reasons.DEFERRED, retry=True)  # nor is the record known to be complete
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
        """Take note that the helpdesk refuses one part; the rest is planned anew."""
        work.doubt = f"the helpdesk refuses the {part}"
        self._refused.setdefault(change.ticket_id, set()).add(part)
        return True

    def left(self, ticket_id: int) -> tuple[Left, ...]:
        """The parts of the write that stay on a ticket that has come to its end. Forgets the ticket."""
        self._sent.pop(ticket_id, None)
        self._refused.pop(ticket_id, None)
        return self._left.pop(ticket_id, ())

    def _unseen(self, ticket: Ticket, history: History) -> str | None:
        """Why nothing is decided yet: a write that is on its way, or that the read is too old to show."""
        seen = {edit.intent for edit in history.edits}
        coming = self.flight.under_way.get(ticket.id)
        if coming is not None and coming.intent not in seen:
            return reasons.NOT_KNOWN_YET
        arrived = self.flight.arrived.get(ticket.id)
        if arrived is not None and arrived.intent not in seen and ticket.updated_at == arrived.stamp:
            return reasons.DEFERRED
        return None


class Undo:
    """Takes back the writes of a run. ``listener`` gets every ticket's end, and what was left of the write."""

    def __init__(
        self,
        tools: UndoTools,
        writes: RunWrites,
        listener: Callable[[Outcome, tuple[Left, ...]], None] = lambda _outcome, _left: None,
    ) -> None:
        self._tools = tools
        self._writes = writes
        self._listener = listener
        self._outcomes: Counter[str] = Counter()
        self._reasons: Counter[str] = Counter()
        self._again = False
        self._doubtful: set[int] = set()
        self._unconfirmed = 0
        self._planner = UndoPlanner(tools, writes)

    def execute(self) -> RunSummary:
        """Play it to its end, whatever the helpdesk does. The summary's outcomes are those of a run.

        Its ``writes.open`` are sent and not confirmed; see also :func:`not_reached`.
        """
        tools = self._tools
        started = tools.clock.monotonic()
        stopped, code = None, ExitCode.OK
        try:
            tools.audit.run_started(undoes=self._writes.run_id, tickets=len(self._writes.keys))
            self._flow()
        except DeadlineReached:
            stopped, self._again = "the time is up; run the same command again to continue", True
        except (Stopping, CannotRun) as end:
            stopped, code = str(end), end.exit_code
            if isinstance(end, Halted):
                stopped += "; with --while-stopped the run is taken back all the same, and runs stay stopped"
            if isinstance(end, RateLimited):
                tools.state.keep_not_before(tools.dependency, end.not_before, tools.clock.now())
            if isinstance(end, NotePublished):
                tools.state.remember(**{HALTED: str(end)})
                tools.audit.alert("note_published", message=str(end))
        if code is ExitCode.OK and (self._again or self._outcomes[OutcomeStatus.FAILED]):
            code = ExitCode.SOME_FAILED
        summary = RunSummary(
            run_id=tools.run_id,
            dry_run=tools.dry_run,
            seen=len(self._writes.keys),
            outcomes=dict(self._outcomes),
            reasons=dict(self._reasons),
            requests=dict(tools.requests()),
            writes=Ways(open=self._unconfirmed),
            duration_s=round(tools.clock.monotonic() - started, 3),
            stopped=stopped,
            exit_code=int(code),
        )
        try:
            if stopped:
                tools.audit.alert(
                    "undo_ended_early", sent_not_confirmed=self._unconfirmed, not_reached=not_reached(summary)
                )
            tools.audit.run_finished(summary)
        except AuditUnwritable as unwritable:
            summary = summary.model_copy(
                update={"stopped": stopped or str(unwritable), "exit_code": int(ExitCode.CANNOT_RUN)}
            )
        return summary

    def _flow(self) -> None:
        tools, writes = self._tools, self._writes
        halted = tools.state.fact(HALTED)
        if halted is not None and not tools.dry_run:
            raise CannotRun(f"{halted}; an undo writes notes too: when a person has looked into it, run with --resume")
        heed_wait(tools.state, tools.dependency, tools.clock.now())
        tools.before_write()
        self._give_up_completions()
        if not tools.dry_run:
            tools.state.cancel_reply(*writes.keys)
        untold = writes.keys.keys() - writes.taken_back
        sent = [
            item
            for item in tools.state.unsettled()
            if item.verdict.ticket_id in untold and item.sent and run_of(item.sent[-1].intent) == writes.run_id
        ]
        self._planner.flight = wait_for_jobs(tools.desk, sent, tools.clock, tools.deadline, tools.tell)
        for ticket_id in sorted(writes.taken_back & writes.keys.keys()):
            undone = Outcome(ticket_id=ticket_id, status=OutcomeStatus.SKIPPED, reason=reasons.ALREADY_UNDONE)
            self._record(Settled(undone))
        with closing(State(None)) as scratch:
            try:
                self._write(scratch, sorted(untold))
            finally:
                open_still = {item.verdict.ticket_id for item in scratch.unsettled() if item.sent}
                self._unconfirmed = len(open_still | self._doubtful)

    def _write(self, scratch: State, waiting: list[int]) -> None:
        tools = self._tools
        known = tools.state.fact(TRUST)
        if known is not None:
            scratch.remember(**{TRUST: known})
        write_back = WriteBack(replace(tools, state=scratch), self._planner)
        for waits in range(MOST_WAITS + 1):
            if waits:
                tools.deadline.wait(tools.stable_read_s + 1)
            write_back.take([self._verdict(ticket_id) for ticket_id in waiting])
            waiting = []
            for settled in write_back.finish():
                outcome = settled.outcome
                if outcome.reason == reasons.DEFERRED and waits < MOST_WAITS:
                    waiting.append(outcome.ticket_id)
                    if outcome.attempts:
                        self._doubtful.add(outcome.ticket_id)
                else:
                    self._record(settled)
                scratch.settled(outcome.ticket_id)
            if not waiting:
                break
        learnt = scratch.fact(TRUST)
        if learnt is not None and learnt != known:
            tools.state.remember(**{TRUST: learnt})

    def _verdict(self, ticket_id: int) -> Verdict:
        return Verdict(
            ticket_id=ticket_id,
            key=key_of_stage(self._writes.keys[ticket_id][-1], STAGE),
            analysis=None,
            decision=Decision(ticket_id=ticket_id, reason=reasons.TAKEN_BACK),
            clean_stamp="",
            follows=True,
        )

    def _give_up_completions(self) -> None:
        """Drop what a later run was to complete of these writes."""
        for item in self._tools.state.unsettled():
            verdict = item.verdict
            keys = self._writes.keys.get(verdict.ticket_id, ())
            if verdict.key in {key_of_stage(key, COMPLETE) for key in keys}:
                self._tools.state.settled(verdict.ticket_id)

    def _record(self, settled: Settled) -> None:
        """Receipt first, then the state. The ticket counts as triaged still: no later run begins anew."""
        tools, outcome = self._tools, settled.outcome
        tools.audit.ticket(outcome)
        if outcome.status is OutcomeStatus.UPDATED:
            done = (self._writes.run_id, self._writes.keys[outcome.ticket_id][-1])
            then = settled.follow_up
            if then is None and (kept := tools.state.verdict(outcome.ticket_id)) is not None and kept.puts_back:
                then = (kept, REPAIR)  # what people have lost to another write is still theirs
            tools.state.settled(outcome.ticket_id, done=done, then=then)
            tools.state.forget_fallback(outcome.ticket_id)
        self._doubtful.discard(outcome.ticket_id)
        self._outcomes[outcome.status] += 1
        if outcome.status in (OutcomeStatus.SKIPPED, OutcomeStatus.FAILED):
            self._reasons[outcome.reason] += 1
        self._again = self._again or outcome.reason in (reasons.DEFERRED, reasons.NOT_KNOWN_YET)
        self._listener(outcome, self._planner.left(outcome.ticket_id))


def other_run(reason: str) -> str | None:
    """The run that wrote on a ticket instead, where an outcome's ``reason`` says so."""
    return reason.removeprefix(f"{reasons.OTHER_RUN}_") if reason.startswith(reasons.OTHER_RUN) else None


def not_reached(summary: RunSummary) -> int:
    """Tickets that an undo sent nothing for, and came to no end with, because it ended early."""
    return summary.seen - sum(summary.outcomes.values()) - summary.writes.open
