"""Runs as the state keeps them, made up."""

from __future__ import annotations

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
