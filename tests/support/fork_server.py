"""Starts ``python -m ticket_processor`` without loading the package for each process.

A server, one for each process that runs tests, has loaded the package and forks a child for each command. A child is
a process of its own, with its own pid, pipes, signals, folder, environment and exit code. It is adopted by the
process that runs the tests, so that ``subprocess.Popen`` waits for it as for any other, whichever commands still run.

Where a process cannot adopt children (all but Linux), and for tests of the start itself, the command gets a fresh
interpreter.
"""

from __future__ import annotations

import atexit
import ctypes
import gc
import importlib
import json
import os
import pkgutil
import runpy
import signal
import socket
import subprocess
import sys
import threading
import time
import traceback
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from functools import cache
from pathlib import Path
from typing import Any, NoReturn

REPOSITORY = Path(__file__).parents[2]
PROGRAM = "ticket_processor"
LONGEST_REQUEST = 200_000
"""In bytes; Linux refuses to send much more at once."""
BECOME_SUBREAPER = 36
"""Linux' ``PR_SET_CHILD_SUBREAPER``."""
READ_AT_START = ("PYTHON", "LC_", "LANG")
"""An interpreter reads variables that begin so only when it starts."""
TEXTS = (
    "Refund?\n\nI am Ada (ada@example.com, +44 20 7946 0958). I was charged twice and want it back. It is urgent!",
    "Geld zurück?\n\nGuten Tag, ich bin Ada. Bitte erstatten Sie mir die doppelte Rechnung, es ist dringend!",
    "Bonjour, je ne peux pas me connecter à mon compte depuis hier, pouvez-vous m'aider ?",
    "Hola, no puedo entrar en mi cuenta desde ayer. ¿Me pueden ayudar, por favor?",
    "1234",
)
"""Each language, an unknown one too, has word lists of its own; what knows telephone numbers loads with the first."""
SLOW_TO_LOAD = ("dashboard", "web", "evaluation", "features", "__main__", "cluster_dask")
"""Modules that few commands need and that would make every fork slower."""
_PAGES = (f"{PROGRAM}.web.server", f"{PROGRAM}.web.portal.application", "uvicorn.lifespan.on", "argon2")
LOADED_FOR = {"train": ("skops.io", f"{PROGRAM}.evaluation.learners"), "portal": _PAGES, "serve": _PAGES}
"""Of these, what is loaded once a command needs it; a test that trains or serves mostly does so again."""


def start(arguments: Sequence[str], *, fresh: bool = False, **options: Any) -> subprocess.Popen[Any]:
    """Start ``python -m ticket_processor``; ``options`` are those of ``subprocess.Popen``."""
    server = None if fresh else _server()
    if server is None or not server.would_start_alike(options.get("env")):
        return subprocess.Popen([sys.executable, "-m", PROGRAM, *arguments], **options)
    return _Forked(server, arguments, **options)


def run(arguments: Sequence[str], **options: Any) -> subprocess.CompletedProcess[str]:
    """Run ``python -m ticket_processor`` to its end, with its output as text."""
    pipes = {"stdin": subprocess.DEVNULL, "stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "encoding": "utf-8"}
    with start(arguments, **{**pipes, **options}) as process:
        out, err = process.communicate()
    return subprocess.CompletedProcess(list(arguments), process.returncode, out, err)


def _read_at_start(environ: Mapping[str, str]) -> dict[str, str]:
    names = {name for name in environ if name.startswith(READ_AT_START)} - {"PYTHONPATH", "PYTHONDONTWRITEBYTECODE"}
    return {name: environ[name] for name in names}


@cache
def _server() -> _Server | None:
    if sys.platform != "linux" or ctypes.CDLL(None).prctl(BECOME_SUBREAPER, 1, 0, 0, 0):
        return None
    server = _Server()
    atexit.register(server.close)
    return server


class _Server:
    """The server's process, seen by those who ask it for children."""

    def __init__(self) -> None:
        self._connection, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        self._lock = threading.Lock()
        self._asked = 0
        self._started_with = _read_at_start(os.environ)
        with theirs:
            self.process = subprocess.Popen(
                [sys.executable, "-m", __name__, str(theirs.fileno())],
                cwd=REPOSITORY,
                env={**os.environ, "OPENBLAS_NUM_THREADS": "1"},  # no thread may run in a process that forks
                stdin=subprocess.DEVNULL,
                pass_fds=[theirs.fileno()],
            )

    def would_start_alike(self, environ: Mapping[str, str] | None) -> bool:
        """Whether an interpreter with this environment would start as the server did."""
        return _read_at_start(os.environ if environ is None else environ) == self._started_with

    def fork(self, arguments: Sequence[str], cwd: str, environ: Mapping[str, str], files: Sequence[int]) -> int:
        """The pid of a new child."""
        with self._lock:
            self._asked += 1
            request = json.dumps([self._asked, list(arguments), cwd, dict(environ)]).encode()
            socket.send_fds(self._connection, [request], files)
            while True:
                answers, pid = map(int, self._connection.recv(64).split())
                if answers == self._asked:
                    return pid
                os.kill(pid, signal.SIGKILL)  # a test's time ran out before this answer came
                os.waitpid(pid, 0)

    def close(self) -> None:
        self._connection.close()
        self.process.wait()


class _Forked(subprocess.Popen[Any]):
    """A command in a child of the server."""

    def __init__(self, server: _Server, arguments: Sequence[str], **options: Any) -> None:
        self._server = server
        super().__init__([sys.executable, "-m", PROGRAM, *arguments], **options)

    def _execute_child(self, args: Any, *rest: Any) -> None:
        cwd, env = rest[4:6]
        pipes = rest[9:15]
        files = [number if mine == -1 else mine for number, mine in enumerate(pipes[where] for where in (0, 3, 5))]
        environ = os.environ if env is None else env
        self.pid = self._server.fork(args[3:], os.fspath(cwd or Path.cwd()), environ, files)
        self._child_created = True
        self._close_pipe_fds(*pipes)


def _serve(connection: socket.socket) -> list[str]:
    """Fork children until nobody is left to ask for any. Returns in each child, with the command's arguments."""
    while True:
        message, files, _flags, _sender = socket.recv_fds(connection, LONGEST_REQUEST, 3)
        if not message:
            os._exit(0)
        asked, arguments, cwd, environ = json.loads(message)
        for command in LOADED_FOR.keys() & {*arguments}:
            _load_more(LOADED_FOR[command])
        reading, writing = os.pipe()
        between = os.fork()
        if not between:
            child = os.fork()
            if child:
                os.write(writing, str(child).encode())
                os._exit(0)  # now the child has no parent, and is adopted
            os.close(reading)
            os.close(writing)
            connection.close()
            _settle(cwd, environ, files)
            return list(arguments)
        os.close(writing)
        os.waitpid(between, 0)
        connection.send(f"{asked} {os.read(reading, 32).decode()}".encode())
        for file in (reading, *files):
            os.close(file)


def _settle(cwd: str, environ: Mapping[str, str], files: Sequence[int]) -> None:
    """Take over the folder, the environment and the three files of a command."""
    for number, file in enumerate(files):
        os.dup2(file, number)
    for file in {*files} - {0, 1, 2}:
        os.close(file)
    os.chdir(cwd)
    os.environ.clear()
    os.environ.update(environ)
    time.tzset()
    sys.path[0] = cwd
    signal.signal(signal.SIGINT, signal.default_int_handler)
    names = {"encoding": sys.stdout.encoding, "closefd": False}
    sys.stdin = sys.__stdin__ = open(0, errors=sys.stdin.errors, **names)  # noqa: SIM115
    sys.stdout = sys.__stdout__ = open(1, "w", errors=sys.stdout.errors, **names)  # noqa: SIM115
    sys.stderr = sys.__stderr__ = open(2, "w", buffering=1, errors="backslashreplace", **names)  # noqa: SIM115


def _end_as_python_does(work: Callable[[], object]) -> NoReturn:
    """Work, and end as an interpreter would, but without clearing up everything that was loaded, which is slow."""
    code = 0
    try:
        work()
    except SystemExit as end:
        if isinstance(end.code, int | None):
            code = end.code or 0
        else:
            code = 1
            print(end.code, file=sys.stderr)
    except BaseException as error:
        traceback.print_exception(error)
        code = -signal.SIGINT if isinstance(error, KeyboardInterrupt) else 1
    threading._shutdown()  # type: ignore[attr-defined]
    atexit._run_exitfuncs()
    try:
        sys.stdout.flush()
    except OSError:
        code = 120
    sys.stderr.flush()
    if code < 0:
        signal.signal(signal.SIGINT, signal.SIG_DFL)
        os.kill(os.getpid(), signal.SIGINT)
    os._exit(code & 0xFF)


def _load() -> None:
    """Make what each process would make for itself: modules, the command line, the patterns to read a text with."""
    import duckdb  # noqa: F401
    import h11  # noqa: F401
    import openai
    import typer.main
    from pydantic import BaseModel
    from typer.testing import CliRunner

    from ticket_processor.core.text import _LazyPattern

    from .lazy import share_word_lists

    for module in pkgutil.walk_packages(importlib.import_module(PROGRAM).__path__, f"{PROGRAM}."):
        if not {*module.name.split(".")} & {*SLOW_TO_LOAD}:
            importlib.import_module(module.name)
    with openai.OpenAI(api_key="none") as client:
        assert client.chat.completions  # loaded when it is asked for
    share_word_lists()
    app = importlib.import_module(f"{PROGRAM}.cli").app
    for text in TEXTS:
        CliRunner().invoke(app, ["analyse", "-", "--no-llm"], input=text)
    for found in gc.get_objects():
        if isinstance(found, type) and issubclass(found, BaseModel) and found.__module__.startswith(PROGRAM):
            found.model_rebuild(raise_errors=False)
        elif type(found) is _LazyPattern:
            for method in ("search", "match", "fullmatch", "findall", "finditer", "sub", "split"):
                getattr(found, method)
    typer.main.get_command = cache(typer.main.get_command)
    typer.main.get_command(app)
    gc.collect()
    gc.freeze()


@cache
def _load_more(modules: tuple[str, ...]) -> None:
    with suppress(ImportError):
        for module in modules:
            importlib.import_module(module)
        gc.freeze()


if __name__ == "__main__":
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for who runs the tests; this process ends with theirs
    _load()
    sys.argv[1:] = _serve(socket.socket(fileno=int(sys.argv[1])))
    _end_as_python_does(lambda: runpy.run_module(PROGRAM, run_name="__main__", alter_sys=True))
