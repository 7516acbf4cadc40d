from __future__ import annotations

import re
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import orjson
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from ticket_processor.core.clock import Deadline
from ticket_processor.core.models import Outcome
from ticket_processor.core.run_summary import RunSummary
from ticket_processor.freshdesk import Freshdesk
from ticket_processor.helpdesk.protocol import Helpdesk
from ticket_processor.pipeline.jobs import Delivery
from ticket_processor.sandbox.access import Credentials
from ticket_processor.sandbox.app import fill
from ticket_processor.sandbox.messages import Request, Response
from ticket_processor.settings.helpdesks import FreshdeskSettings, ZendeskSettings
from ticket_processor.state.store import State
from ticket_processor.wiring.parts import transport_for
from ticket_processor.zendesk import Zendesk

from ..imitation import Sandbox
from ..support.fakes import START, ManualClock, Upper
from ..support.inmemory_adapter import InMemoryAdapter
from ..support.memory_helpdesk import run_by_rules

BASE_URL = "http://127.0.0.1:1"
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
        self.outcomes: Mapping[int, Outcome] = {}
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
        transport = transport_for(
            settings,
            self.clock,
            Deadline(self.clock, 540.0),
            state=self.state,
            adapter=lambda: InMemoryAdapter(self.sandbox, self.clock.wait),
            rng=Upper(),
        )
        desk: Helpdesk = Freshdesk(transport, self.state) if self.kind == "freshdesk" else Zendesk(transport)
        ended = run_by_rules(
            desk,
            self.state,
            self.clock,
            folder,
            troubles=lambda: tuple(desk.troubles),  # type: ignore[attr-defined]
            since=START - 86_400,
            delivery=Delivery("batch" if batch else "single", together=1 if self.kind == "freshdesk" else 10),
        )
        self.outcomes = ended.outcomes
        return ended.summary

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


TEXTS = st.one_of(
    st.text(max_size=20),
    st.sampled_from(
        ["", "2999-01-01T00:00:00Z", "9999-12-31T23:59:59Z", "0001-01-01T00:00:00Z", "yesterday", "7", "x" * 500]
    ),
    st.sampled_from(["closed", "deleted", "urgent", "@,;", "1e400", "\x00", "\N{REPLACEMENT CHARACTER}"]),
)
NUMBERS = st.one_of(
    st.integers().map(str),
    st.floats(allow_nan=False, allow_infinity=False).map(repr),
    st.sampled_from(["1e400", "-1e400", "9" * 310, "1" * 5000, str(2**63), str(-(2**63) - 1), "-0", "0", "1", "NaN"]),
).map(str.encode)
JSON = st.recursive(
    st.one_of(st.none(), st.booleans(), TEXTS, st.integers(-(2**63), 2**64 - 1)),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXTS, inner, max_size=3),
    max_leaves=6,
)
READABLE = st.one_of(
    JSON.map(orjson.dumps), NUMBERS, st.sampled_from([b'"\\ud83d"', b'"\\x"', b'"\xff"', b'"a\x00\n"'])
)
VALUES = st.one_of(
    READABLE,
    st.sampled_from([b"cut", b'"', b"{", b"[" * 2000 + b"]" * 2000, b"]"]),
    st.binary(min_size=1, max_size=8).filter(bytes.strip),
)
STATUSES = st.integers(200, 599).filter(lambda status: status != 429)
"""429 is the account's: it asks to be left alone."""


@st.composite
def taints(draw: st.DrawFn, kind: str) -> Taint:
    where = draw(st.sampled_from(WHERE[kind]))
    status = draw(STATUSES) if where != "listing" and where != "job" and draw(st.booleans()) else 0
    # Without JSON nothing is known of a whole job, or of a page of a list.
    value = draw(JSON.map(orjson.dumps) if where == "job" else READABLE if where == "listing" else VALUES)
    return Taint(where, draw(st.floats(0, 0.999)), value, status)


def check(kind: str, taint: Taint, *, batch: bool = False) -> None:
    account = TaintedAccount(kind, taint)
    with tempfile.TemporaryDirectory() as folder:
        summary = account.run(Path(folder), batch=batch)
    others = set(account.numbers) - {account.number}
    published = summary.stopped_by == "NotePublished"  # for that, the value says so
    assert published or (summary.exit_code in (0, 1) and summary.stopped is None), summary.stopped
    assert published or others <= account.marked(), account.outcomes
    named = account.number in account.outcomes or account.number in account.marked() or summary.remarks or summary.known
    assert published or named or account.spoilt_id


@given(taints("export"))
@example(Taint("update", 0.3125, b"[]", 0))
def test_on_zendesk(taint: Taint) -> None:
    check("export", taint)


@given(taints("export"))
def test_on_zendesk_in_jobs(taint: Taint) -> None:
    check("export", taint, batch=True)


@given(taints("search"))
def test_on_zendesk_by_search(taint: Taint) -> None:
    check("search", taint)


@given(taints("freshdesk"))
def test_on_freshdesk(taint: Taint) -> None:
    check("freshdesk", taint)


@pytest.mark.parametrize("first", [0, pytest.param(70, marks=pytest.mark.slow)])
@pytest.mark.parametrize(
    ("kind", "where"), [("export", "audits"), ("export", "update"), ("freshdesk", "show"), ("freshdesk", "update")]
)
@pytest.mark.parametrize(
    "status", [204, *(pytest.param(status, marks=pytest.mark.slow) for status in (200, 302, 401, 500))]
)
def test_thirty_of_a_hundred_delay_no_other_by_a_run(
    tmp_path: Path, kind: str, where: str, status: int, first: int
) -> None:
    taint = Taint(where, value=b"[]" if status == 200 else b"", status=status)
    account = TaintedAccount(kind, taint, tickets=100, poisoned=range(first, first + 30))
    summary = account.run(tmp_path)
    poisoned = set(account.poisoned)
    assert account.marked() >= set(account.numbers) - poisoned, summary.stopped
    assert poisoned <= account.outcomes.keys()
    assert summary.exit_code in (0, 1), summary.stopped
