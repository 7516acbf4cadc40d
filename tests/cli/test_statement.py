"""The statement at a run's end, by the real command: what it says, what it reads for it, and what follows from it."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from ticket_processor.sandbox.fill import fill
from ticket_processor.sandbox.messages import Request

from .conftest import Desk, rows


def audits_read(desk: Desk) -> int:
    return sum("/audits" in line for line in desk.helpdesk_requests())


def with_jobs(desk: Desk) -> None:
    """Everything goes in jobs, and the first of them have shown that they can be trusted."""
    (desk.folder / "ticketbot.toml").write_text('[run]\nwrite_mode = "batch"\n', encoding="utf-8")
    desk("run", "--since", "1d")
    fill(desk.sandbox, [{**row, "age": 0.0} for row in rows(4)])
    desk.advance(120)
    desk.seen.clear()


def new_rules(desk: Desk, **rules: Any) -> None:
    desk.sandbox.zendesk.rules = replace(desk.sandbox.zendesk.rules, **rules)


@pytest.mark.parametrize(("verify", "read"), [("all", 6), ("sample", 3), ("none", 0)])
def test_a_run_swears_to_what_it_wrote_and_reads_as_many_back_as_it_was_told(
    desk: Desk, verify: str, read: int
) -> None:
    (desk.folder / "ticketbot.toml").write_text("[run]\nverify_sample = 3\n", encoding="utf-8")
    ended = desk("run", "--since", "1d", "--verify", verify)
    zeros = "0 human values changed, 0 foreign tags removed, 0 public comments"
    assert f"  statement: 6 written, {read} read back: {zeros}\n" in ended.out
    assert audits_read(desk) == read
    (line,) = desk.events("run_finished")
    assert (line["statement"]["written"], line["statement"]["checked"]) == (6, read)
    (plain,) = desk.logs.glob("*.log")
    assert f"; 6 written, {read} read back: {zeros}; exit code 0" in plain.read_text(encoding="utf-8")


def test_a_dry_run_and_a_run_without_writes_swear_to_nothing(desk: Desk) -> None:
    dry = desk("run", "--since", "1d", "--dry-run", "--json")
    assert dry.object["statement"] is None
    desk("run", "--since", "1d", "--json")
    idle = desk("run")
    assert "statement" not in idle.out


def test_people_who_edit_in_between_change_nothing_about_the_zeros(desk: Desk) -> None:
    store = desk.sandbox.store

    def meddle(request: Request) -> None:
        if request.method == "PUT":
            number = int(request.path.rsplit("/", 1)[1])
            if len(store.tickets[number].audits) < 2:
                store.person_edit(number, add_tags=("vip",), priority="low")

    desk.sandbox.on_request.append(meddle)
    ended = desk("run", "--since", "1d", "--verify", "all", "--json", code=None).object
    assert ended["statement"]["human_values_changed"] == ended["statement"]["foreign_tags_removed"] == 0


@pytest.mark.slow
def test_what_a_job_took_from_a_person_is_sworn_to_and_put_back_by_the_same_run(desk: Desk) -> None:
    with_jobs(desk)
    new_rules(desk, batch_stamps=False)  # whoever edits between our reading and the job is not seen
    store, edited = desk.sandbox.store, []

    def meddle(request: Request) -> None:
        if request.path.endswith("/update_many") and not edited:
            edited.append(min(number for number in desk.tickets if number not in done))
            store.person_edit(edited[0], add_tags=("vip",), priority="low")

    done = set(desk.marked())
    desk.sandbox.on_request.append(meddle)
    ended = desk("run", "--verify", "all", "--json", code=1).object
    (number,) = edited
    assert ended["statement"] == {
        "written": 5,
        "checked": 4,
        "human_values_changed": 1,
        "foreign_tags_removed": 1,
        "public_comments": 0,
        "replaced_by_policy": 0,
        "not_found": 0,
        "tickets": [number],
    }
    (alert,) = [line for line in desk.events("alert") if line["what"] == "overwrote"]
    assert (alert["ticket_id"], alert["parts"]) == (number, ["tags", "priority"])

    assert desk.ticket(number)["priority"] == "low"
    assert {"vip", "ai_processed"} <= set(desk.ticket(number)["tags"])
    assert len(desk.notes(number)) == 1
    assert ended["retry_list"] == 0


@pytest.mark.slow
def test_a_note_that_a_job_made_public_halts_everything_once_it_is_read_back(desk: Desk) -> None:
    with_jobs(desk)
    new_rules(desk, batch_private=False)
    ended = desk("run", "--verify", "all", "--json", code=3).object
    assert ended["statement"]["public_comments"] == 1
    assert "became public" in ended["stopped"]
    assert desk("run", "--json", code=3).object["statement"]["written"] == 0
    assert [line["what"] for line in desk.events("alert")].count("note_published") == 1
