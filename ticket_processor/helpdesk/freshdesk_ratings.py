"""Ratings of Freshdesk's satisfaction surveys. Reads only.

Facts and their sources: developers.freshdesk.com/api, "Satisfaction Ratings" and "Surveys". The classic survey counts
from 1 (happy) to 3 (unhappy), the newer one from 103 (extremely happy) over 100 to -103.
"""

from __future__ import annotations

from ..core.clock import iso
from .freshdesk_format import rows_of
from .json_values import mapping, string, whole_number
from .ratings import ReadRatings, Score, TicketRating, rated
from .transport import Transport

PAGE_SIZE = 100
MAX_PAGES = 50
_CLASSIC: dict[int, Score] = {1: "good", 2: "neutral", 3: "bad"}
_NEUTRAL = 100
_LAST = 103


def read_ratings(transport: Transport, since: float) -> ReadRatings:
    """The ratings given since a moment (Unix seconds), a request for each hundred. Raises :class:`CannotRun`."""
    found: list[TicketRating] = []
    for page in range(1, MAX_PAGES + 1):
        params: dict[str, str | int] = {"created_since": iso(since), "per_page": PAGE_SIZE, "page": page}
        reply = transport.request("GET", "/api/v2/surveys/satisfaction_ratings", params=params)
        if not reply.ok:
            return ReadRatings(tuple(found), (f"Freshdesk does not show its ratings (HTTP {reply.status})",))
        rows = rows_of(reply)
        for row in rows:
            score = score_of(whole_number(mapping(row.get("ratings")).get("default_question")))
            number, at = whole_number(row.get("ticket_id")), string(row.get("updated_at") or row.get("created_at"))
            found += rated(number, score, at)
        if len(rows) < PAGE_SIZE:
            return ReadRatings(tuple(found))
    return ReadRatings(tuple(found), (f"more than {MAX_PAGES * PAGE_SIZE} ratings: the others were not read",))


def score_of(number: int | None) -> Score | None:
    """The score behind an answer's number, of either survey; ``None`` for what neither has."""
    if number is None or number in _CLASSIC:
        return None if number is None else _CLASSIC[number]
    if not _NEUTRAL <= abs(number) <= _LAST or number == -_NEUTRAL:
        return None
    return "neutral" if number == _NEUTRAL else "good" if number > 0 else "bad"
