"""One figure, one name, one value: what report, health, alerts, daily summary and dashboard say of the same runs."""

from __future__ import annotations

from contextlib import closing

from ticket_processor.core.clock import SystemClock, iso
from ticket_processor.core.run_summary import RunRecord
from ticket_processor.monitoring.messages import summary_text
from ticket_processor.monitoring.run_metrics import DAY, tally
from ticket_processor.reporting.glossary import percent
from ticket_processor.state.store import FILE_NAME, State

from ..imitation import FaultPlan
from .conftest import Desk

RATES = ("success_rate", "error_rate", "fallback_rate", "review_rate")


def remembered(desk: Desk) -> list[RunRecord]:
    with closing(State.scratch_copy(desk.state / FILE_NAME)) as state:
        return state.runs(0.0)


def test_a_ticket_that_fails_in_run_after_run_has_failed_once_wherever_one_looks(smart: Desk) -> None:
    smart.sandbox.faults = FaultPlan.parse("status:PUT:/tickets/3:status=422")
    smart("run", "--since", "1d", "--no-llm", "--limit", "2")
    for _ in range(3):
        smart("run", code=1)
    report, health = smart("report", "--json").object, smart("health", "--offline", "--json", code=None).object
    told, day = report["totals"], health["metrics"]

    assert (told["updated"], told["failed"]) == (5, 1)
    assert day["outcomes"]["failed"] == 3
    assert told["success_rate"] == round(5 / 6, 6)
    assert {name: told[name] for name in (*RATES, "answers")} == {name: day[name] for name in (*RATES, "answers")}
    assert told["fallback_rate"] == 0, "who asks for rules falls back from nothing"
    assert told["cost_usd"] == day["cost_usd"]
    assert report["latency_ms"]["count"] == day["answers"]
    assert report["latency_ms"]["p95"] <= day["p95_ms"] <= 1.11 * report["latency_ms"]["p95"] + 1

    (level,) = [level for level in report["objectives"] if level["name"] == "success"]
    runs = remembered(smart)
    failures = tally(runs, SystemClock().now() - DAY)
    assert level["share"] == told["success_rate"] == round(1 - failures.error_rate, 6)

    days = sorted({iso(run.started)[:10] for run in runs})
    summary = summary_text(days[-1], runs, {}, None) or ""
    said = {
        "report": " ".join(smart("report").out.split()),
        "health": smart("health", "--offline", code=None).out,
        **({"summary": summary} if len(days) == 1 else {}),  # midnight may have passed
    }
    for name in RATES:
        words = f"{name.replace('_', ' ')} {percent(told[name])}"
        assert {who for who, text in said.items() if words in text} == set(said), words
