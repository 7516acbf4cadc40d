"""Solved tickets and what people chose on them, for ``backtest`` and ``train``. The helpdesk is only read."""

from __future__ import annotations

from contextlib import closing

from ..core.clock import Deadline, SystemClock
from ..evaluation.solved import OURS, CategoryFrom, Solved, solved_examples
from ..learning.scoreboard import decided_by_people
from ..settings.schema import Settings
from ..wiring.desks import desk_for
from ..wiring.parts import transport_for
from .screen import Screen

READ_DEADLINE_S = 3600.0


def read_solved(
    settings: Settings,
    clock: SystemClock,
    screen: Screen,
    since: float,
    *,
    limit: int | None,
    include_ours: bool,
    category_from: CategoryFrom | None = None,
    with_decided: bool = False,
) -> Solved:
    """The newest solved tickets since ``since``. The transport refuses writes, so that not even a bug could write.

    With ``with_decided`` also those that ticketbot triaged and whose category people kept or changed, as collected.
    """
    deadline = Deadline(clock, READ_DEADLINE_S)
    share = settings.run.limit_share
    with (
        closing(transport_for(settings.desk, clock, deadline, share=share, read_only=True)) as transport,
        screen.progress("reading solved tickets") as advance,
    ):
        return solved_examples(
            desk_for(settings, transport),
            settings.taxonomy,
            settings.policy,
            since=since,
            limit=limit,
            category_from=category_from or CategoryFrom(),
            include_ours=include_ours,
            decided=decided_by_people(settings.state_folder) if with_decided else (),
            advance=advance,
        )


def hint(solved: Solved) -> str:
    """The end of the sentence on having found nothing: the option that would have found something, if there is one."""
    return "; --include-ours counts those that ticketbot triaged" if solved.left_out.get(OURS) else ""
