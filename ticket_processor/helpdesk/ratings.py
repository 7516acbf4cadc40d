"""What customers thought of a ticket's answer, in one scale whatever helpdesk asked them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

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


@dataclass(frozen=True)
class ReadRatings:
    """The ratings that could be read, and why others could not."""

    ratings: tuple[TicketRating, ...] = ()
    unread: tuple[str, ...] = ()
