from __future__ import annotations

import json
from datetime import UTC, date, datetime
from typing import TYPE_CHECKING

from hypothesis import given
from hypothesis import strategies as st

from ticket_processor.reporting.story import moments

from ..support.lazy import Lazy
from .logs import DAY, NOW

if TYPE_CHECKING:
    from ticket_processor.dashboard.parts import Chart

overview, parts = (Lazy(f"ticket_processor.dashboard.{name}") for name in ("overview", "parts"))

NAMES = st.text(min_size=1, max_size=40)
AMOUNTS = st.integers(min_value=0, max_value=10**6)
DAYS = st.dates(date(2026, 1, 1), date(2026, 1, 9)).map(str)


def rows(chart: Chart) -> list[dict[str, object]]:
    json.dumps(chart)
    found: list[dict[str, object]] = chart["data"]["values"]
    return found


@given(st.lists(st.tuples(DAYS, NAMES, AMOUNTS), max_size=60))
def test_a_stacked_chart_shows_every_amount_once(counts: list[tuple[str, str, float]]) -> None:
    chart = overview.stacked(counts, step="day", unit="tickets")
    assert sum(row["amount"] for row in rows(chart)) == sum(amount for _, _, amount in counts)  # type: ignore[misc]
    names = chart["encoding"]["color"]["scale"]["domain"]
    assert {row["what"] for row in rows(chart)} <= set(names)
    assert len(names) <= 9


@given(st.dictionaries(NAMES, AMOUNTS, max_size=40))
def test_a_breakdown_shows_every_amount_once(counts: dict[str, float]) -> None:
    shown = rows(overview.breakdown(counts))
    assert sum(row["amount"] for row in shown) == sum(counts.values())  # type: ignore[misc]
    assert len(shown) <= 12


# Periods


def test_a_period_up_to_now_ends_with_the_minute() -> None:
    since, until = parts.period("24 h", None, None, NOW + 12.3)
    assert until == NOW + 60
    assert until - since == DAY
    assert parts.period("24 h", None, None, NOW + 59) == (since, until)


def test_days_of_ones_own_are_whole_days_in_either_order() -> None:
    first, last = date(2026, 11, 18), date(2026, 11, 20)
    whole = datetime(2026, 11, 18, tzinfo=UTC).timestamp(), datetime(2026, 11, 21, tzinfo=UTC).timestamp()
    assert parts.period("custom", first, last, NOW) == parts.period("custom", last, first, NOW) == whole
    assert parts.period("custom", None, None, NOW) == (whole[1] - DAY, whole[1])


# A ticket's story


PARTS = st.sampled_from(["analysis", "change", "tokens", "timings_ms", "cost_usd", "ts", "intent", "job", "what"])


@given(st.dictionaries(PARTS, st.none()), st.sampled_from(["ticket", "intent", "alert", "else"]))
def test_a_line_is_told_as_far_as_it_goes(event: dict[str, object], kind: str) -> None:
    (moment,) = moments([{**event, "event": kind}])
    assert moment.kind == kind


def test_a_story_quotes_the_urgent_words_and_tells_the_kind_of_the_customers_reply() -> None:
    analysis = {"category": "billing", "urgent_words": ["production down", "asap"]}
    (moment,) = moments(
        [{"event": "ticket", "analysis": analysis, "customer_reply": {"kind": "same_problem", "number": 2}}]
    )
    assert ("Urgent words (keyword rules)", "“production down”, “asap”") in moment.facts
    assert ("Customer's reply", "same problem") in moment.facts
