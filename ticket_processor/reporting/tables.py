"""A report as tables for people; empty tables are left out."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace

from .. import __version__
from ..core.models import OutcomeStatus
from ..core.reasons import in_words
from ..core.tables import SENTENCES, WHERE, Table, shortened
from ..core.text import many
from ..learning.scoreboard import Count, Scoreboard
from ..settings.schema import SloSettings
from ..wiring.desks import LookedUp
from .drafts import drafts_tables
from .figures import Latency, Objective, Runs, Spending
from .glossary import dollars, end_words, percent, points, seconds, why_no_model
from .knowledge_gaps import knowledge_tables
from .queries import Dimension, EscalatedLine
from .report import BY, ZONE, Report

MOST_LABELS = 12
NO_PRICE = "no price"
LABELS = "Tickets"
LEFT_ALONE = "left alone"
NAMES: dict[Dimension, str] = {
    "secondary": "second category",
    "answered_by": "answered by",
    "why_fallback": "why no model",
    "settings_file": "settings file",
}
"""Names of dimensions whose own names say too little."""
FIRST_ESCALATED, FIRST_LABELS = 5, 7
_MAIN: tuple[Dimension, ...] = ("category", "urgency")
MORE = "--details adds every label, reasons, models and runs"
_LABELS: Mapping[str, Callable[[str], str]] = {
    "why_fallback": why_no_model,
    "outcome": lambda label: LEFT_ALONE if label == OutcomeStatus.SKIPPED else label,
}
"""How labels of these dimensions are called."""


def price(value: float | None) -> str:
    """Dollars, or that there is no price."""
    return NO_PRICE if value is None else dollars(value)


def _count(value: float | None) -> str:
    return f"{value or 0:,}"


_FIGURES: tuple[tuple[str, str, Callable[[float | None], str]], ...] = (
    ("tickets", "tickets", _count),
    ("understood", "understood", _count),
    ("answers", "answers", _count),
    ("updated", "updated", _count),
    ("suggested in a note", "suggested", _count),
    (LEFT_ALONE, "skipped", _count),
    ("failed", "failed", _count),
    ("success rate", "success_rate", percent),
    ("error rate", "error_rate", percent),
    ("fallback rate", "fallback_rate", percent),
    ("review rate", "review_rate", percent),
    ("escalated", "escalated", _count),
    ("tried to instruct a model", "suspicious", _count),
    ("latency p50", "p50_ms", seconds),
    ("latency p95", "p95_ms", seconds),
    ("latency p99", "p99_ms", seconds),
    ("cost", "known_cost", price),
    ("cost per ticket", "cost_per_ticket", dollars),
    ("tokens in", "tokens_in", _count),
    ("tokens out", "tokens_out", _count),
    ("repeat rate", "repeat_rate", percent),
)
"""The overview's figures: name, name in :class:`Totals` or :class:`Latency`, and how it is written."""
_NOT_IN_BRIEF = (
    "understood", "answers", "tried to instruct a model", "latency p50", "latency p99", "tokens in", "tokens out",
    "repeat rate",
)  # fmt: skip


def tables(report: Report) -> Iterator[Table]:
    """The whole report."""
    found = (
        overview(report),
        labels(report),
        escalated_table(report.escalated),
        reasons(report),
        objectives(report.objectives, report.goals),
        models_table(report.spent),
        runs(report),
        *of_helpdesk(report),
    )
    yield from (table for table in found if table.rows)


def whole(report: Report) -> Iterator[Table]:
    """The report for a spreadsheet: whose it is, every label, and a line for each moment of the period."""
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
    """What was asked of the helpdesk, sentences first, and below it the most important of the log."""
    numbers = overview(report)
    numbers = replace(numbers, rows=tuple(row for row in numbers.rows if row[0] not in _NOT_IN_BRIEF))
    asked = sorted(
        of_helpdesk(report if report.collected else replace(report, scoreboard=None)),
        key=lambda table: len(table.columns) > 1,
    )
    escalated = shortened(escalated_table(report.escalated), FIRST_ESCALATED)
    found = (*asked, numbers, labels(report, _MAIN, FIRST_LABELS), escalated)
    return [table for table in (*found, objectives(report.objectives, report.goals)) if table.rows]


def overview(report: Report) -> Table:
    """The period in numbers, beside the one before it; without counts of nothing and unknown rates."""
    now = {**vars(report.totals), **report.totals.rates, "known_cost": report.totals.known_cost, **vars(report.latency)}
    was: dict[str, float | None] = {}
    if report.before is not None:
        before, latency = report.before, report.latency_before or Latency()
        was = {**vars(before), **before.rates, "known_cost": before.known_cost, **vars(latency)}
    rows: list[tuple[str, ...]] = []
    for name, key, say in _FIGURES:
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


def escalated_table(found: Sequence[EscalatedLine], now: Mapping[int, LookedUp] | None = None) -> Table:
    """Escalated tickets, and where they are; with ``now`` also their status and subject."""
    links = any(one.url for one in found)
    rows = []
    for one in found:
        row = [str(one.ticket_id), f"{one.at:%Y-%m-%d %H:%M}", ", ".join(one.reasons).replace("_", " ")]
        if now is not None:
            ticket = now.get(one.ticket_id, LookedUp())
            row += [ticket.status or "?", ticket.subject or "-"]
        rows.append((*row, *((one.url,) * links)))
    asked = () if now is None else ("<status", "<subject")
    columns = ("ticket", "<when (UTC)", "<why", *asked, *((WHERE,) * links))
    return Table("Escalated last", columns, tuple(rows))


def reasons(report: Report) -> Table:
    """The reasons for failed tickets and for those left alone."""
    rows = tuple(
        (name if place == 0 else "", f"{part.tickets:,}", in_words(part.label))
        for name, parts in (("failed", report.failure_reasons), (LEFT_ALONE, report.skip_reasons))
        for place, part in enumerate(parts)
    )
    return Table("Why they failed or were left alone", ("<", "tickets", "<reason"), rows)


def objectives(found: Sequence[Objective], goals: SloSettings) -> Table:
    """The service levels, and what is left of what they allow."""
    names = {"success": "success rate", "latency": f"answers within {goals.latency_s:g} s"}
    rows = tuple(
        (
            names[item.name],
            percent(item.target),
            percent(item.share),
            "met" if item.met else "missed",
            percent(item.budget_left) if item.budget_left is not None and item.budget_left > 0 else "none",
        )
        for item in found
        if item.total
    )
    return Table("Service levels", ("<", "target", "reached", "<result", "error budget left"), rows)


def models_table(spent: Sequence[Spending]) -> Table:
    """Answers, tokens and cost of each model, and of what stood in for one."""
    rows = tuple(
        (
            item.label or "-",
            f"{item.answers:,}",
            f"{item.tokens_in:,}",
            f"{item.tokens_out:,}",
            dollars(item.cost_usd) if item.cost_usd or not item.unpriced else NO_PRICE,
            dollars(item.cost_usd / item.answers) if item.cost_usd else "-",
        )
        for item in spent
    )
    columns = ("<answered by", "answers", "tokens in", "tokens out", "cost", "cost per answer")
    return Table("Answers", columns, rows)


def runs(report: Report) -> Table:
    """The runs and their alerts; see :func:`runs_table`."""
    table = runs_table(report.runs)
    alerts = tuple((f"alert {what}", f"{count:,}") for what, count in report.alerts.items())
    return replace(table, rows=(*table.rows, *alerts))


def runs_table(found: Runs) -> Table:
    """The runs: how they ended."""
    rows: list[tuple[str, str]] = []
    if found.count:
        rows += [("runs", f"{found.count:,}"), ("by exit code", _counts(found.exit_codes) or "-")]
    if found.stopped_by:
        rows.append(("ended early", _counts({end_words(name): count for name, count in found.stopped_by.items()})))
    if found.unfinished:
        rows.append(("without an end", f"{found.unfinished:,}"))
    if found.p95_duration_s is not None:
        rows.append(("run duration p95", seconds(found.p95_duration_s * 1000)))
    if found.dry:
        rows.append(("dry runs", f"{found.dry:,}"))
    return Table("Runs", ("<measure", "<value"), tuple(rows))


def _counts(counts: Mapping[int, int] | Mapping[str, int]) -> str:
    return ", ".join(f"{name}: {count:,}" for name, count in counts.items())


def of_helpdesk(report: Report) -> Iterator[Table]:
    """The tables that the helpdesk was asked for."""
    if report.replies is not None:
        yield from drafts_tables(report.replies)
    if report.scoreboard is not None:
        yield from scoreboard_tables(report.scoreboard)
    elif report.collected is not None:
        left = report.collected.left_out
        said = ["No ticket of this period is settled yet."]
        said += [f"Not judged: {', '.join(f'{number:,} {why}' for why, number in left.items())}."] if left else []
        yield Table(PEOPLE, SENTENCES, tuple((text,) for text in said))
    if report.knowledge is not None:
        yield from knowledge_tables(report.knowledge)


PEOPLE = "Labels people kept and changed"
_FATES = tuple(name.replace("_", " ") for name in Count.model_fields)
_SHARES = ("accuracy", "coverage")


def scoreboard_tables(found: Scoreboard) -> Iterator[Table]:
    """The scoreboard: by part and label, what people chose instead, and by settings file."""
    said = [
        f"{many(found.tickets, 'ticket')} collected, {found.touched:,} of them touched by a person. Accuracy is kept "
        "among kept, changed and removed; coverage is the share of people's labels where ticketbot had one."
    ]
    if any(part.unknown for part in found.parts):
        said.append("Where nobody knows who made most changes, no accuracy is told.")
    yield Table(PEOPLE, SENTENCES, tuple((text,) for text in said))
    rows: list[tuple[str, ...]] = []
    for part in found.parts:
        rows.append((part.part, "all", *_numbers(part)))
        rows += [("", label.label, *_numbers(label)) for label in part.labels if len(part.labels) > 1]
    yield Table("Kept as ticketbot set it", ("<part", "<label", "judged", *_FATES, *_SHARES), tuple(rows))
    yield Table(
        "Changed most often",
        ("<part", "<ticketbot said", "<people say", "tickets"),
        tuple((pair.part, pair.ours, pair.theirs, f"{pair.tickets:,}") for pair in found.pairs),
    )
    files = tuple(
        (part.part if place == 0 else "", count.label, f"{count.judged:,}", f"{count.kept:,}", *_shares(count))
        for part in found.parts
        for place, count in enumerate(part.settings_files)
    )
    yield Table("By settings file", ("<part", "<settings file", "judged", "kept", *_SHARES), files)


def _numbers(count: Count) -> tuple[str, ...]:
    numbers = (count.judged, *(getattr(count, name) for name in Count.model_fields))
    return (*(f"{number:,}" for number in numbers), *_shares(count))


def _shares(count: Count) -> tuple[str, ...]:
    return tuple("-" if share is None else f"{share:.0%}" for share in (count.accuracy, count.coverage))


def shortcomings(report: Report) -> Iterator[str]:
    """A sentence for each part from the helpdesk that is incomplete."""
    parts = (
        (report.replies, "what people replied was not read to the end"),
        (report.collected, "what people changed was not read to the end"),
        (report.knowledge, "the help centre's articles could not be read"),
    )
    yield from (f"{said}: {part.ended_early}" for part, said in parts if part is not None and part.ended_early)
