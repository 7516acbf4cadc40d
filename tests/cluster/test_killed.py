"""Real processes, of which some die, freeze or are cut off: the run ends by itself, and each ticket is done once."""

from __future__ import annotations

import socket
import sys
import time
from collections.abc import Callable
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
