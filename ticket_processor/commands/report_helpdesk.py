"""The parts of a report beyond counting: people's changes and replies, and topics without an answer. Reads only."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from contextlib import closing, contextmanager
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any

from ..analysis.text.outgoing import leaving
from ..audit.files import events
from ..core.clock import Deadline, SystemClock, iso
from ..helpdesk.transport import Transport
from ..learning.collect import CollectedLabels
from ..learning.history_sample import in_sample_order
from ..learning.scoreboard import Scoreboard, scoreboard_of
from ..learning.store import FILE_NAME, LearningStore
from ..reporting.figures import LogSelection
from ..reporting.index import LogIndex
from ..reporting.kept_replies import keep, kept
from ..reporting.knowledge_gaps import TOPICS, Knowledge, look_up, themes_of, topics_of, wanted
from ..reporting.offers import offers, sent_replies, tickets_about
from ..reporting.reply_counts import Replies
from ..reporting.reply_sample import LoggedNote, read_replies, to_read, with_totals
from ..reporting.report import Report
from ..reporting.unanswered import unanswered_themes, unanswered_topics, with_unanswered
from ..settings.schema import Settings
from ..wiring.desks import help_center, reading_desk, requesters_of
from ..wiring.knowledge import article_titles
from ..wiring.learning import collect
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

    def labels(self, most: int, until: float | None) -> tuple[CollectedLabels, Scoreboard | None]:
        """What people made of labels in the period, with ``most`` more of its settled tickets read; keeps nothing.

        ``until`` is the period's end, and ``None`` where that is now: a label may be settled by this very reading.
        Raises :class:`StateUnusable`.
        """
        settings, now = self._settings, self._clock.now()
        first, deadline = self._since.timestamp(), Deadline(self._clock, self._within)
        with (
            closing(LearningStore(settings.state_folder / FILE_NAME, read_only=True)) as store,
            self._transport(deadline) as transport,
            reading_desk(settings, transport) as desk,
            self._screen.progress("reading what people changed") as advance,
        ):
            done, _ = collect(settings, desk, transport, store, deadline, now, since=first, most=most, advance=advance)
            return done, scoreboard_of(store, first, until)

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

    def replies(self, sample: int) -> Replies:
        """What people made of drafts, articles and public replies on at most ``sample`` tickets of the period."""
        settings, index, now = self._settings, self._index, self._clock.now()
        offered, sent = offers(index, self._selection), sent_replies(index, self._selection)
        runs = {item.run_id for item in offered} | {item.run_id for item in sent}
        asked = in_sample_order(to_read(offered, sent, now), runs)[:sample]
        found = Replies()
        if asked:
            notes = self._notes({item.ticket_id for item in asked if item.offer is not None})
            deadline = Deadline(self._clock, self._within)
            with self._transport(deadline) as transport:
                with (
                    reading_desk(settings, transport) as desk,
                    self._screen.progress("reading what people replied", len(asked)) as advance,
                ):
                    found = read_replies(
                        desk,
                        requesters_of(settings, transport),
                        asked,
                        notes,
                        partial(tickets_about, index),
                        now=now,
                        deadline=deadline,
                        advance=advance,
                    )
                found = found.model_copy(update={"requests": sum(transport.counts.values())})
        titles = article_titles(settings, [count.label for count in found.articles])
        found = with_totals(found, offered, sent, now).model_copy(
            update={
                "made": iso(now),
                "since": iso(self._since.timestamp()),
                "until": iso(self._until.timestamp()),
                "edited": tuple(
                    one.model_copy(update={"url": settings.ticket_url(one.ticket_id)}) for one in found.edited
                ),
                "articles": tuple(
                    count.model_copy(update={"title": titles.get(count.label, "")}) for count in found.articles
                ),
            }
        )
        if (trouble := keep(settings.state_folder, found)) is not None:
            self._screen.notices([trouble])
        return found

    def with_unanswered(self, found: Knowledge | None, at_least: int, replies: Replies | None) -> Knowledge:
        """Topics whose notes mostly brought no answer, beside those that the help centre was searched for.

        Without ``replies`` the last ones read say which offers people ignored.
        """
        settings = self._settings
        offered = offers(self._index, self._selection)
        replies = replies or kept(settings.state_folder)
        ignored = frozenset(replies.ignored) if replies else frozenset[int]()
        topics = unanswered_topics(offered, ignored, at_least=at_least, fallback=settings.taxonomy.fallback)
        if any(offer.unanswered or offer.ticket_id in ignored for offer in offered):
            texts = self._texts({offer.ticket_id for offer in offered})
            topics += unanswered_themes(offered, ignored, texts, at_least=at_least)
        titles = article_titles(settings, [article for item in topics for article in item.near])
        named = [
            item.model_copy(update={"near": tuple(titles.get(article, article) for article in item.near)})
            for item in topics
        ]
        return with_unanswered(found or Knowledge(at_least=at_least), named)

    def _notes(self, tickets: Collection[int]) -> dict[int, LoggedNote]:
        """The last notes of these tickets that offered something."""
        found: dict[int, LoggedNote] = {}
        for line in self._lines():
            change = line.get("change")
            if line.get("ticket_id") not in tickets or not isinstance(change, dict):
                continue
            offered, text = change.get("offered"), change.get("note")
            if isinstance(offered, dict) and isinstance(text, str):
                found[line["ticket_id"]] = LoggedNote(text, str(offered.get("draft")), str(change.get("key")))
        return found

    def _texts(self, tickets: Collection[int]) -> dict[int, str]:
        """The last redacted summaries of these tickets."""
        found: dict[int, str] = {}
        for line in self._lines():
            analysis = line.get("analysis")
            if line.get("ticket_id") in tickets and isinstance(analysis, dict):
                found[line["ticket_id"]] = leaving(str(analysis.get("summary") or ""))
        return found

    def _lines(self) -> Iterator[dict[str, Any]]:
        """The period's lines about tickets, oldest first."""
        first, end = (iso(moment.timestamp(), milliseconds=True) for moment in (self._since, self._until))
        keys = keyring(self._settings)
        for _, line in events(self._settings.log_dir, first_day=first[:10], last_day=end[:10], keys=keys):
            if line["event"] == "ticket" and not line.get("dry_run") and first <= str(line.get("ts")) < end:
                yield line

    @property
    def _selection(self) -> LogSelection:
        return LogSelection(since=self._since.timestamp(), until=self._until.timestamp())

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
