"""Chooses the tickets that a run looks at, in order, and moves the cursor.

Tickets that need no work end here, before anything is paid for; see ``select``. Tickets whose time has not come go on
the retry list.

A search index is late, so every listing by search goes back some hours. The state knows the stamp at which each ticket
of these hours was listed and handled. If it is listed again with the same stamp, it is skipped without a request, a
model call or a receipt.
"""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Callable, Collection, Generator, Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from ..core import reasons
from ..core.clock import parse_iso
from ..core.errors import TicketError
from ..core.models import Outcome, OutcomeStatus, Ticket
from ..helpdesk.protocol import Helpdesk, Page, Shard
from ..state.records import Listed, Retry
from ..state.store import CURSOR, State, in_turn
from .select import KNOWN, Selector, Triage, Work, skipped

if TYPE_CHECKING:
    from .context import RunChecks


BATCH = 100
"""Number of tickets that are read at once by their numbers."""
ReadAhead = Callable[[Iterator[Page]], Iterator[Page | None]]
"""Reads pages: ``iter`` reads each when it is needed, ``read_ahead`` before that."""
WebhookTickets = Callable[[], Sequence[int]]
"""Returns the tickets that webhooks have named since the last call."""


@dataclass(frozen=True)
class Wanted:
    """Exactly these tickets are wanted: no page is read. ``at_once``: even if the head start of people is not over.

    ``anew`` is the run that triages them again although they are done. ``from_webhook``: webhooks have named them, so
    they are handled as if a page had listed them.
    """

    tickets: frozenset[int]
    at_once: bool = False
    anew: str | None = None
    from_webhook: bool = False


class Intake:
    """Reads tickets lazily: the retry list first, then page after page, second looks last; at most ``limit``.

    For a ticket without work its outcome is yielded, which the caller records before it asks for the next item.
    ``webhook_tickets`` is called between two tickets, and the tickets that it returns come first, except those of other
    shards. For one thread.

    Pages list tickets created after ``since`` (Unix seconds); ``wanted`` names the only tickets to look at instead.
    ``replies``: also handle customers' answers to our writes. ``second_looks``: also tickets that no model has seen.
    """

    def __init__(
        self,
        desk: Helpdesk,
        state: State,
        triage: Triage,
        gate: RunChecks,
        since: float,
        wanted: Wanted | None = None,
        *,
        replies: bool = False,
        second_looks: bool = False,
        ahead: ReadAhead = iter,
        webhook_tickets: WebhookTickets | None = None,
        shard: Shard | None = None,
    ) -> None:
        self._desk = desk
        self._state = state
        self._gate = gate
        self._since = since
        self._wanted = wanted
        self._looks_again = second_looks
        at_once = wanted.tickets if wanted is not None and wanted.at_once else ()
        self._selector = Selector(desk, state, triage, since, replies=replies, at_once=at_once)
        self._keeps_times = triage.policy.escalation.sla_minutes > 0
        self._ahead = ahead
        self._webhook_tickets = webhook_tickets
        self._shard = shard
        self._ledger = PageLedger(lambda cursor: state.remember(**{CURSOR: cursor}))
        self._listing = SearchWindow(state)
        self.limit: int | None = None
        self._handled = set[int]()
        self._passed = set[int]()
        self._left_over: set[int] = set()
        self._known_to_wait: set[int] = set()
        self._open: set[int] = set()
        self._thinking: set[int] = set()
        self._given = 0
        self.seen = 0
        self.known: Counter[str] = Counter()
        """Number of known tickets that were listed again and need nothing, by reason."""
        self._all_read = False

    @property
    def caught_up(self) -> bool:
        """True if every page was read and every ticket on them is settled."""
        return self._all_read and not self._open

    @property
    def under_way(self) -> tuple[int, bool]:
        """The number of tickets under way, and whether all pages were read. For any thread."""
        return len(self._open), self._all_read

    def __iter__(self) -> Iterator[Work | Outcome | None]:
        """Yield the work or the outcome of each ticket; ``None`` while the next page is fetched."""
        retries = self._state.retries()
        self._selector.learn(retries)
        self._known_to_wait = {item.ticket_id for item in retries if item.reason == reasons.WAITING}
        webhook_tickets = self._webhook_tickets
        if webhook_tickets is None:
            yield from self._planned(retries)
            return
        yield from self._from_webhooks(webhook_tickets())
        for work in self._planned(retries):
            yield from self._from_webhooks(webhook_tickets())
            yield work
        while self._thinking and not self._full():
            yield from self._from_webhooks(webhook_tickets())
            yield None

    def _planned(self, retries: Sequence[Retry]) -> Iterator[Work | Outcome | None]:
        if self._wanted is not None:
            tickets = self._wanted.tickets
            yield from self._from_webhooks(sorted(tickets)) if self._wanted.from_webhook else self._retried(tickets)
            return
        yield from self._retried(item.ticket_id for item in retries if not item.dead)
        if self._full():
            return
        for page in self._ahead(self._desk.pages(self._state.fact(CURSOR), self._since)):
            if page is None:
                yield None
                continue
            is_through = yield from self._on_page(page)
            if self._full():
                self._listing.flush()
                if is_through and page.last:
                    break
                return
        self._all_read = True
        if self._looks_again:
            yield from self._second_looks()

    def understood(self, ticket_ids: Iterable[int]) -> None:
        """Note that these analyses have ended; while others go on, tickets from webhooks are accepted."""
        self._thinking.difference_update(ticket_ids)

    def settled(self, ticket_id: int) -> None:
        """Note that the ticket is settled in this run."""
        self._open.discard(ticket_id)
        self._listing.settled(ticket_id)
        self._ledger.settled(ticket_id)

    def pass_over(self, settled: Collection[int], left: Collection[int] = ()) -> None:
        """Skip these tickets from now on: they were ``settled`` in this run, or ``left`` to the next."""
        for ticket_id in (*settled, *left):
            self._handled.add(ticket_id)
        self._left_over.update(settled)

    def _full(self) -> bool:
        return self.limit is not None and self._given >= self.limit

    # Where tickets come from

    def _from_webhooks(self, ticket_ids: Sequence[int]) -> Iterator[Work | Outcome]:
        """Tickets that webhooks have named, handled as if a page had listed them.

        A ticket with an unfinished write of an earlier run is left to the next run, which settles that write first.
        """
        ours = [number for number in ticket_ids if self._shard is None or self._shard.has(number)]
        free = [number for number in ours if number not in self._handled and self._state.verdict(number) is None]
        for ticket_id, found in self._read(free):
            if isinstance(found, TicketError):
                yield from self._cannot_read(ticket_id, found)
            elif found is None:
                yield skipped(ticket_id, reasons.NOT_FOUND)  # it may be too new for the copy that was read
            else:
                for item in self._look_at(found):
                    yield replace(item, from_webhook=True) if isinstance(item, Work) else item

    def _retried(self, ticket_ids: Iterable[int]) -> Iterator[Work | Outcome]:
        waiting = in_turn(self._state, [ticket_id for ticket_id in ticket_ids if ticket_id not in self._handled])
        for ticket_id, found in self._read(waiting):
            if isinstance(found, TicketError):
                yield from self._cannot_read(ticket_id, found)
            elif found is not None:
                yield from self._look_at(found, retried=True)
            else:
                # A number that a person typed in may be wrong, or too new for the copy that was read.
                gone = reasons.NOT_FOUND if self._wanted is not None and self._wanted.at_once else reasons.DELETED
                yield skipped(ticket_id, gone)
            if self._gate.turn_over(ticket_id):
                self.pass_over((), waiting)
                return

    def _on_page(self, page: Page) -> Generator[Work | Outcome, None, bool]:
        """Yield a page's work; returns false if the limit was reached before its end."""
        self._ledger.open(page)
        for ticket_id, error in page.unread.items():
            yield from self._cannot_read(ticket_id, error)
        new = None if page.since is None else self._listing.new(page.tickets)
        for ticket in page.tickets:
            if ticket.id in self._open:
                self._ledger.begin(ticket.id)
            if new is not None and ticket.id not in new:
                continue
            if self._full():
                if self._selector.reads_answers or not self._state.is_done(ticket.id):
                    return False
                continue  # it needs nothing
            for item in self._look_at(ticket):
                if isinstance(item, Work):
                    self._ledger.begin(ticket.id)
                yield item
            if ticket.id not in self._open:
                self._listing.settled(ticket.id)
        self._ledger.exhausted()
        if page.since is not None and page.last:
            self._listing.ended(page.since)
        return True

    def _second_looks(self) -> Iterator[Work | Outcome]:
        fallbacks = self._state.fallbacks()
        for ticket_id, found in self._read([number for number in fallbacks if number not in self._handled]):
            self._gate.before_ticket()
            if isinstance(found, TicketError):
                yield from self._cannot_read(ticket_id, found)
                continue
            self.seen += 1
            if found is None:
                yield skipped(ticket_id, reasons.DELETED)
            else:
                yield self._taken(self._selector.look_at(found, ours=fallbacks[ticket_id]))

    def _read(self, ticket_ids: Sequence[int]) -> Iterator[tuple[int, Ticket | TicketError | None]]:
        """Read tickets by their numbers, until the limit; ``None`` is one that no longer exists."""
        for start in range(0, len(ticket_ids), BATCH):
            if self._full():
                return
            batch = ticket_ids[start : start + BATCH]
            tickets = self._desk.fetch(batch)
            for ticket_id in batch:
                if self._full():
                    return
                yield ticket_id, tickets.get(ticket_id)

    # One ticket

    def _look_at(self, ticket: Ticket, *, retried: bool = False) -> Iterator[Work | Outcome]:
        self._read_service_times(ticket)
        if ticket.id in self._handled and not self._may_be_answered(ticket.id):
            return
        self._left_over.discard(ticket.id)
        self._gate.before_ticket()
        self.seen += 1
        wanted = self._wanted
        anew = wanted.anew if wanted is not None and ticket.id in wanted.tickets else None
        found = self._selector.look_at(ticket, retried=retried, anew=anew)
        if isinstance(found, Work) or anew:
            yield self._taken(found, for_good=True)
        elif found.reason == reasons.WAITING and ticket.id in self._known_to_wait:
            self._handled.add(ticket.id)  # on the list already, and said so
        elif found.retry or retried or found.reason not in KNOWN:
            yield self._taken(found, for_good=found.reason == reasons.JUDGED)
        elif ticket.id not in self._passed:
            self._passed.add(ticket.id)
            self.known[found.reason] += 1

    def _read_service_times(self, ticket: Ticket) -> None:
        """Keep how the service times of a triaged ticket stand now, if the settings want them."""
        kept = self._state.service_times_of(ticket.id) if self._keeps_times else None
        if kept is not None:
            now = kept.read_again(ticket.service_times, over=ticket.status in ("solved", "closed", "deleted"))
            if now != kept:
                self._state.keep_service_times(ticket.id, now)

    def _taken(self, item: Work | Outcome, *, for_good: bool = False) -> Work | Outcome:
        """Note an item. ``for_good``, or with a retry, the ticket is skipped if it appears again in this run."""
        if isinstance(item, Work):
            number = item.ticket.id
            self._handled.add(number)
            self._open.add(number)
            self._thinking.add(number)
            self._given += 1
        elif for_good or item.retry:
            self._handled.add(item.ticket_id)
        return item

    def _may_be_answered(self, ticket_id: int) -> bool:
        """True if a write that an earlier run left open is made, so that the customer may have answered it."""
        if not self._selector.reads_answers or ticket_id not in self._left_over:
            return False
        return self._state.is_done(ticket_id) and self._state.verdict(ticket_id) is None

    def _cannot_read(self, ticket_id: int, error: TicketError) -> Iterator[Outcome]:
        """Yield the failure of a ticket that cannot be read, unless it is done, given up or dropped."""
        if ticket_id in self._handled or self._selector.given_up(ticket_id):
            return
        if not self._state.is_done(ticket_id):
            self.seen += 1
            self._handled.add(ticket_id)
            failed, reason = OutcomeStatus.FAILED, str(error)
            yield Outcome(ticket_id=ticket_id, status=failed, reason=reason, retry=True, failed_at="ticket")


class PageLedger:
    """Tracks the open tickets of each page, and stores the cursor once all pages up to it are done.

    ``store`` is called with a page's cursor once every ticket of it, and of all pages before it, is settled or on
    the retry list. Use from one thread.
    """

    def __init__(self, store: Callable[[str], None]) -> None:
        self._store = store
        self._pages: deque[_OpenPage] = deque()

    def open(self, page: Page) -> None:
        """Add a page, before its tickets are looked at."""
        self._pages.append(_OpenPage(page.cursor))

    def begin(self, ticket_id: int) -> None:
        """Note that a ticket of the newest page needs work."""
        self._pages[-1].pending.add(ticket_id)

    def exhausted(self) -> None:
        """Note that every ticket of the newest page has been looked at."""
        self._pages[-1].exhausted = True
        self._advance()

    def settled(self, ticket_id: int) -> None:
        """Note that the ticket is settled in this run, on whatever page it was."""
        for page in self._pages:
            page.pending.discard(ticket_id)
        self._advance()

    def _advance(self) -> None:
        while self._pages and self._pages[0].exhausted and not self._pages[0].pending:
            cursor = self._pages.popleft().cursor
            if cursor is not None:
                self._store(cursor)


@dataclass
class _OpenPage:
    cursor: str | None
    pending: set[int] = field(default_factory=set)
    exhausted: bool = False


FLUSH = 100
"""Number of tickets that are stored in one transaction."""


class SearchWindow:
    """Compares a listing by search with those of earlier runs. Use from one thread."""

    def __init__(self, state: State) -> None:
        self._state = state
        self._open: dict[int, Ticket] = {}
        self._kept: list[Listed] = []

    def new(self, tickets: Sequence[Ticket]) -> set[int]:
        """The ids of a page's tickets that no run has handled at their present stamp."""
        known = self._state.listed_stamps([ticket.id for ticket in tickets])
        fresh = [ticket for ticket in tickets if known.get(ticket.id) != ticket.updated_at]
        self._open.update((ticket.id, ticket) for ticket in fresh)
        return {ticket.id for ticket in fresh}

    def settled(self, ticket_id: int) -> None:
        """Note that a ticket of the listing is settled or on the retry list."""
        ticket = self._open.pop(ticket_id, None)
        if ticket is not None:
            self._kept.append(Listed(ticket.id, parse_iso(ticket.created_at), ticket.updated_at))
        if len(self._kept) >= FLUSH or not self._open:
            self.flush()

    def ended(self, since: float) -> None:
        """Finish a listing of tickets created after ``since``; later listings do not go back further."""
        self.flush()
        self._state.forget_listed(since)

    def flush(self) -> None:
        """Store the handled tickets in the state."""
        kept, self._kept = self._kept, []
        if kept:
            self._state.keep_listed(kept)
