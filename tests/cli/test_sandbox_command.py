"""``ticketbot sandbox``: a local imitation to point anything at."""

from __future__ import annotations

import re
import signal
import socket
import subprocess
import sys

import pytest
import requests

from .conftest import Command


def environment(process: subprocess.Popen[str]) -> dict[str, str]:
    """The variables that the command prints, as soon as the last one is there."""
    assert process.stdout is not None
    found: dict[str, str] = {}
    for line in process.stdout:
        match = re.fullmatch(r"\s*([A-Z_]+)=(\S+)\s*", line)
        if match:
            found[match[1]] = match[2]
        if "TICKETBOT_MODELS" in found:
            return found
    pytest.fail(f"it ended with {process.wait()}, having printed {found}")


@pytest.mark.skipif(sys.platform == "win32", reason="Windows cannot send a signal to one process only")
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_it_serves_until_a_signal_comes_and_a_run_works_with_what_it_prints(
    bare: Command, number: signal.Signals
) -> None:
    process = bare.start("sandbox", "--port", "0", "--tickets", "70")
    bare.environ |= environment(process)
    with requests.Session() as session:
        session.trust_env = False
        page = session.get(bare.environ["ZENDESK_URL"] + "/", timeout=30)
        assert page.status_code == 200
        assert page.headers["Content-Type"].startswith("application/json")
        stats = session.get(bare.environ["ZENDESK_URL"] + "/sandbox/stats", timeout=30).json()
    assert (stats["tickets"], stats["plan"]) == (70, "enterprise")
    if number == signal.SIGTERM:
        told = bare("run", "--since", "1d", "--limit", "5", "--json").object
        assert told["outcomes"]["updated"] == 5
        assert told["answered_by"] == {"sandbox-model": 5}

    process.send_signal(number)
    ended = bare.end(process, code=0, within=20)
    assert "gone" in ended.out
    assert ended.err == ""


def test_a_port_that_is_taken_is_2(bare: Command) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        assert f"--port {port}" in bare("sandbox", "--port", port, code=2).err
