"""``ticketbot doctor`` against an imitated Freshdesk account and its automation rules."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from .freshdesk_desk import FreshDesk, freshdesk

UPDATE, HOURLY = 4, 3
MAIL = {"field_name": "send_email_to_requester", "email_subject": "Hello", "email_body": "We are on it."}


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[FreshDesk]:
    with freshdesk(tmp_path) as found:
        yield found


def where(field: str, operator: str, value: Any) -> list[dict[str, Any]]:
    one = {"resource_type": "ticket", "field_name": field, "operator": operator, "value": value}
    return [{"name": "condition_set_1", "match_type": "all", "properties": [one]}]


def plant(desk: FreshDesk, kind: int, name: str, **rule: Any) -> None:
    kept = desk.sandbox.desk.automations[kind]
    row = {"id": 100 * kind + len(kept), "name": name, "active": True, "performer": {"type": 1}, "events": []}
    kept.append({**row, "conditions": [], "actions": [MAIL], **rule})


def test_rules_that_our_updates_set_off_are_named_and_others_are_not(desk: FreshDesk) -> None:
    raised = [{"field_name": "priority", "from": 1, "to": 4}]
    plant(desk, UPDATE, "Urgent now", events=raised)
    plant(desk, UPDATE, "Tagged", conditions=where("tag_names", "in", ["ai_refund"]))
    plant(desk, UPDATE, "Less urgent", events=raised, actions=[{"field_name": "priority", "value": 2}])
    plant(desk, HOURLY, "Late and urgent", conditions=where("priority", "in", [4]))
    plant(desk, UPDATE, "Customer again", performer={"type": 2})
    plant(desk, UPDATE, "Solved", events=[{"field_name": "status", "from": "--", "to": 4}])
    plant(desk, UPDATE, "Answered", events=[{"field_name": "reply_sent"}])
    plant(desk, UPDATE, "Other tag", events=[{"field_name": "status", "from": 2, "to": 3}])
    plant(desk, UPDATE, "Off", active=False)
    told = desk("doctor", "--json", code=1).object
    rules = [item for item in told["findings"] if (item["part"], item["severity"]) == ("rules", "problem")]
    assert {item["what"].split("'")[1]: item["kind"] for item in rules} == {
        "Urgent now": "customer",
        "Tagged": "customer",
        "Less urgent": "fight",
        "Late and urgent": "customer",
    }
    assert desk.writes() == []


def test_two_sets_of_conditions_are_joined_as_the_rule_says(desk: FreshDesk) -> None:
    sets = [*where("priority", "in", [4]), *where("status", "in", [5])]
    plant(desk, UPDATE, "Both", conditions=sets, operator="condition_set_1 and condition_set_2")
    assert desk("doctor", "--json").object["conflicts"] == 0
    plant(desk, UPDATE, "One of them", conditions=sets, operator="condition_set_1 or condition_set_2")
    assert desk("doctor", "--json", code=1).object["conflicts"] == 1


def test_a_key_that_may_not_see_rules_is_no_all_clear(tmp_path: Path) -> None:
    with freshdesk(tmp_path, bot_role="agent") as desk:
        assert "automation rules" in desk("doctor", code=3).out


def test_statuses_of_the_accounts_own_that_count_as_on_hold_are_named(desk: FreshDesk) -> None:
    choices = next(row for row in desk.sandbox.desk.ticket_fields if row["type"] == "default_status")["choices"]
    choices["8"] = ["New", "Being Processed"]
    assert "statuses of the account's own count as on hold: 8 (New)\n  to do: name those" in desk("doctor").out
    desk.configure("[freshdesk]\nopen_statuses = [8]\n")
    assert "on hold" not in desk("doctor").out
