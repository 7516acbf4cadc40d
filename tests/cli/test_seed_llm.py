"""``ticketbot seed --llm``: tickets newly written by the sandbox's model, kept in a file and put into the account."""

from __future__ import annotations

import json
import re
from collections import Counter
from typing import Any

from ticket_processor.core.taxonomy import default_taxonomy
from ticket_processor.seeding.corpus import EXTERNAL_ID_PREFIX

from .conftest import Command, Desk, OpenDesk, is_chat, wait_for


def rows(desk: Command, name: str = "new.jsonl") -> list[dict[str, Any]]:
    return [json.loads(line) for line in (desk.folder / name).read_text(encoding="utf-8").splitlines()]


def external_ids(desk: Desk) -> list[str]:
    return [desk.ticket(number)["external_id"] for number in desk.tickets]


def test_new_tickets_are_written_saved_and_seeded_once(open_desk: OpenDesk) -> None:
    desk = open_desk(0, model=True)
    first = desk("seed", "--llm", "--language", "en", "--language", "de", "--count", "48")
    (path,) = desk.folder.glob("seeded-????-??-??.jsonl")
    saved = rows(desk, path.name)
    assert len(saved) == 48
    assert Counter((row["category"], row["language"], row["sentiment"]) for row in saved) == Counter(
        (name, language, mood)
        for name in default_taxonomy().names
        for language in ("en", "de")
        for mood in ("negative", "neutral", "positive")
    )
    assert sorted(external_ids(desk)) == sorted(EXTERNAL_ID_PREFIX + row["id"] for row in saved)
    assert "48 tickets created, 0 were there already, 0 refused" in first.out
    assert re.search(r"Tokens: \d+ in, \d+ out", first.out)
    assert "48 written, 0 to go" in first.out  # a line for cron, where nobody sees a bar
    people = [desk.sandbox.store.users[desk.ticket(number)["requester_id"]] for number in desk.tickets]
    assert all(re.fullmatch(r"[a-z0-9.]+@example\.(com|net|org)", str(user["email"])) for user in people)
    assert len({user["name"] for user in people}) > 40

    desk.seen.clear()
    second = desk("seed", "--llm", "--language", "en", "--language", "de", "--count", "48")
    assert "0 tickets created, 48 were there already" in second.out
    assert not desk.model_requests()


def test_a_file_alone_needs_no_helpdesk_and_tells_a_script_everything(open_desk: OpenDesk) -> None:
    desk = open_desk(0, model=True)
    chosen = ("--category", "refund", "--category", "order", "--mood", "negative", "--count", "7")
    told = desk("seed", "--llm", "--save-only", "--save", "new.jsonl", *chosen, "--json", ZENDESK_URL="").object
    assert (told["saved"], told["rows"], told["missing"], told["file"]) == (7, 7, 0, "new.jsonl")
    assert told["tokens"]["input"] > 0
    assert told["cost_usd"] is None
    assert "created" not in told
    assert {(row["category"], row["sentiment"]) for row in rows(desk)} == {
        ("refund", "negative"),
        ("order", "negative"),
    }
    assert not desk.tickets
    assert all(is_chat(request) for request in desk.seen)


def test_it_goes_on_after_being_killed_with_a_torn_line_left_behind(open_desk: OpenDesk) -> None:
    desk = open_desk(0, model=True, llm_latency=None)
    command = ("seed", "--llm", "--save-only", "--save", "new.jsonl", "--count", "40", "--workers", "1")
    third = desk.when(is_chat, nth=3)
    process = desk.start(*command)
    wait_for(third, process)
    process.kill()
    process.communicate()
    path = desk.folder / "new.jsonl"
    kept = len(rows(desk))
    assert 5 <= kept < 40
    path.write_bytes(path.read_bytes()[:-20])
    ended = desk(*command, "--json")
    assert "torn by a crash" in ended.err
    assert ended.object["saved"] == 40 - kept + 1
    assert len({row["id"] for row in rows(desk)}) == 40


def test_cost_is_counted_and_a_budget_stops_it_with_1(open_desk: OpenDesk) -> None:
    desk = open_desk(0, model=True)
    (desk.folder / "ticketbot.toml").write_text(
        "[models.prices]\nsandbox-model = [1.0, 10.0, 0.5]\n[budget]\nrun_usd = 0.05\n", encoding="utf-8"
    )
    ended = desk("seed", "--llm", "--save", "new.jsonl", "--count", "400", "--json", code=1)
    told = ended.object
    assert told["stopped"] == "the budget of a run is spent"
    assert 0 < told["cost_usd"] <= 0.05
    assert told["saved"] == told["created"] == len(desk.tickets) == 400 - told["missing"] > 0


def test_a_model_that_cannot_be_used_is_3_and_nothing_is_created(open_desk: OpenDesk) -> None:
    desk = open_desk(0, model=True)
    assert "model_unknown" in desk("seed", "--llm", code=3, TICKETBOT_MODELS="no-such-model").err
    assert "model_not_authorised" in desk("seed", "--llm", code=3, OPENAI_API_KEY="wrong").err
    down = desk("seed", "--llm", "--json", code=3, OPENAI_BASE_URL="http://127.0.0.1:9/v1")
    assert "does not answer: model_unreachable" in down.object["error"][0]
    assert not desk.tickets


def test_wrong_wishes_are_2_and_all_told_at_once(bare: Command, open_desk: OpenDesk) -> None:
    told = bare(
        *("seed", "--llm", "--save-only", "--category", "gardening", "--mood", "sad", "--language", "Klingon"), code=2
    ).err
    assert re.search("--category gardening: none of billing", told)
    assert "--mood sad" in told
    assert "--language Klingon" in told
    assert "TICKETBOT_MODELS" in told
    assert "belong to --llm" in bare("seed", "--mood", "neutral", code=2).err
    assert "choose one" in bare("seed", "--llm", "--file", "x.jsonl", code=2).err
    assert (
        "must end in .jsonl"
        in bare("seed", "--llm", "--save-only", "--save", "x.csv", code=2, TICKETBOT_MODELS="m").err
    )
    assert not list(bare.folder.glob("*.jsonl"))


def test_production_is_refused_before_anything_is_paid_for(open_desk: OpenDesk) -> None:
    from .conftest import Unmarked

    desk = open_desk(3, kind=Unmarked, plan="enterprise", model=True)
    assert "looks like production" in desk("seed", "--llm", code=2).err
    assert not desk.model_requests()
