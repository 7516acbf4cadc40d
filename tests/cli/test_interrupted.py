"""Runs that do not get to their end: signals, and a process that is gone in the middle of a write."""

from __future__ import annotations

import signal
import subprocess
import sys
import time

import pytest

from ..imitation.latency import LatencyProfile
from .conftest import OpenDesk, is_chat, is_update, wait_for
from .terminal import terminal

SLOW = LatencyProfile(30.0, 30.0)


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no such terminals")
@pytest.mark.parametrize("times", [1, 2])
def test_ctrl_c_leaves_a_terminal_as_it_was_and_says_first_why_the_run_ended(open_desk: OpenDesk, times: int) -> None:
    desk = open_desk(12, llm_latency=SLOW, model=True)
    asked = desk.when(is_chat)
    with terminal(desk, "run", "--since", "1d", fresh=True, TERM="xterm", COLUMNS="80") as (process, shown):
        wait_for(asked, process)
        for _ in range(times):
            process.send_signal(signal.SIGINT)
            time.sleep(0.3)  # the first has to be taken before the second comes
        assert process.wait(20) == 130
    assert b"\x1b[?25l" not in shown, "a cursor that is hidden may stay so"
    assert shown.endswith(b"\n")
    if times == 1:
        assert 0 < shown.index(b"ended early: stopped by Ctrl-C") < shown.index(b"Run 2")


OWN_TIME = """
import os, signal, time
from ticket_processor.commands import command_group
command_group.STOP_WITHIN_S = 0.1
with command_group.signals() as clock:
    clock.grace_s = {grace_s}
    os.kill(os.getpid(), signal.SIGTERM)
    time.sleep(1)
"""


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no SIGTERM")
@pytest.mark.parametrize(("grace_s", "code"), [(0, 143), (60, 0)], ids=["usual", "more"])
def test_a_command_that_may_take_longer_to_end_is_not_cut_off(grace_s: int, code: int) -> None:
    assert subprocess.run([sys.executable, "-c", OWN_TIME.format(grace_s=grace_s)], check=False).returncode == code


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no SIGINT for a single process")
def test_asking_twice_ends_at_once(open_desk: OpenDesk) -> None:
    desk = open_desk(faults="slow:PUT:seconds=15")
    first = desk.when(is_update)
    process = desk.start("run", "--since", "1d", fresh=True)
    wait_for(first, process)
    process.send_signal(signal.SIGINT)
    with pytest.raises(subprocess.TimeoutExpired):
        process.wait(timeout=1)  # the write that is under way may finish
    process.send_signal(signal.SIGINT)
    desk.end(process, code=130, within=10)

    desk.sandbox.faults.rules.clear()
    desk("run")
    desk.assert_done()
