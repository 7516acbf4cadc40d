"""Customers of the imitated accounts who rate tickets, each in the words of its vendor's survey."""

from __future__ import annotations

from typing import Literal

from .clock import iso
from .freshdesk_memory import FreshdeskMemory
from .store import Store


def rate(store: Store, ticket_id: int, score: Literal["good", "bad"], comment: str = "") -> None:
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


def answer_survey(desk: FreshdeskMemory, ticket_id: int, number: int, feedback: str = "") -> None:
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
