"""``ticketbot run --backfill --batch-api``: handed in once, collected by a later command, for half the price."""

from __future__ import annotations

import json
from typing import Any

import orjson
import pytest

from ticket_processor.sandbox import Request, Response
from ticket_processor.sandbox.messages import json_response

from .conftest import Desk, OpenDesk, wait_for
from .solved_history import BACKFILL, FILE, add_solved, assert_only_read, chats, in_file, lines

BATCH = (*BACKFILL, "--batch-api")
SIDE = f"{FILE}.batches.json"
HOURS = 6 * 3600
PRICES = '[models.prices]\n"sandbox-model" = [1000.0, 2000.0, 100.0]\n'


@pytest.fixture
def office(open_desk: OpenDesk) -> Desk:
    """A sandbox whose batches take hours, with nothing but solved tickets."""
    desk = open_desk(0, model=True)
    desk.sandbox.openai.batches.seconds = HOURS - 60.0
    return desk


def handed_in(desk: Desk) -> int:
    return desk.sandbox.requests["POST v1/batches"]


def asked_by_batch(desk: Desk) -> list[dict[str, Any]]:
    """The requests in the input files that are on the server."""
    return [
        line
        for content in desk.sandbox.openai.batches.files.values()
        for line in map(orjson.loads, content.splitlines())
        if "body" in line
    ]


def later(desk: Desk) -> None:
    desk.advance(HOURS)


def test_a_batch_is_handed_in_once_and_collected_hours_later(office: Desk) -> None:
    numbers = add_solved(office, 8)
    before = len(office.sandbox.store.history)
    ended = office(*BATCH)
    assert "Come back later" in ended.out
    assert "7 tickets, validating" in ended.out
    assert chats(office) == 1  # to see how the server wants to be asked
    again = office(*BATCH, "--json").object
    assert (again["exit_code"], [batch["requests"] for batch in again["batches"]]) == (0, [7])
    assert handed_in(office) == 1
    assert len(lines(office)) == 1

    later(office)
    told = office(*BATCH, "--json").object
    assert (told["decided"], told["batches"]) == (7, [])
    assert in_file(office) == numbers
    assert {line["analysis"]["source"] for line in lines(office)} == {"model"}
    assert chats(office) == 1
    assert not (office.folder / SIDE).exists()
    assert office.sandbox.openai.batches.files == {}  # the server keeps none of it
    assert_only_read(office, before)
    office("apply", FILE)
    assert sorted(office.marked()) == numbers


def test_what_is_handed_in_is_redacted_and_as_a_run_would_ask_it(office: Desk) -> None:
    add_solved(office, 3)
    office(*BATCH)
    asked = asked_by_batch(office)
    assert len(asked) == 2
    direct = [json.loads(request.body) for request in office.model_requests() if request.path.endswith("completions")]
    for line in asked:
        text = json.dumps(line)
        assert "melody" not in text.lower()
        assert "[EMAIL_1]" in text
        assert line["custom_id"].isdecimal()
        body = line["body"]
        assert body["messages"][0] == direct[0]["messages"][0]
        assert body["response_format"] == direct[0]["response_format"]
        assert {name: body[name] for name in ("model", "max_tokens", "temperature")} == {
            name: direct[0][name] for name in ("model", "max_tokens", "temperature")
        }
    side = (office.folder / SIDE).read_text(encoding="utf-8")
    assert "parcel" not in side
    assert "crashes" not in side


def test_answers_of_a_batch_cost_half(office: Desk) -> None:
    office.folder.joinpath("ticketbot.toml").write_text(PRICES, encoding="utf-8")
    add_solved(office, 5)
    office(*BATCH)
    later(office)
    office(*BATCH)
    costs = {}
    for line in lines(office):
        usage = line["analysis"]["usage"]
        whole = ((usage["input"] - usage["cached"]) * 1000 + usage["cached"] * 100 + usage["output"] * 2000) / 1e6
        costs[line["ticket_id"]] = line["analysis"]["cost_usd"] / whole
    assert sorted(round(share, 3) for share in costs.values()) == [0.5, 0.5, 0.5, 0.5, 1.0]


def test_a_batch_that_nobody_answers_in_time_is_asked_directly(office: Desk) -> None:
    office.sandbox.openai.batches.seconds = 1.9 * 86_400
    numbers = add_solved(office, 7)
    office(*BATCH)
    office.advance(86_500)
    told = office(*BATCH, "--json").object
    assert in_file(office) == numbers
    assert told["answered_by"] == {"sandbox-model": 6}
    by_batch = 3  # half of the six
    assert chats(office) == 1 + 6 - by_batch


def test_requests_that_fail_are_asked_directly_or_answered_by_the_rules(office: Desk) -> None:
    office.sandbox.openai.batches.spoil = lambda name: (
        json_response(500, {"error": {"message": "no"}}) if int(name) % 2 else None
    )
    numbers = add_solved(office, 7)
    office(*BATCH)
    later(office)
    direct = len(office.model_requests())
    told = office(*BATCH, "--no-llm", "--json").object
    assert in_file(office) == numbers
    assert told["answered_by"]["rules"] == 3
    asked = [request.path for request in office.model_requests()[direct:]]
    assert "/v1/chat/completions" not in asked


def test_an_answer_that_does_not_pass_the_gate_is_asked_for_directly(office: Desk) -> None:
    choice = {"index": 0, "message": {"role": "assistant", "content": '{"category": "world_peace"}'}}
    odd = {"model": "sandbox-model", "choices": [choice], "usage": {"prompt_tokens": 10, "completion_tokens": 5}}
    office.sandbox.openai.batches.spoil = lambda _name: json_response(200, odd)
    numbers = add_solved(office, 4)
    office(*BATCH)
    later(office)
    office(*BATCH)
    assert in_file(office) == numbers
    collected = [line["analysis"] for line in lines(office)[1:]]
    assert {analysis["source"] for analysis in collected} == {"model"}
    assert all(analysis["attempts"] == 2 for analysis in collected)  # both are paid for, and both are told
    assert all(analysis["category"] != "world_peace" for analysis in collected)


def test_a_text_that_comes_again_is_asked_about_once(open_desk: OpenDesk) -> None:
    desk = open_desk(0, model=True)
    numbers = add_solved(desk, 9, subject="The same", body="Every day the same alarm, please look.")
    desk(*BATCH)
    # The first is asked about directly; of the others, which are looked at by then, one goes into a batch.
    assert len(asked_by_batch(desk)) <= 1
    later(desk)
    desk(*BATCH)
    assert in_file(desk) == numbers
    assert chats(desk) <= 2


def test_waiting_for_the_end(open_desk: OpenDesk) -> None:
    desk = open_desk(0, model=True)
    desk.sandbox.openai.batches.seconds = 1.0
    numbers = add_solved(desk, 4)
    ended = desk(*BATCH, "--wait")
    assert in_file(desk) == numbers
    assert "4 understood" in ended.out
    assert "Come back later" not in ended.out


def test_cancelling_keeps_what_is_answered_and_leaves_the_rest(office: Desk) -> None:
    office.sandbox.openai.batches.seconds = 2.0 * HOURS
    numbers = add_solved(office, 9)
    office(*BATCH)
    later(office)
    assert "cancelling" in office(*BATCH, "--cancel-batches").out
    office.advance(60)
    office(*BATCH, "--cancel-batches")
    there = len(lines(office))
    assert 1 < there < 9
    assert not (office.folder / SIDE).exists()
    office(*BACKFILL)  # directly, now that nothing is under way
    assert in_file(office) == numbers


def test_while_a_batch_is_under_way_nobody_asks_directly(office: Desk) -> None:
    add_solved(office, 4)
    office(*BATCH)
    ended = office(*BACKFILL, code=2)
    assert "1 batches are under way" in ended.err
    assert chats(office) == 1


def test_what_was_solved_meanwhile_is_for_the_command_after_the_next(office: Desk) -> None:
    add_solved(office, 4)
    office(*BATCH)
    new = add_solved(office, 2, subject="Something else altogether")
    later(office)
    office(*BATCH)
    assert handed_in(office) == 1
    assert not set(new) & set(in_file(office))
    office(*BATCH)
    assert handed_in(office) == 2


def test_limits_go_on_part_by_part(office: Desk) -> None:
    numbers = add_solved(office, 9)
    for _ in range(3):
        office(*BATCH, "--limit", "3")
        later(office)
    office(*BATCH, "--limit", "3")
    assert in_file(office) == numbers


def test_a_file_that_the_server_refuses_is_told_and_nothing_is_paid_in_full(office: Desk) -> None:
    add_solved(office, 5)
    original = office.sandbox.openai.batches._advance

    def advance(batch: Any, now: float) -> None:
        """Too much is queued, as accounts with little allowance are told."""
        batch.wrong = [{"code": "token_limit_exceeded", "message": "Enqueued token limit reached", "line": None}]
        original(batch, now)

    office.sandbox.openai.batches._advance = advance  # type: ignore[method-assign]
    office(*BATCH)
    later(office)
    ended = office(*BATCH, code=1)
    assert "token_limit_exceeded" in ended.err
    assert len(lines(office)) == 1
    assert (chats(office), handed_in(office)) == (1, 1)
    office.sandbox.openai.batches._advance = original  # type: ignore[method-assign]
    office(*BATCH)
    later(office)
    office(*BATCH)
    assert len(lines(office)) == 5


def test_a_server_without_batches_is_told_before_anything_is_asked(office: Desk) -> None:
    add_solved(office, 2)

    def refuse(request: Request, response: Response) -> None:
        if request.path.startswith(("/v1/batches", "/v1/files")):
            response.status, response.body = 404, b"{}"

    office.sandbox.after_request.append(refuse)
    ended = office(*BATCH, code=2)
    assert "no model's server takes batches: sandbox-model (no batches)" in ended.err
    assert chats(office) == 0


def test_a_model_that_does_not_answer_is_handed_nothing(office: Desk) -> None:
    add_solved(office, 2)
    office.sandbox.faults = office.sandbox.faults.parse("unauthorised:/chat/completions", 0)
    ended = office(*BATCH, code=3)
    assert "nothing was handed in" in ended.err
    assert handed_in(office) == 0


def test_a_process_that_dies_while_it_hands_in_pays_once(office: Desk) -> None:
    numbers = add_solved(office, 6)
    created = office.when(lambda request: request.method == "POST" and request.path == "/v1/batches")
    office.sandbox.faults = office.sandbox.faults.parse("slow:POST:/v1/batches:seconds=30:times=1", 0)
    process = office.start(*BATCH)
    wait_for(created, process)
    process.kill()
    process.wait(timeout=20)
    assert handed_in(office) == 1
    again = office(*BATCH, "--json").object
    assert handed_in(office) == 1
    assert [batch["requests"] for batch in again["batches"]] == [5]
    later(office)
    office(*BATCH)
    assert in_file(office) == numbers


def test_a_batch_counts_in_the_budget_when_it_is_handed_in(office: Desk) -> None:
    numbers = add_solved(office, 12)
    settings = office.folder / "ticketbot.toml"
    settings.write_text("[budget]\nday_tokens = 6000\n", encoding="utf-8")
    ended = office(*BATCH)
    assert "budget.day_tokens" in ended.err
    sent = len(asked_by_batch(office))
    assert 0 < sent < 11
    office(*BATCH)
    assert handed_in(office) == 1
    settings.unlink()
    office(*BATCH)
    later(office)
    office(*BATCH)
    assert in_file(office) == numbers
