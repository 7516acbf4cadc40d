"""The scoreboard: what people made of our labels on all tickets that were collected. Reads the learning store only."""

from __future__ import annotations

from collections.abc import Iterable
from contextlib import closing
from pathlib import Path

from ..core.models import Frozen
from ..state.sqlite import is_there
from .model import Reaction
from .override_counts import Pair, PartCount, pairs_of, parts_of
from .ratings import RatingCount, kept_ratings, rating_counts
from .store import FILE_NAME, LearningStore


class Scoreboard(Frozen):
    """What became of our labels, by part, and what people put in their place.

    ``touched`` are the ``tickets`` that a person has dealt with; accuracy speaks of them alone. ``rated`` are those
    that a customer rated.
    """

    tickets: int = 0
    touched: int = 0
    parts: tuple[PartCount, ...] = ()
    pairs: tuple[Pair, ...] = ()
    rated: int = 0
    ratings: tuple[RatingCount, ...] = ()


def scoreboard(reactions: Iterable[Reaction]) -> Scoreboard:
    """Add up what became of labels."""
    labels = list(reactions)
    return Scoreboard(
        tickets=len({item.ticket_id for item in labels}),
        touched=len({item.ticket_id for item in labels if item.actor_kind == "person"}),
        parts=parts_of(labels),
        pairs=pairs_of(labels),
    )


def decided_by_people(state_folder: Path) -> frozenset[int]:
    """The tickets that a person has dealt with after us, as far as was collected: the labels there are people's now.

    A ticket with a correction that was rejected is none of them.
    """
    with closing(LearningStore(state_folder / FILE_NAME, read_only=True)) as store:
        wrong = {item.ticket_id for item in store.corrections("rejected", kept=True)}
        dealt_with = {item.ticket_id for item in store.reactions() if item.actor_kind == "person"}
    return frozenset(dealt_with - wrong)


def kept_scoreboard(
    state_folder: Path,
    since: float = 0.0,
    until: float | None = None,
) -> Scoreboard | None:
    """The scoreboard of labels confirmed or changed in a period (Unix seconds); ``None``: nothing was collected.

    Raises :class:`StateUnusable`.
    """
    path = state_folder / FILE_NAME
    if not is_there(path):
        return None
    with closing(LearningStore(path, read_only=True)) as store:
        labels = [item for item in store.reactions(since) if until is None or item.settled_at < until]
        scores = kept_ratings(store)
    if not labels:
        return None
    return scoreboard(labels).model_copy(
        update={
            "rated": len({item.ticket_id for item in labels} & scores.keys()),
            "ratings": rating_counts(scores, labels),
        }
    )
