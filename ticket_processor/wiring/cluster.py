"""A run's models asked by the workers of a cluster, and from this process whatever the cluster loses.

Only requests to models go there, each with what the model is sent, redacted, and nothing else. Whatever is paid twice
is counted; nothing is waited for without an end. Where the cluster is, and whether one may talk to it there: with TLS,
else only where the user says so. Who reaches a scheduler or a worker can run programs there, and in runs that read its
answers: its only access control is TLS with certificates, whose files dask's own configuration names
(``distributed.comm.tls``).
"""

from __future__ import annotations

import hashlib
import json
import logging
import sys
import threading
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import CancelledError, Future
from dataclasses import dataclass
from functools import partial
from importlib.metadata import version
from importlib.util import find_spec
from itertools import count
from typing import Any, Literal, NamedTuple
from urllib.parse import urlsplit

from .. import __version__
from ..analysis.model_server.connection import MAX_ANSWER_BYTES, Connection, What
from ..analysis.model_server.settings import ModelTarget
from ..core.clock import Clock, Deadline
from ..core.errors import AnalysisFailed, ConfigError, Stopping, how_to_install
from ..core.http import is_loopback
from ..core.run_summary import ClusterUse

SLACK_S = 5.0
"""A task may wait for one other before it, and for the network."""
LOOK_S = 0.5
MOST_BYTES = 65_536
"""The longest answer that is sent back."""
_PACKAGES = ("dask", "distributed", "cloudpickle")


class ModelTask(NamedTuple):
    """A request for the model ``target`` of the settings, whose seal must be the worker's; see :func:`seal`."""

    target: str
    seal: str
    what: What
    arguments: Mapping[str, Any]
    seconds: float
    limit: int
    structured: bool

    def __repr__(self) -> str:
        return f"ModelTask({self.target!r})"  # dask shows arguments in its log

    def asked_of(self, connection: Connection) -> bytes:
        """The answer's body. Raises what :meth:`Connection.post` does."""
        return connection.post(
            self.what, self.arguments, seconds=self.seconds, limit=self.limit, structured=self.structured
        )


class NotMine(NamedTuple):
    """The worker's refusal: its version or its settings of the model are not those of the run."""

    worker: str


def facts(models: Sequence[ModelTarget]) -> dict[str, str]:
    """What must be equal on both sides: versions, and a digest of each model's settings.

    Key and address are not in it, as each machine may have a server of its own; but a text that was redacted for one
    model is for no other.
    """
    of_models = {
        f"settings of model {target.name}": _digest((target.model, target.preset, target.redaction))
        for target in models
    }
    return versions() | of_models


def seal(target: ModelTarget) -> str:
    """The same about one model, short: each request is checked by it, since workers come and go."""
    return _digest(facts([target]))


def difference(mine: Mapping[str, str], theirs: Mapping[str, str]) -> str | None:
    """The first fact that is not the same, in words."""
    for name, here in mine.items():
        there = theirs.get(name)
        if there != here:
            if name.startswith("settings"):
                return f"{'no ' if there is None else 'other '}{name}"
            return f"{name} {there or 'unknown'}, this run {here}"
    return None


def versions() -> dict[str, str]:
    """What has to be the same on both sides whatever the models are."""
    here = {"ticketbot": __version__, "Python": f"{sys.version_info.major}.{sys.version_info.minor}"}
    return here | {name: version(name) for name in _PACKAGES}


def _digest(same: object) -> str:
    return hashlib.sha256(json.dumps(same).encode("utf-8")).hexdigest()[:16]


def patience(seconds: float) -> float:
    """How long a request is waited for, of which a model server may take so many seconds."""
    return 2 * seconds + SLACK_S


Answered = bytes | AnalysisFailed | NotMine
Send = Callable[[ModelTask, str], "Future[Answered]"]
"""Sends a task under a key. Its future raises :class:`ClusterGone`, or is cancelled."""


class ClusterGone(Exception):
    """Nothing more can be expected of the cluster; ``str()`` says why."""


class Cluster:
    """Asks workers, and falls back to this process. Thread-safe.

    ``is_up`` says whether tasks can be sent. After a loss at most ``room`` requests are made from here at a time.
    ``places`` is how many threads of a run keep it busy; 0 leaves that to the run. ``begun`` is what is known of it at
    the start.
    """

    def __init__(
        self,
        name: str,
        send: Send,
        is_up: Callable[[], bool],
        clock: Clock,
        deadline: Deadline,
        *,
        room: int,
        places: int,
        begun: ClusterUse | None = None,
    ) -> None:
        self.places = places
        self._name = name
        self._send = send
        self._is_up = is_up
        self._clock = clock
        self._deadline = deadline
        self._room = threading.Semaphore(room)
        self._numbers = count(1)
        self._lock = threading.Lock()
        self._waiting: set[Future[Answered]] = set()
        self._last_answer = clock.monotonic()
        self._use = begun or ClusterUse()
        self._closed = False

    @property
    def use(self) -> ClusterUse:
        """What was asked of it so far, and what became of it."""
        with self._lock:
            return self._use

    def connect(self, target: ModelTarget) -> Connection:
        """The way to a model through the workers."""
        return ClusterConnection(self, target)

    def ask(self, task: ModelTask, here: Callable[[], bytes]) -> bytes:
        """The answer to ``task``, by a worker or else ``here``. Raises what :meth:`Connection.post` does."""
        if self._use.lost:
            return self._from_here(here)
        self._add(asked=1)
        waits, sent = patience(task.seconds), self._clock.monotonic()
        future: Future[Answered] | None = None
        try:
            future = self._sent(task)
            answer = future.result(timeout=waits)
        except (TimeoutError, CancelledError, ClusterGone) as error:
            if isinstance(error, ClusterGone):
                self.lose(str(error))
            elif isinstance(error, TimeoutError) and self._last_answer <= sent:
                self.lose(f"it answered nothing for {waits:.0f} s")
            self._add(here=1, again=int(future is not None))
            return self._from_here(here)
        finally:
            if future is not None:
                with self._lock:
                    self._waiting.discard(future)
        self._last_answer = self._clock.monotonic()
        if isinstance(answer, NotMine):
            self._add(here=1, refused=answer.worker)
            return self._from_here(here)
        self._add(answered=1)
        if isinstance(answer, AnalysisFailed):
            raise answer
        return answer

    def _sent(self, task: ModelTask) -> Future[Answered]:
        if not self._is_up():
            raise ClusterGone("its scheduler is gone")
        future = self._send(task, f"{self._name}-{next(self._numbers)}")
        with self._lock:
            self._waiting.add(future)
        # A client that is closing takes tasks, and neither sends nor ends them.
        if not self._is_up() or self._use.lost:
            raise ClusterGone("its scheduler is gone")
        return future

    def _from_here(self, here: Callable[[], bytes]) -> bytes:
        while True:
            if self._closed:
                raise Stopping
            self._deadline.check()
            if self._room.acquire(timeout=LOOK_S):
                break
        try:
            return here()
        finally:
            self._room.release()

    def lose(self, why: str) -> None:
        """Ask nothing more of the cluster, and let go of everything that waits for it."""
        with self._lock:
            if not self._use.lost:
                self._use = self._use.model_copy(update={"lost": why})
        self._let_go()

    def repeated(self, tasks: int) -> None:
        """So many tasks were given to another worker after theirs had died."""
        self._add(again=tasks)

    def close(self) -> None:
        """Let go of whatever waits; nothing is asked any more."""
        self._closed = True
        self._let_go()

    def _let_go(self) -> None:
        with self._lock:
            waiting, self._waiting = self._waiting, set()
        for future in waiting:
            future.cancel()

    def _add(self, *, refused: str | None = None, **more: int) -> None:
        with self._lock:
            use: dict[str, Any] = {name: getattr(self._use, name) + number for name, number in more.items()}
            if refused is not None:
                use["refused_by"] = refused
            self._use = self._use.model_copy(update=use)

    def remarks(self) -> list[str]:
        """Sentences that a person should read."""
        use, said = self.use, []
        if use.lost:
            said.append(f"cluster lost, finished on this machine: {use.lost}")
        if use.refused_by:
            said.append(f"worker {use.refused_by} refused requests: its version or its models are not those of the run")
        if use.again:
            said.append(f"asked a second time because workers or their answers were lost: up to {use.again} requests")
        return said


def lost_cluster(why: str, clock: Clock, deadline: Deadline, *, room: int) -> Cluster:
    """A cluster that was never there: everything is asked from here."""

    def send(_task: ModelTask, _key: str) -> Future[Answered]:
        raise ClusterGone(why)

    cluster = Cluster("", send, lambda: False, clock, deadline, room=room, places=0)
    cluster.lose(why)
    return cluster


class ClusterConnection(Connection):
    """A model server, asked by workers. Thread-safe."""

    def __init__(self, cluster: Cluster, target: ModelTarget) -> None:
        super().__init__(target)
        self._cluster = cluster
        self._seal = seal(target)

    def post(
        self,
        what: What,
        arguments: Mapping[str, Any],
        *,
        seconds: float,
        limit: int = MAX_ANSWER_BYTES,
        structured: bool = False,
    ) -> bytes:
        """See :meth:`Connection.post`; longer answers than a worker sends are an error."""
        limit = min(limit, MOST_BYTES)
        here = partial(super().post, what, arguments, seconds=seconds, limit=limit, structured=structured)
        task = ModelTask(self._target.name, self._seal, what, arguments, seconds, limit, structured)
        return self._cluster.ask(task, here)

    def get_ready(self) -> None:
        """Nothing: workers are ready."""


# Where it is

Role = Literal["client", "scheduler", "worker"]


@dataclass(frozen=True)
class ClusterWanted:
    """The command line's words about a cluster. ``optional``: without it the run goes on in threads.

    ``keeps_workers``: the number of threads was given, and is not the cluster's affair.
    """

    address: str
    optional: bool = False
    keeps_workers: bool = False


def check_address(address: str, role: Role, *, insecure: bool) -> list[str]:
    """What :func:`exposed` says of it. Raises :class:`ConfigError` unless it is a scheduler's that may be used."""
    _need_distributed()
    try:
        parts = urlsplit(address)
        whole = parts.scheme in ("tcp", "tls") and parts.hostname and parts.port
    except ValueError:
        whole = False
    if not whole:
        raise ConfigError(f"{address} is no address of a scheduler: write tcp://127.0.0.1:8786 or tls://HOST:8786")
    if parts.scheme == "tcp" and not insecure:
        raise ConfigError(_refusal(address))
    if parts.scheme == "tls" and not has_certificates(role):
        name = "DASK_DISTRIBUTED__COMM__TLS__"
        raise ConfigError(f"tls:// needs certificates: set {name}CA_FILE and {name}{role.upper()}__CERT (and __KEY)")
    return exposed(address)


def check_host(host: str, *, insecure: bool) -> Literal["tcp", "tls"]:
    """The protocol for listening at ``host``: TLS where certificates are named.

    Raises :class:`ConfigError` without them, unless ``insecure``.
    """
    _need_distributed()
    if has_certificates("scheduler"):
        return "tls"
    if not insecure:
        raise ConfigError(_refusal(f"tcp://[{host}]" if ":" in host else f"tcp://{host}"))
    return "tcp"


def exposed(address: str) -> list[str]:
    """A sentence on what an address opens to others; none where TLS guards it."""
    if not address.startswith("tcp://"):
        return []
    who = "every user of this machine" if is_loopback(address) else f"everyone who reaches {urlsplit(address).hostname}"
    return [f"without TLS, {who} can run programs in this process and read all that it may read"]


def _need_distributed() -> None:
    if find_spec("distributed") is None:
        raise ConfigError(f"a cluster needs distributed, not installed here: {how_to_install('cluster')}")


def _refusal(address: str) -> str:
    (why,) = exposed(address)
    return f"{address}: {why}; use tls:// with certificates, or say --insecure"


def be_quiet() -> None:
    """Have dask write nothing to the terminal, and keep none of its last thousand messages: they hold requests."""
    import dask

    dask.config.set({"distributed.admin.low-level-log-length": 0})
    for name in ("distributed", "distributed.client", "tornado", "tornado.application"):
        logging.getLogger(name).setLevel(logging.CRITICAL + 1)


def has_certificates(role: Role) -> bool:
    """Whether dask's configuration names the authority's certificate and this role's own."""
    from distributed.security import Security

    files = Security().get_tls_config_for_role(role)
    return bool(files["ca_file"] and files["cert"])
