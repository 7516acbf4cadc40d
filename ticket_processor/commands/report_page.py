"""A report as a page with plots, which needs nothing else and runs nothing; and as the body of a mail."""

from __future__ import annotations

import html
import io
from collections.abc import Iterable

from ..clock import iso
from ..evaluation.report import figure, heading, page_text, table
from ..metrics import Dimension
from ..report import Report
from . import report_tables as tables
from .score_tables import Table, show

TITLE = "Triage report"
_PLOTTED: tuple[Dimension, ...] = ("category", "urgency", "sentiment", "language", "answered_by", "outcome")

_STYLE = """
.cards { display: flex; flex-wrap: wrap; gap: .8rem; margin: 1.2rem 0; }
.card { border: 1px solid #e3e6ea; border-radius: .5rem; padding: .6rem .9rem; min-width: 8.2rem; }
.card b { display: block; font-size: 1.45rem; line-height: 1.25; font-variant-numeric: tabular-nums; }
.card span { color: #5c636d; font-size: .85rem; }
.spike { border-left: .25rem solid #c2590c; padding-left: .7rem; margin: .3rem 0; }
@media (prefers-color-scheme: dark) {
  :root { color-scheme: dark; }
  body { color: #e4e7eb; background: #15181c; }
  th, .quiet, figcaption, .card span { color: #a6aeb8; }
  th, td, .card { border-color: #343a42; }
  svg text { fill: #d3d8de !important; }
  svg [style*="stroke: #e3e6ea"] { stroke: #2b3138 !important; }
  svg [style*="stroke: #000000"] { stroke: #8a929c !important; }
}
"""


def page(report: Report) -> str:
    """The report as HTML. Needs the extra ``report``."""
    from .. import report_plots as plots

    took = report.latency.count > 0
    parts = [_cards(report), _spikes(report)]
    if report.by_category:
        parts.append(_plots([figure(plots.volume_svg(report), "Tickets by category; UTC")]))
    if report.totals.tickets:
        parts.append(heading("What they were"))
        parts.append(
            _plots(
                figure(plots.parts_svg(found, name), tables.NAMES.get(name, name).capitalize())
                for name in _PLOTTED
                if (found := report.parts.get(name))
            )
        )
        parts.append(_details("All of it as a table", tables.labels(report)))
    if took:
        parts.append(heading("How it went"))
        pictures = [figure(plots.latency_svg(report), "How long a ticket took, understanding and writing")]
        if report.totals.fallback or report.totals.failed:
            pictures.append(figure(plots.trouble_svg(report), "Tickets that no model answered, and that failed"))
        if report.totals.cost_usd:
            pictures.append(figure(plots.cost_svg(report), "What models cost"))
        parts.append(_plots(pictures))
    for make in (tables.overview, tables.objectives, tables.reasons, tables.models, tables.runs):
        parts.append(_section(make(report)))
    parts += map(_section, tables.of_helpdesk(report))
    intro = f"{report.period} (UTC). Made {iso(report.made.timestamp())}."
    return page_text(TITLE, parts, [*report.remarks, *tables.shortcomings(report)], intro, _STYLE)


def mail_body(report: Report) -> str:
    """The report's tables as HTML that every mail program shows, and that is the same without its two tags."""
    file = io.StringIO()
    for remark in (*report.remarks, *tables.shortcomings(report)):
        file.write(f"Note: {remark}\n")
    show([*tables.tables(report)], file)
    text = "\n".join(line.rstrip() for line in file.getvalue().strip().splitlines())
    return f'<pre style="font-size: 13px">{html.escape(text)}</pre><p>The attached page has plots.</p>'


def _cards(report: Report) -> str:
    now = report.totals
    took = report.latency.p95_ms
    cards = [
        ("tickets", f"{now.tickets:,}", ""),
        ("written", f"{now.updated:,}", ""),
        ("failed", f"{now.failed:,}", ""),
        ("without a model", tables.percent(now.fallback_rate), ""),
        ("to be looked at", tables.percent(now.review_rate), ""),
        ("95% took at most", tables.seconds(took), ""),
        ("cost", tables.dollars(now.cost_usd), ""),
    ]
    if (was := report.before) is not None:
        took_before = report.latency_before.p95_ms if report.latency_before else None
        news = (
            tables.change(now.tickets, was.tickets),
            tables.change(now.updated, was.updated),
            tables.change(now.failed, was.failed),
            f"before {tables.percent(was.fallback_rate)}",
            f"before {tables.percent(was.review_rate)}",
            tables.change(took, took_before),
            tables.change(now.cost_usd, was.cost_usd),
        )
        cards = [(name, value, new) for (name, value, _), new in zip(cards, news, strict=True)]
    shown = (
        f'<div class="card"><b>{html.escape(value)}</b><span>{html.escape(name)}'
        f"{f', {html.escape(new)}' if new.strip('-') else ''}</span></div>"
        for name, value, new in cards
    )
    return f'<div class="cards">{"".join(shown)}</div>'


def _spikes(report: Report) -> str:
    found = tables.spikes(report)
    if not found.rows:
        return ""
    lines = (
        f'<p class="spike"><b>{html.escape(topic)}</b>, {html.escape(when)}: {html.escape(text)}</p>'
        for topic, when, text in found.rows
    )
    return heading(found.title) + "".join(lines)


def _plots(figures: Iterable[str]) -> str:
    return f'<div class="plots">{"".join(figures)}</div>'


def _section(found: Table) -> str:
    return heading(found.title) + table(found.columns, found.rows) if found.rows else ""


def _details(summary: str, found: Table) -> str:
    shown = table(found.columns, found.rows)
    return f"<details><summary>{html.escape(summary)}</summary>{shown}</details>"
