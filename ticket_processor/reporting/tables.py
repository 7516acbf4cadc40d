"""A report as tables for people; empty tables are left out."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from itertools import zip_longest

from .. import __version__
from ..core.models import OutcomeStatus
from ..core.reasons import in_words
from ..core.tables import SENTENCES, Table, shortened
from ..policy.decide import Policy
from ..wiring.ticket_subjects import OVER, LookedUp
from .figures import Dimension, DimensionShare, EscalatedLine, Latency, Runs, Spending, Totals
from .glossary import dollars, end_words, percent, points, seconds, span, why_no_model
from .helpdesk_tables import drafts_tables, knowledge_tables, not_judged, offers_table, scoreboard_tables
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
WHERE = "<where"
FIRST_ESCALATED, FIRST_LABELS = 5, 7
MORE = "--details adds every label, articles, reasons, models and runs"
_SIDE_BY_SIDE: tuple[Dimension, ...] = ("category", "urgency")
_IN_BRIEF = (
    "tickets",
    "updated",
    "suggested in a note",
    "left alone",
    "failed",
    "success rate",
    "error rate",
    "fallback rate",
    "review rate",
    "escalated",
    "latency p95",
    "cost",
    "cost per ticket",
)
_LABELS: Mapping[str, Callable[[str], str]] = {
    "why_fallback": why_no_model,
    "outcome": lambda label: LEFT_ALONE if label == OutcomeStatus.SKIPPED else label,
}
"""How labels of these dimensions are called."""


def tables(report: Report) -> Iterator[Table]:
    """The whole report."""
    of_the_log = (overview, labels, offers, escalated, reasons, objectives, models, runs)
    found = (*(make(report) for make in of_the_log), *of_helpdesk(report))
    yield from (table for table in found if table.rows)


def whole(report: Report) -> Iterator[Table]:
    """The report for a spreadsheet: whose it is, every label, and a line for each moment of the period."""
    about = ("account", report.account), ("made", f"{report.made:%Y-%m-%d %H:%M}"), ("version", __version__)
    period = (
        ("since", f"{report.since:%Y-%m-%d %H:%M}"),
        ("until", f"{report.until:%Y-%m-%d %H:%M}"),
        ("time zone", ZONE),
    )
    yield Table("Report", ("<", "<value"), (*((name, value or "") for name, value in (*about, *period)),))
    for table in tables(report):
        yield labels(report, every=True) if table.title == LABELS else table
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
    numbers = replace(numbers, rows=tuple(row for row in numbers.rows if row[0] in _IN_BRIEF))
    asked = sorted(
        of_helpdesk(report if report.collected else replace(report, scoreboard=None)),
        key=lambda table: len(table.columns) > 1,
    )
    found = (*asked, numbers, _main_labels(report), shortened(_linked(escalated(report)), FIRST_ESCALATED))
    return [table for table in (*found, objectives(report)) if table.rows]


def _main_labels(report: Report) -> Table:
    """Categories and urgencies beside each other."""
    columns: list[str] = []
    sides: list[list[tuple[str, ...]]] = []
    for dimension in _SIDE_BY_SIDE:
        found = report.parts.get(dimension, [])
        shown = [(part.label, f"{part.tickets:,}", f"{part.share:.1%}") for part in found]
        if len(shown) > FIRST_LABELS:
            rest = found[FIRST_LABELS - 1 :]
            shown[FIRST_LABELS - 1 :] = [(f"{len(rest)} more", f"{sum(part.tickets for part in rest):,}", "")]
        columns += [f"<{dimension}", "tickets", "share"]
        sides.append(list(shown))
    nothing = ("", "", "")
    rows = tuple(tuple(cell for side in line for cell in side) for line in zip_longest(*sides, fillvalue=nothing))
    return Table("Tickets", tuple(columns), rows)


def _linked(table: Table) -> Table:
    """Without the column of addresses, which a terminal opens from the number instead."""
    if table.columns[-1] != WHERE:
        return table
    return replace(
        table,
        columns=table.columns[:-1],
        rows=tuple(row[:-1] for row in table.rows),
        links=tuple(row[-1] for row in table.rows),
    )


def cost(totals: Totals) -> str:
    """The models' cost in words."""
    return _price(totals.known_cost)


def _price(value: float | None) -> str:
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
    ("cost", "known_cost", _price),
    ("cost per ticket", "cost_per_ticket", dollars),
    ("tokens in", "tokens_in", _count),
    ("tokens out", "tokens_out", _count),
    ("repeat rate", "repeat_rate", percent),
)
"""The overview's figures: name, attribute of :class:`Totals` or :class:`Latency`, and how it is written."""


def overview(report: Report) -> Table:
    """The period in numbers, beside the one before it; without counts of nothing and unknown rates."""
    was, took_before = report.before, report.latency_before or Latency()
    rows: list[tuple[str, ...]] = []
    for name, attribute, say in _FIGURES:
        timed = attribute.endswith("_ms")
        new = getattr(report.latency if timed else report.totals, attribute)
        old = None if was is None else getattr(took_before if timed else was, attribute)
        if say in (percent, seconds) and attribute != "repeat_rate":
            shown = new is not None or old is not None
        else:
            shown = bool(new or old) or name == "tickets" or (name == "cost" and new is None)
        if shown:
            apart = _apart(new, old) if say is percent else change(new, old)
            rows.append((name, say(new), say(old), apart) if was else (name, say(new)))
    return Table("Overview", ("<", "now", "before", "change") if was else ("<", "now"), tuple(rows))


def _apart(now: float | None, was: float | None) -> str:
    return "-" if now is None or was is None else points(now - was)


def labels(report: Report, *, every: bool = False) -> Table:
    """Tickets by every dimension: the largest labels, or ``every`` one, with those that only the period before had."""
    rows: list[tuple[str, ...]] = []
    for dimension in BY:
        parts = report.parts.get(dimension, [])
        most = len(parts) if every else MOST_LABELS
        was = {part.label: part.tickets for part in report.parts_before.get(dimension, [])}
        for place, part in enumerate(parts[:most]):
            name = NAMES.get(dimension, dimension) if every or place == 0 else ""
            before = (f"{was.get(part.label, 0):,}",) if report.before else ()
            label = _LABELS.get(dimension, str)(part.label)
            rows.append((name, label, f"{part.tickets:,}", f"{part.share:.1%}", *before))
        if len(parts) > most:
            rest = sum(part.tickets for part in parts[most:])
            before = ("",) if report.before else ()
            rows.append(("", f"{len(parts) - most} more", f"{rest:,}", "", *before))
        if every:
            named, called = NAMES.get(dimension, dimension), _LABELS.get(dimension, str)
            gone = sorted(was.keys() - {part.label for part in parts})
            rows += [(named, called(label), "0", "0.0%", f"{was[label]:,}") for label in gone]
    columns = ("<by", "<label", "tickets", "share", *(("before",) if report.before else ()))
    return Table(LABELS, columns, tuple(rows))


def offers(report: Report) -> Table:
    """What notes offered from articles, and what was sent."""
    return offers_table(report.offers)


def escalated(report: Report) -> Table:
    """The last tickets that were escalated; see :func:`escalated_table`."""
    return escalated_table(report.escalated)


def escalated_table(found: Sequence[EscalatedLine], now: Mapping[int, LookedUp] | None = None) -> Table:
    """Escalated tickets, and where they are; with ``now`` also their status and subject."""
    links = any(one.url for one in found)
    rows = []
    for one in found:
        ticket = LookedUp() if now is None else now.get(one.ticket_id, LookedUp())
        row = (str(one.ticket_id), f"{one.at:%Y-%m-%d %H:%M}", ", ".join(one.reasons).replace("_", " "))
        asked = () if now is None else (ticket.status or "?", ticket.subject or "-")
        rows.append((*row, *asked, *((one.url,) * links)))
    columns = ("ticket", "<when (UTC)", "<why", *(() if now is None else ("<status", "<subject")), *((WHERE,) * links))
    return Table("Escalated last", columns, tuple(rows))


def still_open(found: Sequence[EscalatedLine], now: Mapping[int, LookedUp]) -> list[EscalatedLine]:
    """Those that are open, or of which nobody knows."""
    return [one for one in found if now.get(one.ticket_id, LookedUp()).status not in OVER]


def reasons(report: Report) -> Table:
    """The reasons for failed tickets and for those left alone."""

    def rows(name: str, parts: Sequence[DimensionShare]) -> Iterator[tuple[str, ...]]:
        yield from (
            (name if place == 0 else "", f"{part.tickets:,}", in_words(part.label)) for place, part in enumerate(parts)
        )

    found = (*rows("failed", report.failure_reasons), *rows(LEFT_ALONE, report.skip_reasons))
    return Table("Why they failed or were left alone", ("<", "tickets", "<reason"), found)


def objectives(report: Report) -> Table:
    """The service levels, and what is left of what they allow."""
    names = {"success": "success rate", "latency": f"answers within {report.goals.latency_s:g} s"}
    rows = tuple(
        (
            names.get(item.name, item.name),
            percent(item.target),
            percent(item.share),
            "met" if item.met else "missed",
            percent(item.budget_left) if item.budget_left is not None and item.budget_left > 0 else "none",
        )
        for item in report.objectives
        if item.total
    )
    return Table("Service levels", ("<", "target", "reached", "<result", "error budget left"), rows)


def models(report: Report) -> Table:
    """See :func:`models_table`."""
    return models_table(report.spent)


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
    """The runs: how they ended, and how many seem to be missing."""
    rows: list[tuple[str, str]] = []
    if found.count:
        rows += [("runs", f"{found.count:,}"), ("by exit code", _counts(found.exit_codes) or "-")]
    if found.stopped_by:
        rows.append(("ended early", _counts({end_words(name): count for name, count in found.stopped_by.items()})))
    if found.unfinished:
        rows.append(("without an end", f"{found.unfinished:,}"))
    if found.p95_duration_s is not None:
        rows.append(("run duration p95", seconds(found.p95_duration_s * 1000)))
    if found.interval_s is not None and found.longest_gap_s is not None:
        rows += [
            ("usually every", span(found.interval_s)),
            ("longest gap", span(found.longest_gap_s)),
            ("missed, by that", f"{found.missed:,}"),
        ]
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
        said = ("No ticket of this period is settled yet.", *not_judged(report.collected.left_out))
        yield Table("Labels people kept and changed", SENTENCES, tuple((text,) for text in said))
    if report.knowledge is not None:
        yield from knowledge_tables(report.knowledge)


def shortcomings(report: Report) -> Iterator[str]:
    """A sentence for each part from the helpdesk that is incomplete."""
    if report.replies is not None and report.replies.ended_early:
        yield f"what people replied was not read to the end: {report.replies.ended_early}"
    if report.collected is not None and report.collected.ended_early:
        yield f"what people changed was not read to the end: {report.collected.ended_early}"
    if report.knowledge is not None and report.knowledge.ended_early:
        yield f"not all topics were looked up in the help centre: {report.knowledge.ended_early}"


def by_rules_alone(report: Report, policy: Policy) -> Iterator[str]:
    """In a first report: what answers of keyword rules may be trusted with, where there are no others."""
    if report.before is not None or {item.label for item in report.spent} != {"rules"}:
        return
    trusted = {"group", "fields"} <= set(policy.rules_may_set)
    today = "are set all the same" if trusted else "are suggested, not set"
    yield (
        f"keyword rules alone are seldom sure enough to set group and fields, which {today} (policy.rules_may_set): "
        "name a model (TICKETBOT_MODELS) or run 'ticketbot train'; 'ticketbot eval --from-helpdesk' says whether your "
        "history shows otherwise"
    )


def change(now: float | None, was: float | None) -> str:
    """The relative change, such as ``+12%``."""
    if now is None or not was:
        return "-"
    percents = round(100 * (now - was) / was)
    return f"{percents:+d}%" if percents else "±0%"
