"""The portal's mail: which events call for one, and what it says. Pure, but for what it reads from the store.

A customer hears of an answer and of the resolution, the team of an escalation. Headers hold nothing that a customer
wrote, and a mail to the team holds no word of the ticket.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator, Sequence
from datetime import UTC, datetime
from email.headerregistry import Address
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import format_datetime
from itertools import groupby

from ...helpdesk.local_model import UNDONE, Event, LocalTicket, Message, Person
from ...helpdesk.local_store import LocalStore
from .outbox import Due

MOST_CHARACTERS = 20_000
"""Of an answer; the rest is on the ticket's page."""
BY_AI = "This answer was written by an AI assistant. No person checked it before it was sent."
UNDO_S = 20.0
"""How long a ticket has to stay resolved before its customer is told: an agent may take it back."""
_US = ("agent", "ai")


def called_for(
    ticket: LocalTicket, events: Iterable[Event], team: Sequence[Person], escalated_tag: str
) -> Iterator[Due]:
    """The mails that the events of a ticket call for, all of them, each once."""
    if ticket.status == "spam":
        return
    was_escalated = False
    for version, group in groupby(events, lambda event: event.version):
        write = list(group)
        if any(map(_is_answer, write)):
            yield Due(ticket.id, version, ticket.requester)
        elif any(map(_is_resolution, write)):
            yield Due(ticket.id, version, ticket.requester, pause_s=UNDO_S)
        is_escalated = was_escalated
        for event in write:
            if event.field == "tag" and escalated_tag in (event.old, event.new):
                is_escalated = event.new == escalated_tag
            elif event.field == "status":
                is_escalated = event.new == "escalated" or (is_escalated and event.old != "escalated")
        if is_escalated and not was_escalated:
            yield from (Due(ticket.id, version, person.id) for person in team if person.id != write[0].actor.person)
        was_escalated = is_escalated


def _is_answer(event: Event) -> bool:
    return event.actor.kind in _US and event.field == "message" and event.reason == "public"


def _is_resolution(event: Event) -> bool:
    """Whether it is news that the ticket is resolved; to an undo, nothing happened."""
    is_resolved = event.field == "status" and event.new == "resolved"
    return event.actor.kind in _US and is_resolved and event.reason != UNDONE


class Writer:
    """Writes mails. ``url`` is where people reach the portal, ``name`` what it is called."""

    def __init__(self, store: LocalStore, url: str, name: str, mail_from: str) -> None:
        self._store = store
        self._url = url
        self._name = name
        self._from = mail_from

    def write(self, due: Due, now: float) -> EmailMessage | None:
        """The mail as it is sent; ``None`` where there is nobody to send it to any more.

        Each time it gets a link with a secret of its own. Raises ``ValueError`` for an address that is none.
        """
        ticket, person = self._store.ticket(due.ticket_id), self._store.person(due.person)
        if ticket is None or person is None or person.is_erased or ticket.status == "spam":
            return None
        if person.id == ticket.requester:
            events = [event for event in self._store.events(ticket.id) if event.version == due.version]
            if not any(map(_is_answer, events)) and ticket.status not in ("resolved", "closed"):
                return None  # it was opened again meanwhile
            subject, body = self._for_customer(ticket, events)
        else:
            subject, body = self._for_team(ticket)
        return self._made(due, person.email, subject, body, now)

    def _for_customer(self, ticket: LocalTicket, events: Sequence[Event]) -> tuple[str, str]:
        number = ticket.number
        resolved = any(event.field == "status" and event.new == "resolved" for event in events)
        said = {int(event.new or 0) for event in events if event.field == "message" and event.reason == "public"}
        answers = [message for message in self._store.messages(ticket.id, public_only=True) if message.id in said]
        parts = ["Hello,"]
        for answer in answers:
            parts += [f"{_who(answer)} answered your request {number}:", *([BY_AI] * (answer.author.kind == "ai"))]
            parts.append(_quoted(answer.body))
        if resolved:
            parts.append(f"Your request {number} is resolved. If it is not, open it again on its page.")
        link = f"{self._url}/t/{number}?k={self._store.new_secret(ticket.id)}"
        parts.append(f"Read, answer or rate it here; the link opens it for everybody who has it:\n{link}")
        parts.append("A program sent this mail, and reads no answer to it.")
        return f"Your request {number}: {'resolved' if resolved else 'an answer'}", "\n\n".join(parts)

    def _for_team(self, ticket: LocalTicket) -> tuple[str, str]:
        words = {"category": ticket.category, "urgency": ticket.urgency, "sentiment": ticket.sentiment}
        told = ", ".join(f"{name} {value}" for name, value in words.items() if value)
        parts = [
            f"Ticket {ticket.number} is escalated{': ' if told else ''}{told}.",
            f"{self._url}/admin/tickets/{ticket.id}",
        ]
        return f"Escalated: {ticket.number}", "\n\n".join(parts)

    def _made(self, due: Due, to: str, subject: str, body: str, now: float) -> EmailMessage:
        made = EmailMessage(policy=SMTP)
        made["From"] = Address(self._name, addr_spec=self._from)
        made["To"] = _address(to)
        made["Subject"] = subject
        made["Date"] = format_datetime(datetime.fromtimestamp(now, UTC))
        # The same for each try: where a server took a mail and its answer was lost, receivers know the second one.
        key = hashlib.sha256(f"{self._url} {due.ticket_id} {due.version} {due.person}".encode()).hexdigest()[:32]
        made["Message-ID"] = f"<{key}@{self._from.partition('@')[2]}>"
        made["Auto-Submitted"] = "auto-generated"
        made["X-Auto-Response-Suppress"] = "All"
        made.set_content(body, cte="quoted-printable")
        return made


def _address(written: str) -> Address:
    try:
        return Address(addr_spec=written)
    except Exception as error:  # Python's parser raises errors of many kinds, those of its own bugs among them
        raise ValueError("the address is none") from error


def _who(message: Message) -> str:
    return "Our AI assistant" if message.author.kind == "ai" else message.name or "Our team"


def _quoted(text: str) -> str:
    shown = text if len(text) <= MOST_CHARACTERS else f"{text[:MOST_CHARACTERS]}…"
    return "\n".join(f"    {line}" for line in shown.splitlines())
