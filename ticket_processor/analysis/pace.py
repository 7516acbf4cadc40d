"""What models will cost, from what they have just cost and how fast tickets come in.

The price is that of a ticket which a model was paid for: what comes again is free, and makes the month cheaper.
"""

from __future__ import annotations

import threading

from ..core.clock import parse_iso
from ..core.models import Analysis, Forecast, Ticket, Usage

SHORTEST_SPAN_S = 6 * 3600
"""Fewer hours say nothing about a day."""
DAY_S = 86_400


class Pace:
    """Sees new tickets as they are analysed, and makes a forecast. Thread-safe."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._tickets = 0
        self._paid = 0
        self._usage = Usage()
        self._usd: float | None = 0.0
        self._first, self._last = float("inf"), float("-inf")

    def saw(self, ticket: Ticket, analysis: Analysis) -> None:
        """A ticket has been analysed."""
        created = parse_iso(ticket.created_at)
        with self._lock:
            self._tickets += 1
            self._first, self._last = min(self._first, created), max(self._last, created)
            if analysis.usage.input or analysis.usage.output:
                self._paid += 1
                self._usage = self._usage + analysis.usage
                known = self._usd is not None and analysis.cost_usd is not None
                self._usd = (self._usd or 0.0) + (analysis.cost_usd or 0.0) if known else None

    def forecast(self) -> Forecast | None:
        """``None`` when nothing was paid for."""
        with self._lock:
            if not self._paid:
                return None
            span = self._last - self._first
            enough = span >= SHORTEST_SPAN_S and self._tickets > 1
            return Forecast(
                tickets=self._paid,
                tokens_per_ticket=round((self._usage.input + self._usage.output) / self._paid, 1),
                usd_per_ticket=None if self._usd is None else round(self._usd / self._paid, 8),
                tickets_per_day=round((self._tickets - 1) / span * DAY_S, 1) if enough else None,
            )
