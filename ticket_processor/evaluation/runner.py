"""Putting labelled tickets to an analyser: each answer with the time that it took. Writes nothing anywhere."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor, wait
from dataclasses import dataclass

from ..core.clock import Clock
from ..core.models import Analysis, Ticket
from .data import Example

AnalyseTicket = Callable[[Ticket], Analysis]
"""A ticket in, an analysis out: a whole chain, or one part of it. Never fails for want of a model."""

_WAIT_S = 0.5
_ANY_TIME = "2000-01-01T00:00:00Z"


@dataclass(frozen=True)
class Subject:
    """An analyser to measure: its name in the report, and its highest number of tickets in parallel."""

    name: str
    analyse: AnalyseTicket
    workers: int = 1


@dataclass(frozen=True)
class TimedAnalysis:
    """One ticket's analysis, and the time it took."""

    analysis: Analysis
    ms: float


def as_ticket(example: Example, number: int) -> Ticket:
    """A labelled ticket as a run would have read it."""
    return Ticket(
        id=number,
        subject=example.subject,
        description=example.body,
        names=example.names,
        created_at=_ANY_TIME,
        updated_at=_ANY_TIME,
    )


def answer_all(
    subject: Subject,
    examples: Sequence[Example],
    clock: Clock,
    advance: Callable[[int], object] = lambda _count: None,
) -> tuple[TimedAnalysis, ...]:
    """The answers, in the order of ``examples``. ``advance`` is called in the calling thread.

    Raises ``Stopping`` when a signal came, and whatever ``subject`` raises.
    """
    tickets = [as_ticket(example, number) for number, example in enumerate(examples, start=1)]
    executor = ThreadPoolExecutor(subject.workers, thread_name_prefix="evaluate")
    try:
        futures = [executor.submit(_timed, subject.analyse, ticket) for ticket in tickets]
        open_ones: set[Future[TimedAnalysis]] = set(futures)
        while open_ones:
            clock.check()
            done, open_ones = wait(open_ones, timeout=_WAIT_S)
            for future in done:
                future.result()
            advance(len(done))
        return tuple(future.result() for future in futures)
    finally:
        executor.shutdown(wait=False, cancel_futures=True)


def _timed(analyse: AnalyseTicket, ticket: Ticket) -> TimedAnalysis:
    started = time.perf_counter()
    analysis = analyse(ticket)
    return TimedAnalysis(analysis, 1000 * (time.perf_counter() - started))
