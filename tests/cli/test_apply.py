"""``ticketbot apply``: what a backfill decided, written exactly once, and nothing else."""

from __future__ import annotations

import json
from typing import Any

import pytest

from ticket_processor.audit.lines import encode
from ticket_processor.pipeline.backfill.results_file import SEAL, Seals
from ticket_processor.sandbox.store import BOT_ID

from .conftest import Desk, OpenDesk, is_update, wait_for
from .solved_history import BACKFILL, FILE, add_solved, lines

TAXONOMY = """
fallback_category = "general"
[[categories]]
name = "billing"
description = "Invoices and charges"
tag = "finance"
group = 8002
fields = { 2001 = "area_app" }
keywords = { en = ["charged", "invoice"] }
[[categories]]
name = "general"
description = "The rest"
"""


def ours(desk: Desk, number: int) -> list[Any]:
    return [audit for audit in desk.tickets[number].audits if audit.author_id == BOT_ID and audit.custom]


def test_labels_are_written_on_solved_tickets_and_nothing_that_asks_for_work(smart: Desk) -> None:
    numbers = add_solved(smart, 5)
    before = {number: dict(smart.ticket(number)) for number in numbers}
    smart(*BACKFILL)
    ended = smart("apply", FILE)
    assert "5 updated" in ended.out
    for line in lines(smart):
        number = line["ticket_id"]
        after = smart.ticket(number)
        assert set(after["tags"]) == {*before[number]["tags"], *line["decision"]["tags"]}
        assert smart.notes(number) == []
        for name in ("status", "priority", "group_id", "assignee_id"):
            assert after[name] == before[number][name]
        (audit,) = ours(smart, number)
        assert audit.custom["ticketbot"]["key"] == line["key"]
    receipts = smart.events("ticket")
    assert sorted(line["ticket_id"] for line in receipts) == numbers
    assert {line["outcome"] for line in receipts} == {"updated"}
    assert smart.events("run_finished")[0]["cost_usd"] == 0
    smart.assert_done([])
    assert smart.marked() == numbers  # and no open ticket


def test_as_new_the_whole_decision_is_written(smart: Desk) -> None:
    numbers = add_solved(smart, 3)
    smart(*BACKFILL, "--as-new")
    smart("apply", FILE)
    smart.assert_done(numbers)
    assert all(smart.ticket(number)["priority"] for number in numbers)


def test_applying_twice_writes_nothing_the_second_time_even_without_the_state(smart: Desk) -> None:
    numbers = add_solved(smart, 4)
    smart(*BACKFILL)
    smart("apply", FILE)
    changes = len(smart.sandbox.store.history)
    again = smart("apply", FILE, "--json").object
    assert (again["outcomes"], again["reasons"]) == ({"skipped": 4}, {"already_done": 4})
    assert len(smart.sandbox.store.history) == changes
    for path in smart.state.iterdir():
        if path.name != "audit.key":  # with which the file is sealed
            path.unlink()
    smart.sandbox.store.person_edit(numbers[0], remove_tags=["ai_processed"])
    smart.advance(60)
    changes = len(smart.sandbox.store.history)
    again = smart("apply", FILE, "--json").object
    assert again["reasons"] == {"already_done": 4}
    assert len(smart.sandbox.store.history) == changes


def test_people_win_between_backfill_and_apply(open_desk: OpenDesk) -> None:
    desk = open_desk(0)
    edited, reopened, closed, marked, gone = add_solved(desk, 5)
    desk(*BACKFILL)
    desk.sandbox.store.person_edit(edited, add_tags=["vip"], priority="low")
    desk.sandbox.store.person_edit(reopened, status="open")
    desk.sandbox.store.person_edit(closed, status="closed")
    desk.sandbox.store.person_edit(marked, add_tags=["ai_hands_off"])
    desk.sandbox.store.tickets[gone].deleted = True
    desk.advance(60)
    told = desk("apply", FILE, "--json").object
    assert told["outcomes"] == {"updated": 1, "skipped": 4}
    assert told["reasons"] == {"person_was_faster_open": 1, "closed": 1, "hands_off": 1, "deleted": 1}
    assert {"vip", "ai_processed"} <= set(desk.ticket(edited)["tags"])
    assert desk.ticket(edited)["priority"] == "low"
    assert desk.marked() == [edited]


def test_what_was_closed_when_it_was_read_is_not_even_looked_at(open_desk: OpenDesk) -> None:
    desk = open_desk(0)
    add_solved(desk, 4, status="closed")
    desk(*BACKFILL)
    desk.helpdesk_requests()
    told = desk("apply", FILE, "--json").object
    assert told["reasons"] == {"closed": 4}
    assert told["outcomes"] == {"skipped": 4}
    assert not [line for line in desk.helpdesk_requests() if "tickets" in line and "oauth" not in line]


def test_a_dry_run_shows_the_differences_and_writes_nothing(smart: Desk) -> None:
    numbers = add_solved(smart, 3)
    smart(*BACKFILL)
    changes = len(smart.sandbox.store.history)
    ended = smart("apply", FILE, "--dry-run")
    for number in numbers:
        assert f"ticket {number} (by sandbox-model" in ended.out
    assert ended.out.count("+ tag ai_processed") == 3
    assert "+ note" not in ended.out
    told = smart("apply", FILE, "--dry-run", "--json").object
    assert told["outcomes"] == {"planned": 3}
    assert len(told["planned"]) == 3
    assert len(smart.sandbox.store.history) == changes
    assert smart.marked() == []


def test_it_reports_as_an_apply_and_not_as_a_run_that_asked_models(smart: Desk) -> None:
    add_solved(smart, 3)
    smart(*BACKFILL)
    dry = smart("apply", FILE, "--dry-run").out
    assert f"Would apply {FILE}, dry run " in dry
    told = smart("apply", FILE, "--dry-run", "--json").object
    assert (told["answered_by"], told["forecast"], told["cached"]) == ({}, None, 0)
    done = smart("apply", FILE).out
    assert f"Applied {FILE}, run " in done
    for out in (dry, done):
        assert not any(words in out for words in ("understood by", "tokens", "forecast", "known answers"))
    assert smart("apply", FILE, "--json").object["answered_by"] == {}


def test_what_is_written_already_is_one_line_however_much_it_is(smart: Desk) -> None:
    add_solved(smart, 4)
    smart(*BACKFILL)
    smart("apply", FILE, "--limit", "1")
    smart("apply", FILE)
    for path in smart.state.iterdir():
        if path.name != "audit.key":  # with which the file is sealed
            path.unlink()  # now only the helpdesk knows
    again = smart("apply", FILE)
    assert [line for line in again.out.splitlines() if line.startswith("ticket ")] == []
    assert again.out.count("because ticketbot has triaged the ticket before: 4") == 1


def test_a_quiet_apply_prints_failures_only(smart: Desk) -> None:
    first, *rest = add_solved(smart, 3)
    smart(*BACKFILL)
    smart.sandbox.faults = smart.sandbox.faults.parse(f"status:PUT:/tickets/{first}$:status=422", 0)
    ended = smart("apply", FILE, "--quiet", code=1)
    assert ended.out == ""
    assert f"ticket {first}" in ended.err
    assert smart.marked() == rest


def test_limits_get_through_the_file_part_by_part(smart: Desk) -> None:
    numbers = add_solved(smart, 5)
    smart(*BACKFILL)
    for done in (2, 4, 5):
        smart("apply", FILE, "--limit", "2")
        assert len(smart.marked()) == done
    assert smart.marked() == numbers


def test_ticket_fields_and_foreign_tags_of_a_category_are_written_where_there_is_nothing(open_desk: OpenDesk) -> None:
    desk = open_desk(0)
    desk.folder.joinpath("ticketbot.toml").write_text(TAXONOMY, encoding="utf-8")
    (number,) = add_solved(desk, 1)
    desk(*BACKFILL)
    (line,) = lines(desk)
    assert line["decision"]["fields"] == {"2001": "area_app"}
    assert "finance" in line["decision"]["tags"]
    desk("apply", FILE)
    assert {"finance", "area_app"} <= set(desk.ticket(number)["tags"])
    assert {"id": 2001, "value": "area_app"} in desk.ticket(number)["custom_fields"]
    assert desk.ticket(number)["group_id"] is None


@pytest.mark.slow
def test_a_crash_in_the_middle_is_made_good_by_the_same_command(smart: Desk) -> None:
    numbers = add_solved(smart, 8)
    smart(*BACKFILL)
    smart.sandbox.faults = smart.sandbox.faults.parse("slow:PUT:seconds=2", 0)
    third = smart.when(is_update, nth=3)
    process = smart.start("apply", FILE)
    wait_for(third, process)
    process.kill()
    process.wait(timeout=20)
    smart.sandbox.faults.rules.clear()
    smart.advance(30)
    smart("apply", FILE)
    assert smart.marked() == numbers
    assert all(len(ours(smart, number)) == 1 for number in numbers)


@pytest.mark.slow
def test_a_run_and_an_apply_keep_out_of_each_others_way(smart: Desk) -> None:
    add_solved(smart, 2)
    smart(*BACKFILL)
    smart("run", "--since", "1d")
    smart.sandbox.faults = smart.sandbox.faults.parse("slow:PUT:seconds=5:times=1", 0)
    first = smart.when(is_update)
    process = smart.start("apply", FILE)
    wait_for(first, process)
    assert "another run is active" in smart("run", code=75).err
    smart.end(process)


def test_the_next_run_has_nothing_to_make_good(smart: Desk) -> None:
    add_solved(smart, 3)
    smart("run", "--since", "1d")
    smart(*BACKFILL)
    smart("apply", FILE)
    smart.advance(120)
    ended = smart("run")
    assert "nothing to do" in ended.out


def test_a_file_of_another_account_or_another_time_is_refused_with_a_sentence(open_desk: OpenDesk) -> None:
    desk = open_desk(0)
    add_solved(desk, 2)
    desk(*BACKFILL)
    path = desk.folder / FILE
    good = path.read_text(encoding="utf-8")
    first, rest = good.split("\n", 1)
    header = json.loads(first)
    changed = {
        "is about https://other.zendesk.com": {"account": "https://other.zendesk.com"},
        "written by a newer ticketbot": {"ticketbot_backfill": 3},
        "was changed": {"marker": "bot_processed"},
    }
    for words, change in changed.items():
        path.write_text(json.dumps({**header, **change}) + "\n" + rest, encoding="utf-8")
        # As our own program writes them: without spaces.
        path.write_text(path.read_text(encoding="utf-8").replace('{"ticketbot_backfill": ', '{"ticketbot_backfill":'))
        assert words in desk("apply", FILE, code=2).err
    path.write_text(good.replace('"solved"', '"solved",', 1), encoding="utf-8")
    assert "line 2" in desk("apply", FILE, code=2).err
    path.write_text("hello\n", encoding="utf-8")
    assert "holds no results" in desk("apply", FILE, code=2).err
    assert "cannot be read" in desk("apply", "nothing.jsonl", code=2).err
    assert desk.marked() == []
    assert not desk.logs.exists()


def test_of_a_file_made_by_other_settings_is_written_what_todays_settings_still_say(open_desk: OpenDesk) -> None:
    desk = open_desk(0)
    numbers = add_solved(desk, 4)
    desk(*BACKFILL)
    named = {line["ticket_id"]: line["analysis"]["category"] for line in lines(desk)}
    desk.folder.joinpath("ticketbot.toml").write_text(TAXONOMY, encoding="utf-8")
    ended = desk("apply", FILE, code=1)
    assert "have changed since the file was made" in ended.err
    still = {number for number in numbers if named[number] == "general"}
    assert set(desk.marked()) == still
    for number in set(numbers) - still:
        assert f"ticket {number}: failed (refused, line" in ended.err
    desk.folder.joinpath("ticketbot.toml").write_text('[policy]\ntag_prefix = "bot_"\n', encoding="utf-8")
    assert "marks tickets with ai_processed" in desk("apply", FILE, code=2).err


def changed(line: Any, path: str, value: Any) -> Any:
    """A line of the file in which somebody has changed a value."""
    copy = json.loads(json.dumps(line))
    *parents, last = path.split(".")
    inside = copy
    for name in parents:
        inside = inside[name]
    inside[last] = value
    return copy


LINK = "Please sign in again at https://evil.example/login now."
EDITS = {
    "a foreign tag": ("decision.tags", ["ai_processed", "vip", "refund_approved"]),
    "no tag at all": ("decision.tags", []),
    "a group": ("decision.group", 8002),
    "a ticket field": ("decision.fields", {"2001": "area_app"}),
    "an overwriting": ("decision.priority_overwrite", "always"),
    "fields that may be replaced": ("decision.fields_overwrite", "always"),
    "a priority": ("decision.priority", "low"),
    "a status": ("decision.closing", {"status": "solved"}),
    "a link in the note": ("decision.note", LINK),
    "another reason": ("reason", LINK),
    "a link in the summary": ("analysis.summary", LINK),
    "an address in the summary": ("analysis.summary", "Write to jane.doe@example.org"),
    "a card number among the quotes": ("analysis.evidence", ["4111 1111 1111 1111"]),
    "a category of nobody": ("analysis.category", "vip"),
    "a warning of nobody": ("analysis.alarms", ["call_me"]),
    "an entity of nobody": ("analysis.entities", {"link": "x"}),
    "another urgency": ("analysis.urgency", "critical"),
    "more confidence": ("analysis.confidence", 0.999),
}
ONLY_THE_SEAL_KNOWS = {"another ticket": ("ticket_id", 1), "another key": ("key", "0" * 32)}


@pytest.mark.parametrize("resealed", [False, True])
def test_every_line_that_was_edited_is_refused_and_named(smart: Desk, resealed: bool) -> None:
    """Also where whoever edits it has the key: what today's settings would not have made is not written."""
    edits = EDITS if resealed else EDITS | ONLY_THE_SEAL_KNOWS
    numbers = add_solved(smart, len(edits) + 1)
    smart(*BACKFILL, "--as-new")
    path = smart.folder / FILE
    first, whole, *rest = map(json.loads, path.read_text(encoding="utf-8").splitlines())
    seals = Seals([(smart.state / "audit.key").read_bytes().strip()])
    edited = [changed(line, *edit) for line, edit in zip(rest, edits.values(), strict=True)]
    if resealed:
        edited = [
            seals.put_on({name: value for name, value in line.items() if name != SEAL}, first[SEAL]) for line in edited
        ]
    path.write_bytes(b"".join(map(encode, (first, whole, *edited))))
    ended = smart("apply", FILE, "--dry-run", "--json", code=1)
    told = [line for line in ended.err.splitlines() if "failed (refused" in line]
    for number, (line, edit, said) in enumerate(zip(edited, edits, told, strict=True), start=3):
        assert f"ticket {line['ticket_id']}: failed (refused, line {number} of the file: " in said, edit
        if resealed:
            assert "decide otherwise (" in said or "gate on models' answers (" in said, edit
    assert [item["ticket_id"] for item in ended.object["planned"]] == [whole["ticket_id"]]
    assert ended.object["reasons"]["refused"] == len(edits)
    assert LINK not in ended.err
    smart("apply", FILE, code=1)
    assert smart.marked() == [whole["ticket_id"]]
    assert set(numbers) >= {whole["ticket_id"]}


def test_of_an_edited_file_the_other_lines_are_written(smart: Desk) -> None:
    numbers = add_solved(smart, 3)
    smart(*BACKFILL)
    path = smart.folder / FILE
    first, *rest = map(json.loads, path.read_text(encoding="utf-8").splitlines())
    rest[1]["decision"]["tags"].append("vip")
    path.write_bytes(b"".join(map(encode, (first, *rest))))
    before = dict(smart.ticket(rest[1]["ticket_id"]))
    ended = smart("apply", FILE, code=1)
    assert "1 lines are refused; make it anew" in ended.err
    assert "2 updated" in ended.out
    assert "1 failed" in ended.out
    assert set(smart.marked()) == set(numbers) - {rest[1]["ticket_id"]}
    assert smart.ticket(rest[1]["ticket_id"]) == before


def test_a_file_whose_key_is_gone_is_refused(smart: Desk) -> None:
    add_solved(smart, 1)
    smart(*BACKFILL)
    (smart.state / "audit.key").unlink()
    assert "TICKETBOT_AUDIT_KEY=own,that" in smart("apply", FILE, code=2).err
    assert smart.marked() == []


@pytest.mark.slow
def test_the_apply_of_a_large_file_goes_by_jobs(open_desk: OpenDesk) -> None:
    desk = open_desk(0)
    numbers = add_solved(desk, 60)
    desk.folder.joinpath("ticketbot.toml").write_text('[run]\nwrite_mode = "batch"\n', encoding="utf-8")
    desk(*BACKFILL)
    desk.helpdesk_requests()
    desk("apply", FILE)
    asked = desk.helpdesk_requests()
    assert sorted(desk.marked()) == sorted(numbers)
    assert any(line.endswith("update_many") for line in asked)
