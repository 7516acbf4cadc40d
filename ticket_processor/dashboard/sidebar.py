"""The filters beside every page of figures. They are part of the address, so that a view can be shared."""

from __future__ import annotations

import math
from collections.abc import Callable
from datetime import UTC, date, datetime, time, timedelta

import streamlit as st

from ..reporting import metrics
from ..reporting.figures import Dimension, LogSelection, Step
from .data import ask
from .options import given

PERIODS = {"24 h": timedelta(days=1), "7 d": timedelta(days=7), "30 d": timedelta(days=30)}
CUSTOM = "custom"
MOST_CHOSEN = 50
REFRESH = {"off": None, "10 s": 10, "60 s": 60}
FILTERS: dict[Dimension, str] = {
    "category": "Category",
    "secondary": "Second category",
    "urgency": "Urgency",
    "sentiment": "Sentiment",
    "risk": "Risk",
    "language": "Language",
    "outcome": "Outcome",
    "analyser": "Analyser",
}
_MINUTE, _DAY = 60.0, 86_400.0


def period(name: str, first: date | None, last: date | None, now: float) -> tuple[float, float]:
    """The period's begin and end, in Unix seconds; days are UTC, and the last one is included.

    A period up to now ends with the minute, so that what was worked out serves for as long.
    """
    until = math.floor(now / _MINUTE + 1) * _MINUTE
    if name in PERIODS:
        return until - PERIODS[name].total_seconds(), until
    begin, end = sorted((first or last or _day(now), last or first or _day(now)))
    return _midnight(begin), _midnight(end) + _DAY


def step_of(selection: LogSelection) -> Step:
    """How finely a period is drawn."""
    seconds = selection.until - selection.since
    if seconds <= 3 * _DAY:
        return "hour"
    return "day" if seconds <= 100 * _DAY else "week"


def _midnight(day: date) -> float:
    return datetime.combine(day, time(), UTC).timestamp()


def _day(now: float) -> date:
    return datetime.fromtimestamp(now, UTC).date()


def choose() -> Callable[[], LogSelection]:
    """Show the filters. Returns a function that gives the current selection."""
    now = given().clock.now
    with st.sidebar:
        name = st.segmented_control(
            "Period (UTC)",
            [*PERIODS, CUSTOM],
            default="7 d",
            required=True,
            key="period",
            bind="query-params",
            width="stretch",
        )
        first = last = None
        if name == CUSTOM:
            today = _day(now())
            first = st.date_input("From", today - timedelta(days=6), key="from", bind="query-params")
            last = st.date_input("Until, this day included", today, key="until", bind="query-params")
        known = ask(metrics.choices, LogSelection(*period(name or CUSTOM, first, last, now())))
        chosen = {dimension: _several(dimension, label, known) for dimension, label in FILTERS.items()}

    def selected() -> LogSelection:
        since, until = period(name or CUSTOM, first, last, now())
        return LogSelection(
            since,
            until,
            categories=chosen["category"],
            secondaries=chosen["secondary"],
            urgencies=chosen["urgency"],
            sentiments=chosen["sentiment"],
            risks=chosen["risk"],
            languages=chosen["language"],
            outcomes=chosen["outcome"],
            analysers=chosen["analyser"],
        )

    return selected


def _several(dimension: Dimension, label: str, known: dict[Dimension, list[str]]) -> tuple[str, ...]:
    # A chosen value stays among the choices even if the period has none of it.
    asked = (st.query_params.get_all(dimension) or st.session_state.get(dimension, []))[:MOST_CHOSEN]
    options = list(dict.fromkeys((*known.get(dimension, ()), *asked)))
    return tuple(st.multiselect(label, options, key=dimension, bind="query-params", placeholder="all"))


def refresh_every() -> int | None:
    """Show the switch for refreshing. Returns seconds, ``None`` when it is off."""
    with st.sidebar:
        name = st.segmented_control(
            "Refresh", list(REFRESH), default="off", required=True, key="refresh", bind="query-params"
        )
    return REFRESH[name or "off"]
