"""A model asked through a real scheduler and a real worker, in threads of this process."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path

import cloudpickle
import pytest

from ticket_processor.analysis.model_server.connection import ModelBusy
from ticket_processor.analysis.model_server.settings import targets
from ticket_processor.core.clock import Deadline, SystemClock
from ticket_processor.core.errors import CannotRun
from ticket_processor.core.models import Ticket
from ticket_processor.settings.load import load
from ticket_processor.settings.schema import Settings
from ticket_processor.wiring import cluster as clusters
from ticket_processor.wiring.cluster import Cluster, ClusterWanted
from ticket_processor.wiring.parts import understanding

from ..servers.scripted import ScriptedServer, reply
from ..support.lazy import Lazy
from .nodes import scheduler_here, worker_here

cluster_dask = Lazy("ticket_processor.wiring.cluster_dask")
pytestmark = [
    pytest.mark.timeout(60),
    pytest.mark.filterwarnings("default::ResourceWarning", "default::pytest.PytestUnraisableExceptionWarning"),
]
ANSWER = {
    "category": "refund",
    "secondary": [],
    "urgency": "high",
    "sentiment": "negative",
    "urgent_tone": False,
    "risk": "low",
    "language": "en",
    "summary": "Wants the money back.",
    "entities": {},
    "evidence": ["my money back"],
    "confidence": 0.9,
}
BODY = {
    "model": "m",
    "choices": [{"message": {"content": json.dumps(ANSWER)}, "finish_reason": "stop"}],
    "usage": {"prompt_tokens": 50, "completion_tokens": 20},
}
CANARY = "4111 1111 1111 1111"
TICKET = Ticket(
    id=7,
    subject="Charged twice",
    description=f"I want my money back. My card is {CANARY}, my mail canary@example.com.",
    status="new",
    tags=(),
    priority=None,
    created_at="2026-11-20T00:00:00Z",
    updated_at="2026-11-20T00:00:00Z",
)


@pytest.fixture(scope="module")
def scheduler() -> Iterator[str]:
    with scheduler_here() as address:
        yield address


def settings(server: ScriptedServer, folder: Path, model: str = "m") -> Settings:
    environ = {"OPENAI_BASE_URL": server.url, "OPENAI_API_KEY": "secret-key", "TICKETBOT_MODELS": model}
    environ |= {"ZENDESK_OAUTH_TOKEN": "helpdesk-token", "TICKETBOT_ALERT_URLS": "json://alert-address"}
    return load(environ=environ, folder=folder, need_helpdesk=False)


@pytest.fixture
def stack() -> Iterator[ExitStack]:
    with ExitStack() as stack:
        yield stack


@pytest.fixture
def server(stack: ExitStack) -> ScriptedServer:
    server = ScriptedServer(reply(BODY))
    stack.callback(server.close)
    return server


def reached(stack: ExitStack, scheduler: str, known: Settings) -> Cluster:
    clock = SystemClock()
    return stack.enter_context(cluster_dask.connected(ClusterWanted(scheduler), known, clock, Deadline(clock, 50)))


def test_the_analysis_is_the_same_and_only_redacted_text_travels(
    stack: ExitStack, scheduler: str, server: ScriptedServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    known = settings(server, tmp_path)
    lines: list[str] = []
    stack.enter_context(worker_here(scheduler, targets(known.models), lines.append))
    cluster = reached(stack, scheduler, known)
    travelled: list[str] = []
    send = cluster._send

    def watched(task: clusters.ModelTask, key: str) -> object:
        travelled.append(cloudpickle.dumps((cluster_dask.answered, task, key)).decode("latin-1"))
        return send(task, key)

    monkeypatch.setattr(cluster, "_send", watched)
    clock = SystemClock()
    deadline = Deadline(clock, 50)
    there = stack.enter_context(understanding(known, clock, deadline, connect=cluster.connect))(TICKET)
    here = stack.enter_context(understanding(known, clock, deadline))(TICKET)
    assert there == here
    assert (there.source, there.category, cluster.use.asked, cluster.use.here) == ("model", "refund", 1, 0)
    assert cluster.places == 4
    (text,) = travelled
    assert "my money back" in text
    for hidden in (CANARY, "canary@example.com", "secret-key", "helpdesk-token", "alert-address"):
        assert hidden not in text
    assert len(text) < 64_000
    assert "canary" not in "".join(lines)


def test_a_failure_of_the_server_arrives_as_if_asked_from_here(
    stack: ExitStack, scheduler: str, server: ScriptedServer, tmp_path: Path
) -> None:
    server.replies = [reply({"error": {"message": "slow down"}}, 429, retry_after="9")]
    known = settings(server, tmp_path)
    (model,) = targets(known.models)
    stack.enter_context(worker_here(scheduler, [model], lambda _line: None))
    connection = reached(stack, scheduler, known).connect(model)
    with pytest.raises(ModelBusy, match="model_rate_limited") as raised:
        connection.post("chat", {"model": "m", "messages": []}, seconds=5)
    assert raised.value.wait == 9.0


def test_a_worker_refuses_requests_for_other_settings_in_one_line(
    stack: ExitStack, scheduler: str, server: ScriptedServer, tmp_path: Path
) -> None:
    known, lines = settings(server, tmp_path), list[str]()
    (model,) = targets(known.models)
    stack.enter_context(worker_here(scheduler, [model], lines.append))
    cluster = reached(stack, scheduler, known)
    changed = cluster.connect(replace(model, preset="vllm"))  # as if the worker had begun anew since the check
    assert json.loads(changed.post("chat", {"model": "m", "messages": []}, seconds=5)) == BODY
    assert cluster.use.here == 1
    assert [line for line in lines if "refused" in line] == [
        "refused a request: the run has another version or other settings of the model"
    ]


def test_without_a_worker_the_run_does_not_begin(
    stack: ExitStack, scheduler: str, server: ScriptedServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("ticket_processor.wiring.cluster_dask.WORKERS_S", 0.2)
    with pytest.raises(CannotRun, match="has no workers: start 'ticketbot worker --scheduler tcp://"):
        reached(stack, scheduler, settings(server, tmp_path))
