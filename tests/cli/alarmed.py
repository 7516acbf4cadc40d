"""A desk that is triaged every ten minutes of virtual time; a webhook and a dead man's switch that are told of it."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable
from contextlib import closing, suppress
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from unittest import mock
from urllib.parse import urlsplit

from ticket_processor.commands.run import run
from ticket_processor.core.clock import SystemClock, iso
from ticket_processor.core.errors import TicketbotError
from ticket_processor.core.run_summary import RunRecord, RunSummary
from ticket_processor.monitoring.memory import AlertStore
from ticket_processor.monitoring.run_watch import tended
from ticket_processor.sandbox.app import SandboxServer, fill
from ticket_processor.settings.load import load
from ticket_processor.settings.schema import Settings
from ticket_processor.state.store import FILE_NAME, State
from ticket_processor.wiring import runs

from ..imitation import FaultRule, Rules, Sandbox
from ..support.fakes import ManualClock
from .conftest import rows

TEN_MINUTES = 600.0


@dataclass
class Receiver:
    """Serves while it is open. ``fails`` answers 500, ``hangs`` does not answer at all until it is closed."""

    messages: list[dict[str, Any]] = field(default_factory=list)
    pings: list[tuple[str, str]] = field(default_factory=list)
    fails: bool = False
    hangs: bool = False

    def __post_init__(self) -> None:
        receiver, self._closed = self, threading.Event()

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers.get("Content-Length") or 0)).decode("utf-8")
                if receiver.hangs:
                    receiver._closed.wait(60)
                    return
                path = urlsplit(self.path).path
                if path.startswith("/beat/"):
                    receiver.pings.append((path.removeprefix("/beat/"), body))
                elif not receiver.fails:
                    receiver.messages.append({**json.loads(body), "path": path})
                self.send_response(500 if receiver.fails else 200)
                self.send_header("Content-Length", "0")
                self.end_headers()

            def log_message(self, *_: object) -> None:
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self.address = f"127.0.0.1:{self._server.server_port}"
        self._thread = threading.Thread(target=self._server.serve_forever, args=[0.02], daemon=True)
        self._thread.start()

    @property
    def hook(self) -> str:
        """The webhook's Apprise URL."""
        return f"json://{self.address}/hook"

    @property
    def beat(self) -> str:
        """The dead man's switch's URL."""
        return f"http://{self.address}/beat"

    @property
    def said(self) -> list[tuple[str, str]]:
        """(what, rule) of the alerts, in order."""
        return [(one["what"], one["key"].rpartition("/")[2]) for one in self.messages if one["what"] != "summary"]

    def close(self) -> None:
        """Stop serving."""
        self._closed.set()
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()


class VirtualClock(SystemClock):
    """The sandbox's time is everybody's, and waiting takes none."""

    def __init__(self, sandbox: ManualClock) -> None:
        super().__init__()
        self._sandbox = sandbox

    def now(self) -> float:
        return self._sandbox.now()

    def monotonic(self) -> float:
        return self._sandbox.now()

    def wait(self, seconds: float) -> None:
        self.check()
        self._sandbox.advance(max(0.0, seconds))


class Desk:
    """A desk that is triaged every ten minutes, and whoever is told of it."""

    def __init__(self, folder: Path, receiver: Receiver, *, rules: Rules | None = None, **environ: str) -> None:
        self.time = ManualClock()
        self.clock = VirtualClock(self.time)
        self.sandbox = Sandbox(self.time, plan="unlimited", rules=rules or Rules(job_seconds=(0.05, 0.0)))
        self.server = SandboxServer(self.sandbox).start()
        self.receiver = receiver
        self.folder = folder
        self.daily_at = ""
        known = self.sandbox.credentials
        self.environ = {
            "ZENDESK_URL": self.server.url,
            "ZENDESK_OAUTH_CLIENT_ID": known.oauth_client_id,
            "ZENDESK_OAUTH_CLIENT_SECRET": known.oauth_client_secret,
            "TICKETBOT_STATE_DIR": str(folder / "state"),
            "TICKETBOT_LOG_DIR": str(folder / "logs"),
            "TICKETBOT_ALERT_URLS": receiver.hook,
            **environ,
        }
        fill(self.sandbox, rows(2))

    def use_models(self) -> None:
        self.environ |= {
            "OPENAI_BASE_URL": f"{self.server.url}/v1",
            "OPENAI_API_KEY": self.sandbox.credentials.openai_key,
            "TICKETBOT_MODELS": "sandbox-model",
        }

    @property
    def settings(self) -> Settings:
        settings = load(folder=self.folder, environ=self.environ)
        # What is escalated is told of every run that escalates, which is no trouble.
        alerts = settings.alerts.model_copy(update={"daily_at": self.daily_at, "escalated": False})
        return settings.model_copy(update={"alerts": alerts})

    def tickets(self, count: int) -> None:
        """So many new ones, long enough ago for the export to show them."""
        if count:
            kinds = [{**row, "subject": f"{row['subject']} at {self.time.now():.0f}"} for row in rows(count)]
            fill(self.sandbox, [{**row, "age": 200.0 + n} for n, row in enumerate(kinds)])

    def run(
        self,
        times: int = 1,
        *,
        tickets: int = 0,
        every: float = TEN_MINUTES,
        work: Callable[..., Any] | None = None,
        resume: bool = False,
    ) -> None:
        """So many scheduled runs with so many new tickets before each: the command itself, with settings of this desk.

        ``work`` stands in for what the command has done.
        """
        for _ in range(times):
            self.time.advance(every)
            self.tickets(tickets)
            first = not (self.folder / "state" / FILE_NAME).is_file()
            since = iso(self.time.now() - 86_400) if first else None
            with (
                mock.patch("ticket_processor.settings.load.load", return_value=self.settings),
                mock.patch.object(runs, "play", work or runs.play),
                suppress(TicketbotError, ZeroDivisionError),
            ):
                run(self.clock, since=since, resume=resume, quiet=True)

    def told(self, *summaries: dict[str, Any], every: float = TEN_MINUTES) -> None:
        """Runs that came to this, one after the other."""
        for told in summaries:
            self.time.advance(every)
            now = self.time.now()
            summary = RunSummary(
                run_id=f"run-{now:.0f}", dry_run=False, **{"caught_up": not told.get("stopped_by"), **told}
            )
            with closing(State(self.folder / "state" / FILE_NAME)) as state:
                state.keep_run(RunRecord(run_id=summary.run_id, started=now - 1, finished=now, summary=summary))
            with tended(self.settings, self.clock, "run") as tending:
                tending.ended(summary)

    def fault(self, kind: str, **options: Any) -> FaultRule:
        rule = FaultRule(kind, **options)
        self.sandbox.faults.rules.append(rule)
        return rule

    def heal(self) -> None:
        self.sandbox.faults.rules.clear()

    def alarmed(self, *rules: str) -> None:
        """These have been told of by now, each once, and nothing else."""
        assert self.receiver.said == [("begun", rule) for rule in rules], self.receiver.said

    def over(self, *rules: str) -> None:
        """These were told of once, and are over, and that was all."""
        assert self.receiver.said == [*[("begun", rule) for rule in rules], *[("over", rule) for rule in rules]]
        assert AlertStore(self.folder / "state", self.folder / "logs").load().open == {}

    def close(self) -> None:
        self.server.stop()
