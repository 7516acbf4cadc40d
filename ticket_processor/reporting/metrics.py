"""Figures from the log: what reports, the dashboard and checks show. Pure functions over a :class:`LogIndex`.

What counts:

- A *ticket* counts once, by its last line of the period: its outcome is the one it ended with, its labels are those of
  its last line with an analysis. So a ticket that failed at noon and was updated at one is an updated one.
- *Work* counts every line: answers, tokens, dollars, latencies and the lines themselves, retries included. The rates
  of answers (fallback, review, repeats) are of work too, so that runs, which do not know each other, come to the same.
- Dry runs count only where they are asked for, and then alone. Taking a run back is neither a ticket nor work.

Days and hours are UTC. Moments go in as Unix seconds and come out as datetimes with the zone UTC.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from typing import get_args

from ..core.models import NO_MODEL
from ..settings.schema import SloSettings
from .figures import (
    ENDS,
    PLANNED,
    Dimension,
    DimensionShare,
    Latency,
    LogSelection,
    Objective,
    Point,
    Runs,
    Spending,
    Step,
    Totals,
)
from .index import LogIndex
from .queries import EXPRESSIONS, UNDERSTOOD, checked, last, stamp, utc, where

_FALLBACK = f"analyser IS DISTINCT FROM 'model' AND why_fallback IS DISTINCT FROM '{NO_MODEL}'"
_FAILED = "outcome = 'failed'"
_OUTCOMES = ("updated", "suggested", "planned", "skipped", "failed")
_FEWEST_RUNS, _SHORTEST_S = 5, 60
"""So many there must be before they have a usual distance, and no schedule's is shorter."""


def totals(index: LogIndex, selection: LogSelection) -> Totals:
    """The period in numbers."""
    condition, values = where(selection)
    ended, labelled = last("next_at"), last("next_labelled_at", UNDERSTOOD)
    rows = index.rows(
        f"""
        SELECT outcome, count(*) AS lines, count(*) FILTER ({ended}) AS tickets,
               count(*) FILTER ({labelled}) AS understood,
               count(*) FILTER ({labelled} AND escalated <> '') AS escalated,
               count(*) FILTER ({labelled} AND suspicious <> '') AS suspicious,
               count(*) FILTER ({UNDERSTOOD}) AS answers,
               count(*) FILTER ({UNDERSTOOD} AND {_FALLBACK}) AS fallback,
               count(*) FILTER ({UNDERSTOOD} AND {_FALLBACK} AND why_fallback NOT IN {PLANNED}) AS unplanned_fallback,
               count(*) FILTER ({UNDERSTOOD} AND review) AS review,
               count(*) FILTER ({UNDERSTOOD} AND cached) AS answers_from_cache,
               count(*) FILTER (tokens_in > 0 AND cost_usd IS NULL) AS unpriced,
               coalesce(sum(cost_usd), 0) AS cost_usd, coalesce(sum(tokens_in), 0)::BIGINT AS tokens_in,
               coalesce(sum(tokens_out), 0)::BIGINT AS tokens_out,
               coalesce(sum(tokens_cached), 0)::BIGINT AS tokens_cached
        FROM lines WHERE {condition} GROUP BY outcome
        """,
        values,
    )
    if not rows:
        return Totals()
    by_outcome = {row.pop("outcome"): row for row in rows}
    failed_once = 0
    if "failed" in by_outcome:
        # By itself it is far quicker than among the others.
        failed_once = index.query(
            f"SELECT count(DISTINCT ticket_id) FROM work WHERE {condition} AND {_FAILED}", values
        )[0][0]
    return Totals(
        written=sum(by_outcome[name]["lines"] for name in ("updated", "suggested") if name in by_outcome),
        failed_at_least_once=failed_once,
        **{name: by_outcome[name]["tickets"] for name in _OUTCOMES if name in by_outcome},
        **{name: sum(row[name] for row in rows) for name in rows[0]},
    )


def breakdown(
    index: LogIndex, selection: LogSelection, dimension: Dimension, *, most: int | None = None
) -> list[DimensionShare]:
    """The tickets by one dimension, the most frequent first, at most ``most`` values; without those that have none."""
    return breakdowns(index, selection, (dimension,))[dimension][:most]


def breakdowns(
    index: LogIndex, selection: LogSelection, dimensions: Sequence[Dimension]
) -> dict[Dimension, list[DimensionShare]]:
    """The same for several at once, which is quicker."""
    condition, values = where(selection)
    found: dict[Dimension, list[DimensionShare]] = {dimension: [] for dimension in dimensions}
    for group in (tuple(d for d in found if d in ENDS), tuple(d for d in found if d not in ENDS)):
        if not group:
            continue
        counted = last("next_at") if group[0] in ENDS else last("next_labelled_at", UNDERSTOOD)
        sets = ", ".join(f"({name})" for name in group)
        rows = index.query(
            f"""
            SELECT {", ".join(group)}, count(*)
            FROM (SELECT {", ".join(f"{EXPRESSIONS.get(name, name)} AS {name}" for name in group)}
                  FROM lines WHERE {condition} AND {counted})
            GROUP BY GROUPING SETS ({sets})
            """,
            values,
        )
        for *labels, count in rows:
            for name, label in zip(group, labels, strict=True):
                if label:
                    found[name].append(DimensionShare(label, count, 0.0))
    return {name: _with_shares(parts) for name, parts in found.items()}


def series(
    index: LogIndex, selection: LogSelection, step: Step, by: Dimension | None = None, *, timed: bool = True
) -> list[Point]:
    """The period in steps, oldest first; with ``by`` a point for each value in each step. Empty steps are left out.

    Without ``timed`` there are no latencies, which is quicker.
    """
    condition, values = where(selection)
    label = "''" if by is None else f"coalesce({EXPRESSIONS.get(by, by)}, '')"
    ended = last("next_at") if by is None or by in ENDS else last("next_labelled_at", UNDERSTOOD)
    took = f"CASE WHEN {UNDERSTOOD} THEN latency_ms END"
    p50, p95 = (f"quantile_disc({took}, {share})" if timed else "NULL" for share in (0.5, 0.95))
    rows = index.rows(
        f"""
        SELECT date_trunc('{checked(step, get_args(Step))}', ts) AS at, {label} AS label,
               count(*) FILTER ({ended}) AS tickets, count(*) FILTER ({ended} AND {_FAILED}) AS failed,
               count(*) FILTER ({UNDERSTOOD}) AS answers, count(*) FILTER ({UNDERSTOOD} AND {_FALLBACK}) AS fallback,
               coalesce(sum(cost_usd), 0) AS cost_usd, {p50} AS p50_ms, {p95} AS p95_ms
        FROM lines WHERE {condition}
        GROUP BY 1, 2 ORDER BY 1, 2
        """,
        values,
    )
    return [Point(**row) for row in rows]


def latency(index: LogIndex, selection: LogSelection, *, quick_ms: float = 15_000) -> Latency:
    """How long answers took, as :attr:`Outcome.latency_ms` has it; ``quick_ms`` or less is in time."""
    condition, values = where(selection)
    (found,) = index.rows(
        f"""
        SELECT count(latency_ms) AS count, quantile_disc(latency_ms, 0.5) AS p50_ms,
               quantile_disc(latency_ms, 0.95) AS p95_ms, quantile_disc(latency_ms, 0.99) AS p99_ms,
               max(latency_ms) AS most_ms, count(*) FILTER (latency_ms <= $quick_ms) AS in_time
        FROM work WHERE {condition} AND {UNDERSTOOD}
        """,
        {**values, "quick_ms": quick_ms},
    )
    return Latency(**found)


def spent(index: LogIndex, selection: LogSelection) -> list[Spending]:
    """What analyses took, by model; the dearest first."""
    condition, values = where(selection)
    rows = index.query(
        f"""
        SELECT {EXPRESSIONS["answered_by"]} AS label, count(*), coalesce(sum(cost_usd), 0),
               count(*) FILTER (tokens_in > 0 AND cost_usd IS NULL),
               coalesce(sum(tokens_in), 0)::BIGINT, coalesce(sum(tokens_out), 0)::BIGINT,
               coalesce(sum(tokens_cached), 0)::BIGINT
        FROM work WHERE {condition} AND category IS NOT NULL
        GROUP BY label ORDER BY 3 DESC, 2 DESC, 1
        """,
        values,
    )
    return [Spending(*row) for row in rows]


def runs(index: LogIndex, since: float, until: float) -> Runs:
    """The runs of a period in numbers; what was missed is estimated from the usual distance of scheduled ones."""
    rows = index.query(
        """
        WITH found AS (SELECT *, coalesce(started, finished) AS begun FROM runs),
             these AS (SELECT * FROM found WHERE begun >= $since AND begun < $until),
             scheduled AS (SELECT begun, epoch(begun - lag(begun) OVER (ORDER BY begun)) AS distance
                           FROM these WHERE kind = 'run' AND NOT dry_run),
             usual AS (SELECT quantile_disc(distance, 0.5) AS usual, epoch($until - max(begun)) AS since_last,
                              max(begun) AS last, max(distance) AS longest, count(*) AS number FROM scheduled)
        SELECT count(*) FILTER (NOT dry_run), count(*) FILTER (dry_run),
               count(*) FILTER (NOT dry_run AND finished IS NULL),
               histogram(exit_code) FILTER (NOT dry_run), histogram(stopped_by) FILTER (NOT dry_run),
               quantile_disc(duration_s, 0.95) FILTER (NOT dry_run),
               (SELECT (usual, since_last, longest, last, number) FROM usual),
               (SELECT coalesce(sum(greatest(0, round(distance / usual) - 1)), 0)
                FROM scheduled, usual WHERE usual > 0)
        FROM these
        """,
        {"since": stamp(since), "until": stamp(min(until, index.now()))},
    )
    count, dry, unfinished, codes, stopped, duration, (usual, since_last, longest, last, number), missed = rows[0]
    regular = number >= _FEWEST_RUNS and usual >= _SHORTEST_S
    return Runs(
        count=count,
        dry=dry,
        unfinished=unfinished,
        exit_codes=dict(codes or {}),
        stopped_by=dict(stopped or {}),
        p95_duration_s=duration,
        interval_s=usual if regular else None,
        missed=int(missed + max(0, round(since_last / usual) - 1)) if regular else 0,
        longest_gap_s=max(longest, since_last) if regular else None,
        last_started=utc(last) if last else None,
    )


def objectives(index: LogIndex, selection: LogSelection, goals: SloSettings) -> list[Objective]:
    """The service levels: the success rate, and answers that came in time."""
    return judged(totals(index, selection), latency(index, selection, quick_ms=goals.latency_s * 1000), goals)


def judged(total: Totals, took: Latency, goals: SloSettings) -> list[Objective]:
    """The same from figures that are known already."""
    return [
        Objective("success", goals.success, total.written, total.written + total.failed_at_least_once),
        Objective("latency", goals.latency_share, took.in_time, took.count),
    ]


def choices(index: LogIndex, selection: LogSelection) -> dict[Dimension, list[str]]:
    """What a filter can be set to: each value of the period, whatever else is selected, the most frequent first."""
    period = LogSelection(selection.since, selection.until, dry_runs=selection.dry_runs)
    found = breakdowns(
        index,
        period,
        ("category", "secondary", "urgency", "sentiment", "risk", "language", "outcome", "analyser", "model"),
    )
    return {name: [part.label for part in parts] for name, parts in found.items()}


def reach(index: LogIndex) -> tuple[datetime, datetime] | None:
    """When the first and the last line about a ticket were written; ``None`` for an empty log."""
    first, last = index.query("SELECT min(ts), max(ts) FROM work")[0]
    return None if first is None else (utc(first), utc(last))


def _with_shares(parts: Sequence[DimensionShare]) -> list[DimensionShare]:
    total = sum(part.tickets for part in parts)
    ordered = sorted(parts, key=lambda part: (-part.tickets, part.label))
    return [replace(part, share=part.tickets / total) for part in ordered]
