"""Stories whose models are asked by a cluster that loses, repeats and delays what it is given."""

from __future__ import annotations

import random
from collections.abc import Callable, Mapping
from concurrent.futures import CancelledError, Future
from dataclasses import dataclass, field
from typing import Any

from ticket_processor.core.clock import Deadline
from ticket_processor.core.errors import AnalysisFailed
from ticket_processor.llm import ModelAnalyser
from ticket_processor.wiring import cluster as clusters
from ticket_processor.wiring.cluster import Cluster, ClusterGone, ModelTask, NotMine

from . import invariants
from .guards import Guard, patch
from .world import World

TIMEOUT_S = 8.0
LONGEST_S = 2 * TIMEOUT_S + clusters.SLACK_S + TIMEOUT_S
"""How long one request may take, whatever is lost: patience, and then the call from here."""
FATES = ("well", "late", "unheard", "unsent", "died", "gone", "cancelled", "swallowed", "refused")
EVEN_ODDS = (65, 5, 4, 4, 5, 3, 6, 2, 3)


@dataclass
class Played:
    """What became of the requests of one run."""

    run: str
    paid: int = 0
    delivered: int = 0
    fates: list[str] = field(default_factory=list)
    sent_after_loss: int = 0
    strangers: int = 0
    longest_s: float = 0.0
    cluster: Cluster | None = None


class _Promise(Future[Any]):
    """A future whose end comes when somebody waits for it, in virtual time."""

    def __init__(self, comes: Callable[[float], Any]) -> None:
        super().__init__()
        self._comes = comes

    def result(self, timeout: float | None = None) -> Any:
        assert timeout is not None, "nothing is waited for without an end"
        if self.cancelled():
            raise CancelledError
        return self._comes(timeout)


class ClusterWorld(World):
    """One story with a cluster. What people and the helpdesk do is drawn as in every other story."""

    def __init__(self, seed: int, **options: object) -> None:
        self.terms = random.Random(f"cluster {seed}")
        self.played: list[Played] = []
        self._odds_of_fates = EVEN_ODDS if self.terms.random() < 0.8 else (20, *EVEN_ODDS[1:])
        super().__init__(seed, **options)  # type: ignore[arg-type]

    def _model(self, server: Any) -> ModelAnalyser:
        return super()._model(_ThroughCluster(self, server))


class _ThroughCluster:
    """A model server that is asked by workers."""

    def __init__(self, world: ClusterWorld, server: Any) -> None:
        self._world = world
        self._server = server
        self._up = True
        self._silent = False
        self._number = 0
        self.played = Played(server._run)
        world.played.append(self.played)
        self.cluster = Cluster(
            "sim",
            self._send,
            lambda: self._up,
            world.time,
            Deadline(world.time, 1e9),
            room=8,
            places=1,
        )
        self.played.cluster = self.cluster

    def complete(self, model: str, messages: Any, response_format: Any, allowance: object = None) -> Any:
        self._number += 1
        number, began = self._number, self._world.time.now()
        arguments = {"number": number, "asked": (model, messages, response_format)}
        task: Any = ModelTask(model, "", "chat", arguments, TIMEOUT_S, 1000, False)

        try:
            answer: Any = self.cluster.ask(task, lambda: self._answer(task))
        finally:
            self.played.longest_s = max(self.played.longest_s, self._world.time.now() - began)
        self.played.strangers += answer.number != number
        self.played.delivered += 1
        return answer.raw

    def _answer(self, task: ModelTask) -> Any:
        raw = self._server.complete(*task.arguments["asked"])
        self.played.paid += 1
        return _Answer(task.arguments["number"], raw)

    def _worker(self, task: ModelTask) -> Any:
        """What a worker sends back: failures are values."""
        try:
            return self._answer(task)
        except AnalysisFailed as failed:
            return failed

    def _send(self, task: ModelTask, _key: str) -> Future[Any]:
        world, terms = self._world, self._world.terms
        self.played.sent_after_loss += self._silent or bool(self.cluster.use.lost)
        fate = terms.choices(FATES, world._odds_of_fates)[0] if world.faulty else "well"
        self.played.fates.append(fate)
        if fate in ("gone", "swallowed"):  # the latter by a client that closes just now
            self._up = False

        def comes(timeout: float) -> Any:
            began = world.time.now()
            if fate == "late":
                world.time.wait(terms.uniform(0, timeout / 2))
            elif fate in ("unheard", "unsent", "swallowed"):
                if fate == "unheard":
                    self._worker(task)
                world.time.wait(max(0.0, began + timeout - world.time.now()))
                self._silent = True  # nothing has come back since it was sent
                raise TimeoutError
            elif fate == "died":  # and another worker has it from the scheduler
                self._worker(task)
                self.cluster.repeated(1)
            elif fate == "gone":
                raise ClusterGone("its scheduler is gone")
            elif fate == "cancelled":
                raise CancelledError
            elif fate == "refused":
                return NotMine("host-7")
            return self._worker(task)

        return _Promise(comes)


@dataclass(frozen=True)
class _Answer:
    """An answer, and the number of the request that it was made for."""

    number: int
    raw: Any


def violations(world: ClusterWorld) -> list[str]:
    """The promises of every story, and those about the cluster."""
    found = invariants.violations(world)
    for played in world.played:
        use = played.cluster.use if played.cluster else None
        twice = played.paid - played.delivered
        if use is not None and twice > use.again:
            found.append(f"{played.run}: {twice} answers were paid for in vain, and {use.again} told")
        if played.sent_after_loss:
            found.append(f"{played.run}: {played.sent_after_loss} requests were sent to a cluster that was lost")
        if played.strangers:
            found.append(f"{played.run}: a ticket got the answer to another one")
        if played.longest_s > LONGEST_S:
            found.append(f"{played.run}: a request was waited for {played.longest_s:.0f} s")
    for line in world.log:
        analysis = line.get("analysis") or {}
        if line["event"] == "ticket" and str(analysis.get("why_fallback")).startswith(("cluster", "analyser_broken")):
            found.append(f"ticket {line['ticket_id']}: the cluster was lost, and no model was asked from here")
        if line["event"] == "ticket" and line["reason"].startswith("unexpected"):
            found.append(f"ticket {line['ticket_id']}: {line['reason']}")
    return found


# Guards


def _dropped(_cluster: Cluster, _here: Callable[[], bytes]) -> bytes:
    raise AnalysisFailed("cluster_lost")


def _earlier_answer(cluster: Any, task: Any, whole: Any = Cluster._sent) -> Future[Any]:
    """Every third task gets the future of the one before, as with equal keys."""
    cluster.sent = getattr(cluster, "sent", 0) + 1
    if cluster.sent % 3 == 0 and cluster.before is not None:
        return cluster.before  # type: ignore[no-any-return]
    cluster.before = whole(cluster, task)
    return cluster.before  # type: ignore[no-any-return]


def _earlier_task(cluster: Any, task: Any, whole: Any = Cluster._sent) -> Future[Any]:
    """Every third task is sent as the one before it."""
    cluster.count = getattr(cluster, "count", 0) + 1
    sent = cluster.earlier if cluster.count % 3 == 0 else task
    cluster.earlier = task
    future: Future[Any] = whole(cluster, sent)
    return future


def _uncounted(cluster: Cluster, whole: Any = Cluster._add, **more: Any) -> None:
    whole(cluster, **{name: 0 if name == "again" else value for name, value in more.items()})


CLUSTER_MUTATIONS: Mapping[str, Guard] = {
    "what is lost is not asked from here": Guard(2, patch(Cluster, "_from_here", _dropped)),
    "asked on after the loss": Guard(21, patch(Cluster, "lose", return_value=None)),
    "waited for without an end": Guard(2, patch(clusters, "SLACK_S", 5000.0)),
    "a repeated result trusted twice": Guard(5, patch(Cluster, "_sent", _earlier_answer)),
    "the answer to another task": Guard(5, patch(Cluster, "_sent", _earlier_task)),
    "repeats not counted": Guard(2, patch(Cluster, "_add", _uncounted)),
}
