"""What the unit tests pass in instead of time, the network, a helpdesk and a model."""

from __future__ import annotations

import random
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

import orjson
import requests
from requests.adapters import BaseAdapter
from requests.structures import CaseInsensitiveDict
from urllib3.connection import HTTPConnection
from urllib3.connectionpool import HTTPConnectionPool
from urllib3.exceptions import MaxRetryError, NewConnectionError

from ticket_processor.breaker import Breaker
from ticket_processor.clock import Deadline, iso
from ticket_processor.errors import Stopping
from ticket_processor.helpdesk import FoundWrite, Page
from ticket_processor.models import Analysis, Change, Decision, Priority, Sentiment, TakenOff, Ticket, Urgency
from ticket_processor.sandbox import ManualClock as SandboxTime
from ticket_processor.throttle import Throttle
from ticket_processor.transport import Transport

START = 1_795_231_800.0
"""2026-11-21T03:30:00Z"""

BASE = "https://desk.invalid"


class ManualClock:
    """Time that stands still until somebody waits. The wall clock may jump; the monotonic one may not."""

    def __init__(self, now: float = START, sandbox: SandboxTime | None = None) -> None:
        self._lock = threading.Lock()
        self._wall = now
        self._steady = 1000.0
        self._sandbox = sandbox
        self.waits: list[float] = []
        self.stopped = False
        self.stop_during_wait = False

    def now(self) -> float:
        return self._wall

    def monotonic(self) -> float:
        return self._steady

    def advance(self, seconds: float) -> None:
        with self._lock:
            self._wall += seconds
            self._steady += seconds
            if self._sandbox is not None:
                self._sandbox.advance(seconds)

    def jump(self, seconds: float) -> None:
        """Somebody sets the wall clock."""
        self._wall += seconds

    def wait(self, seconds: float) -> None:
        self.check()
        if self.stop_during_wait:
            self.stopped = True
            self.check()
        self.waits.append(seconds)
        self.advance(max(0.0, seconds))

    def check(self) -> None:
        if self.stopped:
            raise Stopping


class Upper(random.Random):
    """Jitter at its longest, so that what is expected is one number."""

    def uniform(self, a: float, b: float) -> float:
        return b


# HTTP

Step = requests.Response | Exception | Callable[[requests.PreparedRequest], requests.Response]


def answer(status: int = 200, body: object = None, **headers: str) -> requests.Response:
    """A reply; ``bytes`` and ``str`` bodies are sent as they are, everything else as JSON."""
    response = requests.Response()
    response.status_code = status
    names = {name.replace("_", "-"): value for name, value in headers.items()}
    if isinstance(body, bytes | str):
        content = body.encode() if isinstance(body, str) else body
        names.setdefault("Content-Type", "text/html")
    else:
        content = orjson.dumps({} if body is None else body)
        names.setdefault("Content-Type", "application/json; charset=utf-8")
    response.headers = CaseInsensitiveDict(names)
    response._content = content
    return response


def refused() -> requests.exceptions.ConnectionError:
    """Nobody listens there."""
    pool = HTTPConnectionPool("desk.invalid")
    why = NewConnectionError(HTTPConnection("desk.invalid"), "Connection refused")
    return requests.exceptions.ConnectionError(MaxRetryError(pool, "/", why))


class ScriptedAdapter(BaseAdapter):
    """Answers with the given steps in turn, the last one for ever, and keeps what was sent."""

    def __init__(self, *steps: Step) -> None:
        super().__init__()
        self._steps = list(steps)
        self._lock = threading.Lock()
        self.sent: list[requests.PreparedRequest] = []
        self.timeouts: list[Any] = []

    def send(self, request: requests.PreparedRequest, **options: Any) -> requests.Response:  # type: ignore[override]
        with self._lock:
            self.sent.append(request)
            self.timeouts.append(options.get("timeout"))
            step = self._steps.pop(0) if len(self._steps) > 1 else self._steps[0]
        if isinstance(step, Exception):
            raise step
        response = step(request) if callable(step) else step
        response.url = request.url or ""
        response.request = request
        return response

    def close(self) -> None:
        """Nothing is held open."""

    def json(self, index: int = -1) -> Any:
        return orjson.loads(self.sent[index].body or b"null")


class Wire:
    """A transport over a scripted adapter, with everything that it was given at hand."""

    def __init__(self, *steps: Step, seconds: float = 540.0, share: float = 0.5, **options: Any) -> None:
        self.clock = options.pop("clock", None) or ManualClock()
        self.adapter = ScriptedAdapter(*steps)
        self.deadline = Deadline(self.clock, seconds)
        self.breaker = options.pop("breaker", None) or Breaker("desk", self.clock)
        self.throttle = Throttle(self.clock, share)
        options.setdefault("rng", Upper())
        self.transport = Transport(
            BASE,
            name="Desk",
            clock=self.clock,
            deadline=self.deadline,
            breaker=self.breaker,
            throttle=self.throttle,
            adapter=lambda: self.adapter,
            **options,
        )

    @property
    def calls(self) -> int:
        return len(self.adapter.sent)


# Nouns


def a_ticket(ticket_id: int = 1, *, age: float = 3600.0, touched: float | None = None, **fields: Any) -> Ticket:
    """A ticket created ``age`` seconds before the start, and last changed ``touched`` seconds before it."""
    given: dict[str, Any] = {
        "id": ticket_id,
        "subject": "Broken",
        "description": "It does not work.",
        "created_at": iso(START - age),
        "updated_at": iso(START - (age if touched is None else touched)),
        "read_at": START,
        **fields,
    }
    return Ticket(**given)


def an_analysis(**fields: Any) -> Analysis:
    given: dict[str, Any] = {
        "category": "billing",
        "urgency": Urgency.HIGH,
        "sentiment": Sentiment.NEGATIVE,
        "language": "en",
        "summary": "Charged twice.",
        "confidence": 0.9,
        "source": "model",
        "model": "m-1",
        "attempts": 1,
        **fields,
    }
    return Analysis(**given)


def a_decision(ticket_id: int = 1, **fields: Any) -> Decision:
    given: dict[str, Any] = {
        "ticket_id": ticket_id,
        "tags": ("ai_processed", "ai_billing"),
        "priority": Priority.HIGH,
        "note": "Triage: billing.",
        "reason": "by m-1",
        **fields,
    }
    return Decision(**given)


def a_change(ticket_id: int = 1, **fields: Any) -> Change:
    given: dict[str, Any] = {
        "ticket_id": ticket_id,
        "stamp": "2026-11-21T02:30:00Z",
        "tags": ("vip", "ai_processed"),
        "tags_before": ("vip",),
        "tags_added": ("ai_processed",),
        "priority": Priority.HIGH,
        "note": "Triage: billing.",
        "key": "k" * 32,
        "intent": "run-1",
        **fields,
    }
    return Change(**given)


class FakeDesk:
    """A helpdesk in a dict. ``updates`` holds what each update does in turn: nothing, raise, or call."""

    def __init__(self, *tickets: Ticket, pages: Sequence[Page] = ()) -> None:
        self.tickets = {ticket.id: ticket for ticket in tickets}
        self.given_pages = list(pages)
        self.pages_taken = 0
        self.found: dict[tuple[int, str], FoundWrite] = {}
        self.removed: dict[int, tuple[str, ...]] = {}
        self.updates: list[Callable[[Change], None] | Exception | None] = []
        self.written: list[Change] = []
        self.asked: list[tuple[str, object]] = []

    def pages(self, cursor: str | None, since: float) -> Iterator[Page]:
        self.asked.append(("pages", cursor))
        for page in self.given_pages:
            self.pages_taken += 1
            yield page

    def fetch(self, ticket_ids: Sequence[int]) -> Mapping[int, Ticket]:
        self.asked.append(("fetch", tuple(ticket_ids)))
        return {key: self.tickets[key] for key in ticket_ids if key in self.tickets}

    def find_write(self, ticket_id: int, key: str) -> FoundWrite | None:
        self.asked.append(("find_write", ticket_id))
        return self.found.get((ticket_id, key))

    def taken_off(self, ticket_id: int) -> TakenOff:
        self.asked.append(("taken_off", ticket_id))
        return TakenOff(tags=frozenset(self.removed.get(ticket_id, ())))

    def update(self, change: Change) -> None:
        self.written.append(change)
        step = self.updates.pop(0) if self.updates else None
        if isinstance(step, Exception):
            raise step
        if step is not None:
            step(change)

    def times(self, what: str) -> int:
        return sum(name == what for name, _ in self.asked)
