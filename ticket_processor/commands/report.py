"""``ticketbot report``: a period's tickets, quality and cost. Reads only the log, unless an option says more.

A report as a page, which needs nothing else and runs nothing; as Markdown, and by mail.
"""

from __future__ import annotations

import re
import tempfile
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer

from ..audit.files import log_files
from ..core.clock import SystemClock, iso
from ..core.errors import CannotRun, ConfigError, ExitCode, StateUnusable
from ..core.tables import MOST_LINES, Table, as_csv, as_markdown, as_text, markdown_text, show
from ..evaluation.report import templates
from ..learning.scoreboard import kept_scoreboard
from ..monitoring.memory import Receiver
from ..monitoring.receivers import package_missing, receivers, tame_libraries, through
from ..reporting import report as tables
from ..reporting.figures import Latency
from ..reporting.glossary import MEANINGS, NONE
from ..reporting.index import LogIndex, require_duckdb
from ..reporting.queries import LogSelection
from ..reporting.report import Report, as_data, gather
from ..reporting.sections import FIGURES, values_of
from ..settings.load import load
from ..settings.schema import AlertSettings, Settings
from ..wiring.parts import keyring
from .options import (
    ConfigOption,
    DetailedOption,
    JsonOption,
    check_out,
    check_together,
    json_text,
    parse_moment,
    write_out,
)
from .screen import Screen

if TYPE_CHECKING:
    from apprise import NotifyBase

LAST_DAYS = 7
MOST_READ = 200
DAY_S = 86_400.0
PeriodName = Literal["day", "week", "month"]


def period_of(
    now: float, since: str | None = None, until: str | None = None, period: PeriodName | None = None
) -> tuple[float, float]:
    """From when to when, in Unix seconds; a ``period`` is the last whole one. Raises :class:`ConfigError`."""
    if period is not None:
        end = datetime.fromtimestamp(now, UTC).replace(hour=0, minute=0, second=0, microsecond=0)
        if period == "day":
            begin = end - timedelta(days=1)
        elif period == "week":  # from Monday
            end -= timedelta(days=end.weekday())
            begin = end - timedelta(days=7)
        else:
            end = end.replace(day=1)
            begin = (end - timedelta(days=1)).replace(day=1)
        return begin.timestamp(), end.timestamp()
    last = now if until is None else parse_moment(until, now, "--until")
    first = last - LAST_DAYS * DAY_S if since is None else max(0.0, parse_moment(since, now))
    if first >= last:
        raise ConfigError("--since must lie before --until")
    return first, last


_WHOLE = ("--overrides", "--replies", "--knowledge", "--themes", "--limit", "--out", "--mail")
APART = {
    "--escalated": _WHOLE,
    "--shipped": (*_WHOLE, "--escalated", "--since", "--until", "--period"),
    "--period": ("--since", "--until"),
}
FORMATS = (".html", ".md", ".csv", ".json")


def report(
    clock: SystemClock,
    since: Annotated[str | None, typer.Option(metavar="WHEN", help="24h, 2w, 2026-11-01 (UTC). Default: 7d.")] = None,
    until: Annotated[str | None, typer.Option(metavar="WHEN", help="In the same form; default: now.")] = None,
    period: Annotated[PeriodName | None, typer.Option(help="The last whole one (UTC), instead of --since.")] = None,
    escalated: Annotated[
        bool, typer.Option("--escalated", help="Only list what was escalated and is still open on the helpdesk.")
    ] = False,
    overrides: Annotated[
        bool, typer.Option("--overrides", help="Also read solved tickets from the helpdesk: what did people change?")
    ] = False,
    replies: Annotated[
        bool, typer.Option("--replies", help="Also read answered tickets from the helpdesk: were drafts used?")
    ] = False,
    limit: Annotated[
        int | None,
        typer.Option(min=1, max=20_000, metavar="N", help="Read at most N tickets there. Default: 200."),
    ] = None,
    knowledge: Annotated[
        bool, typer.Option("--knowledge", help="Also search the knowledge base: which topics have no article?")
    ] = False,
    themes: Annotated[
        bool, typer.Option("--themes", help="Also group the period's tickets by what customers say, with quotes.")
    ] = False,
    link: Annotated[
        list[str] | None,
        typer.Option(
            metavar="THEME=ISSUE", help="Keep a theme's issue: 'dark mode=APP-12'; =APP-12 forgets it; may be repeated."
        ),
    ] = None,
    shipped: Annotated[
        str | None, typer.Option(metavar="ISSUE", help="Only list the tickets to tell that this issue has shipped.")
    ] = None,
    out: Annotated[
        list[Path] | None,
        typer.Option(metavar="FILE", help="Write it: .html, .md, .csv or .json; may be repeated."),
    ] = None,
    details: DetailedOption = False,
    mail: Annotated[
        bool, typer.Option("--mail", help="Mail it, page attached, to the mail addresses in TICKETBOT_ALERT_URLS.")
    ] = False,
    as_json: JsonOption = False,
    config: ConfigOption = None,
) -> int:
    """Show what was triaged in a period, how well and at what cost; from the log, so it needs no helpdesk.

    Exit code 3 with --mail: the mail was not sent.
    """
    check_together(locals(), parts={"--themes": ("--link",)}, apart=APART)
    most = MOST_READ if limit is None else limit
    begin, end = period_of(clock.now(), since, until, period)
    files = out or []
    check_out(files, FORMATS)
    require_duckdb()
    settings = load(config=config, need_helpdesk=overrides or knowledge or replies)
    if escalated:
        from .report_helpdesk import list_escalated

        check_log(settings)
        # What was logged in this very second belongs to a period that ends now.
        chosen = LogSelection(begin, end if until or period else end + 1)
        with open_log(settings, clock, begin, end) as index:
            return list_escalated(settings, index, clock, chosen, Screen(as_json=as_json), details=details)
    everybody = mail_receivers(settings.alerts) if mail else []
    check_log(settings)
    screen = Screen(as_json=as_json)
    if shipped is not None:
        from .report_helpdesk import ThemesPart

        return ThemesPart(settings, clock, screen).to_tell(shipped)
    with ExitStack() as stack:
        with screen.progress("reading the log"):
            index = stack.enter_context(open_log(settings, clock, begin - (end - begin), end))  # and the period before
            found = gather(index, begin, end, settings)
        more: dict[str, Any] = {}
        if overrides or knowledge or replies:
            from .report_helpdesk import HelpdeskPart

            helpdesk = HelpdeskPart(settings, index, clock, screen, begin, end)
            if replies:
                more["replies"] = helpdesk.replies(most)
            if knowledge:
                more["knowledge"] = helpdesk.knowledge()
        if themes:
            from .report_helpdesk import ThemesPart

            part = ThemesPart(settings, clock, screen)
            more["themes"] = part.find(begin, end, compared=found.before is not None, linked=link or ())
        try:
            if overrides:
                more["collected"], more["scoreboard"] = helpdesk.labels(most, end if until or period else None)
            else:
                more["scoreboard"] = kept_scoreboard(settings.state_folder, begin, end)
        except StateUnusable as error:
            found = replace(found, remarks=(*found.remarks, f"scoreboard unavailable: {error}"))
    found = replace(found, found={**found.found, **more})
    texts: dict[str, Callable[[], str]] = {
        ".html": lambda: page(found),
        ".md": lambda: markdown(found),
        ".csv": lambda: as_csv([*tables.whole(found)]),
        ".json": lambda: json_text(as_data(found)),
    }
    written = write_out(files, texts)
    if everybody:
        written.append(_mailed(found, everybody))
    else:  # the mail holds them
        screen.notices([*found.remarks, *tables.shortcomings(found)])
    if as_json:
        screen.result("", as_data(found))
    elif not mail:
        if details:
            screen.say(f"{found.title}\n{found.origin}\n")
            show([*tables.tables(found)])
        else:
            screen.say(found.title)
            show(tables.brief(found), most=MOST_LINES - 3)
            screen.say(f"\n{tables.MORE}")
        written[:0] = [""] if written else []
    for line in written:
        screen.say(line)
    return ExitCode.OK


def check_log(settings: Settings) -> None:
    """Raises :class:`ConfigError` where no run has written a log yet."""
    if not log_files(settings.log_dir):
        raise ConfigError(
            *settings.lost,
            f"there is no log in {settings.log_dir.absolute()} yet: runs write it there; log_dir (TICKETBOT_LOG_DIR) "
            "names another folder",
        )


def open_log(settings: Settings, clock: SystemClock, first: float, last: float) -> LogIndex:
    """The index of the log on the days of these moments (Unix seconds). Raises as :class:`LogIndex` does."""
    return LogIndex(
        settings.log_dir,
        clock.now,
        keys=keyring(settings),
        review_tag=settings.policy.tag("review"),
        first_day=iso(max(0.0, first))[:10],
        last_day=iso(last)[:10],
    )


def _mailed(found: Report, everybody: Sequence[Receiver]) -> str:
    """Mail the report, and say so. Raises :class:`CannotRun` if a receiver was not reached."""
    if (replies := found.found["replies"]) is not None:  # a mail has no word of a ticket
        wordless = tuple(each.model_copy(update={"instead": ""}) for each in replies.proposals)
        replies = replies.model_copy(update={"edits": (), "proposals": wordless})
        found = replace(found, found={**found.found, "replies": replies})
    if (themes := found.found["themes"]) is not None:
        unquoted = tuple(each.model_copy(update={"quotes": ()}) for each in themes.themes)
        found = replace(found, found={**found.found, "themes": themes.model_copy(update={"themes": unquoted})})
    host = re.sub(r"[^A-Za-z0-9.-]", "_", f"-{found.account}") if found.account else ""
    name = f"ticketbot-report{host}-{found.since:%Y-%m-%d}.html"
    missed = send(everybody, found.title, mail_body(found), page(found), name)
    if missed:
        raise CannotRun("; ".join(f"the report was not mailed to {receiver.name}: {why}" for receiver, why in missed))
    return f"Mailed to {len(everybody)} address{'es' * (len(everybody) != 1)}"


_MAIL = '<pre style="font-size: 13px">{{ text }}</pre>'


def page(report: Report) -> str:
    """The report as HTML."""
    template = templates(Path(__file__).parent).get_template("report_page.html")
    made = template.render(
        title=report.title,
        intro=report.origin,
        remarks=[_sentence(remark) for remark in (*report.remarks, *tables.shortcomings(report))],
        cards=_cards(report),
        none_known=NONE,
        series=tables.series(report),
        sections=[*tables.tables(report)],
        meanings=Table("What the figures mean", ("<figure", "<<what it is"), tuple(MEANINGS.items())),
    )
    return f"{made}\n"


def _sentence(remark: str) -> str:
    return f"{remark[0].upper()}{remark[1:]}."


def mail_body(report: Report) -> str:
    """The report's tables as HTML that every mail program shows, and that is the same without its tag."""
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
    now = values_of(report.totals, report.latency)
    was = None if report.before is None else values_of(report.before, report.latency_before or Latency())
    return [
        (name, say(now[key]), was and say(was[key]))
        for name in ("tickets", "success rate", "fallback rate", "review rate", "latency p95", "cost")
        for key, say in (FIGURES[name],)
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
    found = [one for one in receivers(settings) if one.kind in MAIL and not one.critical_only]
    if not found:
        raise ConfigError(NOBODY)
    if missing := package_missing():
        raise ConfigError(missing)
    return found


def send(everybody: Sequence[Receiver], title: str, body: str, html: str, name: str) -> list[tuple[Receiver, str]]:
    """Mail ``body`` (HTML; its text goes along), and ``html`` as the attached file ``name``.

    Returns the receivers that it could not reach, each with the reason, which holds no address.
    """

    def mail(service: NotifyBase) -> bool:
        from apprise import Apprise, NotifyFormat

        post = Apprise(service, asset=service.asset)  # which turns the body into what the service takes
        return bool(post.notify(body=body, title=title, body_format=NotifyFormat.HTML, attach=str(attachment)))

    tame_libraries()
    with tempfile.TemporaryDirectory(prefix="ticketbot-", ignore_cleanup_errors=True) as folder:
        attachment = Path(folder) / name
        attachment.write_text(html, encoding="utf-8")
        tried = [(receiver, through(receiver.url, mail)) for receiver in everybody]
    return [(receiver, why) for receiver, why in tried if why is not None]
