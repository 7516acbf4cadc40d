"""What customers thought of tickets that we wrote on: kept by ticket, and counted by label. Scores only, no words."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping

from ..core.models import Frozen
from ..evaluation.scores import wilson_lower
from ..helpdesk.ratings import TicketRating
from .model import Reaction
from .store import LearningStore

CATEGORY = "category"
FEWEST = 10
"""Ratings below which a share says nothing."""


class RatingCount(Frozen):
    """How customers rated tickets that have ``value`` in common: a category, or its fate."""

    by: str
    value: str
    good: int = 0
    neutral: int = 0
    bad: int = 0

    @property
    def rated(self) -> int:
        """All of them."""
        return self.good + self.neutral + self.bad

    @property
    def share(self) -> float | None:
        """The share of good ones; ``None`` below ten ratings."""
        return self.good / self.rated if self.rated >= FEWEST else None

    @property
    def interval(self) -> tuple[float, float] | None:
        """Wilson's 95% interval for that share."""
        if self.share is None:
            return None
        return wilson_lower(self.good, self.rated), 1.0 - wilson_lower(self.rated - self.good, self.rated)


def keep_ratings(store: LearningStore, ratings: Iterable[TicketRating]) -> int:
    """Keep the last rating of each ticket that we wrote on; how many of them are new or another than before."""
    found = {item.ticket_id: item for item in sorted(ratings, key=lambda item: item.at)}
    ours = store.known(found)
    rows = [(item.ticket_id, item.score, item.at) for item in found.values() if item.ticket_id in ours]
    with store.writing() as db:
        before = db.total_changes
        db.executemany(
            "INSERT INTO rating VALUES (?,?,?) ON CONFLICT (ticket_id) DO UPDATE "
            "SET score=excluded.score, at=excluded.at WHERE score<>excluded.score AND at<=excluded.at",
            rows,
        )
        return db.total_changes - before


def kept_ratings(store: LearningStore) -> dict[int, str]:
    """The score of each rated ticket."""
    return dict(store.rows("SELECT ticket_id, score FROM rating"))


def rating_counts(scores: Mapping[int, str], reactions: Iterable[Reaction]) -> tuple[RatingCount, ...]:
    """Ratings by the category that a ticket has in the end, and by what became of ours, of tickets with a reaction."""
    counts: defaultdict[tuple[str, str], Counter[str]] = defaultdict(Counter)
    for item in reactions:
        score = scores.get(item.ticket_id)
        if score is None:
            continue
        if item.field == CATEGORY:
            counts["category", item.theirs or item.label][score] += 1
            counts["our category was", item.fate.replace("_", " ")][score] += 1
    return tuple(
        sorted(
            (RatingCount(by=by, value=value, **count) for (by, value), count in counts.items()),
            key=lambda count: (count.by, -count.rated, count.value),
        )
    )
