"""``ticketbot run --backfill``: history understood into a file, reading only, and gone on with after anything."""

from __future__ import annotations

import signal
import sys

import pytest

from ticket_processor.sandbox.openai_api import LatencyProfile
from ticket_processor.tags import write_key

from .conftest import Desk, OpenDesk, is_chat, wait_for
from .solved_history import BACKFILL, FILE, add_solved, assert_only_read, chats, in_file, lines


def test_history_goes_into_a_file_and_nothing_is_written_anywhere_else(smart: Desk) -> None:
    numbers = add_solved(smart, 8)
    before = len(smart.sandbox.store.history)
    told = smart(*BACKFILL, "--json").object
    assert_only_read(smart, before)
    assert (told["decided"], told["failed"], told["exit_code"], told["stopped"]) == (8, {}, 0, None)
    assert told["answered_by"] == {"sandbox-model": 8}
    assert in_file(smart) == numbers  # the six open ones are a run's
    for line in lines(smart):
        assert line["status"] == "solved"
        assert line["analysis"]["source"] == "model"
        assert set(line["decision"]) <= {"tags", "fields"}
        assert "ai_processed" in line["decision"]["tags"]
    assert not smart.logs.exists()
    assert {path.name.partition(".")[0] for path in smart.state.iterdir()} == {"answers", "alerts", "audit"}
    assert "melody0@" not in (smart.folder / FILE).read_text(encoding="utf-8")


def test_a_run_afterwards_knows_nothing_of_it(smart: Desk) -> None:
    add_solved(smart, 2)
    smart(*BACKFILL)
    ended = smart("run", code=2)
    assert "first run on this account" in ended.err
    smart("run", "--since", "1d")
    smart.assert_done(range(1, 7))


def test_the_same_command_goes_on_and_pays_for_nothing_twice(smart: Desk) -> None:
    numbers = add_solved(smart, 9)
    smart(*BACKFILL, "--limit", "4", "--out", FILE)
    assert len(lines(smart)) == 4
    ended = smart(*BACKFILL)
    assert in_file(smart) == numbers
    assert "5 understood" in ended.out
    assert f"in {FILE}: 9 tickets, 9 decisions" in ended.out
    assert chats(smart) == 9
    assert "0 understood" in smart(*BACKFILL).out
    assert chats(smart) == 9


def test_the_end_claims_nothing_that_only_an_apply_can_know(smart: Desk) -> None:
    add_solved(smart, 3)
    smart(*BACKFILL)
    smart("apply", FILE)
    ended = smart(*BACKFILL)
    assert "3 decisions" in ended.out
    assert "to be written" not in ended.out
    assert f"Which of them still need a write is known to: ticketbot apply {FILE} --dry-run" in ended.out


def test_another_beginning_is_another_file(smart: Desk) -> None:
    add_solved(smart, 3)
    smart(*BACKFILL)
    before = lines(smart)
    ended = smart("run", "--backfill", "--since", "1d", code=2)
    assert "go on with --since 2d, or choose another --out" in ended.err
    assert lines(smart) == before


def test_answers_are_kept_for_another_file(smart: Desk) -> None:
    add_solved(smart, 4)
    smart(*BACKFILL)
    told = smart(*BACKFILL, "--out", "other.jsonl", "--as-new", "--json").object
    assert (told["cached"], chats(smart)) == (4, 4)
    for line in lines(smart, "other.jsonl"):
        assert line["decision"]["note"].startswith("Triage: ")
        assert line["decision"]["priority"]


def test_what_needs_nothing_is_noted_with_the_reason(open_desk: OpenDesk) -> None:
    desk = open_desk(0)
    marked, foreign, unmarked, plain = add_solved(desk, 4)
    desk.sandbox.store.person_edit(marked, add_tags=["ai_processed"])
    desk.sandbox.store.person_edit(foreign, add_tags=["ai_hands_off"])
    # Another installation has triaged it, and somebody took the marker off.
    desk.sandbox.store.person_edit(unmarked, status="open")
    desk.advance(600)
    desk("run", "--since", "2d")
    desk.sandbox.store.person_edit(unmarked, status="solved", remove_tags=["ai_processed"])
    bouncer = {"name": "Mail Delivery", "email": "mailer-daemon@example.com"}
    (bounce,) = add_solved(desk, 1, channel="email", requester=bouncer)
    told = desk(*BACKFILL, "--json").object
    reasons = {line["ticket_id"]: line["reason"] for line in lines(desk) if line["decision"] is None}
    assert reasons == {
        marked: "already_done",
        unmarked: "already_done",
        foreign: "hands_off",
        bounce: "machine_mail_bounce",
    }
    assert told["left_alone"] == {"already_done": 2, "hands_off": 1, "machine_mail_bounce": 1}
    assert in_file(desk) == sorted([marked, foreign, unmarked, plain, bounce])


def test_closed_tickets_are_in_the_file_and_told(open_desk: OpenDesk) -> None:
    desk = open_desk(0)
    add_solved(desk, 2)
    closed = add_solved(desk, 3, status="closed")
    ended = desk(*BACKFILL)
    assert "5 tickets, 5 decisions; 3 of these are about closed tickets, which nobody can change any more" in ended.out
    assert {line["ticket_id"] for line in lines(desk) if line["status"] == "closed"} == set(closed)
    asked = [path for path in desk.helpdesk_requests() if path.endswith("/audits")]
    assert len(asked) == 2  # whether a write of ours is on a closed ticket does not matter


def test_the_key_is_the_one_that_a_run_would_write(smart: Desk) -> None:
    from ticket_processor.core.models import Ticket

    (number,) = add_solved(smart, 1)
    smart(*BACKFILL)
    (line,) = lines(smart)
    row = smart.ticket(number)
    ticket = Ticket(
        id=number, description=row["description"], created_at=row["created_at"], updated_at=row["updated_at"]
    )
    assert (line["key"], line["clean_stamp"]) == (write_key(ticket), row["updated_at"])


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no SIGINT for a single process")
def test_ctrl_c_keeps_what_was_understood_and_the_same_command_goes_on(open_desk: OpenDesk) -> None:
    desk = open_desk(0, model=True)
    numbers = add_solved(desk, 12)
    fifth = desk.when(is_chat, nth=9)
    desk.sandbox.openai.latency = LatencyProfile(0.3, 0.3)
    process = desk.start(*BACKFILL, "--workers", "4", "--json")
    wait_for(fifth, process)
    process.send_signal(signal.SIGINT)
    ended = desk.end(process, code=130, within=25)
    assert ended.object["exit_code"] == 130
    assert "stopped by Ctrl-C" in ended.err
    there = len(lines(desk))
    assert 4 <= there < 12
    desk.sandbox.openai.latency = None
    desk(*BACKFILL)
    assert in_file(desk) == numbers


def test_a_crash_in_the_middle_of_a_line_costs_that_line(smart: Desk) -> None:
    numbers = add_solved(smart, 5)
    smart(*BACKFILL)
    path = smart.folder / FILE
    path.write_bytes(path.read_bytes()[:-30])
    ended = smart(*BACKFILL)
    assert "was torn by a crash" in ended.err
    assert in_file(smart) == numbers
    assert chats(smart) == 5  # its answer was kept


@pytest.mark.slow
def test_two_at_once_on_one_file_are_refused(open_desk: OpenDesk) -> None:
    desk = open_desk(0, model=True, llm_latency=LatencyProfile(5.0, 5.0))
    add_solved(desk, 2)
    asked = desk.when(is_chat)
    process = desk.start(*BACKFILL)
    wait_for(asked, process)
    ended = desk(*BACKFILL, code=75)
    assert "another ticketbot is at work on backfill.jsonl" in ended.err
    desk("apply", FILE, code=75)
    desk.end(process)


def test_a_spent_budget_ends_it_and_tomorrow_is_another_day(smart: Desk) -> None:
    numbers = add_solved(smart, 6)
    settings = smart.folder / "ticketbot.toml"
    settings.write_text("[budget]\nrun_tokens = 2500\n", encoding="utf-8")
    ended = smart(*BACKFILL, "--workers", "1")
    assert "budget.run_tokens" in ended.err
    there = len(lines(smart))
    assert 0 < there < 6
    assert all(line["analysis"]["source"] == "model" for line in lines(smart))
    settings.unlink()
    smart(*BACKFILL)
    assert in_file(smart) == numbers


def test_rules_alone_need_no_model(open_desk: OpenDesk) -> None:
    desk = open_desk(0, model=True)
    add_solved(desk, 3)
    told = desk(*BACKFILL, "--no-llm", "--json").object
    assert told["answered_by"] == {"rules": 3}
    assert chats(desk) == 0


def test_a_wrong_key_of_the_model_ends_it_at_once(smart: Desk) -> None:
    add_solved(smart, 3)
    ended = smart(*BACKFILL, code=3, OPENAI_API_KEY="wrong")
    assert "model not authorised" in ended.err
    assert lines(smart) == []


def test_other_settings_or_another_account_do_not_go_into_the_same_file(open_desk: OpenDesk) -> None:
    desk = open_desk(0)
    add_solved(desk, 2)
    desk(*BACKFILL)
    before = (desk.folder / FILE).read_bytes()
    settings = desk.folder / "ticketbot.toml"
    settings.write_text('[policy]\ntags = { mode = "suggest" }\n', encoding="utf-8")
    assert "have changed since backfill.jsonl was begun" in desk(*BACKFILL, code=2).err
    settings.unlink()
    assert "without --as-new" in desk(*BACKFILL, "--as-new", code=2).err
    text = before.replace(desk.url.encode(), b"http://127.0.0.1:9")
    (desk.folder / FILE).write_bytes(text)
    assert "is about http://127.0.0.1:9" in desk(*BACKFILL, code=2).err
    assert (desk.folder / FILE).read_bytes() == text


def test_the_kill_switch_stops_it(open_desk: OpenDesk) -> None:
    desk = open_desk(0)
    add_solved(desk, 2)
    ended = desk(*BACKFILL, code=3, TICKETBOT_STOP="1")
    assert "kill switch" in ended.err
    assert lines(desk) == []


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (("--backfill",), "--since 2024-01-01"),
        (("--backfill", "--since", "2d", "--dry-run"), "leave --dry-run out"),
        (("--backfill", "--since", "2d", "--sandbox"), "leave --sandbox out"),
        (("--backfill", "--since", "2d", "--retry-fallbacks"), "leave --retry-fallbacks out"),
        (("--since", "2d", "--out", "x.jsonl"), "belong to --backfill"),
    ],
)
def test_options_that_do_not_go_together_are_usage_errors(desk: Desk, options: tuple[str, ...], words: str) -> None:
    ended = desk("run", *options, code=2)
    assert words in ended.err
    assert desk.helpdesk_requests() == []
    assert not list(desk.folder.glob("*.jsonl"))
