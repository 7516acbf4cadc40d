"""The parts of a report that ask the helpdesk: what people changed, and topics without an article. Reads only."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from ..analysis.text.outgoing import leaving
from ..audit.files import events
from ..core.clock import Deadline, SystemClock, iso
from ..helpdesk.transport import Transport
from ..helpdesk.zendesk_articles import HelpCenter
from ..reporting.index import LogIndex
from ..reporting.knowledge_gaps import TOPICS, Knowledge, look_up, themes_of, topics_of, wanted
from ..reporting.override_counts import Overrides, in_sample_order
from ..reporting.override_sample import WRITTEN, read_overrides, written_tickets
from ..reporting.overrides import words_of
from ..settings.schema import Settings
from ..wiring.parts import keyring, transport_for
from ..zendesk import Zendesk
from .screen import Screen

MOST_SUMMARIES = 5_000
"""Of tickets without a category of their own, and as many of others, the newest: enough to see what is frequent."""


@dataclass(frozen=True)
class Period:
    """From ``since``, which is included, to ``until``, which is not; Unix seconds."""

    since: float
    until: float

    @property
    def limits(self) -> dict[str, datetime]:
        """As the log's index wants them."""
        return {
            name: datetime.fromtimestamp(moment, UTC).replace(tzinfo=None)
            for name, moment in (("first", self.since), ("end", self.until))
        }

    @property
    def days(self) -> list[str]:
        """The UTC days that it touches, newest first."""
        first, last = (datetime.fromtimestamp(moment, UTC).date() for moment in (self.since, self.until))
        return [(last - timedelta(days=back)).isoformat() for back in range((last - first).days + 1)]


def people(
    settings: Settings,
    index: LogIndex,
    period: Period,
    *,
    clock: SystemClock,
    screen: Screen,
    sample: int,
    seconds: float,
) -> Overrides:
    """What people changed on at most ``sample`` solved tickets of the period, read within so many ``seconds``.

    ``settings`` name a helpdesk. What goes wrong there is told in the result.
    """
    written, runs = written_tickets(index.query(WRITTEN, period.limits))
    if not written:
        return Overrides()
    words = words_of(settings.policy, settings.taxonomy, {item.category for item in written})
    deadline = Deadline(clock, seconds)
    with _transport(settings, clock, deadline) as transport:
        with screen.progress("reading what people changed", min(sample, len(written))) as advance:
            found = read_overrides(
                Zendesk(transport, source=settings.zendesk.source),
                in_sample_order(written, runs),
                words,
                sample=sample,
                deadline=deadline,
                advance=advance,
            )
        return found.model_copy(update={"requests": sum(transport.counts.values())})


def knowledge(
    settings: Settings,
    index: LogIndex,
    period: Period,
    *,
    clock: SystemClock,
    screen: Screen,
    at_least: int,
    seconds: float,
) -> Knowledge:
    """Topics that at least so many tickets of the period are about, and whether the help centre has articles on them.

    ``settings`` name a helpdesk. What goes wrong there is told in the result.
    """
    taxonomy = settings.taxonomy
    rows = index.query(TOPICS, period.limits)
    topics = topics_of(rows, taxonomy)
    if sum(tickets for category, _, _, tickets in rows if category == taxonomy.fallback) >= at_least:
        topics += themes_of(*_summaries(settings, period), at_least)
    asked = wanted(topics, at_least)
    if not asked:
        return Knowledge(at_least=at_least)
    deadline = Deadline(clock, seconds)
    with _transport(settings, clock, deadline) as transport:
        with screen.progress("searching the Help Center", len(asked)) as advance:
            found = look_up(
                asked, taxonomy, HelpCenter(transport), at_least=at_least, deadline=deadline, advance=advance
            )
        return found.model_copy(update={"requests": sum(transport.counts.values())})


def _summaries(settings: Settings, period: Period) -> tuple[list[str], list[str]]:
    """Redacted summaries of tickets without a category of their own, and of others; a ticket's last one counts."""
    own: dict[object, str] = {}
    others: dict[object, str] = {}
    keys = keyring(settings)
    first, end = (iso(moment, milliseconds=True) for moment in (period.since, period.until))
    for day in period.days:
        today: dict[object, tuple[bool, str]] = {}
        for _, line in events(settings.log_dir, first_day=day, last_day=day, keys=keys):
            analysis = line.get("analysis")
            if line["event"] != "ticket" or line.get("dry_run") or not isinstance(analysis, dict):
                continue
            if first <= str(line.get("ts")) < end:
                left = analysis.get("category") == settings.taxonomy.fallback and not analysis.get("subcategory")
                today[line.get("ticket_id")] = left, leaving(str(analysis.get("summary") or ""))
        for ticket_id, (left, summary) in today.items():
            found = own if left else others
            if len(found) < MOST_SUMMARIES and ticket_id not in own and ticket_id not in others:
                found[ticket_id] = summary
        if len(own) == len(others) == MOST_SUMMARIES:
            break
    return [*own.values()], [*others.values()]


@contextmanager
def _transport(settings: Settings, clock: SystemClock, deadline: Deadline) -> Iterator[Transport]:
    transport = transport_for(settings.zendesk, clock, deadline, share=settings.run.limit_share, read_only=True)
    try:
        yield transport
    finally:
        transport.close()
