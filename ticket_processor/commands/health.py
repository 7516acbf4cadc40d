"""``ticketbot health``: prints the checks, or serves them over HTTP."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

import typer

from ..core.clock import SystemClock
from ..core.errors import ConfigError, ExitCode, Stopping
from ..core.wording import many
from ..monitoring.health.checks import Status
from ..monitoring.health.doctor import unusable
from ..monitoring.run_metrics import RunMetrics, in_words
from ..settings.load import load
from .examinations import health_doctor
from .many_accounts import for_each, several
from .options import ConfigsOption, JsonOption, VerboseOption
from .screen import Screen

DEFAULT_HOST = "127.0.0.1"
_MARKS = {Status.OK: "ok", Status.WARN: "warn", Status.FAIL: "FAIL", Status.SKIPPED: "-"}


def health(
    clock: SystemClock,
    offline: Annotated[bool, typer.Option("--offline", help="Do not ask helpdesk and model servers.")] = False,
    serve: Annotated[
        int | None,
        typer.Option(min=0, max=65535, metavar="PORT", help="Serve /healthz and Prometheus' /metrics until stopped."),
    ] = None,
    host: Annotated[
        str | None, typer.Option(metavar="ADDRESS", help="With --serve: where to listen. Default: 127.0.0.1.")
    ] = None,
    names: Annotated[
        list[str] | None,
        typer.Option(
            "--allow-host", metavar="NAME", help="With --serve: another name of this machine; may be repeated."
        ),
    ] = None,
    verbose: VerboseOption = False,
    as_json: JsonOption = False,
    configs: ConfigsOption = None,
) -> tuple[int, int]:
    """Look at everything that runs need, within 10 s. Exit code 0: healthy; 1: degraded; 3: unhealthy."""
    screen = Screen(as_json=as_json)
    if files := several(configs):
        return for_each(clock, screen, files, without={"--serve": serve is not None}), 0
    config = configs[0] if configs else None
    if serve is not None:
        return _serve(
            clock, screen, config=config, offline=offline, host=host or DEFAULT_HOST, port=serve, names=names or ()
        )
    if host is not None or names:
        raise ConfigError(f"{'--allow-host' if host is None else '--host'} belongs to --serve")
    try:
        doctor = health_doctor(load(config=config), clock, config, offline=offline)
    except ConfigError as error:
        found, abandoned = unusable(error.problems, clock), 0
    else:
        found = doctor.examine()
        abandoned = doctor.abandoned
    rows = [(_MARKS[check.status], check.name, check.text) for check in found.checks]
    screen.table(("", "Check", "Found"), rows, loud=_MARKS[Status.FAIL])
    if found.metrics is not None:
        screen.say(f"\nLast 24 hours: {_in_words(found.metrics)}")
    screen.result(f"{found.account or 'ticketbot'}: {found.status}", found.model_dump(mode="json"))
    return found.exit_code, abandoned


def _serve(
    clock: SystemClock,
    screen: Screen,
    *,
    config: Path | None,
    offline: bool,
    host: str,
    port: int,
    names: Sequence[str],
) -> tuple[int, int]:
    from ..monitoring.health.exposition import require_prometheus
    from ..monitoring.health.server import CachedExamination, HealthServer

    require_prometheus()
    doctor = health_doctor(load(config=config), clock, config, offline=offline)
    try:
        server = HealthServer(CachedExamination(doctor.examine, clock), host, port, names=names)
    except (OSError, OverflowError) as error:
        why = getattr(error, "strerror", None) or str(error)
        raise ConfigError(f"--serve {port} on {host} cannot be used: {why}") from None
    if server.is_open_to_others:
        screen.notices(
            [f"with --host {host} other machines can read this without signing in: a firewall should admit few"]
        )
    with server:
        screen.say(f"{server.url}/healthz and {server.url}/metrics; Ctrl-C ends it")
        try:
            while True:
                clock.wait(3600)
        except Stopping:
            return ExitCode.OK, doctor.abandoned


def _in_words(runs: RunMetrics) -> str:
    """The numbers in a line."""
    if not runs.runs:
        return "no runs"
    words = [many(runs.runs, "run")]
    words += [f"{runs.runs_failed} that could not be made"] if runs.runs_failed else []
    words += in_words(runs)
    words += [f"{runs.usage.input + runs.usage.output:,} tokens"] if runs.usage.input else []
    return "; ".join(words)
