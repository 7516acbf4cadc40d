"""Whole runs, in memory, of the real client and pipeline on imitated accounts that answer oddly about one ticket."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import orjson

from ticket_processor.analysis.chain import Understanding
from ticket_processor.analysis.rules.analyser import RulesAnalyser
from ticket_processor.audit.receipts import AuditLog
from ticket_processor.core.clock import Deadline
from ticket_processor.core.models import Outcome
from ticket_processor.core.run_summary import RunSummary
from ticket_processor.core.taxonomy import default_taxonomy
from ticket_processor.freshdesk import Freshdesk
from ticket_processor.helpdesk.protocol import Helpdesk
from ticket_processor.pipeline.jobs import Delivery
from ticket_processor.pipeline.parts import Parts, RunOptions
from ticket_processor.pipeline.run import Run
from ticket_processor.policy.decide import Policy
from ticket_processor.sandbox.access import Credentials
from ticket_processor.sandbox.fill import fill
from ticket_processor.sandbox.messages import Request, Response
from ticket_processor.settings.helpdesks import FreshdeskSettings, ZendeskSettings
from ticket_processor.state.store import State
from ticket_processor.wiring.parts import transport_for
from ticket_processor.zendesk import Zendesk

from ..imitation import Sandbox
from ..simulation.virtual import SerialExecutor
from .fakes import START, ManualClock, Upper
from .inmemory_adapter import InMemoryAdapter

BASE_URL = "http://127.0.0.1:1"
LABELS = default_taxonomy()
RULES = RulesAnalyser(LABELS)
UNTIL_WRITTEN = "\ue0d7"
"""Stands for a value in a text of JSON until it is there."""

WHERE = {
    "export": ("listing", "show", "audits", "update", "job"),
    "search": ("listing", "show", "audits", "update"),
    "freshdesk": ("listing", "show", "conversations", "contact", "update", "note"),
}
"""Helpdesks, and the answers of which one is odd."""
_PATHS = {
    "listing": r"GET .*(/incremental/tickets/cursor|/search/export|/api/v2/tickets)$",
    "show": r"GET .*/tickets/(show_many|{number})$",
    "audits": r"GET .*/tickets/{number}/audits$",
    "update": r"PUT .*/tickets/{number}$",
    "job": r"GET .*/job_statuses/show_many$",
    "conversations": r"GET .*/tickets/{number}/conversations$",
    "contact": r"GET .*/(contacts|agents)/{requester}$",
    "note": r"POST .*/tickets/{number}/notes$",
}


@dataclass(frozen=True)
class Taint:
    """What is odd: a part of the answer (``place`` from 0 to 1) holds ``value``, a text of JSON; or its ``status``."""

    where: str
    place: float = 0.0
    value: bytes = b"null"
    status: int = 0


class TaintedAccount:
    """Some tickets, all but one touched by a person; the answers about those ``poisoned`` are tainted.

    ``number`` is the first of these.
    """

    def __init__(self, kind: str, taint: Taint, *, tickets: int = 5, poisoned: Sequence[int] = (2,)) -> None:
        self.taint = taint
        self.state = State(None)
        self.outcomes: dict[int, Outcome] = {}
        self.time = ManualClock()
        self.clock = ManualClock(sandbox=self.time)
        self.kind = kind
        self.spoilt_id = False
        self.sandbox = Sandbox(
            self.time,
            plan="unlimited",
            seed=1,
            helpdesk="freshdesk" if kind == "freshdesk" else "zendesk",
            bot_role="agent" if kind == "search" else "admin",
        )
        made: Callable[[int], int] = self._fresh if kind == "freshdesk" else self._zen
        self.numbers = [made(place) for place in range(tickets)]
        self.poisoned = [self.numbers[place] for place in poisoned]
        self.number = self.poisoned[0]
        self.requester = self.tickets[self.number].json["requester_id"]
        self._pattern = re.compile(
            _PATHS[taint.where]
            .replace("{number}", f"(?:{'|'.join(map(str, self.poisoned))})")
            .replace("{requester}", str(self.requester))
        )
        self.time.advance(600)
        self.sandbox.after_request.append(self._spoil)

    def _zen(self, place: int) -> int:
        row = {"subject": "Charged twice", "body": "I was charged twice.", "age": 7200 - 60 * place}
        number = fill(self.sandbox, [row])[0]
        if place != 4:
            self.sandbox.store.person_edit(number, add_tags=["vip"])
        return number

    def _fresh(self, place: int) -> int:
        made = self.time.now() - 7200 + 60 * place
        ticket = self.sandbox.store.create(
            subject="Charged twice", body="I was charged twice.", created_at=made, source=2
        )
        for _ in range(12 * (place == 2)):
            self.sandbox.store.customer_replies(ticket.id, "And another thing.")
        return ticket.id

    @property
    def tickets(self) -> dict[int, Any]:
        return dict(self.sandbox.store.tickets)

    def marked(self) -> set[int]:
        return {number for number in self.numbers if "ai_processed" in self.tickets[number].json["tags"]}

    def run(self, folder: Path, *, batch: bool = False) -> RunSummary:
        """One run, from a day ago on."""
        settings: Any = (
            FreshdeskSettings(url=BASE_URL, api_key="sandbox-api-key")  # type: ignore[arg-type]
            if self.kind == "freshdesk"
            else ZendeskSettings(url=BASE_URL, oauth_token=Credentials().oauth_token)  # type: ignore[arg-type]
        )
        deadline = Deadline(self.clock, 540.0)
        transport = transport_for(
            settings,
            self.clock,
            deadline,
            state=self.state,
            adapter=lambda: InMemoryAdapter(self.sandbox, self.clock.wait),
            rng=Upper(),
        )
        desk: Helpdesk = Freshdesk(transport, self.state) if self.kind == "freshdesk" else Zendesk(transport)
        audit = AuditLog(folder, self.clock, "run")
        self.outcomes.clear()
        work = Run(
            Parts(
                desk=desk,
                understanding=Understanding([], RULES),
                executor=SerialExecutor(),
                state=self.state,
                audit=audit,
                clock=self.clock,
                deadline=deadline,
                policy=Policy(),
                taxonomy=LABELS,
                troubles=lambda: tuple(desk.troubles),  # type: ignore[attr-defined]
            ),
            RunOptions(
                run_id="run",
                stable_read_s=1.0,
                since=START - 86_400,
                delivery=Delivery("batch" if batch else "single", together=1 if self.kind == "freshdesk" else 10),
            ),
            lambda outcome: self.outcomes.update({outcome.ticket_id: outcome}),
        )
        try:
            return work.execute()
        finally:
            audit.close()

    def _spoil(self, request: Request, response: Response) -> None:
        if not self._pattern.search(f"{request.method} {request.path}") or response.status >= 300:
            return
        whole = orjson.loads(response.body) if response.body else None
        part = self._part(whole)
        if part is None:
            return
        if self.taint.status:
            response.status = self.taint.status
            response.body = self.taint.value
            return
        there = list(places(part))
        holder, key = there[min(int(self.taint.place * len(there)), len(there) - 1)]
        if holder is None:
            response.body = self.taint.value
            return
        self.spoilt_id = self.spoilt_id or key == "id"
        holder[key] = UNTIL_WRITTEN
        response.body = orjson.dumps(whole).replace(b'"%b"' % UNTIL_WRITTEN.encode(), self.taint.value)

    def _part(self, whole: Any) -> Any:
        """The part of an answer that is about the ticket; ``None`` where none is."""
        if self.taint.where not in ("listing", "show", "job"):
            return [None, whole]
        if isinstance(whole, dict) and "ticket" in whole:
            return [None, whole]
        if isinstance(whole, dict) and "id" in whole:
            return [None, whole]
        rows = whole if isinstance(whole, list) else whole.get("tickets", whole.get("results"))
        if self.taint.where == "job":
            rows = [item for job in whole["job_statuses"] for item in job.get("results") or ()]
        place = next((at for at, row in enumerate(rows or ()) if row.get("id") == self.number), None)
        if place is None or (self.taint.status and not (self.taint.where == "show" and len(rows) == 1)):
            return None
        return [rows, place]


def places(part: Any) -> Iterator[tuple[Any, Any]]:
    """Every place within a part: who holds it, and as what; ``None`` holds the whole answer."""
    holder, inner = part
    yield part if holder is not None else (None, None)
    value = holder[inner] if holder is not None else inner
    pairs = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, held in pairs:
        yield value, key
        if isinstance(held, dict | list):
            yield from list(places([value, key]))[1:]
