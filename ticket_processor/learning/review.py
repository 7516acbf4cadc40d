"""Groups pending corrections for review. Nothing is learnt before a person approves it."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Collection, Iterable
from dataclasses import dataclass

from ..core.wording import many
from .model import Correction, CorrectionStatus, LearntChange
from .store import LearningStore


@dataclass(frozen=True)
class CorrectionGroup:
    """Corrections of a field from ``ours`` (``None``: we abstained) to ``theirs``.

    ``people`` are the accounts that made them, by how many they made.
    """

    field: str
    ours: str | None
    theirs: str
    ids: tuple[int, ...]
    tickets: int
    people: tuple[tuple[int | None, int], ...]


def correction_groups(corrections: Iterable[Correction]) -> list[CorrectionGroup]:
    """The groups, the largest first."""
    of_change: defaultdict[tuple[str, str | None, str], list[Correction]] = defaultdict(list)
    for item in corrections:
        of_change[item.field, item.ours, item.theirs].append(item)
    groups = [
        CorrectionGroup(
            *change,
            ids=tuple(sorted(item.id for item in items)),
            tickets=len({item.ticket_id for item in items}),
            people=tuple(Counter(item.author for item in items).most_common()),
        )
        for change, items in of_change.items()
    ]
    return sorted(groups, key=lambda group: (-group.tickets, group.field, group.ours or "", group.theirs))


def decide_pending(
    store: LearningStore, ids: Collection[int], status: CorrectionStatus, by: str, at: float
) -> LearntChange | None:
    """Approve or reject those of these corrections that still wait; ``None`` where none does."""
    with store.writing():
        waiting = [item.id for item in store.corrections("pending") if item.id in ids]
        return store.decide(waiting, status, by, at) if waiting else None


def told(change: LearntChange) -> str:
    """What a change decided about corrections, as a sentence: ``3 corrections approved by ana``."""
    return f"{many(len(change.detail['before']), 'correction')} {change.detail['status']} by {change.who}"
