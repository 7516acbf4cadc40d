"""From which score on a solved ticket counts as similar: learnt from the solved tickets themselves."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from ..core.clock import Deadline
from ..knowledge.solved import SolvedTickets
from .scores import wilson_lower

SAMPLE = 300
"""The newest tickets with a category, each of which is looked for among the others."""
AGREEMENT = 0.9
"""Of the nearest tickets above the floor, those of the same category, beyond what chance gives."""


def learnt_floor(tickets: SolvedTickets, deadline: Deadline) -> float | None:
    """The floor; ``None`` where there is none, and nothing is shown. Raises :class:`DeadlineReached`."""
    cases: list[tuple[float, bool]] = []
    counts: Counter[str] = Counter()
    for ticket in tickets.newest(SAMPLE):
        deadline.check()
        counts[ticket.category] += 1
        for near, score in tickets.search(f"{ticket.subject}\n{ticket.question}", limit=1, without=ticket.id):
            cases.append((score, near.category == ticket.category))
    whole = counts.total()
    chance = sum((count / whole) ** 2 for count in counts.values()) if whole else 1.0
    return floor_of(cases, chance)


def floor_of(cases: Sequence[tuple[float, bool]], chance: float) -> float | None:
    """The lowest score from which on so many cases are right, beyond the share that ``chance`` gives.

    What counts is the lower end of the share's interval, for the lowest score is chosen among many.
    """
    floor = None
    right = 0
    least = chance + AGREEMENT * (1 - chance)
    ranked = sorted(cases, key=lambda case: -case[0])
    for at, (score, is_right) in enumerate(ranked, start=1):
        right += is_right
        last_of_score = at == len(ranked) or ranked[at][0] < score
        if last_of_score and wilson_lower(right, at) >= least:
            floor = score
    return floor
