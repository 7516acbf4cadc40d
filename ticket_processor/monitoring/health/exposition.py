"""Health in Prometheus' words. What is not known has no sample; what runs did is of the last 24 hours, so it is gauges.

``prometheus_client`` is in the extra ``metrics``.
"""

from __future__ import annotations

import importlib.util
from collections.abc import Iterator, Mapping
from types import MappingProxyType
from typing import TYPE_CHECKING

from ...core.clock import parse_iso
from ...core.errors import ConfigError, how_to_install
from ...reporting.glossary import MEANINGS
from ..run_metrics import RunMetrics
from .checks import Health, HealthVerdict, Status

if TYPE_CHECKING:
    from prometheus_client.core import Metric

_CODES = {Status.OK: 0, Status.WARN: 1, Status.FAIL: 2, Status.SKIPPED: -1}
_ONE_DAY = "in the last 24 hours"
Samples = Mapping[str, float | None]


def require_prometheus() -> None:
    """Raises :class:`ConfigError` when the extra ``metrics`` is not installed."""
    if importlib.util.find_spec("prometheus_client") is None:
        raise ConfigError(f"--metrics needs prometheus-client: {how_to_install('metrics')}")


def exposition(
    health: Health, accept: str = "", gauges: Mapping[str, tuple[str, str, Samples]] = MappingProxyType({})
) -> tuple[bytes, str]:
    """The metrics as a scraper that accepts ``accept`` wants them, and their content type.

    ``gauges`` are others by name: meaning, label (may be empty), samples.
    """
    from prometheus_client import CollectorRegistry
    from prometheus_client.exposition import choose_encoder
    from prometheus_client.registry import Collector

    class Once(Collector):
        def collect(self) -> Iterator[Metric]:
            yield from families(health)
            for name, (text, label, samples) in gauges.items():
                yield from _family(name, text, label, samples) if label else _plain(name, text, samples[""])

    registry = CollectorRegistry(auto_describe=False)
    registry.register(Once())
    encode, content_type = choose_encoder(accept)
    return encode(registry), content_type


def families(health: Health) -> Iterator[Metric]:
    """Each metric with its samples."""
    from prometheus_client.core import InfoMetricFamily

    about = {"version": health.version, "account": health.account or ""}
    yield InfoMetricFamily("ticketbot_build", "The program, and the helpdesk that it works on.", value=about)
    verdicts = {verdict.value: float(verdict is health.status) for verdict in HealthVerdict}
    yield from _plain("up", "1 unless the service is unhealthy.", float(health.status is not HealthVerdict.UNHEALTHY))
    yield from _family("health_status", "1 for what all checks come to.", "status", verdicts)
    found = {check.name: _CODES[check.status] for check in health.checks}
    yield from _family("check_status", "What each check found: 0 ok, 1 warning, 2 failed, -1 skipped.", "check", found)
    yield from _plain("health_timestamp_seconds", "When the checks were made.", parse_iso(health.at))
    yield from _plain("health_duration_seconds", "How long the checks took.", health.seconds)
    facts = {check.name: check.facts for check in health.checks}
    for name, text, check, fact in _MOMENTS:
        moment = facts.get(check, {}).get(fact)
        yield from _plain(name, text, parse_iso(moment) if moment else None)
    for name, text, check, fact in _NUMBERS:
        yield from _plain(name, text, facts.get(check, {}).get(fact))
    latency = facts.get("helpdesk", {}).get("latency_ms")
    yield from _plain("helpdesk_latency_seconds", "How long a ticket read took.", _s(latency))
    waiting = {state: facts.get("retry_list", {}).get(state) for state in ("waiting", "dead")}
    yield from _family("retry_list_tickets", "Tickets on the retry list.", "state", waiting)
    free = {name: facts.get(f"{name}_folder", {}).get("free_bytes") for name in ("log", "state")}
    yield from _family("folder_free_bytes", "Room on the disk of a folder.", "folder", free)
    if health.metrics is not None:
        yield from _of_runs(health.metrics)


_MOMENTS = (
    ("last_run_timestamp_seconds", "When the last run ended.", "last_run", "last"),
    ("last_good_run_timestamp_seconds", "When the last completed run ended.", "last_run", "last_good"),
    ("caught_up_timestamp_seconds", "When the last run began that looked at every ticket.", "last_run", "caught_up"),
    ("credentials_expiry_timestamp_seconds", "When they end.", "credentials", "expires"),
)
_NUMBERS = (
    ("retry_list_oldest_seconds", "How long the oldest has waited on it.", "retry_list", "oldest_s"),
    ("clock_skew_seconds", "How far this machine's clock is ahead of the helpdesk's.", "clock", "skew_s"),
)
"""Metrics, what they say, and the check and fact that they are."""


def _of_runs(runs: RunMetrics) -> Iterator[Metric]:
    results = {"finished": runs.runs - runs.runs_failed, "failed": runs.runs_failed}
    usage = {"input": runs.usage.input, "output": runs.usage.output, "cached": runs.usage.cached}
    yield from _family("runs", f"Runs {_ONE_DAY}.", "result", results)
    yield from _family("outcomes", _meaning("outcomes"), "outcome", runs.outcomes)
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
        yield from _plain(name, _meaning(figure), value)
    text = f"Tokens of models {_ONE_DAY}; the cached ones are part of the input."
    yield from _family("tokens", text, "kind", usage)
    yield from _plain("helpdesk_requests", f"Requests to the helpdesk {_ONE_DAY}.", runs.requests)


def _meaning(name: str) -> str:
    return f"{name.capitalize()} {_ONE_DAY}: {MEANINGS[name]}."


def _plain(name: str, text: str, value: float | None) -> Iterator[Metric]:
    from prometheus_client.core import GaugeMetricFamily

    if value is not None:
        yield GaugeMetricFamily(f"ticketbot_{name}", text, value=value)


def _family(name: str, text: str, label: str, samples: Samples) -> Iterator[Metric]:
    from prometheus_client.core import GaugeMetricFamily

    family = GaugeMetricFamily(f"ticketbot_{name}", text, labels=[label])
    for labelled, number in samples.items():
        if number is not None:
            family.add_metric([labelled], number)
    if family.samples:
        yield family


def _s(milliseconds: float | None) -> float | None:
    return None if milliseconds is None else round(milliseconds / 1000, 6)
