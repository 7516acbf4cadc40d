"""Groups pending corrections for review: the same change of the same field, and whether one account stands behind it.

Nothing is learnt before a person approves it.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Collection, Iterable
from dataclasses import dataclass

from .model import Correction, CorrectionStatus, LearntChange
from .store import DECIDED, LearningStore

MANY = 10
"""Corrections towards one label from which on it matters who made them."""
MOST_OF_ONE = 0.8
"""A larger share of these by one account is one account's opinion, or an attack."""


@dataclass(frozen=True)
class CorrectionGroup:
    """Corrections of a field from ``ours`` (``None``: we abstained) to ``theirs``, and the accounts that made them.

    ``by_one`` is the account that made nearly all of many corrections towards ``theirs``, whatever was there before.
    """

    field: str
    ours: str | None
    theirs: str
    ids: tuple[int, ...]
    tickets: int
    people: tuple[tuple[int | None, int], ...]
    by_one: int | None = None

    @property
    def kept(self) -> bool:
        """Whether people left our label as it was."""
        return self.ours == self.theirs


def correction_groups(corrections: Iterable[Correction]) -> list[CorrectionGroup]:
    """The groups, the largest first, those of kept labels last.

    Within one the ids are in order, and the accounts by how many they made.
    """
    of_change: defaultdict[tuple[str, str | None, str], list[Correction]] = defaultdict(list)
    towards: defaultdict[tuple[str, str], Counter[int | None]] = defaultdict(Counter)
    for item in corrections:
        of_change[item.field, item.ours, item.theirs].append(item)
        if item.ours != item.theirs:
            towards[item.field, item.theirs][item.author] += 1
    groups = [
        CorrectionGroup(
            field,
            ours,
            theirs,
            tuple(sorted(item.id for item in items)),
            len({item.ticket_id for item in items}),
            tuple(Counter(item.author for item in items).most_common()),
            _one_behind(towards[field, theirs]) if ours != theirs else None,
        )
        for (field, ours, theirs), items in of_change.items()
    ]
    return sorted(groups, key=lambda group: (group.kept, -group.tickets, group.field, group.ours or "", group.theirs))


def decide_pending(
    store: LearningStore, ids: Collection[int], status: CorrectionStatus, by: str, at: float
) -> LearntChange | None:
    """Approve or reject those of these corrections that still wait; ``None`` where none does."""
    with store.writing():
        waiting = [item.id for item in store.corrections("pending") if item.id in set(ids)]
        return store.decide(waiting, status, by, at) if waiting else None


def decisions(store: LearningStore, most: int) -> list[LearntChange]:
    """What was decided about corrections and holds, the latest first."""
    found = [item for item in store.changes() if item.what == DECIDED and item.undone_at is None]
    return found[: -most - 1 : -1]


def _one_behind(authors: Counter[int | None]) -> int | None:
    author, most = authors.most_common(1)[0]
    return author if authors.total() >= MANY and most > MOST_OF_ONE * authors.total() else None
