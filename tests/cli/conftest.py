"""The real command in a folder of its own, against a sandbox that the test can look into.

The command runs as a process, as cron would start it; the sandbox it talks to is served from the test's own process.
"""

from __future__ import annotations

import contextlib
import gc
import json
import logging
import os
import subprocess
import sys
import threading
import time
import warnings
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Any, ClassVar
from unittest import mock

import pytest
from typer.testing import CliRunner

from ticket_processor.audit.files import SEGMENT
from ticket_processor.cli import app
from ticket_processor.core import verbose
from ticket_processor.core.http import require_tls
from ticket_processor.sandbox.app import SandboxServer, fill
from ticket_processor.sandbox.basics import OffsetClock
from ticket_processor.sandbox.messages import Request, Response
from ticket_processor.sandbox.store import StoredTicket

from ..imitation import Rules, Sandbox
from ..support import fork_server

REPOSITORY = Path(__file__).parents[2]
TOO_LONG_S = 100.0
"""A process that takes longer hangs."""

OURS = ("ZENDESK_", "FRESHDESK_", "OPENAI_", "TICKETBOT_")
QUICK_JOBS = Rules(job_seconds=(0.05, 0.0))


@dataclass(frozen=True)
class Ended:
    """A process that has ended."""

    code: int
    out: str
    err: str

    @property
    def object(self) -> Any:
        """The one JSON object that was printed; fails when there is anything besides."""
        return json.loads(self.out)


@dataclass
class Command:
    """``ticketbot`` in ``folder``, with nothing in the environment but what the test puts there."""

    folder: Path
    environ: dict[str, str] = field(default_factory=dict)
    _started: list[subprocess.Popen[str]] = field(default_factory=list)
    in_this_process: ClassVar[bool] = False

    @property
    def state(self) -> Path:
        return self.folder / "state"

    @property
    def logs(self) -> Path:
        return self.folder / "logs"

    def __call__(
        self, *arguments: str, code: int | None = 0, fresh: bool = False, said: str | None = None, **environ: str
    ) -> Ended:
        """Run to the end and expect the exit code ``code`` (``None``: any); standard input has ``said``."""
        if self.in_this_process and not fresh:
            return self.here(*arguments, code=code, said=said, **environ)
        if said is None:
            return self.end(self.start(*arguments, fresh=fresh, **environ), code=code)
        (self.folder / "said.txt").write_text(said, encoding="utf-8")
        with (self.folder / "said.txt").open() as stdin:
            return self.end(self.start(*arguments, fresh=fresh, stdin=stdin, **environ), code=code)

    def here(self, *arguments: str, code: int | None = 0, said: str | None = None, **environ: str) -> Ended:
        """The same in this process, for what needs none of its own: no signals, no terminal, nothing at once."""
        ours = {name: None for name in os.environ if name.upper().startswith(OURS)}
        places = {"TICKETBOT_STATE_DIR": str(self.state), "TICKETBOT_LOG_DIR": str(self.logs)}
        given = {**ours, **places, **self.environ, **environ}
        require_tls("1.2")
        messages = logging.getLogger("ticketbot")
        with (
            contextlib.chdir(self.folder),
            mock.patch.object(os, "_exit", sys.exit),  # a check may still be at work, and 'health' would end the tests
            mock.patch.object(verbose, "_insisted", False),
            mock.patch.object(messages, "handlers", []),
        ):
            done = CliRunner().invoke(app, arguments, input=said, env=given, prog_name="ticketbot")
        messages.setLevel(verbose.LEVELS["off"])
        if done.exception is not None and not isinstance(done.exception, SystemExit):
            raise done.exception
        ended = Ended(done.exit_code, done.stdout, done.stderr)
        assert code is None or ended.code == code, f"exit code {ended.code}\n--- out\n{ended.out}\n--- err\n{ended.err}"
        return ended

    def start(
        self, *arguments: str, fresh: bool = False, stdin: int | IO[str] = subprocess.DEVNULL, **environ: str
    ) -> subprocess.Popen[str]:
        """Start ``ticketbot``; with ``fresh`` in an interpreter that has loaded nothing yet."""
        process = fork_server.start(arguments, fresh=fresh, **self._surroundings(environ) | {"stdin": stdin})
        self._started.append(process)
        return process

    def python(self, *arguments: str, **environ: str) -> subprocess.Popen[str]:
        """Start Python itself."""
        process = subprocess.Popen([sys.executable, *arguments], **self._surroundings(environ))
        self._started.append(process)
        return process

    def loaded(self, *arguments: str, **environ: str) -> tuple[Ended, set[str]]:
        """How the command ends in a fresh interpreter, and the modules that are loaded by then."""
        script = (
            "import sys, json\n"
            "from ticket_processor.cli import main\n"
            f"sys.argv = ['ticketbot', *{arguments!r}]\n"
            "try:\n"
            "    main()\n"
            "finally:\n"
            "    print('\\n' + json.dumps([*sys.modules]), file=sys.stderr)\n"
        )
        ended = self.end(self.python("-c", script, **environ), code=None)
        return ended, set(json.loads(ended.err.splitlines()[-1]))

    def end(self, process: subprocess.Popen[str], *, code: int | None = 0, within: float = TOO_LONG_S) -> Ended:
        out, err = process.communicate(timeout=within)
        ended = Ended(process.returncode, out, err)
        assert code is None or ended.code == code, f"exit code {ended.code}\n--- out\n{out}\n--- err\n{err}"
        assert "Traceback" not in err, err
        return ended

    def configure(self, toml: str) -> None:
        """Make this the settings file of the folder."""
        (self.folder / "ticketbot.toml").write_text(toml, encoding="utf-8")

    def close(self) -> None:
        for process in self._started:
            if process.poll() is None:
                process.kill()
            with process:
                pass

    def events(self, event: str | None = None) -> list[dict[str, Any]]:
        """The log's lines, all of them or of one kind; a line that is no JSON fails the test."""
        lines = [
            json.loads(line)
            for path in sorted(self.logs.glob("*.jsonl"))
            for line in path.read_text(encoding="utf-8").splitlines()
        ]
        lines = [line for line in lines if line["event"] != SEGMENT]
        return [line for line in lines if event in (None, line["event"])]

    def _surroundings(self, environ: Mapping[str, str]) -> dict[str, Any]:
        return {
            "cwd": self.folder,
            "env": self._environment(environ),
            "stdin": subprocess.DEVNULL,
            "stdout": subprocess.PIPE,
            "stderr": subprocess.PIPE,
            "encoding": "utf-8",
        }

    def _environment(self, extra: Mapping[str, str]) -> dict[str, str]:
        kept = {name: value for name, value in os.environ.items() if not name.upper().startswith(OURS)}
        kept.pop("PYTHONDONTWRITEBYTECODE", None)  # a hundred processes would compile the package each
        return {
            **kept,
            "PYTHONPATH": str(REPOSITORY),
            "TICKETBOT_STATE_DIR": str(self.state),
            "TICKETBOT_LOG_DIR": str(self.logs),
            **self.environ,
            **extra,
        }


class Desk(Command):
    """The command, and the sandbox it is pointed at."""

    def __init__(self, folder: Path, sandbox: Sandbox, url: str, *, model: bool) -> None:
        known = sandbox.credentials
        super().__init__(
            folder,
            {
                "ZENDESK_URL": url,
                "ZENDESK_OAUTH_CLIENT_ID": known.oauth_client_id,
                "ZENDESK_OAUTH_CLIENT_SECRET": known.oauth_client_secret,
            },
        )
        if model:
            self.environ |= {
                "OPENAI_BASE_URL": f"{url}/v1",
                "OPENAI_API_KEY": known.openai_key,
                "TICKETBOT_MODELS": "sandbox-model",
            }
        self.sandbox = sandbox
        self.url = url
        self.seen: list[Request] = []
        sandbox.on_request.append(self.seen.append)

    @property
    def tickets(self) -> dict[int, StoredTicket]:
        return self.sandbox.store.tickets

    def ticket(self, number: int) -> dict[str, Any]:
        return self.tickets[number].json

    def notes(self, number: int) -> list[dict[str, Any]]:
        return self.sandbox.store.bot_comments(number)

    def advance(self, seconds: float) -> None:
        clock = self.sandbox.clock
        assert isinstance(clock, OffsetClock)
        clock.advance(seconds)
        self.sandbox.store.settle()  # jobs go on without being asked

    def helpdesk_requests(self) -> list[str]:
        """``METHOD /path`` of what the helpdesk was asked, the model left out; starts anew after each call."""
        seen = [f"{request.method} {request.path}" for request in self.seen if not request.path.startswith("/v1/")]
        self.seen.clear()
        return seen

    def model_requests(self) -> list[Request]:
        return [request for request in self.seen if request.path.startswith("/v1/")]

    def marked(self) -> list[int]:
        return [number for number in self.tickets if "ai_processed" in self.ticket(number)["tags"]]

    def assert_done(self, numbers: Sequence[int] | None = None) -> None:
        """Each ticket (or each of ``numbers``) carries the marker and exactly one note of ours."""
        for number in self.tickets if numbers is None else numbers:
            assert "ai_processed" in self.ticket(number)["tags"], number
            assert len(self.notes(number)) == 1, number

    def when(self, happens: Callable[[Request], bool], *, nth: int = 1) -> threading.Event:
        """An event that is set as the ``nth`` such request arrives."""
        event, lock, counted = threading.Event(), threading.Lock(), [0]

        def look(request: Request) -> None:
            if happens(request):
                with lock:
                    counted[0] += 1
                    if counted[0] == nth:
                        event.set()

        self.sandbox.on_request.append(look)
        return event


def is_chat(request: Request) -> bool:
    return request.path == "/v1/chat/completions"


def is_update(request: Request) -> bool:
    return request.method == "PUT"


def rows(count: int) -> list[dict[str, Any]]:
    """Plain tickets, some in need of more hurry than others."""
    kinds = (
        ("Charged twice", "Hello, I was charged twice for my subscription this month. Please check my invoice."),
        ("Error on login", "The app shows an error and crashes whenever I try to log in. This is urgent, please help!"),
        ("Where is my order?", "My parcel has not arrived, the tracking page says nothing. Thank you."),
        ("Geld zurück", "Guten Tag, ich möchte mein Geld zurück, das Gerät ist defekt angekommen."),
    )
    return [
        {"subject": f"{kinds[n % 4][0]} ({n})", "body": kinds[n % 4][1], "age": 7200.0 - 60 * n} for n in range(count)
    ]


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """A command that ends early leaves its connections to the end of its process, which is the tests' own here."""
    for item in items:
        if Path(__file__).parent in item.path.parents:
            item.add_marker(pytest.mark.filterwarnings("ignore::ResourceWarning"))


@pytest.fixture(autouse=True)
def _commands_need_no_process(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Tests in this folder call a command in their own process; ``start`` and ``fresh`` make one for it."""
    monkeypatch.setattr(Command, "in_this_process", True)
    yield
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ResourceWarning)
        gc.collect()
        gc.freeze()  # what is left is not looked through again after each test


@pytest.fixture
def bare(tmp_path: Path) -> Iterator[Command]:
    """The command without any settings."""
    command = Command(tmp_path)
    yield command
    command.close()


OpenDesk = Callable[..., Desk]


@pytest.fixture
def open_desk(tmp_path: Path) -> Iterator[OpenDesk]:
    """Make a :class:`Desk`: so many tickets, or these rows; other options are the sandbox's.

    Without ``model`` keyword rules answer, which is quicker by the second that the SDK takes to load.
    """
    with ExitStack() as stack:

        def make(
            tickets: int | Sequence[Mapping[str, Any]] = 6,
            *,
            kind: type[Sandbox] = Sandbox,
            model: bool = False,
            **options: Any,
        ) -> Desk:
            options = {"plan": "unlimited", "rules": QUICK_JOBS, **options}
            sandbox = kind(OffsetClock(), **options)
            given = rows(tickets) if isinstance(tickets, int) else tickets
            if given:
                fill(sandbox, given)
            server = stack.enter_context(SandboxServer(sandbox))
            desk = Desk(tmp_path, sandbox, server.url, model=model)
            stack.callback(desk.close)
            return desk

        yield make


@pytest.fixture
def desk(open_desk: OpenDesk) -> Desk:
    """Six tickets, two hours old and younger, keyword rules, nothing wrong."""
    return open_desk()


@pytest.fixture
def smart(open_desk: OpenDesk) -> Desk:
    """The same with a model."""
    return open_desk(model=True)


class Unmarked(Sandbox):
    """A sandbox whose answers do not say that it is one."""

    def handle(self, request: Request) -> Response:
        response = super().handle(request)
        response.headers.pop("X-Ticketbot-Sandbox", None)
        return response


def wait_for(happened: threading.Event, process: subprocess.Popen[str]) -> None:
    """Wait for an event while a process runs; a process that ends first has failed."""
    until = time.monotonic() + TOO_LONG_S
    while not happened.wait(0.05):
        if process.poll() is not None:
            out, err = process.communicate()
            pytest.fail(f"ended with {process.returncode} too early\n{out}\n{err}")
        assert time.monotonic() < until
