"""What other settings would decide on stored analyses, against what receipts say was decided. Pure."""

from __future__ import annotations

from typing import Any

import pytest

from ticket_processor.audit.receipts import logged_change
from ticket_processor.core.models import Analysis, Ticket
from ticket_processor.policy.decide import decide
from ticket_processor.reporting.what_if import TRIAGED_AGAIN, UNREADABLE, WhatIf, what_if
from ticket_processor.settings.schema import Settings
from ticket_processor.tags import merge

from ..support.log_days import receipt

MARKER = "ai_processed"


def written(number: int, settings: Settings, **facts: Any) -> dict[str, Any]:
    """The receipt of a ticket that these settings decided, merged and written as a run does."""
    before = facts.pop("before", {})
    line = receipt(number, "11-20 08:00", **facts)
    decision = decide(number, Analysis.model_validate(line["analysis"]), settings.policy, settings.taxonomy)
    ticket = Ticket(id=number, created_at="", updated_at="", **before)
    return line | {"change": logged_change(merge(ticket, decision, key="k"))}


def settings_of(**tables: Any) -> Settings:
    return Settings.model_validate(tables)


PLAIN = Settings()


def effects(lines: list[dict[str, Any]], settings: Settings) -> WhatIf:
    return what_if(lines, settings, MARKER)


def test_the_settings_that_decided_would_decide_the_same_again() -> None:
    lines = [
        written(1, PLAIN),
        written(2, PLAIN, urgency="critical", alarms=["legal"]),
        written(3, PLAIN, before={"priority": "low", "group": 5}),
        written(4, PLAIN, confidence=0.2, suspicious=["orders"]),
    ]
    assert effects(lines, PLAIN) == WhatIf(4, {}, {})


@pytest.mark.parametrize(
    ("policy", "expected"),
    [
        ({"review_below": 0.95}, {("tag", "", "ai_review")}),
        ({"note": "never"}, {("note", "one internal note", "")}),
        ({"priority": {"mode": "off"}}, {("priority", "normal", "")}),
        ({"priority": {"threshold": 0.99}}, {("priority", "normal", "")}),
        ({"tag_secondary": True}, {("tag", "", "ai_also_refund")}),
    ],
)
def test_each_difference_is_told_with_the_value_then_and_now(policy: Any, expected: set[Any]) -> None:
    found = effects([written(1, PLAIN, secondary=["refund"])], settings_of(policy=policy))
    assert found.compared == 1
    assert {*found.changed[1]} == expected
    assert found.kinds == {effect[0]: 1 for effect in expected}


def test_a_value_that_a_person_had_set_stays_theirs_in_the_comparison() -> None:
    line = written(1, settings_of(policy={"priority": {"mode": "off"}}), before={"priority": "low"})
    assert effects([line], PLAIN).changed == {}
    assert effects([line], settings_of(policy={"priority": {"overwrite": "always"}})).changed == {
        1: (("priority", "", "normal"),)
    }


def test_what_cannot_be_compared_is_counted_and_the_rest_is_compared() -> None:
    again = written(2, PLAIN)
    again["change"]["tags_added"] = ["ai_urgency_high"]
    odd = written(3, PLAIN)
    odd["analysis"]["urgency"] = "someday"
    erased = written(4, PLAIN)
    for name in ("summary", "evidence", "entities"):
        del erased["analysis"][name]
    nothing = receipt(5, "11-20 08:00", "skipped", analysis=None, change=None)
    tried = written(6, PLAIN) | {"dry_run": True}
    altered = [written(7, PLAIN) | part for part in ({"change": "x"}, {"change": {"tags_added": 5}}, {"ticket_id": []})]
    found = effects([*altered, written(1, PLAIN), again, odd, erased, nothing, tried], PLAIN)
    assert found == WhatIf(2, {}, {TRIAGED_AGAIN: 1, UNREADABLE: 2})
