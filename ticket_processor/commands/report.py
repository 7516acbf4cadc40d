"""``ticketbot report``: what was triaged in a period, how well, and at what cost. From the log alone, unless asked."""

from __future__ import annotations

import re
import sys
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from ..audit.files import log_files
from ..core.clock import SystemClock, iso
from ..core.errors import CannotRun, ConfigError, ExitCode
from ..core.models import Risk, Sentiment, Urgency
from ..reporting.export import as_data, csv_text
from ..reporting.index import LogIndex, require_duckdb
from ..reporting.metrics import LogSelection
from ..reporting.report import Goals, Report, gather
from ..reporting.spikes import WEEKS
from ..settings.load import load
from ..settings.schema import Settings
from ..wiring.ticket_subjects import look_up
from . import report_tables, score_tables
from .parse_time import parse_moment
from .report_markdown import markdown
from .screen import Screen, printing

if TYPE_CHECKING:
    from ..audit.encryption import Keyring
    from ..monitoring.receivers import Receiver

LAST_DAYS = 7
STANDARD_OUTPUT = "-"
DAY_S = 86_400.0
PeriodName = Literal["day", "week", "month"]


@dataclass(frozen=True)
class ReportOptions:
    """What was asked for: which period, and what goes where. A ``csv`` of ``-`` is standard output.

    ``overrides`` and ``gaps`` ask the helpdesk, within ``seconds`` each.
    """

    since: str | None = None
    until: str | None = None
    period: PeriodName | None = None
    csv: str | None = None
    html: Path | None = None
    mail: bool = False
    overrides: bool = False
    sample: int = 200
    gaps: bool = False
    gap_tickets: int = 5
    seconds: float = 300.0
    markdown: bool = False
    output: Path | None = None
    subjects: bool = False
    urgencies: tuple[str, ...] = ()
    sentiments: tuple[str, ...] = ()
    risks: tuple[str, ...] = ()


def report(clock: SystemClock, wishes: ReportOptions, *, config: Path | None, as_json: bool) -> int:
    """``ticketbot report``. Returns the exit code."""
    if as_json and wishes.csv == STANDARD_OUTPUT:
        raise ConfigError("--json and --csv - both want standard output: name a file for one of them")
    if wishes.output is not None and not wishes.markdown:
        raise ConfigError("--output names the file of --markdown; --html and --csv name their own")
    if wishes.subjects and wishes.mail:
        raise ConfigError("--mail sends no word of a ticket, so it goes without --subjects")
    to_print = wishes.markdown and wishes.output is None
    if to_print and (as_json or wishes.csv == STANDARD_OUTPUT):
        raise ConfigError("--markdown prints to standard output, as the other option does: add --output FILE")
    _check_labels(wishes)
    since, until = period_of(wishes, clock.now())
    _check_places(wishes)
    require_duckdb()
    settings = load(config=config, need_helpdesk=wishes.overrides or wishes.gaps or wishes.subjects)
    if wishes.html is not None or wishes.mail:
        from ..evaluation.report import require_plots

        require_plots()
    everybody: list[Receiver] = []
    if wishes.mail:
        from .report_mail import mail_receivers

        everybody = mail_receivers(settings.alerts)
    check_log(settings)
    screen = Screen(quiet=False, as_json=as_json or to_print or wishes.csv == STANDARD_OUTPUT)
    found = _gathered(settings, clock, since, until, wishes, screen)
    written = _write(found, wishes)
    if everybody:
        written.append(_mailed(found, everybody))
    else:  # the mail says it
        screen.notices([*found.remarks, *report_tables.shortcomings(found)])
    if as_json:
        screen.result("", as_data(found))
    elif to_print:
        with printing():
            sys.stdout.write(markdown(found))
            sys.stdout.flush()
    elif wishes.csv != STANDARD_OUTPUT and not (wishes.mail or wishes.markdown):
        screen.say(f"{found.title}\n{found.origin}\n")
        score_tables.show([*report_tables.tables(found)])
        written[:0] = [""] if written else []
    for line in written:
        screen.say(line)
    return int(ExitCode.OK)


def period_of(wishes: ReportOptions, now: float) -> tuple[float, float]:
    """From when to when, in Unix seconds. Raises :class:`ConfigError`."""
    if wishes.period is not None:
        if wishes.since is not None or wishes.until is not None:
            raise ConfigError("--period is a whole day, week or month: it goes without --since and --until")
        first, last = _whole(wishes.period, datetime.fromtimestamp(now, UTC).date())
        return _midnight(first), _midnight(last)
    until = now if wishes.until is None else parse_moment(wishes.until, now, "--until")
    since = until - LAST_DAYS * DAY_S if wishes.since is None else max(0.0, parse_moment(wishes.since, now))
    if since >= until:
        raise ConfigError("--since must lie before --until")
    return since, until


def _whole(period: PeriodName, today: date) -> tuple[date, date]:
    """The last whole day, week (from Monday) or month before today; the second is the day after it."""
    if period == "day":
        return today - timedelta(days=1), today
    if period == "week":
        monday = today - timedelta(days=today.weekday())
        return monday - timedelta(days=7), monday
    first = today.replace(day=1)
    return (first - timedelta(days=1)).replace(day=1), first


def _midnight(day: date) -> float:
    return datetime(day.year, day.month, day.day, tzinfo=UTC).timestamp()


def _check_labels(wishes: ReportOptions) -> None:
    """Raises :class:`ConfigError` for a label that no ticket can have."""
    asked: tuple[tuple[str, type[StrEnum], tuple[str, ...]], ...] = (
        ("--urgency", Urgency, wishes.urgencies),
        ("--sentiment", Sentiment, wishes.sentiments),
        ("--risk", Risk, wishes.risks),
    )
    problems = [
        f"{option} {label}: must be one of {', '.join(known)}"
        for option, known, labels in asked
        for label in labels
        if label not in list(known)
    ]
    if problems:
        raise ConfigError(*problems)


def _check_places(wishes: ReportOptions) -> None:
    """Before anything is worked out: files go into folders that are there. A folder made unasked hides a typing error.

    Raises :class:`ConfigError`.
    """
    files = {
        "--html": wishes.html,
        "--output": wishes.output,
        "--csv": Path(wishes.csv) if wishes.csv not in (None, STANDARD_OUTPUT) else None,
    }
    problems = []
    for option, file in files.items():
        if file is None:
            continue
        if file.is_dir():
            problems.append(f"{option} {file}: this is a folder; name a file in it")
        elif not file.parent.is_dir():
            problems.append(f"{option} {file}: there is no folder {file.parent}; make it, or put the name right")
    if problems:
        raise ConfigError(*problems)


def check_log(settings: Settings) -> None:
    """Raises :class:`ConfigError` where no run has written a log yet."""
    if not log_files(settings.log_dir):
        raise ConfigError(
            *settings.lost,
            f"there is no log in {settings.log_dir.absolute()} yet: runs write it there; log_dir (TICKETBOT_LOG_DIR) "
            "names another folder",
        )


def _gathered(
    settings: Settings, clock: SystemClock, since: float, until: float, wishes: ReportOptions, screen: Screen
) -> Report:
    with ExitStack() as stack:
        with screen.progress("reading the log"):
            index = stack.enter_context(
                LogIndex(
                    settings.log_dir,
                    clock.now,
                    keys=_keys(settings),
                    review_tag=settings.policy.tag("review"),
                    first_day=_day(_first_needed(since, until)),
                    last_day=_day(until),
                )
            )
            slo = settings.slo
            found = gather(
                index,
                since,
                until,
                Goals(slo.success, slo.latency_s, slo.latency_share),
                account=settings.account,
                only=LogSelection(urgencies=wishes.urgencies, sentiments=wishes.sentiments, risks=wishes.risks),
                url_of=settings.zendesk.ticket_url,
            )
        if wishes.subjects:
            found = _with_subjects(found, settings, clock)
        return _with_the_helpdesk(found, settings, index, clock, wishes, screen)


def _with_subjects(found: Report, settings: Settings, clock: SystemClock) -> Report:
    """The report with the redacted subjects of the tickets that it lists, as the helpdesk has them now."""
    tickets, why = look_up(settings, clock, [one.ticket_id for one in found.escalated])
    known = [
        replace(one, subject=tickets[one.ticket_id].subject) if one.ticket_id in tickets else one
        for one in found.escalated
    ]
    return replace(found, escalated=known, remarks=(*found.remarks, why) if why else found.remarks)


def _with_the_helpdesk(
    found: Report, settings: Settings, index: LogIndex, clock: SystemClock, wishes: ReportOptions, screen: Screen
) -> Report:
    """The report with what only the helpdesk knows, as far as that was asked for."""
    if not (wishes.overrides or wishes.gaps):
        return found
    from .report_helpdesk import Period, knowledge, people

    period = Period(found.since.timestamp(), found.until.timestamp())
    if wishes.overrides:
        read = people(settings, index, period, clock=clock, screen=screen, sample=wishes.sample, seconds=wishes.seconds)
        found = replace(found, overrides=read)
    if wishes.gaps:
        looked_up = knowledge(
            settings, index, period, clock=clock, screen=screen, at_least=wishes.gap_tickets, seconds=wishes.seconds
        )
        found = replace(found, knowledge=looked_up)
    return found


def _keys(settings: Settings) -> Keyring | None:
    if not settings.audit.encryption_keys:
        return None  # a log in the clear is quicker to report on without all that a run needs
    from ..wiring.parts import keyring

    return keyring(settings)


def _first_needed(since: float, until: float) -> float:
    """The period before, and the weeks that tell what is usual."""
    length = until - since
    weeks = -(-length // (7 * DAY_S))
    return since - max(length, WEEKS * weeks * 7 * DAY_S)


def _day(moment: float) -> str:
    return iso(max(0.0, moment))[:10]


def _write(found: Report, wishes: ReportOptions) -> list[str]:
    """Write what is to be written, and say where."""
    lines = []
    if wishes.csv == STANDARD_OUTPUT:
        with printing():
            sys.stdout.write(csv_text(found))
            sys.stdout.flush()
    elif wishes.csv is not None:
        from ..evaluation.report import write_text

        write_text(Path(wishes.csv), csv_text(found))
        lines.append(f"CSV: {wishes.csv}")
    if wishes.output is not None:
        from ..evaluation.report import write_text

        write_text(wishes.output, markdown(found))
        lines.append(f"Markdown: {wishes.output}")
    if wishes.html is not None:
        from ..evaluation.report import write_text
        from .report_page import page

        write_text(wishes.html, page(found))
        lines.append(f"Report: {wishes.html}")
    return lines


def _mailed(found: Report, everybody: Sequence[Receiver]) -> str:
    """Raises :class:`CannotRun` when it did not reach everybody."""
    from .report_mail import send
    from .report_page import mail_body, page

    host = re.sub(r"[^A-Za-z0-9.-]", "_", f"-{found.account}") if found.account else ""
    name = f"ticketbot-report{host}-{found.since:%Y-%m-%d}.html"
    missed = send(everybody, found.title, mail_body(found), page(found), name)
    if missed:
        raise CannotRun("; ".join(f"the report was not mailed to {receiver.name}: {why}" for receiver, why in missed))
    return f"Mailed to {len(everybody)} address{'es' * (len(everybody) != 1)}"
