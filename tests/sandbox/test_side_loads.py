"""People side-loaded with tickets."""

from __future__ import annotations

from .helpers import Desk

START = 1_700_000_000


def test_users_come_with_tickets_when_asked_for_and_once_each() -> None:
    desk = Desk(0)
    ids = [desk.add(age=100), desk.add(age=100)]
    shown = desk.get("tickets/show_many.json", ids=",".join(map(str, ids)), include="users")
    assert len({user["id"] for user in shown["users"]}) == len(shown["users"])
    assert {row["requester_id"] for row in shown["tickets"]} <= {user["id"] for user in shown["users"]}
    exported = desk.get("incremental/tickets/cursor.json", start_time=START, include="groups,users")
    assert [user["id"] for user in exported["users"]] == [user["id"] for user in shown["users"]]


def test_nobody_comes_unasked() -> None:
    desk = Desk(1)
    assert "users" not in desk.get("tickets/show_many.json", ids="1")
    assert "users" not in desk.get("tickets/show_many.json", ids="1", include="groups")
