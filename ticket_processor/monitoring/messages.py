"""The texts of alerts, written for a person who has just been woken up, and of the daily summary. Pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Literal

from ..analysis.text.outgoing import told as leaves
from ..core.clock import iso
from ..core.run_summary import RunRecord
from ..core.text import linkless
from ..reporting.glossary import end_words
from .memory import EscalatedTicket, OpenAlert, Owed
from .rules import RULES, Severity, rule_id, title_of_rule
from .run_metrics import DAY, TRIAGE, in_a_row, in_words, metrics_of

MOST_LISTED = 50
_LONGEST = 400


@dataclass(frozen=True)
class AlertMessage:
    """A message to a receiver. ``key`` names its condition, and is the same for the begin and the end.

    ``severity`` is ``None`` for a message that is no alert.
    ``about`` is what the memory notes once it has arrived: a condition's news, or the day of a summary.
    """

    title: str
    body: str
    severity: Severity | None = None
    key: str = ""
    what: Literal["begun", "over", "summary", "escalated", "test"] = "begun"
    about: Owed | str | None = None

    def __post_init__(self) -> None:
        """Remove secrets from every text."""
        for name in ("title", "body"):
            object.__setattr__(self, name, leaves(getattr(self, name)))

    @property
    def line(self) -> str:
        """The title and the first sentence, for services that show no more."""
        return f"{self.title}: {self.body.partition(chr(10))[0]}"


def title_of(mark: str, what: str, account: str) -> str:
    """The title of a message: how bad, what, and where."""
    return f"[{mark}] {what} (ticketbot, {account})"


def message_of(news: Owed, account: str, machine: str) -> AlertMessage:
    """The message about a condition. ``account`` names the desk, ``machine`` where the commands are to be typed."""
    rule = rule_id(news.rule)
    title = title_of("over" if news.until else news.severity.value, linkless(title_of_rule(news.rule)), account)
    sentence, since = _sentence(news.message), _moment(news.since)
    if news.until is not None:
        body = [f"It began at {since} and was over at {_moment(news.until)}.", f"It was: {sentence}"]
    else:
        body = [
            sentence,
            f"Since: {since}",
            f"Machine: {linkless(machine)}",
            f"What to do: {RULES[rule].advice}",
            f"More: '{rule}' in docs/alerts.md",
        ]
    return AlertMessage(
        title=title,
        body="\n".join(body),
        severity=news.severity,
        key=f"ticketbot/{account}/{news.rule}",
        what=news.what,
        about=news,
    )


def escalation_of(tickets: Sequence[EscalatedTicket], account: str, url_of: Callable[[int], str]) -> AlertMessage:
    """One message for all escalated tickets: numbers, reasons and addresses, and no customer's word."""
    count = len(tickets)
    lines = [
        f"#{one.ticket_id}: {', '.join(one.reasons).replace('_', ' ')}  {url_of(one.ticket_id)}".rstrip()
        for one in tickets[:MOST_LISTED]
    ]
    if rest := count - len(lines):
        lines.append(f"and {rest} more")
    lines.append("'ticketbot report --escalated' lists what is still open.")
    what = f"{count} ticket{'s' * (count != 1)} escalated"
    return AlertMessage(title_of("escalated", what, account), "\n".join(lines), Severity.WARNING, "", "escalated")


def _sentence(message: str) -> str:
    line = linkless(leaves(message))
    line = line if len(line) <= _LONGEST else f"{line[: _LONGEST - 1]}…"
    return f"{line[:1].upper()}{line[1:].rstrip('.')}."


def _moment(timestamp: float) -> str:
    return iso(timestamp)[:16].replace("T", " ") + " UTC"


def summary_due(now: float, daily_at: str, last_sent: str | None) -> str | None:
    """The day (UTC) whose summary is due, or ``None``; ``last_sent`` is the day of the last summary sent."""
    moment = datetime.fromtimestamp(now, UTC)
    if not daily_at or moment.strftime("%H:%M") < daily_at:
        return None
    yesterday = (moment - timedelta(days=1)).strftime("%Y-%m-%d")
    return None if last_sent is not None and last_sent >= yesterday else yesterday


def summary_text(
    day: str, records: Sequence[RunRecord], open_conditions: Mapping[str, OpenAlert], log_head: str | None
) -> str | None:
    """The summary of the runs that began on that day (UTC) and handled tickets; ``None`` without any."""
    midnight = datetime.fromisoformat(day).replace(tzinfo=UTC).timestamp()
    that_day = [record for record in records if midnight <= record.started < midnight + DAY]
    runs = [record for record in that_day if record.kind in TRIAGE]
    if not runs:
        return None
    stops = Counter(end_words(run.summary.stopped_by) for run in runs if run.summary.stopped_by)
    sources = sum((Counter(run.summary.sources) for run in runs), Counter[str]())
    last = that_day[-1].summary
    lines = [
        f"{day}, UTC: {len(runs)} run{'s' * (len(runs) != 1)}" + (f", ended early: {in_a_row(stops)}" if stops else ""),
        *in_words(metrics_of(runs)),
        f"answers: {in_a_row(sources)}" if sources else "",
        f"waiting for a later run: {last.retry_list}, left alone after too many failures: {last.dead_letters}",
        f"open alerts: {', '.join(sorted(open_conditions)) or 'none'}",
        f"log head: {log_head}" if log_head else "",
    ]
    return "\n".join(line for line in lines if line)
