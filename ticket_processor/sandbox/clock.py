"""The sandbox's time: one number, Unix seconds, from a clock that can be moved forward by hand."""

from __future__ import annotations

import threading
import time
from datetime import UTC, datetime
from email.utils import formatdate
from typing import Protocol, runtime_checkable


class SandboxClock(Protocol):
    """Where the sandbox's time comes from. Must not go back; may be read from any thread."""

    def now(self) -> float:
        """Unix time in seconds."""


@runtime_checkable
class AdvanceableClock(Protocol):
    """A clock that ``POST /sandbox/clock`` can move."""

    def now(self) -> float:
        """Unix time in seconds."""

    def advance(self, seconds: float) -> None:
        """Move forward. Raises ``ValueError`` for a negative amount."""


class OffsetClock:
    """The machine's time plus an offset: runs by itself and can be moved forward. Thread-safe."""

    def __init__(self) -> None:
        self._offset = 0.0
        self._lock = threading.Lock()

    def now(self) -> float:
        return time.time() + self._offset

    def advance(self, seconds: float) -> None:
        _refuse_negative(seconds)
        with self._lock:
            self._offset += seconds


class ManualClock:
    """Virtual time: stands still until moved. ``start`` defaults to 2026-11-21T03:30:00Z. Thread-safe."""

    def __init__(self, start: float = 1_795_231_800.0) -> None:
        self._now = float(start)
        self._lock = threading.Lock()

    def now(self) -> float:
        return self._now

    def advance(self, seconds: float) -> None:
        _refuse_negative(seconds)
        with self._lock:
            self._now += seconds

    def set(self, moment: float) -> None:
        """Jump to a moment, which must not lie in the past (``ValueError``)."""
        with self._lock:
            _refuse_negative(moment - self._now)
            self._now = float(moment)


def _refuse_negative(seconds: float) -> None:
    if not seconds >= 0:
        raise ValueError("the sandbox's clock does not go back")


def iso(moment: float) -> str:
    """Unix seconds as the API writes times: UTC, whole seconds, cut and not rounded."""
    return datetime.fromtimestamp(int(moment), UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def parse_iso(text: str) -> float:
    """Unix seconds of an ISO 8601 time or date; without a zone it is UTC. Raises ``ValueError``."""
    moment = datetime.fromisoformat(text)
    try:
        return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp()
    except OverflowError:
        raise ValueError("a time outside the calendar") from None


def http_date(moment: float) -> str:
    """Unix seconds as an HTTP ``Date``."""
    return formatdate(int(moment), usegmt=True)
