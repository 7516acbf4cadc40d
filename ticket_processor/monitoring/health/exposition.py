"""Health in Prometheus' words. What is not known has no sample; what runs did is of the last 24 hours, so it is gauges.

``prometheus_client`` is in the extra ``metrics``.
"""

from __future__ import annotations

import importlib.util
from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

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
Gauge = tuple[str, str, str, Samples]
"""Name, meaning, label (empty for a single number, whose sample is called ``""``) and samples."""


def require_prometheus() -> None:
    """Raises :class:`ConfigError` when the extra ``metrics`` is not installed."""
    if importlib.util.find_spec("prometheus_client") is None:
        raise ConfigError(f"--metrics needs prometheus-client: {how_to_install('metrics')}")


def exposition(health: Health, accept: str = "", more: Sequence[Gauge] = ()) -> tuple[bytes, str]:
    """The metrics, with ``more`` of them, as a scraper that accepts ``accept`` wants them, and their content type."""
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
