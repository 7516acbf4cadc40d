"""Health checks, their overall verdict, and an examiner that runs them in parallel within a few seconds.

It also writes health in the format of Prometheus. Unknown values have no sample; figures of runs are gauges, since they
cover the last 24 hours.

``prometheus_client`` is in the extra ``metrics``.
"""

from __future__ import annotations

import importlib.util
import queue
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Any

from pydantic import Field, computed_field

from .. import __version__
from ..core.clock import Clock, iso, parse_iso
from ..core.errors import ConfigError, ExitCode, how_to_install, unexpected
from ..core.models import Frozen
from ..reporting.glossary import MEANINGS
from .run_metrics import RunMetrics

if TYPE_CHECKING:
    from prometheus_client.core import Metric


LIMIT_S = 8.0
"""Seconds after which a check counts as failed; the process has to end within 10 s."""
ASKING_S = 6.5
"""Seconds for a server's answer; a whole check may take a little longer."""
SETTINGS = "settings"
OFFLINE = "not asked (--offline)"
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


def _result(status: Status) -> Callable[..., Check]:
    """What makes the result of a check, from its name, a sentence and facts."""

    def made(name: str, text: str, **facts: object) -> Check:
        return Check(name=name, status=status, text=text, facts=facts)

    return made


ok, warn, fail, skipped = map(_result, (Status.OK, Status.WARN, Status.FAIL, Status.SKIPPED))
"""No fault; one at which a person should look although tickets are handled; one by which tickets are not handled, or
soon will not be; and no check was made, which is no fault."""


class Health(Frozen):
    """All checks at one moment, and the verdict."""

    checks: tuple[Check, ...]
    metrics: RunMetrics | None = Field(None, description="of the last 24 hours; None when the state cannot be read")
    version: str
    account: str | None = Field(None, description="the helpdesk's host; None when the settings do not say")
    at: str = Field(description="UTC")
    seconds: float = Field(description="how long it took")

    @computed_field  # type: ignore[prop-decorator]
    @property
    def status(self) -> HealthVerdict:
        """Unhealthy if a check failed, degraded if one warns; skipped checks do not count."""
        found = {check.status for check in self.checks}
        if Status.FAIL in found:
            return HealthVerdict.UNHEALTHY
        return HealthVerdict.DEGRADED if Status.WARN in found else HealthVerdict.HEALTHY

    @property
    def exit_code(self) -> ExitCode:
        """0 healthy, 1 degraded, 3 unhealthy; 2 when the settings are to blame."""
        if any(check.name == SETTINGS and check.status is Status.FAIL for check in self.checks):
            return ExitCode.USAGE
        codes = {HealthVerdict.HEALTHY: ExitCode.OK, HealthVerdict.DEGRADED: ExitCode.SOME_FAILED}
        return codes.get(self.status, ExitCode.CANNOT_RUN)


@dataclass(frozen=True)
class Probe:
    """A function that may hang, and the names of its checks; if it hangs, the first of them fails.

    ``severity`` makes that result: a part that the service does not need is worth a warning only.
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
        """The results of a probe without an answer: the first says ``why``, the others are skipped."""
        first, *others = self.names
        rest = (skipped(name, f"not known, since the check of {first} did not come to an end") for name in others)
        return (self.severity(first, why), *rest)


class Examiner:
    """Runs all probes at the same time, for a few seconds at most. For one caller at a time.

    A probe that hangs is abandoned in its thread, counts as failed, and is not started again while it hangs.
    """

    def __init__(
        self, probes: Sequence[Probe], clock: Clock, *, account: str | None = None, limit_s: float = LIMIT_S
    ) -> None:
        self._probes = probes
        self._account = account
        self._clock = clock
        self._limit_s = limit_s
        self._threads: dict[Probe, threading.Thread] = {}

    @property
    def abandoned(self) -> int:
        """Number of threads with a call that has not returned."""
        return sum(thread.is_alive() for thread in self._threads.values())

    def examine(self) -> Health:
        """The checks of every probe, in their order. Raises ``Stopping`` when a stop was asked for."""
        began, at = self._clock.monotonic(), iso(self._clock.now())
        until = began + self._limit_s
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
        checks = tuple(check for probe in self._probes for check in answers.get(probe) or probe.without(late))
        return Health(
            checks=checks,
            metrics=next((check.metrics for check in checks if check.metrics), None),
            version=__version__,
            account=self._account,
            at=at,
            seconds=round(self._clock.monotonic() - began, 3),
        )


_CODES = {Status.OK: 0, Status.WARN: 1, Status.FAIL: 2, Status.SKIPPED: -1}
_ONE_DAY = "in the last 24 hours"
Samples = Mapping[str, float | None]
Gauge = tuple[str, str, str, Samples]
"""Name, meaning, label (empty for a single number, whose sample is called ``""``) and samples."""


def require_prometheus() -> None:
    """Raises :class:`ConfigError` when the extra ``metrics`` is not installed."""
    if importlib.util.find_spec("prometheus_client") is None:
        raise ConfigError(f"--metrics needs prometheus-client: {how_to_install('metrics')}")


def exposition(health: Health, accept: str = "", more: Sequence[Gauge] = ()) -> tuple[bytes, str]:
    """The metrics, and ``more``, in a format that the scraper's ``accept`` header allows, and its content type."""
    from prometheus_client import CollectorRegistry
    from prometheus_client.core import GaugeMetricFamily, InfoMetricFamily
    from prometheus_client.exposition import choose_encoder
    from prometheus_client.registry import Collector

    class Once(Collector):
        def collect(self) -> Iterator[Metric]:
            about = {"version": health.version, "account": health.account or ""}
            yield InfoMetricFamily("ticketbot_build", "The program, and the helpdesk that it works on.", value=about)
            for name, text, label, samples in (*_of_health(health), *_of_runs(health.metrics), *more):
                family = GaugeMetricFamily(f"ticketbot_{name}", text, labels=[label] if label else [])
                for labelled, number in samples.items():
                    if number is not None:
                        family.add_metric([labelled] if label else [], number)
                if family.samples:
                    yield family

    registry = CollectorRegistry(auto_describe=False)
    registry.register(Once())
    encode, content_type = choose_encoder(accept)
    return encode(registry), content_type


def _of_health(health: Health) -> Iterator[Gauge]:
    facts = {check.name: check.facts for check in health.checks}

    def fact(check: str, name: str) -> Any:
        return facts.get(check, {}).get(name)

    def moment(check: str, name: str) -> float | None:
        found = fact(check, name)
        return parse_iso(found) if found else None

    codes = {check.name: _CODES[check.status] for check in health.checks}
    yield "check_status", "What each check found: 0 ok, 1 warning, 2 failed, -1 skipped.", "check", codes
    waiting = {state: fact("retry_list", state) for state in ("waiting", "dead")}
    yield "retry_list_tickets", "Tickets on the retry list.", "state", waiting
    free = {name: fact(f"{name}_folder", "free_bytes") for name in ("log", "state")}
    yield "folder_free_bytes", "Room on the disk of a folder.", "folder", free
    for name, text, value in (
        ("up", "1 unless the service is unhealthy.", float(health.status is not HealthVerdict.UNHEALTHY)),
        ("last_run_timestamp_seconds", "When the last run ended.", moment("last_run", "last")),
        ("last_good_run_timestamp_seconds", "When the last completed run ended.", moment("last_run", "last_good")),
        (
            "caught_up_timestamp_seconds",
            "When the last run began that looked at every ticket.",
            moment("last_run", "caught_up"),
        ),
        ("credentials_expiry_timestamp_seconds", "When they end.", moment("credentials", "expires")),
        ("retry_list_oldest_seconds", "How long the oldest has waited on it.", fact("retry_list", "oldest_s")),
    ):
        yield name, text, "", {"": value}


def _of_runs(runs: RunMetrics | None) -> Iterator[Gauge]:
    if runs is None:
        return
    results = {"finished": runs.runs - runs.runs_failed, "failed": runs.runs_failed}
    usage = {"input": runs.usage.input, "output": runs.usage.output, "cached": runs.usage.cached}
    yield "runs", f"Runs {_ONE_DAY}.", "result", results
    yield "outcomes", _meaning("outcomes"), "outcome", runs.outcomes
    yield "tokens", f"Tokens of models {_ONE_DAY}; the cached ones are part of the input.", "kind", usage
    yield "helpdesk_requests", f"Requests to the helpdesk {_ONE_DAY}.", "", {"": runs.requests}
    for name, figure, value in (
        ("answers", "answers", runs.answers),
        ("success_ratio", "success rate", runs.success_rate),
        ("error_ratio", "error rate", runs.error_rate),
        ("fallback_ratio", "fallback rate", runs.fallback_rate),
        ("review_ratio", "review rate", runs.review_rate),
        ("latency_p50_seconds", "latency p50", _s(runs.p50_ms)),
        ("latency_p95_seconds", "latency p95", _s(runs.p95_ms)),
        ("cost_dollars", "cost", runs.cost_usd),
    ):
        yield name, _meaning(figure), "", {"": value}


def _meaning(name: str) -> str:
    return f"{name.capitalize()} {_ONE_DAY}: {MEANINGS[name]}."


def _s(milliseconds: float | None) -> float | None:
    return None if milliseconds is None else round(milliseconds / 1000, 6)
