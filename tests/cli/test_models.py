"""What models cost, why one did not answer, and that every page says the same of it."""

from __future__ import annotations

from contextlib import closing

from ticket_processor.core.clock import SystemClock, iso
from ticket_processor.core.run_summary import RunRecord
from ticket_processor.monitoring.messages import summary_text
from ticket_processor.monitoring.run_metrics import DAY, tally
from ticket_processor.reporting.glossary import percent
from ticket_processor.state.store import FILE_NAME, State

from ..imitation import FaultPlan
from ..servers.scripted import reply, scripted
from .conftest import Desk, OpenDesk

SIXTY = [{"subject": f"Order {n}", "body": f"Where is my order {n}? It is late.", "age": 3600.0} for n in range(60)]
UNKEPT = '[models.prices]\n"sandbox-model" = [0.25, 2.0, 0.025]\n[cache]\ndays = 0\n'


def test_sixty_tickets_share_a_budget_to_its_end_and_no_further(open_desk: OpenDesk) -> None:
    desk = open_desk(SIXTY, model=True)
    dry = ("run", "--since", "1d", "--dry-run", "--workers", "8", "--json")
    desk.configure(UNKEPT)
    limit = round(0.44 * desk(*dry).object["cost_usd"], 6)
    desk.configure(f"{UNKEPT}[budget]\nrun_usd = {limit}\n")
    tight = desk(*dry).object
    assert tight["sources"]["model"] >= 20
    assert 0.75 * limit <= tight["cost_usd"] <= limit


PINNED = "Server is pinned to 'a'; requested 'b'"


def test_a_refusal_carries_the_servers_own_sentence_wherever_somebody_looks(open_desk: OpenDesk) -> None:
    words = "My cat Zebedee has eaten the router and now nothing works"
    desk = open_desk([{"subject": "Router", "body": words}], model=True)
    with scripted(reply({"error": {"message": f"{PINNED}, in {words}"}}, 400)) as server:
        desk.environ["OPENAI_BASE_URL"] = server.url
        ended = desk("run", "--since", "1d")
        told = [ended, desk("analyse", "1"), desk("health", code=None), desk("init", code=3)]
    assert [one.out for one in told if PINNED not in one.out] == []
    # A server may quote the ticket, so no word of it gets into the log, and none of the ticket anywhere.
    assert "pinned" not in "".join(path.read_text(encoding="utf-8") for path in desk.logs.glob("*.jsonl"))
    assert "Zebedee" not in ended.out
    assert "router and now" not in ended.out


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
