"""How often labels were changed in the last four weeks, and in the eight before: sums, from the learning store."""

from __future__ import annotations

from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

from .store import FILE_NAME, LearningStore

DAY_S = 86_400.0
RECENT_S, BEFORE_S = 28 * DAY_S, 56 * DAY_S


@dataclass(frozen=True)
class LabelTrend:
    """One label of a ticket's part: how many of ours were ``written`` and are settled, and what became of them.

    ``judged`` are those that people kept, changed or removed, ``changed`` the last two; ``reverted`` by rules.
    """

    part: str
    label: str
    written: int
    judged: int
    changed: int
    reverted: int
    judged_before: int
    changed_before: int


def label_trends(state_folder: Path, now: float) -> tuple[LabelTrend, ...]:
    """The trends of all labels of the last four weeks. The store is there. Raises :class:`StateUnusable`."""
    query = """
        WITH ours AS (
            SELECT field, label, settled_at>=? AS recent, fate='reverted_by_rule' AS reverted,
                   fate IN ('changed', 'removed') AND actor_kind<>'unknown' AS changed, fate='kept' AS kept
            FROM reaction WHERE settled_at>=? AND settled_at<=? AND fate<>'added'
        )
        SELECT field, label, sum(recent), sum(recent AND (kept OR changed)), sum(recent AND changed),
               sum(recent AND reverted), sum(NOT recent AND (kept OR changed)), sum(NOT recent AND changed)
        FROM ours GROUP BY field, label HAVING sum(recent)>0 ORDER BY field, label
    """
    with closing(LearningStore(state_folder / FILE_NAME)) as store:
        rows = store.rows(query, (now - RECENT_S, now - RECENT_S - BEFORE_S, now))
    return tuple(LabelTrend(*row) for row in rows)
