"""A report as a page with bars, which needs nothing else and runs nothing; as Markdown, and by mail."""

from __future__ import annotations

import tempfile
from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING

from ..core.errors import ConfigError
from ..core.tables import Table, as_markdown, as_text, markdown_text
from ..evaluation.report import templates
from ..monitoring.receivers import Receiver, package_missing, receivers, tame_libraries, through
from ..reporting import tables
from ..reporting.figures import DimensionShare
from ..reporting.glossary import MEANINGS, NONE, percent, seconds
from ..reporting.queries import Dimension
from ..reporting.report import Report
from ..settings.schema import AlertSettings

if TYPE_CHECKING:
    from apprise import NotifyBase

_MAIL = '<pre style="font-size: 13px">{{ text }}</pre><p>The attached page has bars as well.</p>'
_MOST_BARS = 10
_STEPS = {"hour": timedelta(hours=1), "day": timedelta(days=1), "week": timedelta(weeks=1)}
_MOST_MOMENTS = 31
"""More hours, days or weeks are not drawn: the table has them."""
_PLOTTED: tuple[Dimension, ...] = ("category", "urgency", "sentiment", "language", "answered_by", "outcome")


def page(report: Report) -> str:
    """The report as HTML."""
    volume, shares = [], []
    if bars := _by_time(report):
        volume = [(bars, f"Tickets, each {report.step}")]
    if report.totals.tickets:
        shares = [
            (_bars(found), tables.NAMES.get(name, name).capitalize())
            for name in _PLOTTED
            if len(found := report.parts.get(name, [])) > 1
        ]
    template = templates(Path(__file__).parent).get_template("report_page.html")
    made = template.render(
        title=report.title,
        intro=report.origin,
        remarks=[_sentence(remark) for remark in (*report.remarks, *tables.shortcomings(report))],
        cards=_cards(report),
        none_known=NONE,
        volume=volume,
        labels=replace(tables.labels(report), title="All of it as a table") if report.totals.tickets else None,
        shares=shares,
        series=tables.series(report),
        sections=[table for table in tables.tables(report) if table.title != tables.LABELS],
        meanings=Table("What the figures mean", ("<figure", "<<what it is"), tuple(MEANINGS.items())),
    )
    return f"{made}\n"


def _bars(parts: Sequence[DimensionShare]) -> list[tuple[str, float, str]]:
    most = max(part.tickets for part in parts)
    return [(part.label, part.tickets / (most or 1), f"{part.tickets:,}") for part in parts[:_MOST_BARS]]


def _by_time(report: Report) -> list[tuple[str, float, str]]:
    """A bar for each step from the first to the last with tickets; none where these are too many, or one alone."""
    tickets = {point.at: point.tickets for point in report.by_time}
    first, last = min(tickets, default=report.since), max(tickets, default=report.since)
    count = (last - first) // _STEPS[report.step] + 1
    if not 1 < count <= _MOST_MOMENTS:
        return []
    most = max(tickets.values()) or 1
    form = "%d %b %H:%M" if report.step == "hour" else "%a %d %b"
    moments = [first + number * _STEPS[report.step] for number in range(count)]
    return [(f"{at:{form}}", tickets.get(at, 0) / most, f"{tickets.get(at, 0):,}") for at in moments]


def _sentence(remark: str) -> str:
    return f"{remark[0].upper()}{remark[1:]}."


def mail_body(report: Report) -> str:
    """The report's tables as HTML that every mail program shows, and that is the same without its two tags."""
    notes = "\n".join(f"Note: {remark}" for remark in (*report.remarks, *tables.shortcomings(report)))
    parts = [f"{report.title}\n{report.origin}", notes, *map(as_text, tables.tables(report))]
    return templates().from_string(_MAIL).render(text="\n\n".join(filter(None, parts)))


def markdown(report: Report) -> str:
    """The report as GitHub Markdown, for an issue, a wiki or a chat. No word in it becomes mark-up."""
    notes = "\n".join(f"> {markdown_text(remark)}" for remark in (*report.remarks, *tables.shortcomings(report)))
    parts = [f"# {markdown_text(report.title)}", markdown_text(report.origin), notes]
    return "\n\n".join(filter(None, [*parts, *map(as_markdown, tables.tables(report))])) + "\n"


def _cards(report: Report) -> list[tuple[str, str, object]]:
    """Name, value, and the value before of each main figure."""
    now, was = report.totals, report.before
    took, took_before = report.latency.p95_ms, report.latency_before.p95_ms if report.latency_before else None
    return [
        ("tickets", f"{now.tickets:,}", was and f"{was.tickets:,}"),
        *(
            (name.replace("_", " "), percent(now.rates[name]), was and percent(was.rates[name]))
            for name in ("success_rate", "fallback_rate", "review_rate")
        ),
        ("latency p95", seconds(took), was and seconds(took_before)),
        ("cost", tables.price(now.known_cost), was and tables.price(was.known_cost)),
    ]


MAIL = (
    "mailto", "mailtos", "mailgun", "sendgrid", "ses", "smtp2go", "sparkpost", "brevo", "resend", "postmark", "o365",
    "azure",
)  # fmt: skip
"""Kinds of addresses that mean mail."""
NOBODY = (
    "no mail receiver is set: put a mailtos:// address into TICKETBOT_ALERT_URLS; docs/report.md shows what it "
    "looks like"
)


def mail_receivers(settings: AlertSettings) -> list[Receiver]:
    """The receivers of a report. Raises :class:`ConfigError` when there is none, or the extra is missing."""
    found = [one for one in receivers(settings) if one.kind in MAIL and not one.target.critical_only]
    if not found:
        raise ConfigError(NOBODY)
    if missing := package_missing():
        raise ConfigError(missing)
    return found


def send(everybody: Sequence[Receiver], title: str, body: str, page: str, name: str) -> list[tuple[Receiver, str]]:
    """Mail ``body`` (HTML; its text goes along), and ``page`` as the attached file ``name``.

    Returns the receivers that it could not reach, each with the reason, which holds no address.
    """
    tame_libraries()
    with tempfile.TemporaryDirectory(prefix="ticketbot-", ignore_cleanup_errors=True) as folder:
        attachment = Path(folder) / name
        attachment.write_text(page, encoding="utf-8")
        tried = [(receiver, _sent(receiver, title, body, attachment)) for receiver in everybody]
    return [(receiver, why) for receiver, why in tried if why is not None]


def _sent(receiver: Receiver, title: str, body: str, attachment: Path) -> str | None:
    def mail(service: NotifyBase) -> bool:
        from apprise import Apprise, NotifyFormat

        post = Apprise(service, asset=service.asset)  # which turns the body into what the service takes
        return bool(post.notify(body=body, title=title, body_format=NotifyFormat.HTML, attach=str(attachment)))

    return through(receiver.url, mail)
