"""Runs as the state keeps them, made up; and years of them, in numbers only."""

from __future__ import annotations

import math
import random
from collections.abc import Callable, Iterator
from typing import Any

from ticket_processor.core.run_summary import RunRecord, RunSummary

NOW = 1_795_262_400.0
"""2026-11-21T12:00:00Z"""
PERIOD_S = 600.0


def recorded(at: float = NOW, *, ok: int = 3, failed: int = 0, kind: str = "run", **summary: Any) -> RunRecord:
    """A run that ended ``at``, and went well unless the summary says otherwise."""
    outcomes = {name: count for name, count in (("updated", ok), ("failed", failed)) if count}
    told = {"caught_up": not summary.get("stopped_by"), "outcomes": outcomes, "newly_failed": failed, **summary}
    run_id = f"run-{kind}-{at:.0f}"
    return RunRecord(
        run_id=run_id,
        kind=kind,
        started=at - 5.0,
        finished=at,
        summary=RunSummary(run_id=run_id, dry_run=False, **told),
    )


def history(*runs: dict[str, Any], until: float = NOW, every: float = PERIOD_S) -> list[RunRecord]:
    """Runs one after the other, the last of which ends ``until``."""
    return [recorded(until - every * (len(runs) - 1 - n), **run) for n, run in enumerate(runs)]


def busy(
    tickets_a_day: float, error_rate: float, dice: random.Random, *, every: float = PERIOD_S
) -> Callable[[], tuple[int, int]]:
    """Tickets and failures of one run after the other, by chance."""

    def one() -> tuple[int, int]:
        tickets = poisson(tickets_a_day * every / 86_400.0, dice)
        return tickets, sum(dice.random() < error_rate for _ in range(tickets))

    return one


def year(
    tickets_a_day: int, seed: int, *, days: int = 365, error_rate: float = 0.001, every: float = PERIOD_S
) -> Iterator[list[RunRecord]]:
    """What the service levels see after each run of a year; the same list, three days long or more."""
    one = busy(tickets_a_day, error_rate, random.Random(seed), every=every)
    runs: list[RunRecord] = []
    a_day = round(86_400.0 / every)
    for number in range(days * a_day):
        tickets, failed = one()
        runs.append(recorded(NOW + number * every, ok=tickets - failed, failed=failed))
        if len(runs) > 8 * a_day:
            del runs[: 5 * a_day]
        yield runs


def poisson(mean: float, dice: random.Random) -> int:
    """Knuth's; a run has a handful of tickets."""
    count, product, limit = 0, dice.random(), math.exp(-mean)
    while product > limit:
        count, product = count + 1, product * dice.random()
    return count
