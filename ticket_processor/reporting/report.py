"""Gathers a period's figures from the log's index, for :command:`ticketbot report` to print, write and mail.

For programs they are one JSON object.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field, is_dataclass, replace
from datetime import datetime, timedelta
from typing import Any

from pydantic import BaseModel

from .. import __version__
from ..core.clock import iso
from ..core.models import OutcomeStatus
from ..core.reasons import why_no_model
from ..core.tables import Table, shortened
from ..settings.schema import Settings
from . import figures, sections
from .figures import DimensionShare, Latency, Point, Step, Totals
from .glossary import dollars, percent, points, seconds
from .index import LogIndex
from .queries import Dimension, LogSelection, stamp, utc
from .sections import FIGURES, LEFT_ALONE, NO_PRICE, AskedPeriod, Found, find_all, values_of

BY: tuple[Dimension, ...] = (
    "category", "subcategory", "secondary", "urgency", "sentiment", "risk", "language", "answered_by", "why_fallback",
    "settings_file", "outcome",
)  # fmt: skip
"""What a report counts tickets by, in its order."""
ZONE = "UTC"
NO_ACCOUNT = "no account named in the settings"
_MAY_LACK = 0.05
"""Share of the period before that may lie before the log's first line: its first run need not be at midnight."""
_MOMENT = timedelta(microseconds=1)


@dataclass(frozen=True)
class Report:
    """A period of an account, compared with the one before it. Times are UTC, ``until`` is not included.

    ``account`` is ``None`` if the settings name none. ``found`` holds the sections' data by their keys in JSON; data of
    the helpdesk that was not requested is ``None``. ``before`` and fields that end in ``_before`` are ``None`` or empty
    if the log does not reach back that far.
    """

    settings: Settings
    since: datetime
    until: datetime
    made: datetime
    totals: Totals
    latency: Latency
    parts: Mapping[Dimension, list[DimensionShare]]
    step: Step
    by_time: list[Point]
    found: Found
    before: Totals | None = None
    latency_before: Latency | None = None
    parts_before: Mapping[Dimension, list[DimensionShare]] = field(default_factory=dict)
    remarks: tuple[str, ...] = ()

    @property
    def account(self) -> str | None:
        """The helpdesk's host."""
        return self.settings.account

    @property
    def title(self) -> str:
        """The title: the account, the period and the time zone."""
        return f"Triage report: {self.account or NO_ACCOUNT}, {self.period} ({ZONE})"

    @property
    def origin(self) -> str:
        """A sentence that says when and by what version it was made, and the period it is compared with."""
        before = _period(self.since - (self.until - self.since), self.since)
        against = f", compared with {before}" if self.before is not None else ""
        return f"Made {self.made:%Y-%m-%d %H:%M} UTC by ticketbot {__version__}{against}. Days and hours are {ZONE}."

    @property
    def period(self) -> str:
        """The period, such as ``2026-11-14 to 2026-11-21`` (last day included), with hours if it has any."""
        return _period(self.since, self.until)


def _period(since: datetime, until: datetime) -> str:
    if all((at.hour, at.minute, at.second) == (0, 0, 0) for at in (since, until)):
        first, last = since.date(), (until - _MOMENT).date()
        return f"{first}" if first == last else f"{first} to {last}"
    return f"{since:%Y-%m-%d %H:%M} to {until:%Y-%m-%d %H:%M}"


def gather(index: LogIndex, since: float, until: float, settings: Settings | None = None) -> Report:
    """The report of a period (Unix seconds), without data of the helpdesk."""
    asked = AskedPeriod(index, LogSelection(since, until), settings or Settings())
    (begun,) = index.query("SELECT min(ts) FROM events")[0]
    nearly = _utc(asked.selection.before.since + _MAY_LACK * (until - since))
    before = replace(asked, selection=asked.selection.before) if begun is not None and utc(begun) <= nearly else None
    covered = until - (max(since, utc(begun).timestamp()) if begun is not None else since)
    step = figures.step_for(covered)
    report = Report(
        settings=asked.settings,
        since=_utc(since),
        until=_utc(until),
        made=_utc(index.now()),
        totals=asked.totals,
        latency=asked.latency,
        parts=figures.breakdowns(index, asked.selection, BY),
        step=step,
        by_time=figures.series(index, asked.selection, step),
        found=find_all(asked),
        before=before.totals if before else None,
        latency_before=before.latency if before else None,
        parts_before=figures.breakdowns(index, before.selection, BY) if before else {},
    )
    return replace(report, remarks=tuple(_remarks(report, index.days)))


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
    """The report as data for JSON. Times are ISO 8601 in UTC, shares go from 0 to 1, unknown values are ``null``."""
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
        "by": {name: report.parts.get(name, ()) for name in BY},
        "by_before": report.parts_before,
        "step": report.step,
        "series": [
            {name: value for name, value in asdict(point).items() if name != "label"} for point in report.by_time
        ],
        **report.found,
        "remarks": report.remarks,
    }
    return {name: plain(value) for name, value in data.items()}


def _totals(totals: Totals) -> dict[str, Any]:
    return {**asdict(totals), **totals.rates}


def _latency(took: Latency) -> dict[str, Any]:
    return {name.removesuffix("_ms"): value for name, value in asdict(took).items()}


def plain(value: Any) -> Any:
    """Convert data for JSON: times to text, floats to six digits."""
    if isinstance(value, BaseModel):
        value = value.model_dump(mode="json")
    elif is_dataclass(value) and not isinstance(value, type):
        value = vars(value)
    if isinstance(value, Mapping):
        return {name: plain(each) for name, each in value.items()}
    if isinstance(value, list | tuple):
        return [plain(each) for each in value]
    if isinstance(value, datetime):
        return iso(value.timestamp())
    return round(value, 6) if isinstance(value, float) else value


# Tables


MOST_LABELS = 12
LABELS = "Tickets"
NAMES: dict[Dimension, str] = {
    "secondary": "second category",
    "answered_by": "answered by",
    "why_fallback": "why no model",
    "settings_file": "settings file",
}
"""Names to show for dimensions with unclear names."""
FIRST_LABELS = 7
_MAIN: tuple[Dimension, ...] = ("category", "urgency")
MORE = "--details adds every label, reasons, models and runs"
_LABELS: Mapping[str, Callable[[str], str]] = {
    "why_fallback": why_no_model,
    "outcome": lambda label: LEFT_ALONE if label == OutcomeStatus.SKIPPED else label,
}
"""Words to show for labels of these dimensions."""


_NOT_IN_BRIEF = (
    "understood", "answers", "tried to instruct a model", "latency p50", "latency p99", "tokens in", "tokens out",
    "repeat rate",
)  # fmt: skip


def tables(report: Report) -> Iterator[Table]:
    """The whole report; empty tables are left out."""
    found = [overview(report), labels(report)]
    for each in sections.SECTIONS:
        if any(report.found[key] is not None for key in each.keys):
            found += each.tables(report.found, report.settings)
    yield from filter(_has_rows, found)


def whole(report: Report) -> Iterator[Table]:
    """The report for a spreadsheet: its account, every label, and a line for each step of time."""
    about = {
        "account": report.account or "",
        "made": f"{report.made:%Y-%m-%d %H:%M}",
        "version": __version__,
        "since": f"{report.since:%Y-%m-%d %H:%M}",
        "until": f"{report.until:%Y-%m-%d %H:%M}",
        "time zone": ZONE,
    }
    yield Table("Report", ("<", "<value"), tuple(about.items()))
    for table in tables(report):
        yield labels(report, most=None) if table.title == LABELS else table
    yield series(report)


def series(report: Report) -> Table:
    """The period's hours, days or weeks."""
    rows = tuple(
        (
            f"{point.at:%Y-%m-%d %H:%M}",
            f"{point.tickets:,}",
            f"{point.failed:,}",
            f"{point.answers:,}",
            f"{point.fallback:,}",
            seconds(point.p50_ms),
            seconds(point.p95_ms),
            NO_PRICE if report.totals.known_cost is None else dollars(point.cost_usd),
        )
        for point in report.by_time
    )
    names = ("tickets", "failed", "answers", "fallback", "latency p50", "latency p95", "cost")
    return Table(f"Each {report.step}", (f"<{report.step} from (UTC)", *names), rows)


def brief(report: Report) -> list[Table]:
    """The short report: data of the helpdesk, sentences first, and then the most important figures of the log."""
    numbers = overview(report)
    numbers = replace(numbers, rows=tuple(row for row in numbers.rows if row[0] not in _NOT_IN_BRIEF))
    asked, logged = list[Table](), list[Table]()
    for each in sections.SECTIONS:
        if each.find is None and report.found[each.keys[0]] is not None:
            asked += each.tables(report.found, report.settings)
        elif each.brief:
            logged += (shortened(table, each.brief) for table in each.tables(report.found, report.settings))
    asked.sort(key=lambda table: len(table.columns) > 1)
    return [*filter(_has_rows, (*asked, numbers, labels(report, _MAIN, FIRST_LABELS), *logged))]


def _has_rows(table: Table) -> bool:
    return bool(table.rows)


def overview(report: Report) -> Table:
    """The period's numbers beside those of the period before, without zero counts and unknown rates."""
    now = values_of(report.totals, report.latency)
    was = {} if report.before is None else values_of(report.before, report.latency_before or Latency())
    rows: list[tuple[str, ...]] = []
    for name, (key, say) in FIGURES.items():
        new, old = now[key], was.get(key)
        if say in (percent, seconds) and key != "repeat_rate":
            shown = new is not None or old is not None
        else:
            shown = bool(new or old) or key == "tickets" or (key == "known_cost" and new is None)
        if shown:
            apart = points(new - old) if say is percent and None not in (new, old) else change(new, old)
            rows.append((name, say(new), say(old), apart) if was else (name, say(new)))
    return Table("Overview", ("<", "now", "before", "change") if was else ("<", "now"), tuple(rows))


def change(now: float | None, was: float | None) -> str:
    """The relative change, such as ``+12%``."""
    if now is None or not was:
        return "-"
    percents = round(100 * (now - was) / was)
    return f"{percents:+d}%" if percents else "±0%"


def labels(report: Report, by: Sequence[Dimension] = BY, most: int | None = MOST_LABELS) -> Table:
    """Tickets by these dimensions, with at most so many labels of each; ``None``: all."""
    rows: list[tuple[str, ...]] = []
    compared = report.before is not None
    for dimension in by:
        parts = report.parts.get(dimension, [])
        was = {part.label: part.tickets for part in report.parts_before.get(dimension, [])}
        for place, part in enumerate(parts[:most]):
            name = NAMES.get(dimension, dimension) if most is None or place == 0 else ""
            label = _LABELS.get(dimension, str)(part.label)
            before = (f"{was.get(part.label, 0):,}",) * compared
            rows.append((name, label, f"{part.tickets:,}", f"{part.share:.1%}", *before))
        if rest := parts[len(parts) if most is None else most :]:
            rows.append(("", f"{len(rest)} more", f"{sum(part.tickets for part in rest):,}", "", *("",) * compared))
    return Table(LABELS, ("<by", "<label", "tickets", "share", *("before",) * compared), tuple(rows))


def shortcomings(report: Report) -> Iterator[str]:
    """A sentence for each part from the helpdesk that is incomplete."""
    for each in sections.SECTIONS:
        why = getattr(report.found[each.keys[0]], "ended_early", None)
        if each.unread and why:
            yield f"{each.unread}: {why}"
