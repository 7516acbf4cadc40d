"""Decides about corrections where no person has to: what many people did alike is approved, what is gone expires."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable

from ..core.taxonomy import Taxonomy
from .model import CATEGORIES, Correction, LearntChange
from .review import pushers
from .store import DECIDED, LearningStore

TAXONOMY = "the taxonomy"
AGREEMENT = "learning.auto_approve"
PEOPLE, TICKETS, WITHIN_S = 3, 5, 30 * 86_400.0
"""So many people did the same, on so many tickets, within this time."""


def expire(store: LearningStore, taxonomy: Taxonomy, at: float) -> LearntChange | None:
    """Let corrections expire whose category the taxonomy no longer has, under whatever name."""
    gone = [
        item.id
        for item in (*store.corrections("pending", kept=True), *store.corrections("approved", kept=True))
        if item.field in CATEGORIES and taxonomy.today(item.theirs) is None
    ]
    return store.decide(gone, "expired", TAXONOMY, at) if gone else None


def approve_agreed(store: LearningStore, at: float) -> LearntChange | None:
    """Approve what enough people did alike of late, whatever an account says that pushes a label.

    What a person once rejected or took back is left to people.
    """
    everything = store.corrections(kept=True)
    refused = {_direction(item) for item in everything if item.status == "rejected"} | _taken_back(store, everything)
    lately = [item for item in everything if item.at >= at - WITHIN_S and item.status in ("pending", "approved")]
    pushing = {*pushers(everything).items(), *pushers(lately).items()}
    groups: defaultdict[tuple[str, str | None, str], list[Correction]] = defaultdict(list)
    for item in lately:
        if item.ours == item.theirs or ((item.field, item.theirs), item.author) not in pushing:
            groups[_direction(item)].append(item)
    agreed = [
        item.id
        for direction, items in groups.items()
        if direction not in refused and _agreed(items)
        for item in items
        if item.status == "pending"
    ]
    return store.decide(agreed, "approved", AGREEMENT, at) if agreed else None


def _agreed(items: Iterable[Correction]) -> bool:
    known = [item for item in items if item.author is not None]
    return len({item.author for item in known}) >= PEOPLE and len({item.ticket_id for item in known}) >= TICKETS


def _taken_back(store: LearningStore, everything: Iterable[Correction]) -> set[tuple[str, str | None, str]]:
    """What was approved here, and undone by a person."""
    undone = [
        change
        for change in store.changes()
        if change.what == DECIDED and change.who == AGREEMENT and change.undone_at is not None
    ]
    ids = {row[0] for change in undone for row in change.detail["before"]}
    return {_direction(item) for item in everything if item.id in ids and item.status == "pending"}


def _direction(item: Correction) -> tuple[str, str | None, str]:
    return item.field, item.ours, item.theirs
