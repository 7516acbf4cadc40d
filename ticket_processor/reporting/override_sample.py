"""Reading what people changed: which of our tickets are solved, and the histories of a sample of them. Reads only.

A request for each hundred tickets whose status is read, and one for each history.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Sequence

from ..core.clock import Deadline, why_ended
from ..core.errors import CannotRun, DeadlineReached, TicketError
from ..core.models import Ticket
from ..evaluation.solved import MERGED_TAG
from ..helpdesk.protocol import Helpdesk
from .override_counts import Overrides, add_up
from .overrides import TicketJudgement, Words, Written, judge

AT_ONCE = 100
LOOKED_AT = 10
"""So many tickets are looked at, at most, for each whose history is to be read: young ones are not solved yet."""

REFUSED_AT_FIRST = 3
"""When the first histories cannot be read, none can."""

GONE = "deleted since"
OPEN = "not solved yet"
MERGED = "merged into another"
UNREADABLE = "whose history cannot be read"
NOT_OURS = "without a write of ours in its history"
WRITTEN = """
SELECT ticket_id, intent, category, confidence, run_id FROM lines
WHERE NOT dry_run AND outcome IN ('updated', 'suggested') AND category IS NOT NULL AND ts >= $first AND ts < $end
ORDER BY ts, day, n
"""
"""Asks the log's index for the writes of a period; what only puts back or takes back has no answer behind it."""

Row = tuple[int, str | None, str, float | None, str]


def written_tickets(rows: Iterable[Row]) -> tuple[list[Written], set[str]]:
    """The tickets that got a write with an answer behind it, by rows of :data:`WRITTEN`, and the runs that wrote."""
    categories: dict[int, str] = {}
    confidence: defaultdict[int, dict[str, float]] = defaultdict(dict)
    runs: set[str] = set()
    for ticket_id, intent, category, sure, run_id in rows:
        categories[ticket_id] = category
        runs.add(run_id)
        if intent is not None and sure is not None:
            confidence[ticket_id][intent] = round(sure, 4)  # the index keeps fewer digits
    return [Written(number, category, confidence[number]) for number, category in categories.items()], runs


def read_overrides(
    desk: Helpdesk,
    ordered: Sequence[Written],
    words: Words,
    *,
    sample: int,
    deadline: Deadline,
    advance: Callable[[int], object] = lambda _count: None,
) -> Overrides:
    """What people changed on the first ``sample`` solved tickets of ``ordered``.

    Never raises for a helpdesk that gives no answer, forbids it, or takes too long: ``ended_early`` says so, and the
    numbers are those of what was read. ``advance`` is told of each history. Raises :class:`Stopping`.
    """
    reader = _Reader(desk, words, sample, deadline, advance)
    ended: str | None = None
    try:
        for start in range(0, min(len(ordered), LOOKED_AT * sample), AT_ONCE):
            if len(reader.read) >= sample:
                break
            reader.take(ordered[start : start + AT_ONCE])
    except _Unreadable as error:
        ended = f"histories of tickets cannot be read: {error}"
    except (CannotRun, DeadlineReached) as error:
        ended = why_ended(error, deadline)
    counted = add_up(reader.read.values())
    return counted.model_copy(
        update={
            "written": len(ordered),
            "looked_at": reader.looked_at,
            "solved": reader.solved,
            "histories": reader.histories,
            "left_out": {**reader.left_out, **counted.left_out},
            "ended_early": ended,
        }
    )


class _Unreadable(Exception):
    pass


class _Reader:
    """Reads tickets and histories, and counts what it passes over."""

    def __init__(
        self, desk: Helpdesk, words: Words, sample: int, deadline: Deadline, advance: Callable[[int], object]
    ) -> None:
        self._desk = desk
        self._words = words
        self._sample = sample
        self._deadline = deadline
        self._advance = advance
        self.read: dict[int, TicketJudgement] = {}
        self.left_out: Counter[str] = Counter()
        self.looked_at = self.solved = self.histories = 0

    def take(self, part: Sequence[Written]) -> None:
        """Look at these, until there are enough."""
        self._deadline.check()
        found = self._desk.fetch([item.ticket_id for item in part])
        for item in part:
            if len(self.read) >= self._sample:
                return
            self.looked_at += 1
            if item.ticket_id in found.unread:
                self.left_out[UNREADABLE] += 1
                continue
            ticket = found.get(item.ticket_id)
            if ticket is None or ticket.status not in ("solved", "closed"):
                self.left_out[GONE if ticket is None else OPEN] += 1
                continue
            self.solved += 1
            if MERGED_TAG in ticket.tags:
                self.left_out[MERGED] += 1
                continue
            self._history(item, ticket)

    def _history(self, item: Written, ticket: Ticket) -> None:
        self._deadline.check()
        try:
            history = self._desk.history(ticket.id)
        except TicketError as error:
            self.left_out[UNREADABLE] += 1
            if not self.histories and self.left_out[UNREADABLE] >= REFUSED_AT_FIRST:
                raise _Unreadable(str(error)) from error
            return
        self.histories += 1
        self._advance(1)
        judgement = judge(history, self._words, item, requester=ticket.requester)
        if judgement is None:
            self.left_out[NOT_OURS] += 1
        else:
            self.read[ticket.id] = judgement
