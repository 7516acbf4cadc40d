"""``ticketbot worker`` and ``ticketbot scheduler``: the processes of a cluster, which run until they are stopped."""

from __future__ import annotations

import os
import sys
from typing import Annotated

import typer

from ..core.clock import SystemClock
from ..core.errors import ConfigError, ExitCode
from .options import ConfigOption
from .screen import Screen

HealthPortOption = Annotated[
    int, typer.Option(min=0, max=65535, metavar="PORT", help="Serve GET /health there; 0: on a free port, here only.")
]
InsecureOption = Annotated[
    bool, typer.Option("--insecure", help="Do without TLS: who reaches it can run programs here.")
]


def worker(
    clock: SystemClock,
    scheduler: Annotated[
        str, typer.Option(metavar="ADDRESS", help="The scheduler: tcp://HOST:8786 or tls://HOST:8786.")
    ],
    threads: Annotated[int, typer.Option(min=1, max=256, metavar="N", help="Requests at the same time.")] = 16,
    host: Annotated[
        str | None, typer.Option(metavar="ADDRESS", help="The address of this machine for the scheduler.")
    ] = None,
    health_port: HealthPortOption = 0,
    death_timeout: Annotated[
        float, typer.Option(min=1, metavar="SECONDS", help="End when no scheduler answers for so long.")
    ] = 60.0,
    insecure: InsecureOption = False,
    config: ConfigOption = None,
) -> ExitCode:
    """Ask models for runs on other machines. Exit code 0: stopped by a signal; 3: no scheduler."""
    from ..analysis.model_server.presets import targets
    from ..settings.load import load
    from ..wiring.cluster import check_address, exposed

    check_address(scheduler, "worker", insecure=insecure)
    _let_go_of_credentials()
    settings = load(config=config, need_helpdesk=False, models_only=True)
    models = targets(settings.models)
    if not models:
        raise ConfigError("a worker asks models, and models.names has none")
    from ..wiring.cluster_dask import grace_s, run_worker

    screen = Screen()
    screen.notices(exposed(scheduler))
    clock.grace_s = grace_s(models)
    return run_worker(
        clock,
        scheduler,
        models,
        threads=threads,
        host=host,
        health_port=health_port,
        death_timeout=death_timeout,
        say=screen.say,
    )


def scheduler(
    clock: SystemClock,
    host: Annotated[str, typer.Option(metavar="ADDRESS", help="Where to listen.")] = "127.0.0.1",
    port: Annotated[
        int, typer.Option(min=0, max=65535, metavar="PORT", help="Where to listen; 0 picks a free port.")
    ] = 8786,
    health_port: HealthPortOption = 0,
    insecure: InsecureOption = False,
) -> ExitCode:
    """Bring workers and runs together. Exit code 0: stopped by a signal."""
    from ..wiring.cluster import check_host, exposed

    protocol = check_host(host, insecure=insecure)
    _let_go_of_credentials()
    from ..wiring.cluster_dask import run_scheduler

    screen = Screen()

    def announce(address: str) -> None:
        screen.notices(exposed(address))
        screen.say(f"The scheduler is at {address} ; Ctrl-C ends it.")

    return run_scheduler(clock, host, port, protocol, health_port, announce)


def _let_go_of_credentials() -> None:
    """Go on without the variables that only runs need, since who is let in can read the environment.

    What a process was started with stays readable in it, so where a process can take on another program, this begins
    again without them.
    """
    from ..settings.sources import of_models

    kept = of_models(os.environ)
    if len(kept) == len(os.environ):
        return
    if os.name == "posix":
        os.execve(sys.executable, [sys.executable, "-m", "ticket_processor", *sys.argv[1:]], kept)  # noqa: S606
    for name in os.environ.keys() - kept:
        del os.environ[name]
