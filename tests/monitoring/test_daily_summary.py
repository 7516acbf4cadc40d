"""What yesterday was like, in a few lines: the names and definitions of reports and health."""

from __future__ import annotations

import pytest

from ticket_processor.core.clock import iso, parse_iso
from ticket_processor.core.run_summary import Latencies
from ticket_processor.monitoring.messages import summary_due, summary_text

from ..support.recorded_runs import NOW, recorded
from ..support.zones import ELSEWHERE, needs_zones, standing_in

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


def test_what_a_person_applied_or_took_back_is_no_day_of_the_service() -> None:
    assert summary_text(DAY, [recorded(kind="undo"), recorded(kind="apply", ok=9)], {}, None) is None


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
