"""``ticketbot apply``: writes what a dry run has kept in a file, in the same way as a run."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from ..core.clock import SystemClock
from ..monitoring.run_watch import tended
from ..pipeline.planned_writes import planned_writes
from ..settings.load import load
from ..wiring.runs import RunArguments
from .options import ConfigOption, JsonOption
from .screen import Screen
from .shown_run import play

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
    run = settings.run.model_copy(update={"deadline_s": DEADLINE_S})
    asked = RunArguments(kind="apply", verdicts=planned_writes(file, account))
    with tended(settings, clock, "apply", deadline_s=DEADLINE_S) as tending:
        return play(
            settings.model_copy(update={"run": run}),
            asked,
            clock,
            Screen(as_json=as_json),
            tending,
            what="applying",
            total=total,
            title=f"Applied {file}, run",
        )
