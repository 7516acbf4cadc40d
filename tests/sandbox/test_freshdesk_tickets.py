"""Freshdesk: one ticket: viewing, updating, creating, the trash, the archive, and the record of what was done."""

from __future__ import annotations

from typing import Any

import pytest

from ticket_processor.sandbox.freshdesk_records import NOTE

from ..imitation import FreshdeskRules
from .freshdesk_helpers import DAY, FreshDesk


def test_a_view_shows_the_whole_ticket_with_stamps_of_whole_seconds() -> None:
    desk = FreshDesk(0)
    number = desk.add(600.7, subject="Hi", body="a < b\nc", tags=["one", "two"])
    shown = desk.get(f"tickets/{number}")
    assert shown["created_at"] == shown["updated_at"] == "2026-11-21T03:19:59Z"
    assert (shown["priority"], shown["status"], shown["source"], shown["spam"]) == (1, 2, 1, False)
    assert shown["description"] == "<div>a &lt; b<br>c</div>"
    assert shown["description_text"] == "a < b\nc"
    assert shown["custom_fields"] == {"cf_product_area": None, "cf_order_number": None}
    assert (shown["group_id"], shown["responder_id"], shown["tags"]) == (None, None, ["one", "two"])
    assert "conversations" not in shown


def test_a_view_includes_the_ten_oldest_conversations_at_most() -> None:
    desk = FreshDesk(1)
    notes = [desk.note(1, f"n{number}")["id"] for number in range(12)]
    shown = desk.get("tickets/1", include="conversations,requester")
    assert [row["id"] for row in shown["conversations"]] == notes[:10]
    assert shown["requester"]["name"] == "Customer"
    assert desk.problem(desk.ask("GET", "tickets/1?include=notes"))[:2] == (400, "include")


def test_a_ticket_that_is_not_there_is_404_without_a_body() -> None:
    answer = FreshDesk().ask("GET", "tickets/99")
    assert (answer.status, answer.body) == (404, b"")


def test_an_update_changes_what_it_names_replaces_the_tags_and_answers_with_the_whole_ticket() -> None:
    desk = FreshDesk(0)
    number = desk.add(tags=["old", "vip"])
    desk.clock.advance(60)
    custom = {"cf_product_area": "App"}
    answer = desk.put(number, tags=["vip", "ai_processed"], priority=3, group_id=8001, custom_fields=custom)
    shown = answer.json()
    assert answer.status == 200
    assert shown == desk.get(f"tickets/{number}")
    assert (shown["tags"], shown["priority"], shown["group_id"]) == (["vip", "ai_processed"], 3, 8001)
    assert shown["custom_fields"] == {"cf_product_area": "App", "cf_order_number": None}
    assert (shown["subject"], shown["updated_at"]) == ("Broken", "2026-11-21T03:31:00Z")
    assert desk.put(number, group_id=None).json()["group_id"] is None


def test_an_update_that_changes_nothing_moves_no_stamp_and_is_no_edit() -> None:
    desk = FreshDesk(1)
    before, known = desk.stamp(1), len(desk.store.edits)
    assert desk.put(1, priority=1, tags=[]).status == 200
    assert (desk.stamp(1), len(desk.store.edits)) == (before, known)


@pytest.mark.parametrize(
    ("fields", "field", "code"),
    [
        ({"comment": "x"}, "comment", "invalid_field"),
        ({"updated_stamp": "x"}, "updated_stamp", "invalid_field"),
        ({"priority": "3"}, "priority", "datatype_mismatch"),
        ({"priority": None}, "priority", "datatype_mismatch"),
        ({"priority": 5}, "priority", "invalid_value"),
        ({"status": 1}, "status", "invalid_value"),
        ({"tags": "vip"}, "tags", "datatype_mismatch"),
        ({"tags": [1]}, "tags", "datatype_mismatch"),
        ({"tags": ["x" * 33]}, "tags", "invalid_value"),
        ({"group_id": 1}, "group_id", "invalid_value"),
        ({"custom_fields": []}, "custom_fields", "datatype_mismatch"),
        ({"custom_fields": {"cf_unknown": "x"}}, "cf_unknown", "invalid_field"),
        ({"custom_fields": {"cf_product_area": "Moon"}}, "cf_product_area", "invalid_value"),
        ({"custom_fields": {"cf_order_number": 7}}, "cf_order_number", "datatype_mismatch"),
    ],
)
def test_an_update_with_a_mistake_changes_nothing(fields: dict[str, Any], field: str, code: str) -> None:
    desk = FreshDesk(1)
    known = len(desk.store.edits)
    answer = desk.put(1, subject="New", **fields)
    assert desk.problem(answer) == (400, field, code)
    assert answer.json()["description"] == "Validation failed"
    assert len(desk.store.edits) == known


def test_every_problem_of_an_update_is_told_at_once() -> None:
    errors = FreshDesk(1).put(1, priority=9, status="x", nonsense=1).json()["errors"]
    assert [row["field"] for row in errors] == ["priority", "status", "nonsense"]


def test_a_body_that_is_no_json_object_is_refused() -> None:
    desk = FreshDesk(1)
    assert desk.ask("PUT", "tickets/1", [1]).json()["code"] == "invalid_json"
    assert desk.ask("PUT", "tickets/1").status == 415
    assert desk.ask("PUT", "tickets/1", {}).status == 400


@pytest.mark.parametrize("required", ["type", "cf_order_number", "group_id"])
def test_a_required_field_that_is_empty_fails_an_update_of_others(required: str) -> None:
    desk = FreshDesk(1, FreshdeskRules(required_fields=(required,)))
    assert desk.problem(desk.put(1, priority=3)) == (400, required, "missing_field")
    values: dict[str, Any] = {"type": "Question", "group_id": 8001, "custom_fields": {"cf_order_number": "7"}}
    assert desk.put(1, priority=3, **values).status == 200
    assert desk.put(1, priority=2).status == 200


def test_nothing_guards_an_update_against_what_others_did_meanwhile() -> None:
    desk = FreshDesk(0)
    number = desk.add(tags=["vip"])
    tags = desk.get(f"tickets/{number}")["tags"]
    desk.store.person_edit(number, add_tags=["refund"], priority=4)
    assert desk.put(number, tags=[*tags, "ai_processed"], priority=2).status == 200
    assert desk.store.tickets[number].tags == ("vip", "ai_processed")
    edit = desk.store.edits[-1]
    assert (edit.tags_removed, edit.tags_unseen) == ({"refund"}, {"refund"})
    assert edit.changes == {"priority": (4, 2)}


def test_a_tag_that_a_view_has_shown_is_not_among_those_lost_unseen() -> None:
    desk = FreshDesk(0)
    number = desk.add(tags=["vip"])
    desk.get(f"tickets/{number}")
    desk.put(number, tags=["ai_processed"])
    edit = desk.store.edits[-1]
    assert (edit.tags_removed, edit.tags_unseen, edit.tags_added) == ({"vip"}, set(), {"ai_processed"})


@pytest.mark.parametrize("moves", [True, False])
def test_whether_tags_alone_move_the_stamp_is_a_rule_and_other_fields_always_do(moves: bool) -> None:
    desk = FreshDesk(1, FreshdeskRules(tags_move_stamp=moves))
    before = desk.stamp(1)
    desk.put(1, tags=["x"])
    assert (desk.stamp(1) != before) is moves
    assert desk.listed(updated_since="2026-11-21T03:30:00Z") == ([1] if moves else [])
    desk.put(1, priority=2)
    assert desk.stamp(1) == "2026-11-21T03:30:00Z"


def test_spam_and_trash_are_shown_and_refuse_every_write_with_405() -> None:
    desk = FreshDesk(2)
    note = desk.note(1)["id"]
    desk.store.spam(1)
    desk.store.delete(2)
    assert desk.get("tickets/1")["spam"] is True
    assert desk.get("tickets/2")["deleted"] is True
    answers = [
        desk.put(1, priority=2),
        desk.put(2, priority=2),
        desk.ask("POST", "tickets/1/notes", {"body": "x"}),
        desk.ask("POST", "tickets/2/notes", {"body": "x"}),
        desk.ask("DELETE", f"conversations/{note}"),
    ]
    assert [answer.status for answer in answers] == [405] * 5
    assert answers[0].json()["code"] == "method_not_allowed"


def test_a_ticket_closed_for_a_hundred_and_twenty_days_is_gone() -> None:
    desk = FreshDesk(1)
    note = desk.note(1)["id"]
    desk.store.person_edit(1, status=5)
    desk.clock.advance(120 * DAY - 1)
    assert desk.ask("GET", "tickets/1").status == 200
    desk.clock.advance(1)
    writes = [desk.put(1, priority=2), desk.ask("POST", "tickets/1/notes", {"body": "x"})]
    gone = [desk.ask("GET", "tickets/1"), *writes, desk.ask("DELETE", f"conversations/{note}")]
    assert [answer.status for answer in gone] == [404] * 4
    assert desk.store.living(1) is None


def test_creating_a_ticket_answers_201_with_its_address() -> None:
    desk = FreshDesk(0, base_url="http://desk.example")
    fields = {"subject": "New", "description": "<p>Hello</p>", "email": "ann@example.com", "name": "Ann"}
    answer = desk.ask("POST", "tickets", {**fields, "status": 2, "priority": 1, "tags": ["seed"], "source": 1})
    assert (answer.status, answer.headers["Location"]) == (201, "http://desk.example/api/v2/tickets/1")
    made = answer.json()
    assert (made["subject"], made["description_text"], made["tags"]) == ("New", "Hello", ["seed"])
    assert desk.get("tickets/1", include="requester")["requester"]["email"] == "ann@example.com"
    assert desk.get(f"contacts/{made['requester_id']}")["name"] == "Ann"
    assert desk.listed(requester_id=made["requester_id"]) == [1]
    again = desk.ask("POST", "tickets", fields).json()
    assert (again["requester_id"], again["source"], again["status"]) == (made["requester_id"], 2, 2)


def test_a_ticket_needs_a_requester() -> None:
    answer = FreshDesk(0).ask("POST", "tickets", {"subject": "New"})
    assert FreshDesk(0).problem(answer) == (400, "requester_id", "missing_field")


# --- the record of what was done -----------------------------------------------------------------------------------


def test_the_record_tells_who_changed_what_by_which_door() -> None:
    desk = FreshDesk(1)
    desk.put(1, tags=["ai"], custom_fields={"cf_product_area": "App"})
    edits = desk.store.person_edit(
        1, add_tags=["vip"], remove_tags=["ai"], priority=3, assign=7001, note="mine", group=8002
    )
    desk.store.customer_replies(1, "Still broken")
    desk.store.rule_edit(1, add_tags=["auto"], status=3)
    told = [(edit.who, edit.via, edit.by.user_id) for edit in desk.store.tickets[1].edits]
    customer = desk.store.tickets[1].json["requester_id"]
    assert told == [
        ("fill", "fill", customer),
        ("bot", "request", 9001),
        ("agent", "person", 7001),
        ("agent", "person", 7001),
        ("customer", "customer", customer),
        ("rule", "rule", -1),
    ]
    assert [edit.conversation for edit in edits] == ["created", None]
    assert (edits[0].private, edits[0].source, edits[0].is_note) == (True, NOTE, True)
    assert (edits[1].tags_added, edits[1].tags_removed) == ({"vip"}, {"ai"})
    assert edits[1].changes == {"priority": (1, 3), "group_id": (None, 8002), "responder_id": (None, 7001)}
    by_bot = desk.store.tickets[1].edits[1]
    assert by_bot.changes == {"cf_product_area": (None, "App")}
    assert by_bot.sent == {"tags": ["ai"], "custom_fields": {"cf_product_area": "App"}}
    assert desk.store.edits == desk.store.tickets[1].edits


def test_the_record_cannot_be_had_over_the_api() -> None:
    desk = FreshDesk(1)
    desk.put(1, tags=["ai"])
    for path in ("tickets/1/edits", "tickets/1/audits", "edits", "tickets/1/activities"):
        assert desk.ask("GET", path).status == 404


def test_work_for_later_is_done_when_its_time_has_come() -> None:
    desk = FreshDesk(1)
    desk.store.later(desk.clock.now() + 5, lambda: desk.store.person_edit(1, priority=4))
    assert desk.get("tickets/1")["priority"] == 1
    desk.clock.advance(9)
    assert desk.get("tickets/1")["priority"] == 4
    assert desk.stamp(1) == "2026-11-21T03:30:05Z"


def test_a_customers_answer_opens_a_ticket_that_waited() -> None:
    desk = FreshDesk(1)
    desk.store.person_edit(1, status=4, reply="Done")
    desk.store.customer_replies(1, "No")
    shown = desk.get("tickets/1", include="conversations")
    assert shown["status"] == 2
    assert [(row["incoming"], row["private"], row["source"]) for row in shown["conversations"]] == [
        (False, False, 0),
        (True, False, 0),
    ]
