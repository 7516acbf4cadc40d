"""Faults of one row in an answer about many tickets, and of a job of updates or some of its items."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Any, ClassVar

import orjson

from ticket_processor.sandbox import faults, zendesk_writes
from ticket_processor.sandbox.faults import Kind
from ticket_processor.sandbox.messages import Request, Response, json_response, text_response
from ticket_processor.sandbox.zendesk_call import Call
from ticket_processor.sandbox.zendesk_store import Item, Job

# Rows

_LONE_SURROGATE = "\ue0d8"
"""Stands for what no JSON library writes, until the text is there."""
BROKEN: Mapping[str, bytes] = {
    "no-escape": rb'"C:\x \u12G4"',
    "latin-1": b'"caf\xe9"',
    "control": b'"a\x00\x1f\x7f\n"',
    "not-a-number": b"NaN",
}
"""Odd rows whose ``subject`` breaks the rules of JSON a little; all of the answer can be read."""
_UNTIL_WRITTEN = "\ue0d9"
ODD: Mapping[str, Mapping[str, Any]] = {
    "surrogate": {"subject": _LONE_SURROGATE, "raw_subject": _LONE_SURROGATE},
    "surrogate-tag": {"tags": ["vip", _LONE_SURROGATE]},
    "no-date": {"updated_at": None},
    "no-real-date": {"created_at": "yesterday"},
    "null-tag": {"tags": [None]},
    "status-number": {"status": 2},
    "id-text": {"id": "seven"},
    **{how: {"subject": _UNTIL_WRITTEN} for how in BROKEN},
}
"""Ways in which a row can be odd. ``null-tag`` is added to the tags that are there."""


def spoil(response: Response, kind: str, ticket: int | None, odd: str, dice: random.Random) -> Response:
    """The answer with one row odd or left out; as it is where it holds no such row."""
    try:
        body = orjson.loads(response.body)
    except orjson.JSONDecodeError:
        return response
    rows, alone = _rows(body)
    places = [place for place, row in enumerate(rows) if ticket is None or row.get("id") == ticket]
    if not places or (kind == "omit-row" and alone):
        return response
    place = dice.choice(places)
    if kind == "omit-row":
        del rows[place]
    else:
        odd = dice.choice(list(ODD)) if odd == "any" else odd
        oddity = dict(ODD[odd])
        if oddity.get("tags") == [None]:
            oddity["tags"] = [*rows[place].get("tags", ()), None]
        rows[place].update(oddity)
    broken = BROKEN.get(odd, b"")
    response.body = (
        orjson.dumps(body)
        .replace(_LONE_SURROGATE.encode(), b"\\ud83d")
        .replace(b'"%b"' % _UNTIL_WRITTEN.encode(), broken)
    )
    return response


def _rows(body: Any) -> tuple[list[dict[str, Any]], bool]:
    """The tickets in an answer, and whether it is about a single one. Freshdesk has no name around them."""
    if isinstance(body, list):
        return (body if all(isinstance(row, dict) and "subject" in row for row in body) else []), False
    if not isinstance(body, dict):
        return [], False
    if "requester_id" in body or isinstance(body.get("ticket"), dict):
        return [body.get("ticket", body)], True
    return next((body[name] for name in ("tickets", "results") if name in body), []), False


# Jobs

JOB_KINDS = (
    "job-slow",  # it starts `seconds` later
    "job-lost",  # accepted; nothing is done, and no answer says so
    "job-vanishes",  # done, and `seconds` after it was queued it cannot be found by its id
    "job-fails",  # failed, with nothing done
    "job-killed",  # killed, with some of its first items done
    "job-item-fails",  # items fail although nothing is wrong; the probability is each item's
    "job-results-missing",  # done, and its results lack some of the items
    "job-no-results",  # done, and its results are null
)
"""Of a job of updates."""

# Rules

KINDS: Mapping[str, Kind] = {
    **faults.KINDS,
    "late-commit": Kind(done=False, seconds=20.0),  # the connection closes now, the request is done `seconds` later
    "half-body": Kind(done=True, fate="half"),
    "conflict": Kind(done=False, status=409),
    "html": Kind(done=False),  # a page to sign in at
    "not-json-4xx": Kind(done=False, status=400),
    "odd-row": Kind(done=True),  # one ticket (`ticket`, else any) is answered in an odd form (`odd`)
    "omit-row": Kind(done=True),  # an answer about many tickets lacks one of them (`ticket`, else any)
    **dict.fromkeys(JOB_KINDS, Kind(done=True, seconds=60.0)),
}
_SIGN_IN = text_response(200, "<!DOCTYPE html><title>Sign in</title>", "text/html; charset=utf-8")
_CONFLICTS = {
    "zendesk": {"error": "DatabaseConflict", "description": "Database collision"},
    "freshdesk": {"code": "inconsistent_state", "message": "The resource is in a conflicting state."},
}


@dataclass
class FaultRule(faults.FaultRule):
    """A rule of the sandbox, or of what is only met in tests.

    ``ticket`` is whose row is odd or left out, ``odd`` how.
    """

    kinds: ClassVar[Mapping[str, Kind]] = KINDS

    ticket: int | None = None
    odd: str = "any"

    def strikes(self, request: Request, dice: random.Random) -> bool:
        if self.kind != "job-item-fails":
            return super().strikes(request, dice)
        each, self.probability = self.probability, 1.0  # it is each item's, and not the job's
        try:
            return super().strikes(request, dice)
        finally:
            self.probability = each

    def spoils(self, route: Callable[[], Response], sandbox: Any) -> Response:
        if self.kind == "late-commit":
            sandbox.store.later(sandbox.store.now() + (self.seconds or KINDS[self.kind].seconds), route)
            return Response(0, fate="drop")
        if self.kind in ("odd-row", "omit-row"):
            return spoil(route(), self.kind, self.ticket, self.odd, sandbox.faults.dice)
        if self.kind == "html":
            return replace(_SIGN_IN, headers=dict(_SIGN_IN.headers))
        if self.kind == "conflict":
            return json_response(409, _CONFLICTS[sandbox.helpdesk])
        return super().spoils(route, sandbox)


class FaultPlan(faults.FaultPlan):
    """Rules of which any number may strike the job that a ``PUT …/update_many`` starts, besides another fault."""

    rule = FaultRule

    def __init__(self, rules: Iterable[faults.FaultRule] = (), seed: int = 0) -> None:
        super().__init__(rules, seed)
        self.of_job: dict[str, faults.FaultRule] = {}
        """What has struck the job that the last request starts."""

    def choose(self, request: Request) -> faults.FaultRule | None:
        self.of_job = {}
        fault: faults.FaultRule | None = None
        starts_job = request.method == "PUT" and request.path.removesuffix(".json").endswith("/update_many")
        for rule in self.rules:
            if rule.kind in JOB_KINDS:
                if starts_job and rule.strikes(request, self.dice):
                    self.of_job.setdefault(rule.kind, rule)
            elif fault is None and rule.strikes(request, self.dice):
                fault = rule
        return fault


# Jobs that go wrong

Strikes = Mapping[str, faults.FaultRule]
"""The rules that struck one job, by kind; of several of one kind the first counts."""
_ENDS = {"job-fails": "failed", "job-killed": "killed"}


@dataclass
class FaultyJob(Job):
    """A job that goes wrong. ``seed`` decides which items are hit, so that timing cannot change it."""

    struck: Strikes = field(default_factory=dict)
    seed: int = 0
    queued: float = 0.0
    as_schema: bool = False
    """Whether failed items are shown as the vendor's schema declares them."""

    def seconds(self, kind: str, otherwise: float) -> float:
        """The seconds of the rule of a kind."""
        rule = self.struck.get(kind)
        return otherwise if rule is None else KINDS[kind].seconds if rule.seconds is None else rule.seconds

    def dice(self, what: str) -> random.Random:
        return random.Random(f"{self.seed} {what}")

    def work(self, call: Call, items: Sequence[tuple[object, Item]]) -> list[Item]:
        """What it does: some of its items, of which some fail for no reason."""
        share = self.struck["job-item-fails"].probability if "job-item-fails" in self.struck else 0.0
        dice = self.dice("fail")
        work = [
            partial(zendesk_writes.failed_item, index, ticket_id, "Ticket: could not be updated")
            if dice.random() < share
            else item
            for index, (ticket_id, item) in enumerate(items)
        ]
        if "job-killed" in self.struck:
            del work[self.dice("done").randrange(len(work)) :]
        return [] if {"job-lost", "job-fails"} & set(self.struck) else work

    def finish(self, moment: float) -> None:
        if self.as_schema:
            form = {"action": "update", "success": False}
            self.results = [{**form, **row} if row.pop("index", None) is not None else row for row in self.results]
        super().finish(moment)
        self.status = next((_ENDS[kind] for kind in self.struck if kind in _ENDS), self.status)
        if "job-results-missing" in self.struck:
            dice = self.dice("tell")
            kept = dice.sample(range(self.total), dice.randrange(self.total))
            self.shown = [self.results[index] for index in sorted(kept) if index < len(self.results)]
        if self.status != "completed" or "job-no-results" in self.struck:
            self.shown = None

    def found(self, now: float) -> bool:
        return super().found(now) and now < self.queued + self.seconds("job-vanishes", 1e12)


def update_many(call: Call) -> Response:
    """``PUT /tickets/update_many`` with what is to go wrong with its job."""
    strikes, seed = call.store.job_strikes  # type: ignore[attr-defined]
    items = zendesk_writes.updates(call)
    as_schema = call.store.rules.failed_item_form == "schema"
    job = FaultyJob(len(items), struck=strikes, seed=seed, queued=call.now, as_schema=as_schema)
    answer = zendesk_writes.start(call, job, job.work(call, items), job.seconds("job-slow", 0.0))
    if "job-lost" in strikes:
        del call.store.jobs[job.id]
    return answer
