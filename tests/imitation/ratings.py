"""Customers of the imitated accounts who rate tickets, each in the words of its vendor's survey."""

from __future__ import annotations

from typing import Any, Literal

from ticket_processor.sandbox.clock import iso, parse_iso
from ticket_processor.sandbox.freshdesk_call import FreshdeskCall
from ticket_processor.sandbox.freshdesk_tickets import LISTED_FOR
from ticket_processor.sandbox.messages import Response
from ticket_processor.sandbox.zendesk_call import Call, forbidden
from ticket_processor.sandbox.zendesk_paging import paged


def rate(store: Any, ticket_id: int, score: Literal["good", "bad"], comment: str = "") -> None:
    """A Zendesk ticket's requester rates it; an earlier rating is replaced."""
    with store.lock:
        ticket, stamp = store.tickets[ticket_id].json, iso(store.now())
        before = next((row for row in store.ratings if row["ticket_id"] == ticket_id), None)
        row = before or {"id": len(store.ratings) + 35_001, "ticket_id": ticket_id, "created_at": stamp}
        row |= {name: ticket[name] for name in ("assignee_id", "group_id", "requester_id")}
        row |= {"score": score, "comment": comment or None, "updated_at": stamp}
        row["url"] = f"{store.base_url}/api/v2/satisfaction_ratings/{row['id']}.json"
        if before is None:
            store.ratings.append(row)


def answer_survey(desk: Any, ticket_id: int, number: int, feedback: str = "") -> None:
    """A Freshdesk ticket's requester answers the survey: 1 to 3 in the classic one, 103 to -103 in the newer."""
    with desk.lock:
        ticket, stamp = desk.tickets[ticket_id].json, iso(desk.now())
        desk.ratings.append(
            {
                "id": len(desk.ratings) + 1,
                "survey_id": 1,
                "user_id": ticket["requester_id"],
                "agent_id": ticket["responder_id"],
                "feedback": feedback,
                "group_id": ticket["group_id"],
                "ticket_id": ticket_id,
                "created_at": stamp,
                "updated_at": stamp,
                "ratings": {"default_question": number},
            }
        )


def satisfaction_ratings(call: Call) -> Response:
    """``GET /satisfaction_ratings``: of the older survey, for admins; ``score`` and ``start_time`` choose."""
    if call.identity.role != "admin":
        raise forbidden()
    wanted, start = call.request.query.get("score", ""), call.request.query.get("start_time", "0")
    scores = ("good", "bad") if wanted == "received" else (wanted,)
    store: Any = call.store
    rows = [
        row
        for row in store.ratings
        if (not wanted or row["score"] in scores) and parse_iso(row["created_at"]) >= float(start)
    ]
    return paged(call, "satisfaction_ratings", rows)


def surveys(call: FreshdeskCall) -> Response:
    """``GET /surveys/satisfaction_ratings``: of the last 30 days, or since ``created_since``."""
    since = call.moment("created_since")
    first = call.now - LISTED_FOR if since is None else since
    desk: Any = call.store
    return call.paged([row for row in desk.ratings if parse_iso(row["created_at"]) >= first])


ROUTES = {"GET satisfaction_ratings": satisfaction_ratings}
FRESHDESK_ROUTES = {"GET surveys/satisfaction_ratings": surveys}
