"""What the unit tests pass in instead of time, the network, a helpdesk and a model."""

from __future__ import annotations

import random
import socket
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, Literal

import orjson
import requests
from requests.adapters import BaseAdapter
from requests.structures import CaseInsensitiveDict
from urllib3.connection import HTTPConnection
from urllib3.connectionpool import HTTPConnectionPool
from urllib3.exceptions import MaxRetryError, NameResolutionError, NewConnectionError

from ticket_processor.core.clock import Deadline, iso
from ticket_processor.core.errors import Stopping, TicketError
from ticket_processor.core.guards import Breaker
from ticket_processor.core.models import Analysis, Change, Decision, Priority, Sentiment, Ticket, Urgency
from ticket_processor.helpdesk.protocol import Fetched, JobStatus, Page
from ticket_processor.helpdesk.ticket_history import Edit, History, changed
from ticket_processor.helpdesk.transport import Throttle, Transport
from ticket_processor.pipeline.record import RunHost

START = 1_795_231_800.0
"""2026-11-21T03:30:00Z"""

BASE = "https://desk.invalid"


class ManualClock:
    """Time that stands still until somebody waits. The wall clock may jump; the monotonic one may not.

    The clock of a ``sandbox`` goes forward with it.
    """

    def __init__(self, now: float = START, sandbox: ManualClock | None = None) -> None:
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


def unknown_name() -> requests.exceptions.ConnectionError:
    """No name server knows it."""
    why = NameResolutionError("desk.invalid", HTTPConnection("desk.invalid"), socket.gaierror("unknown"))
    return requests.exceptions.ConnectionError(MaxRetryError(HTTPConnectionPool("desk.invalid"), "/", why))


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


ItemFate = Literal[
    "made", "failed", "untold", "said only", "no metadata", "no note", "public", "no tags", "no priority"
]
"""Of a job's item: made or failed, as told; made and not told; told and not made; made without a part of it."""

JobFate = Literal["done", "failed", "untold", "vanished", "lost"]
"""Of a job: done or failed with nothing done, as told; done without results; done and unknown; not done and unknown."""


def told_apart(found: Fetched) -> tuple[list[int], list[int]]:
    """The numbers of the tickets that were read, and of those that could not be."""
    shown = [number for number, ticket in found.items() if isinstance(ticket, Ticket)]
    return shown, [number for number in found if number not in shown]


class FakeDesk:
    """A helpdesk in a dict. ``updates`` holds what each update does in turn: nothing, raise, or call.

    ``found`` are intents of earlier writes by ticket and key, and ``removed`` tags that somebody took off.

    A job does its items at once, each where its stamp holds. ``takings`` is what each ``update_many`` meets in turn,
    as ``updates`` is; ``items`` what a ticket's item of a job comes to, once; ``fates`` what each job comes to in turn.
    ``slow`` holds back every job: they are told to be under way.
    """

    def __init__(self, *tickets: Ticket, pages: Sequence[Page] = ()) -> None:
        self.tickets = {ticket.id: ticket for ticket in tickets}
        self.unread: dict[int, TicketError] = {}
        self.given_pages = list(pages)
        self.pages_taken = 0
        self.found: dict[tuple[int, str], str] = {}
        self.removed: dict[int, tuple[str, ...]] = {}
        self.edits: dict[int, list[Edit]] = {}
        self.updates: list[Callable[[Change], object] | BaseException | None] = []
        self.written: list[Change] = []
        self.takings: list[Callable[[Sequence[Change]], None] | Exception | None] = []
        self.items: dict[int, ItemFate] = {}
        self.fates: list[JobFate] = []
        self.progress = 0
        self.slow = False
        self.ignores_stamps = False
        self.stale: list[int] = []
        self.jobs_taken: dict[str, tuple[Change, ...]] = {}
        self.asked: list[tuple[str, object]] = []
        self._statuses: dict[str, JobStatus] = {}

    def pages(self, cursor: str | None, since: float) -> Iterator[Page]:
        self.asked.append(("pages", cursor))
        for page in self.given_pages:
            self.pages_taken += 1
            yield page

    def fetch(self, ticket_ids: Sequence[int]) -> Fetched:
        self.asked.append(("fetch", tuple(ticket_ids)))
        known = {**self.tickets, **self.unread}
        return {key: known[key] for key in ticket_ids if key in known}

    def history(self, ticket_id: int) -> History:
        self.asked.append(("history", ticket_id))
        found = [(key, intent) for (number, key), intent in self.found.items() if number == ticket_id]
        ours = [Edit(at="", key=key, intent=intent) for key, intent in found]
        off = Edit(at="", tags_removed=frozenset(self.removed.get(ticket_id, ())))
        return History(edits=(*ours, *self.edits.get(ticket_id, ()), off))

    def withdraw(self, change: Change) -> None:
        """Nothing is ever left of a write that was not made."""

    def update(self, change: Change) -> Edit | None:
        self.written.append(change)
        step = self.updates.pop(0) if self.updates else None
        if isinstance(step, BaseException):
            raise step
        return None if step is None else step(change)  # type: ignore[return-value]

    def update_many(self, changes: Sequence[Change], *, stale: int | None = None) -> str:
        self.asked.append(("update_many", tuple(change.ticket_id for change in changes)))
        step = self.takings.pop(0) if self.takings else None
        if isinstance(step, Exception):
            raise step
        if step is not None:
            step(changes)
        job_id = f"job-{len(self.jobs_taken) + 1}"
        self.jobs_taken[job_id] = tuple(changes)
        fate = self.fates.pop(0) if self.fates else "done"
        self.stale += [] if stale is None else [stale]
        status = self.do_job(changes, nothing_done=fate in ("failed", "lost"), stale=stale)
        if fate in ("done", "failed", "untold"):
            self._statuses[job_id] = status if fate == "done" else JobStatus(ended=True)
        return job_id

    def do_job(self, changes: Sequence[Change], *, nothing_done: bool = False, stale: int | None = None) -> JobStatus:
        """Carry the items of a job out, as far as their fates let it."""
        told: dict[int, bool] = {}
        for change in changes:
            fate = self.items.pop(change.ticket_id, "made")
            ticket = self.tickets.get(change.ticket_id)
            current = ticket is not None and ticket.updated_at == change.stamp and change.ticket_id != stale
            open_ = ticket is not None and ticket.status != "closed"
            stands = open_ and (current or self.ignores_stamps) and not nothing_done
            made = stands and fate not in ("failed", "said only")
            if made:
                self.apply(change, fate)
            if fate != "untold":
                told[change.ticket_id] = made or fate == "said only"
        return JobStatus(ended=True, results=told)

    def made(self, change: Change) -> Edit:
        """The change happens, and its answer tells what came of it."""
        return self.apply(change)

    def apply(self, change: Change, fate: ItemFate = "made") -> Edit:
        """The change happens, half a minute before the next read; gives its record."""
        ticket = self.tickets[change.ticket_id]
        fields = {key: value for key, value in ticket.fields.items() if key not in change.fields_cleared}
        priority = None if "priority" in change.cleared else change.priority or ticket.priority
        after: dict[str, Any] = {
            "tags": ticket.tags if fate == "no tags" else change.tags,
            "priority": ticket.priority if fate == "no priority" else priority,
            "group": None if "group" in change.cleared else change.group or ticket.group,
            "fields": {**fields, **change.fields},
            "updated_at": iso(START - 30),
        }
        self.tickets[ticket.id] = ticket.model_copy(update=after)
        comment = None if change.note is None or fate == "no note" else "public" if fate == "public" else "internal"
        told: dict[str, Any] = {} if fate == "no metadata" else {"key": change.key, "intent": change.intent}
        told["tags_added"], told["tags_removed"] = changed(ticket.tags, after["tags"])
        if after["priority"] is not ticket.priority:
            told["priority"] = (ticket.priority, after["priority"])
        edit = Edit(at=iso(START - 30), comment=comment, **told)
        self.edits.setdefault(ticket.id, []).append(edit)
        return edit

    def jobs(self, job_ids: Sequence[str]) -> Mapping[str, JobStatus]:
        self.asked.append(("jobs", tuple(job_ids)))
        known = {job_id: self._statuses[job_id] for job_id in job_ids if job_id in self._statuses}
        return {job_id: JobStatus(ended=False, progress=self.progress) for job_id in known} if self.slow else known

    def times(self, what: str) -> int:
        return sum(name == what for name, _ in self.asked)

    def sizes(self) -> list[int]:
        """How many changes each job had that was taken in."""
        return [len(changes) for changes in self.jobs_taken.values()]


class Hosted(RunHost):
    """A host of which these parts are another's."""

    def __init__(self, **parts: Any) -> None:
        vars(self).update(parts)
