"""Real processes, of which some die, freeze or are cut off: the run ends by itself, and each ticket is done once."""

from __future__ import annotations

import socket
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from ..cli.conftest import Desk, is_chat, wait_for
from .nodes import Nodes

pytestmark = [pytest.mark.slow, pytest.mark.timeout(120)]
WALL_S = 60.0
unix = pytest.mark.skipif(sys.platform == "win32", reason="there are no such signals on Windows")


def run_and(desk: Desk, address: str, then: Callable[[], object], *, nth: int = 12, code: int = 0) -> dict[str, Any]:
    """A run's summary, during which something happens as the model is asked for the ``nth`` time."""
    asked = desk.when(is_chat, nth=nth)
    process = desk.start("run", "--since", "7d", "--json", "--insecure", "--cluster", address, fresh=True)
    wait_for(asked, process)
    began = time.monotonic()
    then()
    ended = desk.end(process, code=code, within=WALL_S)
    assert time.monotonic() - began < WALL_S
    summary: dict[str, Any] = ended.object
    return summary


def test_a_killed_worker_costs_no_ticket_and_is_counted(slow_desk: Desk, nodes: Nodes) -> None:
    nodes.add(3)
    summary = run_and(slow_desk, nodes.address, nodes.workers[0].process.kill)
    slow_desk.assert_done()
    assert summary["sources"] == {"model": 80}
    assert summary["cluster"]["lost"] == ""
    assert summary["cluster"]["again"] > 0


POISON = """
import os, signal
from ticket_processor.analysis.model_server.connection import Connection
whole = Connection.post
def post(self, what, arguments, **rest):
    if "Spaltbar" in str(arguments):
        os.kill(os.getpid(), signal.SIGKILL)
    return whole(self, what, arguments, **rest)
Connection.post = post
"""


@unix
def test_a_ticket_that_ends_its_workers_fails_by_name_and_its_neighbours_do_not(
    slow_desk: Desk, tmp_path: Path
) -> None:
    """Whoever asks a model about it dies: were that the run itself, nothing would come of it."""
    slow_desk.ticket(5)["description"] = "Spaltbar, please."
    (tmp_path / "poison").mkdir()
    (tmp_path / "poison" / "sitecustomize.py").write_text(POISON, encoding="utf-8")
    slow_desk.environ["PYTHONPATH"] = f"{tmp_path / 'poison'}:{Path(__file__).parents[2]}"
    with Nodes(slow_desk.folder, slow_desk.environ) as nodes:
        nodes.add(4)
        ended = slow_desk.end(
            slow_desk.start("run", "--since", "7d", "--json", "--insecure", "--cluster", nodes.address, fresh=True),
            code=1,
            within=WALL_S,
        )
        assert sum(worker.process.poll() is None for worker in nodes.workers) == 2
    assert ended.object["outcomes"] == {"updated": 79, "failed": 1}
    assert "ticket 5: failed" in ended.err
    slow_desk.assert_done([number for number in slow_desk.tickets if number != 5])


@unix
def test_a_worker_that_is_told_to_end_finishes_what_runs(slow_desk: Desk, nodes: Nodes) -> None:
    nodes.add(2)
    summary = run_and(slow_desk, nodes.address, nodes.workers[0].process.terminate)
    slow_desk.assert_done()
    assert (summary["cluster"]["lost"], summary["cluster"]["here"]) == ("", 0)
    assert nodes.workers[0].process.wait(20) == 0
    assert len(slow_desk.model_requests()) == 80


def test_a_cluster_that_is_not_there_ends_the_run_unless_it_is_optional(slow_desk: Desk) -> None:
    with socket.create_server(("127.0.0.1", 0)) as free:
        address = f"tcp://127.0.0.1:{free.getsockname()[1]}"
    words = ("run", "--since", "7d", "--insecure", "--cluster", address)
    ended = slow_desk(*words, code=3, fresh=True)
    why = f"ticketbot: the cluster at {address} cannot be reached: no scheduler answers there\n"
    assert ended.err.endswith(why)
    ended = slow_desk(*words, "--cluster-optional", "--json", fresh=True)
    slow_desk.assert_done()
    assert "cannot be reached" in ended.object["cluster"]["lost"]
