"""``policy.tag_secondary``: the second category as one of our tags, by the real command."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from ..imitation import FaultPlan
from .conftest import Desk, OpenDesk, is_update
from .test_second_look import DOWN, forget_the_breaker

ON = "[policy]\ntag_secondary = true\n"
BOTH = "I was charged twice on my invoice this month, I want my money back. Please refund one of the two payments."
TICKETS = (
    {"subject": "Invoice and refund", "body": BOTH, "age": 7200.0},
    {"subject": "Thank you", "body": "All is well.", "age": 7100.0},
)
_KEY = re.compile(r"\b(tb-[0-9a-f]{8}|[0-9a-f]{32}|\d{8}T\d{6}Z-[0-9a-f]{6}-\d+)\b")
Account = Callable[..., Desk]


@pytest.fixture
def account(open_desk: OpenDesk) -> Account:
    """Make an account with a ticket that two categories fit, and settings."""

    def make(toml: str) -> Desk:
        desk = open_desk(TICKETS)
        (desk.folder / "ticketbot.toml").write_text(toml, encoding="utf-8")
        return desk

    return make


def run(desk: Desk, *arguments: str) -> str:
    told = desk("run", *arguments, "--json").object
    desk.advance(600)
    return str(told["run_id"])


def second(desk: Desk, number: int = 1) -> list[str]:
    return [tag for tag in desk.ticket(number)["tags"] if tag.startswith("ai_also_")]


def named(desk: Desk, number: int = 1) -> str:
    """The tag for the second category that the ticket's last receipt names."""
    lines = [line for line in desk.events("ticket") if line["ticket_id"] == number]
    return f"ai_also_{lines[-1]['analysis']['secondary'][0]}"


def plain(value: Any) -> Any:
    """What was sent or logged, without times and the keys made of them, and without tags of second categories."""
    if isinstance(value, dict):
        return {name: plain(item) for name, item in value.items() if "stamp" not in name}
    if isinstance(value, list):
        return [plain(item) for item in value if not str(item).startswith("ai_also_")]
    return _KEY.sub("KEY", value) if isinstance(value, str) else value


def wrote(desk: Desk) -> list[Any]:
    """The updates that were sent, and the receipts, all of it :func:`plain`."""
    sent = [json.loads(request.body) for request in desk.seen if is_update(request)]
    receipts = [[line["ticket_id"], line["outcome"], line["reason"], line["change"]] for line in desk.events("ticket")]
    return sorted((plain(item) for item in (*sent, *receipts)), key=json.dumps)


@pytest.mark.slow
def test_only_where_it_is_wanted_and_then_it_is_all_that_differs(tmp_path: Path, open_desk: OpenDesk) -> None:
    desks = []
    for name, toml in (("none", ""), ("off", "[policy]\ntag_secondary = false\n"), ("on", ON)):
        desk = open_desk(TICKETS)
        desk.folder = tmp_path / name
        desk.folder.mkdir()
        (desk.folder / "ticketbot.toml").write_text(toml, encoding="utf-8")
        run(desk, "--since", "1d")
        desks.append(desk)
    none, off, on = map(wrote, desks)
    assert none == off == on
    assert [second(desk) for desk in desks] == [[], [], [named(desks[2])]]
    assert second(desks[2], 2) == []
    assert sum(named(desks[2]) in line["change"]["tags_added"] for line in desks[2].events("ticket")) == 1


def test_undo_takes_it_back_and_leaves_one_that_was_there(account: Account) -> None:
    desk = account(ON)
    desk.sandbox.store.person_edit(2, add_tags=("ai_also_order",))
    desk.advance(600)
    run(desk, "--since", "1d")
    assert [second(desk, 1), second(desk, 2)] == [[named(desk)], ["ai_also_order"]]
    desk("undo", "latest")
    assert [second(desk, 1), second(desk, 2)] == [[], ["ai_also_order"]]


def test_triaged_anew_it_is_replaced_and_what_a_person_took_off_stays_off(account: Account) -> None:
    desk = account(ON)
    desk.sandbox.store.person_edit(1, add_tags=("ai_also_order",))
    desk.advance(600)
    run(desk, "--since", "1d")
    assert second(desk) == ["ai_also_order", named(desk)]
    (desk.folder / "ticketbot.toml").write_text("", encoding="utf-8")
    run(desk, "--ticket", "1", "--again")
    assert second(desk) == ["ai_also_order"]  # a person's stays
    (desk.folder / "ticketbot.toml").write_text(ON, encoding="utf-8")
    run(desk, "--ticket", "1", "--again")
    assert second(desk) == ["ai_also_order", named(desk)]
    desk.sandbox.store.person_edit(1, remove_tags=(named(desk),))
    desk.advance(600)
    run(desk, "--ticket", "1", "--again")
    assert second(desk) == ["ai_also_order"]


@pytest.mark.slow
def test_a_second_look_replaces_it(open_desk: OpenDesk) -> None:
    desk = open_desk(TICKETS, model=True)
    (desk.folder / "ticketbot.toml").write_text(ON, encoding="utf-8")
    desk.sandbox.faults = FaultPlan(DOWN, 0)
    run(desk, "--since", "1d")
    assert second(desk) == [named(desk)]
    assert "ai_fallback" in desk.ticket(1)["tags"]
    desk.sandbox.faults = FaultPlan()
    forget_the_breaker(desk)
    run(desk, "--retry-fallbacks")
    assert "ai_fallback" not in desk.ticket(1)["tags"]
    last = [line["analysis"] for line in desk.events("ticket") if line["ticket_id"] == 1][-1]
    assert last["source"] == "model"
    assert second(desk) == [f"ai_also_{name}" for name in last["secondary"][:1]]
