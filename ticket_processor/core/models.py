"""The data of a ticket's way through a run, plain and frozen; no vendor's words, no file and no network."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from enum import StrEnum
from typing import Annotated, Any, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, WrapValidator, model_validator

from .clock import parse_iso
from .errors import MissingPart
from .reasons import NO_MODEL
from .service_times import ServiceTime
from .text import OutgoingText


class Frozen(BaseModel):
    """Base of all data here: immutable, closed, and never quoting its input in an error message."""

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True, defer_build=True)


def _as_looked_at(value: object, validated: Callable[[object], str]) -> str:
    return value if isinstance(value, OutgoingText) else validated(value)


Words = Annotated[str, WrapValidator(_as_looked_at)]  # stays an OutgoingText if it was one


class Urgency(StrEnum):
    """How soon a person should look, by the writer's words."""

    CRITICAL = "critical"
    HIGH = "high"
    MEDIUM = "medium"
    LOW = "low"


URGENT = (Urgency.CRITICAL, Urgency.HIGH)


class Sentiment(StrEnum):
    """The writer's mood towards the company or product."""

    NEGATIVE = "negative"
    NEUTRAL = "neutral"
    POSITIVE = "positive"


class Risk(StrEnum):
    """What is at stake if nobody looks: money, data, safety, the law, or the customer."""

    LOW = "low"
    MEDIUM = "medium"
    HIGH = "high"


class Priority(StrEnum):
    """A ticket's priority, in the words most helpdesks use."""

    URGENT = "urgent"
    HIGH = "high"
    NORMAL = "normal"
    LOW = "low"


class Overwrite(StrEnum):
    """Whether a value that a ticket holds already may be replaced.

    ``bot-set``: only a value that we set and no person has changed since.
    """

    NEVER = "never"
    BOT_SET = "bot-set"
    ALWAYS = "always"


class Ticket(Frozen):
    """A snapshot of the helpdesk's ticket.

    ``updated_at`` is the exact string that was read: a guarded update sends it back as its stamp.
    ``read_at`` is the helpdesk's own clock (the reply's ``Date``) at the read, Unix seconds; ``None`` when the
    reply had none. ``subject``, ``description`` and the senders' addresses are the customer's: never log them.
    Other people and things are named by their numbers.
    """

    id: int
    subject: str = ""
    description: str = ""
    status: str = "new"
    priority: Priority | None = None
    tags: tuple[str, ...] = ()
    created_at: str
    updated_at: str
    read_at: float | None = None
    channel: str = ""
    messaging: bool = Field(False, description="a live conversation, of which the helpdesk shows no text, or late")
    sender: str = Field("", description="the address that a mail came from")
    requester: int | None = None
    requester_address: str = Field("", description="as far as the helpdesk told it, whatever the channel")
    names: tuple[str, ...] = Field((), description="the requester's, as far as the helpdesk told them; never log them")
    follow_up: bool = Field(False, description="made from a closed ticket, whose tags it inherited")
    group: int | None = None
    assignee: int | None = None
    brand: int | None = None
    organization: int | None = None
    fields: dict[int, str] = Field(default_factory=dict, description="custom fields that hold something; never log it")
    service_times: tuple[ServiceTime, ...] = Field((), description="where the settings want them")

    @property
    def age_of_stamp(self) -> float | None:
        """Seconds between the last change and the read, by the helpdesk's clock; ``None`` if unknown."""
        return None if self.read_at is None else self.read_at - parse_iso(self.updated_at)

    @property
    def seconds_to_last_change(self) -> float:
        """Seconds between creation and the last change: near zero for an untouched ticket."""
        return parse_iso(self.updated_at) - parse_iso(self.created_at)


class Usage(Frozen):
    """Tokens as the model server counted them.

    ``cached`` and ``written`` are parts of the input: read from the server's cache, and written to it at another price.
    The log and the state do not keep ``written``.
    """

    input: int = 0
    output: int = 0
    cached: int = 0
    written: int = Field(0, exclude=True)

    def __add__(self, other: Usage) -> Usage:
        return Usage(**{name: getattr(self, name) + getattr(other, name) for name in Usage.model_fields})


def is_empty(value: object) -> bool:
    """True for an empty value, which is not stored."""
    return value is None or value in ("", ())


class Analysis(Frozen):
    """An analyser's result. All texts are redacted and plain.

    ``category`` is a category of the taxonomy's first level, ``subcategory`` one of its children. ``evidence`` are
    words of the ticket that led to it. ``suspicious`` names the signs that the text tries to instruct a model.
    ``root_cause``, ``steps`` and ``resolution_likelihood`` are a model's advice to agents; no decision uses them.
    """

    category: str
    subcategory: str | None = None
    secondary: tuple[str, ...] = Field((), max_length=2, description="other categories that fit, best first")
    urgency: Urgency
    sentiment: Sentiment
    urgent_tone: bool = Field(False, description="the writer presses for haste, whatever the matter deserves")
    risk: Risk = Risk.LOW
    alarms: tuple[str, ...] = Field((), description="what the text's own words warn of, such as security or legal")
    language: str = Field(pattern=r"^[a-z]{2,3}$", description="ISO 639 code, 'und' when unknown")
    summary: str = Field(max_length=300)
    condenses: bool = Field(False, description="the summary saves reading a long text")
    entities: dict[str, str] = Field(default_factory=dict, description="what the site asked for, by its names")
    evidence: tuple[str, ...] = Field((), max_length=5)
    urgent_words: tuple[str, ...] = Field(
        (), max_length=3, exclude_if=is_empty, description="of an urgent ticket, as keyword rules find them"
    )
    root_cause: str = Field("", max_length=200, exclude_if=is_empty)
    steps: tuple[str, ...] = Field((), max_length=5, exclude_if=is_empty, description="to try, in order")
    resolution_likelihood: float | None = Field(
        None, ge=0, le=1, exclude_if=is_empty, description="probability that the first reply solves the ticket"
    )
    confidence: float = Field(ge=0, le=1, allow_inf_nan=False)
    suspicious: tuple[str, ...] = ()
    examples: tuple[int, ...] = Field(
        (),
        max_length=15,
        exclude_if=is_empty,
        description="the approved corrections that it was learnt from, by number",
    )
    source: Literal["model", "neighbours", "classifier", "rules"]
    """``neighbours`` only in what earlier versions stored: approved examples of similar tickets chose the category."""
    model: str | None = None
    cached: bool = Field(False, description="the answer was given for the same text before, and cost nothing now")
    why_fallback: str | None = Field(None, description="why no model answered, when rules did")
    settings_file: str = Field(
        "",
        pattern=r"^[\w.-]{0,80}$",
        exclude_if=is_empty,
        description="the settings file it was made by, where two share a run's tickets",
    )
    attempts: int = 0
    usage: Usage = Field(default_factory=Usage)
    cost_usd: float | None = None

    @model_validator(mode="before")
    @classmethod
    def _of_an_earlier_version(cls, data: Any) -> Any:
        """Drop fields that analyses of earlier versions in a state folder may hold."""
        former = ("release", "against", "advice_dropped")
        if isinstance(data, dict) and not data.keys().isdisjoint(former):
            return {name: value for name, value in data.items() if name not in former}
        return data

    @property
    def fell_back(self) -> bool:
        """True if a model was configured but did not answer, so that the classifier or the rules did."""
        return self.source != "model" and self.why_fallback != NO_MODEL


class TakenOff(Frozen):
    """What a person took off a ticket and no person has put back; we do not set it again."""

    tags: frozenset[str] = frozenset()
    fields: frozenset[int] = frozenset()
    group: bool = False
    priority: bool = False


class Offered(Frozen):
    """What a note offers from the knowledge base; receipts name it, to compare it with what people sent.

    ``articles`` are ids in the index, best first. ``draft`` is the SHA-256 of a draft's exact text. ``reason`` is a
    fixed word that says why there is no draft although one was wanted.
    """

    kind: Literal["articles", "draft", "no_answer"]
    articles: tuple[str, ...] = ()
    draft: str = ""
    partial: bool = Field(False, description="a part of the question stays open")
    reason: str = ""


class PublicReply(Frozen):
    """A reply that the customer will read. ``draft`` is the SHA-256 of ``text``, so that exactly that text is sent.

    ``threshold`` is the confidence that the settings demand of ``category``. Raises ``ValidationError`` if ``draft``
    belongs to another text.
    """

    text: str = Field(min_length=1)
    category: str
    threshold: float
    draft: str

    @model_validator(mode="after")
    def _is_its_draft(self) -> Self:
        if hashlib.sha256(self.text.encode("utf-8")).hexdigest() != self.draft:
            raise ValueError("the draft is not this text's")
        return self


class StatusChange(Frozen):
    """A status that a ticket gets some time after our public reply; category, threshold and draft are the reply's.

    They are empty if a customer's thanks reopened the ticket: it gets ``solved`` again, or ``open`` if that is undone.
    """

    status: Literal["pending", "solved", "open"]
    category: str = ""
    threshold: float = 0.0
    draft: str = ""


class SourcedClaim(Frozen):
    """A statement of a reply, of one or a few sentences, and the ``quote`` of the article that supports it."""

    text: str
    quote: str
    article: str = Field(description="its id in the knowledge base")
    step: bool = Field(False, description="one of the things to do, which only make sense together")


class ReplyPlan(Frozen):
    """A public reply after ``delay_s`` seconds, and the status that follows ``then_s`` seconds later, if one does.

    Any change of the ticket cancels both. ``kinds`` are its categories and alarms, which the settings may exclude from
    public replies. ``claims`` are the statements that make up the reply, in ``language``.
    """

    reply: PublicReply
    delay_s: float
    then: Literal["pending", "solved"] | None = None
    then_s: float = 0.0
    kinds: tuple[str, ...] = ()
    claims: tuple[SourcedClaim, ...] = ()
    language: str = ""


class Decision(Frozen):
    """What policy wants for one ticket, before it is merged with the ticket as it is at the write."""

    ticket_id: int
    tags: tuple[str, ...] = ()
    tags_removed: tuple[str, ...] = Field((), description="labels of ours that no longer hold")
    priority: Priority | None = None
    group: int | None = None
    fields: dict[int, str] = Field(default_factory=dict, description="custom field id to value")
    priority_overwrite: Overwrite = Overwrite.NEVER
    priority_raises_only: bool = Field(False, description="where it may replace another priority, only a lower one")
    group_overwrite: Overwrite = Overwrite.NEVER
    fields_overwrite: Overwrite = Overwrite.NEVER
    escalated: tuple[str, ...] = Field((), description="why it is escalated, in fixed words; empty when it is not")
    closing: StatusChange | None = Field(None, exclude_if=is_empty, description="a status that its note tells of")
    note: Words | None = Field(None, description="plain text, without the reference line")
    offered: Offered | None = Field(None, description="what the note brings from the knowledge base")
    reply: ReplyPlan | None = Field(None, description="a public reply for later; its note announces it")
    reason: Words
    suggest_only: bool = False


class Change(Frozen):
    """A decision merged with a freshly read ticket: exactly what will be sent, and the values it was merged from."""

    ticket_id: int
    stamp: str
    tags: tuple[str, ...] = Field(description="the whole list after the change")
    tags_before: tuple[str, ...]
    tags_added: tuple[str, ...] = ()
    tags_removed: tuple[str, ...] = ()
    priority_before: Priority | None = None
    priority: Priority | None = Field(None, description="new value; None leaves it alone")
    group_before: int | None = None
    group: int | None = Field(None, description="new value; None leaves it alone")
    fields: dict[int, str] = Field(default_factory=dict, description="new values of custom fields that were empty")
    fields_replaced: tuple[int, ...] = Field((), description="those of them that held another value")
    fields_kept: tuple[int, ...] = Field((), description="wanted as well, but somebody has filled them in")
    cleared: tuple[Literal["priority", "group"], ...] = Field((), description="values that are taken off again")
    fields_cleared: tuple[int, ...] = Field((), description="custom fields that are emptied again")
    note: Words | None = None
    notes_removed: tuple[int, ...] = Field((), description="numbers of notes of ours that are deleted again")
    escalated: tuple[str, ...] = Field((), description="why somebody is to look soon")
    offered: Offered | None = Field(None, description="what the note brings from the knowledge base")
    reply: PublicReply | None = Field(None, description="the one kind of comment that customers read")
    closing: StatusChange | None = Field(None, description="the one kind of write that changes the status")
    puts_back: bool = Field(False, description="its values are a person's, which no log is to hold")
    key: str = Field(description="proves on the ticket that this write was ours")
    intent: str = Field("", description="names this very write in the log, the state and on the ticket")

    @property
    def field_values(self) -> dict[int, str | None]:
        """The new values of custom fields; ``None`` empties one."""
        return {**self.fields, **dict.fromkeys(self.fields_cleared)}


class OutcomeStatus(StrEnum):
    """The end of a ticket in this run."""

    UPDATED = "updated"
    SKIPPED = "skipped"
    SUGGESTED = "suggested"
    PLANNED = "planned"
    FAILED = "failed"


Request = Literal["ticket", "audits", "update", "analysis"]
"""The steps that may fail for a ticket: reading it or its record, writing to it, analysing it."""


ReplyKind = Literal["thanks", "new_question", "same_problem", "more_information", "out_of_office", "unclear"]
"""What a customer's reply is; ``out_of_office`` stands for every automatic reply."""


class ReplySeen(Frozen):
    """The newest of a customer's public comments that a run has looked at: the ``number``-th of the ticket."""

    kind: ReplyKind
    number: int


class Outcome(Frozen):
    """The end of one ticket's way through a run; the source of its receipt."""

    ticket_id: int
    status: OutcomeStatus
    reason: Words
    analysis: Analysis | None = None
    customer_reply: ReplySeen | None = Field(None, description="the customer's reply that the outcome is about, if any")
    change: Change | None = None
    attempts: int = 0
    retry: bool = Field(False, description="True: keep it on the retry list for a later run")
    missing: tuple[MissingPart, ...] = Field(
        (), description="refused parts of the change; all but a note are completed later"
    )
    key: str | None = Field(None, description="of the write that was to be made")
    failed_at: Request | None = Field(None, description="what failed, where others may share the fault")
    job: str | None = Field(None, description="the job that carried the change, if one did")
    timings_ms: dict[str, int] = Field(default_factory=dict)
    service_times: tuple[ServiceTime, ...] = ()

    @property
    def written(self) -> bool:
        """True if the run wrote to the ticket."""
        return self.status in (OutcomeStatus.UPDATED, OutcomeStatus.SUGGESTED)

    @property
    def latency_ms(self) -> int:
        """Time for service levels: analysis and write; only analysis for a job's item, whose write is shared."""
        return self.timings_ms.get("total" if self.job is None else "analyse", 0)
