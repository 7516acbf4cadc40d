"""A report for people, as tables; what has nothing to say is left out."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence

from ..metrics import Dimension, Latency, Part, Totals
from ..report import BY, Report
from ..spikes import Spike
from .helpdesk_tables import knowledge_tables, overrides_tables
from .score_tables import Table

MOST_LABELS = 12
MOST_SPIKES = 10
NAMES: dict[Dimension, str] = {
    "answered_by": "answered by",
    "why_fallback": "why no model",
}
"""Where a dimension's own name says too little."""
WHOLE_TOPIC = "all tickets"


def tables(report: Report) -> Iterator[Table]:
    """The whole report."""
    yield from _when_filled(
        overview(report),
        labels(report),
        reasons(report),
        spikes(report),
        objectives(report),
        models(report),
        runs(report),
        *of_helpdesk(report),
    )


def _when_filled(*found: Table) -> Iterator[Table]:
    yield from (table for table in found if table.rows)


def overview(report: Report) -> Table:
    """The period in numbers, beside the one before it."""
    now, was = report.totals, report.before
    rows: list[tuple[str, ...]] = []

    def add(name: str, say: Callable[[Totals], str], number: Callable[[Totals], float | None]) -> None:
        if number(now) or (was and number(was)) or name == "tickets":
            rows.append((name, say(now), *_beside(say, number, now, was)))

    def count(name: str, number: Callable[[Totals], int]) -> None:
        add(name, lambda totals: f"{number(totals):,}", number)

    def share(name: str, number: Callable[[Totals], float | None]) -> None:
        add(name, lambda totals: percent(number(totals)), number)

    count("tickets", lambda totals: totals.tickets)
    count("understood", lambda totals: totals.understood)
    count("written", lambda totals: totals.updated)
    count("suggested in a note", lambda totals: totals.suggested)
    count("left alone", lambda totals: totals.skipped)
    count("failed", lambda totals: totals.failed)
    share("failures among writes", lambda totals: totals.error_rate)
    share("answered without a model", lambda totals: totals.fallback_rate)
    share("a person should look", lambda totals: totals.review_rate)
    count("escalated", lambda totals: totals.escalated)
    count("tried to instruct a model", lambda totals: totals.suspicious)
    rows += _took(report.latency, report.latency_before, compared=was is not None)
    add("cost", lambda totals: dollars(totals.cost_usd), lambda totals: totals.cost_usd)
    add("cost of a ticket", lambda totals: dollars(totals.cost_per_ticket), lambda totals: totals.cost_per_ticket)
    count("tokens in", lambda totals: totals.tokens_in)
    count("tokens out", lambda totals: totals.tokens_out)
    count("answers known already", lambda totals: totals.answers_from_cache)
    columns = ("<", "now", "before", "change") if was else ("<", "now")
    return Table(f"{report.period} (UTC)", columns, tuple(rows))


def _beside(
    say: Callable[[Totals], str], number: Callable[[Totals], float | None], now: Totals, was: Totals | None
) -> tuple[str, ...]:
    return () if was is None else (say(was), change(number(now), number(was)))


def _took(now: Latency, was: Latency | None, *, compared: bool) -> Iterator[tuple[str, ...]]:
    was = was or Latency()
    if now.count or was.count:
        for name, new, old in (
            ("half took at most", now.p50_ms, was.p50_ms),
            ("95% took at most", now.p95_ms, was.p95_ms),
            ("99% took at most", now.p99_ms, was.p99_ms),
        ):
            yield (name, seconds(new), *((seconds(old), change(new, old)) if compared else ()))


def labels(report: Report) -> Table:
    """Tickets by every dimension."""
    rows: list[tuple[str, ...]] = []
    for dimension in BY:
        parts = report.parts.get(dimension, [])
        was = {part.label: part.tickets for part in report.parts_before.get(dimension, [])}
        for place, part in enumerate(parts[:MOST_LABELS]):
            name = NAMES.get(dimension, dimension) if place == 0 else ""
            before = (f"{was.get(part.label, 0):,}",) if report.before else ()
            rows.append((name, part.label, f"{part.tickets:,}", percent(part.share), *before))
        if len(parts) > MOST_LABELS:
            rest = sum(part.tickets for part in parts[MOST_LABELS:])
            before = ("",) if report.before else ()
            rows.append(("", f"{len(parts) - MOST_LABELS} more", f"{rest:,}", "", *before))
    columns = ("<by", "<label", "tickets", "share", *(("before",) if report.before else ()))
    return Table("Tickets", columns, tuple(rows))


def reasons(report: Report) -> Table:
    """Why tickets failed, and why they were left alone."""

    def rows(name: str, parts: Sequence[Part]) -> Iterator[tuple[str, ...]]:
        yield from ((name if place == 0 else "", f"{part.tickets:,}", part.label) for place, part in enumerate(parts))

    found = (*rows("failed", report.failure_reasons), *rows("left alone", report.skip_reasons))
    return Table("Why", ("<", "tickets", "<reason"), found)


def spikes(report: Report) -> Table:
    """Topics with far more tickets than usual."""
    rows = tuple((topic(spike), when(spike), spike.text) for spike in (report.spikes or [])[:MOST_SPIKES])
    return Table("Far more than usual", ("<topic", "<when", "<tickets"), rows)


def topic(spike: Spike) -> str:
    """What a spike is about."""
    return {"all": WHOLE_TOPIC, "alarm": f"alarm: {spike.topic}"}.get(spike.kind, spike.topic)


def when(spike: Spike) -> str:
    """Its day, or that it is the whole period."""
    return f"{spike.day:%a} {spike.day}" if spike.day else "the whole period"


def objectives(report: Report) -> Table:
    """The service levels, and what is left of what they allow."""
    names = {"success": "written without a failure", "latency": f"within {report.goals.latency_s:g} s"}
    rows = tuple(
        (
            names.get(item.name, item.name),
            percent(item.target, 2),
            percent(item.share, 2),
            "met" if item.met else "missed",
            percent(item.budget_left) if item.budget_left is not None and item.budget_left > 0 else "none",
        )
        for item in report.objectives
        if item.total
    )
    return Table("Service levels", ("<", "target", "reached", "<", "left of what may fail"), rows)


def models(report: Report) -> Table:
    """What each model, or what stood in for one, took."""
    rows = tuple(
        (
            item.label or "-",
            f"{item.answers:,}",
            f"{item.tokens_in:,}",
            f"{item.tokens_out:,}",
            dollars(item.cost_usd) if item.cost_usd or not item.unpriced else "no price",
            dollars(item.cost_usd / item.answers) if item.cost_usd else "-",
        )
        for item in report.spent
    )
    return Table("Answers", ("<by", "answers", "tokens in", "tokens out", "cost", "an answer"), rows)


def runs(report: Report) -> Table:
    """The runs, how they ended, and which seem to be missing."""
    found = report.runs
    rows: list[tuple[str, str]] = []
    if found.count:
        rows += [("runs", f"{found.count:,}"), ("by exit code", _counts(found.exit_codes) or "-")]
    if found.stopped_by:
        rows.append(("ended early", _counts(found.stopped_by)))
    if found.unfinished:
        rows.append(("without an end", f"{found.unfinished:,}"))
    if found.p95_duration_s is not None:
        rows.append(("95% took at most", seconds(found.p95_duration_s * 1000)))
    if found.interval_s is not None and found.longest_gap_s is not None:
        rows += [
            ("usually every", span(found.interval_s)),
            ("longest gap", span(found.longest_gap_s)),
            ("missed, by that", f"{found.missed:,}"),
        ]
    if found.dry:
        rows.append(("dry runs", f"{found.dry:,}"))
    rows += [(f"alert {what}", f"{count:,}") for what, count in report.alerts.items()]
    return Table("Runs", ("<measure", "<value"), tuple(rows))


def _counts(counts: Mapping[int, int] | Mapping[str, int]) -> str:
    return ", ".join(f"{name}: {count:,}" for name, count in counts.items())


def of_helpdesk(report: Report) -> Iterator[Table]:
    """What the helpdesk was asked for."""
    if report.overrides is not None:
        yield from overrides_tables(report.overrides)
    if report.knowledge is not None:
        yield from knowledge_tables(report.knowledge)


def shortcomings(report: Report) -> Iterator[str]:
    """Why what the helpdesk was asked for is not whole."""
    if report.overrides is not None and report.overrides.ended_early:
        yield f"what people changed was not read to the end: {report.overrides.ended_early}"
    if report.knowledge is not None and report.knowledge.ended_early:
        yield f"not all topics were looked up in the help centre: {report.knowledge.ended_early}"


def percent(value: float | None, digits: int = 1) -> str:
    """A share in percent."""
    return "-" if value is None else f"{100 * value:.{digits}f}%"


def dollars(value: float | None) -> str:
    """US dollars: cents, or two digits of what is less than ten cents."""
    if value is None:
        return "-"
    return f"${value:,.2f}" if value >= 0.1 or value == 0 else f"${value:.2g}"


def seconds(milliseconds: float | None) -> str:
    """Milliseconds as seconds."""
    return "-" if milliseconds is None else f"{milliseconds / 1000:.1f} s"


def span(length_s: float) -> str:
    """A time in the unit that fits."""
    for unit, size in (("days", 86_400), ("h", 3600), ("min", 60)):
        if length_s >= 2 * size:
            return f"{length_s / size:.3g} {unit}"
    return f"{length_s:.0f} s"


def change(now: float | None, was: float | None) -> str:
    """By how much it went up or down."""
    if now is None or not was:
        return "-"
    percents = round(100 * (now - was) / was)
    return f"{percents:+d}%" if percents else "±0%"
