"""Each rule speaks when it should, and only then; what nobody can tell stays open."""

from __future__ import annotations

import random
import re
from pathlib import Path
from typing import Any

import pytest

from ticket_processor.analysis.budget import DAY_SPENT, RUN_SPENT
from ticket_processor.analysis.chain import NOTHING_TO_READ
from ticket_processor.core.run_summary import RunRecord, Statement
from ticket_processor.monitoring.facts import UNEXPECTED, Facts, Look
from ticket_processor.monitoring.facts import Severity as S
from ticket_processor.monitoring.rules import RULES, TOKENS_END, look, severity_of
from ticket_processor.monitoring.run_metrics import DAY, HOUR, MINUTE
from ticket_processor.reporting.figures import PLANNED
from ticket_processor.settings.schema import Settings

from ..support.recorded_runs import NOW, PERIOD_S, busy, history, recorded

DOWN = {"ok": 0, "stopped_by": "HelpdeskDown", "stopped": "Zendesk cannot be reached"}
MODELS = Facts(NOW, models=True)


def found(records: list[RunRecord], facts: Facts = MODELS) -> dict[str, S]:
    conditions = look(records, facts, Settings()).conditions
    return {rule: severity_of(rule) for rule in conditions}


def by_model(count: int, **why: int) -> dict[str, Any]:
    fallbacks = sum(why.values())
    sources = {name: n for name, n in (("model", count), ("rules", fallbacks)) if n}
    return {"ok": count + fallbacks, "sources": sources, "fallbacks": why}


def every(minutes: float, *, until: float = NOW, runs: int = 8) -> list[RunRecord]:
    return history(*[{}] * runs, until=until, every=minutes * MINUTE)


def ended_by(name: str, count: int = 1) -> list[RunRecord]:
    return history(*[{}] * 3, *[{"ok": 0, "stopped_by": name, "stopped": "because"}] * count)


REFUSED = {"ok": 0, "stopped_by": "NotAuthorised"}
HALTED = {"ok": 0, "stopped_by": "Halted"}
BEHIND = [recorded(NOW - n * MINUTE, caught_up=False) for n in (30, 20, 10, 0)]
LATE = [*every(10, until=NOW - 41 * MINUTE), *BEHIND]
MONDAY, FRIDAY = recorded(NOW, **DOWN), recorded(NOW - 3 * DAY + 600, **DOWN)
BEFORE_FRIDAY = every(10, until=NOW - 3 * DAY)
SELDOM = [recorded(NOW - n * 4 * HOUR, **by_model(0, model_timeout=4)) for n in range(4, -1, -1)]
BY_HAND = [recorded(NOW - hours * HOUR) for hours in (200, 152, 151.5, 128, 104, 98, 79, 54, 53.8, 30, 5)]
BY_HAND_LATE = Facts(NOW, started=NOW - 5, seen=NOW - 5 * HOUR)
DEAD = {"new_dead_letters": 1, "dead_letters": 4}
C, W = S.CRITICAL, S.WARNING
Runs = list[RunRecord]

ROWS: dict[str, tuple[Runs, dict[str, S]] | tuple[Runs, dict[str, S], Facts]] = {
    "no run": ([], {}),
    "a good run": ([recorded()], {}),
    # The helpdesk
    "an outage's first run": (history({}, DOWN), {}),
    "its second run": (history({}, DOWN, DOWN), {"helpdesk_unreachable": C}),
    "after it": (history({}, DOWN, DOWN, {}), {}),
    "refused, then away": (history(REFUSED, DOWN, DOWN), {"helpdesk_unreachable": C}),
    "away before and after a gap": ([*BEFORE_FRIDAY, FRIDAY, MONDAY], {}),
    "away again after a gap": (
        [*BEFORE_FRIDAY, FRIDAY, recorded(NOW - 600, **DOWN), MONDAY],
        {"helpdesk_unreachable": C},
    ),
    "away before a gap, and nobody has seen it end": (
        [*BEFORE_FRIDAY, *(recorded(NOW - 3 * DAY + n * 600, **DOWN) for n in (1, 2)), MONDAY],
        {"helpdesk_unreachable": C},
    ),
    "refused": (ended_by("NotAuthorised"), {"helpdesk_unreachable": C}),
    # Log, state, notes, the kill switch
    "no log": (ended_by("AuditUnwritable"), {"state_unusable": C}),
    "no state": (ended_by("StateUnusable"), {"state_unusable": C}),
    "a retry run without a log": (
        [recorded(NOW - 60), recorded(kind="retry", ok=0, stopped_by="AuditUnwritable")],
        {"state_unusable": C},
    ),
    "a note became public": (ended_by("NotePublished"), {"note_published": C}),
    "which holds up the runs": (
        [recorded(ok=0, stopped_by="CannotRun")],
        {"note_published": C},
        Facts(NOW, halted=True),
    ),
    "stopped for less than an hour": (history(*[HALTED] * 6), {}),
    "stopped for an hour": (history(*[HALTED] * 7), {"stopped": W}),
    "no longer stopped": (history(*[HALTED] * 7, {}), {}),
    # Failures
    **{
        f"a single failure on a quiet desk, run {place}": (
            history(*[{"ok": 3}] * place, {"ok": 2, "failed": 1}, *[{"ok": 3}] * (11 - place)),
            {},
        )
        for place in range(12)
    },
    "many failures": (history(*[{}] * 6, *[{"ok": 1, "failed": 2}] * 2), {"errors_fast": C}),
    "some failures of many": (history(*[{"ok": 96, "failed": 4}] * 36), {}),
    "a ticket was given up": ([recorded(**DEAD)], {"dead_letters": W}),
    "and is still there": (history(DEAD, {"dead_letters": 4}), {"dead_letters": W}),
    "and is gone": (history({"new_dead_letters": 1, "dead_letters": 1}, {}), {}),
    "given up long ago": ([recorded(dead_letters=4)], {}),
    # Models
    "models are silent for a tenth": (history(*[by_model(9, model_timeout=1)] * 6), {}),
    "for a fifth": (history(*[by_model(8, model_timeout=2)] * 6), {"model_fallback": W}),
    "for a few tickets": (history(by_model(3, model_timeout=4)), {}),
    "no models": (history(*[by_model(0, model_timeout=9)] * 6), {}, Facts(NOW)),
    "runs hours apart": ([*every(240, until=NOW - 20 * HOUR), *SELDOM], {"model_fallback": W}),
    "a budget of the run": (history(*[by_model(0, budget_of_run_spent=9, nothing_to_read=2)] * 6), {}),
    "the budget of the day": (history(by_model(5), by_model(0, budget_of_day_spent=9)), {"spend": W}),
    "the budget of the day before": (
        [recorded(NOW - 13 * HOUR, **by_model(0, budget_of_day_spent=9)), recorded()],
        {},
    ),
    # Time
    "nobody looks for 41 minutes": (LATE, {"not_caught_up": C}),
    "until a run does": ([*LATE, recorded()], {}),
    "kept out for 39 minutes": (every(10, until=NOW - 39 * MINUTE), {}),
    "kept out for 41 minutes": (every(10, until=NOW - 41 * MINUTE), {"not_caught_up": C}),
    **{
        f"{len(made)} runs by hand": ([*made, recorded(caught_up=False)], {}, BY_HAND_LATE)
        for made in (BY_HAND, BY_HAND[-2:], [])
    },
    "runs again after a long pause": (
        [*every(10, until=NOW - 14 * HOUR), recorded(caught_up=False)],
        {"not_caught_up": C},
        Facts(NOW, started=NOW - 5, seen=NOW - 600, resumed=NOW - 41 * MINUTE),
    ),
}


@pytest.mark.parametrize("name", ROWS)
def test_these_runs_are_reason_for_these_alerts(name: str) -> None:
    records, expected, *facts = ROWS[name]
    assert found(records, *facts) == expected


def test_a_refused_sign_in_is_not_over_while_the_helpdesk_cannot_be_reached() -> None:
    assert look(history(REFUSED, DOWN), MODELS, Settings()).unknown == {"helpdesk_unreachable"}
    assert look(history(REFUSED, DOWN, {}), MODELS, Settings()).unknown == frozenset()


def test_a_run_that_ended_early_says_nothing_of_what_it_did_not_come_to() -> None:
    after_the_log = look(ended_by("AuditUnwritable"), MODELS, Settings())
    assert after_the_log.unknown == {"stopped", "note_published", "helpdesk_unreachable"}
    assert look(ended_by("NotAuthorised"), MODELS, Settings()).unknown == frozenset()
    crashed = look(ended_by(UNEXPECTED), MODELS, Settings()).unknown
    assert crashed == {*after_the_log.unknown, "state_unusable"}
    assert look([recorded()], MODELS, Settings()).unknown == frozenset()


def test_without_earlier_runs_only_facts_are_judged() -> None:
    judged = look([recorded(ok=0, stopped_by="StateUnusable")], Facts(NOW, history_known=False), Settings())
    assert judged.conditions.keys() == {"state_unusable"}
    assert {"errors_fast", "not_caught_up", "dead_letters"} <= judged.unknown


def test_a_countdown_that_is_over_when_it_is_read_is_left_out() -> None:
    runs = [
        recorded(NOW - ago, exit_code=3, stopped_by="HelpdeskDown", stopped="the breaker is open for another 56 s")
        for ago in (PERIOD_S, 0)
    ]
    (said,) = look(runs, MODELS, Settings()).conditions.values()
    assert said.endswith("the breaker is open")


def test_what_is_told_of_fallbacks_is_called_as_everywhere_and_leaves_out_the_same() -> None:
    runs = history(*[by_model(8, model_timeout=2, nothing_to_read=1)] * 6)
    (said,) = look(runs, MODELS, Settings()).conditions.values()
    assert said.startswith("unplanned fallback rate 18.2%: no model gave 12 of 66 answers")
    assert set(PLANNED) == {NOTHING_TO_READ, "no_model_configured", RUN_SPENT, DAY_SPENT}


# Time


@pytest.mark.parametrize("end", ["HelpdeskDown", "Halted", "NotAuthorised", "DeadlineReached"])
def test_what_has_a_name_of_its_own_is_not_told_as_late_nor_that_this_is_over(end: str) -> None:
    ended = [recorded(NOW - n * MINUTE, ok=0, stopped_by=end) for n in (20, 10, 0)]
    judged = look([*every(10, until=NOW - HOUR), *ended], MODELS, Settings())
    assert "not_caught_up" not in judged.conditions
    assert "not_caught_up" in judged.unknown
    assert "not_caught_up" not in look([*every(10, until=NOW - HOUR), *ended, recorded()], MODELS, Settings()).unknown


@pytest.mark.parametrize("end", ["RateLimited", UNEXPECTED])
def test_what_has_no_name_of_its_own_is_told_as_late_and_why(end: str) -> None:
    ended = [recorded(NOW - n * MINUTE, ok=0, stopped_by=end, stopped="because") for n in (20, 10, 0)]
    ((rule, said),) = look([*every(10, until=NOW - HOUR), *ended], MODELS, Settings()).conditions.items()
    assert (rule, severity_of(rule)) == ("not_caught_up", S.CRITICAL)
    assert said.endswith(": because")


@pytest.mark.parametrize("minutes", [5, 10, 30, 60, 360, 1440])
def test_how_long_is_too_long_follows_from_how_often_runs_come(minutes: int) -> None:
    stale = max(40.0, 4.0 * minutes)
    assert "not_caught_up" not in found(every(minutes, until=NOW - (stale - 1) * MINUTE))
    assert "not_caught_up" in found(every(minutes, until=NOW - (stale + 1) * MINUTE))


@pytest.mark.parametrize("minutes", [5, 10, 30, 60, 360, 1440])
def test_how_long_a_pause_is_follows_from_how_often_runs_come(minutes: int) -> None:
    gap, runs = max(25.0, 2.5 * minutes) * MINUTE, every(minutes, until=NOW - 3 * DAY)

    def resumed(pause: float, before: float = 0.0) -> float:
        return Look(runs, Facts(NOW, started=NOW - 5, seen=NOW - 5 - pause, resumed=before), Settings()).resumed

    assert (resumed(gap + 1), resumed(gap - 1), resumed(gap - 1, NOW - HOUR)) == (NOW - 5, 0.0, NOW - HOUR)
    assert resumed(gap - 1, NOW + HOUR) == 0.0, "a clock that was ahead"


def test_time_in_which_no_run_was_there_makes_nobody_late() -> None:
    before = every(10, until=NOW - 14 * HOUR)
    woken = Facts(NOW, started=NOW - 5, seen=NOW - 14 * HOUR)
    late = recorded(caught_up=False)
    assert "not_caught_up" not in found([*before, late], woken)
    assert "not_caught_up" in look([*before, late], woken, Settings()).unknown, "what was open is not over"
    kept_out = Facts(NOW, started=NOW - 5, seen=NOW - 600, resumed=NOW - 39 * MINUTE)
    assert "not_caught_up" not in found([*before, late], kept_out)


@pytest.mark.parametrize(("days", "severity"), [(61, None), (60, S.WARNING), (7, S.WARNING), (-3, S.WARNING)])
def test_the_end_of_api_tokens_comes_nearer(days: int, severity: S | None) -> None:
    now = TOKENS_END - days * DAY
    expected = {} if severity is None else {"token_ends": severity}
    assert found([recorded(now)], Facts(now, api_token=True)) == expected
    assert found([recorded(now)], Facts(now)) == {}


# Promises


@pytest.mark.parametrize(
    ("statement", "told"),
    [
        ({"human_values_changed": 1}, {"overwrote": S.CRITICAL}),
        ({"foreign_tags_removed": 1}, {"overwrote": S.CRITICAL}),
        ({"not_found": 1}, {}),
    ],
)
def test_a_broken_promise_is_told_whatever_run_swore_to_it(statement: dict[str, int], told: dict[str, S]) -> None:
    sworn = Statement(written=5, checked=5, **statement)
    for kind in ("run", "retry", "apply"):
        assert found([recorded(statement=sworn, kind=kind), recorded()]) == told
    assert found([recorded(NOW - 7 * HOUR, statement=sworn), recorded()]) == {}


# All of them


def test_there_are_no_more_rules_than_a_person_on_call_can_know() -> None:
    assert len(RULES) <= 12


def test_the_docs_have_a_heading_for_each_rule_and_call_critical_what_is() -> None:
    page = (Path(__file__).parents[2] / "docs" / "alerts.md").read_text(encoding="utf-8")
    headings = re.findall(r"^### (\w+)$", page.partition("\n## Each alert\n")[2], re.MULTILINE)
    assert sorted(headings) == sorted(RULES)
    said = dict(re.findall(r"^### (\w+)\n\n\*\*(Critical|Warning)", page, re.MULTILINE))
    assert {name: word.lower() for name, word in said.items()} == {name: rule.severity for name, rule in RULES.items()}
    loud = {"helpdesk_unreachable", "errors_fast", "not_caught_up"}
    loud |= {"note_published", "overwrote", "state_unusable"}
    assert {name for name, rule in RULES.items() if rule.severity is S.CRITICAL} == loud


def test_a_healthy_desk_hears_nothing_over_a_week() -> None:
    one, records = busy(500, 0.001, random.Random(7)), []
    for number in range(7 * 144):
        tickets, failed = one()
        at = NOW + number * PERIOD_S
        records.append(recorded(at, **{**by_model(tickets), "ok": tickets - failed, "failed": failed}))
        if number % 24 == 23:
            facts = Facts(at, models=True, started=at - 5, seen=at - PERIOD_S)
            assert look(records, facts, Settings()).conditions == {}
