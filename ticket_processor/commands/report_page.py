"""A report as a page with plots, which needs nothing else and runs nothing; and as the body of a mail."""

from __future__ import annotations

import html
import io
from collections.abc import Iterable

from ..evaluation.report import figure, heading, page_text, table
from ..reporting.glossary import MEANINGS, NONE, percent, seconds
from ..reporting.metrics import Dimension
from ..reporting.report import Report
from . import report_tables as tables
from .score_tables import Table, show

_PLOTTED: tuple[Dimension, ...] = ("category", "urgency", "sentiment", "language", "answered_by", "outcome")

_STYLE = """
h1, .card b { overflow-wrap: anywhere; }
.cards { display: grid; grid-template-columns: repeat(auto-fill, minmax(8.6rem, 1fr)); gap: .8rem; margin: 1.2rem 0; }
.card { border: 1px solid #e3e6ea; border-radius: .5rem; padding: .6rem .9rem; }
.card b { display: block; font-size: 1.45rem; line-height: 1.25; font-variant-numeric: tabular-nums; }
.card span { display: block; font-size: .85rem; } .card .before { color: #5c636d; }
.spike { border-left: .25rem solid #c2590c; padding-left: .7rem; margin: .3rem 0; }
.plots figure { display: flex; flex-direction: column; max-width: 100%; }
.plots figcaption { order: -1; font-weight: 600; margin: .6rem 0 .2rem; }
@media (max-width: 44rem) {
  body { margin: 1rem auto; padding: 0 .8rem; } h1 { font-size: 1.25rem; }
  .wide figure { overflow-x: auto; } .wide svg { min-width: 48rem; }
  .wide figcaption { position: sticky; left: 0; }
}
@media screen and (prefers-color-scheme: dark) {
  :root { color-scheme: dark; }
  body { color: #e4e7eb; background: #15181c; }
  th, .quiet, figcaption, .card .before { color: #a6aeb8; }
  th, td, .card { border-color: #343a42; }
  summary { color: #6aa5e3; }
  svg text { fill: #d3d8de !important; }
  svg [style*="stroke: #e3e6ea"] { stroke: #2b3138 !important; }
  svg [style*="stroke: #000000"] { stroke: #8a929c !important; }
}
@media print {
  body { margin: 0; max-width: none; } h2, summary { break-after: avoid; }
  figure, tr, .card { break-inside: avoid; }
  details::details-content { content-visibility: visible; block-size: auto; } summary { color: inherit; }
}
"""


def page(report: Report) -> str:
    """The report as HTML. Needs the extra ``report``."""
    from ..reporting import plots as plots

    each = {"hour": "each hour", "day": "each day", "week": "each week from Monday"}[report.step]
    parts = [_cards(report), _spikes(report)]
    if report.by_category:
        paler = ", paler where only a part of it is in the period" if plots.partly(report) else ""
        parts.append(_plots([figure(plots.volume_svg(report), f"Tickets by category, {each}{paler}")], "wide"))
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
    if report.latency.count:
        parts.append(heading("How it went"))
        pictures = [figure(plots.latency_svg(report), f"Latency: how long answers took, {each}")]
        if report.totals.fallback or report.totals.failed:
            pictures.append(figure(plots.trouble_svg(report), f"Fallback and failures, {each}"))
        if report.totals.cost_usd:
            pictures.append(figure(plots.cost_svg(report), f"Cost of models, {each}"))
        parts.append(_plots(pictures, "wide"))
    for make in (tables.overview, tables.escalated, tables.objectives, tables.reasons, tables.models, tables.runs):
        parts.append(_section(make(report)))
    parts += map(_section, tables.of_helpdesk(report))
    parts.append(_details("What the figures mean", _glossary()))
    remarks = [*report.remarks, *tables.shortcomings(report)]
    return page_text(report.title, parts, remarks, report.origin, _STYLE)


def mail_body(report: Report) -> str:
    """The report's tables as HTML that every mail program shows, and that is the same without its two tags."""
    file = io.StringIO()
    file.write(f"{report.title}\n{report.origin}\n\n")
    for remark in (*report.remarks, *tables.shortcomings(report)):
        file.write(f"Note: {remark}\n")
    show([*tables.tables(report)], file)
    text = "\n".join(line.rstrip() for line in file.getvalue().strip().splitlines())
    return f'<pre style="font-size: 13px">{html.escape(text)}</pre><p>The attached page has plots.</p>'


def _cards(report: Report) -> str:
    now, was = report.totals, report.before
    took, took_before = report.latency.p95_ms, report.latency_before.p95_ms if report.latency_before else None
    cards = [
        ("tickets", f"{now.tickets:,}", was and f"{was.tickets:,}"),
        ("success rate", percent(now.success_rate), was and percent(was.success_rate)),
        ("fallback rate", percent(now.fallback_rate), was and percent(was.fallback_rate)),
        ("review rate", percent(now.review_rate), was and percent(was.review_rate)),
        ("latency p95", seconds(took), was and seconds(took_before)),
        ("cost", tables.cost(now), was and tables.cost(was)),
    ]
    shown = (
        f'<div class="card"><b>{html.escape(value)}</b><span>{html.escape(name)}</span>'
        + (f'<span class="before">before {html.escape(before)}</span>' if before and before != NONE else "")
        + "</div>"
        for name, value, before in cards
    )
    return f'<div class="cards">{"".join(shown)}</div>'


def _glossary() -> Table:
    return Table("", ("<figure", "<<what it is"), tuple(MEANINGS.items()))


def _spikes(report: Report) -> str:
    found = tables.spikes(report)
    if not found.rows:
        return ""
    lines = (
        f'<p class="spike"><b>{html.escape(topic)}</b>, {html.escape(when)}: {html.escape(text)}</p>'
        for topic, when, text in found.rows
    )
    return heading(found.title) + "".join(lines)


def _plots(figures: Iterable[str], kind: str = "") -> str:
    return f'<div class="plots {kind}">{"".join(figures)}</div>'


def _section(found: Table) -> str:
    return heading(found.title) + table(found.columns, found.rows) if found.rows else ""


def _details(summary: str, found: Table) -> str:
    shown = table(found.columns, found.rows)
    return f"<details><summary>{html.escape(summary)}</summary>{shown}</details>"
