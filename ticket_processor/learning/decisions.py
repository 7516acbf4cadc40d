"""Decides about corrections where no person has to: those of a category that is gone expire."""

from __future__ import annotations

from ..core.taxonomy import Taxonomy
from .model import CATEGORIES, LearntChange
from .store import LearningStore

TAXONOMY = "the taxonomy"


def expire(store: LearningStore, taxonomy: Taxonomy, at: float) -> LearntChange | None:
    """Let corrections expire whose category the taxonomy no longer has, under whatever name."""
    gone = [
        item.id
        for item in (*store.corrections("pending", kept=True), *store.corrections("approved", kept=True))
        if item.field in CATEGORIES and taxonomy.today(item.theirs) is None
    ]
    return store.decide(gone, "expired", TAXONOMY, at) if gone else None
