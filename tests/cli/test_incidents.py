"""Incidents, each told as a short story: the intended alert, it alone, once, and that it is over.

The real run with real clients against a sandbox over HTTP, where a sandbox can play it; where not, runs as the state
would have kept them. Time is virtual, the webhook is real.
"""

from __future__ import annotations

import gc
import re
import tempfile
import threading
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from ticket_processor.analysis.rules.analyser import RulesAnalyser
from ticket_processor.audit.lines import encode
from ticket_processor.core.clock import iso, parse_iso
from ticket_processor.monitoring.rules import RULES
from ticket_processor.monitoring.run_metrics import DAY
from ticket_processor.settings.schema import Settings
from ticket_processor.state.store import FILE_NAME, State
from ticket_processor.wiring import parts as wiring

from ..imitation import Rules
from ..support.log_days import receipt
from .alarmed import Desk, Receiver

pytestmark = [
    pytest.mark.slow,
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


# Failures


def test_the_helpdesk_refuses_every_write_for_two_runs(desk: Desk) -> None:
    desk.run(4, tickets=3)
    desk.fault("status", method="PUT", path=r"/tickets/\d+|update_many", status=422)
    desk.run(2, tickets=3)
    desk.alarmed("errors_fast")
    desk.heal()
    desk.run(6, tickets=3)
    desk.over("errors_fast")


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


# Models


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
    desk.told(*[statement()] * 7, every=3600)
    desk.over("overwrote")


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


# Tickets


def test_four_times_as_many_people_as_usual_cannot_sign_in(desk: Desk) -> None:
    usual, outage = {"account": 10, "billing": 20}, {"account": 40, "billing": 20}
    desk.told(*[{"categories": usual}] * 29, every=DAY)
    desk.alarmed()
    day = iso(desk.time.now() + DAY)[5:10]
    lines = [receipt(700 + number, f"{day} 10:00", category="account") for number in range(40)]
    (desk.folder / "logs" / f"ticketbot-2026-{day}.jsonl").write_bytes(b"".join(map(encode, lines)))
    desk.told({"categories": outage}, every=DAY)
    desk.alarmed("drift:account")
    assert "40 of 60 tickets today are about account; usual are 10" in desk.receiver.messages[0]["message"]
    desk.told(*[{"categories": usual}] * 8, every=DAY)
    desk.over("drift:account")


# The disk


@pytest.mark.parametrize("folder", ["logs", "state"])
def test_a_folder_is_gone_and_cannot_be_made(desk: Desk, folder: str) -> None:
    place, aside = desk.folder / folder, desk.folder / "aside"
    place.rename(aside)
    place.write_text("a file where the folder should be", encoding="utf-8")
    desk.run(4, tickets=1)
    desk.alarmed("state_unusable")
    place.unlink()
    aside.rename(place)
    desk.run(2)
    desk.over("state_unusable")


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


# The calendar


def test_api_tokens_are_about_to_end(open_desk: OpenDesk) -> None:
    desk = open_desk()
    for name in ("ZENDESK_OAUTH_CLIENT_ID", "ZENDESK_OAUTH_CLIENT_SECRET"):
        desk.environ.pop(name)
    known = desk.sandbox.credentials
    desk.environ |= {"ZENDESK_EMAIL": known.email, "ZENDESK_API_TOKEN": known.api_token}
    desk.run(2)
    desk.alarmed()
    desk.time.advance(parse_iso("2027-03-05") - desk.time.now())
    desk.run(3)
    desk.alarmed("token_ends")
    desk.environ |= {"ZENDESK_OAUTH_CLIENT_ID": known.oauth_client_id}
    desk.environ |= {"ZENDESK_OAUTH_CLIENT_SECRET": known.oauth_client_secret}
    desk.run(2)
    desk.over("token_ends")


def test_every_rule_has_an_incident() -> None:
    played = re.findall(r'^    desk\.over\("(\w+)', Path(__file__).read_text(encoding="utf-8"), re.MULTILINE)
    assert set(played) == set(RULES)
