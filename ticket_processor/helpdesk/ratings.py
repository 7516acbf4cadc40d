"""What customers thought of a ticket's answer, in one scale whatever helpdesk asked them."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from typing import Literal

from ..core.clock import parse_iso

Score = Literal["good", "neutral", "bad"]
"""Zendesk's older survey knows no ``neutral``; of five stars, four and five are good, three are neutral."""


def of_stars(stars: int) -> Score:
    """The score behind one to five stars."""
    return "good" if stars >= 4 else "neutral" if stars == 3 else "bad"


@dataclass(frozen=True, slots=True)
class TicketRating:
    """A customer's last rating of a ticket, without the words that came with it; ``at`` is in Unix seconds."""

    ticket_id: int
    score: Score
    at: float


def rated(ticket_id: int | None, score: Score | None, at: str) -> Iterator[TicketRating]:
    """The rating that a helpdesk tells of; none where a part is missing, or its date is none."""
    if ticket_id is not None and score is not None:
        with suppress(ValueError):
            yield TicketRating(ticket_id, score, parse_iso(at))


@dataclass(frozen=True)
class ReadRatings:
    """The ratings that could be read, and why others could not."""

    ratings: tuple[TicketRating, ...] = ()
    unread: tuple[str, ...] = ()
