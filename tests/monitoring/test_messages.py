from __future__ import annotations

import re
from typing import Any

import pytest
import typer.main

from ticket_processor.cli import app
from ticket_processor.core.clock import iso, parse_iso
from ticket_processor.core.run_summary import Latencies
from ticket_processor.monitoring.memory import EscalatedTicket, Owed
from ticket_processor.monitoring.messages import AlertMessage, escalation_of, message_of, summary_due, summary_text
from ticket_processor.monitoring.rules import RULES
from ticket_processor.settings.helpdesks import ZendeskSettings
from ticket_processor.settings.schema import Settings

from ..support.recorded_runs import NOW, recorded
from ..support.zones import ELSEWHERE, needs_zones, standing_in

BEGUN = Owed("chat", "errors_fast", "begun", "12 of 20 tickets failed", NOW)


def told(news: Owed = BEGUN) -> AlertMessage:
    return message_of(news, "example.zendesk.com", "bot-3")


def test_a_message_says_what_since_when_where_and_what_to_do() -> None:
    assert told().title == "[critical] Many tickets fail (ticketbot, example.zendesk.com)"
    assert told().body.splitlines() == [
        "12 of 20 tickets failed.",
        "Since: 2026-11-21 12:00 UTC",
        "Machine: bot-3",
        f"What to do: {RULES['errors_fast'].advice}",
        "More: 'errors_fast' in docs/alerts.md",
    ]


@pytest.mark.parametrize("rule", RULES)
def test_what_to_do_is_something_that_can_be_done(rule: str) -> None:
    commands = typer.main.get_command(app)
    advice = RULES[rule].advice
    assert 40 < len(advice) < 300
    assert advice.endswith(".")
    assert not set("<>&@*`[]") & set(advice), "no service makes mark-up of it"
    assert "://" not in advice
    for words in re.findall(r"'ticketbot ([a-z][^']*)'", advice):
        command: Any = commands
        for word in words.split():
            if word.startswith("--"):
                assert any(word in parameter.opts for parameter in command.params), words
            else:
                command = command.get_command(typer.Context(command, info_name="ticketbot"), word)
    settings = {f"{name}.{inner}" for name, field in Settings.model_fields.items() for inner in fields_of(field)}
    assert set(re.findall(r"\b(?:run|models|alerts|slo|budget)\.\w+", advice)) <= settings


def fields_of(field: Any) -> set[str]:
    return set(getattr(field.annotation, "model_fields", ()))


def test_escalated_tickets_are_listed_by_number_reasons_and_address() -> None:
    tickets = [EscalatedTicket(ticket_id=n, reasons=("high_risk", "security")) for n in range(1, 61)]
    message = escalation_of(tickets, "acme.zendesk.com", ZendeskSettings(url="acme").ticket_url)
    lines = message.body.splitlines()
    assert message.title == "[escalated] 60 tickets escalated (ticketbot, acme.zendesk.com)"
    assert lines[0] == "#1: high risk, security  https://acme.zendesk.com/agent/tickets/1"
    assert lines[-2:] == ["and 10 more", "'ticketbot report --escalated' lists what is still open."]


# The daily summary

DAY = iso(NOW)[:10]


def test_rates_latency_and_cost_have_the_names_that_they_have_everywhere() -> None:
    took = Latencies()
    for _ in range(30):
        took.add(400)
    busy = recorded(
        NOW - 1200, ok=29, failed=1, sources={"model": 27, "rules": 3}, reviews=6, cost_usd=0.25, latencies=took.bands
    )
    again = recorded(NOW - 600, outcomes={"failed": 1}, dead_letters=1, stopped_by="RateLimited", exit_code=3)
    assert (summary_text(DAY, [busy, again], {}, "2026-11-21:9:abc") or "").splitlines() == [
        f"{DAY}, UTC: 2 runs, ended early: 1 told to wait by the helpdesk",
        "outcomes: 2 failed, 29 updated",
        "success rate 96.7%, error rate 3.3%, fallback rate 10.0%, review rate 20.0%",
        "latency p50 405 ms, p95 405 ms",  # as bands know it
        "cost $0.25",
        "answers: 27 model, 3 rules",
        "waiting for a later run: 0, left alone after too many failures: 1",
        "open alerts: none",
        "log head: 2026-11-21:9:abc",
    ]


@needs_zones
@pytest.mark.parametrize("zone", ELSEWHERE)
def test_a_day_is_one_of_utc_wherever_the_machine_stands(zone: str) -> None:
    with standing_in(zone):
        assert summary_due(parse_iso("2026-11-21T07:59:59Z"), "08:00", None) is None
        assert summary_due(parse_iso("2026-11-21T08:00:00Z"), "08:00", None) == "2026-11-20"
        assert summary_due(parse_iso("2026-11-21T23:00:00Z"), "08:00", "2026-11-20") is None
        edges = [recorded(parse_iso(f"2026-11-20T{time}Z") + 5, ok=1) for time in ("00:00:00", "23:59:59")]
        beyond = [recorded(parse_iso(moment) + 5, ok=50) for moment in ("2026-11-19T23:59:59Z", "2026-11-21T00:00:00Z")]
        said = summary_text("2026-11-20", sorted([*edges, *beyond], key=lambda run: run.started), {}, None)
    assert said is not None
    assert said.startswith("2026-11-20, UTC: 2 runs\noutcomes: 2 updated\n")
