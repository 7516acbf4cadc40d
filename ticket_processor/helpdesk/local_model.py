"""The local helpdesk's plain data: tickets, messages, events, and which status may follow which."""

from __future__ import annotations

import re
import secrets
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from types import EllipsisType
from typing import Any, Literal

from stdnum.iso7064 import mod_37_36

from ..core.clock import parse_iso
from ..core.errors import TicketbotError
from ..core.models import Priority, Sentiment, Urgency
from ..core.taxonomy import Taxonomy, default_taxonomy

Status = Literal["open", "in_progress", "escalated", "waiting", "resolved", "closed", "spam"]
ActorKind = Literal["customer", "agent", "ai", "system"]
Role = Literal["customer", "agent", "admin"]

STATUS_WORDS: Mapping[Status, str] = {
    "open": "new",
    "in_progress": "open",
    "escalated": "open",
    "waiting": "pending",
    "resolved": "solved",
    "closed": "closed",
    "spam": "closed",
}
"""The status that a run sees for each status here. Runs leave spam alone, as they do closed tickets."""

MAX_FILE_BYTES = 10_000_000
MAX_COMMENT = 1000
"""Characters of a rating's comment."""
REOPEN_S = 30 * 24 * 3600.0
"""Seconds after its resolution within which a customer may open a ticket again."""
ERASED_ADDRESS = "@erased.invalid"
"""End of the address of an erased person; no mail is sent to it."""

AT_WORK: tuple[Status, ...] = ("open", "in_progress", "escalated", "waiting")
_TRANSITIONS: Mapping[ActorKind, Mapping[Status, tuple[Status, ...]]] = {
    "customer": {**dict.fromkeys(AT_WORK, ("resolved",)), "waiting": ("open", "resolved"), "resolved": ("open",)},
    "agent": {
        "open": ("in_progress", "escalated", "waiting", "resolved", "spam"),
        "in_progress": ("open", "escalated", "waiting", "resolved", "spam"),
        "escalated": ("open", "in_progress", "waiting", "resolved", "spam"),
        "waiting": ("open", "in_progress", "escalated", "resolved", "spam"),
        "resolved": (*AT_WORK, "closed"),
        "spam": AT_WORK,
    },
    # The AI may ask for a person and wait for the customer; only people resolve a ticket.
    "ai": {
        "open": ("escalated", "waiting"),
        "in_progress": ("escalated", "waiting"),
        "escalated": ("open", "waiting"),
    },
    "system": {"resolved": ("closed",)},
}
"""The statuses that may follow each one, by who sets them; a closed ticket stays closed."""


def allowed(status: Status, actor_kind: ActorKind) -> tuple[Status, ...]:
    """The statuses that this kind of actor may give a ticket that has ``status``."""
    return _TRANSITIONS[actor_kind].get(status, ())


def allowed_now(ticket: LocalTicket, actor_kind: ActorKind, now: float) -> tuple[Status, ...]:
    """The same for this ticket ``now`` (Unix seconds): its customer may not reopen it after :data:`REOPEN_S`."""
    ended = parse_iso(ticket.resolved_at) if ticket.resolved_at else 0.0
    is_late = actor_kind == "customer" and ticket.status == "resolved" and now - ended > REOPEN_S
    return () if is_late else allowed(ticket.status, actor_kind)


class LocalHelpdeskError(TicketbotError):
    """The local helpdesk refuses a request; the error's text may be shown to the person who made it."""


class Stale(LocalHelpdeskError):
    """The ticket has changed since it was read; ``current`` is the ticket now."""

    def __init__(self, current: LocalTicket) -> None:
        super().__init__("the ticket has changed since it was read")
        self.current = current


class IllegalTransition(LocalHelpdeskError):
    """The ticket's status does not permit the change; ``allowed`` are the statuses that may follow."""

    def __init__(self, allowed: tuple[Status, ...]) -> None:
        super().__init__("the ticket's status does not permit this")
        self.allowed = allowed


class FormUsed(LocalHelpdeskError):
    """The form was sent before, with other content."""

    def __init__(self) -> None:
        super().__init__("this form was sent before, with something else in it; send it again as a new one")


@dataclass(frozen=True)
class Actor:
    """Who does something: a person by number, the AI, or the helpdesk itself."""

    kind: ActorKind
    person: int | None = None


AI = Actor("ai")
SYSTEM = Actor("system")


@dataclass(frozen=True)
class Person:
    """A person who writes tickets or works on them. Personal data: never log it."""

    id: int
    email: str
    name: str
    role: Role
    password_hash: str | None = field(default=None, repr=False)

    @property
    def is_erased(self) -> bool:
        return self.email.endswith(ERASED_ADDRESS)


@dataclass(frozen=True)
class NewFile:
    """A file as it was sent."""

    name: str
    content: bytes = field(repr=False)


@dataclass(frozen=True)
class NewTicket:
    """A ticket as it is submitted. ``form`` is the secret, unique name of the form that sent it.

    ``by`` is who submits it, without it the customer; ``reason`` is kept with the event.
    """

    subject: str
    description: str
    email: str
    name: str = ""
    channel: str = "web"
    files: Sequence[NewFile] = ()
    tags: Sequence[str] = ()
    form: str = field(default="", repr=False)
    by: Actor | None = None
    reason: str = ""


@dataclass(frozen=True)
class Created:
    """The ticket that a submission created, with a new secret for its link."""

    id: int
    number: str
    secret: str = field(repr=False)


@dataclass(frozen=True)
class LocalTicket:
    """A ticket as it is now. Times are ISO 8601 in UTC with microseconds; ``updated_at`` differs for each version.

    ``group``, ``assignee`` and ``requester`` are numbers; ``fields`` are custom fields by number. ``category``,
    ``urgency``, ``sentiment`` and ``escalated`` say what the tags say.
    """

    id: int
    number: str
    subject: str
    description: str
    status: Status
    priority: Priority | None
    category: str | None
    urgency: str | None
    sentiment: str | None
    escalated: bool
    group: int | None
    assignee: int | None
    requester: int
    channel: str
    created_at: str
    updated_at: str
    first_reply_at: str | None
    resolved_at: str | None
    closed_at: str | None
    version: int
    last_event: int
    tags: tuple[str, ...] = ()
    fields: Mapping[int, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Message:
    """A message on a ticket, other than its description. ``name`` is the author's, if known."""

    id: int
    author: Actor
    name: str
    public: bool
    body: str
    created_at: str


_MEANINGS: Mapping[str, Callable[[Any], Any]] = {"status": STATUS_WORDS.__getitem__, "priority": Priority, "group": int}
UNDONE = "undo"
"""The reason of an event that undoes an agent's change of many tickets."""


@dataclass(frozen=True)
class Event:
    """One change of a ticket. Events are never changed or deleted; those of one write share ``version``.

    ``field`` is ``created``, ``status``, ``priority``, ``group``, ``assignee``, ``tag`` (one each, ``old`` or ``new``),
    ``field:NUMBER``, ``message`` (``new`` is its number, ``reason`` says ``public`` or ``internal``, and ``old`` is an
    agent's reason), ``rating`` or ``erased``. Another ``reason`` is an agent's, or :data:`UNDONE`.
    """

    id: int
    ticket_id: int
    version: int
    at: str
    actor: Actor
    field: str
    old: str | None
    new: str | None
    reason: str = ""
    key: str = ""
    intent: str = ""

    def values(self) -> tuple[Any, Any]:
        """``old`` and ``new`` as a ticket's history has them. Raises ``ValueError`` or ``KeyError``."""
        name, colon, number = self.field.partition(":")
        if colon or name == "field":
            int(number)
        read = _MEANINGS.get(name, str)
        old, new = (None if value is None else read(value) for value in (self.old, self.new))
        return old, new


@dataclass(frozen=True)
class Attachment:
    """A file of a ticket. ``public`` if its message is, or if it was submitted with the ticket."""

    id: int
    ticket_id: int
    message_id: int | None
    name: str
    size: int
    sha256: str
    public: bool


@dataclass(frozen=True)
class Rating:
    """A customer's rating of a resolved ticket."""

    ticket_id: int
    stars: int
    comment: str
    at: str
    changed_at: str | None


@dataclass(frozen=True)
class Kept:
    """A file whose content is on disk already."""

    name: str
    size: int
    sha256: str


@dataclass(frozen=True)
class Write:
    """What one write changes; ``...`` leaves a value as it is, and ``None`` removes it.

    ``fields`` are custom fields by number. ``body`` is a message, which customers see if it is ``public``, and
    ``files`` belong to it. With ``reopens`` a customer's message opens a resolved ticket again, if it is not too late.
    ``form`` is the secret, unique name of the form that sent it. ``key`` and ``intent`` name a write of ticketbot.
    """

    status: Status | None = None
    priority: Priority | EllipsisType | None = ...
    group: int | EllipsisType | None = ...
    assignee: int | EllipsisType | None = ...
    tags_add: Collection[str] = ()
    tags_remove: Collection[str] = ()
    fields: Mapping[int, str | None] = field(default_factory=dict)
    body: str | None = None
    public: bool = False
    reopens: bool = False
    files: Sequence[Kept] = ()
    reason: str = ""
    key: str = ""
    intent: str = ""
    form: str = field(default="", repr=False)


Sort = Literal["updated", "created", "oldest", "urgency"]


@dataclass(frozen=True)
class Query:
    """A search; an empty filter lets every ticket pass.

    ``text`` is searched in subjects, descriptions and messages, ticket numbers, and requesters' addresses.
    """

    text: str = ""
    status: Sequence[Status] = ()
    category: Sequence[str] = ()
    urgency: Sequence[str] = ()
    sentiment: Sequence[str] = ()
    escalated: bool | None = None
    sort: Sort = "updated"


@dataclass(frozen=True)
class PageOfTickets:
    """A page of tickets, and the key of the next page; ``None`` on the last one."""

    rows: tuple[LocalTicket, ...]
    next_key: str | None


@dataclass(frozen=True)
class Labels:
    """The tags for each category, urgency and sentiment, and the tag of an escalation."""

    category: Mapping[str, str]
    urgency: Mapping[str, str]
    sentiment: Mapping[str, str]
    escalated: str

    @classmethod
    def of(cls, prefix: str = "ai_", taxonomy: Taxonomy | None = None) -> Labels:
        """The tags that begin with ``prefix``, as ticketbot sets them."""
        names = [category.name for category in (taxonomy or default_taxonomy()).categories]
        return cls(
            category={name: f"{prefix}{name}" for name in names},
            urgency={item.value: f"{prefix}urgency_{item.value}" for item in Urgency},
            sentiment={item.value: f"{prefix}sentiment_{item.value}" for item in Sentiment},
            escalated=f"{prefix}escalated",
        )

    def said_by(self, tags: Sequence[str]) -> tuple[str | None, str | None, str | None, bool]:
        """Category, urgency, sentiment, and whether the ticket is escalated."""
        return (
            _value_of(self.category, tags),
            _value_of(self.urgency, tags),
            _value_of(self.sentiment, tags),
            self.escalated in tags,
        )


def _value_of(named: Mapping[str, str], tags: Sequence[str]) -> str | None:
    return next((value for value, tag in named.items() if tag in tags), None)


_CROCKFORD = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
"""Base 32 without letters that look like digits (crockford.com/base32.html)."""
_MISREAD = str.maketrans("OIL", "011")
_RANDOM = 8
"""Random digits: 40 bits. The ninth one is their check digit (ISO 7064, hybrid system)."""


def new_number() -> str:
    """A random ticket number, which cannot be guessed from others."""
    digits = "".join(secrets.choice(_CROCKFORD) for _ in range(_RANDOM))
    digits += mod_37_36.calc_check_digit(digits, alphabet=_CROCKFORD)
    return f"T-{digits[:4]}-{digits[4:]}"


def as_written(typed: str) -> str | None:
    """A typed ticket number in its standard spelling; ``None`` if it is mistyped or no ticket number."""
    digits = re.sub(r"[\s-]", "", typed.strip().upper())
    if len(digits) == _RANDOM + 2 and digits[0] == "T":
        digits = digits[1:]
    digits = digits.translate(_MISREAD)
    if len(digits) != _RANDOM + 1 or not set(digits) <= set(_CROCKFORD):
        return None
    if not mod_37_36.is_valid(digits, alphabet=_CROCKFORD):
        return None
    return f"T-{digits[:4]}-{digits[4:]}"
