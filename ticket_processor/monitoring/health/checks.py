"""Health checks, their overall verdict, and an examiner that runs them in parallel within a few seconds."""

from __future__ import annotations

import queue
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from pydantic import Field

from ...core.clock import Clock
from ...core.errors import ExitCode, unexpected
from ...core.models import Frozen
from ..run_metrics import RunMetrics

LIMIT_S = 8.0
"""A check that takes longer has failed; the process is to be gone within 10 s."""
ASKING_S = 6.5
"""The time for a server's answer; a check as a whole has a little longer."""
SETTINGS = "settings"
OFFLINE = "not asked (--offline)"
NO_ANSWER = {
    "timeout": "gives no answer in time",
    "unreachable": "cannot connect: check address and network",
}
"""What is said of a server where its client's words are those of a programmer."""
_POLL_S = 0.1


class Status(StrEnum):
    """The result of a single check."""

    OK = "ok"
    WARN = "warn"
    FAIL = "fail"
    SKIPPED = "skipped"


class HealthVerdict(StrEnum):
    """The overall result. Degraded: tickets are handled, and a person should look."""

    HEALTHY = "healthy"
    DEGRADED = "degraded"
    UNHEALTHY = "unhealthy"


class Check(Frozen):
    """One finding: a sentence for a person, which holds no secret, and ``facts`` for a program."""

    name: str
    status: Status
    text: str
    facts: dict[str, Any] = Field(default_factory=dict)
    metrics: RunMetrics | None = Field(None, exclude=True, description="of the check that reads the runs")


def ok(name: str, text: str, **facts: object) -> Check:
    """All is well."""
    return Check(name=name, status=Status.OK, text=text, facts=facts)


def warn(name: str, text: str, **facts: object) -> Check:
    """A person should look; tickets are handled all the same."""
    return Check(name=name, status=Status.WARN, text=text, facts=facts)


def fail(name: str, text: str, **facts: object) -> Check:
    """Tickets are not handled, or soon will not be."""
    return Check(name=name, status=Status.FAIL, text=text, facts=facts)


def skipped(name: str, why: str, **facts: object) -> Check:
    """Nothing was found out, which is no fault."""
    return Check(name=name, status=Status.SKIPPED, text=why, facts=facts)


class Health(Frozen):
    """All checks at one moment, and the verdict."""

    status: HealthVerdict
    checks: tuple[Check, ...]
    metrics: RunMetrics | None = Field(None, description="of the last 24 hours; None when the state cannot be read")
    version: str
    account: str | None = Field(None, description="the helpdesk's host; None when the settings do not say")
    at: str = Field(description="UTC")
    seconds: float = Field(description="how long it took")

    @property
    def exit_code(self) -> ExitCode:
        """0 healthy, 1 degraded, 3 unhealthy; 2 when the settings are to blame."""
        if any(check.name == SETTINGS and check.status is Status.FAIL for check in self.checks):
            return ExitCode.USAGE
        codes = {HealthVerdict.HEALTHY: ExitCode.OK, HealthVerdict.DEGRADED: ExitCode.SOME_FAILED}
        return codes.get(self.status, ExitCode.CANNOT_RUN)


def verdict(checks: Sequence[Check]) -> HealthVerdict:
    """Unhealthy when a check failed, degraded when one warns; what was skipped counts for nothing."""
    found = {check.status for check in checks}
    if Status.FAIL in found:
        return HealthVerdict.UNHEALTHY
    return HealthVerdict.DEGRADED if Status.WARN in found else HealthVerdict.HEALTHY


@dataclass(frozen=True)
class Probe:
    """An examination that may hang, and the checks it answers for; if it hangs, the first of them fails.

    ``severity`` is that failure's: what the service can do without is worth a warning only.
    """

    names: tuple[str, ...]
    look: Callable[[], Sequence[Check]]
    severity: Callable[..., Check] = fail

    def answer(self) -> Sequence[Check]:
        """Run the probe; an error is a result too."""
        try:
            return self.look()
        except Exception as error:  # noqa: BLE001 - whatever it is, the other checks are still wanted
            return self.without(unexpected(error))

    def without(self, why: str) -> Sequence[Check]:
        """An answer that says why there is none."""
        first, *others = self.names
        rest = (skipped(name, f"not known, since the check of {first} did not come to an end") for name in others)
        return (self.severity(first, why), *rest)


class Examiner:
    """Looks at everything at the same time, for a few seconds at most. For one caller at a time.

    A probe that hangs is left behind in its thread, counts as failed, and is not begun again as long as it hangs.
    """

    def __init__(self, probes: Sequence[Probe], clock: Clock, *, limit_s: float = LIMIT_S) -> None:
        self._probes = probes
        self._clock = clock
        self._limit_s = limit_s
        self._threads: dict[Probe, threading.Thread] = {}

    @property
    def abandoned(self) -> int:
        """Threads that are still in a call that has not come back."""
        return sum(thread.is_alive() for thread in self._threads.values())

    def examine(self) -> list[Check]:
        """The checks of every probe, in their order. Raises ``Stopping`` when a stop was asked for."""
        until = self._clock.monotonic() + self._limit_s
        arrived: queue.SimpleQueue[tuple[Probe, Sequence[Check]]] = queue.SimpleQueue()
        awaited = {probe for probe in self._probes if probe not in self._threads or not self._threads[probe].is_alive()}
        for probe in awaited:
            self._threads[probe] = threading.Thread(
                target=lambda probe=probe: arrived.put((probe, probe.answer())), name=probe.names[0], daemon=True
            )
            self._threads[probe].start()
        answers: dict[Probe, Sequence[Check]] = {}
        while len(answers) < len(awaited) and (left := until - self._clock.monotonic()) > 0:
            self._clock.check()
            try:
                probe, answers[probe] = arrived.get(timeout=min(left, _POLL_S))
            except queue.Empty:
                continue
        late = f"gave no answer within {self._limit_s:g} s"
        return [check for probe in self._probes for check in answers.get(probe) or probe.without(late)]
