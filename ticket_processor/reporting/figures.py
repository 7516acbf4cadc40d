"""Plain data for figures from the log: the selection, and the results."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any, Literal, get_args

Dimension = Literal[
    "category", "subcategory", "secondary", "urgency", "sentiment", "language", "risk", "outcome", "reason",
    "analyser", "model", "answered_by", "why_fallback", "settings_file", "escalated",
    "suspicious",
]  # fmt: skip
"""The dimensions of tickets.

``answered_by`` is the model's name, or else the analyser's; ``secondary`` the first of the other categories that fit.
"""
DIMENSIONS: tuple[Dimension, ...] = get_args(Dimension)
Step = Literal["hour", "day", "week"]
ENDS: tuple[Dimension, ...] = ("outcome", "reason")
"""Dimensions of how a ticket ended; all others are of how it was understood."""
PLANNED = ("nothing_to_read", "no_model_configured", "budget_of_run_spent", "budget_of_day_spent")
"""Why no model was asked (``why_fallback``), where none was meant to be."""


@dataclass(frozen=True)
class LogSelection:
    """Which part of the log; ``since`` is included, ``until`` is not (Unix seconds).

    ``labels`` are those of each dimension that count; without any, all do.

    ``text`` is looked for in ticket ids, labels, reasons and tags, and at the beginning of run ids, whatever its case.
    """

    since: float = 0.0
    until: float = 4_102_444_800.0
    labels: Mapping[Dimension, tuple[str, ...]] = field(default_factory=dict)
    text: str = ""
    dry_runs: bool = False

    @property
    def before(self) -> LogSelection:
        """The same of the period of equal length that ends where this one begins."""
        return replace(self, since=self.since - (self.until - self.since), until=self.since)


@dataclass(frozen=True)
class Totals:
    """A period in numbers. Tickets, each of which counts once; but from ``lines`` on all work, again and again.

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
    def success_rate(self) -> float | None:
        """See :func:`success_rate`."""
        return success_rate(self.written, self.failed_at_least_once)

    @property
    def error_rate(self) -> float | None:
        """See :func:`error_rate`."""
        return error_rate(self.written, self.failed_at_least_once)

    @property
    def fallback_rate(self) -> float | None:
        """Share of the answers that no model gave: the classifier or the rules did."""
        return share(self.fallback, self.answers)

    @property
    def unplanned_fallback_rate(self) -> float | None:
        """Share of the answers that a model was meant to give and did not."""
        return share(self.unplanned_fallback, self.answers)

    @property
    def review_rate(self) -> float | None:
        """Share of the answers after which a person is asked to look."""
        return share(self.review, self.answers)

    @property
    def repeat_rate(self) -> float | None:
        """Share of the answers that had been given before."""
        return share(self.answers_from_cache, self.answers)

    @property
    def known_cost(self) -> float | None:
        """US dollars; ``None`` where models answered, and none of them has a price in the settings."""
        return None if self.unpriced and not self.cost_usd else self.cost_usd

    @property
    def cost_per_ticket(self) -> float | None:
        """US dollars for each understood ticket, where they are known."""
        return None if self.known_cost is None or not self.understood else self.known_cost / self.understood


@dataclass(frozen=True)
class DimensionShare:
    """One value of a dimension: how many tickets, and which share of those that have one."""

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
    """Exact latencies of ``count`` answers, understanding and writing; ``in_time`` of them were quick enough.

    Milliseconds; ``None`` without any.
    """

    count: int = 0
    p50_ms: float | None = None
    p95_ms: float | None = None
    p99_ms: float | None = None
    most_ms: float | None = None
    in_time: int = 0


@dataclass(frozen=True)
class Spending:
    """Answers, cost and tokens of one model."""

    label: str
    answers: int
    cost_usd: float
    unpriced: int
    tokens_in: int
    tokens_out: int
    tokens_cached: int


@dataclass(frozen=True)
class Runs:
    """The runs that began in a period. ``interval_s`` is the usual time between two; ``missed`` is how many fewer
    there were than that lets expect; ``longest_gap_s`` the longest time without one, the period's end included.
    """

    count: int = 0
    dry: int = 0
    unfinished: int = 0
    exit_codes: Mapping[int, int] = field(default_factory=dict)
    stopped_by: Mapping[str, int] = field(default_factory=dict)
    p95_duration_s: float | None = None
    interval_s: float | None = None
    missed: int = 0
    longest_gap_s: float | None = None
    last_started: datetime | None = None


@dataclass(frozen=True)
class Objective:
    """One service level: the share of ``total`` that was ``good``, against ``target``."""

    name: str
    target: float
    good: int
    total: int

    @property
    def share(self) -> float | None:
        """The share that was reached; ``None`` without any."""
        return share(self.good, self.total)

    @property
    def met(self) -> bool | None:
        """Whether that is enough."""
        return None if self.share is None else self.share >= self.target

    @property
    def budget_left(self) -> float | None:
        """Share of the allowed misses that is left; below zero when there were more."""
        if not self.total:
            return None
        allowed = (1 - self.target) * self.total
        return 1 - (self.total - self.good) / allowed if allowed else None


SORTABLE = ("at", "ticket_id", "confidence", "cost_usd", "total_ms")
"""The columns that :func:`page` can sort by."""


@dataclass(frozen=True)
class TablePage:
    """Some rows of a table, and how many it has in all."""

    rows: tuple[dict[str, Any], ...]
    total: int


@dataclass(frozen=True)
class EscalatedLine:
    """A ticket that was escalated, when last, and why in fixed words."""

    ticket_id: int
    at: datetime
    reasons: tuple[str, ...]
    url: str = ""


def share(part: int, whole: int) -> float | None:
    """``part`` of ``whole``, from 0 to 1; ``None`` of nothing."""
    return part / whole if whole else None


def success_rate(written: int, failed: int) -> float | None:
    """The success rate of reports, dashboard, health, alerts and daily summary: share of what was to be written.

    ``failed`` are tickets, not attempts: one that fails in run after run has failed once. What was left alone is
    neither.
    """
    return share(written, written + failed)


def error_rate(written: int, failed: int) -> float | None:
    """The share of failures: 1 minus the success rate."""
    return share(failed, written + failed)
