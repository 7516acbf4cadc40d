"""The period of a report, from what was typed."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import Literal

from ..core.errors import ConfigError
from .parse_time import parse_moment

LAST_DAYS = 7
DAY_S = 86_400.0
PeriodName = Literal["day", "week", "month"]


def period_of(
    now: float, since: str | None = None, until: str | None = None, period: PeriodName | None = None
) -> tuple[float, float]:
    """From when to when, in Unix seconds. Raises :class:`ConfigError`."""
    if period is not None:
        if since is not None or until is not None:
            raise ConfigError("--period is a whole day, week or month: it goes without --since and --until")
        first, last = _whole(period, datetime.fromtimestamp(now, UTC).date())
        return _midnight(first), _midnight(last)
    end = now if until is None else parse_moment(until, now, "--until")
    begin = end - LAST_DAYS * DAY_S if since is None else max(0.0, parse_moment(since, now))
    if begin >= end:
        raise ConfigError("--since must lie before --until")
    return begin, end


def _whole(period: PeriodName, today: date) -> tuple[date, date]:
    """The last whole day, week (from Monday) or month before today: its first day, and the day after its last."""
    if period == "day":
        return today - timedelta(days=1), today
    if period == "week":
        monday = today - timedelta(days=today.weekday())
        return monday - timedelta(days=7), monday
    first = today.replace(day=1)
    return (first - timedelta(days=1)).replace(day=1), first


def _midnight(day: date) -> float:
    return datetime(day.year, day.month, day.day, tzinfo=UTC).timestamp()
