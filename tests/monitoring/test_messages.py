"""What is told of each rule: every number is true of the runs it comes from, and one is not called several."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import Any, NamedTuple

import pytest
import typer.main

from ticket_processor.cli import app
from ticket_processor.core.run_summary import RunRecord, Statement
from ticket_processor.monitoring.facts import Facts, span
from ticket_processor.monitoring.memory import Owed
from ticket_processor.monitoring.messages import AlertMessage, message_of
from ticket_processor.monitoring.rules import RULES, TOKENS_END, look, rule_id
from ticket_processor.monitoring.run_metrics import DAY, HOUR, MINUTE
from ticket_processor.settings.schema import Settings

from ..support.recorded_runs import NOW, PERIOD_S, history, recorded


class Case(NamedTuple):
    """Runs, and what is said of them."""

    rule: str
    said: str
    runs: list[RunRecord]
    facts: Facts = Facts(NOW, models=True)


def ended(by: str, times: int, *, every: float = PERIOD_S, why: str | None = None) -> list[RunRecord]:
    return history(*[{"ok": 0, "stopped_by": by, "stopped": why}] * times, every=every)


def answers(model: int, **why: int) -> dict[str, Any]:
    rules = sum(why.values())
    return {"ok": model + rules, "sources": {"model": model, "rules": rules}, "fallbacks": why}


def sworn(**found: int) -> dict[str, Any]:
    return {"statement": Statement(**{"written": 9, "checked": 9, **found})}


USUAL = {"categories": {"account": 10, "billing": 20}}
THREEFOLD = {"categories": {"account": 31, "billing": 20}}
FOURFOLD = {"categories": {"account": 40, "billing": 20}}
CASES = [
    Case("errors_fast", "4 of 4 tickets failed in the last run with tickets", [recorded(ok=0, failed=4)]),
    Case(
        "errors_fast",
        "4 of 6 tickets failed in the last 2 runs with tickets",
        history({"ok": 2, "failed": 2}, {"ok": 0}, {"ok": 0, "failed": 2}),
    ),
    Case(
        "errors_fast",
        "8 of 8 tickets failed in the last 6 runs with tickets",
        history(*[{}] * 6, *[{"ok": 0, "failed": 1}] * 4, *[{"ok": 0, "failed": 2}] * 2),
    ),
    Case(
        "helpdesk_unreachable",
        "the helpdesk could not be reached in 2 runs in a row: Zendesk cannot be reached",
        ended("HelpdeskDown", 2, why="Zendesk cannot be reached"),
    ),
    Case("helpdesk_unreachable", "the helpdesk could not be reached in 5 runs in a row", ended("HelpdeskDown", 5)),
    Case(
        "helpdesk_unreachable",
        "the helpdesk could not be reached in 3 runs in a row: Zendesk does not answer (ConnectionError)",
        [
            *ended("HelpdeskDown", 1, why="Zendesk does not answer (ConnectionError)"),
            *ended("HelpdeskDown", 2, why="the circuit breaker is open for another 56 s"),
        ],
    ),
    Case(
        "helpdesk_unreachable",
        "the helpdesk refuses our credentials: HTTP 401",
        ended("NotAuthorised", 1, why="HTTP 401"),
    ),
    Case(
        "model_fallback",
        "unplanned fallback rate 40.0%: no model gave 8 of 20 answers in the last run with any (the model "
        "server gave no answer in time: 8)",
        [recorded(**answers(12, model_timeout=8))],
    ),
    Case(
        "model_fallback",
        "unplanned fallback rate 20.0%: no model gave 12 of 60 answers in the last 6 runs with any (the "
        "model server gave no answer in time: 12)",
        history(*[answers(8, model_timeout=2)] * 8),
    ),
    Case(
        "not_caught_up",
        "for 60 minutes no run has looked at all new tickets: interrupted",
        [
            *history(*[{}] * 7, until=NOW - HOUR),
            *history(*[{"caught_up": False, "stopped": "interrupted"}] * 6),
        ],
    ),
    Case(
        "not_caught_up",
        "for 26 hours no run has looked at all new tickets",
        [*history(*[{}] * 7, until=NOW - 26 * HOUR), *history(*[{"caught_up": False}] * 155)],
    ),
    Case(
        "state_unusable",
        "the log cannot be written, so no ticket is triaged: no space left",
        ended("AuditUnwritable", 1, why="no space left"),
    ),
    Case("state_unusable", "the state folder cannot be used, so no ticket is triaged", ended("StateUnusable", 1)),
    Case(
        "note_published",
        "a customer may have seen an internal note; no run writes anything until a person has looked",
        ended("NotePublished", 1),
    ),
    Case(
        "overwrote",
        "runs in the last 11 minutes overwrote a person's work: 1 value changed",
        history(sworn(human_values_changed=1), {}),
    ),
    Case(
        "overwrote",
        "runs in the last 6 hours overwrote a person's work: 2 values changed and 1 tag removed",
        [*history({}, until=NOW - DAY), *history(sworn(human_values_changed=2), sworn(foreign_tags_removed=1))],
    ),
    Case(
        "dead_letters",
        "1 ticket failed too often in the last minute; the dead-letter list has 1",
        [recorded(new_dead_letters=1, dead_letters=1)],
    ),
    Case(
        "dead_letters",
        "3 tickets failed too often in the last 24 hours; the dead-letter list has 1",
        [*history({}, until=NOW - 2 * DAY), *history({"new_dead_letters": 3, "dead_letters": 5}, {"dead_letters": 1})],
    ),
    Case(
        "dead_letters",
        "1 ticket failed too often in the last 11 minutes; the dead-letter list has 4",
        history({"new_dead_letters": 1, "dead_letters": 4}, {"dead_letters": 4}),
    ),
    Case("stopped", "the kill switch has been set for 60 minutes", ended("Halted", 7)),
    Case("stopped", "the kill switch has been set for 5 hours", ended("Halted", 6, every=HOUR)),
    Case(
        "spend",
        "the models' budget of the day is used up ($1.50): no model is asked until midnight UTC",
        history({"cost_usd": 1.5}, answers(0, budget_of_day_spent=2)),
    ),
    Case(
        "drift",
        "31 of 51 tickets today are about account; usual are 10",
        history(*[USUAL] * 23, THREEFOLD, every=DAY),
    ),
    Case(
        "drift",
        "1 of 21 tickets yesterday are about account; usual are 40",
        history(
            *[FOURFOLD] * 28,
            {"categories": {"account": 1, "billing": 20}},
            {},
            every=DAY,
        ),
    ),
    *(
        Case("token_ends", said, [recorded(at)], Facts(at, api_token=True))
        for at, said in (
            (TOKENS_END - 2.5 * DAY, "the helpdesk stops taking API tokens in 2 days, on 2027-04-30"),
            (TOKENS_END - DAY, "the helpdesk stops taking API tokens in 1 day, on 2027-04-30"),
            (TOKENS_END - HOUR, "the helpdesk stops taking API tokens in less than a day, on 2027-04-30"),
            (TOKENS_END + HOUR, "the helpdesk no longer takes API tokens, since 2027-04-30"),
        )
    ),
]


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.rule)
def test_what_is_said_is_true_of_the_runs_it_is_said_of(case: Case) -> None:
    conditions = look(case.runs, case.facts, Settings()).conditions
    told = {rule_id(rule): said for rule, said in conditions.items()}
    assert told.get(case.rule) == case.said, told
    assert case.said[0].islower() or case.said[0].isdigit(), "it stands behind a heading"
    assert not case.said.endswith(".")
    assert len(case.said) < 200
    news = Owed("chat", case.rule, "begun", case.said, NOW)
    assert len(message_of(news, "example.zendesk.com", "bot-3").body) < 900, "what every service takes"


def test_every_rule_is_among_them() -> None:
    assert {case.rule for case in CASES} == set(RULES)


@pytest.mark.parametrize(
    ("seconds", "said"),
    [
        (1, "1 minute"),
        (119, "1 minute"),
        (2 * MINUTE, "2 minutes"),
        (179 * MINUTE, "179 minutes"),
        (3 * HOUR, "3 hours"),
        (71.9 * HOUR, "71 hours"),
        (3 * DAY, "3 days"),
    ],
)
def test_a_time_is_told_in_what_it_is_mostly_made_of(seconds: float, said: str) -> None:
    assert span(seconds) == said


# What a receiver gets

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


def test_the_end_has_the_key_of_the_beginning_says_how_long_it_was_and_sends_nobody_anywhere() -> None:
    over = told(replace(BEGUN, what="over", until=NOW + 40 * MINUTE))
    assert over.key == told().key == "ticketbot/example.zendesk.com/errors_fast"
    assert over.title == "[over] Many tickets fail (ticketbot, example.zendesk.com)"
    assert over.body.splitlines() == [
        "It began at 2026-11-21 12:00 UTC and was over at 2026-11-21 12:40 UTC.",
        "It was: 12 of 20 tickets failed.",
    ]


def test_a_long_sentence_is_cut_and_says_so() -> None:
    assert told(replace(BEGUN, message="x " * 600)).body.splitlines()[0].endswith("….")
    assert len(told(replace(BEGUN, message="x " * 600)).line) < 1024, "more than PagerDuty takes"


@pytest.mark.parametrize("rule", RULES)
def test_what_to_do_is_something_that_can_be_done(rule: str) -> None:
    commands = typer.main.get_command(app)
    advice = RULES[rule].advice
    assert 40 < len(advice) < 300
    assert advice.endswith(".")
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


@pytest.mark.parametrize("rule", RULES)
def test_no_service_makes_a_link_or_mark_up_of_what_to_do(rule: str) -> None:
    assert not set("<>&@*`[]") & set(RULES[rule].advice)
    assert "://" not in RULES[rule].advice
