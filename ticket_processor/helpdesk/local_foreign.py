"""Tickets of other helpdesks, as an import reads them.

Known are rows of tickets as Zendesk's JSON export and its API give them (``comments`` and ``requester`` inside where
there are any), and as Freshdesk's API does (``conversations`` and ``requester`` inside). Groups, assignees and files
stay behind.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from ..core.errors import TicketError
from ..core.models import Ticket
from . import freshdesk_format, zendesk_format
from .json_values import mapping, string
from .local_model import LocalHelpdeskError, Status

_FRESHDESK_ONLY = ("conversations", "description_text", "fr_due_by")
_STATUSES: Mapping[str, Status] = {
    "pending": "waiting",
    "hold": "in_progress",
    "solved": "resolved",
    "closed": "closed",
    "deleted": "spam",
}


@dataclass(frozen=True)
class ForeignComment:
    """One comment of a foreign ticket."""

    at: str
    by_requester: bool
    public: bool
    text: str


@dataclass(frozen=True)
class ForeignTicket:
    """A ticket of another helpdesk with what was said on it, the description not among that."""

    ticket: Ticket
    said: tuple[ForeignComment, ...]

    @property
    def status(self) -> Status:
        """Its status in our words."""
        return _STATUSES.get(self.ticket.status, "open")

    @property
    def address(self) -> str:
        """The requester's address; one that reaches nobody where none is told."""
        told = self.ticket.requester_address or self.ticket.sender
        return told or f"requester-{self.ticket.requester or 0}@unknown.invalid"


def read_foreign(row: Mapping[str, Any]) -> ForeignTicket:
    """A row of Zendesk's or Freshdesk's. Raises :class:`LocalHelpdeskError`."""
    try:
        return _freshdesk(row) if any(name in row for name in _FRESHDESK_ONLY) else _zendesk(row)
    except TicketError:
        raise LocalHelpdeskError("it is no line of an export, and no ticket of Zendesk or Freshdesk") from None


def _zendesk(row: Mapping[str, Any]) -> ForeignTicket:
    person = mapping(row.get("requester"))
    number = row.get("requester_id", person.get("id"))
    people = {number: (string(person.get("name")), string(person.get("email")))} if isinstance(number, int) else {}
    ticket = zendesk_format.read_ticket({**row, "requester_id": number}, None, people)
    comments = [mapping(item) for item in row.get("comments") or ()]
    said = tuple(
        ForeignComment(
            string(item.get("created_at")),
            item.get("author_id") == number,
            item.get("public") is True,
            string(item.get("plain_body") or item.get("body")),
        )
        for item in comments[1:]  # the first one is the description
    )
    return ForeignTicket(ticket, said)


def _freshdesk(row: Mapping[str, Any]) -> ForeignTicket:
    person = mapping(row.get("requester"))
    named = string(person.get("name")), string(person.get("email"))
    ticket = freshdesk_format.read_ticket(row, None, {}, touched=True, person=named)
    said = tuple(
        ForeignComment(item.at, item.author == ticket.requester, not item.private, item.text)
        for item in freshdesk_format.read_conversations(row.get("conversations") or [])
    )
    return ForeignTicket(ticket, said)
