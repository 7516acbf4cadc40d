"""Reading what people changed: which of our tickets are solved, and the histories of a sample of them. Reads only."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence

from ..core.clock import Deadline
from ..core.models import Ticket
from ..helpdesk.protocol import Helpdesk
from .history_sample import HistoryReader
from .label_words import Words
from .model import LabelSource
from .override_counts import Overrides, add_up
from .overrides import ENDED, TicketJudgement, Written, judge

LOOKED_AT = 10
"""So many tickets are looked at, at most, for each whose history is to be read: young ones are not solved yet."""

OPEN = "not solved yet"
NOT_OURS = "without a write of ours in its history"
WRITTEN = """
SELECT ticket_id, intent, category, confidence, coalesce(model, analyser), language, run_id FROM lines
WHERE NOT dry_run AND outcome IN ('updated', 'suggested') AND category IS NOT NULL AND ts >= $first AND ts < $end
ORDER BY ts, day, n
"""
"""Asks the log's index for the writes of a period; what only puts back or takes back has no answer behind it."""

Row = tuple[int, str | None, str, float | None, str | None, str | None, str]


def written_tickets(rows: Iterable[Row]) -> tuple[list[Written], set[str]]:
    """The tickets that got a write with an answer behind it, by rows of :data:`WRITTEN`, and the runs that wrote."""
    categories: dict[int, str] = {}
    sources: defaultdict[int, dict[str, LabelSource]] = defaultdict(dict)
    runs: set[str] = set()
    for ticket_id, intent, category, sure, model, language, run_id in rows:
        categories[ticket_id] = category
        runs.add(run_id)
        if intent is not None:
            confidence = None if sure is None else round(sure, 4)  # the index keeps fewer digits
            sources[ticket_id][intent] = LabelSource(confidence, model or "", language or "", run_id)
    return [Written(number, category, sources[number]) for number, category in categories.items()], runs


def read_overrides(
    desk: Helpdesk,
    ordered: Sequence[Written],
    words: Words,
    *,
    sample: int,
    deadline: Deadline,
    advance: Callable[[int], object] = lambda _count: None,
) -> Overrides:
    """What people changed on the first ``sample`` solved tickets of ``ordered``; see :class:`HistoryReader`."""
    reader = HistoryReader(desk, deadline, advance)
    solved = 0

    def passed_over(ticket: Ticket) -> str | None:
        nonlocal solved
        if ticket.status not in ENDED:
            return OPEN
        solved += 1
        return None

    judged: dict[int, TicketJudgement] = {}
    for item, ticket, history in reader.read(ordered[: LOOKED_AT * sample], passed_over):
        judgement = judge(history, words, item, requester=ticket.requester)
        if judgement is None:
            reader.leave(ticket.id, NOT_OURS)
        else:
            judged[ticket.id] = judgement
        if len(judged) >= sample:
            break
    counted = add_up(judged.values())
    return counted.model_copy(
        update={
            "written": len(ordered),
            "looked_at": reader.looked_at,
            "solved": solved,
            "histories": reader.histories,
            "left_out": {**reader.left_out, **counted.left_out},
            "ended_early": reader.ended_early,
        }
    )
