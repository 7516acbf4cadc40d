"""What a cluster loses, this process does: nothing waits without an end, and what may be paid twice is counted."""

from __future__ import annotations

import pickle
from collections.abc import Callable
from concurrent.futures import CancelledError, Future, ThreadPoolExecutor

import pytest

from ticket_processor.analysis.budget import NotAsked
from ticket_processor.analysis.model_server.connection import AnswerUnusable, FormRefused, ModelBusy
from ticket_processor.analysis.model_server.settings import ModelTarget
from ticket_processor.core.clock import Deadline, SystemClock
from ticket_processor.core.errors import AnalysisFailed, Stopping
from ticket_processor.core.models import Usage
from ticket_processor.core.text import RedactionLevel
from ticket_processor.wiring.cluster import (
    Answered,
    Cluster,
    ClusterGone,
    ModelTask,
    NotMine,
    Send,
    difference,
    facts,
    seal,
)

MODEL = ModelTarget(name="m", model="m", preset="openai", base_url="http://127.0.0.1:1/v1", api_key="k")
TASK = ModelTask("m", seal(MODEL), "chat", {}, 0.01, 1000, False)
LONG = TASK._replace(seconds=30.0)


def ended(answer: Answered | Exception) -> Future[Answered]:
    future: Future[Answered] = Future()
    if isinstance(answer, (AnalysisFailed, bytes, NotMine)):
        future.set_result(answer)
    else:
        future.set_exception(answer)
    return future


def cluster(send: Send, is_up: Callable[[], bool] = lambda: True, clock: SystemClock | None = None) -> Cluster:
    clock = clock or SystemClock()
    return Cluster("t", send, is_up, clock, Deadline(clock, 60), room=2, places=4)


def here() -> bytes:
    return b"here"


def test_a_failure_of_the_model_comes_back_as_itself() -> None:
    one = cluster(lambda _task, _key: ended(ModelBusy("model_rate_limited", 3.0)))
    with pytest.raises(ModelBusy, match="model_rate_limited") as raised:
        one.ask(TASK, here)
    assert raised.value.wait == 3.0
    assert one.use.again == 0


@pytest.mark.parametrize(
    "failed",
    [
        ModelBusy("model_http_503", 7.0, "later"),
        FormRefused("no schema"),
        AnswerUnusable("model_nonsense", "x", usage=Usage(input=3, output=2), cost_usd=0.5),
        NotAsked("budget_of_run_spent"),
        AnalysisFailed("model_unknown", "y"),
    ],
    ids=lambda failed: type(failed).__name__,
)
def test_failures_travel_whole(failed: AnalysisFailed) -> None:
    failed.about = ("temperature",)
    arrived = pickle.loads(pickle.dumps(failed))
    assert (type(arrived), str(arrived), vars(arrived)) == (type(failed), str(failed), vars(failed))


def test_what_a_lost_scheduler_had_is_done_here_and_nothing_more_is_sent() -> None:
    sent: list[str] = []

    def send(_task: ModelTask, key: str) -> Future[Answered]:
        sent.append(key)
        return ended(ClusterGone("its scheduler is gone"))

    one = cluster(send)
    assert [one.ask(TASK, here) for _ in range(3)] == [b"here"] * 3
    assert sent == ["t-1"]
    assert (one.use.again, one.use.lost) == (1, "its scheduler is gone")
    assert "cluster lost, finished on this machine" in one.remarks()[0]


def test_a_loss_lets_go_of_everything_that_waits() -> None:
    one = cluster(lambda _task, _key: Future())
    with ThreadPoolExecutor(4) as pool:
        waiting = [pool.submit(one.ask, LONG, here) for _ in range(4)]
        while one.use.asked < 4:
            pass
        one.lose("its scheduler is gone")
        assert [each.result(timeout=5) for each in waiting] == [b"here"] * 4
    assert one.use.here == 4


def test_a_request_whose_workers_died_is_made_from_here_and_the_cluster_is_asked_on() -> None:
    one = cluster(lambda _task, _key: ended(CancelledError()))
    assert one.ask(TASK, here) == b"here"
    assert (one.use.lost, one.use.again) == ("", 1)


def test_a_stop_ends_what_waits_without_asking_from_here() -> None:
    clock = SystemClock()
    one = cluster(lambda _task, _key: Future(), clock=clock)
    with ThreadPoolExecutor(1) as pool:
        waiting = pool.submit(one.ask, LONG, here)
        while not one.use.asked:
            pass
        clock.stop()
        one.close()
        with pytest.raises(Stopping):
            waiting.result(timeout=5)


def test_a_difference_is_named_in_words() -> None:
    mine = facts([MODEL])
    assert difference(mine, mine) is None
    assert difference(mine, {**mine, "ticketbot": "0.1"}) == f"ticketbot 0.1, this run {mine['ticketbot']}"
    assert difference(mine, {**mine, "settings of model m": "?"}) == "other settings of model m"
    assert difference(mine, facts([])) == "no settings of model m"


def test_key_and_address_of_a_server_are_no_difference_and_the_redaction_is() -> None:
    elsewhere = ModelTarget(name="m", model="m", preset="openai", base_url="http://127.0.0.1:2/v1", api_key="other")
    assert seal(elsewhere) == seal(MODEL)
    bolder = ModelTarget(
        name="m",
        model="m",
        preset="openai",
        base_url=MODEL.base_url,
        api_key="k",
        redaction=RedactionLevel.STRICT,
    )
    assert seal(bolder) != seal(MODEL)
    assert "k" not in facts([MODEL]).values()
