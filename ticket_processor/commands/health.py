"""``ticketbot health``: prints the checks, or serves them over HTTP."""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path
from typing import Annotated

import typer

from ..core.clock import SystemClock
from ..core.errors import ConfigError, ExitCode, Stopping, worst
from ..core.wording import many
from ..monitoring.health.checks import Health, Status
from ..monitoring.health.doctor import Doctor, unusable
from ..monitoring.run_metrics import RunMetrics, in_words
from ..schedule.schedulers import may_start_runs
from ..settings.accounts import ConfiguredAccount, load_accounts, several
from ..settings.load import config_file, load, secret_files
from ..settings.schema import Settings
from .options import ConfigsOption, JsonOption, VerboseOption
from .screen import Screen

MOST_AT_ONCE = 32
"""Accounts that are examined at the same time."""
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
        if serve is not None:
            raise ConfigError("--serve is for one account: serve each on a port of its own")
        return _of_all(clock, screen, load_accounts(files), offline=offline)
    config = configs[0] if configs else None
    if serve is not None:
        return _serve(
            clock, screen, config=config, offline=offline, host=host or DEFAULT_HOST, port=serve, names=names or ()
        )
    if host is not None or names:
        raise ConfigError(f"{'--allow-host' if host is None else '--host'} belongs to --serve")
    try:
        doctor = _doctor(clock, config, offline=offline)
    except ConfigError as error:
        found, abandoned = unusable(error.problems, clock), 0
    else:
        found = doctor.examine()
        abandoned = doctor.abandoned
    _show(found, screen)
    return found.exit_code, abandoned


def _of_all(
    clock: SystemClock, screen: Screen, accounts: Sequence[ConfiguredAccount], *, offline: bool
) -> tuple[int, int]:
    """Examine several accounts at the same time, and print one after the other; the worst exit code."""
    doctors = [_of(each.settings, clock, each.file, offline=offline) if each.settings else None for each in accounts]

    def examined(account: ConfiguredAccount, doctor: Doctor | None) -> Health:
        return doctor.examine() if doctor is not None else unusable(account.problems, clock)

    with ThreadPoolExecutor(min(MOST_AT_ONCE, len(accounts))) as pool:
        found = list(pool.map(examined, accounts, doctors))
    for account, one in zip(accounts, found, strict=True):
        screen.say(f"{account.name} ({account.file})")
        if account.settings is not None:
            screen.say(f"state in {account.settings.state_folder}, log in {account.settings.log_dir}")
        _tell(one, screen)
        screen.say(f"{one.account or account.name}: {one.status}\n")
    code = worst(one.exit_code for one in found)
    data = [
        {"name": account.name, **one.model_dump(mode="json"), "exit_code": int(one.exit_code)}
        for account, one in zip(accounts, found, strict=True)
    ]
    healthy = sum(one.exit_code == ExitCode.OK for one in found)
    screen.result(f"{len(found)} accounts, {healthy} of them healthy", {"accounts": data, "exit_code": code})
    return code, sum(doctor.abandoned for doctor in doctors if doctor is not None)


def _doctor(clock: SystemClock, config: Path | None, *, offline: bool) -> Doctor:
    return _of(load(config=config), clock, config_file(config=config), offline=offline)


def _of(settings: Settings, clock: SystemClock, file: Path | None, *, offline: bool) -> Doctor:
    return Doctor(
        settings,
        clock,
        offline=offline,
        secret_files=secret_files(file),
        scheduled=partial(may_start_runs, file or Path.cwd()),
    )


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
    doctor = _doctor(clock, config, offline=offline)
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


def _show(found: Health, screen: Screen) -> None:
    _tell(found, screen)
    screen.result(f"{found.account or 'ticketbot'}: {found.status}", found.model_dump(mode="json"))


def _tell(found: Health, screen: Screen) -> None:
    rows = [(_MARKS[check.status], check.name, check.text) for check in found.checks]
    screen.table(("", "Check", "Found"), rows, loud=_MARKS[Status.FAIL])
    if found.metrics is not None:
        screen.say(f"\nLast 24 hours: {_in_words(found.metrics)}")


def _in_words(runs: RunMetrics) -> str:
    """The numbers in a line."""
    if not runs.runs:
        return "no runs"
    words = [many(runs.runs, "run")]
    words += [f"{runs.runs_failed} that could not be made"] if runs.runs_failed else []
    words += in_words(runs)
    words += [f"{runs.usage.input + runs.usage.output:,} tokens"] if runs.usage.input else []
    return "; ".join(words)
