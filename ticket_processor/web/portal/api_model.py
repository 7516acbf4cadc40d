"""What the API takes and answers, how a ticket becomes such data, and its OpenAPI document."""

from __future__ import annotations

import re
import sqlite3
from collections.abc import Iterator, Sequence
from datetime import date
from statistics import quantiles
from typing import Annotated, Any, Literal

from fastapi import FastAPI
from fastapi.openapi.utils import get_openapi
from pydantic import BaseModel, ConfigDict, Field, model_validator

from ...core.models import Frozen, Priority, Sentiment, Urgency
from ...helpdesk.local_model import Attachment, LocalTicket, Message, Sort, Status
from ...helpdesk.local_store import LocalStore
from .agent_ticket import MOST_BODY
from .form import MOST_DESCRIPTION, MOST_EMAIL, MOST_NAME, MOST_SUBJECT
from .parts import API_REQUESTS
from .tracking import TimelineStep, escalations, steps

MOST_ROWS = 100


def _not_given() -> Any:
    return None


class _Sent(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True)


class TicketToCreate(_Sent):
    """A ticket that an agent submits for a customer."""

    subject: str = Field(min_length=1, max_length=MOST_SUBJECT)
    description: str = Field(min_length=1, max_length=MOST_DESCRIPTION)
    email: str = Field(
        max_length=MOST_EMAIL, description="The customer's mail address.", json_schema_extra={"format": "email"}
    )
    name: str = Field("", max_length=MOST_NAME, description="The customer's name; the first one given is kept.")


class ReplyToAdd(_Sent):
    """An answer to the customer, or an internal note."""

    body: str = Field(min_length=1, max_length=MOST_BODY, description="Markdown, without pictures and HTML.")
    public: bool = Field(description="True: the customer sees it, and gets mail where mail is set up.")


class TicketChange(_Sent):
    """What to change; what is not named stays."""

    model_config = ConfigDict(json_schema_extra={"minProperties": 1})

    status: Status = Field(default_factory=_not_given)
    priority: Literal["urgent", "high", "normal", "low"] | None = Field(
        default_factory=_not_given, description="null takes it off."
    )
    tags: list[Annotated[str, Field(min_length=1, max_length=255)]] = Field(
        default_factory=_not_given,
        max_length=200,
        description="All tags that the ticket is to have. Tags hold category, urgency and sentiment.",
    )

    @model_validator(mode="after")
    def _is_some(self) -> TicketChange:
        if not self.model_fields_set:
            raise ValueError("name at least one of status, priority and tags")
        return self


class TicketsWanted(BaseModel):
    """Filters of a list; several values of one filter are alternatives."""

    model_config = ConfigDict(extra="forbid")

    q: str = Field("", max_length=500, description="Words of the ticket, its number, or the customer's address.")
    status: list[Status] = Field([], max_length=10)
    category: list[str] = Field([], max_length=50)
    urgency: list[Urgency] = Field([], max_length=10)
    sentiment: list[Sentiment] = Field([], max_length=10)
    escalated: bool | None = None
    sort: Sort = "updated"
    limit: int = Field(25, ge=1, le=MOST_ROWS)
    cursor: str = Field("", max_length=500, description="`next` of the page before, with the same filters and sort.")


class DaysWanted(BaseModel):
    """Days, in UTC, on which tickets were created."""

    model_config = ConfigDict(extra="forbid")

    since: date | None = Field(None, description="The first day; 29 days before the last one if not given.")
    until: date | None = Field(None, ge=date(2000, 1, 1), description="The last day; today if not given.")


class TicketRow(Frozen):
    """A ticket without its texts other than the subject. Times are ISO 8601 in UTC."""

    model_config = ConfigDict(extra="ignore")

    number: str
    id: int = Field(description="The number that runs, receipts and the agents' pages use.")
    version: int = Field(description="Each change makes a new one; the ETag is this number in quotation marks.")
    subject: str
    status: Status
    priority: Priority | None
    category: str | None
    urgency: str | None
    sentiment: str | None
    escalated: bool
    tags: tuple[str, ...]
    group: str | None
    assignee: str | None = Field(description="The agent's mail address.")
    customer: str = Field(description="The customer's mail address.")
    customer_name: str
    source: str = Field(description="Where it was submitted: web, api, or what an import says.")
    created_at: str
    updated_at: str
    first_reply_at: str | None
    resolved_at: str | None
    closed_at: str | None


class TicketsPage(Frozen):
    """A page of a list; ``next`` is the cursor of the following one."""

    tickets: tuple[TicketRow, ...]
    next: str | None


class TriageResult(Frozen):
    """What ticketbot found; confidence and analyser are those of its internal note, null where there is none."""

    model_config = ConfigDict(extra="ignore")

    category: str | None
    urgency: str | None
    sentiment: str | None
    escalated: bool
    reasons: tuple[str, ...] = Field(description="Why it was escalated.")
    confidence: float | None
    analyser: str | None
    note: int | None = Field(description="The note's id in the conversation.")


class TicketWhole(TicketRow):
    """A ticket with its texts, which are as people typed them: escape them where you show them."""

    description: str
    steps: tuple[TimelineStep, ...]
    triage: TriageResult | None = Field(description="null before ticketbot has triaged it.")
    conversation: tuple[Message, ...] = Field(description="Messages; those that are not public are internal notes.")
    files: tuple[Attachment, ...] = Field(description="Those without a message came with the ticket.")


class Done(Frozen):
    """What a request made, or asked for."""

    number: str
    id: int
    version: int
    message: int | None = Field(None, description="The id of the new message.")


class GroupFigures(Frozen):
    """Tickets of one kind: how many, and seconds from their creation, of those that have come so far."""

    tickets: int
    first_reply_count: int
    first_reply_median_s: float | None
    first_reply_p90_s: float | None
    resolution_count: int
    resolution_median_s: float | None
    resolution_p90_s: float | None


class TicketStatistics(Frozen):
    """Counts and times of the tickets created on these days; ``none`` stands for tickets without such a label."""

    since: date
    until: date
    all: GroupFigures
    category: dict[str, GroupFigures]
    urgency: dict[str, GroupFigures]
    status: dict[str, GroupFigures]
    source: dict[str, GroupFigures]


class Problem(Frozen):
    """An error (RFC 9457)."""

    type: Literal["about:blank"] = "about:blank"
    title: str
    status: int
    detail: str
    errors: dict[str, str] = Field({}, description="With 422: what is wrong, by its place.")
    allowed: tuple[Status, ...] | None = Field(None, description="With 409: the statuses that may follow.")


def rows_of(store: LocalStore, tickets: Sequence[LocalTicket]) -> tuple[TicketRow, ...]:
    """The tickets as rows of a list."""
    return tuple(TicketRow.model_validate(each) for each in _rows(store, tickets))


def _rows(store: LocalStore, tickets: Sequence[LocalTicket]) -> Iterator[dict[str, Any]]:
    groups, team = store.groups(), {person.id: person.email for person in store.team()}
    people = store.people(each.requester for each in tickets)
    for each in tickets:
        customer, names = people[each.requester], {"source": each.channel, "group": groups.get(each.group or 0)}
        names |= {"assignee": team.get(each.assignee or 0), "customer": customer.email, "customer_name": customer.name}
        yield vars(each) | names


def whole(store: LocalStore, ticket: LocalTicket) -> TicketWhole:
    """The ticket with all that agents see of it."""
    (row,) = _rows(store, [ticket])
    events, messages = store.events(ticket.id), store.messages(ticket.id, public_only=False)
    triage = _triage(ticket, messages, escalations(events))
    more = {"steps": steps(ticket, events), "conversation": messages, "files": store.files(ticket.id)}
    return TicketWhole.model_validate({**row, "triage": triage, **more})


_NOTE = re.compile(
    r"Triage(?: \(a guess by (?P<guess>[^\n]*?)\))?: [^\n]*; (?:by (?P<by>[^\n]*), )?confidence (?P<sure>\d\.\d\d)\."
)
"""The first line of ticketbot's internal note; see ``policy/note.py``."""


def triage_in(note: str) -> tuple[str, float] | None:
    """The analyser and the confidence that an internal note names; ``None`` if it is no note about a triage."""
    found = _NOTE.match(note)
    return None if found is None else (found["by"] or found["guess"], float(found["sure"]))


def _triage(ticket: LocalTicket, messages: Sequence[Message], reasons: Sequence[str]) -> TriageResult | None:
    notes = [(triage_in(each.body), each.id) for each in messages if each.author.kind == "ai" and not each.public]
    found, note = next((each for each in reversed(notes) if each[0]), (None, None))
    if found is None and not (ticket.category or ticket.urgency or ticket.sentiment):
        return None
    analyser, confidence = found or (None, None)
    why = reasons[-1].split() if reasons and ticket.escalated else ()
    more = {"reasons": why, "confidence": confidence, "analyser": analyser, "note": note}
    return TriageResult.model_validate(vars(ticket) | more)


def figures(found: Sequence[sqlite3.Row], since: date, until: date) -> TicketStatistics:
    """Counts and times of these tickets."""

    def by(part: str) -> dict[str, GroupFigures]:
        groups: dict[str, list[sqlite3.Row]] = {}
        for each in found:
            groups.setdefault(each[part] or "none", []).append(each)
        return {name: _group(groups[name]) for name in sorted(groups)}

    parts = ("category", "urgency", "status", "source")
    return TicketStatistics(since=since, until=until, all=_group(found), **{part: by(part) for part in parts})


def _group(found: Sequence[sqlite3.Row]) -> GroupFigures:
    numbers: dict[str, Any] = {"tickets": len(found)}
    for name in ("first_reply", "resolution"):
        known = [seconds for each in found if (seconds := each[f"{name}_s"]) is not None]
        tenths = quantiles(known, n=10, method="inclusive") if len(known) > 1 else known * 9
        median, p90 = (round(tenths[4], 1), round(tenths[8], 1)) if known else (None, None)
        numbers |= {f"{name}_count": len(known), f"{name}_median_s": median, f"{name}_p90_s": p90}
    return GroupFigures(**numbers)


_ERRORS = {
    400: "The body is no JSON.",
    401: "No valid token.",
    403: "The token may only read.",
    404: "There is no such ticket.",
    409: "The ticket's status does not allow it; allowed are the statuses that may follow.",
    412: "Somebody has changed the ticket since.",
    413: "The body has more than 256 KiB.",
    415: "The body is not application/json.",
    422: "Something in the request is wrong, or its key was used for another one.",
    428: "If-Match is missing.",
    429: f"Too many requests, {API_REQUESTS} a minute for a token, or wrong tokens: see Retry-After.",
    500: "The mistake is ours.",
    503: "The helpdesk cannot be used at the moment.",
}
_ALWAYS = {401, 422, 429, 500, 503}
_WRITING = {400, 403, 413, 415}
_PROBLEM = {"application/problem+json": {"schema": {"$ref": "#/components/schemas/Problem"}}}


def document(api: FastAPI) -> dict[str, Any]:
    """The OpenAPI document of the routes, made once; operations name the problems and headers they answer with."""
    if api.openapi_schema is None:
        made = get_openapi(title=api.title, version=api.version, description=api.description, routes=api.routes)
        schemas = made["components"]["schemas"]
        del schemas["HTTPValidationError"], schemas["ValidationError"]
        schemas["Problem"] = Problem.model_json_schema(mode="serialization")
        for path, methods in made["paths"].items():
            for method, operation in methods.items():
                _complete(path, method, operation)
        api.openapi_schema = made
    return api.openapi_schema


def _complete(path: str, method: str, operation: dict[str, Any]) -> None:
    on_one, guarded = "{number}" in path, any(each["name"] == "if-match" for each in operation.get("parameters", ()))
    statuses = _ALWAYS | ({404} if on_one else set())
    if method != "get":
        statuses |= _WRITING | ({409} if on_one else set())
    if guarded:
        statuses |= {412} | ({428} if method == "patch" else set())
    answers = operation["responses"]
    answers |= {str(one): {"description": _ERRORS[one], "content": _PROBLEM} for one in statuses}
    operation["responses"] = dict(sorted(answers.items()))
    next(iter(answers.values()))["description"] = "Done."
    for status, name, words in (("429", "Retry-After", "Seconds."), ("201", "Location", "The ticket's address.")):
        if status in answers and (name != "Location" or not on_one):
            answers[status]["headers"] = {name: {"description": words, "schema": {"type": "string"}}}
    if path.endswith("{number}"):
        answers["200"]["headers"] = {"ETag": {"description": "The version.", "schema": {"type": "string"}}}
