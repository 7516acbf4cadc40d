"""A scheduler and a worker of dask.distributed as this program runs them: quiet, closed to others, and bounded.

Neither has a helpdesk's credentials, a state folder or a log.
"""

from __future__ import annotations

import asyncio
import os
import socket
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Literal

import dask
from distributed import Scheduler, Worker
from distributed.core import Status
from distributed.security import Security

from ..analysis.model_server.connection import Connection, ModelConnection
from ..analysis.model_server.presets import ModelTarget
from ..core.clock import Clock
from ..core.errors import AnalysisFailed, CannotRun, ExitCode, Stopping, unexpected
from ..core.urls import is_loopback
from .cluster import ModelTask, NotMine, facts, seal
from .cluster_address import be_quiet

POLL_S = 0.25
SETTINGS = {
    # A task that was on two workers as they died may be why: one more, and it would take more of its neighbours along.
    "distributed.scheduler.allowed-failures": 1,
    "distributed.scheduler.no-workers-timeout": "60s",
    "distributed.scheduler.worker-ttl": "60s",
    "distributed.scheduler.http.routes": ["distributed.http.health"],
    "distributed.worker.http.routes": ["distributed.http.health"],
    "distributed.worker.profile.enabled": False,
}
"""Dask's settings that differ from its own: by those, a cluster that is gone is waited for without an end.

Of its web server only ``GET /health`` is left.
"""


class _Serving:
    """The connections of this process, by the model's name, each with its seal; ``say`` hears of refusals."""

    connections: Mapping[str, tuple[str, ModelConnection]] = {}
    say: Callable[[str], object] = staticmethod(lambda _line: None)


def answered(task: ModelTask) -> bytes | AnalysisFailed | NotMine:
    """The answer to a task, with this worker's own settings and key, or why there is none.

    What cannot be done comes back as a value: dask logs the arguments of calls that raise.
    """
    mine, connection = _Serving.connections.get(task.target, ("", None))
    if connection is None or mine != task.seal:
        _Serving.say("refused a request: the run has another version or other settings of the model")
        return NotMine(f"{socket.gethostname()} (process {os.getpid()})")
    try:
        return task.asked_of(connection)
    except AnalysisFailed as failed:
        failed.__cause__ = failed.__context__ = None
        return failed
    except Exception as error:  # noqa: BLE001 - a bug here must not cost the run its cluster
        return AnalysisFailed("analyser_broken", unexpected(error))


def run_scheduler(
    clock: Clock,
    host: str,
    port: int,
    protocol: Literal["tcp", "tls"],
    health_port: int,
    announce: Callable[[str], object],
) -> ExitCode:
    """Be a scheduler until a signal comes; ``announce`` hears its address."""

    async def work() -> None:
        async with Scheduler(
            host=host,
            port=port,
            protocol=protocol,
            security=Security(),
            dashboard=False,
            dashboard_address=f"{host if health_port else '127.0.0.1'}:{health_port}",
        ) as scheduler:
            announce(scheduler.address)
            while scheduler.status is Status.running and not _stopped(clock):
                await asyncio.sleep(POLL_S)

    _run(work)
    return ExitCode.OK


def run_worker(
    clock: Clock,
    scheduler: str,
    models: Sequence[ModelTarget],
    *,
    threads: int,
    host: str | None,
    health_port: int,
    death_timeout: float,
    say: Callable[[str], object],
) -> ExitCode:
    """Be a worker until a signal comes: then what has begun is finished, and the rest handed back; see :func:`grace_s`.

    Raises :class:`CannotRun` without a scheduler, at the beginning or later.
    """
    mine = facts(models)
    _Serving.connections = {target.name: (seal(target), Connection(target)) for target in models}
    _Serving.say = staticmethod(say)
    for _, connection in _Serving.connections.values():
        connection.get_ready()
    here = host or ("127.0.0.1" if is_loopback(scheduler) else None)

    async def told(_worker: Worker) -> dict[str, str]:
        return mine

    async def work() -> bool:
        async with Worker(
            scheduler,
            nthreads=threads,
            host=here,
            security=Security(),
            death_timeout=death_timeout,
            memory_limit=0,
            dashboard=False,
            dashboard_address=f"{(here or '') if health_port else '127.0.0.1'}:{health_port}",
            startup_information={"ticketbot": told},
        ) as worker:
            say(f"Working at {worker.address} for {scheduler} with {threads} threads; Ctrl-C ends it.")
            while worker.status is Status.running:
                if _stopped(clock):
                    await _wind_up(worker, grace_s(models))
                    return True
                await asyncio.sleep(POLL_S)
        return _stopped(clock)

    try:
        if _run(work):
            return ExitCode.OK
    except (OSError, TimeoutError, RuntimeError) as error:
        raise CannotRun(f"no scheduler answers at {scheduler}") from error
    raise CannotRun(f"the scheduler at {scheduler} is gone")


def grace_s(models: Sequence[ModelTarget]) -> float:
    """How long a worker that is stopped may finish what it has begun: as long as one request may take."""
    return max((model.timeout_s for model in models), default=0.0)


async def _wind_up(worker: Worker, seconds: float) -> None:
    """Take nothing more, finish what runs unless the scheduler goes as well, then hand back what waits."""
    worker.status = Status.paused
    for _ in range(round(seconds / POLL_S) + 1):
        if not worker.state.executing or worker.status is not Status.paused:
            break
        await asyncio.sleep(POLL_S)
    await asyncio.wait_for(worker.close_gracefully(), timeout=POLL_S * 12)


def _run(work: Callable[[], Any]) -> Any:
    be_quiet()
    with dask.config.set(SETTINGS):
        return asyncio.run(work())


def _stopped(clock: Clock) -> bool:
    try:
        clock.check()
    except Stopping:
        return True
    return False
