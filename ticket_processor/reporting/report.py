"""A period's figures, gathered from the log's index: what :command:`ticketbot report` prints, writes and mails.

For programs they are one object (JSON).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import asdict, dataclass, field, is_dataclass, replace
from datetime import datetime, timedelta
from typing import Any

from .. import __version__
from ..audit.erase import ERASED, ERASING
from ..audit.receipts import EXPIRED
from ..core.clock import iso
from ..core.reasons import DROPPED
from ..learning.collect import CollectedLabels
from ..learning.scoreboard import Scoreboard
from ..settings.schema import SloSettings
from . import figures, queries
from .drafts import DraftUse
from .figures import DimensionShare, Latency, Objective, Point, Runs, Spending, Step, Totals
from .index import LogIndex
from .knowledge_gaps import Knowledge
from .queries import Dimension, EscalatedLine, LogSelection, stamp, utc

BY: tuple[Dimension, ...] = (
    "category", "subcategory", "secondary", "urgency", "sentiment", "risk", "language", "answered_by", "why_fallback",
    "settings_file", "outcome",
)  # fmt: skip
"""What a report counts tickets by, in its order."""
MOST_REASONS = 10
MOST_ESCALATED = 20
"""So many escalated tickets are listed, the newest first."""
NOTHING_WRONG = ("write_mode", ERASING, ERASED, EXPIRED, DROPPED, "since_replaces_cursor")
"""What the log keeps among its alerts although nothing is wrong: somebody asked for it, or it is how runs work."""
ZONE = "UTC"
NO_ACCOUNT = "no account named in the settings"
_MAY_LACK = 0.05
"""So much of the period before may lie before the log began: its first run need not come at midnight."""
_MOMENT = timedelta(microseconds=1)


@dataclass(frozen=True)
class Report:
    """A period of an account against the one before it. Times are UTC, ``until`` is not included.

    ``account`` is ``None`` where the settings name none.

    ``before`` and what ends in ``_before`` are ``None`` or empty where the log does not reach back so far.
    ``collected``, ``knowledge`` and ``replies`` are ``None`` where nobody asked, ``scoreboard`` where nothing was
    collected.
    """

    account: str | None
    since: datetime
    until: datetime
    made: datetime
    goals: SloSettings
    totals: Totals
    before: Totals | None = None
    latency: Latency = field(default_factory=Latency)
    latency_before: Latency | None = None
    parts: Mapping[Dimension, list[DimensionShare]] = field(default_factory=dict)
    parts_before: Mapping[Dimension, list[DimensionShare]] = field(default_factory=dict)
    failure_reasons: list[DimensionShare] = field(default_factory=list)
    skip_reasons: list[DimensionShare] = field(default_factory=list)
    spent: list[Spending] = field(default_factory=list)
    objectives: list[Objective] = field(default_factory=list)
    runs: Runs = field(default_factory=Runs)
    alerts: Mapping[str, int] = field(default_factory=dict)
    escalated: list[EscalatedLine] = field(default_factory=list)
    step: Step = "day"
    by_time: list[Point] = field(default_factory=list)
    collected: CollectedLabels | None = None
    scoreboard: Scoreboard | None = None
    knowledge: Knowledge | None = None
    replies: DraftUse | None = None
    remarks: tuple[str, ...] = ()

    @property
    def title(self) -> str:
        """What it is about: whose tickets, and which period of which time zone."""
        return f"Triage report: {self.account or NO_ACCOUNT}, {self.period} ({ZONE})"

    @property
    def origin(self) -> str:
        """When it was made, by what, and what stands beside its figures."""
        before = _period(self.since - (self.until - self.since), self.since)
        against = f", compared with {before}" if self.before is not None else ""
        return f"Made {self.made:%Y-%m-%d %H:%M} UTC by ticketbot {__version__}{against}. Days and hours are {ZONE}."

    @property
    def period(self) -> str:
        """Such as ``2026-11-14 to 2026-11-21`` (the last day included), or with the hours where it has some."""
        return _period(self.since, self.until)


def _period(since: datetime, until: datetime) -> str:
    if all((at.hour, at.minute, at.second) == (0, 0, 0) for at in (since, until)):
        first, last = since.date(), (until - _MOMENT).date()
        return f"{first}" if first == last else f"{first} to {last}"
    return f"{since:%Y-%m-%d %H:%M} to {until:%Y-%m-%d %H:%M}"


def gather(
    index: LogIndex,
    since: float,
    until: float,
    goals: SloSettings | None = None,
    *,
    account: str | None = None,
    url_of: Callable[[int], str] = lambda _ticket_id: "",
) -> Report:
    """The report of a period (Unix seconds), without what the helpdesk has to be asked for."""
    goals = goals or SloSettings()
    selection = LogSelection(since, until)
    (begun,) = index.query("SELECT min(ts) FROM events")[0]
    nearly = _utc(selection.before.since + _MAY_LACK * (until - since))
    before = selection.before if begun is not None and utc(begun) <= nearly else None
    covered = until - (max(since, utc(begun).timestamp()) if begun is not None else since)
    step = figures.step_for(covered)
    totals = figures.totals(index, selection)
    quick_ms = goals.latency_s * 1000
    took = figures.latency(index, selection, quick_ms=quick_ms)
    alerts = queries.alerts(index, since, until)
    report = Report(
        account=account,
        since=_utc(since),
        until=_utc(until),
        made=_utc(index.now()),
        goals=goals,
        totals=totals,
        before=figures.totals(index, before) if before else None,
        latency=took,
        latency_before=figures.latency(index, before, quick_ms=quick_ms) if before else None,
        parts=figures.breakdowns(index, selection, BY),
        parts_before=figures.breakdowns(index, before, BY) if before else {},
        failure_reasons=_reasons(index, selection, "failed"),
        skip_reasons=_reasons(index, selection, "skipped"),
        spent=figures.spent(index, selection),
        objectives=figures.objectives(totals, took, goals),
        runs=figures.runs(index, since, until),
        alerts={what: count for what, count in alerts.items() if what not in NOTHING_WRONG},
        escalated=queries.escalated(index, selection, url_of=url_of, most=MOST_ESCALATED),
        step=step,
        by_time=figures.series(index, selection, step),
    )
    return replace(report, remarks=tuple(_remarks(report, index.days)))


def _reasons(index: LogIndex, selection: LogSelection, outcome: str) -> list[DimensionShare]:
    selection = replace(selection, labels={**selection.labels, "outcome": (outcome,)})
    return figures.breakdowns(index, selection, ("reason",))["reason"][:MOST_REASONS]


def _remarks(report: Report, known: tuple[str, str] | None) -> Iterator[str]:
    if known is None:
        yield "there is no log yet"
        return
    first, last = known
    if not report.totals.tickets:
        yield f"the log has no ticket in this period; it covers {first} to {last}"
    elif report.before is None and first > f"{report.since:%Y-%m-%d}":
        yield f"the log begins on {first}, within this period"
    elif report.before is None:
        yield f"the log begins on {first}: there is no whole period before this one to compare it with"
    if report.totals.unpriced:
        yield (
            f"{report.totals.unpriced} answers of models have no price in the settings (models.prices) and count as $0"
        )


def _utc(seconds: float) -> datetime:
    return utc(stamp(seconds))


def as_data(report: Report) -> dict[str, Any]:
    """The report as JSON knows it. Times are ISO 8601 in UTC, shares go from 0 to 1, what is not known is ``null``."""
    data = {
        "account": report.account,
        "since": report.since,
        "until": report.until,
        "time_zone": ZONE,
        "made": report.made,
        "version": __version__,
        "totals": _totals(report.totals),
        "before": report.before and _totals(report.before),
        "latency_ms": _latency(report.latency),
        "latency_ms_before": report.latency_before and _latency(report.latency_before),
        "objectives": [
            {**asdict(item), "share": item.share, "met": item.met, "budget_left": item.budget_left}
            for item in report.objectives
        ],
        "by": {name: report.parts.get(name, ()) for name in BY},
        "by_before": report.parts_before,
        "failure_reasons": report.failure_reasons,
        "skip_reasons": report.skip_reasons,
        "models": report.spent,
        "runs": report.runs,
        "alerts": report.alerts,
        "escalated": [{**asdict(one), "url": one.url or None} for one in report.escalated],
        "step": report.step,
        "series": [
            {name: value for name, value in asdict(point).items() if name != "label"} for point in report.by_time
        ],
        "replies": report.replies and report.replies.model_dump(mode="json"),
        "collected": report.collected and vars(report.collected),
        "scoreboard": report.scoreboard and scoreboard_data(report.scoreboard),
        "knowledge": report.knowledge and report.knowledge.model_dump(mode="json"),
        "remarks": report.remarks,
    }
    return {name: _plain(value) for name, value in data.items()}


def _totals(totals: Totals) -> dict[str, Any]:
    return {**asdict(totals), **totals.rates}


def _latency(took: Latency) -> dict[str, Any]:
    return {name.removesuffix("_ms"): value for name, value in asdict(took).items()}


def scoreboard_data(found: Scoreboard) -> dict[str, Any]:
    """Labels people kept and changed, with the shares; a share is ``null`` where there was nothing to judge."""
    data: dict[str, Any] = _plain(found.model_dump(mode="json"))
    for part in data["parts"]:
        part["settings_files"] = [{"settings_file": row.pop("label"), **row} for row in part["settings_files"]]
    return data


def _plain(value: Any) -> Any:
    """Data as JSON has it: moments as text, floats with six digits."""
    if is_dataclass(value) and not isinstance(value, type):
        value = asdict(value)
    if isinstance(value, Mapping):
        return {name: _plain(each) for name, each in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(each) for each in value]
    if isinstance(value, datetime):
        return iso(value.timestamp())
    return round(value, 6) if isinstance(value, float) else value
