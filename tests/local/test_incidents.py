"""Incidents, each told as a short story: the intended alert, it alone, once, and that it is over.

The real run with real clients against a sandbox over HTTP, where a sandbox can play it; where not, runs as the state
would have kept them. Time is virtual, the webhook is real.
"""

from __future__ import annotations

import gc
import random
import re
import tempfile
import threading
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from ticket_processor import wiring
from ticket_processor.alert_rules import RULES
from ticket_processor.alert_store import AlertStore
from ticket_processor.alert_view import LOG_CHANGED, LOG_REPAIRED
from ticket_processor.clock import parse_iso
from ticket_processor.commands.tending import Tending
from ticket_processor.latency import Latencies
from ticket_processor.rules import RulesAnalyser
from ticket_processor.sandbox import Rules
from ticket_processor.settings import Settings
from ticket_processor.state import FILE_NAME, State

from .alarmed import TEN_MINUTES, Desk, Receiver

pytestmark = [
    pytest.mark.filterwarnings("ignore:'imghdr' is deprecated"),  # some of Apprise's plugins use it
    pytest.mark.filterwarnings("ignore::ResourceWarning"),  # a run's process ends with it, and so do its connections
]


OpenDesk = Callable[..., Desk]


@pytest.fixture(scope="module")
def rules_once() -> RulesAnalyser:
    """Compiling the word lists takes longer than a run."""
    settings = Settings()
    return RulesAnalyser(settings.taxonomy, settings.entities)


@pytest.fixture
def open_desk(tmp_path: Path, rules_once: RulesAnalyser, monkeypatch: pytest.MonkeyPatch) -> Iterator[OpenDesk]:
    monkeypatch.setattr(wiring, "RulesAnalyser", lambda *_: rules_once)
    (tmp_path / "temporary").mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "temporary"))
    opened: list[Desk] = []
    receiver = Receiver()

    def make(**options: Any) -> Desk:
        opened.append(Desk(tmp_path, receiver, **options))
        return opened[-1]

    yield make
    for desk in opened:
        desk.close()
    receiver.close()
    gc.collect()


@pytest.fixture
def desk(open_desk: OpenDesk) -> Desk:
    """A desk with rules only, that has triaged two tickets and found nothing wrong."""
    desk = open_desk()
    desk.run(2)
    assert desk.receiver.messages == []
    return desk


# The helpdesk


def test_the_helpdesk_is_down_for_half_an_hour(desk: Desk) -> None:
    desk.fault("error-before", path="/api/")
    desk.run(tickets=2)
    desk.alarmed()
    desk.run(3, tickets=1)
    desk.alarmed("helpdesk_unreachable")
    desk.heal()
    desk.run(3)
    desk.over("helpdesk_unreachable")


def test_somebody_revokes_the_credentials(desk: Desk) -> None:
    desk.fault("unauthorised", path="/api/")
    desk.run(3, tickets=1)
    desk.alarmed("not_authorised")
    desk.heal()
    desk.run(2)
    desk.over("not_authorised")


def test_another_program_uses_up_the_rate_limit(desk: Desk) -> None:
    desk.fault("rate-limit", path="/api/", retry_after="huge")
    desk.run(2, tickets=1)
    desk.alarmed()
    desk.run(2)
    desk.alarmed("rate_limited")
    desk.heal()
    desk.run(3)
    desk.over("rate_limited")


# Failures


def test_the_helpdesk_refuses_every_write_for_two_runs(desk: Desk) -> None:
    desk.run(4, tickets=3)
    desk.fault("status", method="PUT", path=r"/tickets/\d+|update_many", status=422)
    desk.run(2, tickets=3)
    desk.alarmed("errors_fast")
    desk.heal()
    desk.run(6, tickets=3)
    desk.over("errors_fast")


def test_a_few_of_a_hundred_fail_for_six_hours(desk: Desk) -> None:
    desk.told(*[{"outcomes": {"updated": 96, "failed": 4}, "newly_failed": 4}] * 36)
    desk.alarmed("errors_slow")
    desk.told(*[{"outcomes": {"updated": 100}}] * 12)
    desk.over("errors_slow")


def test_one_of_a_hundred_fails_for_days(desk: Desk) -> None:
    bad, good = {"outcomes": {"updated": 49, "failed": 1}, "newly_failed": 1}, {"outcomes": {"updated": 50}}
    desk.seldom()
    desk.told(*[bad, good] * 6, every=3600)
    desk.alarmed("errors_steady")
    desk.told(*[good] * 12, every=3600)
    desk.over("errors_steady")


def test_a_day_falls_below_its_mark_though_three_days_do_not(desk: Desk) -> None:
    desk.seldom()
    desk.told({"outcomes": {"updated": 10_000}})
    desk.told({"outcomes": {"updated": 98, "failed": 2}, "newly_failed": 2}, every=30 * 3600)
    desk.told(*[{"outcomes": {"updated": 98, "failed": 2}, "newly_failed": 2}] * 4)
    desk.alarmed("success_low")
    desk.told({"outcomes": {"updated": 2000}})
    desk.over("success_low")


def test_one_ticket_fails_again_and_again(desk: Desk) -> None:
    desk.tickets(1)
    poison = max(desk.sandbox.store.tickets)
    desk.fault("status", method="PUT", path=rf"/tickets/{poison}\b", status=422)
    desk.run(8, tickets=1)
    desk.alarmed("dead_letters")
    with wiring.lock(desk.folder / "state"), closing(State(desk.folder / "state" / FILE_NAME)) as state:
        state.drop(poison)
    desk.run()
    desk.over("dead_letters")


def test_answers_take_half_a_minute(desk: Desk) -> None:
    slow = Latencies()
    for _ in range(8):
        slow.add(30_000)
    quick = Latencies()
    for _ in range(200):
        quick.add(900)
    desk.told(*[{"outcomes": {"updated": 8}, "latencies": slow.bands}] * 3)
    desk.alarmed("slow")
    desk.told(*[{"outcomes": {"updated": 200}, "latencies": quick.bands}] * 4)
    desk.over("slow")


# Models


def test_the_model_server_is_down(open_desk: OpenDesk) -> None:
    desk = open_desk()
    desk.use_models()
    desk.run(1)
    fault = desk.fault("error-before", path="/v1/")
    desk.run(4, tickets=2)
    assert fault.struck
    desk.alarmed("models_silent")
    desk.heal()
    desk.run(3, tickets=2)
    desk.over("models_silent")


def test_somebody_revokes_the_model_s_key(open_desk: OpenDesk) -> None:
    desk = open_desk()
    desk.use_models()
    desk.run(1)
    good = desk.environ["OPENAI_API_KEY"]
    desk.environ["OPENAI_API_KEY"] = "revoked"
    desk.run(3, tickets=2)
    desk.alarmed("model_refused")
    desk.environ["OPENAI_API_KEY"] = good
    desk.run(3, tickets=2)
    desk.over("model_refused")


def test_a_model_answers_every_other_question(open_desk: OpenDesk) -> None:
    desk = open_desk()
    desk.use_models()
    desk.run(1)
    shaky = {"outcomes": {"updated": 6}, "sources": {"model": 3, "rules": 3}, "fallbacks": {"model_timeout": 3}}
    desk.told(*[shaky] * 5)
    desk.alarmed("model_fallback")
    desk.told(*[{"outcomes": {"updated": 6}, "sources": {"model": 6}}] * 6)
    desk.over("model_fallback")


def test_the_budget_of_the_day_is_used_up(open_desk: OpenDesk) -> None:
    desk = open_desk()
    desk.use_models()
    desk.run(1)
    spent = {
        "outcomes": {"updated": 9},
        "sources": {"rules": 9},
        "fallbacks": {"budget_of_day_spent": 9},
        "cost_usd": 2.0,
    }
    desk.told(*[spent] * 5)
    desk.alarmed("spend")
    desk.seldom()
    desk.told({"outcomes": {"updated": 9}, "sources": {"model": 9}}, every=86_400)
    desk.over("spend")


# Promises


def test_a_note_becomes_public(open_desk: OpenDesk) -> None:
    desk = open_desk(rules=Rules(job_seconds=(0.05, 0.0), batch_private=False))
    desk.tickets(60)
    desk.run(3)
    desk.alarmed("note_published")
    (desk.folder / "ticketbot.toml").write_text('[run]\nwrite_mode = "single"\n', encoding="utf-8")
    for number, ticket in desk.sandbox.store.tickets.items():  # what somebody does who has looked into it
        for note in (
            *desk.sandbox.store.bot_comments(number),
            *(event for one in ticket.audits for event in one.events),
        ):
            if "public" in note:
                note["public"] = False
    desk.run(1, resume=True)
    desk.run(1)
    desk.over("note_published")


def statement(**found: int) -> dict[str, Any]:
    return {"outcomes": {"updated": 9}, "statement": {"written": 9, "checked": 9, **found}}


def test_a_person_s_value_is_lost(desk: Desk) -> None:
    desk.told(statement(human_values_changed=1), *[statement()] * 3)
    desk.alarmed("overwrote")
    desk.seldom()
    desk.told(*[statement()] * 7, every=3600)
    desk.over("overwrote")


def test_writes_are_not_there(desk: Desk) -> None:
    desk.told(statement(not_found=2), *[statement()] * 3)
    desk.alarmed("write_not_found")
    desk.seldom()
    desk.told(*[statement()] * 7, every=3600)
    desk.over("write_not_found")


# Time


def test_somebody_forgets_the_kill_switch(desk: Desk) -> None:
    switch = desk.folder / "state" / "STOP"
    switch.touch()
    desk.run(6, tickets=1)
    desk.alarmed()
    desk.run(3)
    desk.alarmed("stopped")
    switch.unlink()
    desk.run(2)
    desk.over("stopped")


def test_the_machine_is_off_for_an_hour(desk: Desk) -> None:
    desk.run(5)
    desk.time.advance(3600)
    desk.run()
    desk.alarmed("missed_runs")
    desk.run(2)
    desk.over("missed_runs")


def test_something_else_holds_the_state_for_an_hour(desk: Desk) -> None:
    desk.run(5)
    held, done = threading.Event(), threading.Event()

    def hold() -> None:
        with wiring.lock(desk.folder / "state"):
            held.set()
            done.wait(60)

    holder = threading.Thread(target=hold)
    holder.start()
    assert held.wait(10)
    desk.run(3)
    desk.alarmed()
    desk.run(3)
    desk.alarmed("not_caught_up")
    done.set()
    holder.join()
    desk.run(2)
    desk.over("not_caught_up")


def test_a_run_hangs_and_is_cut_off(desk: Desk) -> None:
    desk.time.advance(TEN_MINUTES)
    Tending(desk.settings, desk.clock, "run").cut_off()
    desk.run(3, tickets=1)
    desk.alarmed("cut_off")
    desk.run(5)
    desk.over("cut_off")


def test_more_comes_in_than_runs_get_through(desk: Desk) -> None:
    late = {"outcomes": {"updated": 300}, "stopped_by": "DeadlineReached", "stopped": "the run's time is used up"}
    desk.told(*[late] * 5)
    desk.alarmed()
    desk.told(*[late] * 3)
    desk.alarmed("backlog")
    desk.told({"outcomes": {"updated": 100}})
    desk.over("backlog")


def test_a_bug_ends_two_runs(desk: Desk) -> None:
    desk.run(2, work=lambda *_, **__: 1 // 0)
    desk.alarmed("run_crashed")
    desk.run(2)
    desk.over("run_crashed")


# The disk


def test_the_log_cannot_be_written(desk: Desk) -> None:
    logs = desk.folder / "logs"
    logs.rename(desk.folder / "aside")
    logs.write_text("a file where the folder should be", encoding="utf-8")
    desk.run(4, tickets=1)
    desk.alarmed("log_unwritable")
    logs.unlink()
    (desk.folder / "aside").rename(logs)
    desk.run(2)
    desk.over("log_unwritable")


def test_the_state_is_damaged(desk: Desk) -> None:
    database = desk.folder / "state" / FILE_NAME
    for path in database.parent.glob(f"{FILE_NAME}-*"):
        path.unlink()
    database.write_bytes(b"this is no database" * 500)
    desk.run(4, tickets=1)
    desk.alarmed("state_unusable")
    database.unlink()
    desk.run(2)
    desk.over("state_unusable")


def test_the_state_folder_is_gone_and_cannot_be_made(desk: Desk) -> None:
    folder = desk.folder / "state"
    folder.rename(desk.folder / "aside")
    folder.write_text("a file where the folder should be", encoding="utf-8")
    desk.run(4, tickets=1)
    desk.alarmed("state_unusable")
    folder.unlink()
    (desk.folder / "aside").rename(folder)
    desk.run(2)
    desk.over("state_unusable")


def test_somebody_changes_the_log(desk: Desk) -> None:
    (log,) = (desk.folder / "logs").glob("*.jsonl")
    lines = log.read_bytes().splitlines(keepends=True)
    log.write_bytes(b"".join(lines[:-1]))
    desk.run(3, tickets=1)
    desk.alarmed(LOG_CHANGED)
    desk.seldom()
    desk.run(13, every=7000)
    desk.over(LOG_CHANGED)


def test_a_power_cut_tears_the_log(desk: Desk) -> None:
    (log,) = (desk.folder / "logs").glob("*.jsonl")
    with log.open("ab") as file:
        file.write(b'{"event": "run_fin')
    desk.run(3, tickets=1)
    desk.alarmed(LOG_REPAIRED)
    desk.run(5)
    desk.over(LOG_REPAIRED)


# Slow changes


def test_customers_write_about_something_else(desk: Desk) -> None:
    dice = random.Random(1)

    def day(share: float) -> dict[str, Any]:
        refunds = sum(dice.random() < share for _ in range(100))
        return {"outcomes": {"updated": 100}, "categories": {"refund": refunds, "order": 100 - refunds}}

    day_long = {"every": 86_400.0}
    desk.seldom()
    desk.told(*[day(0.2) for _ in range(30)], **day_long)
    desk.alarmed()
    desk.told(*[day(0.7) for _ in range(7)], **day_long)
    desk.alarmed("label_drift")
    desk.told(*[day(0.7) for _ in range(28)], **day_long)
    desk.over("label_drift")


def test_api_tokens_are_about_to_end(open_desk: OpenDesk) -> None:
    desk = open_desk()
    for name in ("ZENDESK_OAUTH_CLIENT_ID", "ZENDESK_OAUTH_CLIENT_SECRET"):
        desk.environ.pop(name)
    known = desk.sandbox.credentials
    desk.environ |= {"ZENDESK_EMAIL": known.email, "ZENDESK_API_TOKEN": known.api_token}
    desk.run(2)
    desk.alarmed()
    desk.time.advance(parse_iso("2027-03-05") - desk.time.now())
    AlertStore(desk.folder / "state").change(lambda memory: memory.model_copy(update={"seen": None}), desk.time.now())
    desk.run(3)
    desk.alarmed("token_ends")
    desk.environ |= {"ZENDESK_OAUTH_CLIENT_ID": known.oauth_client_id}
    desk.environ |= {"ZENDESK_OAUTH_CLIENT_SECRET": known.oauth_client_secret}
    desk.run(2)
    desk.over("token_ends")


def test_every_rule_has_an_incident() -> None:
    played = re.findall(
        r"^    desk\.over\((?:\"(\w+)\"|(\w+))\)", Path(__file__).read_text(encoding="utf-8"), re.MULTILINE
    )
    constants = {"LOG_CHANGED": LOG_CHANGED, "LOG_REPAIRED": LOG_REPAIRED}
    assert {name or constants[constant] for name, constant in played} == set(RULES)
