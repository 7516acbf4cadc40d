"""Figures from the log: what reports, the dashboard and checks show. Pure functions over a :class:`LogIndex`.

What counts:

- A *ticket* counts once, by its last line of the period: its outcome is the one it ended with, its labels are those of
  its last line with an analysis. So a ticket that failed at noon and was updated at one is an updated one.
- *Work* counts every line: answers, tokens, dollars, latencies and the lines themselves, retries included. The rates
  of answers (fallback, review, repeats) are of work too, so that they agree with the figures of single runs.
- Dry runs do not count. An undo is neither a ticket nor work.

Days and hours are UTC. Times are passed as Unix seconds and returned as datetimes with the zone UTC.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal, get_args

from ..core.reasons import NO_MODEL
from ..settings.schema import SloSettings
from .index import LogIndex
from .queries import ENDS, EXPRESSIONS, UNDERSTOOD, Dimension, LogSelection, checked, last, stamp, where

Step = Literal["hour", "day", "week"]
PLANNED = ("nothing_to_read", "no_model_configured", "budget_of_run_spent", "budget_of_day_spent")
"""Reasons (``why_fallback``) for which no model should be asked."""
_FALLBACK = f"analyser IS DISTINCT FROM 'model' AND why_fallback IS DISTINCT FROM '{NO_MODEL}'"
_FAILED = "outcome = 'failed'"
_DAY_S = 86_400.0
_OUTCOMES = ("updated", "suggested", "planned", "skipped", "failed")


def step_for(seconds: float) -> Step:
    """The step of time in which a period of this length is shown."""
    if seconds <= 3 * _DAY_S:
        return "hour"
    return "day" if seconds <= 120 * _DAY_S else "week"


def share(part: int, whole: int) -> float | None:
    """``part`` of ``whole``, from 0 to 1; ``None`` if ``whole`` is 0."""
    return part / whole if whole else None


def success_rate(written: int, failed: int) -> float | None:
    """The success rate of reports, dashboard, health, alerts and daily summary: written of written and failed tickets.

    ``failed`` counts tickets, not attempts: one that fails in several runs counts once. Others do not count.
    """
    return share(written, written + failed)


def error_rate(written: int, failed: int) -> float | None:
    """The share of failures: 1 minus the success rate."""
    return share(failed, written + failed)


@dataclass(frozen=True)
class Totals:
    """A period in numbers. The first fields count tickets, each once; from ``lines`` on they count all work.

    ``lines`` are outcomes, ``written`` those of them that wrote; ``failed_at_least_once`` are tickets. ``answers`` are
    lines with an analysis, ``fallback`` and ``review`` those of them that no model gave, or that ask a person to look;
    ``unplanned_fallback`` without those of :data:`PLANNED`. ``unpriced`` are answers of models without a price in the
    settings.
    """

    tickets: int = 0
    understood: int = 0
    updated: int = 0
    suggested: int = 0
    planned: int = 0
    skipped: int = 0
    failed: int = 0
    escalated: int = 0
    suspicious: int = 0
    failed_at_least_once: int = 0
    lines: int = 0
    written: int = 0
    answers: int = 0
    fallback: int = 0
    unplanned_fallback: int = 0
    review: int = 0
    answers_from_cache: int = 0
    unpriced: int = 0
    cost_usd: float = 0.0
    tokens_in: int = 0
    tokens_out: int = 0
    tokens_cached: int = 0

    @property
    def rates(self) -> dict[str, float | None]:
        """The rates by name, ``None`` if unknown, and the cost of an analysed ticket."""
        known = self.known_cost
        return {
            "success_rate": success_rate(self.written, self.failed_at_least_once),
            "error_rate": error_rate(self.written, self.failed_at_least_once),
            "fallback_rate": share(self.fallback, self.answers),
            "unplanned_fallback_rate": share(self.unplanned_fallback, self.answers),
            "review_rate": share(self.review, self.answers),
            "repeat_rate": share(self.answers_from_cache, self.answers),
            "cost_per_ticket": None if known is None or not self.understood else known / self.understood,
        }

    @property
    def known_cost(self) -> float | None:
        """US dollars; ``None`` if models answered but none of them has a price in the settings."""
        return None if self.unpriced and not self.cost_usd else self.cost_usd


@dataclass(frozen=True)
class DimensionShare:
    """One value of a dimension: its number of tickets, and their share of the tickets with a value."""

    label: str
    tickets: int
    share: float


@dataclass(frozen=True)
class Point:
    """A step of time, or one value of a dimension in it. ``at`` is where the step begins.

    ``tickets`` and ``failed`` are tickets by their last outcome, ``answers`` and ``fallback`` all work.
    """

    at: datetime
    label: str
    tickets: int
    failed: int
    answers: int
    fallback: int
    cost_usd: float
    p50_ms: float | None
    p95_ms: float | None


@dataclass(frozen=True)
class Latency:
    """Exact latencies of ``count`` answers, analysis and write; ``in_time`` of them were fast enough.

    Milliseconds; ``None`` without any.
    """

    count: int = 0
    p50_ms: float | None = None
    p95_ms: float | None = None
    p99_ms: float | None = None
    most_ms: float | None = None
    in_time: int = 0


@dataclass(frozen=True)
class Objective:
    """One service level: the share of ``total`` that was ``good``, against ``target``; ``None`` without any.

    ``budget_left`` is the share of the allowed misses that is left; below zero when there were more.
    """

    name: str
    target: float
    good: int
    total: int
    share: float | None
    met: bool | None
    budget_left: float | None


def totals(index: LogIndex, selection: LogSelection) -> Totals:
    """The period in numbers."""
    condition, values = where(selection)
    ended, labelled = last("next_at"), last("next_labelled_at", UNDERSTOOD)
    outcomes = ", ".join(f"count(*) FILTER ({ended} AND outcome = '{name}') AS {name}" for name in _OUTCOMES)
    (found,) = index.rows(
        f"""
        SELECT count(*) FILTER ({ended}) AS tickets, {outcomes},
               count(*) FILTER ({labelled}) AS understood,
               count(*) FILTER ({labelled} AND escalated <> '') AS escalated,
               count(*) FILTER ({labelled} AND suspicious <> '') AS suspicious,
               count(DISTINCT ticket_id) FILTER ({_FAILED}) AS failed_at_least_once,
               count(*) AS lines, count(*) FILTER (outcome IN ('updated', 'suggested')) AS written,
               count(*) FILTER ({UNDERSTOOD}) AS answers,
               count(*) FILTER ({UNDERSTOOD} AND {_FALLBACK}) AS fallback,
               count(*) FILTER ({UNDERSTOOD} AND {_FALLBACK} AND why_fallback NOT IN {PLANNED}) AS unplanned_fallback,
               count(*) FILTER ({UNDERSTOOD} AND review) AS review,
               count(*) FILTER ({UNDERSTOOD} AND cached) AS answers_from_cache,
               count(*) FILTER (tokens_in > 0 AND cost_usd IS NULL) AS unpriced,
               coalesce(sum(cost_usd), 0) AS cost_usd, coalesce(sum(tokens_in), 0)::BIGINT AS tokens_in,
               coalesce(sum(tokens_out), 0)::BIGINT AS tokens_out,
               coalesce(sum(tokens_cached), 0)::BIGINT AS tokens_cached
        FROM lines WHERE {condition}
        """,
        values,
    )
    return Totals(**found)


def breakdowns(
    index: LogIndex, selection: LogSelection, dimensions: Sequence[Dimension]
) -> dict[Dimension, list[DimensionShare]]:
    """The tickets by each of these dimensions, the most frequent value first; without those that have none."""
    condition, values = where(selection)
    found: dict[Dimension, list[DimensionShare]] = {}
    for name in dimensions:
        counted = last("next_at") if name in ENDS else last("next_labelled_at", UNDERSTOOD)
        rows = index.query(
            f"SELECT {EXPRESSIONS.get(name, name)} AS label, count(*) FROM lines "
            f"WHERE {condition} AND {counted} GROUP BY label ORDER BY 2 DESC, 1",
            values,
        )
        rows = [(label, count) for label, count in rows if label]
        total = sum(count for _, count in rows)
        found[name] = [DimensionShare(label, count, count / total) for label, count in rows]
    return found


def series(index: LogIndex, selection: LogSelection, step: Step, by: Dimension | None = None) -> list[Point]:
    """The period in steps, oldest first; with ``by`` a point for each value in each step. Empty steps are left out."""
    condition, values = where(selection)
    label = "''" if by is None else f"coalesce({EXPRESSIONS.get(by, by)}, '')"
    ended = last("next_at") if by is None or by in ENDS else last("next_labelled_at", UNDERSTOOD)
    took = f"CASE WHEN {UNDERSTOOD} THEN latency_ms END"
    rows = index.rows(
        f"""
        SELECT date_trunc('{checked(step, get_args(Step))}', ts) AS at, {label} AS label,
               count(*) FILTER ({ended}) AS tickets, count(*) FILTER ({ended} AND {_FAILED}) AS failed,
               count(*) FILTER ({UNDERSTOOD}) AS answers, count(*) FILTER ({UNDERSTOOD} AND {_FALLBACK}) AS fallback,
               coalesce(sum(cost_usd), 0) AS cost_usd,
               quantile_disc({took}, 0.5) AS p50_ms, quantile_disc({took}, 0.95) AS p95_ms
        FROM lines WHERE {condition}
        GROUP BY 1, 2 ORDER BY 1, 2
        """,
        values,
    )
    return [Point(**row) for row in rows]


def latency(index: LogIndex, selection: LogSelection, *, quick_ms: float = 15_000) -> Latency:
    """The latencies of answers (:attr:`Outcome.latency_ms`); up to ``quick_ms`` is in time."""
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


def spent(index: LogIndex, selection: LogSelection) -> list[dict[str, Any]]:
    """Answers, cost in dollars and tokens by model (``label``); the most expensive first."""
    condition, values = where(selection)
    return index.rows(
        f"""
        SELECT {EXPRESSIONS["answered_by"]} AS label, count(*) AS answers, coalesce(sum(cost_usd), 0) AS cost_usd,
               count(*) FILTER (tokens_in > 0 AND cost_usd IS NULL) AS unpriced,
               coalesce(sum(tokens_in), 0)::BIGINT AS tokens_in, coalesce(sum(tokens_out), 0)::BIGINT AS tokens_out,
               coalesce(sum(tokens_cached), 0)::BIGINT AS tokens_cached
        FROM work WHERE {condition} AND {UNDERSTOOD}
        GROUP BY label ORDER BY 3 DESC, 2 DESC, 1
        """,
        values,
    )


def runs(index: LogIndex, since: float, until: float) -> dict[str, Any]:
    """How many runs began in a period, and how they ended; ``unfinished`` ones were killed, or are active."""
    (found,) = index.rows(
        """
        SELECT count(*) FILTER (NOT dry_run) AS count, count(*) FILTER (dry_run) AS dry,
               count(*) FILTER (NOT dry_run AND finished IS NULL) AS unfinished,
               coalesce(histogram(exit_code) FILTER (NOT dry_run), MAP {}) AS exit_codes,
               coalesce(histogram(stopped_by) FILTER (NOT dry_run), MAP {}) AS stopped_by,
               quantile_disc(duration_s, 0.95) FILTER (NOT dry_run) AS p95_duration_s
        FROM runs WHERE coalesce(started, finished) >= $since AND coalesce(started, finished) < $until
        """,
        {"since": stamp(since), "until": stamp(until)},
    )
    return found


def objectives(total: Totals, took: Latency, goals: SloSettings) -> list[Objective]:
    """The service levels: the success rate, and answers that came in time (``took`` is by their ``latency_s``)."""
    return [
        _objective("success", goals.success, total.written, total.written + total.failed_at_least_once),
        _objective("latency", goals.latency_share, took.in_time, took.count),
    ]


def _objective(name: str, target: float, good: int, total: int) -> Objective:
    reached, allowed = share(good, total), (1 - target) * total
    met = None if reached is None else reached >= target
    return Objective(name, target, good, total, reached, met, 1 - (total - good) / allowed if allowed else None)
