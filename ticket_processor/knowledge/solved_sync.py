"""Collects solved tickets that an agent answered: redacted first thing, few requests, on from where it ended.

A ticket that is reopened, deleted or too old is forgotten; one that has changed is read again.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import islice
from typing import Protocol

from ..analysis.text.cleaning import clean
from ..analysis.text.redact import redact
from ..core.clock import Deadline, parse_iso
from ..core.errors import CannotRun, TicketError
from ..core.models import RedactionLevel, Ticket
from ..helpdesk.agent_replies import AgentReplies, AgentReply
from ..helpdesk.protocol import Page
from .solved import CURSOR, FLOOR_IS_OLD, LEVEL, UNTIL, SolvedTicket, SolvedTickets
from .store import KnowledgeStore

DAY_S = 86_400.0
FIRST_DAYS = 30
"""How far the first sync looks back."""
MOST_READ = 200
"""Tickets whose replies a sync reads: a request each."""
AT_ONCE = 20
OVERLAP_S = 3_600.0
LONGEST_SUBJECT, LONGEST_TEXT = 200, 1_000
ENDED = ("solved", "closed")


class ChangedTickets(Protocol):
    """A helpdesk that lists its tickets by last change."""

    def pages(self, cursor: str | None, since: float) -> Iterator[Page]:
        """See :meth:`Helpdesk.pages`."""


@dataclass
class Collected:
    """How many tickets can be found anew, or no longer. ``unfinished``: there are more than a sync reads."""

    kept: int = 0
    removed: int = 0
    unfinished: bool = False


def collect(
    store: KnowledgeStore,
    desk: ChangedTickets,
    replies: AgentReplies,
    collected: Collected,
    *,
    now: float,
    days: int,
    deadline: Deadline,
    level: RedactionLevel,
    label: Callable[[Ticket], str | None],
    advance: Callable[[int], None] = lambda _count: None,
) -> None:
    """Read what was solved since the last time; ``collected`` says at any time what it has done.

    ``label`` gives a ticket's category, empty where it has none, and ``None`` for a ticket that is no example.
    All is read anew where it was redacted at another ``level``.
    Raises :class:`CannotRun` and :class:`DeadlineReached`; what was kept until then stays.
    """
    tickets = SolvedTickets(store)
    if (store.fact(LEVEL) or RedactionLevel.STANDARD) != level:
        collected.removed += tickets.forget_all()
        store.set_fact(LEVEL, level)
    oldest, before = now - days * DAY_S, store.fact(UNTIL)
    collected.removed += tickets.forget_before(oldest)
    first = now - min(days, FIRST_DAYS) * DAY_S
    collected.removed += tickets.remove(replies.gone_since(first if before is None else float(before) - OVERLAP_S))
    stamps = dict(tickets.stamps())
    left = MOST_READ
    for page in desk.pages(store.fact(CURSOR), first):
        if page.since is not None:
            raise CannotRun("similar solved tickets need Zendesk's incremental export, which only admins may use")
        ended = [ticket for ticket in page.tickets if ticket.status in ENDED and parse_iso(ticket.updated_at) >= oldest]
        collected.removed += tickets.remove({ticket.id for ticket in page.tickets} - {ticket.id for ticket in ended})
        fresh = (ticket for ticket in ended if stamps.get(ticket.id, "-") not in ("", ticket.updated_at))
        wanted = [(ticket, category) for ticket in fresh if (category := label(ticket)) is not None]
        chosen = iter(wanted[:left])
        while some := list(islice(chosen, AT_ONCE)):
            read = []
            for ticket, category in some:
                deadline.check()
                read.append(_without_people(ticket, category, _replies_to(ticket, replies), level))
                advance(1)
            tickets.put(read)
            collected.kept += sum(bool(one.reply) for one in read)
        if len(wanted) > left:
            collected.unfinished = True
            break
        left -= len(wanted)
        if page.cursor is not None:
            store.set_fact(CURSOR, page.cursor)
    else:
        store.set_fact(UNTIL, str(now))
    if collected.kept or collected.removed:
        store.set_fact(FLOOR_IS_OLD, "1")


def _replies_to(ticket: Ticket, replies: AgentReplies) -> tuple[AgentReply, ...]:
    try:
        return replies.of(ticket.id)
    except TicketError:  # the others go on; it comes again when it changes
        return ()


def _without_people(
    ticket: Ticket, category: str, replies: tuple[AgentReply, ...], level: RedactionLevel
) -> SolvedTicket:
    """The ticket with the longest reply, of several the last; without one, nothing but that it was looked at."""
    names = tuple(dict.fromkeys((*ticket.names, *(reply.author for reply in replies if reply.author))))

    def fit(subject: str, text: str, limit: int = LONGEST_TEXT) -> str:
        redacted = redact(clean(subject, text), names=names, level=level).text
        return redacted if len(redacted) <= limit else redacted[:limit].rsplit(" ", 1)[0]

    answer = max((fit("", reply.text) for reply in reversed(replies)), key=len, default="")
    return SolvedTicket(
        id=ticket.id,
        subject=fit(ticket.subject, "", LONGEST_SUBJECT) if answer else "",
        question=fit("", ticket.description) if answer else "",
        reply=answer,
        category=category if answer else "",
        solved_at=parse_iso(ticket.updated_at),
        stamp=ticket.updated_at,
    )
