"""The parts of a report that ask the helpdesk: people's changes, and topics without an article. Reads only."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing, contextmanager
from datetime import UTC, datetime, timedelta

from ..analysis.text.outgoing import leaving
from ..audit.files import events
from ..core.clock import Deadline, SystemClock, iso
from ..helpdesk.transport import Transport
from ..reporting.index import LogIndex
from ..reporting.knowledge_gaps import TOPICS, Knowledge, look_up, themes_of, topics_of, wanted
from ..reporting.override_counts import Overrides, in_sample_order
from ..reporting.override_sample import WRITTEN, read_overrides, written_tickets
from ..reporting.overrides import words_of
from ..reporting.report import Report
from ..settings.schema import Settings
from ..wiring.desks import help_center, reading_desk
from ..wiring.parts import keyring, transport_for
from .screen import Screen

MOST_SUMMARIES = 5_000
"""Summaries read of tickets in the fallback category, and as many of others, newest first."""


class HelpdeskPart:
    """Asks the helpdesk of ``settings`` about a report's period, for at most ``within`` seconds per part.

    The answer says what went wrong.
    """

    def __init__(
        self,
        settings: Settings,
        index: LogIndex,
        report: Report,
        *,
        clock: SystemClock,
        screen: Screen,
        within: float,
    ) -> None:
        self._settings = settings
        self._index = index
        self._since = report.since.astimezone(UTC)
        self._until = report.until.astimezone(UTC)
        self._clock = clock
        self._screen = screen
        self._within = within

    def overrides(self, sample: int) -> Overrides:
        """The changes that people made on at most ``sample`` solved tickets of the period."""
        settings = self._settings
        written, runs = written_tickets(self._index.query(WRITTEN, self._limits))
        if not written:
            return Overrides()
        words = words_of(settings.policy, settings.taxonomy, {item.category for item in written})
        deadline = Deadline(self._clock, self._within)
        with self._transport(deadline) as transport:
            with (
                reading_desk(settings, transport) as desk,
                self._screen.progress("reading what people changed", min(sample, len(written))) as advance,
            ):
                found = read_overrides(
                    desk,
                    in_sample_order(written, runs),
                    words,
                    sample=sample,
                    deadline=deadline,
                    advance=advance,
                )
            return found.model_copy(update={"requests": sum(transport.counts.values())})

    def knowledge(self, at_least: int) -> Knowledge:
        """Topics of at least ``at_least`` tickets of the period, and whether the help centre has articles on them."""
        settings, taxonomy = self._settings, self._settings.taxonomy
        rows = self._index.query(TOPICS, self._limits)
        topics = topics_of(rows, taxonomy)
        if sum(tickets for category, _, _, tickets in rows if category == taxonomy.fallback) >= at_least:
            topics += themes_of(*self._summaries(), at_least)
        asked = wanted(topics, at_least)
        if not asked:
            return Knowledge(at_least=at_least)
        deadline = Deadline(self._clock, self._within)
        with self._transport(deadline) as transport:
            with self._screen.progress("searching the knowledge base", len(asked)) as advance:
                found = look_up(
                    asked,
                    taxonomy,
                    help_center(settings, transport),
                    at_least=at_least,
                    deadline=deadline,
                    advance=advance,
                )
            return found.model_copy(update={"requests": sum(transport.counts.values())})

    @property
    def _limits(self) -> dict[str, datetime]:
        return {"first": self._since.replace(tzinfo=None), "end": self._until.replace(tzinfo=None)}

    @property
    def _days(self) -> list[str]:
        """The UTC days of the period, newest first."""
        first, last = self._since.date(), self._until.date()
        return [(last - timedelta(days=back)).isoformat() for back in range((last - first).days + 1)]

    def _summaries(self) -> tuple[list[str], list[str]]:
        """Redacted summaries of tickets without a category of their own, and of others; a ticket's last one counts."""
        own: dict[object, str] = {}
        others: dict[object, str] = {}
        log_dir, fallback = self._settings.log_dir, self._settings.taxonomy.fallback
        keys = keyring(self._settings)
        first, end = (iso(moment.timestamp(), milliseconds=True) for moment in (self._since, self._until))
        for day in self._days:
            today: dict[object, tuple[bool, str]] = {}
            for _, line in events(log_dir, first_day=day, last_day=day, keys=keys):
                analysis = line.get("analysis")
                if line["event"] != "ticket" or line.get("dry_run") or not isinstance(analysis, dict):
                    continue
                if first <= str(line.get("ts")) < end:
                    left = analysis.get("category") == fallback and not analysis.get("subcategory")
                    today[line.get("ticket_id")] = left, leaving(str(analysis.get("summary") or ""))
            for ticket_id, (left, summary) in today.items():
                found = own if left else others
                if len(found) < MOST_SUMMARIES and ticket_id not in own and ticket_id not in others:
                    found[ticket_id] = summary
            if len(own) == len(others) == MOST_SUMMARIES:
                break
        return [*own.values()], [*others.values()]

    @contextmanager
    def _transport(self, deadline: Deadline) -> Iterator[Transport]:
        settings = self._settings
        share = settings.run.limit_share
        transport = transport_for(settings.desk, self._clock, deadline, share=share, read_only=True)
        with closing(transport):
            yield transport
