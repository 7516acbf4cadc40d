"""How the account acts where no source is certain how the vendor does, or where accounts differ."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from .messages import Refusal, refuse


class Rules:
    """The likeliest ways. Tests put a class with other ways in its place.

    ``job_seconds`` are the seconds until a job starts, and those for each of its items; ``max_jobs`` may be queued or
    working at once; ``most_comments`` are those that a ticket takes, of which it has ``had_comments`` unseen.
    """

    max_jobs: int = 30
    most_comments: int = 5_000
    had_comments: int = 0

    def __init__(self, job_seconds: tuple[float, float] = (1.0, 0.07)) -> None:
        self.job_seconds = job_seconds

    def passes(self, stamp: float, current: float) -> bool:
        """Whether a safe update passes by its stamp, where ``updated_at`` is ``current``."""
        return stamp == current

    def counting(self, payload: Mapping[str, Any], *, in_batch: bool) -> Mapping[str, Any]:
        """The part of an update, or of a batch's item, that the account honours."""
        return payload

    def told(self, known: frozenset[str]) -> frozenset[str]:
        """Of the ``known`` keys those that no header warns of."""
        return known

    def guarded_since(self, queued: float) -> float:
        """The time that guards a batch's item without a stamp that counts: a later change makes it fail."""
        return queued

    def failed_item(self, index: int, row: Mapping[str, Any]) -> dict[str, Any]:
        """A job's failed item as the job shows it."""
        return {"index": index, **row}

    def refusal(self, status: int, code: str, description: str, **headers: str) -> Refusal:
        """The error of a safe update that is outdated, or of a job too many."""
        return refuse(status, {"error": code, "description": description}, **headers)

    def enter_help_center(self) -> None:
        """Raises :class:`~.messages.Refusal` where the account has no Help Center, or does not let this user in."""

    def finds(self, words: set[str], found: set[str]) -> bool:
        """Whether an article is found of whose ``words`` it has those that are ``found``."""
        return bool(found)
