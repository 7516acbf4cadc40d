"""Solved tickets in a sandbox, for the tests of backfill and apply."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

from ticket_processor.sandbox.fill import fill

from .conftest import Desk

KINDS = (
    ("Charged twice", "Hello, I was charged twice for my subscription this month. Please check my invoice."),
    ("Error on login", "The app shows an error and crashes whenever I try to log in."),
    ("Where is my order?", "My parcel has not arrived, the tracking page says nothing. Thank you."),
    ("Refund please", "I want my money back, please refund the amount."),
)
BACKFILL = ("run", "--backfill", "--since", "2d")
FILE = "backfill.jsonl"
NOBODY = {"name": "Melody Makerson", "email": "melody@example.com"}


def add_solved(desk: Desk, count: int, *, status: str = "solved", **row: Any) -> list[int]:
    """So many more tickets that people have solved a while ago."""
    made = [
        {
            "subject": f"{KINDS[n % 4][0]} ({n})",
            "body": f"{KINDS[n % 4][1]} My mail is melody{n}@example.com.",
            "age": 40_000.0 - n,
            "channel": "web",
            "requester": NOBODY,
            **row,
        }
        for n in range(count)
    ]
    numbers = fill(desk.sandbox, made)
    for number in numbers:
        desk.sandbox.store.person_edit(number, status="solved")
        if status != "solved":
            desk.sandbox.store.person_edit(number, status=status)
    desk.advance(600)
    return numbers


def lines(desk: Desk, name: str = FILE) -> list[dict[str, Any]]:
    """The tickets' lines of a file of results."""
    found: list[dict[str, Any]] = [
        json.loads(line) for line in (desk.folder / name).read_text(encoding="utf-8").splitlines()
    ]
    return found[1:]


def in_file(desk: Desk) -> list[int]:
    return sorted(line["ticket_id"] for line in lines(desk))


def assert_only_read(desk: Desk, changes: int) -> None:
    """Nothing but reads has reached the helpdesk since it was asked last."""
    asked = desk.helpdesk_requests()
    assert {line for line in asked if not line.startswith("GET ")} <= {"POST /oauth/tokens"}
    assert len(desk.sandbox.store.history) == changes


def chats(desk: Desk) -> int:
    """Questions that were put to the model directly."""
    return desk.sandbox.requests["POST v1/chat/completions"]


def tags(desk: Desk, numbers: Sequence[int]) -> list[set[str]]:
    return [set(desk.ticket(number)["tags"]) for number in numbers]
