"""``ticketbot eval``: analysers on labelled files, and on solved tickets, of which nothing is written."""

from __future__ import annotations

import json
import re
import tomllib
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from ticket_processor.sandbox.fill import fill

from .conftest import Command, Desk, OpenDesk

KINDS = (
    ("Charged twice", "I was charged twice for my subscription. Please check my invoice.", "billing", "high"),
    ("Error on login", "The app shows an error and crashes whenever I start it.", "technical", "urgent"),
    ("Where is my order?", "My parcel has not arrived, the tracking page says nothing.", "order", "normal"),
    ("Refund please", "I want my money back, please refund the amount.", "refund", "low"),
)
GROUP = 8002
REQUESTER = {"name": "Melody Makerson", "email": "melody@example.com"}
TAXONOMY = """
fallback_category = "general"
[[categories]]
name = "billing"
description = "Invoices and charges"
tag = "money"
keywords = { en = ["charged", "invoice"] }
[[categories]]
name = "technical"
description = "It does not work"
group = 8002
keywords = { en = ["crashes", "error"] }
[[categories]]
name = "order"
description = "Orders and parcels"
tag = "parcels"
keywords = { en = ["parcel"] }
[[categories]]
name = "refund"
description = "Money back"
tag = "money_back"
keywords = { en = ["refund"] }
[[categories]]
name = "general"
description = "The rest"
"""
PEOPLE: dict[str, dict[str, Any]] = {
    "billing": {"add_tags": ["money"]},
    "technical": {"group_id": GROUP},
    "order": {"add_tags": ["parcels"]},
    "refund": {"add_tags": ["money_back"]},
}


def solved_by_people(desk: Desk, *, count: int = 40) -> list[int]:
    """Tickets that people labelled, and solved some time ago."""
    desk.configure(TAXONOMY)
    rows = [
        {"subject": f"{kind[0]} ({n})", "body": kind[1], "age": 40_000.0 - n, "channel": "web", "requester": REQUESTER}
        for n, kind in numbered(count)
    ]
    numbers = fill(desk.sandbox, rows)
    for number, (_, (_, _, category, priority)) in zip(numbers, numbered(count), strict=True):
        desk.sandbox.store.person_edit(number, priority=priority, status="solved", **PEOPLE[category])
    desk.advance(600)
    return numbers


def numbered(count: int) -> list[tuple[int, tuple[str, str, str, str]]]:
    return [(n, KINDS[n % 4]) for n in range(count)]


def assert_only_read(desk: Desk, before: int) -> None:
    """Nothing but reads reached the helpdesk, and no ticket has a change more than people made."""
    asked = desk.helpdesk_requests()
    assert [line for line in asked if not line.startswith("GET ")] == ["POST /oauth/tokens"]
    assert len(desk.sandbox.store.history) == before


def test_people_are_the_truth_and_nothing_is_written(open_desk: OpenDesk) -> None:
    desk = open_desk(6)  # new tickets, which are nobody's evidence
    solved_by_people(desk)
    before = len(desk.sandbox.store.history)
    told = desk("eval", "--from-helpdesk", "--since", "90d", "--precision", "0.65", "--json").object
    assert_only_read(desk, before)
    assert (told["read"], told["compared"], told["left_out"]) == (40, 40, {})
    assert told["category_by"] == {"tag": 30, "group": 10}
    (rules,) = told["analysers"]
    fields = rules["sources"][0]["fields"]
    assert fields["category"]["accuracy"] == 1
    assert {label: one["support"] for label, one in fields["category"]["labels"].items()} == {
        "billing": 10,
        "order": 10,
        "refund": 10,
        "technical": 10,
    }
    assert set(fields["urgency"]["confusion"]) == {"critical", "high", "medium", "low"}
    assert fields["category"]["thresholds"]["labels"]["billing"]["precision"] == 1
    policy = tomllib.loads(told["policy"]["rules"])["policy"]
    assert policy["rules_may_set"] == ["tags", "priority", "group", "fields"]
    assert policy["tags"] == policy["group"] == policy["fields"] == {"threshold": policy["tags"]["threshold"]}
    assert not desk.state.exists() or not list(desk.state.glob("*.lock"))
    assert not desk.logs.exists()

    ended = desk("eval", "--from-helpdesk", "--precision", "0.65")
    assert "40 solved and closed tickets created since" in ended.out
    assert "category is from a tag (30), the group (10)" in ended.out
    assert "apply from which confidence for a precision of 65%" in ended.out
    assert re.search(r"all \(policy\.tags\)\s+0\.\d\d\s+1\.000", ended.out)
    assert "[policy.priority]" in ended.out
    assert "charged twice for my" not in ended.out


def test_our_own_labels_are_no_evidence_unless_asked_for(open_desk: OpenDesk) -> None:
    desk = open_desk(0)
    desk.configure(TAXONOMY)
    numbers = fill(
        desk.sandbox,
        [{"subject": f"{kind[0]} ({n})", "body": kind[1], "age": 7200.0 - n} for n, kind in numbered(24)],
    )
    desk("run", "--since", "1d", "--quiet")
    desk.assert_done(numbers)
    desk.advance(60)
    for number in numbers:
        desk.sandbox.store.person_edit(number, status="solved")
    for number in numbers[:12:4]:
        desk.sandbox.store.person_edit(number, add_tags=["money_back"], remove_tags=["money"])
    desk.advance(600)
    desk.seen.clear()

    refused = desk("eval", "--from-helpdesk", code=2)
    assert "24 triaged by ticketbot" in refused.err
    assert "learn collect" in refused.err
    desk("learn", "collect")

    before = len(desk.sandbox.store.history)
    desk.seen.clear()
    told = desk("eval", "--from-helpdesk", "--json").object
    assert_only_read(desk, before)
    assert (told["compared"], told["ours"]) == (24, 24)
    category = told["analysers"][0]["sources"][0]["fields"]["category"]
    assert category["confusion"]["refund"] == {"billing": 3, "refund": 6}


def test_a_model_sees_the_tickets_redacted_and_the_report_shows_them_so(open_desk: OpenDesk, tmp_path: Path) -> None:
    desk = open_desk(0, model=True)
    numbers = solved_by_people(desk, count=8)
    secret = "melody.maker@example.org"
    for number in numbers:
        desk.ticket(number)["description"] += f" Write to {secret}. Yours, Melody Makerson, of the crew"
    ended = desk("eval", "--from-helpdesk", "--analyser", "chain", "--out", "report.html", "--show-errors")
    asked = desk.model_requests()
    assert len(asked) == 8
    told = "".join(request.body.decode() for request in asked)
    assert secret not in told
    assert "Makerson" not in told
    assert secret not in (tmp_path / "report.html").read_text(encoding="utf-8")
    assert secret not in ended.out + ended.err


def labelled(folder: Path) -> Path:
    rows = [
        {"id": f"r{n}", "subject": kind[0], "body": f"{kind[1]} ({n})", "category": kind[2]} for n, kind in numbered(4)
    ]
    path = folder / "rows.jsonl"
    path.write_text("".join(json.dumps(row) + "\n" for row in rows), "utf-8")
    return path


def test_a_model_that_is_not_in_the_settings_can_be_named(open_desk: OpenDesk, tmp_path: Path) -> None:
    desk = open_desk(0, model=True)
    path = str(labelled(tmp_path))
    environ = {"TICKETBOT_MODELS": "", "OPENAI_BASE_URL": f"{desk.url}/v1"}
    told = desk("eval", path, "--analyser", "model:sandbox-model", "--analyser", "rules", "--json", **environ).object
    assert told["analysers"][0]["sources"][0]["answered_by"] == {"sandbox-model": 4}


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["missing.jsonl"], "missing.jsonl cannot be read"),
        (["rows.csv"], "read from .jsonl or .jsonl.gz"),
        (["rows.jsonl", "--analyser", "oracle"], "--analyser oracle: none of chain, rules, classifier, model:NAME"),
        (["rows.jsonl", "--analyser", "classifier"], "classifier"),
        (["rows.jsonl", "--show-errors"], "--out"),
    ],
)
def test_a_wrong_command_line_is_told_in_a_sentence(
    bare: Command, tmp_path: Path, arguments: Sequence[str], message: str
) -> None:
    labelled(tmp_path)
    ended = bare("eval", *arguments, code=2)
    assert message in ended.err
    assert ended.out == ""
