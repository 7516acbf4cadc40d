"""``ticketbot doctor`` as a process: what is wrong with a set-up, and rules planted in an account."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from ..imitation import FaultPlan, FaultRule
from ..servers.scripted import ScriptedServer, reply
from .conftest import Command, Desk, OpenDesk
from .freshdesk_desk import FreshDesk, freshdesk

MAIL = ("notification_user", ["requester_id", "Subject", "Body"])
MAIL_BOTH = ("notification_user", ["requester_and_ccs", "Subject", "Body"])
CHANGE = ("update_type", "is", "Change")

Planted = tuple[str, str, list[tuple[str, str, Any]], list[tuple[str, Any]]]
"""Kind, title, conditions, actions."""
CONFLICTS: list[Planted] = [
    ("triggers", "Tell customers that we look", [("current_tags", "includes", "ai_processed")], [MAIL]),
    ("triggers", "Strip urgency", [("priority", "is", "high")], [("remove_tags", "ai_urgency_high")]),
    ("automations", "Excuse", [("priority", "is", "urgent"), ("OPEN", "greater_than", "4")], [MAIL_BOTH]),
]
PUBLIC = ("comment_is_public", "is", "requester_can_see_comment")
ONCE = [("status", "less_than", "solved"), ("current_tags", "not_includes", "thanked")]
HARMLESS: list[Planted] = [
    ("triggers", "Notify requester and CCs of comment update", [CHANGE, PUBLIC], [MAIL_BOTH]),
    ("triggers", "Thanks, once", ONCE, [MAIL, ("current_tags", "thanked")]),
    ("automations", "Close", [("status", "is", "solved"), ("SOLVED", "is", "96")], [("status", "closed")]),
]
OWN_GROUP = """
fallback_category = "general"
[[categories]]
name = "general"
description = "Everything that there is at all."
group = 99
"""


def plant(desk: Desk, rules: list[Planted], first: int = 1) -> dict[str, int]:
    """Put rules into the account; their numbers by title."""
    store = desk.sandbox.store
    numbers = {}
    for number, (kind, title, conditions, actions) in enumerate(rules, first):
        row = {
            "id": number,
            "title": title,
            "active": True,
            "position": number,
            "conditions": {
                "all": [dict(zip(("field", "operator", "value"), item, strict=True)) for item in conditions],
                "any": [],
            },
            "actions": [{"field": field, "value": value} for field, value in actions],
        }
        if kind == "triggers":
            store.triggers[number] = row
        else:
            store.automations.append(row)
        numbers[title] = number
    return numbers


def test_planted_conflicts_are_named_and_harmless_rules_are_not_and_what_customers_see_comes_first(desk: Desk) -> None:
    planted = plant(desk, CONFLICTS)
    plant(desk, HARMLESS, first=100)
    told = desk("doctor", "--json", code=1).object
    problems = [item for item in told["findings"] if (item["part"], item["severity"]) == ("rules", "problem")]
    named = {item["id"]: item["seen_by"] for item in problems}
    assert named.keys() == {str(number) for number in planted.values()}
    seen = {title for title, number in planted.items() if named[str(number)] == "customers"}
    assert seen == {"Tell customers that we look", "Excuse"}
    assert all(item["advice"] and item["text"] for item in told["findings"] if item["part"] == "rules")
    order = [item["seen_by"] for item in told["findings"] if item["severity"] != "advice"]
    assert order == sorted(order, key=("customers", "agents", "operator").index)
    assert {"customers", "agents"} <= set(order)
    severities = [item["severity"] == "advice" for item in told["findings"]]
    assert severities == sorted(severities), "advice comes last"


def test_many_findings_take_40_lines_and_details_shows_all(desk: Desk) -> None:
    plant(desk, [("triggers", f"Mail {number}", [CHANGE], [MAIL]) for number in range(50)])
    told = desk("doctor", code=1).out
    assert len(told.splitlines()) <= 40
    assert "more: --details shows them" in told
    assert "customers would see 50 of the problems" in told
    whole = desk("doctor", "--details", code=1).out
    assert all(f"'Mail {number}'" in whole for number in range(50))
    assert "more: --details" not in whole


def test_an_account_with_harmless_rules_only_is_fine_and_nothing_is_written(desk: Desk) -> None:
    plant(desk, HARMLESS)
    desk.helpdesk_requests()
    before = {path: path.read_bytes() for path in desk.folder.rglob("*") if path.is_file()}
    ended = desk("doctor")
    asked = desk.helpdesk_requests()
    assert "0 conflicts" in ended.out
    assert "2 triggers, 1 automation" in ended.out
    assert all(request.startswith("GET ") or request == "POST /oauth/tokens" for request in asked)
    assert len(asked) <= 15
    assert {path: path.read_bytes() for path in desk.folder.rglob("*") if path.is_file()} == before


def test_tickets_that_carry_the_marker_before_the_first_run_are_counted(desk: Desk) -> None:
    desk.sandbox.store.person_edit(1, add_tags=("ai_processed",))
    desk.advance(120)
    early = desk("doctor", "--json", code=1).object["findings"]  # this machine's clock is behind by now
    (finding,) = [item for item in early if item["kind"] == "marker"]
    assert "carry ai_processed already: 1;" in finding["text"]
    desk("run", "--since", "1d")
    late = desk("doctor", "--json", code=1).object["findings"]
    assert not [item for item in late if item["kind"] == "marker"]


def test_a_part_that_cannot_be_looked_at_is_a_finding_and_the_others_are_told(open_desk: OpenDesk) -> None:
    """Rules that may not be read are no all-clear."""
    desk = open_desk(0, faults=FaultPlan([FaultRule("status", path="/triggers", status=403)]))
    desk.configure(OWN_GROUP)
    told = desk("doctor", code=3).out
    assert re.search(r"(?m)^problem  rules: not looked at: .*triggers", told)
    assert "no group 99" in told
    assert "conflict" not in told
    desk.environ["ZENDESK_URL"] = "http://127.0.0.1:9"
    told = desk("doctor", code=3).out
    assert re.search(r"(?m)^problem  helpdesk: Zendesk at http://127.0.0.1:9", told)
    assert "problem  account: not looked at" in told
    assert "general: has no examples" in told


def test_a_helpdesk_that_does_not_show_us_our_user_is_a_finding_and_the_others_are_told(bare: Command) -> None:
    bare.configure(OWN_GROUP)
    server = ScriptedServer(reply({"items": [], "total": 0}), reply({"items": []}), reply({}, status=404))
    account = {"RT_URL": server.url.removesuffix("/v1"), "RT_TOKEN": f"1-3-{'a' * 16}", "RT_USER": "misspelt"}
    try:
        told = bare("doctor", code=3, TICKETBOT_HELPDESK="request-tracker", **account).out
    finally:
        server.close()
    assert "problem  account: not looked at: Request Tracker" in told
    assert "general: has no examples" in told


def test_wrong_settings_are_findings_and_what_needs_no_helpdesk_is_told(bare: Command) -> None:
    bare.configure(OWN_GROUP)
    told = bare("doctor", code=2).out
    assert "problem  settings: no credentials" in told
    assert "general: has no examples" in told
    bare.configure("nonsense = 1")
    ended = bare("doctor", "--json", code=2).object
    assert {item["part"] for item in ended["findings"]} == {"settings"}


def test_offline_asks_nobody_and_looks_at_all_the_rest(smart: Desk) -> None:
    smart.configure(OWN_GROUP + '[knowledge]\nfolders = ["help"]\n')
    told = smart("doctor", "--offline", "--json", code=None).object
    assert smart.seen == []
    assert {"categories", "articles", "health"} == {item["part"] for item in told["findings"]}


def test_the_local_helpdesk_is_looked_at_without_rules(bare: Command) -> None:
    bare("init", "--helpdesk", "local")
    told = bare("doctor", "--json").object
    assert told["read"] == {}
    assert told["problems"] == 0


@pytest.fixture
def fresh(tmp_path: Path) -> Iterator[FreshDesk]:
    with freshdesk(tmp_path) as found:
        yield found


def test_statuses_of_the_accounts_own_that_count_as_on_hold_are_named(fresh: FreshDesk) -> None:
    choices = next(row for row in fresh.sandbox.store.ticket_fields if row["type"] == "default_status")["choices"]
    choices["8"] = ["New", "Being Processed"]
    assert "statuses of the account's own count as on hold: 8 (New)\n  to do: name those" in fresh("doctor").out
    fresh.configure("[freshdesk]\nopen_statuses = [8]\n")
    assert "on hold" not in fresh("doctor").out
