"""A command from the fork server and one in a fresh interpreter cannot be told apart."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from . import fork_server

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="only Linux lets a process adopt children")

ENDINGS = (
    "pass",
    "sys.exit()",
    "sys.exit(75)",
    "sys.exit(300)",
    "sys.exit('a sentence')",
    "raise ValueError('a bug')",
    "raise KeyboardInterrupt",
    "threading.Thread(target=lambda: (time.sleep(0.1), print('later'))).start()",
    "atexit.register(print, 'at the end'); print('before')",
    "sys.stdout = open('/dev/full', 'w'); print('lost')",
    "os.kill(os.getpid(), 15)",
)
AS_PYTHON = "import atexit, os, sys, threading, time\n{}"
AS_A_CHILD = AS_PYTHON.format(
    "from tests.support import fork_server\nfork_server._end_as_python_does(lambda: exec({!r}))"
)


def ended(code: str) -> tuple[int, str, str]:
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=fork_server.REPOSITORY, capture_output=True, text=True, timeout=60
    )
    return done.returncode, done.stdout, "".join(done.stderr.splitlines()[-1:])


@pytest.mark.slow
@pytest.mark.parametrize("ending", ENDINGS)
def test_a_child_ends_as_an_interpreter_does(ending: str) -> None:
    code, out, told = ended(AS_PYTHON.format(ending))
    as_a_child = ended(AS_A_CHILD.format(AS_PYTHON.format(ending)))
    assert as_a_child[:2] == (code, out)
    assert as_a_child[2] == told or code == 120  # Python says a word more of what it could not flush


@pytest.mark.slow
@pytest.mark.parametrize(
    ("arguments", "environ"),
    [
        (["--version"], {}),
        (["no-such-command"], {}),
        (["run", "--help"], {"COLUMNS": "70"}),
        (["run", "--since", "1d", "--json"], {}),
        (["doctor", "--offline"], {"TICKETBOT_CONFIG": "mine.toml"}),
        (["analyse", "-", "--json"], {"TZ": "Asia/Tokyo"}),
    ],
    ids=lambda value: " ".join(value),
)
def test_it_says_the_same(tmp_path: Path, arguments: list[str], environ: dict[str, str]) -> None:
    (tmp_path / "mine.toml").write_text('[taxonomy.categories.pets]\ntag = "topic_pets"\n', encoding="utf-8")
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("ZENDESK", "OPENAI", "TICKET"))}
    options: dict[str, Any] = {"cwd": tmp_path, "env": {**kept, **environ, "PYTHONPATH": str(fork_server.REPOSITORY)}}
    forked, fresh = (fork_server.run(arguments, fresh=fresh, **options) for fresh in (False, True))
    assert (forked.returncode, forked.stdout, forked.stderr) == (fresh.returncode, fresh.stdout, fresh.stderr)


def sandbox(**options: Any) -> subprocess.Popen[str]:
    process = fork_server.start(["sandbox", "--port", "0"], stdout=subprocess.PIPE, encoding="utf-8", **options)
    assert process.stdout is not None
    assert "sandbox" in process.stdout.readline()
    return process


def test_it_is_a_process_of_its_own_that_signals_end() -> None:
    with sandbox() as one, sandbox() as other:
        assert len({one.pid, other.pid, os.getpid()}) == 3
        assert one.poll() is None
        with pytest.raises(subprocess.TimeoutExpired):
            one.wait(0.05)
        one.kill()
        assert one.wait(60) == -signal.SIGKILL
        assert other.poll() is None
        other.terminate()
        assert other.wait(60) == 0
    with sandbox() as interrupted:
        interrupted.send_signal(signal.SIGINT)
        assert interrupted.wait(60) == 0


def test_an_answer_that_was_not_waited_for_is_not_taken_for_the_next(monkeypatch: pytest.MonkeyPatch) -> None:
    class TimedOut(Exception):
        """What pytest-timeout raises wherever a test is."""

    send = socket.send_fds

    def send_and_time_out(*given: Any) -> None:
        send(*given)
        raise TimedOut

    with monkeypatch.context() as patched:
        patched.setattr(socket, "send_fds", send_and_time_out)
        with pytest.raises(TimedOut):
            fork_server.run(["no-such-command"])
    done = fork_server.run(["--version"])
    assert (done.returncode, done.stdout[:9]) == (0, "ticketbot")


def test_a_command_tells_its_exit_code_while_another_one_still_runs() -> None:
    arguments = ("sandbox", "--port", "0")
    with fork_server.start(arguments, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as waiting:
        try:
            assert fork_server.run(["no-such-command"]).returncode == 2
            assert waiting.poll() is None
        finally:
            waiting.terminate()
