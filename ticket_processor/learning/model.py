"""What the learning store keeps: people's reactions to our labels, their corrections, and every learnt change."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

Fate = Literal["kept", "changed", "removed", "added", "untouched", "reverted_by_rule"]
"""What became of a label: ``added`` is one that a person set where we abstained; ``untouched``: nobody looked."""

ActorKind = Literal["person", "rule", "bot", "unknown"]
"""Who decided a label's fate; ``unknown`` where the helpdesk keeps no record of it."""

CATEGORIES = ("category", "subcategory")
"""The fields whose values are names of the taxonomy."""
REVIEWED = ("kept", "changed", "removed")
"""The fates that say whether a label of ours was right."""

CorrectionStatus = Literal["pending", "approved", "rejected", "expired"]


@dataclass(frozen=True, slots=True)
class Reaction:
    """What became of one label on one ticket: the scoreboard's unit. Times are Unix seconds.

    ``label`` is what it counts for: ours, and theirs where we abstained. ``at`` is the moment of their change, else of
    our write; ``settled_at`` the moment from which on its fate counts: the ticket's solution, or 14 days after us.
    ``settings_file`` decided it, where two share a run's tickets.
    """

    ticket_id: int
    field: str
    label: str
    ours: str | None
    theirs: str | None
    fate: Fate
    actor_kind: ActorKind
    author: int | None
    at: float
    settled_at: float
    settings_file: str = ""

    @property
    def judged(self) -> bool:
        """Whether it speaks for or against us: a person decided, or somebody whom the helpdesk does not tell.

        Without the latter nothing would ever be wrong where the helpdesk keeps no record.
        """
        return self.ours is not None and self.fate in REVIEWED and self.actor_kind in ("person", "unknown")


@dataclass(frozen=True, slots=True)
class Correction:
    """A person's value in place of ours, or where we abstained, with the ticket's redacted text.

    ``id`` is the store's, and 0 before it is kept. It teaches nothing before it is approved.
    """

    id: int
    ticket_id: int
    field: str
    ours: str | None
    theirs: str
    author: int | None
    actor_kind: ActorKind
    at: float
    text: str = ""
    status: CorrectionStatus = "pending"
    approved_by: str = ""
    approved_at: float | None = None


@dataclass(frozen=True, slots=True)
class LearntChange:
    """Something that was learnt, or decided about it: by whom, when, and when it was taken back."""

    id: int
    at: float
    what: str
    who: str
    detail: Mapping[str, Any] = field(default_factory=dict)
    undone_at: float | None = None
