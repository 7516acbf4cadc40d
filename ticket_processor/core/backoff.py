"""Computes how long to wait before another try; nothing here sleeps."""

from __future__ import annotations

import random

from .clock import parse_http_date

BACKOFF_BASE_S = 0.5
BACKOFF_CAP_S = 20.0
RETRY_AFTER_CAP_S = 3600.0
"""A server that names a longer wait is asked again after this; such values were met as mistakes."""


def retry_after_seconds(value: str | None, now: float) -> float | None:
    """The three forms of ``Retry-After`` (seconds, decimals, an HTTP date) as seconds from ``now``.

    ``None`` when absent or unreadable; the past is 0.0; never above :data:`RETRY_AFTER_CAP_S`.
    """
    if value is None:
        return None
    try:
        seconds = float(value)
    except ValueError:
        moment = parse_http_date(value)
        if moment is None:
            return None
        seconds = moment - now
    if seconds != seconds:
        return None
    return min(max(0.0, seconds), RETRY_AFTER_CAP_S)


def backoff_seconds(attempt: int, rng: random.Random) -> float:
    """Full jitter: anything between zero and ``0.5 × 2^attempt`` seconds, at most 20 (AWS Builders' Library)."""
    return rng.uniform(0, min(BACKOFF_CAP_S, BACKOFF_BASE_S * 2.0**attempt))
