"""Writes of an earlier run that may still be on their way, as it ended before their jobs did: waited for a while."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from ...core.clock import Clock, Deadline
from ...core.models import Change
from ...core.wording import many
from ...helpdesk.protocol import Helpdesk
from ...state.records import Open

PATIENCE_S = 60.0
"""Longest wait for the jobs of an earlier run."""
POLL_S = 2.0
MISSED_POLLS = 3
"""A job that is so often unknown to the helpdesk in a row has ended long ago."""


@dataclass
class InFlight:
    """Writes that reading a ticket may not show yet, by ticket.

    ``under_way`` are those whose job has not ended; ``arrived`` those that their job calls done, which a read of a copy
    that is behind may not show.
    """

    under_way: dict[int, Change] = field(default_factory=dict)
    arrived: dict[int, Change] = field(default_factory=dict)


def wait_for_jobs(
    desk: Helpdesk, items: Sequence[Open], clock: Clock, deadline: Deadline, tell: Callable[[str], None]
) -> InFlight:
    """Ask the jobs of these writes until they have ended, for :data:`PATIENCE_S` at most; ``tell`` hears of the wait.

    Raises what :meth:`Helpdesk.jobs` and :meth:`Deadline.wait` raise.
    """
    flight = InFlight()
    jobs: dict[str, dict[int, Change]] = {}
    for item in items:
        if item.job is not None and item.sent:
            jobs.setdefault(item.job, {})[item.verdict.ticket_id] = item.sent[-1]
    missed = dict.fromkeys(jobs, 0)
    until = clock.monotonic() + PATIENCE_S
    told = False
    while jobs:
        statuses = desk.jobs(list(jobs))
        for job in list(jobs):
            status = statuses.get(job)
            missed[job] = missed[job] + 1 if status is None else 0
            if status is not None and status.ended:
                done = jobs.pop(job)
                flight.arrived |= {number: done[number] for number in done if status.results.get(number) is True}
            elif missed[job] >= MISSED_POLLS:
                del jobs[job]  # what it has done, reading shows
        if not jobs or clock.monotonic() >= until:
            break
        if not told:
            tell(_sentence(sum(map(len, jobs.values()))))
            told = True
        deadline.wait(POLL_S)
    for changes in jobs.values():
        flight.under_way |= changes
    return flight


def _sentence(tickets: int) -> str:
    what = many(tickets, "ticket")
    return f"what the run sent for {what} is still under way at the helpdesk; waiting up to {PATIENCE_S:.0f} s for it"
