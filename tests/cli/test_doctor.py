"""``ticketbot doctor`` as a process: rules planted in an account, read over HTTP."""

from __future__ import annotations

from typing import Any

from ticket_processor.sandbox.faults import FaultPlan, FaultRule
from ticket_processor.sandbox.store import BOT_ID

from .conftest import Command, Desk, OpenDesk

MAIL = ("notification_user", ["requester_id", "Subject", "Body"])
MAIL_BOTH = ("notification_user", ["requester_and_ccs", "Subject", "Body"])
CHANGE, CREATE = ("update_type", "is", "Change"), ("update_type", "is", "Create")

Planted = tuple[str, str, list[tuple[str, str, Any]], list[tuple[str, Any]]]
"""Kind, title, conditions, actions."""
CONFLICTS: list[Planted] = [
    ("triggers", "Tell customers that we look", [("current_tags", "includes", "ai_processed")], [MAIL]),
    ("triggers", "Tell customers of priorities", [("priority", "changed", None)], [MAIL]),
    ("triggers", "Tell customers of everything", [CHANGE], [MAIL]),
    ("triggers", "Strip urgency", [("priority", "is", "high")], [("remove_tags", "ai_urgency_high")]),
    ("triggers", "Money can wait", [("current_tags", "includes", "ai_billing")], [("priority", "low")]),
    ("triggers", "Tidy tags", [CHANGE, ("status", "less_than", "solved")], [("set_tags", "tidy")]),
    ("triggers", "Pending on notes", [("comment_is_public", "is", "not_relevant")], [("status", "pending")]),
    ("triggers", "Old bot's marker", [CREATE], [("current_tags", "ai_processed")]),
    (
        "automations",
        "Excuse for urgent ones",
        [("priority", "is", "urgent"), ("OPEN", "greater_than", "4")],
        [MAIL_BOTH],
    ),
]
HARMLESS: list[Planted] = [
    (
        "triggers",
        "Notify requester and CCs of comment update",
        [CHANGE, ("comment_is_public", "is", "requester_can_see_comment")],
        [MAIL_BOTH],
    ),
    ("triggers", "Notify requester of received request", [CREATE, ("status", "is_not", "solved")], [MAIL]),
    (
        "triggers",
        "Notify assignee of assignment",
        [("assignee_id", "changed", None), ("assignee_id", "is_not", "current_user")],
        [("notification_user", ["assignee_id", "Subject", "Body"])],
    ),
    (
        "triggers",
        "Who answers keeps it",
        [("assignee_id", "is", ""), ("comment_is_public", "is", "true")],
        [("assignee_id", "current_user")],
    ),
    ("triggers", "Tell of the solution", [("status", "value", "solved")], [MAIL]),
    (
        "triggers",
        "Thanks, once",
        [("status", "less_than", "solved"), ("current_tags", "not_includes", "thanked")],
        [MAIL, ("current_tags", "thanked")],
    ),
    (
        "triggers",
        "Tell of priorities that people set",
        [("priority", "changed", None), ("current_tags", "not_includes", "ai_processed")],
        [MAIL],
    ),
    ("triggers", "Tell of people's changes", [CHANGE, ("current_via_id", "is_not", "5")], [MAIL]),
    ("triggers", "Customer is back", [CHANGE, ("role", "is", "end_user")], [("status", "open")]),
    ("automations", "Remind customers", [("status", "is", "hold"), ("HOLD", "is", "72")], [MAIL]),
    ("automations", "Close", [("status", "is", "solved"), ("SOLVED", "is", "96")], [("status", "closed")]),
]


def plant(desk: Desk, rules: list[Planted], first: int = 1) -> dict[str, int]:
    """Put rules into the account; their numbers by title."""
    store = desk.sandbox.store
    numbers = {}
    for number, (kind, title, conditions, actions) in enumerate(rules, first):
        row = {
            "id": number,
            "title": title,
            "active": True,
            "conditions": {
                "all": [dict(zip(("field", "operator", "value"), item, strict=True)) for item in conditions],
                "any": [],
            },
            "actions": [{"field": field, "value": value} for field, value in actions],
        }
        if kind == "triggers":
            store.triggers[number] = row
        else:
            store.business_rules[kind].append(row)
        numbers[title] = number
    return numbers


def test_planted_conflicts_are_named_and_harmless_rules_are_not(desk: Desk) -> None:
    planted = plant(desk, CONFLICTS)
    harmless = plant(desk, HARMLESS, first=100)
    told = desk("doctor", "--json", code=1).object
    named = {item["rule_id"] for item in told["findings"] if item["severity"] == "conflict"}
    assert {str(number) for number in planted.values()} <= named
    assert named.isdisjoint({str(number) for number in harmless.values()})
    # What customers would see is complete.
    seen = {item["rule"] for item in told["customer_visible"] if item["severity"] == "conflict"}
    assert seen == {
        *("Tell customers that we look", "Tell customers of priorities", "Tell customers of everything"),
        *("Pending on notes", "Excuse for urgent ones"),
    }
    assert all(item["advice"] and item["text"] for item in told["findings"])


def test_an_account_with_harmless_rules_only_is_fine_and_nothing_is_written(desk: Desk) -> None:
    plant(desk, HARMLESS)
    desk.helpdesk_requests()
    ended = desk("doctor")
    asked = desk.helpdesk_requests()
    assert "0 conflicts" in ended.out
    assert "9 triggers, 2 automations" in ended.out
    assert all(request.startswith("GET ") or request == "POST /oauth/tokens" for request in asked)
    assert len(asked) <= 15


def test_many_rules_are_read_page_by_page(desk: Desk) -> None:
    plant(desk, [("triggers", f"Fine {number}", [CREATE], [MAIL]) for number in range(150)])
    plant(desk, CONFLICTS[:1], first=900)
    told = desk("doctor", "--json", code=1).object
    assert told["read"]["trigger"] == 151
    assert [item["rule_id"] for item in told["findings"] if item["severity"] == "conflict"] == ["900"]


def test_a_rule_that_is_switched_off_is_passed_over(desk: Desk) -> None:
    plant(desk, CONFLICTS[:1])
    desk.sandbox.store.triggers[1]["active"] = False
    assert desk("doctor", "--json").object["conflicts"] == 0


def test_targets_of_categories_that_are_not_there_are_named(desk: Desk) -> None:
    (desk.folder / "ticketbot.toml").write_text(
        'fallback_category = "general"\n[[categories]]\nname = "general"\ndescription = "Everything that there is."\n'
        'group = 99\nfields = { 2001 = "area_moon", 4711 = "x" }\n',
        encoding="utf-8",
    )
    told = desk("doctor", "--json").object["findings"]
    assert len([item for item in told if item["kind"] == "target"]) == 3


def test_tickets_that_carry_the_marker_before_the_first_run_are_counted(desk: Desk) -> None:
    desk.sandbox.store.person_edit(1, add_tags=("ai_processed",))
    desk.advance(120)
    (finding,) = [item for item in desk("doctor", "--json").object["findings"] if item["kind"] == "marker"]
    assert "carry ai_processed already: 1;" in finding["text"]
    desk("run", "--since", "1d")
    assert not [item for item in desk("doctor", "--json").object["findings"] if item["kind"] == "marker"]


def test_rules_that_may_not_be_read_are_no_all_clear(open_desk: OpenDesk) -> None:
    desk = open_desk(0, faults=FaultPlan([FaultRule("status", path="/triggers", status=403)]))
    assert "triggers" in desk("doctor", code=3).err


def test_a_user_who_may_not_write_is_told_beside_the_rules(open_desk: OpenDesk) -> None:
    desk = open_desk(0)
    assert "this user" not in desk("doctor").err
    desk.sandbox.store.users[BOT_ID]["role_type"] = 1
    assert "this user is a light agent, who may not change tickets" in " ".join(desk("doctor").err.split())


def test_the_local_helpdesk_has_nothing_to_check(bare: Command) -> None:
    assert "nothing to check" in bare("doctor", TICKETBOT_HELPDESK="local").out


def test_messaging_tickets_are_counted(open_desk: OpenDesk) -> None:
    desk = open_desk(1)
    desk.sandbox.store.create(subject="Conversation with Ada", body="See the log.", channel="whatsapp")
    assert "1 of the newest 2 tickets are messaging or chat: they are left alone" in (
        desk("doctor").out + desk("doctor").err
    )
