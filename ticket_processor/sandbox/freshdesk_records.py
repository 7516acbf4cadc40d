"""The records of a Freshdesk account: tickets and conversations in the API's own shape, and every change of them."""

from __future__ import annotations

import html
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal, NamedTuple

from .account import HeldTicket, shaped
from .clock import iso

Who = Literal["bot", "agent", "customer", "rule", "fill"]
Via = Literal["request", "person", "customer", "rule", "fill"]
ConversationEvent = Literal["created", "edited", "deleted"]


class By(NamedTuple):
    """Who makes a change, and by which door."""

    who: Who
    user_id: int
    via: Via


OPEN, PENDING, RESOLVED, CLOSED = 2, 3, 4, 5
LOW, MEDIUM, HIGH, URGENT = 1, 2, 3, 4
REPLY, NOTE = 0, 2
"""Values of a conversation's ``source``."""

SOURCES = {1: "email", 2: "portal", 3: "phone", 7: "chat", 9: "feedback widget", 10: "outbound email"}
PRIORITIES = {LOW: "Low", MEDIUM: "Medium", HIGH: "High", URGENT: "Urgent"}


@dataclass(frozen=True)
class TicketEdit:
    """One change of one ticket: the ground truth that tests judge a client by. No answer of the API shows it.

    ``at`` is the exact Unix time.
    ``changes`` holds other fields than tags by name, before and after; own fields of the account by their own name.
    ``tags_unseen`` are those of ``tags_removed`` that no answer about this one ticket had shown since they were set:
    a caller who replaces the list could not know them. A conversation has its id, whether it is private, what it is
    (``source``) and what happened to it. ``sent`` is the body of the request.
    """

    at: float
    ticket_id: int
    by: By
    tags_added: frozenset[str] = frozenset()
    tags_removed: frozenset[str] = frozenset()
    tags_unseen: frozenset[str] = frozenset()
    changes: Mapping[str, tuple[Any, Any]] = field(default_factory=dict)
    conversation_id: int | None = None
    conversation: ConversationEvent | None = None
    private: bool | None = None
    source: int | None = None
    sent: Mapping[str, Any] = field(default_factory=dict)

    @property
    def who(self) -> Who:
        """The kind of user that made the change."""
        return self.by.who

    @property
    def via(self) -> Via:
        """The door it came by."""
        return self.by.via

    @property
    def is_note(self) -> bool:
        """Whether this made, edited or deleted a note, and not a reply."""
        return self.source == NOTE


@dataclass
class FreshdeskTicket(HeldTicket):
    """A ticket of Freshdesk's; ``json`` is what viewing it shows.

    ``closed`` is the exact Unix time of its closing if it is closed. ``shown_tags`` were in the last answer about this
    one ticket.
    """

    closed: float | None = None
    spam: bool = False
    conversations: list[dict[str, Any]] = field(default_factory=list)
    edits: list[TicketEdit] = field(default_factory=list)
    shown_tags: frozenset[str] = frozenset()

    @property
    def notes(self) -> list[dict[str, Any]]:
        """The notes that are there, oldest first."""
        return [row for row in self.conversations if row["source"] == NOTE]


def attachment(name: str, attachment_id: int, moment: float) -> dict[str, Any]:
    """A file in the API's shape."""
    stamps = dict.fromkeys(("created_at", "updated_at"), iso(moment))
    address = f"https://example.invalid/attachments/{attachment_id}"
    return shaped("freshdesk attachment", id=attachment_id, name=name, attachment_url=address, **stamps)


def as_html(text: str) -> str:
    """Plain text as the HTML the vendor keeps for it."""
    return f"<div>{html.escape(text, quote=False)}</div>".replace("\n", "<br>")
