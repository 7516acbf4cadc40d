"""A run's connection to a cluster of dask.distributed: reaching it, checking its workers, sending, noticing losses."""

from __future__ import annotations

import multiprocessing
import secrets
import threading
from collections.abc import Iterator, Mapping
from concurrent.futures import Future, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from contextlib import ExitStack, contextmanager, suppress
from typing import Any

from distributed import Client
from distributed.scheduler import KilledWorker, NoValidWorkerError
from distributed.security import Security

from ..analysis.model_server.connection import Connection, ModelBusy
from ..analysis.model_server.presets import ModelTarget, targets
from ..core.clock import Clock, Deadline
from ..core.errors import AnalysisFailed, CannotRun, WorkersEnded
from ..core.run_summary import ClusterUse
from ..settings.schema import Settings
from .cluster import Answered, Cluster, ClusterGone, ModelTask, difference, facts, lost_cluster, versions
from .cluster_address import ClusterWanted, be_quiet
from .cluster_nodes import answered

CONNECT_S = 10.0
WORKERS_S = 30.0
"""How long the first worker is waited for."""
CLOSE_S = 5.0
WATCH_S = 0.5
MOST_PLACES = 1024
START_S = 30.0
"""What a process of its own for one request may take to begin."""


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
                alone=stack.enter_context(_Suspects()).ask,
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
        elif isinstance(error := done.exception(), KilledWorker):
            future.set_exception(WorkersEnded(f"{error.allowed_failures + 1} workers that asked a model about it died"))
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


class _Suspects:
    """Requests whose workers died, one at a time in a process of its own: one of them may be why."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._process: ProcessPoolExecutor | None = None

    def __enter__(self) -> _Suspects:
        return self

    def __exit__(self, *_: object) -> None:
        if self._process is not None:
            self._process.shutdown(wait=False, cancel_futures=True)

    def ask(self, target: ModelTarget, task: ModelTask) -> bytes:
        """The answer. Raises :class:`WorkersEnded` when that process dies as well."""
        with self._lock:
            if self._process is None:
                self._process = ProcessPoolExecutor(1, mp_context=multiprocessing.get_context("spawn"))
            try:
                answer = self._process.submit(_asked_alone, target, task).result(timeout=task.seconds + START_S)
            except BrokenProcessPool:
                self._process = None
                raise WorkersEnded(
                    "two workers that asked a model about it died, and so did a process that did nothing else"
                ) from None
            except TimeoutError:
                raise ModelBusy("model_timeout") from None
        if isinstance(answer, AnalysisFailed):
            raise answer
        return answer


def _asked_alone(target: ModelTarget, task: ModelTask) -> bytes | AnalysisFailed:
    try:
        return task.asked_of(Connection(target))
    except AnalysisFailed as failed:
        return failed
