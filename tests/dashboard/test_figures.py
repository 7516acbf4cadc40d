"""Figures, tables and small sums behind the pages: pure."""

from __future__ import annotations

import json
from datetime import UTC, date, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ticket_processor.dashboard import figures
from ticket_processor.dashboard.parts import period, step_of
from ticket_processor.dashboard.story import moments
from ticket_processor.reporting.queries import LogSelection

from .logs import DAY, HOUR, NOW

NAMES = st.text(min_size=1, max_size=40)
AMOUNTS = st.integers(min_value=0, max_value=10**6)
DAYS = st.dates(date(2026, 1, 1), date(2026, 1, 9)).map(str)


@given(st.lists(st.tuples(DAYS, NAMES, AMOUNTS), max_size=60))
def test_a_stacked_chart_shows_every_amount_once(rows: list[tuple[str, str, float]]) -> None:
    figure = figures.stacked(rows, unit="tickets")
    assert sum(sum(bar.y) for bar in figure.data) == sum(amount for _, _, amount in rows)
    assert len(figure.data) <= 9
    days = sorted({day for day, _, amount in rows if amount})
    assert all(list(bar.x) == days for bar in figure.data)
    json.loads(figure.to_json())


@given(st.dictionaries(NAMES, AMOUNTS, max_size=40))
def test_a_breakdown_shows_every_amount_once(counts: dict[str, float]) -> None:
    figure = figures.breakdown(counts)
    (bars,) = figure.data
    assert sum(bars.x) == sum(counts.values())
    assert len(bars.x) <= 12
    json.loads(figure.to_json())


def test_a_breakdown_tells_amounts_and_shares() -> None:
    figure = figures.breakdown({"billing": 3, "refund": 1})
    (bars,) = figure.data
    assert [figure.layout.yaxis.ticktext[place] for place in bars.y] == ["refund", "billing"]
    assert list(bars.text) == ["1 · 25%", "3 · 75%"]


def test_long_names_that_begin_alike_have_a_bar_each() -> None:
    begin = "a-model-of-a-long-name-2026-11-"
    figure = figures.breakdown({f"{begin}01": 3, f"{begin}02": 2})
    (bars,) = figure.data
    assert len(set(bars.y)) == 2
    assert list(bars.customdata) == [f"{begin}02", f"{begin}01"]


@given(NAMES)
def test_no_name_is_mark_up_in_a_chart(name: str) -> None:
    assert "<" not in figures.plain(name + "<a href='x'>")
    for figure in (
        figures.stacked([("2026-01-01", f"<b>{name}", 1), ("2026-01-01", "x", 1)], unit="tickets"),
        figures.breakdown({f"<b>{name}": 1}),
    ):
        assert "<b>" not in figure.to_json()


def test_a_series_of_nothing_is_not_in_the_legend() -> None:
    rows = [("2026-01-01", "model-a", 0.5), ("2026-01-01", "rules", 0.0)]
    assert [bar.name for bar in figures.stacked(rows, unit="US dollars").data] == ["model-a"]


def test_below_a_single_day_stands_that_day_and_no_hours() -> None:
    today = "2026-11-20T00:00:00+00:00"
    stacked = figures.stacked([(today, "a", 3.0)], unit="tickets")
    assert list(stacked.layout.xaxis.tickvals) == [today]
    assert stacked.layout.xaxis.tickformat == "%b %d"
    (bar,) = stacked.data
    assert HOUR < bar.width / 1000 < DAY


def test_a_few_days_are_named_and_many_are_left_to_the_chart() -> None:
    days = [f"2026-11-{day:02}T00:00:00+00:00" for day in range(1, 20)]
    few, many = (figures.stacked([(day, "a", 1.0) for day in some], unit="tickets") for some in (days[:3], days))
    assert list(few.layout.xaxis.tickvals) == days[:3]
    assert many.layout.xaxis.tickvals is None
    hours = [(f"2026-11-01T{hour:02}:00:00+00:00", "a", 1.0) for hour in range(3)]
    assert figures.stacked(hours, unit="tickets").layout.xaxis.tickvals is None


# Periods


def test_a_period_up_to_now_ends_with_the_minute() -> None:
    since, until = period("24 h", None, None, NOW + 12.3)
    assert until == NOW + 60
    assert until - since == DAY
    assert period("24 h", None, None, NOW + 59) == (since, until)


def test_days_of_ones_own_are_whole_days_in_either_order() -> None:
    first, last = date(2026, 11, 18), date(2026, 11, 20)
    whole = datetime(2026, 11, 18, tzinfo=UTC).timestamp(), datetime(2026, 11, 21, tzinfo=UTC).timestamp()
    assert period("custom", first, last, NOW) == period("custom", last, first, NOW) == whole
    assert period("custom", None, None, NOW) == (whole[1] - DAY, whole[1])


@pytest.mark.parametrize(("days", "step"), [(1, "hour"), (7, "day"), (30, "day"), (365, "week")])
def test_a_chart_has_neither_few_nor_many_steps(days: float, step: str) -> None:
    assert step_of(LogSelection(NOW - days * DAY, NOW)) == step


# A ticket's story


ANYTHING = st.one_of(
    st.none(), st.text(max_size=5), st.booleans(), st.dictionaries(st.text(max_size=5), st.none(), max_size=2)
)
PARTS = st.sampled_from(["analysis", "change", "tokens", "timings_ms", "cost_usd", "ts", "intent", "job", "what"])


@given(st.dictionaries(PARTS, ANYTHING), st.sampled_from(["ticket", "intent", "alert", "else"]))
def test_a_damaged_line_is_told_as_far_as_it_goes(event: dict[str, object], kind: str) -> None:
    (moment,) = moments([{**event, "event": kind}])
    assert moment.kind == kind
