"""``ticketbot undo`` over HTTP: what comes back, what stays with people, and what it says."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from .conftest import Desk, OpenDesk, wait_for

AREA, ORDER, FINANCE = 2001, 2002, 8002
CONFIG = f"""
[run]
statuses = ["new", "open"]
[policy]
priority = {{ overwrite = "always" }}
group = {{ overwrite = "always" }}
fields = {{ overwrite = "always" }}
[[categories]]
name = "billing"
description = "Charges and invoices."
keywords = {{ en = ["charged ~ twice"] }}
tag = "finance"
group = {FINANCE}
fields = {{ {AREA} = "area_web_shop", {ORDER} = "to be asked" }}
[[categories]]
name = "general"
description = "Everything else."
"""
"""Everything may be overwritten, so that there are values of people's to be given back."""
Account = Callable[..., Desk]


@pytest.fixture
def at_account(open_desk: OpenDesk) -> Account:
    """Make a command pointed at an account with so many tickets, on some of which people have set values."""

    def make(count: int = 6, config: str = CONFIG) -> Desk:
        desk = open_desk(count)
        desk.configure(config)
        for number in list(desk.tickets)[::3]:
            values = {AREA: "area_app", ORDER: f"A-{number}"}
            desk.sandbox.store.person_edit(number, add_tags=("vip",), priority="urgent", custom_fields=values)
        desk.advance(600)
        return desk

    return make


def shown(desk: Desk) -> dict[int, dict[str, Any]]:
    """What a run may change of each ticket."""
    names = ("priority", "group_id", "custom_fields")
    return {
        number: {"tags": set(ticket.tags), **{name: ticket.json[name] for name in names}}
        for number, ticket in desk.tickets.items()
    }


def triaged(desk: Desk) -> str:
    """The id of a first run over all tickets, which have rested since."""
    run = desk("run", "--since", "1d", "--json").object
    assert set(run["outcomes"]) == {"updated"}
    desk.advance(600)
    return str(run["run_id"])


def undo_notes(desk: Desk, number: int) -> list[dict[str, Any]]:
    return [note for note in desk.notes(number) if note["plain_body"].startswith("Undo of run ")]


def test_what_was_taken_back_is_triaged_anew_when_somebody_asks_for_it(at_account: Account) -> None:
    desk = at_account()
    assert "only receipts tell what a run wrote" in desk("run", "--again-run", "2020", code=2).err
    run = triaged(desk)
    after = shown(desk)
    desk("undo", run)
    desk.advance(600)
    first = min(desk.tickets)
    assert "left alone (ticketbot has triaged the ticket before)" in desk("run", "--ticket", str(first)).out
    assert "1 updated" in desk("run", "--ticket", str(first), "--again").out
    assert (shown(desk)[first], len(desk.notes(first))) == (after[first], 3)
    desk.advance(600)
    again = desk("run", "--again-run", run, "--json").object
    assert again["outcomes"] == {"updated": 5, "skipped": 1}
    assert shown(desk) == after
    desk.advance(600)
    desk("undo", str(again["run_id"]))
    marked = {number for number, ticket in desk.sandbox.store.tickets.items() if "ai_processed" in ticket.tags}
    assert marked == {first}


def test_json_tells_each_ticket_by_its_parts(at_account: Account) -> None:
    desk = at_account(3)
    run = triaged(desk)
    desk.sandbox.store.person_edit(2, priority="low")
    desk.advance(60)
    assert "did not write on ticket 99" in desk("undo", run, "--ticket", "99", code=2).err
    told = desk("undo", run, "--ticket", "1", "--ticket", "2", "--json").object
    assert desk.marked() == [3]
    assert (told["undoes"], told["dry_run"], told["exit_code"]) == (run, False, 0)
    assert told["run_id"] == desk.events("run_started")[-1]["run_id"]
    first, second = sorted(told["tickets"], key=lambda row: row["ticket_id"])
    assert (first["outcome"], first["left"]) == ("taken_back", [])
    assert "ai_processed" in first["taken_back"]["tags_off"]
    assert first["taken_back"]["group"]["from"] == FINANCE
    assert ORDER in first["taken_back"]["fields"]
    assert second["left"] == [{"part": "priority", "why": "changed_since"}]
    assert told["in_part"] == 1


@pytest.mark.slow
@pytest.mark.parametrize(("mode", "nth"), [("single", 1), ("single", 12), ("batch", 1)])
def test_after_a_kill_the_same_command_ends_it_with_one_note_each(at_account: Account, mode: str, nth: int) -> None:
    desk = at_account(30, CONFIG.replace("[run]\n", f'[run]\nwrite_mode = "{mode}"\n'))
    before = shown(desk)
    run = triaged(desk)
    begun = desk.when(lambda request: request.method == "PUT", nth=nth)
    process = desk.start("undo", run)
    wait_for(begun, process)
    process.kill()
    desk.end(process, code=None)
    desk.advance(60)
    ended = desk("undo", run)
    assert " failed" not in ended.out
    assert shown(desk) == before
    assert all(len(undo_notes(desk, number)) == 1 for number in desk.tickets)
    desk.advance(600)
    desk("run")
    assert shown(desk) == before
