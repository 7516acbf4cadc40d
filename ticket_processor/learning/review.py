"""Groups pending corrections for review: the same change of the same field, and whether one account stands behind it.

Nothing is learnt before a person approves it. Without a person corrections expire only, with their category.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Collection, Iterable
from dataclasses import dataclass

from ..core.taxonomy import Taxonomy
from ..core.wording import many
from .model import CATEGORIES, Correction, CorrectionStatus, LearntChange
from .store import DECIDED, LearningStore

TAXONOMY = "the taxonomy"
"""What lets corrections expire whose category it no longer has."""
MANY, AHEAD = 10, 2
"""An account with so many corrections towards a label, and more than twice those of any other, pushes it: that is one
account's opinion, or an attack."""


@dataclass(frozen=True)
class CorrectionGroup:
    """Corrections of a field from ``ours`` (``None``: we abstained) to ``theirs``, and the accounts that made them.

    ``pushed`` are those of ``by_one``, an account that pushes ``theirs``, whatever was there before.
    """

    field: str
    ours: str | None
    theirs: str
    ids: tuple[int, ...]
    tickets: int
    people: tuple[tuple[int | None, int], ...]
    by_one: int | None = None
    pushed: tuple[int, ...] = ()

    @property
    def kept(self) -> bool:
        """Whether people left our label as it was."""
        return self.ours == self.theirs


def correction_groups(corrections: Iterable[Correction]) -> list[CorrectionGroup]:
    """The groups, the largest first, those of kept labels last.

    Within one the ids are in order, and the accounts by how many they made.
    """
    of_change: defaultdict[tuple[str, str | None, str], list[Correction]] = defaultdict(list)
    for item in corrections:
        of_change[item.field, item.ours, item.theirs].append(item)
    by_one = _pushers(item for items in of_change.values() for item in items)
    groups = []
    for (field, ours, theirs), items in of_change.items():
        pusher = None if ours == theirs else by_one.get((field, theirs))
        pushed = [item.id for item in items if pusher is not None and item.author == pusher]
        groups.append(
            CorrectionGroup(
                field,
                ours,
                theirs,
                tuple(sorted(item.id for item in items)),
                len({item.ticket_id for item in items}),
                tuple(Counter(item.author for item in items).most_common()),
                pusher if pushed else None,
                tuple(sorted(pushed)),
            )
        )
    return sorted(groups, key=lambda group: (group.kept, -group.tickets, group.field, group.ours or "", group.theirs))


def decide_pending(
    store: LearningStore, ids: Collection[int], status: CorrectionStatus, by: str, at: float
) -> LearntChange | None:
    """Approve or reject those of these corrections and kept labels that still wait; ``None`` where none does."""
    wanted = frozenset(ids)
    with store.writing():
        waiting = [item.id for item in store.corrections("pending", kept=True) if item.id in wanted]
        return store.decide(waiting, status, by, at) if waiting else None


def expire(store: LearningStore, taxonomy: Taxonomy, at: float) -> LearntChange | None:
    """Let corrections expire whose category the taxonomy no longer has, under whatever name."""
    gone = [
        item.id
        for item in (*store.corrections("pending", kept=True), *store.corrections("approved", kept=True))
        if item.field in CATEGORIES and taxonomy.today(item.theirs) is None
    ]
    return store.decide(gone, "expired", TAXONOMY, at) if gone else None


def decisions(store: LearningStore, most: int) -> list[LearntChange]:
    """What was decided about corrections and holds, the latest first."""
    found = [item for item in store.changes() if item.what == DECIDED and item.undone_at is None]
    return found[: -most - 1 : -1]


def told(change: LearntChange) -> str:
    """What a change decided about corrections, as a sentence: ``3 corrections approved by ana``."""
    return f"{many(len(change.detail['before']), 'correction')} {change.detail['status']} by {change.who}"


def _pushers(corrections: Iterable[Correction]) -> dict[tuple[str, str], int]:
    """Fields and labels that one account pushes, with that account."""
    towards: defaultdict[tuple[str, str], Counter[int | None]] = defaultdict(Counter)
    for item in corrections:
        if item.ours != item.theirs:
            towards[item.field, item.theirs][item.author] += 1
    found = {}
    for key, authors in towards.items():
        (author, most), (_, next_most) = [*authors.most_common(2), (None, 0)][:2]
        if author is not None and most >= MANY and most > AHEAD * next_most:
            found[key] = author
    return found
