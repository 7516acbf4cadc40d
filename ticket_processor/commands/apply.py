"""``ticketbot apply``: writes what a dry run has kept in a file, in the same way as a run."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from ..core.clock import SystemClock
from ..core.models import Outcome
from ..core.reasons import ALREADY_DONE
from ..monitoring.run_watch import tally_of, tended
from ..pipeline.planned_writes import planned_writes
from ..settings.load import load
from ..wiring.runs import write
from ..wiring.ticket_subjects import Subjects
from .options import ConfigOption, JsonOption
from .screen import Screen

DEADLINE_S = 12 * 3600.0
"""A file may hold a backlog of years, and a person watches."""


def apply(
    clock: SystemClock,
    file: Annotated[Path, typer.Argument(metavar="FILE", help="What 'ticketbot run --dry-run --out FILE' kept.")],
    as_json: JsonOption = False,
    config: ConfigOption = None,
) -> tuple[int, int]:
    """Write what a dry run has kept in a file, exactly once."""
    settings = load(config=config)
    account = settings.desk.base_url
    total = sum(1 for _ in planned_writes(file, account))  # so that a broken line is found before anything is written
    screen = Screen(as_json=as_json)
    subjects = Subjects(lambda sentence: screen.notices([sentence]))
    tally = tally_of(settings, subjects)

    def listen(outcome: Outcome) -> None:
        seen = tally.take(outcome, shown=screen.tells_each)
        screen.outcome(seen, line=outcome.reason != ALREADY_DONE)  # the summary counts these

    run = settings.run.model_copy(update={"deadline_s": DEADLINE_S})
    with tended(settings, clock, "apply", deadline_s=DEADLINE_S) as tending:
        screen.notices(settings.notices)
        with screen.progress("applying", total):
            finished = write(
                settings.model_copy(update={"run": run}),
                planned_writes(file, account),
                clock=clock,
                listener=listen,
                subjects=subjects,
            )
        tending.ended(finished.summary, tally=tally)
        screen.finished(finished.summary, finished.log, title=f"Applied {file}, run", tally=tally)
    return finished.summary.exit_code, finished.abandoned
