"""What goes wrong around a run: faults of the network, its own clock, a signal, a disk that is full."""

from __future__ import annotations

import random
from typing import Any

import orjson

from ticket_processor.core.errors import AuditUnwritable, StateUnusable, Stopping
from ticket_processor.sandbox.basics import http_date
from ticket_processor.sandbox.messages import Request, Response

from ..imitation import FaultPlan, FaultRule, Sandbox
from .mishaps import Afflicted
from .virtual import VirtualTime


def faults(dice: random.Random, seed: int, *, items_fail: bool) -> FaultPlan:
    """Some kinds of misbehaviour, each at its own rate: others are switched off in this story.

    ``items_fail`` is false on accounts whose stamps guard nothing: a stale item that failed for another reason would
    prove there that they do, and so it may in truth (docs/writing-back.md says so).
    """
    rate = dice.choice((0.0, 0.03, 0.1, 0.25))
    menu: list[dict[str, Any]] = [
        {"kind": "lost-request"},
        {"kind": "lost-reply"},
        {"kind": "lost-reply", "method": "PUT"},
        {"kind": "late-commit", "method": "PUT", "seconds": dice.uniform(1, 50)},
        {"kind": "error-before", "status": dice.choice((500, 502, 503, 504))},
        {"kind": "error-after"},
        {"kind": "error-after", "method": "PUT"},
        {"kind": "conflict", "method": "PUT"},
        {"kind": "rate-limit", "seconds": dice.choice((5.0, 0.0, 1.0, 20.0, 60.0))},
        {"kind": "slow", "seconds": dice.uniform(1, 45)},
        {"kind": "half-body"},
        {"kind": "html"},
        {"kind": "unauthorised", "times": 2},
        {"kind": "status", "status": 422, "path": "/incremental"},
        {"kind": "status", "status": 400, "path": "/update_many"},
        {"kind": "job-slow", "seconds": dice.uniform(5, 400)},
        {"kind": "job-lost"},
        {"kind": "job-vanishes", "seconds": dice.uniform(0, 5)},
        {"kind": "job-fails"},
        {"kind": "job-killed"},
        {"kind": "job-item-fails"},
        {"kind": "job-results-missing"},
        {"kind": "job-no-results"},
    ]
    chosen = [item for item in menu if dice.random() < 0.4 and (items_fail or item["kind"] != "job-item-fails")]
    return FaultPlan([FaultRule(probability=rate, **item) for item in chosen], seed)


REPEATED_S = 30.0
"""So old the rows may be that an export repeats."""


class RunClock:
    """The clock of one run's machine: it may be wrong, and somebody may send a signal at a moment."""

    def __init__(self, time: VirtualTime, *, wrong_by: float = 0.0, signal_at: float | None = None) -> None:
        self._time = time
        self._wrong_by = wrong_by
        self._signal_at = signal_at

    def now(self) -> float:
        return self._time.now() + self._wrong_by

    def monotonic(self) -> float:
        return self._time.monotonic()

    def check(self) -> None:
        if self._signal_at is not None and self._time.now() >= self._signal_at:
            raise Stopping

    def wait(self, seconds: float) -> None:
        self.check()
        if self._signal_at is None or self._time.now() + seconds < self._signal_at:
            self._time.wait(seconds)
        else:
            self._time.wait(self._signal_at - self._time.now())
            self.check()


class Tricky(Sandbox):
    """The helpdesk behind a network that may deliver a write twice, and with an export that may repeat its rows."""

    duplicates = repeats = 0.0

    def __init__(self, time: VirtualTime, dice: random.Random, afflicted: Afflicted, **options: Any) -> None:
        super().__init__(time, **options)
        self._afflicted = afflicted
        self._time = time
        self._dice = dice
        self._last_page: tuple[list[Any], float] = ([], 0.0)

    def handle(self, request: Request) -> Response:
        response = self._afflicted.instead(request)
        if response is not None:
            response.headers["Date"] = http_date(self._time.now())
            return response
        response = self._afflicted.behind(request, super().handle(request))
        if request.method == "PUT" and self._dice.random() < self.duplicates:
            again = super().handle
            self._time.at(self._time.now() + self._dice.uniform(0, 20), lambda: again(request))
        elif self.repeats and request.path.startswith("/api/v2/incremental") and response.status == 200:
            self._repeat_rows(response)
        return response

    def _repeat_rows(self, response: Response) -> None:
        try:
            page = orjson.loads(response.body)
        except orjson.JSONDecodeError:
            return  # a fault has made something else of it
        rows, told_at = self._last_page
        if self._dice.random() < self.repeats and self._time.now() - told_at < REPEATED_S:
            response.body = orjson.dumps({**page, "tickets": [*rows, *page["tickets"]]})
        self._last_page = (page["tickets"], self._time.now())


class Disk:
    """A disk that takes so many writes more, and none from then on; ``None`` for one without an end."""

    def __init__(self, writes: int | None) -> None:
        self._left = writes

    def write(self, what: type[AuditUnwritable] | type[StateUnusable]) -> None:
        if self._left is None:
            return
        self._left -= 1
        if self._left < 0:
            raise what("no space left on the disk")
