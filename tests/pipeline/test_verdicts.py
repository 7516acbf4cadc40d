"""Verdicts on tickets whose worker was given up."""

from __future__ import annotations

from concurrent.futures import Future
from pathlib import Path

from ticket_processor.analysis.budget import Pace
from ticket_processor.analysis.chain import Understanding
from ticket_processor.audit.receipts import AuditLog
from ticket_processor.core.clock import Deadline
from ticket_processor.core.models import Outcome
from ticket_processor.pipeline.fan_out import Stuck
from ticket_processor.pipeline.intake import Work
from ticket_processor.pipeline.parts import Parts, RunOptions
from ticket_processor.pipeline.shared_faults import SharedFaults
from ticket_processor.pipeline.verdicts import Understood, Verdicts
from ticket_processor.state.store import State

from ..simulation.virtual import SerialExecutor
from ..support.fakes import ManualClock, a_ticket
from ..support.memory_helpdesk import PLAIN, RULES, Says, TrueDesk


def test_an_analysis_that_ends_just_as_its_worker_is_given_up_is_used(tmp_path: Path) -> None:
    clock, ticket, recorded = ManualClock(), a_ticket(1), list[Outcome]()
    parts = Parts(
        desk=TrueDesk(ticket),
        understanding=Understanding([Says()], RULES, clock=clock),
        executor=SerialExecutor(),
        state=State(None),
        audit=AuditLog(tmp_path, clock, "run1"),
        clock=clock,
        deadline=Deadline(clock, 500),
        policy=PLAIN,
    )
    verdicts = Verdicts(parts, RunOptions(run_id="run1"), recorded.append, Pace(), SharedFaults())
    work, given_up = Work(ticket, "key"), Future[Understood]()
    analysis, _, _ = verdicts.understand(work)
    given_up.set_exception(Stuck())
    (verdict,) = verdicts.of([(work, given_up)])

    assert verdict.analysis == analysis
    assert recorded == []
