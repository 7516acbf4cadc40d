"""Which tickets a run looks at, in order, and how far the cursor may move.

Skipping happens here, before anything is paid for: done, closed, older than asked for, machine mail, or a person
was faster.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from .clock import parse_iso
from .errors import TicketError
from .helpdesk import Helpdesk, Page
from .machine_mail import machine_mail
from .models import Outcome, OutcomeStatus, Ticket
from .second_look import JUDGED, STAGE
from .state import State
from .tags import write_key
from .writeback import ALREADY_DONE, BATCH, no_longer_new


@dataclass(frozen=True)
class Work:
    """A ticket that needs understanding, with the key of the write it will get.

    ``replaces`` are the tags that an earlier write of ours put on it, when it gets a second look. ``is_new`` is false
    for what an earlier run has seen.
    """

    ticket: Ticket
    key: str
    replaces: tuple[str, ...] = ()
    is_new: bool = True


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

    ``again`` are tickets for a second look, with our tags on them; they come last, if ``still_ours`` says that nobody
    has judged them. ``skipped`` receives an outcome for every ticket that needs no work; ``go_on`` is asked before
    each ticket and may raise to end the intake.
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
        marked: Callable[[Ticket], bool],
        may_hold_our_write: Callable[[Ticket, str | None], bool],
        skipped: Callable[[Outcome], None],
        go_on: Callable[[], None],
        again: Mapping[int, tuple[str, ...]] | None = None,
        still_ours: Callable[[Ticket, Sequence[str]], bool] = lambda _ticket, _tags: True,
    ) -> None:
        self._desk = desk
        self._state = state
        self._ledger = ledger
        self._cursor = cursor
        self._since = since
        self._statuses = frozenset(statuses)
        self._marked = marked
        self._may_hold_our_write = may_hold_our_write
        self._skipped = skipped
        self._go_on = go_on
        self._again = dict(again or {})
        self._still_ours = still_ours
        self.limit: int | None = None
        self._handled: set[int] = set()
        self._open: set[int] = set()
        self._given = 0
        self.seen = 0

    def __iter__(self) -> Iterator[Work]:
        retries = self._state.retries()
        dead = {item.ticket_id for item in retries if item.dead}
        waiting = [item.ticket_id for item in retries if not item.dead and item.ticket_id not in self._handled]
        if self._full():
            return
        tickets = self._desk.fetch(waiting) if waiting else {}
        for ticket_id in waiting:
            if ticket_id not in tickets:
                self._skipped(Outcome(ticket_id=ticket_id, status=OutcomeStatus.SKIPPED, reason="deleted"))
                continue
            yield from self._look_at(tickets[ticket_id], dead, retried=True)
            if self._full():
                return
        for page in self._desk.pages(self._cursor, self._since):
            self._ledger.open(page)
            for ticket in page.tickets:
                if ticket.id in self._open:
                    self._ledger.begin(ticket.id)
                for work in self._look_at(ticket, dead):
                    self._ledger.begin(ticket.id)
                    yield work
                if self._full():
                    return
            self._ledger.exhausted()
        yield from self._second_looks()

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
                ticket = tickets.get(ticket_id)
                reason = "deleted" if ticket is None else self._reason_for_peace(ticket)
                if ticket is None or reason is not None:
                    self._skipped(Outcome(ticket_id=ticket_id, status=OutcomeStatus.SKIPPED, reason=reason or ""))
                    continue
                self._handled.add(ticket_id)
                self._open.add(ticket_id)
                self._given += 1
                yield Work(ticket, write_key(ticket, STAGE), self._again[ticket_id], is_new=False)

    def _reason_for_peace(self, ticket: Ticket) -> str | None:
        """Why a ticket needs no second look; ``None`` when it may get one."""
        if (reason := no_longer_new(ticket.status, self._statuses)) is not None:
            return reason
        return None if self._still_ours(ticket, self._again[ticket.id]) else JUDGED

    def settled(self, ticket_id: int) -> None:
        """The ticket has its end in this run."""
        self._open.discard(ticket_id)
        self._ledger.settled(ticket_id)

    def already_handled(self, ticket_id: int) -> None:
        """The ticket was settled in this run before the intake began."""
        self._handled.add(ticket_id)

    def _full(self) -> bool:
        return self.limit is not None and self._given >= self.limit

    def _look_at(self, ticket: Ticket, dead: set[int], *, retried: bool = False) -> Iterator[Work]:
        if ticket.id in self._handled:
            return
        self._go_on()
        self.seen += 1
        key = write_key(ticket)
        try:
            reason = self._reason_to_skip(ticket, key, dead, retried=retried)
        except TicketError as error:
            self._skipped(Outcome(ticket_id=ticket.id, status=OutcomeStatus.FAILED, reason=str(error), retry=True))
            return
        if reason is not None:
            if retried or reason not in _KNOWN:
                self._skipped(Outcome(ticket_id=ticket.id, status=OutcomeStatus.SKIPPED, reason=reason))
            return
        self._handled.add(ticket.id)
        self._open.add(ticket.id)
        self._given += 1
        yield Work(ticket, key, is_new=not retried)

    def _reason_to_skip(self, ticket: Ticket, key: str, dead: set[int], *, retried: bool) -> str | None:
        if self._marked(ticket) or self._state.is_done(ticket.id):
            return ALREADY_DONE
        if ticket.id in dead:
            return "dead_letter"
        if not retried and parse_iso(ticket.created_at) < self._since:
            return "older_than_since"
        if (reason := no_longer_new(ticket.status, self._statuses)) is not None:
            return reason
        machine = machine_mail(ticket)
        if machine is not None:
            return f"machine_mail_{machine}"
        if self._may_hold_our_write(ticket, None) and self._desk.find_write(ticket.id, key) is not None:
            return ALREADY_DONE
        return None


_KNOWN = (ALREADY_DONE, "dead_letter", "older_than_since")
"""Seen again each time anybody changes them, with nothing new to say: no line each time."""
