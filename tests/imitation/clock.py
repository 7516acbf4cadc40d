"""A clock that tests move."""

from __future__ import annotations

import threading

from ticket_processor.sandbox.clock import refuse_negative


class ManualClock:
    """Virtual time: stands still until moved. ``start`` defaults to 2026-11-21T03:30:00Z. Thread-safe."""

    def __init__(self, start: float = 1_795_231_800.0) -> None:
        self._now = float(start)
        self._lock = threading.Lock()

    def now(self) -> float:
        return self._now

    def advance(self, seconds: float) -> None:
        refuse_negative(seconds)
        with self._lock:
            self._now += seconds

    def set(self, moment: float) -> None:
        """Jump to a moment, which must not lie in the past (``ValueError``)."""
        with self._lock:
            refuse_negative(moment - self._now)
            self._now = float(moment)
