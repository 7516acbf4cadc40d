"""A write-back with everything it needs, for the tests of it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any

from ticket_processor.analysis.chain import Analyser, Understanding
from ticket_processor.audit.files import read_events
from ticket_processor.audit.receipts import AuditLog
from ticket_processor.core.clock import Deadline, iso
from ticket_processor.core.errors import UpdateConflict
from ticket_processor.core.models import Change, Outcome, Ticket
from ticket_processor.pipeline import job_trust
from ticket_processor.pipeline.analyse import Judge
from ticket_processor.pipeline.context import Parts, RunOptions
from ticket_processor.pipeline.fan_out import Threads
from ticket_processor.pipeline.job_trust import BatchTrust, JobTrust
from ticket_processor.pipeline.jobs import Delivery, Tools
from ticket_processor.pipeline.record import Listener, Recorder
from ticket_processor.pipeline.select import Triage
from ticket_processor.pipeline.settlement import Settled
from ticket_processor.pipeline.shared_faults import SharedFaults
from ticket_processor.pipeline.verify import WriteVerifier
from ticket_processor.pipeline.write import WriteBack
from ticket_processor.policy.decide import Policy, decide
from ticket_processor.policy.skip_rules import Selection, SkipRules
from ticket_processor.state.records import Verdict
from ticket_processor.state.store import State
from ticket_processor.tags import write_key

from ..simulation.virtual import SerialExecutor
from .fakes import START, FakeDesk, ManualClock, a_decision, a_ticket, an_analysis
from .memory_helpdesk import RULES

SEEN = BatchTrust(at=iso(START), ok=True, metadata=True, stamps=True)
"""What is known of an account whose jobs were seen to hold, and are read back."""


def learnt(state: State) -> BatchTrust:
    """What a run has found out of the account's jobs."""
    known = job_trust.learnt(state)
    assert known is not None
    return known


@contextmanager
def opened(folder: Path, *tickets: Ticket, known: bool = True) -> Iterator[Bench]:
    """A bench, on an account whose jobs were seen to hold unless nothing is ``known`` of them."""
    bench = Bench(folder, *tickets)
    if known:
        job_trust.remember(bench.state, SEEN)
    yield bench
    bench.audit.close()
    bench.state.close()


def outcomes_of(ended: Iterable[Settled]) -> list[Outcome]:
    """The outcomes of tickets that a write-back has brought to their end."""
    return [settled.outcome for settled in ended]


def books(parts: Parts, listener: Listener) -> Recorder:
    """The books of a run that reads nothing back."""
    tools = Tools(parts.desk, parts.state, parts.audit, parts.clock, parts.deadline)
    verifier = WriteVerifier(tools, JobTrust(tools), "run")
    return Recorder(parts, RunOptions(run_id="run"), listener, verifier, SharedFaults())


class Bench:
    """A write-back with a helpdesk, a state and a log of its own."""

    def __init__(self, folder: Path, *tickets: Ticket) -> None:
        self.clock = ManualClock()
        self.desk = FakeDesk(*tickets)
        self.state = State(None)
        self.audit = AuditLog(folder, self.clock, "run")

    def write_back(self, **options: Any) -> WriteBack:
        rules = {"selection": Selection(SkipRules()), "decide": partial(decide, policy=Policy())}
        given = {**rules, "stable_read_s": 6.0, **options}
        delivery, dry_run = given.pop("delivery", Delivery("single")), given.get("dry_run", False)
        deadline = Deadline(self.clock, given.pop("seconds", 540.0))
        before_write = given.pop("before_write", lambda: None)
        tools = Tools(self.desk, self.state, self.audit, self.clock, deadline, before_write, delivery, dry_run)
        return WriteBack(tools, Triage(self.desk, self.audit, Policy(), **given))

    def parts(self, *links: Analyser) -> Parts:
        return Parts(
            desk=self.desk,
            judge=Judge(Understanding(links, RULES, clock=self.clock), Policy()),
            threads=Threads(SerialExecutor()),
            state=self.state,
            audit=self.audit,
            deadline=Deadline(self.clock, 540.0),
        )

    def run(self, verdicts: Sequence[Verdict] = (), **options: Any) -> list[Outcome]:
        """A whole run with its books: what earlier ones left open, then ``verdicts``."""
        write_back = self.write_back(**options)
        ended: list[Outcome] = []
        recorder = books(self.parts(), ended.append)
        for settled in write_back.unfinished():
            recorder.record(settled)
        write_back.take(verdicts)
        for settled in write_back.finish():
            recorder.record(settled)
        return ended

    def settle(self, *ticket_ids: int, **options: Any) -> list[Outcome]:
        verdicts = [self.verdict(ticket_id) for ticket_id in ticket_ids or (1,)]
        return self.bring(verdicts, **options)

    def bring(self, verdicts: list[Verdict], **options: Any) -> list[Outcome]:
        write_back = self.write_back(**options)
        write_back.take(verdicts)
        return outcomes_of(write_back.finish())

    def one(self, **options: Any) -> Outcome:
        (outcome,) = self.settle(**options)
        return outcome

    def verdict(self, ticket_id: int = 1, **fields: Any) -> Verdict:
        ticket = self.desk.tickets.get(ticket_id) or a_ticket(ticket_id)
        given: dict[str, Any] = {
            "ticket_id": ticket_id,
            "key": write_key(ticket),
            "analysis": an_analysis(),
            "decision": a_decision(ticket_id),
            "clean_stamp": ticket.updated_at,
            "analyse_ms": 40,
            **fields,
        }
        return Verdict(**given)

    def verdicts(self, *numbers: int) -> list[Verdict]:
        """Of these tickets, or of all."""
        return [self.verdict(number) for number in numbers or self.desk.tickets]

    def somebody(self, ticket_id: int = 1, *, ago: float = 100.0, **fields: Any) -> None:
        """The ticket as the next read will find it, changed ``ago`` seconds before that."""
        ticket = self.desk.tickets[ticket_id]
        self.desk.tickets[ticket_id] = ticket.model_copy(update={"updated_at": iso(START - ago), **fields})

    def conflict(self, **fields: Any) -> Callable[[Change], None]:
        """Somebody is faster than the update."""

        def step(_: Change) -> None:
            self.somebody(**fields)
            raise UpdateConflict("changed")

        return step

    def lands(self, then: Exception | None = None, **after: Any) -> Callable[[Change], None]:
        """The update happens; the answer may not arrive."""

        def step(change: Change) -> None:
            ticket = self.desk.tickets[change.ticket_id]
            self.desk.found[change.ticket_id, change.key] = change.intent
            fields = {"tags": change.tags, "priority": change.priority or ticket.priority, "ago": 50.0, **after}
            self.somebody(change.ticket_id, **fields)
            if then is not None:
                raise then

        return step

    def happens(self, change: Change) -> None:
        """The update happens, and the helpdesk's record of it is not told."""
        self.desk.apply(change)

    def lines(self) -> list[dict[str, Any]]:
        return list(read_events(self.audit.path)) if self.audit.path.exists() else []
