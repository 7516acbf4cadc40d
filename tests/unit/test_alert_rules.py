"""Each rule speaks when it should, and only then; what nobody can tell stays open."""

from __future__ import annotations

import random
import re
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ticket_processor.alert_checks import TOKENS_END
from ticket_processor.alert_rules import RULES, look
from ticket_processor.alert_view import CUT_OFF, LOG_CHANGED, LOG_REPAIRED, MISSED_RUNS, UNEXPECTED, Facts, Limits
from ticket_processor.alert_view import Severity as S
from ticket_processor.analysis import NOTHING_TO_READ
from ticket_processor.budget import DAY_SPENT, RUN_SPENT
from ticket_processor.label_drift import drift, stability_index
from ticket_processor.latency import Latencies
from ticket_processor.metric_types import PLANNED
from ticket_processor.models import RunRecord, Statement
from ticket_processor.settings import AlertSettings, SloSettings
from ticket_processor.slo import DAY, HOUR, MINUTE

from .recorded import NOW, PERIOD_S, busy, history, recorded

DOWN = {"ok": 0, "stopped_by": "HelpdeskDown", "stopped": "Zendesk cannot be reached"}
MODELS = Facts(NOW, models=True)


def found(records: list[RunRecord], facts: Facts = MODELS, **limits: Any) -> dict[str, S]:
    conditions = look(records, facts, Limits(**limits)).conditions
    return {condition.rule: condition.severity for condition in conditions}


def by_model(count: int, **why: int) -> dict[str, Any]:
    fallbacks = sum(why.values())
    sources = {name: n for name, n in (("model", count), ("rules", fallbacks)) if n}
    return {"ok": count + fallbacks, "sources": sources, "fallbacks": why}


def times(*milliseconds: float) -> dict[str, Any]:
    kept = Latencies()
    for one in milliseconds:
        kept.add(one)
    return {"ok": len(milliseconds), "latencies": kept.bands}


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


def test_what_was_said_of_it_is_told_with_it() -> None:
    (condition,) = look(history(DOWN, DOWN), MODELS).conditions
    assert condition.message == "the helpdesk could not be reached in 2 runs in a row: Zendesk cannot be reached"


@pytest.mark.parametrize(
    ("end", "rule", "severity", "runs"),
    [
        ("NotAuthorised", "not_authorised", S.CRITICAL, 1),
        ("AuditUnwritable", "log_unwritable", S.CRITICAL, 1),
        ("StateUnusable", "state_unusable", S.CRITICAL, 1),
        ("NotePublished", "note_published", S.CRITICAL, 1),
        (UNEXPECTED, "run_crashed", S.CRITICAL, 1),
        ("RateLimited", "rate_limited", S.WARNING, 3),
        ("DeadlineReached", "backlog", S.WARNING, 6),
    ],
)
def test_what_ends_runs_has_a_rule_of_its_own(end: str, rule: str, severity: S, runs: int) -> None:
    assert found(ended_by(end, runs - 1)) == {}
    assert found(ended_by(end, runs)) == {rule: severity}


def test_a_retry_run_that_cannot_write_its_log_is_told_of_as_well() -> None:
    records = [recorded(NOW - 60), recorded(kind="retry", ok=0, stopped_by="AuditUnwritable")]
    assert found(records) == {"log_unwritable": S.CRITICAL}


def test_a_run_that_ended_early_says_nothing_of_what_it_did_not_come_to() -> None:
    after_the_log = look(ended_by("AuditUnwritable"), MODELS)
    assert after_the_log.unknown == {
        "stopped",
        "note_published",
        "helpdesk_unreachable",
        "not_authorised",
        "rate_limited",
    }
    assert look(ended_by("NotAuthorised"), MODELS).unknown == {"rate_limited"}
    assert "helpdesk_unreachable" in look(ended_by(UNEXPECTED), MODELS).unknown
    assert look([recorded()], MODELS).unknown == frozenset()


def test_without_earlier_runs_only_facts_are_judged() -> None:
    facts = Facts(NOW, history_known=False, events={CUT_OFF: (NOW - 60,)})
    judged = look([recorded(ok=0, stopped_by="StateUnusable")], facts)
    assert {condition.rule for condition in judged.conditions} == {"state_unusable", CUT_OFF}
    assert {"errors_fast", "not_caught_up", "dead_letters", "label_drift"} <= judged.unknown


# Failures


def test_a_single_failure_in_a_day_of_three_tickets_a_run_is_nobody_s_business() -> None:
    for place in range(12):
        runs: list[dict[str, Any]] = [{"ok": 3}] * 12
        runs[place] = {"ok": 2, "failed": 1}
        assert found(history(*runs)) == {}


def test_many_failures_page_and_fewer_for_longer_page_too() -> None:
    assert found(history(*[{}] * 6, {"ok": 1, "failed": 2}, {"ok": 1, "failed": 2}))["errors_fast"] is S.CRITICAL
    slow = found(history(*[{"ok": 96, "failed": 4}] * 36))
    assert slow["errors_slow"] is S.CRITICAL
    assert "errors_fast" not in slow


def test_a_day_below_its_mark_is_told_though_the_failures_are_over() -> None:
    day = history(*[{"ok": 10}] * 40, *[{"ok": 5, "failed": 5}] * 4, *[{"ok": 10}] * 60)
    assert found(day) == {"success_low": S.WARNING}
    assert found(day, alert_below=0.98) == {}


def test_answers_are_too_slow_by_their_share_and_not_before_there_are_twenty_and_three_slow_ones() -> None:
    slow = [20_000] * 3
    assert found([recorded(**times(*[1000] * 18, 20_000, 20_000))]) == {}, "a quiet weekend has two by chance"
    assert found([recorded(**times(*[1000] * 17, *slow))]) == {"slow": S.WARNING}
    assert found([recorded(**times(*[1000] * 57, *slow))]) == {}
    assert found([recorded(**times(*[1000] * 56, *slow))]) == {"slow": S.WARNING}
    assert found([recorded(**times(*[1000] * 16, *slow))]) == {}
    assert found([recorded(**times(*[1000] * 17, *slow))], latency_s=30) == {}
    assert found([recorded(NOW - DAY - 1, **times(*[20_000] * 20)), recorded()]) == {}


def test_a_countdown_that_is_over_when_it_is_read_is_left_out() -> None:
    runs = [
        recorded(NOW - ago, exit_code=3, stopped_by="HelpdeskDown", stopped="the breaker is open for another 56 s")
        for ago in (PERIOD_S, 0)
    ]
    (said,) = [condition.message for condition in look(runs, MODELS, Limits()).conditions]
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
    assert found(history(*[by_model(8, model_timeout=2)] * 6), fallback_share=0.5) == {}


def test_a_few_tickets_prove_nothing_about_models() -> None:
    assert found(history(by_model(3, model_timeout=4))) == {}


def test_what_is_told_of_fallbacks_is_called_as_everywhere_and_leaves_out_the_same() -> None:
    runs = history(*[by_model(8, model_timeout=2, nothing_to_read=1)] * 6)
    (said,) = [condition.message for condition in look(runs, MODELS, Limits()).conditions]
    assert said.startswith("unplanned fallback rate 18.2%: no model gave 12 of 66 answers")
    assert set(PLANNED) == {NOTHING_TO_READ, "no_model_configured", RUN_SPENT, DAY_SPENT}


def test_a_site_without_models_is_told_nothing_about_them() -> None:
    assert found(history(*[by_model(0, model_timeout=9)] * 6), Facts(NOW)) == {}


def test_no_answer_at_all_in_three_runs_is_told_before_the_share_can_be() -> None:
    assert found(history(*[by_model(1)] * 6, *[by_model(0, model_unreachable=2)] * 3)) == {"models_silent": S.WARNING}
    assert found(history(*[by_model(0, model_unreachable=2)] * 3, by_model(1))) == {}


@pytest.mark.parametrize("why", ["model_not_authorised", "model_no_quota", "model_unknown"])
def test_a_model_server_that_turns_us_away_is_told_of_at_once(why: str) -> None:
    assert found(history(by_model(5), by_model(0, **{why: 1})))["model_refused"] is S.WARNING
    assert "model_refused" not in found(history(by_model(0, **{why: 1}), by_model(1)))


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
    assert found(late, stale_s=42 * MINUTE) == {}
    assert found([*late, recorded()]) == {}


def test_a_run_kept_out_by_another_one_sees_how_long_ago_the_last_good_one_was() -> None:
    assert found(every(10, until=NOW - 39 * MINUTE)) == {}
    assert found(every(10, until=NOW - 41 * MINUTE)) == {"not_caught_up": S.CRITICAL}


@pytest.mark.parametrize("end", ["HelpdeskDown", "Halted", "NotAuthorised", "RateLimited", "DeadlineReached"])
def test_what_has_a_name_of_its_own_is_not_told_as_late_nor_that_this_is_over(end: str) -> None:
    ended = [recorded(NOW - n * MINUTE, ok=0, stopped_by=end) for n in (20, 10, 0)]
    judged = look([*every(10, until=NOW - HOUR), *ended], MODELS)
    assert "not_caught_up" not in {condition.rule for condition in judged.conditions}
    assert "not_caught_up" in judged.unknown
    assert "not_caught_up" not in look([*every(10, until=NOW - HOUR), *ended, recorded()], MODELS).unknown


@pytest.mark.parametrize("minutes", [5, 10, 30, 60, 360, 1440])
def test_how_long_is_too_long_follows_from_how_often_runs_come(minutes: int) -> None:
    gap, stale = max(25.0, 2.5 * minutes), max(40.0, 4.0 * minutes)
    before = every(minutes, until=NOW - gap * MINUTE)

    def after(pause: float) -> Facts:
        return Facts(NOW, started=NOW - 5, seen=NOW - 5 - pause * MINUTE)

    assert "missed_runs" not in found([*before, recorded()], after(gap - 1))
    assert "missed_runs" in found([*before, recorded()], after(gap + 1))
    assert "not_caught_up" not in found(every(minutes, until=NOW - (stale - 1) * MINUTE))
    assert "not_caught_up" in found(every(minutes, until=NOW - (stale + 1) * MINUTE))


def test_runs_that_a_person_starts_have_no_rhythm_and_none_is_missing() -> None:
    by_hand = [recorded(NOW - hours * HOUR) for hours in (200, 152, 151.5, 128, 104, 98, 79, 54, 53.8, 30, 5)]
    late = Facts(NOW, started=NOW - 5, seen=NOW - 5 * HOUR)
    for runs in (by_hand, by_hand[-2:], []):
        assert found([*runs, recorded(caught_up=False)], late) == {}
        assert found([*runs, recorded()], late, gap_s=HOUR) == {"missed_runs": S.WARNING}


def test_a_gap_between_runs_is_told_by_the_run_that_ends_it() -> None:
    late = Facts(NOW, started=NOW - 5, seen=NOW - 5 - 26 * MINUTE)
    runs = [*every(10, until=NOW - 26 * MINUTE), recorded()]
    assert found(runs, late) == {"missed_runs": S.WARNING}
    assert found(runs, late, gap_s=30 * MINUTE) == {}
    assert found(runs, Facts(NOW, started=NOW - 5, seen=NOW - 5 - 24 * MINUTE)) == {}
    assert found([*runs, recorded(kind="apply")], Facts(NOW, seen=NOW - DAY)) == {}


def night(days_ago: int, began: float = 18, ended: float = 32) -> tuple[float, float]:
    """When a pause began and ended, in hours since the midnight before it."""
    midnight = NOW // DAY * DAY - days_ago * DAY
    return midnight + began * HOUR, midnight + ended * HOUR


def after_nights(*nights: tuple[float, float]) -> list[RunRecord]:
    """Runs every ten minutes, but not at night."""
    runs, at = [], nights[0][0] - 6 * HOUR
    while at < nights[-1][1] + HOUR:
        if not any(began < at < ended for began, ended in nights):
            runs.append(recorded(at))
        at += PERIOD_S
    return runs


@pytest.mark.parametrize(
    ("pause", "told"),
    [
        (night(1), False),
        (night(1, 19.5, 30.5), False),
        (night(3, 18, 80), False),
        (night(1, 18, 24), True),
        (night(1, 11, 32), True),
        (night(1, 18, 18.6), True),
    ],
    ids=["as ever", "with the clocks changed", "over the weekend", "back too early", "began too early", "short"],
)
def test_a_machine_that_sleeps_every_night_is_not_told_to_have_missed_runs(
    pause: tuple[float, float], told: bool
) -> None:
    earlier = [night(8), night(7), night(6)]
    began, ended = pause
    runs = [run for run in after_nights(*earlier, pause) if run.started <= ended]
    facts = Facts(ended + 20, started=ended, seen=began)
    assert ("missed_runs" in found(runs, facts)) is told
    assert "missed_runs" in found(runs, facts, gap_s=25 * MINUTE), "who sets a limit gets it"
    assert "missed_runs" in found([run for run in runs if run.started > night(6)[1]], facts), "once is no habit"


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
    assert "not_caught_up" in look([*before, late], woken).unknown, "what was open is not over"
    kept_out = Facts(NOW, started=NOW - 5, seen=NOW - 600, events={MISSED_RUNS: (NOW - 39 * MINUTE,)})
    assert "not_caught_up" not in found([*before, late], kept_out)
    for_long = Facts(NOW, started=NOW - 5, seen=NOW - 600, events={MISSED_RUNS: (NOW - 41 * MINUTE,)})
    assert found([*before, late], for_long) == {"not_caught_up": S.CRITICAL}


def test_runs_an_hour_or_a_day_apart_are_told_of_what_was_cut_off_before() -> None:
    for minutes in (60, 120, 1440):
        cut = NOW - minutes * MINUTE + 560
        assert found(every(minutes), Facts(NOW, events={CUT_OFF: (cut,)})) == {CUT_OFF: S.WARNING}, minutes
        twice = (cut - minutes * MINUTE, cut)
        assert found(every(minutes), Facts(NOW, events={CUT_OFF: twice})) == {CUT_OFF: S.CRITICAL}, minutes


def test_runs_hours_apart_are_told_of_models_that_do_not_answer() -> None:
    silent = [recorded(NOW - n * 4 * HOUR, **by_model(0, model_timeout=4)) for n in (2, 1, 0)]
    assert found([*every(240, until=NOW - 12 * HOUR), *silent]) == {"models_silent": S.WARNING}


def test_one_run_cut_off_is_a_warning_and_two_in_an_hour_are_critical() -> None:
    assert found([recorded()], Facts(NOW, events={CUT_OFF: (NOW - 600,)})) == {CUT_OFF: S.WARNING}
    assert found([recorded()], Facts(NOW, events={CUT_OFF: (NOW - 1200, NOW - 600)})) == {CUT_OFF: S.CRITICAL}
    assert found([recorded()], Facts(NOW, events={CUT_OFF: (NOW - HOUR - 1,)})) == {}


def test_the_kill_switch_is_remembered_after_an_hour() -> None:
    halted = {"ok": 0, "stopped_by": "Halted"}
    assert found(history(*[halted] * 6)) == {}
    assert found(history(*[halted] * 7)) == {"stopped": S.WARNING}
    assert found(history(*[halted] * 7, {})) == {}


@pytest.mark.parametrize(
    ("days", "severity"), [(61, None), (60, S.WARNING), (8, S.WARNING), (7, S.CRITICAL), (-3, S.CRITICAL)]
)
def test_the_end_of_api_tokens_comes_nearer(days: int, severity: S | None) -> None:
    now = TOKENS_END - days * DAY
    expected = {} if severity is None else {"token_ends": severity}
    assert found([recorded(now)], Facts(now, api_token=True)) == expected
    assert found([recorded(now)], Facts(now)) == {}


# Promises


@pytest.mark.parametrize(
    ("statement", "rule", "severity"),
    [
        ({"human_values_changed": 1}, "overwrote", S.CRITICAL),
        ({"foreign_tags_removed": 1}, "overwrote", S.CRITICAL),
        ({"not_found": 1}, "write_not_found", S.WARNING),
    ],
)
def test_a_broken_promise_is_told_whatever_run_swore_to_it(statement: dict[str, int], rule: str, severity: S) -> None:
    sworn = Statement(written=5, checked=5, **statement)
    for kind in ("run", "retry", "apply"):
        assert found([recorded(statement=sworn, kind=kind), recorded()]) == {rule: severity}
    assert found([recorded(NOW - 7 * HOUR, statement=sworn), recorded()]) == {}


def test_a_published_note_stays_open_while_it_holds_up_the_runs() -> None:
    held_up = [recorded(ok=0, stopped_by="CannotRun")]
    assert found(held_up, Facts(NOW, halted=True)) == {"note_published": S.CRITICAL}
    assert found([recorded()], Facts(NOW)) == {}


def test_a_changed_log_is_told_for_a_day_and_a_repaired_one_for_an_hour() -> None:
    both = {LOG_CHANGED: (NOW - 2 * HOUR,), LOG_REPAIRED: (NOW - 2 * HOUR,)}
    assert found([recorded()], Facts(NOW, events=both)) == {LOG_CHANGED: S.CRITICAL}
    assert found([recorded()], Facts(NOW, events={LOG_REPAIRED: (NOW,)})) == {LOG_REPAIRED: S.WARNING}


# The mix of labels


def test_another_mix_of_categories_is_told_and_names_the_one_that_changed_most() -> None:
    before = [recorded(NOW - day * DAY, categories={"billing": 50, "order": 50}) for day in range(34, 7, -3)]
    after = [recorded(NOW - day * DAY, categories={"billing": 90, "order": 10}) for day in (5, 3, 0)]
    (condition,) = look([*before, *after], MODELS).conditions
    assert condition.rule == "label_drift"
    assert re.search(r"(order|billing) went from 50% to (10|90)%", condition.message)
    same = [recorded(NOW - day * DAY, categories={"billing": 52, "order": 48}) for day in (5, 3, 0)]
    assert found([*before, *same]) == {}


def test_few_tickets_have_no_mix() -> None:
    assert drift({"a": 399}, {"b": 1000}) is None
    assert drift({"a": 1000}, {"b": 199}) is None
    assert drift({"a": 400}, {"b": 200}) is not None


@pytest.mark.parametrize("labels", [2, 8, 60])
def test_chance_alone_is_no_drift_however_many_labels_there_are(labels: int) -> None:
    dice = random.Random(labels)

    def sample(count: int) -> dict[str, int]:
        drawn = [str(dice.randrange(labels)) for _ in range(count)]
        return {name: drawn.count(name) for name in set(drawn)}

    assert not any(drift(sample(400), sample(200)) for _ in range(200))


@given(st.dictionaries(st.sampled_from("abcdef"), st.integers(1, 500), min_size=1))
def test_a_mix_is_as_stable_as_can_be_against_itself(counts: dict[str, int]) -> None:
    assert stability_index(counts, counts) == 0.0
    assert stability_index({name: 3 * count for name, count in counts.items()}, counts) == pytest.approx(0.0)


# All of them


def test_every_rule_has_its_heading_in_the_docs_and_the_docs_have_no_other() -> None:
    page = (Path(__file__).parents[2] / "docs" / "alerts.md").read_text(encoding="utf-8")
    headings = re.findall(r"^### (\w+)$", page, re.MULTILINE)
    assert sorted(headings) == sorted(RULES)
    assert len(headings) == len(set(headings))


def test_what_the_docs_call_critical_is() -> None:
    page = (Path(__file__).parents[2] / "docs" / "alerts.md").read_text(encoding="utf-8")
    said = dict(re.findall(r"^### (\w+)\n\n\*\*(Critical|Warning)", page, re.MULTILINE))
    assert said.keys() == RULES.keys()
    loud = {"helpdesk_unreachable", "not_authorised", "errors_fast", "errors_slow", "not_caught_up", "run_crashed"}
    loud |= {"note_published", "overwrote", "log_unwritable", "state_unusable", LOG_CHANGED}
    assert {rule for rule, severity in said.items() if severity == "Critical"} == loud


def test_hushing_names_rules_that_exist_and_never_goes_round_in_circles() -> None:
    for rule, known in RULES.items():
        for louder in known.hushed:
            assert louder in RULES
            assert rule not in RULES[louder].hushed


def test_the_settings_defaults_are_the_rules() -> None:
    alerts, slo, limits = AlertSettings(), SloSettings(), Limits()
    assert (slo.success, slo.alert_below) == (limits.success, limits.alert_below)
    assert (slo.latency_s, slo.latency_share) == (limits.latency_s, limits.latency_share)
    assert (slo.fallback_share, alerts.day_usd) == (limits.fallback_share, limits.day_usd)
    assert (alerts.gap_minutes, alerts.stale_minutes) == (limits.gap_s, limits.stale_s) == (None, None)


def test_a_healthy_desk_hears_nothing_over_a_week() -> None:
    one, records = busy(500, 0.001, random.Random(7)), []
    for number in range(7 * 144):
        tickets, failed = one()
        at = NOW + number * PERIOD_S
        records.append(recorded(at, **{**by_model(tickets), "ok": tickets - failed, "failed": failed}))
        if number % 24 == 23:
            facts = Facts(at, models=True, started=at - 5, seen=at - PERIOD_S)
            assert look(records, facts).conditions == ()
