"""What a worker of a cluster does for a run: one request to a model server, with its own settings and key.

A request holds what the model is sent, redacted, and nothing else. What the worker cannot do comes back as a value:
dask logs the arguments of calls that raise.
"""

from __future__ import annotations

import hashlib
import json
import sys
from collections.abc import Callable, Mapping, Sequence
from importlib.metadata import version
from typing import Any, NamedTuple

from .. import __version__
from ..analysis.model_server.connection import Connection, ModelConnection, What
from ..analysis.model_server.presets import ModelTarget
from ..core.errors import AnalysisFailed, unexpected

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

    def asked_of(self, connection: ModelConnection) -> bytes:
        """The answer's body. Raises what :meth:`Connection.post` does."""
        return connection.post(
            self.what, self.arguments, seconds=self.seconds, limit=self.limit, structured=self.structured
        )


class NotMine(NamedTuple):
    """The worker's refusal: its version or its settings of the model are not those of the run."""

    worker: str


def facts(models: Sequence[ModelTarget]) -> dict[str, str]:
    """What must be equal on both sides: versions, and a digest of each model's settings without key and address."""
    return {**versions(), **{f"settings of model {target.name}": _digest(target) for target in models}}


def seal(target: ModelTarget) -> str:
    """The same about one model, short."""
    return hashlib.sha256(json.dumps([versions(), _digest(target)]).encode("utf-8")).hexdigest()[:16]


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


def _digest(target: ModelTarget) -> str:
    """Each machine may have a server of its own; but a text that was redacted for one model is for no other."""
    same = (target.model, target.preset, target.api_version, target.redaction)
    return hashlib.sha256(json.dumps(same).encode("utf-8")).hexdigest()[:16]


class _Serving:
    """The connections of this process, by the model's name, each with its seal."""

    connections: Mapping[str, tuple[str, ModelConnection]] = {}
    name = ""
    say: Callable[[str], object] = staticmethod(lambda _line: None)


def serve(models: Sequence[ModelTarget], name: str, say: Callable[[str], object]) -> None:
    """Answer tasks in this process from now on, as the worker ``name``; ``say`` hears of refusals."""
    _Serving.connections = {target.name: (seal(target), Connection(target)) for target in models}
    _Serving.name, _Serving.say = name, staticmethod(say)
    for _, connection in _Serving.connections.values():
        connection.get_ready()


def answered(task: ModelTask) -> bytes | AnalysisFailed | NotMine:
    """The answer to a task, or why there is none. Runs on the worker."""
    mine, connection = _Serving.connections.get(task.target, ("", None))
    if connection is None or mine != task.seal:
        _Serving.say("refused a request: the run has another version or other settings of the model")
        return NotMine(_Serving.name)
    try:
        return task.asked_of(connection)
    except AnalysisFailed as failed:
        failed.__cause__ = failed.__context__ = None
        return failed
    except Exception as error:  # noqa: BLE001 - a bug here must not cost the run its cluster
        return AnalysisFailed("analyser_broken", unexpected(error))
