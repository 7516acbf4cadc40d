"""Ratings of Zendesk's older satisfaction survey. Reads only; for admins.

Facts and their sources: developer.zendesk.com, "Satisfaction Ratings". The newer survey's answers are elsewhere.
"""

from __future__ import annotations

from .json_values import string, whole_number
from .ratings import ReadRatings, Score, TicketRating, rated
from .transport import Transport
from .zendesk_account import listed_rows

_SCORES: dict[str, Score] = {"good": "good", "bad": "bad"}


def read_ratings(transport: Transport, since: float) -> ReadRatings:
    """The ratings since a moment (Unix seconds), a request for each hundred. Raises :class:`CannotRun`."""
    unread: list[str] = []
    found: list[TicketRating] = []
    asked: dict[str, str | int] = {"score": "received", "start_time": max(0, int(since))}
    for row in listed_rows(transport, "satisfaction_ratings", "satisfaction_ratings", unread, params=asked):
        # The longer forms name whether a comment came with it.
        score = _SCORES.get(string(row.get("score")).partition("_")[0])
        number, at = whole_number(row.get("ticket_id")), string(row.get("updated_at") or row.get("created_at"))
        found += rated(number, score, at)
    return ReadRatings(tuple(found), tuple(unread))
