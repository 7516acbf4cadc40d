"""A run's connection to a cluster of dask.distributed, and the scheduler and workers that this program runs itself.

Those are quiet, closed to others, and bounded; neither has a helpdesk's credentials, a state folder or a log.
"""

from __future__ import annotations

import asyncio
import os
import secrets
import socket
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import CancelledError, Future
from contextlib import ExitStack, contextmanager, suppress
from typing import Any, Literal

import dask
from distributed import Client, Scheduler, Worker
from distributed.core import Status
from distributed.scheduler import KilledWorker, NoValidWorkerError
from distributed.security import Security

from ..analysis.model_server.connection import Connection
from ..analysis.model_server.settings import ModelTarget, targets
from ..core.clock import Clock, Deadline
from ..core.errors import AnalysisFailed, CannotRun, ExitCode, Stopping, unexpected
from ..core.http import is_loopback
from ..core.run_summary import ClusterUse
from ..settings.schema import Settings
from .cluster import (
    Answered,
    Cluster,
    ClusterGone,
    ClusterWanted,
    ModelTask,
    NotMine,
    be_quiet,
    difference,
    facts,
    lost_cluster,
    seal,
    versions,
)

CONNECT_S = 10.0
WORKERS_S = 30.0
"""How long the first worker is waited for."""
CLOSE_S = 5.0
WATCH_S = 0.5
MOST_PLACES = 1024


@contextmanager
def connected(wanted: ClusterWanted, settings: Settings, clock: Clock, deadline: Deadline) -> Iterator[Cluster]:
    """The cluster of these words, with at least one worker, whose workers are like this run.

    Raises :class:`CannotRun`; where the cluster is optional, it is one that is lost from the start.
    """
    be_quiet()
    with ExitStack() as stack:
        room = settings.run.workers
        try:
            client = stack.enter_context(_client(wanted.address, deadline))
            threads = _threads(client, wanted.address, facts(targets(settings.models)), deadline)
        except CannotRun as error:
            if not wanted.optional:
                raise
            stack.close()
            cluster = lost_cluster(str(error), clock, deadline, room=room)
        else:
            name = f"ticketbot-{secrets.token_hex(4)}"
            executor = client.get_executor(pure=False)
            cluster = Cluster(
                name,
                lambda task, key: _translated(executor.submit(answered, task, key=key)),
                lambda: client.status == "running",
                clock,
                deadline,
                room=room,
                places=0 if wanted.keeps_workers else min(MOST_PLACES, 2 * sum(threads)),
                begun=ClusterUse(workers=len(threads), threads=sum(threads), versions=versions()),
            )
            stack.callback(cluster.close)
            client.subscribe_topic("all", lambda event: cluster.repeated(_given_again(event, name)))
            ended = threading.Event()
            stack.callback(ended.set)
            threading.Thread(target=_watch, args=[client, cluster, ended], name="cluster", daemon=True).start()
        yield cluster


@contextmanager
def _client(address: str, deadline: Deadline) -> Iterator[Client]:
    """Raises :class:`CannotRun` where no scheduler answers."""
    try:
        client = Client(
            address, timeout=min(CONNECT_S, deadline.remaining()), set_as_default=False, security=Security()
        )
    except (OSError, ValueError, RuntimeError, TypeError) as error:
        why = "no scheduler answers there" if isinstance(error, OSError) else type(error).__name__
        raise CannotRun(f"the cluster at {address} cannot be reached: {why}") from error
    try:
        yield client
    finally:
        # A scheduler that is gone would be waited for.
        thread = threading.Thread(target=_close, args=[client], daemon=True)
        thread.start()
        thread.join(CLOSE_S)


def _close(client: Client) -> None:
    with suppress(Exception):
        client.close(timeout=CLOSE_S / 2)


def _threads(client: Client, address: str, mine: Mapping[str, str], deadline: Deadline) -> list[int]:
    """How many threads each worker has. Raises :class:`CannotRun` for one that is not like this run, or for none."""
    try:
        with suppress(TimeoutError):
            client.wait_for_workers(1, timeout=min(WORKERS_S, deadline.remaining()))
        workers = client.scheduler_info(n_workers=-1)["workers"]
    except OSError as error:
        raise CannotRun(f"the cluster at {address} does not answer any more") from error
    for place, worker in workers.items():
        if (other := difference(mine, worker.get("ticketbot") or {})) is not None:
            raise CannotRun(f"the worker at {place} cannot work for this run: {other}")
    if not workers:
        raise CannotRun(f"the cluster at {address} has no workers: start 'ticketbot worker --scheduler {address}'")
    return [int(worker["nthreads"]) for worker in workers.values()]


def _translated(sent: Future[Answered]) -> Future[Answered]:
    """A future that this program may end, which dask's executor would answer with a request to the scheduler."""
    future: Future[Answered] = Future()

    def bring(done: Future[Answered]) -> None:
        if not future.set_running_or_notify_cancel():
            return
        if done.cancelled():
            future.set_exception(ClusterGone("its scheduler is gone"))
        elif isinstance(error := done.exception(), KilledWorker):  # this one alone: others may have better luck
            future.set_exception(CancelledError())
        elif isinstance(error, NoValidWorkerError):
            future.set_exception(ClusterGone("all its workers have stopped"))
        elif error is not None:
            future.set_exception(ClusterGone(f"it failed with {type(error).__name__}"))
        else:
            future.set_result(done.result())

    sent.add_done_callback(bring)
    return future


def _given_again(event: tuple[float, Any], name: str) -> int:
    """The tasks of this run that a worker had, or had done, when it was lost."""
    _, message = event
    if not isinstance(message, dict) or message.get("action") != "remove-worker":
        return 0
    lost = {*message.get("processing-tasks", ()), *message.get("lost-computed-tasks", ())}
    return sum(str(key).startswith(name) for key in lost)


def _watch(client: Client, cluster: Cluster, ended: threading.Event) -> None:
    while not ended.wait(WATCH_S):
        if client.status != "running":
            cluster.lose("its scheduler is gone")
            return


# Scheduler and workers

POLL_S = 0.25
SETTINGS = {
    "distributed.scheduler.allowed-failures": 1,  # then the run itself asks
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

    connections: Mapping[str, tuple[str, Connection]] = {}
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
