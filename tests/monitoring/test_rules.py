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
from ticket_processor.monitoring.slo import DAY, HOUR, MINUTE
from ticket_processor.reporting.figures import PLANNED
from ticket_processor.settings.schema import AlertSettings, Settings

from ..support.recorded_runs import NOW, PERIOD_S, busy, history, recorded

DOWN = {"ok": 0, "stopped_by": "HelpdeskDown", "stopped": "Zendesk cannot be reached"}
MODELS = Facts(NOW, models=True)


def found(records: list[RunRecord], facts: Facts = MODELS, **alerts: Any) -> dict[str, S]:
    conditions = look(records, facts, Settings(alerts=AlertSettings(**alerts))).conditions
    return {rule: severity_of(rule) for rule in conditions}


def by_model(count: int, **why: int) -> dict[str, Any]:
    fallbacks = sum(why.values())
    sources = {name: n for name, n in (("model", count), ("rules", fallbacks)) if n}
    return {"ok": count + fallbacks, "sources": sources, "fallbacks": why}


def every(minutes: float, *, until: float = NOW, runs: int = 8) -> list[RunRecord]:
    return history(*[{}] * runs, until=until, every=minutes * MINUTE)


def ended_by(name: str, count: int = 1) -> list[RunRecord]:
    return history(*[{}] * 3, *[{"ok": 0, "stopped_by": name, "stopped": "because"}] * count)


def test_no_run_and_a_good_run_are_no_reason_for_anything() -> None:
    assert found([]) == {}
    assert found([recorded()]) == {}


# The helpdesk


def test_an_outage_is_told_in_its_second_run() -> None:
    assert found(history({}, DOWN)) == {}
    assert found(history({}, DOWN, DOWN)) == {"helpdesk_unreachable": S.CRITICAL}
    assert found(history({}, DOWN, DOWN, {})) == {}


def test_a_refused_sign_in_is_not_over_while_the_helpdesk_cannot_be_reached() -> None:
    refused = {"ok": 0, "stopped_by": "NotAuthorised"}
    assert look(history(refused, DOWN), MODELS, Settings()).unknown == {"helpdesk_unreachable"}
    assert found(history(refused, DOWN, DOWN)) == {"helpdesk_unreachable": S.CRITICAL}
    assert look(history(refused, DOWN, {}), MODELS, Settings()).unknown == frozenset()


def test_what_was_said_of_it_is_told_with_it() -> None:
    (said,) = look(history(DOWN, DOWN), MODELS, Settings()).conditions.values()
    assert said == "the helpdesk could not be reached in 2 runs in a row: Zendesk cannot be reached"


@pytest.mark.parametrize(
    ("end", "rule", "severity"),
    [
        ("NotAuthorised", "helpdesk_unreachable", S.CRITICAL),
        ("AuditUnwritable", "state_unusable", S.CRITICAL),
        ("StateUnusable", "state_unusable", S.CRITICAL),
        ("NotePublished", "note_published", S.CRITICAL),
    ],
)
def test_what_ends_runs_has_a_rule_of_its_own(end: str, rule: str, severity: S) -> None:
    assert found(ended_by(end)) == {rule: severity}


def test_a_retry_run_that_cannot_write_its_log_is_told_of_as_well() -> None:
    records = [recorded(NOW - 60), recorded(kind="retry", ok=0, stopped_by="AuditUnwritable")]
    assert found(records) == {"state_unusable": S.CRITICAL}


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


# Failures


def test_a_single_failure_in_a_day_of_three_tickets_a_run_is_nobody_s_business() -> None:
    for place in range(12):
        runs: list[dict[str, Any]] = [{"ok": 3}] * 12
        runs[place] = {"ok": 2, "failed": 1}
        assert found(history(*runs)) == {}


def test_many_failures_page() -> None:
    assert found(history(*[{}] * 6, {"ok": 1, "failed": 2}, {"ok": 1, "failed": 2})) == {"errors_fast": S.CRITICAL}
    assert found(history(*[{"ok": 96, "failed": 4}] * 36)) == {}


def test_a_countdown_that_is_over_when_it_is_read_is_left_out() -> None:
    runs = [
        recorded(NOW - ago, exit_code=3, stopped_by="HelpdeskDown", stopped="the breaker is open for another 56 s")
        for ago in (PERIOD_S, 0)
    ]
    (said,) = look(runs, MODELS, Settings()).conditions.values()
    assert said.endswith("the breaker is open")


def test_tickets_given_up_are_told_as_long_as_there_are_any() -> None:
    assert found([recorded(new_dead_letters=1, dead_letters=4)]) == {"dead_letters": S.WARNING}
    assert found(history({"new_dead_letters": 1, "dead_letters": 4}, {"dead_letters": 4})) == {
        "dead_letters": S.WARNING
    }
    assert found(history({"new_dead_letters": 1, "dead_letters": 1}, {})) == {}
    assert found([recorded(dead_letters=4)]) == {}


# Models


def test_models_that_answer_too_seldom_are_told_of() -> None:
    assert found(history(*[by_model(9, model_timeout=1)] * 6)) == {}
    assert found(history(*[by_model(8, model_timeout=2)] * 6)) == {"model_fallback": S.WARNING}


def test_a_few_tickets_prove_nothing_about_models() -> None:
    assert found(history(by_model(3, model_timeout=4))) == {}


def test_what_is_told_of_fallbacks_is_called_as_everywhere_and_leaves_out_the_same() -> None:
    runs = history(*[by_model(8, model_timeout=2, nothing_to_read=1)] * 6)
    (said,) = look(runs, MODELS, Settings()).conditions.values()
    assert said.startswith("unplanned fallback rate 18.2%: no model gave 12 of 66 answers")
    assert set(PLANNED) == {NOTHING_TO_READ, "no_model_configured", RUN_SPENT, DAY_SPENT}


def test_a_site_without_models_is_told_nothing_about_them() -> None:
    assert found(history(*[by_model(0, model_timeout=9)] * 6), Facts(NOW)) == {}


def test_runs_hours_apart_are_told_of_models_that_do_not_answer() -> None:
    silent = [recorded(NOW - n * 4 * HOUR, **by_model(0, model_timeout=4)) for n in range(5)]
    assert found([*every(240, until=NOW - 20 * HOUR), *reversed(silent)]) == {"model_fallback": S.WARNING}


def test_a_spent_budget_is_no_model_s_fault() -> None:
    assert found(history(*[by_model(0, budget_of_run_spent=9, nothing_to_read=2)] * 6)) == {}
    assert found(history(by_model(5), by_model(0, budget_of_day_spent=9))) == {"spend": S.WARNING}


def test_what_models_cost_is_told_against_the_setting_and_from_midnight_on() -> None:
    assert found(history({"cost_usd": 3.0}, {"cost_usd": 2.0}), day_usd=5.0) == {"spend": S.WARNING}
    assert found(history({"cost_usd": 3.0}, {"cost_usd": 1.9}), day_usd=5.0) == {}
    assert found([recorded(NOW - 13 * HOUR, cost_usd=9.0), recorded()], day_usd=5.0) == {}


# Time


def test_tickets_that_nobody_looks_at_page_after_forty_minutes() -> None:
    behind = [recorded(NOW - n * MINUTE, caught_up=False) for n in (30, 20, 10, 0)]
    late = [*every(10, until=NOW - 41 * MINUTE), *behind]
    assert found(late) == {"not_caught_up": S.CRITICAL}
    assert found([*late, recorded()]) == {}


def test_a_run_kept_out_by_another_one_sees_how_long_ago_the_last_good_one_was() -> None:
    assert found(every(10, until=NOW - 39 * MINUTE)) == {}
    assert found(every(10, until=NOW - 41 * MINUTE)) == {"not_caught_up": S.CRITICAL}


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


def test_runs_that_a_person_starts_are_never_late() -> None:
    by_hand = [recorded(NOW - hours * HOUR) for hours in (200, 152, 151.5, 128, 104, 98, 79, 54, 53.8, 30, 5)]
    late = Facts(NOW, started=NOW - 5, seen=NOW - 5 * HOUR)
    for runs in (by_hand, by_hand[-2:], []):
        assert found([*runs, recorded(caught_up=False)], late) == {}


@pytest.mark.parametrize("minutes", [5, 10, 30, 60, 360, 1440])
def test_how_long_a_pause_is_follows_from_how_often_runs_come(minutes: int) -> None:
    gap, runs = max(25.0, 2.5 * minutes) * MINUTE, every(minutes, until=NOW - 3 * DAY)

    def resumed(pause: float, before: float = 0.0) -> float:
        return Look(runs, Facts(NOW, started=NOW - 5, seen=NOW - 5 - pause, resumed=before), Settings()).resumed

    assert (resumed(gap + 1), resumed(gap - 1), resumed(gap - 1, NOW - HOUR)) == (NOW - 5, 0.0, NOW - HOUR)
    assert resumed(gap - 1, NOW + HOUR) == 0.0, "a clock that was ahead"


def test_what_happened_before_a_gap_and_after_it_is_not_in_a_row() -> None:
    before, down = every(10, until=NOW - 3 * DAY), {"ok": 0, "stopped_by": "HelpdeskDown"}
    friday, monday = recorded(NOW - 3 * DAY + 600, **down), recorded(NOW, **down)
    assert found([*before, friday, monday]) == {}
    assert found([*before, friday, recorded(NOW - 600, **down), monday]) == {"helpdesk_unreachable": S.CRITICAL}
    both = [recorded(NOW - 3 * DAY + n * 600, **down) for n in (1, 2)]
    assert found([*before, *both, monday]) == {"helpdesk_unreachable": S.CRITICAL}, "nobody has seen it end"


def test_time_in_which_no_run_was_there_makes_nobody_late() -> None:
    before = every(10, until=NOW - 14 * HOUR)
    woken = Facts(NOW, started=NOW - 5, seen=NOW - 14 * HOUR)
    late = recorded(caught_up=False)
    assert "not_caught_up" not in found([*before, late], woken)
    assert "not_caught_up" in look([*before, late], woken, Settings()).unknown, "what was open is not over"
    kept_out = Facts(NOW, started=NOW - 5, seen=NOW - 600, resumed=NOW - 39 * MINUTE)
    assert "not_caught_up" not in found([*before, late], kept_out)
    for_long = Facts(NOW, started=NOW - 5, seen=NOW - 600, resumed=NOW - 41 * MINUTE)
    assert found([*before, late], for_long) == {"not_caught_up": S.CRITICAL}


def test_the_kill_switch_is_remembered_after_an_hour() -> None:
    halted = {"ok": 0, "stopped_by": "Halted"}
    assert found(history(*[halted] * 6)) == {}
    assert found(history(*[halted] * 7)) == {"stopped": S.WARNING}
    assert found(history(*[halted] * 7, {})) == {}


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


def test_a_published_note_stays_open_while_it_holds_up_the_runs() -> None:
    held_up = [recorded(ok=0, stopped_by="CannotRun")]
    assert found(held_up, Facts(NOW, halted=True)) == {"note_published": S.CRITICAL}
    assert found([recorded()], Facts(NOW)) == {}


# All of them


def test_there_are_no_more_rules_than_a_person_on_call_can_know() -> None:
    assert len(RULES) <= 12


def test_every_rule_has_its_heading_in_the_docs_and_the_docs_have_no_other() -> None:
    page = (Path(__file__).parents[2] / "docs" / "alerts.md").read_text(encoding="utf-8")
    headings = re.findall(r"^### (\w+)$", page.partition("\n## Each alert\n")[2], re.MULTILINE)
    assert sorted(headings) == sorted(RULES)
    assert len(headings) == len(set(headings))


def test_what_the_docs_call_critical_is() -> None:
    page = (Path(__file__).parents[2] / "docs" / "alerts.md").read_text(encoding="utf-8")
    said = dict(re.findall(r"^### (\w+)\n\n\*\*(Critical|Warning)", page, re.MULTILINE))
    assert said.keys() == RULES.keys()
    loud = {"helpdesk_unreachable", "errors_fast", "not_caught_up"}
    loud |= {"note_published", "overwrote", "state_unusable"}
    assert {rule for rule, severity in said.items() if severity == "Critical"} == loud
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
