from __future__ import annotations

from concurrent.futures import Future
from pathlib import Path

from ticket_processor.pipeline.analyse import Understood, Verdicts
from ticket_processor.pipeline.context import RunOptions
from ticket_processor.pipeline.fan_out import Stuck
from ticket_processor.pipeline.select import Work
from ticket_processor.pipeline.shared_faults import SharedFaults
from ticket_processor.state.records import Verdict

from ..support.fakes import a_ticket
from ..support.memory_helpdesk import Says
from ..support.writeback_rig import opened


def test_an_analysis_that_ends_just_as_its_worker_is_given_up_is_used(tmp_path: Path) -> None:
    with opened(tmp_path) as bench:
        verdicts = Verdicts(bench.parts(Says()), RunOptions("run1"), SharedFaults())
        work, given_up = Work(a_ticket(1), "key"), Future[Understood]()
        analysis, _, _ = verdicts.understand(work)
        given_up.set_exception(Stuck())
        verdict = verdicts.of(work, given_up)
    assert isinstance(verdict, Verdict)
    assert verdict.analysis == analysis
