from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest

from ticket_processor.core.run_summary import RunRecord, Statement
from ticket_processor.monitoring.memory import Owed
from ticket_processor.monitoring.messages import message_of
from ticket_processor.monitoring.rules import RULES, UNEXPECTED, look, rule_id
from ticket_processor.monitoring.rules import Severity as S
from ticket_processor.monitoring.run_metrics import DAY, HOUR, MINUTE
from ticket_processor.policy.decide import Policy
from ticket_processor.policy.note import Escalation
from ticket_processor.settings.helpdesks import TOKENS_END
from ticket_processor.settings.schema import Settings

from ..support.recorded_runs import NOW, history, recorded

DOWN = {"ok": 0, "stopped_by": "HelpdeskDown", "stopped": "Zendesk cannot be reached"}
REFUSED = {"ok": 0, "stopped_by": "NotAuthorised", "stopped": "HTTP 401"}
HALTED = {"ok": 0, "stopped_by": "Halted"}
MODELS = Settings.model_validate({"models": {"names": ["m-1"]}})
TOKEN = Settings.model_validate({"zendesk": {"url": "acme", "email": "bot@example.com", "api_token": "token"}})


def found(records: list[RunRecord], settings: Settings = MODELS, now: float = NOW, **facts: bool) -> dict[str, str]:
    return look(records, settings, now, **facts)[0]


def by_model(count: int, **why: int) -> dict[str, Any]:
    fallbacks = sum(why.values())
    sources = {name: n for name, n in (("model", count), ("rules", fallbacks)) if n}
    return {"ok": count + fallbacks, "sources": sources, "fallbacks": why}


def every(minutes: float, *, until: float = NOW, runs: int = 8) -> list[RunRecord]:
    return history(*[{}] * runs, until=until, every=minutes * MINUTE)


def ended_by(name: str, why: str = "because") -> list[RunRecord]:
    return history(*[{}] * 3, {"ok": 0, "stopped_by": name, "stopped": why})


def sworn(**counts: int) -> dict[str, Any]:
    return {"statement": Statement(**{"written": 9, "checked": 9, **counts})}


BEHIND = [recorded(NOW - n * MINUTE, caught_up=False, stopped="interrupted") for n in (30, 20, 10, 0)]
LATE = [*every(10, until=NOW - 41 * MINUTE), *BEHIND]
SELDOM = [recorded(NOW - n * 4 * HOUR, **by_model(0, model_timeout=4)) for n in range(4, -1, -1)]
BY_HAND = [recorded(NOW - hours * HOUR) for hours in (200, 152, 151.5, 128, 104, 98, 79, 54, 53.8, 30, 5)]
DEAD = {"new_dead_letters": 1, "dead_letters": 4}
USUAL = {"categories": {"account": 10, "billing": 20}}
Runs = list[RunRecord]
NO_ANSWER = "the model server gave no answer in time"

ROWS: dict[str, tuple[Runs, dict[str, str]] | tuple[Runs, dict[str, str], dict[str, Any]]] = {
    "no run": ([], {}),
    "a good run": ([recorded()], {}),
    # The helpdesk
    "an outage's first run": (history({}, DOWN), {}),
    "its second run": (
        history({}, DOWN, {**DOWN, "stopped": "the circuit breaker is open"}),
        {"helpdesk_unreachable": "the helpdesk could not be reached in 2 runs in a row: Zendesk cannot be reached"},
    ),
    "after it": (history({}, DOWN, DOWN, {}), {}),
    "refused": (history({}, REFUSED), {"helpdesk_unreachable": "the helpdesk refuses our credentials: HTTP 401"}),
    # Log, state, notes, the kill switch
    "no log": (
        ended_by("AuditUnwritable", "no space left"),
        {"state_unusable": "the log cannot be written, so no ticket is triaged: no space left"},
    ),
    "no state": (
        ended_by("StateUnusable"),
        {"state_unusable": "the state folder cannot be used, so no ticket is triaged: because"},
    ),
    "a retry run without a log": (
        [recorded(NOW - 60), recorded(kind="retry", ok=0, stopped_by="AuditUnwritable")],
        {"state_unusable": "the log cannot be written, so no ticket is triaged"},
    ),
    **{
        f"a note became public, {name}": (
            runs,
            {
                "note_published": "a customer may have seen an internal note; no run writes anything until a person "
                "has looked"
            },
            {"halted": halted},
        )
        for name, runs, halted in (
            ("now", ended_by("NotePublished"), False),
            ("which holds up the runs", [recorded(ok=0, stopped_by="CannotRun")], True),
        )
    },
    "stopped for less than an hour": (history(*[HALTED] * 6), {}),
    "stopped for an hour": (history(*[HALTED] * 7), {"stopped": "the kill switch has been set for 1 h"}),
    "no longer stopped": (history(*[HALTED] * 7, {}), {}),
    # Failures
    **{
        f"a single failure on a quiet desk, run {place}": (
            history(*[{"ok": 3}] * place, {"ok": 2, "failed": 1}, *[{"ok": 3}] * (11 - place)),
            {},
        )
        for place in (0, 6, 11)
    },
    "all fail": (
        [recorded(ok=0, failed=4)],
        {"errors_fast": "4 of 4 tickets failed in the last run with tickets"},
    ),
    "many failures": (
        history({"ok": 2, "failed": 2}, {"ok": 0}, {"ok": 0, "failed": 2}),
        {"errors_fast": "4 of 6 tickets failed in the last 2 runs with tickets"},
    ),
    "some failures of many": (history(*[{"ok": 96, "failed": 4}] * 36), {}),
    "a ticket was given up, and is still there": (
        history(DEAD, {"dead_letters": 4}),
        {"dead_letters": "1 ticket failed too often in the last 24 hours; the dead-letter list has 4"},
    ),
    "and is gone": (history({"new_dead_letters": 1, "dead_letters": 1}, {}), {}),
    "given up long ago": ([recorded(dead_letters=4)], {}),
    # Models
    "models are silent for a tenth": (history(*[by_model(9, model_timeout=1)] * 6), {}),
    "for a fifth": (
        history(*[by_model(8, model_timeout=2, nothing_to_read=1)] * 8),
        {
            "model_fallback": "unplanned fallback rate 18.2%: no model gave 12 of 66 answers in the last 6 runs with "
            f"any ({NO_ANSWER}: 12)"
        },
    ),
    "for a few tickets": (history(by_model(3, model_timeout=4)), {}),
    "no models": (history(*[by_model(0, model_timeout=9)] * 6), {}, {"settings": Settings()}),
    "runs hours apart": (
        [*every(240, until=NOW - 20 * HOUR), *SELDOM],
        {
            "model_fallback": "unplanned fallback rate 100.0%: no model gave 20 of 20 answers in the last 5 runs with "
            f"any ({NO_ANSWER}: 20)"
        },
    ),
    "a budget of the run": (history(*[by_model(0, budget_of_run_spent=9, nothing_to_read=2)] * 6), {}),
    "the budget of the day": (
        history({"cost_usd": 1.5}, by_model(0, budget_of_day_spent=9)),
        {"spend": "the models' budget of the day is used up ($1.50): no model is asked until midnight UTC"},
    ),
    "the budget of the day before": (
        [recorded(NOW - 13 * HOUR, **by_model(0, budget_of_day_spent=9)), recorded()],
        {},
    ),
    # Promises
    "a person's work was overwritten": (
        [*history(sworn(human_values_changed=2), sworn(foreign_tags_removed=1)), recorded(kind="undo")],
        {"overwrote": "runs in the last 6 hours overwrote a person's work: 2 values changed and 1 tag removed"},
    ),
    "and that was long ago": ([recorded(NOW - 7 * HOUR, **sworn(human_values_changed=1)), recorded()], {}),
    "a write was not found": ([recorded(**sworn(not_found=1))], {}),
    # Time
    "nobody looks for 41 minutes": (
        LATE,
        {"not_caught_up": "for 41 min no run has looked at all new tickets: interrupted"},
    ),
    "until a run does": ([*LATE, recorded()], {}),
    **{f"{len(made)} runs by hand": ([*made, recorded(caught_up=False)], {}) for made in (BY_HAND, BY_HAND[-2:])},
    "runs again after a long pause": (
        [*every(10, until=NOW - 14 * HOUR), recorded(NOW - 600, caught_up=False), recorded(caught_up=False)],
        {},
    ),
    "and still nobody looks": (
        [*every(10, until=NOW - 14 * HOUR), *(recorded(NOW - n * 600, caught_up=False) for n in range(5, -1, -1))],
        {"not_caught_up": "for 14 h no run has looked at all new tickets"},
    ),
    # Categories
    "three times as many": (
        history(*[USUAL] * 23, {"categories": {"account": 31, "billing": 20}}, every=DAY),
        {"drift:account": "31 of 51 tickets today are about account; usual are 10"},
    ),
    "hardly any, all day": (
        history(
            *[{"categories": {"account": 40, "billing": 20}}] * 28, {"categories": {"account": 1, "billing": 20}}, {},
            every=DAY,
        ),
        {"drift:account": "1 of 21 tickets yesterday are about account; usual are 40"},
    ),
    "hardly any yet": (
        history(
            *[{"categories": {"account": 40, "billing": 20}}] * 28, {"categories": {"account": 1, "billing": 20}},
            every=DAY,
        ),
        {},
    ),
    "a few more": (history(*[USUAL] * 28, {"categories": {**USUAL["categories"], "rare": 9}}, every=DAY), {}),
    "in the first two weeks": (history(*[USUAL] * 12, {"categories": {"account": 90}}, every=DAY), {}),
    **{
        f"{times} times as many of all": (
            history(
                *[USUAL] * 28, {"categories": {"account": round(10 * times), "billing": round(20 * times)}}, {},
                every=DAY,
            ),
            {},
        )
        for times in (0.0, 0.4, 2.5, 4.0)
    },
    # Service times
    "service times of two categories": (
        [recorded(due_soon={"billing": 2, "order": 1}, overdue={"billing": 1})],
        {
            "service_times:billing": "open tickets have 1 service time missed and 2 service times within 30 min of "
            "the end",
            "service_times:order": "open tickets have 1 service time within 30 min of the end",
        },
        {"settings": Settings(policy=Policy(escalation=Escalation(sla_minutes=30)))},
    ),
    "service times that are no longer read": ([recorded(overdue={"billing": 1})], {}),
    # Tokens
    **{
        f"tokens end in {days} days": (
            [recorded(TOKENS_END - days * DAY)],
            {"token_ends": said} if said else {},
            {"settings": TOKEN, "now": TOKENS_END - days * DAY},
        )
        for days, said in (
            (61, ""),
            (60, "the helpdesk stops taking API tokens in 60 days, on 2027-04-30"),
            (0.04, "the helpdesk stops taking API tokens in less than a day, on 2027-04-30"),
            (-3, "the helpdesk no longer takes API tokens, since 2027-04-30"),
        )
    },
    "tokens end, and none is used": ([recorded(TOKENS_END)], {}, {"settings": Settings(), "now": TOKENS_END}),
}  # fmt: skip


@pytest.mark.parametrize("name", ROWS)
def test_these_runs_are_reason_for_these_alerts(name: str) -> None:
    records, expected, *facts = ROWS[name]
    assert found(records, **(facts[0] if facts else {})) == expected
    for rule, said in expected.items():
        assert said[0].islower() or said[0].isdigit(), "it stands behind a heading"
        news = Owed("chat", rule, "begun", said, NOW)
        assert len(message_of(news, "example.zendesk.com", "bot-3").body) < 900, "what every service takes"


def test_every_rule_is_among_them() -> None:
    assert {rule_id(rule) for row in ROWS.values() for rule in row[1]} == set(RULES)


def test_a_run_that_ended_early_is_no_proof_that_anything_is_over() -> None:
    for end in ("AuditUnwritable", "NotAuthorised", "RateLimited", UNEXPECTED):
        assert not look(ended_by(end), MODELS, NOW)[1]
    assert look(ended_by("DeadlineReached"), MODELS, NOW)[1]
    assert look([recorded()], MODELS, NOW)[1]


@pytest.mark.parametrize("minutes", [5, 10, 60, 1440])
def test_how_long_is_too_long_follows_from_how_often_runs_come(minutes: int) -> None:
    stale = max(40.0, 4.0 * minutes)
    assert "not_caught_up" not in found(every(minutes, until=NOW - (stale - 1) * MINUTE))
    assert "not_caught_up" in found(every(minutes, until=NOW - (stale + 1) * MINUTE))


def test_the_docs_have_a_heading_for_each_rule_and_call_critical_what_is() -> None:
    page = (Path(__file__).parents[2] / "docs" / "alerts.md").read_text(encoding="utf-8")
    headings = re.findall(r"^### (\w+)$", page.partition("\n## Each alert\n")[2], re.MULTILINE)
    assert sorted(headings) == sorted(RULES)
    assert len(RULES) <= 14, "as many as a person on call can know"
    said = dict(re.findall(r"^### (\w+)\n\n\*\*(Critical|Warning)", page, re.MULTILINE))
    assert {name: word.lower() for name, word in said.items()} == {name: rule.severity for name, rule in RULES.items()}
    loud = {"helpdesk_unreachable", "errors_fast", "not_caught_up"}
    loud |= {"note_published", "overwrote", "state_unusable"}
    assert {name for name, rule in RULES.items() if rule.severity is S.CRITICAL} == loud
