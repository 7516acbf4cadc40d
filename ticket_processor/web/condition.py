"""The answers of ``/health`` and ``/metrics``: statuses and numbers, and nothing of any ticket."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from typing import Any

from .. import __version__
from ..core.clock import Clock
from ..core.errors import StateUnusable
from ..monitoring.health.checks import Health, HealthVerdict, Status
from ..monitoring.health.exposition import exposition
from .delivery_queue import DeliveryQueue
from .worker import Worker

LONG_S = 900.0
"""A ticket that waits for longer on the queue is a reason to look."""
FRESH_S = 30.0
"""Health is examined no more often than this, however often scrapers come."""


class CachedExamination:
    """An examination that is repeated when older than ``fresh_s``. Thread-safe: other callers wait for it."""

    def __init__(self, examine: Callable[[], Health], clock: Clock, *, fresh_s: float = FRESH_S) -> None:
        self._examine = examine
        self._clock = clock
        self._fresh_s = fresh_s
        self._lock = threading.Lock()
        self._last: tuple[float, Health] | None = None

    def __call__(self) -> Health:
        """The health, as it was at most ``fresh_s`` ago."""
        with self._lock:
            if self._last is None or self._clock.monotonic() - self._last[0] > self._fresh_s:
                health = self._examine()
                self._last = self._clock.monotonic(), health
            return self._last[1]


class ServerCondition:
    """The condition of the server. Any thread may ask; ``examine`` gives the health of what runs need."""

    def __init__(
        self,
        examine: Callable[[], Health],
        queue: DeliveryQueue,
        worker: Worker,
        requests: Mapping[str, int],
        now: Callable[[], float],
    ) -> None:
        self._examine = examine
        self._queue = queue
        self._worker = worker
        self._requests = requests
        self._now = now

    def told(self) -> tuple[bool, Mapping[str, Any]]:
        """Whether tickets are handled, and what ``/health`` says."""
        health = self._examine()
        checks = {check.name: str(check.status) for check in health.checks}
        checks["worker"] = str(Status.OK if self._worker.is_alive() else Status.FAIL)
        verdict = health.status
        try:
            length, oldest = self._queue.length(self._now())
            checks["queue"] = str(Status.OK if oldest <= LONG_S else Status.WARN)
        except StateUnusable:
            length, oldest = 0, 0.0
            checks["queue"] = str(Status.FAIL)
        if Status.FAIL in (checks["worker"], checks["queue"]):
            verdict = HealthVerdict.UNHEALTHY
        elif checks["queue"] == Status.WARN and verdict is HealthVerdict.HEALTHY:
            verdict = HealthVerdict.DEGRADED
        told = {
            "status": str(verdict),
            "version": __version__,
            "checks": checks,
            "queue": {"tickets": length, "oldest_s": round(oldest, 1)},
        }
        return verdict is not HealthVerdict.UNHEALTHY, told

    def metrics(self, accept: str) -> tuple[bytes, str]:
        """The text of ``/metrics`` for a scraper, and its content type."""
        length, oldest = self._queue.length(self._now())
        return exposition(
            self._examine(),
            accept,
            (
                ("queue_tickets", "Tickets on the queue.", "", {"": float(length)}),
                ("queue_oldest_seconds", "How long the oldest has waited on it.", "", {"": oldest}),
                ("serve_requests", "Requests since the start, by what became of them.", "result", dict(self._requests)),
                ("serve_work", "Runs and tickets since the start.", "what", dict(self._worker.counted)),
            ),
        )
