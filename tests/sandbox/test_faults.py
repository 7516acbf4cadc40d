"""Each kind of scripted misbehaviour, the plan's text, hooks, and repeatability."""

from __future__ import annotations

from typing import Any

import pytest

from ..imitation import FaultPlan
from .helpers import Desk

CHANGE: dict[str, Any] = {"tags": ["mine"]}


def desk_with(faults: str | FaultPlan, **options: Any) -> Desk:
    return Desk(faults=faults, **options)


@pytest.mark.parametrize(
    ("kind", "status", "fate", "done", "content"),
    [
        ("lost-request", 0, "drop", False, ""),
        ("lost-reply", 200, "drop", True, "application/json"),
        ("half-body", 200, "half", True, "application/json"),
        ("error-before", 503, "reply", False, "text/plain"),
        ("error-before:status=504", 504, "reply", False, "text/plain"),
        ("error-after", 500, "reply", True, "text/plain"),
        ("conflict", 409, "reply", False, "application/json"),
        ("html", 200, "reply", False, "text/html"),
        ("not-json-4xx", 400, "reply", False, "text/plain"),
        ("unauthorised", 401, "reply", False, "application/json"),
        ("status:status=418", 418, "reply", False, "application/json"),
        ("slow:seconds=3600", 200, "reply", True, "application/json"),  # described, and not waited for
    ],
)
def test_a_fault_strikes_before_or_after_the_work(kind: str, status: int, fate: str, done: bool, content: str) -> None:
    desk = desk_with(f"{kind}:PUT:times=1")
    answer = desk.put(1, **CHANGE)
    assert (answer.status, answer.fate, answer.delay) == (status, fate, 3600.0 if "slow" in kind else 0.0)
    assert answer.headers.get("Content-Type", "").startswith(content)
    assert desk.tags(1) == (["mine"] if done else [])
    if kind == "conflict":
        assert answer.json() == {"error": "DatabaseConflict", "description": "Database collision"}
    assert desk.put(1, **CHANGE).fate == "reply"


def test_a_late_commit_lands_later_and_with_that_moments_stamp() -> None:
    desk = desk_with("late-commit:PUT:seconds=20:times=1")
    assert desk.put(1, **CHANGE).fate == "drop"
    assert desk.tags(1) == []
    desk.clock.advance(19)
    assert desk.get("tickets/1")["ticket"]["tags"] == []
    desk.clock.advance(60)
    ticket = desk.get("tickets/1")["ticket"]
    assert (ticket["tags"], ticket["updated_at"]) == (["mine"], "2026-11-21T03:30:20Z")


def test_the_same_seed_meets_the_same_faults() -> None:
    def run(seed: int) -> list[tuple[int, str]]:
        desk = desk_with("lost-reply=0.3,error-before=0.3", seed=seed, plan="unlimited")
        answers = [desk.put(1 + number % 3, subject=f"s{number}") for number in range(60)]
        return [(answer.status, answer.fate) for answer in answers]

    assert run(1) == run(1)
    assert run(1) != run(2)
    assert len(set(run(1))) == 3


def test_the_compact_text_is_read_rule_by_rule() -> None:
    plan = FaultPlan.parse("lost-reply=0.05, error-before=0.02:seconds=1, slow=0.1:put:/tickets/")
    assert [(rule.kind, rule.probability) for rule in plan.rules] == [
        ("lost-reply", 0.05),
        ("error-before", 0.02),
        ("slow", 0.1),
    ]
    assert (plan.rules[2].method, plan.rules[2].path) == ("PUT", "/tickets/")
    assert FaultPlan.parse("").rules == []


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("explode", "unknown fault 'explode'; the faults are lost-request"),
        ("slow=2", "between 0 and 1"),
        ("slow=often", "probability must be a number"),
        ("slow:colour=red", "no option 'colour'"),
        ("slow:???", "no method, no /path"),
        ("slow:/(", "no regular expression"),
        ("rate-limit:retry_after=maybe", "retry_after is one of"),
    ],
)
def test_a_plan_with_a_mistake_says_what_is_wrong(text: str, complaint: str) -> None:
    with pytest.raises(ValueError, match=complaint.replace("(", r"\(").replace("?", r"\?")):
        FaultPlan.parse(text)
