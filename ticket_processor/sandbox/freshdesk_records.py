"""The records of the Freshdesk store: tickets and conversations in the API's own shape, and every change of them."""

from __future__ import annotations

import html
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal, NamedTuple

from .clock import iso
from .text import html_to_text

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
class FreshdeskTicket:
    """A ticket. ``json`` is what viewing it shows; its lists and objects are replaced, never changed in place.

    ``created``, ``changed`` and ``closed`` are exact Unix times: of the creation, of the last change that moved
    ``updated_at``, and of its closing if it is closed. ``shown_tags`` were in the last answer about this one ticket.
    """

    id: int
    json: dict[str, Any]
    created: float
    changed: float
    requester_name: str
    closed: float | None = None
    deleted: bool = False
    spam: bool = False
    conversations: list[dict[str, Any]] = field(default_factory=list)
    edits: list[TicketEdit] = field(default_factory=list)
    shown_tags: frozenset[str] = frozenset()

    @property
    def tags(self) -> tuple[str, ...]:
        """The tags now."""
        return tuple(self.json["tags"])

    @property
    def stamp(self) -> str:
        """``updated_at``."""
        return str(self.json["updated_at"])

    @property
    def notes(self) -> list[dict[str, Any]]:
        """The notes that are there, oldest first."""
        return [row for row in self.conversations if row["source"] == NOTE]


_EMPTY_AT_FIRST = """email_config_id group_id responder_id company_id association_type support_email to_emails
    product_id type""".split()
_LISTS = "cc_emails fwd_emails reply_cc_emails ticket_cc_emails tags attachments".split()
_NEVER = """from_email bcc_emails email_failure_count outgoing_failures thread_id thread_message_id last_edited_at
    last_edited_user_id automation_id automation_type_id source_additional_info""".split()


def new_ticket_json(ticket_id: int, moment: float) -> dict[str, Any]:
    """A ticket with every key the API gives, and nothing filled in yet."""
    stamp = iso(moment)
    return {
        "id": ticket_id,
        **dict.fromkeys(_EMPTY_AT_FIRST),
        **{name: [] for name in _LISTS},
        **dict.fromkeys(("subject", "description", "description_text"), ""),
        **dict.fromkeys(("fr_escalated", "is_escalated", "spam"), False),
        "priority": LOW,
        "status": OPEN,
        "source": 2,
        "requester_id": 0,
        "custom_fields": {},
        "due_by": iso(moment + 3 * 86_400),
        "fr_due_by": iso(moment + 86_400),
        "created_at": stamp,
        "updated_at": stamp,
    }


def new_conversation(
    conversation_id: int,
    ticket_id: int,
    moment: float,
    user_id: int,
    markup: str,
    *,
    private: bool,
    incoming: bool,
    source: int,
) -> dict[str, Any]:
    """A note or a reply in the API's shape."""
    stamp = iso(moment)
    return {
        **dict.fromkeys(_NEVER),
        **{name: [] for name in ("to_emails", "cc_emails", "attachments")},
        "id": conversation_id,
        "ticket_id": ticket_id,
        "body": markup,
        "body_text": html_to_text(markup),
        "incoming": incoming,
        "private": private,
        "user_id": user_id,
        "support_email": None if source == NOTE else "support@example.com",
        "source": source,
        "category": 1 if incoming else 3 if source == REPLY else 2,
        "auto_response": False,
        "created_at": stamp,
        "updated_at": stamp,
    }


def attachment(name: str, attachment_id: int, moment: float) -> dict[str, Any]:
    """A file in the API's shape."""
    return {
        "id": attachment_id,
        "content_type": "application/octet-stream",
        "size": 0,
        "name": name,
        "attachment_url": f"https://example.invalid/attachments/{attachment_id}",
        "created_at": iso(moment),
        "updated_at": iso(moment),
    }


def as_html(text: str) -> str:
    """Plain text as the HTML the vendor keeps for it."""
    return f"<div>{html.escape(text, quote=False)}</div>".replace("\n", "<br>")
