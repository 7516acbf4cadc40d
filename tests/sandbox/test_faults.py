"""Each kind of scripted misbehaviour, and what is said of a plan with a mistake."""

from __future__ import annotations

from typing import Any

import pytest

from ..imitation import FaultPlan
from .helpers import Desk

CHANGE: dict[str, Any] = {"tags": ["mine"]}


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
    desk = Desk(faults=f"{kind}:PUT:times=1")
    answer = desk.put(1, **CHANGE)
    assert (answer.status, answer.fate, answer.delay) == (status, fate, 3600.0 if "slow" in kind else 0.0)
    assert answer.headers.get("Content-Type", "").startswith(content)
    assert desk.tags(1) == (["mine"] if done else [])
    if kind == "conflict":
        assert answer.json() == {"error": "DatabaseConflict", "description": "Database collision"}
    assert desk.put(1, **CHANGE).fate == "reply"


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("explode", "unknown fault 'explode'; the faults are lost-request"),
        ("slow=2", "between 0 and 1"),
        ("slow=often", "probability must be a number"),
        ("slow:colour=red", "no option 'colour'"),
        ("slow:???", "no method, no /path"),
        ("slow:/(", "no regular expression"),
    ],
)
def test_a_plan_with_a_mistake_says_what_is_wrong(text: str, complaint: str) -> None:
    with pytest.raises(ValueError, match=complaint.replace("(", r"\(").replace("?", r"\?")):
        FaultPlan.parse(text)
