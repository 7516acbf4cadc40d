"""Health checks of the model servers: one request each, for the models that they list."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from functools import partial
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import orjson

from ...analysis.model_server.connection import MAX_ANSWER_BYTES, Connection, bounded_body
from ...analysis.model_server.presets import ModelTarget
from ...core.errors import AnalysisFailed
from .checks import ASKING_S, NO_ANSWER, OFFLINE, Check, Probe, ok, skipped, warn

if TYPE_CHECKING:
    import httpx2
    from openai import OpenAI

NO_LIST = ("model_unknown", "model_http_405", "model_http_501")
"""Answers of servers that list no models; they are reachable all the same."""


def of_models(models: Sequence[ModelTarget], *, offline: bool) -> Iterator[Probe]:
    """The probes of the model servers, one request for each."""
    if not models:
        why = "no model is configured (TICKETBOT_MODELS): keyword rules answer"
        yield Probe(("models",), lambda: [skipped("models", why)])
    servers: dict[tuple[str, str | None], list[ModelTarget]] = {}
    for target in models:
        servers.setdefault((target.base_url, target.api_key), []).append(target)
    for server in servers.values():
        names = tuple(f"model {target.name}" for target in server)
        unasked = [skipped(name, OFFLINE) for name in names]
        look = partial(tuple, unasked) if offline else partial(ask_model_server, server)
        yield Probe(names, look, warn)


def ask_model_server(server: Sequence[ModelTarget]) -> Sequence[Check]:
    """Whether a server answers, and which of its models it knows. Without it others answer, or the rules: a warning."""
    target = server[0]
    host = urlsplit(target.base_url).netloc
    connection = Connection(target)
    try:
        listed = _models_in(connection.call(_list, seconds=min(ASKING_S, target.timeout_s)))
    except AnalysisFailed as error:
        if error.reason not in NO_LIST:
            known = NO_ANSWER.get(error.reason.removeprefix("model_"))
            reason = error.in_words if known is None else f"{known} ({error.detail})" if error.detail else known
            why = f"{host}: {reason}; its tickets go to the next model, or to the rules"
            return [warn(f"model {each.name}", why, problem=error.reason) for each in server]
        listed = None
    finally:
        connection.close()
    return [_listed(each, host, listed) for each in server]


def _listed(target: ModelTarget, host: str, listed: Collection[str] | None) -> Check:
    name = f"model {target.name}"
    if listed is None:
        return ok(name, f"{host} answers, and does not tell its models", listed=None)
    if target.model in listed:
        return ok(name, f"{host} answers, and has it", listed=True)
    if target.preset == "openai":
        return warn(
            name, f"{host} answers, and does not list {target.model}: is it retired, or misspelt?", listed=False
        )
    # Azure lists models, not deployments; others answer to more names than they list.
    return ok(name, f"{host} answers, and does not list it under this name, which need not mean anything", listed=False)


def _list(api: OpenAI, timeout: httpx2.Timeout) -> bytes:
    with api.models.with_streaming_response.list(timeout=timeout) as response:
        return bounded_body(response, MAX_ANSWER_BYTES)


def _models_in(body: bytes) -> set[str] | None:
    """The names of the models that a server lists; ``None`` for another answer."""
    try:
        return {str(row["id"]) for row in orjson.loads(body)["data"]}
    except (orjson.JSONDecodeError, KeyError, TypeError):
        return None
