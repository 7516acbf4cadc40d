"""Freshdesk: notes and replies."""

from __future__ import annotations

from typing import Any

import pytest

from ..imitation import FreshdeskRules
from .freshdesk_helpers import FreshDesk


def test_a_note_is_private_unless_told_otherwise_and_keeps_its_html_without_comments() -> None:
    desk = FreshDesk(1)
    note = desk.note(1, "<p>Seen<!-- mark --> by <b>us</b></p><p>Ref tb-1</p>")
    assert (note["private"], note["incoming"], note["source"], note["user_id"]) == (True, False, 2, 9001)
    assert note["body"] == "<p>Seen by <b>us</b></p><p>Ref tb-1</p>"
    assert note["body_text"] == "Seen by us\nRef tb-1"
    assert (note["ticket_id"], note["last_edited_user_id"]) == (1, None)
    assert desk.note(1, private=False)["private"] is False
    assert desk.note(1, user_id=7001)["user_id"] == 7001
    assert [row["private"] for row in desk.get("tickets/1/conversations")] == [True, False, True]
    assert len(desk.store.bot_notes(1)) == 2


@pytest.mark.parametrize(
    ("body", "field", "code"),
    [
        ({}, "body", "missing_field"),
        ({"body": "  "}, "body", "missing_field"),
        ({"body": 1}, "body", "datatype_mismatch"),
        ({"body": "x", "private": "true"}, "private", "datatype_mismatch"),
        ({"body": "x", "user_id": 5}, "user_id", "invalid_value"),
        ({"body": "x", "body_html": "x"}, "body_html", "invalid_field"),
    ],
)
def test_a_note_with_a_mistake_is_refused(body: dict[str, Any], field: str, code: str) -> None:
    desk = FreshDesk(1)
    assert desk.problem(desk.ask("POST", "tickets/1/notes", body)) == (400, field, code)
    assert desk.store.tickets[1].conversations == []


def test_a_note_is_edited_and_deleted_and_tells_who_edited_it_last() -> None:
    desk = FreshDesk(1)
    note = desk.note(1, "<p>one</p>")["id"]
    desk.clock.advance(5)
    desk.store.person_edit(1, edit_note=(note, "mine"))
    row = desk.get("tickets/1/conversations")[0]
    assert (row["body_text"], row["last_edited_user_id"]) == ("mine", 7001)
    gone = desk.ask("DELETE", f"conversations/{note}")
    assert (gone.status, gone.body) == (204, b"")
    assert desk.get("tickets/1/conversations") == []
    assert desk.ask("DELETE", f"conversations/{note}").status == 404
    events = [(edit.conversation, edit.who) for edit in desk.store.edits[1:]]
    assert events == [("created", "bot"), ("edited", "agent"), ("deleted", "bot")]


def test_replies_are_not_deleted() -> None:
    desk = FreshDesk(1)
    desk.store.person_edit(1, reply="x")
    (reply,) = desk.store.where
    assert desk.ask("DELETE", f"conversations/{reply}").status == 405


def test_conversations_come_oldest_first_thirty_to_a_page_or_as_many_as_asked() -> None:
    desk = FreshDesk(1)
    notes = [desk.note(1, f"n{number}")["id"] for number in range(65)]
    first = desk.ask("GET", "tickets/1/conversations")
    assert [row["id"] for row in first.json()] == notes[:30]
    assert 'page=2>; rel="next"' in first.headers["Link"]
    assert [row["id"] for row in desk.get("tickets/1/conversations", page=3)] == notes[60:]
    assert [row["id"] for row in desk.get("tickets/1/conversations", per_page=100)] == notes
    assert desk.problem(desk.ask("GET", "tickets/1/conversations?per_page=101"))[:2] == (400, "per_page")


def test_an_account_may_give_no_more_than_thirty_whatever_is_asked() -> None:
    desk = FreshDesk(1, FreshdeskRules(conversations_per_page=30))
    notes = [desk.note(1, f"n{number}")["id"] for number in range(40)]
    pages = [desk.get("tickets/1/conversations", per_page=100, page=page) for page in (1, 2, 3)]
    assert [[row["id"] for row in page] for page in pages] == [notes[:30], notes[30:], []]


@pytest.mark.parametrize("moves", [True, False])
def test_whether_a_note_moves_the_stamp_is_a_rule_and_replies_always_do(moves: bool) -> None:
    desk = FreshDesk(1, FreshdeskRules(notes_move_stamp=moves))
    before = desk.stamp(1)
    note = desk.note(1)["id"]
    assert (desk.stamp(1) != before) is moves
    desk.clock.advance(60)
    between = desk.stamp(1)
    desk.ask("DELETE", f"conversations/{note}")
    assert (desk.stamp(1) != between) is moves
    desk.store.customer_replies(1, "And?")
    assert desk.stamp(1) == "2026-11-21T03:31:00Z"
