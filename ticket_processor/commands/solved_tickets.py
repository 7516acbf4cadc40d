"""Solved tickets and what people chose on them, for ``eval`` and ``train``. The helpdesk is only read."""

from __future__ import annotations

from contextlib import closing

from ..core.clock import Deadline, SystemClock, iso
from ..core.errors import ConfigError
from ..evaluation.solved import OURS, CategoryFrom, Solved, how_it_was_decided, solved_examples
from ..learning.scoreboard import decided_by_people
from ..settings.schema import Settings
from ..wiring.desks import desk_for
from ..wiring.parts import transport_for
from .parse_time import parse_since
from .screen import Screen

READ_DEADLINE_S = 3600.0


def labelled_by_people(
    settings: Settings,
    clock: SystemClock,
    screen: Screen,
    since: str,
    *,
    limit: int,
    include_ours: bool,
    category_from: CategoryFrom | None = None,
) -> tuple[Solved, list[str]]:
    """The newest solved tickets that carry a label, and sentences on how the labels were found, which are also said.

    Raises :class:`ConfigError` when there are none.
    """
    moment = parse_since(since, clock.now())
    solved = read_solved(
        settings, clock, screen, moment, limit=limit, include_ours=include_ours, category_from=category_from
    )
    decided = how_it_was_decided(solved, iso(moment)[:10], include_ours=include_ours)
    if not solved.examples:
        told = " ".join(decided[:1] + decided[2:-1]).rstrip(".")
        hint = "; --include-ours counts those that ticketbot triaged" if solved.left_out.get(OURS) else ""
        raise ConfigError(f"no solved ticket carries a label: {told}{hint}")
    for line in decided:
        screen.say(line)
    return solved, decided


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
