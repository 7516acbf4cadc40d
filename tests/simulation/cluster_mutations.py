"""Guards around a cluster taken away one at a time: the simulation must notice each."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from concurrent.futures import Future
from typing import Any
from unittest import mock

from ticket_processor.core.errors import AnalysisFailed
from ticket_processor.wiring import cluster as clusters
from ticket_processor.wiring.cluster import Cluster


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


CLUSTER_MUTATIONS: Mapping[str, Callable[[], Any]] = {
    "what is lost is not asked from here": lambda: mock.patch.object(Cluster, "_from_here", _dropped),
    "asked on after the loss": lambda: mock.patch.object(Cluster, "lose", return_value=None),
    "waited for without an end": lambda: mock.patch.object(clusters, "SLACK_S", 5000.0),
    "a repeated result trusted twice": lambda: mock.patch.object(Cluster, "_sent", _earlier_answer),
    "the answer to another task": lambda: mock.patch.object(Cluster, "_sent", _earlier_task),
    "repeats not counted": lambda: mock.patch.object(Cluster, "_add", _uncounted),
}
"""Each gives a context manager in which one guard is gone."""
