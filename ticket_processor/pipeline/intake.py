"""Which tickets a run looks at, in order, and how far the cursor may move.

Skipping happens here, before anything is paid for: done, closed, older than asked for, a person was faster, or what
``skip_rules`` leaves to people. What only waits for its time goes on the retry list.
"""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache, partial

from ..core.clock import parse_iso
from ..core.errors import RequestSkipped, TicketError
from ..core.id_set import IdSet
from ..core.models import Outcome, OutcomeStatus, Request, TakenOff, Ticket
from ..helpdesk.protocol import Helpdesk, Page
from ..helpdesk.ticket_history import History
from ..policy.reanalysis import JUDGED, STAGE, CustomerReply, with_answers
from ..policy.skip_rules import WAITING, Selection, SkipRules
from ..state.store import DROPPED, State, in_turn
from ..tags import earlier_key, write_key
from .search_window import SearchWindow
from .write_planner import ALREADY_DONE, MARKED_BY_OTHERS, is_marked, no_longer_new

BATCH = 100
"""Tickets that are read at once, of those that are read by their numbers."""

NOT_FOUND = "not_found"
"""A ticket that somebody asked for by its number is not there."""
ReadAhead = Callable[[Iterator[Page]], Iterator[Page | None]]
"""What pages are read through: ``iter`` reads each when it is needed, ``prefetch`` before that."""


@dataclass(frozen=True)
class Work:
    """A ticket that needs understanding, with the key of the write it will get (``earlier_key``: as it once was).

    ``replaces`` are the tags that an earlier write of ours put on it, when it gets a second look, is a ``reply``, or
    somebody asked for it ``anew``. ``is_new`` is false for what an earlier run has seen. ``taken_off`` is what people
    had taken off, where that is known.
    """

    ticket: Ticket
    key: str
    replaces: tuple[str, ...] = ()
    is_new: bool = True
    reply: bool = False
    anew: bool = False
    earlier_key: str = ""
    taken_off: TakenOff | None = None


@dataclass(frozen=True)
class Wanted:
    """Exactly these tickets: no page is read. ``at_once``: although their head start is not over.

    ``anew`` makes work of a ticket and its record whether it is done or not.
    """

    tickets: frozenset[int]
    at_once: bool = False
    anew: Callable[[Ticket, History], Work] | None = None


class PageLedger:
    """Pages in order, each with the tickets still open; tells when the cursor behind a page is earned.

    ``store`` is called with a page's cursor once every ticket of it, and of all pages before it, is settled or on
    the retry list. Use from one thread.
    """

    def __init__(self, store: Callable[[str], None]) -> None:
        self._store = store
        self._pages: deque[_OpenPage] = deque()

    def open(self, page: Page) -> None:
        """A page whose tickets are about to be looked at."""
        self._pages.append(_OpenPage(page.cursor))

    def begin(self, ticket_id: int) -> None:
        """A ticket of the newest page needs work."""
        self._pages[-1].pending.add(ticket_id)

    def exhausted(self) -> None:
        """Every ticket of the newest page has been looked at."""
        self._pages[-1].exhausted = True
        self._advance()

    def settled(self, ticket_id: int) -> None:
        """The ticket has its end in this run, wherever it appeared."""
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


class Intake:
    """Pulls tickets lazily: first the retry list, then page after page, ``limit`` of them at most.

    ``wanted`` are the tickets that it is all about, where these were named. What somebody took off the retry list is
    passed over.
    ``again`` are tickets for a second look, with our tags on them; they come last, if ``still_ours`` says that nobody
    has judged them. ``selection`` says which tickets are left to people, and for how long. ``skipped`` receives an
    outcome for every ticket that needs no work; ``go_on`` is asked before each ticket and may raise to end the intake.
    ``reply_to`` finds what a customer has said since our write, where that is to be triaged again. Where
    ``turn_over`` says so, behind a ticket of the retry list, the rest of that list is left to the next run.
    """

    def __init__(
        self,
        desk: Helpdesk,
        state: State,
        ledger: PageLedger,
        *,
        cursor: str | None,
        since: float,
        statuses: Sequence[str],
        marker: str,
        may_hold_our_write: Callable[[Ticket, str | None], bool],
        skipped: Callable[[Outcome], None],
        go_on: Callable[[], None],
        selection: Selection | None = None,
        wanted: Wanted | None = None,
        reply_to: Callable[[Ticket, History], CustomerReply | None] | None = None,
        again: Mapping[int, tuple[str, ...]] | None = None,
        still_ours: Callable[[Ticket, Sequence[str]], bool] = lambda _ticket, _tags: True,
        ahead: ReadAhead = iter,
        turn_over: Callable[[int], bool] = lambda _ticket_id: False,
    ) -> None:
        self._desk = desk
        self._state = state
        self._ledger = ledger
        self._cursor = cursor
        self._since = since
        self._statuses = frozenset(statuses)
        self._marker = marker
        self._may_hold_our_write = may_hold_our_write
        self._skipped = skipped
        self._go_on = go_on
        self._selection = selection or Selection(SkipRules())
        self._wanted = wanted
        self._anew = wanted.anew if wanted is not None else None
        self._reply_to = reply_to
        self._again = dict(again or {})
        self._still_ours = still_ours
        self._ahead = ahead
        self._turn_over = turn_over
        self._listing = SearchWindow(state)
        self.limit: int | None = None
        self._handled = IdSet()
        self._passed = IdSet()
        self._left_over: set[int] = set()
        self._dropped: frozenset[int] = frozenset()
        self._known_to_wait: set[int] = set()
        self._open: set[int] = set()
        self._given = 0
        self.seen = 0
        self.known: Counter[str] = Counter()
        """Tickets that came by again and need nothing, by the reason for it."""
        self.caught_up = False
        """Every page that there was has been looked at."""

    @property
    def index_late_s(self) -> float | None:
        """See :attr:`SearchWindow.late_s`."""
        return self._listing.late_s

    def __iter__(self) -> Iterator[Work | None]:
        """What is to be done; ``None`` where the next page is still on its way."""
        retries = self._state.retries()
        dead = {item.ticket_id for item in retries if item.dead}
        self._known_to_wait = {item.ticket_id for item in retries if item.reason == WAITING}
        self._dropped = self._state.dropped()
        waiting = [item.ticket_id for item in retries if not item.dead and item.ticket_id not in self._handled]
        if self._wanted is not None:
            waiting = [ticket_id for ticket_id in self._wanted.tickets if ticket_id not in self._handled]
        yield from self._retried(in_turn(self._state, waiting), dead)
        if self._full() or self._wanted is not None:
            return
        for page in self._ahead(self._desk.pages(self._cursor, self._since)):
            if page is None:
                yield None
                continue
            self._ledger.open(page)
            for ticket_id, error in page.unread.items():
                self._cannot_read(ticket_id, error, dead)
            new = None if page.since is None else self._listing.new(page.tickets)
            for ticket in page.tickets:
                if ticket.id in self._open:
                    self._ledger.begin(ticket.id)
                if new is not None and ticket.id not in new:
                    continue
                for work in self._look_at(ticket, dead):
                    self._ledger.begin(ticket.id)
                    yield work
                if ticket.id not in self._open:
                    self._listing.settled(ticket.id)
                if self._full():
                    self._listing.flush()
                    return
            self._ledger.exhausted()
            if page.since is not None and page.last:
                self._listing.ended(page.since)
        self.caught_up = True
        yield from self._second_looks()

    def _retried(self, waiting: Sequence[int], dead: set[int]) -> Iterator[Work]:
        for start in range(0, len(waiting), BATCH):
            if self._full():
                return
            batch = waiting[start : start + BATCH]
            tickets = self._desk.fetch(batch)
            for ticket_id in batch:
                if self._full():
                    return
                if (error := tickets.unread.get(ticket_id)) is not None:
                    self._cannot_read(ticket_id, error, dead)
                elif ticket_id in tickets:
                    yield from self._look_at(tickets[ticket_id], dead, retried=True)
                else:
                    # A number that somebody typed in may be wrong, or too new for the copy that was read.
                    gone = NOT_FOUND if self._wanted is not None and self._wanted.at_once else "deleted"
                    self._skipped(Outcome(ticket_id=ticket_id, status=OutcomeStatus.SKIPPED, reason=gone))
                if self._turn_over(ticket_id):
                    return self.leave_to_later(waiting)
        return None

    def _second_looks(self) -> Iterator[Work]:
        waiting = [ticket_id for ticket_id in self._again if ticket_id not in self._handled]
        for start in range(0, len(waiting), BATCH):
            batch = waiting[start : start + BATCH]
            tickets = self._desk.fetch(batch)
            for ticket_id in batch:
                if self._full():
                    return
                self._go_on()
                self.seen += 1
                if (why := tickets.unread.get(ticket_id)) is not None:
                    self._cannot_read(ticket_id, why, set())
                    continue
                ticket = tickets.get(ticket_id)
                reason = "deleted" if ticket is None else self._why_leave_alone(ticket)
                if ticket is None or reason is not None:
                    self._skipped(Outcome(ticket_id=ticket_id, status=OutcomeStatus.SKIPPED, reason=reason or ""))
                    continue
                try:
                    heard = ticket if self._reply_to is None else with_answers(ticket, self._desk.history(ticket_id))
                except TicketError as error:
                    self._no_record(ticket_id, error)
                    continue
                self._handled.add(ticket_id)
                self._open.add(ticket_id)
                self._given += 1
                yield Work(
                    heard,
                    write_key(ticket, STAGE),
                    self._again[ticket_id],
                    is_new=False,
                    earlier_key=earlier_key(ticket, STAGE),
                )

    def _why_leave_alone(self, ticket: Ticket) -> str | None:
        """Why a ticket needs no second look; ``None`` when it may get one."""
        if (reason := no_longer_new(ticket.status, self._statuses)) is not None:
            return reason
        if (reason := self._selection.rules.reason(ticket)) is not None:
            return reason
        return None if self._still_ours(ticket, self._again[ticket.id]) else JUDGED

    def settled(self, ticket_id: int) -> None:
        """The ticket has its end in this run."""
        self._open.discard(ticket_id)
        self._listing.settled(ticket_id)
        self._ledger.settled(ticket_id)

    def already_handled(self, ticket_id: int) -> None:
        """The ticket was settled in this run before the intake began."""
        self._handled.add(ticket_id)
        self._left_over.add(ticket_id)

    def leave_to_later(self, ticket_ids: Iterable[int]) -> None:
        """The state keeps these tickets for the next run, so this one passes over them wherever they appear."""
        for ticket_id in ticket_ids:
            self._handled.add(ticket_id)

    def _full(self) -> bool:
        return self.limit is not None and self._given >= self.limit

    def _look_at(self, ticket: Ticket, dead: set[int], *, retried: bool = False) -> Iterator[Work]:
        if ticket.id in self._handled and not self._may_be_answered(ticket.id):
            return
        self._left_over.discard(ticket.id)
        self._go_on()
        self.seen += 1
        key = write_key(ticket)
        history = cache(partial(self._desk.history, ticket.id))
        if self._anew is not None:
            yield from self._once_more(ticket, dead, self._anew)
            return
        try:
            reason = self._reason_to_skip(ticket, key, dead, history, retried=retried)
            reply = self._answer(ticket, dead, history) if reason == ALREADY_DONE else None
        except TicketError as error:
            self._no_record(ticket.id, error)
            return
        if reason == WAITING:
            if ticket.id in self._known_to_wait:
                self._handled.add(ticket.id)  # on the list already, and said so
            else:
                self._keep_for_later(ticket.id, OutcomeStatus.SKIPPED, reason)
            return
        if reply is not None and reply.judged:
            self._handled.add(ticket.id)
            self._skipped(Outcome(ticket_id=ticket.id, status=OutcomeStatus.SKIPPED, reason=JUDGED, key=reply.key))
            return
        if reply is None and reason is not None:
            if retried or reason not in _KNOWN:
                self._skipped(Outcome(ticket_id=ticket.id, status=OutcomeStatus.SKIPPED, reason=reason, key=key))
            elif ticket.id not in self._passed:
                self._passed.add(ticket.id)
                self.known[reason] += 1
            return
        self._handled.add(ticket.id)
        self._open.add(ticket.id)
        self._given += 1
        if reply is None:
            # Whoever had to look for our write knows this as well.
            taken_off = history().taken_off(ticket) if self._may_hold_our_write(ticket, None) else None
            yield Work(ticket, key, is_new=not retried, taken_off=taken_off)
        else:
            yield Work(reply.ticket, reply.key, reply.ours, is_new=False, reply=True, earlier_key=reply.earlier_key)

    def _once_more(self, ticket: Ticket, dead: set[int], anew: Callable[[Ticket, History], Work]) -> Iterator[Work]:
        """Work for a ticket that somebody asked to be triaged anew, whatever was written on it."""
        self._handled.add(ticket.id)
        if (reason := self._left_alone(ticket, dead, retried=True)) is not None:
            self._skipped(Outcome(ticket_id=ticket.id, status=OutcomeStatus.SKIPPED, reason=reason))
            return
        try:
            history = self._desk.history(ticket.id)
        except TicketError as error:
            self._no_record(ticket.id, error)
            return
        if history.judged(ticket.tags):
            self._skipped(Outcome(ticket_id=ticket.id, status=OutcomeStatus.SKIPPED, reason=JUDGED))
            return
        work = anew(ticket, history)
        self._open.add(ticket.id)
        self._given += 1
        yield work

    def _may_be_answered(self, ticket_id: int) -> bool:
        """Whether what earlier runs had left open is written, so that the customer may have answered it since."""
        if self._reply_to is None or ticket_id not in self._left_over:
            return False
        return self._state.is_done(ticket_id) and self._state.verdict(ticket_id) is None

    def _answer(self, ticket: Ticket, dead: set[int], history: Callable[[], History]) -> CustomerReply | None:
        """What the customer has said since a ticket was done; ``None`` when it may stay as it is."""
        if self._reply_to is None or ticket.id in dead or ticket.id in self._dropped:
            return None
        if no_longer_new(ticket.status, self._statuses) or self._selection.reason(ticket) is not None:
            return None
        reply = self._reply_to(ticket, history())
        return None if reply is None or self._state.last_key(ticket.id) == reply.key else reply

    def _no_record(self, ticket_id: int, error: TicketError) -> None:
        if isinstance(error, RequestSkipped):
            self._keep_for_later(ticket_id, OutcomeStatus.SKIPPED, str(error))
        else:
            self._keep_for_later(ticket_id, OutcomeStatus.FAILED, str(error), "audits")

    def _cannot_read(self, ticket_id: int, error: TicketError, dead: set[int]) -> None:
        """A ticket that makes no sense as the helpdesk shows it; done, given up or dropped ones need none."""
        if ticket_id in self._handled or ticket_id in dead or ticket_id in self._dropped:
            return
        if not self._state.is_done(ticket_id):
            self.seen += 1
            self._keep_for_later(ticket_id, OutcomeStatus.FAILED, str(error), "ticket")

    def _marked(self, ticket: Ticket) -> bool:
        """See :func:`is_marked`."""
        return is_marked(ticket, self._marker)

    def _keep_for_later(
        self, ticket_id: int, status: OutcomeStatus, reason: str, failed_at: Request | None = None
    ) -> None:
        """On the retry list with it, and that is all for this run, wherever else the ticket appears."""
        self._handled.add(ticket_id)
        self._skipped(Outcome(ticket_id=ticket_id, status=status, reason=reason, retry=True, failed_at=failed_at))

    def _reason_to_skip(
        self, ticket: Ticket, key: str, dead: set[int], history: Callable[[], History], *, retried: bool
    ) -> str | None:
        if self._state.is_done(ticket.id):
            return ALREADY_DONE
        marked = self._marked(ticket)
        if (reason := self._left_alone(ticket, dead, retried=retried)) is not None:
            return ALREADY_DONE if marked and reason not in (*_KNOWN, WAITING) else reason
        if not marked and not self._may_hold_our_write(ticket, None):
            return None
        if (triaged := history().triaged(key)) is not None:
            # An earlier installation has done it, or this one before it lost its state.
            self._state.remember_done(ticket.id, triaged.intent.rpartition("-")[0], triaged.key)
            return ALREADY_DONE
        return MARKED_BY_OTHERS if marked and not history().born_with(self._marker) else None

    def _left_alone(self, ticket: Ticket, dead: set[int], *, retried: bool) -> str | None:
        """Why a ticket is left alone that may not be done; from what is known of it without asking."""
        if ticket.id in dead:
            return "dead_letter"
        if ticket.id in self._dropped:
            return DROPPED
        if not retried and parse_iso(ticket.created_at) < self._since:
            return "older_than_since"
        if (reason := no_longer_new(ticket.status, self._statuses)) is not None:
            return reason
        if (reason := self._selection.reason(ticket)) is not None:
            return reason
        at_once = self._wanted is not None and self._wanted.at_once
        return WAITING if self._selection.must_wait(ticket) and not at_once else None


_KNOWN = (ALREADY_DONE, "dead_letter", DROPPED, "older_than_since")
"""Seen again each time anybody changes them, with nothing new to say: no line each time."""
