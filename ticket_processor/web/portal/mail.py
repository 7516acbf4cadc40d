"""The portal's mail: which events call for one, what it says, and the thread that sends it.

A customer hears of an answer and of the resolution, the team of an escalation. Headers hold nothing that a customer
wrote, and a mail to the team holds no word of the ticket. A mail that a server has taken is not sent again; one whose
taking was never answered is, under the same Message-ID.
"""

from __future__ import annotations

import hashlib
import smtplib
import ssl
import threading
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from datetime import UTC, datetime
from email.headerregistry import Address
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import format_datetime
from itertools import groupby
from pathlib import Path

from ...audit.files import replace_file
from ...core.errors import TicketbotError, unexpected
from ...core.files import make_folder
from ...core.http import lowest_tls
from ...helpdesk.local_model import UNDONE, Event, LocalTicket, Message, Person
from ...helpdesk.local_schema import stamp
from ...helpdesk.local_store import LocalStore
from ...settings.pages import PortalServerSettings
from .outbox import KEPT_S, Due, Outbox

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


LOOK_S = 1.0
LATE_S = 60.0
"""How much earlier an event may say that it happened than it could be seen: clocks differ."""
PATIENCE_S = 30.0
Send = Callable[[EmailMessage], object]
Transport = Callable[[], AbstractContextManager[Send]]
"""Connects, gives what sends, and disconnects. Sending raises ``OSError`` or ``smtplib.SMTPException``."""


def into_folder(folder: Path, store: LocalStore) -> Transport:
    """Write mails as files, one each, under the name that their Message-ID gives; none to who has just been erased."""

    def write(mail: EmailMessage) -> None:
        name = str(mail["Message-ID"]).strip("<>").partition("@")[0]
        with store.writing():  # an erasure comes before it, or finds the file
            if any(store.by_email(one.addr_spec) for one in mail["To"].addresses):
                replace_file(folder / f"{name}.eml", lambda file: file.writelines([mail.as_bytes()]))

    @contextmanager
    def connected() -> Iterator[Send]:
        make_folder(folder)
        yield write

    return connected


def by_smtp(settings: PortalServerSettings) -> Transport:
    """Send mails through the server of the settings."""

    @contextmanager
    def connected() -> Iterator[Send]:
        context = ssl.create_default_context()
        context.minimum_version = lowest_tls()
        where = settings.smtp_address
        security = settings.smtp_security
        if security == "tls":
            server: smtplib.SMTP = smtplib.SMTP_SSL(*where, timeout=PATIENCE_S, context=context)
        else:
            server = smtplib.SMTP(*where, timeout=PATIENCE_S)
        with server:
            if security == "where offered":  # on loopback, where no authority's certificate is to be had
                context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
                server.ehlo()
            if security == "starttls" or (security == "where offered" and server.has_extn("starttls")):
                server.starttls(context=context)
            if settings.smtp_user and settings.smtp_password:
                server.login(settings.smtp_user, settings.smtp_password.get_secret_value())
            yield server.send_message

    return connected


class Postman(threading.Thread):
    """Looks at the store's events and sends mail until :meth:`stop`. ``say`` gets no address and no word of a mail."""

    def __init__(
        self,
        store: LocalStore,
        outbox: Outbox,
        writer: Writer,
        transport: Transport,
        now: Callable[[], float],
        say: Callable[[str], object],
    ) -> None:
        super().__init__(name="postman", daemon=True)
        self._store = store
        self._outbox = outbox
        self._writer = writer
        self._transport = transport
        self._now = now
        self._say = say
        self._looked_at = 0.0
        self._stopping = threading.Event()

    def stop(self) -> None:
        """Begin no further mail. From any thread."""
        self._stopping.set()

    def run(self) -> None:
        """The thread's work. Nothing ends it but a stop."""
        while not self._stopping.wait(LOOK_S):
            try:
                self.one_round()
            except TicketbotError as error:
                self._say(f"no mail could be sent: {error}")
                self._stopping.wait(10 * LOOK_S)
            except Exception as error:  # noqa: BLE001 - a bug in one round; the outbox is kept
                self._say(f"no mail could be sent: {unexpected(error)}")
                self._stopping.wait(60 * LOOK_S)

    def one_round(self) -> None:
        """Put in what new events call for, and send what is due."""
        self._collect()
        now = self._now()
        waiting = self._outbox.due(now)
        if not waiting:
            return
        try:
            with self._transport() as send:
                while waiting and not self._stopping.is_set():
                    if self._outbox.take(waiting[0], self._now()):
                        self._send(waiting[0], send)
                    del waiting[0]
        except (OSError, smtplib.SMTPException) as error:
            self._say(f"{len(waiting)} mails wait: {_reason(error)}")
            for mail in waiting:
                self._outbox.failed(mail, now)

    def _collect(self) -> None:
        (seen, looked_at), newest, now = self._outbox.place(), self._store.last_event(), self._now()
        # What is new and says that it happened before was imported, and its people have been told elsewhere.
        last = min(max(self._looked_at, looked_at), now)  # the clock may have been put back
        since = stamp(max(last - LATE_S, now - KEPT_S))
        if newest <= seen:
            self._looked_at = now
            return
        team = self._store.team()
        tag, found = self._store.labels.escalated, list[Due]()
        for ticket in self._store.changed_since(seen, since, limit=-1):
            events = self._store.events(ticket.id)
            new = {event.version for event in events if event.id > seen and event.at >= since}
            found += [mail for mail in called_for(ticket, events, team, tag) if mail.version in new]
        self._outbox.put(found, newest, now)

    def _send(self, mail: Due, send: Send) -> None:
        """Send one mail. Raises what a connection raises that is good for none."""
        try:
            made = self._writer.write(mail, self._now())
            if made is not None:
                send(made)
        except (ValueError, smtplib.SMTPNotSupportedError):
            self._ended(mail, "the address is none")
        except smtplib.SMTPRecipientsRefused as error:
            code = max((code for code, _ in error.recipients.values()), default=550)
            self._refused(mail, code)
        except smtplib.SMTPDataError as error:
            self._refused(mail, error.smtp_code)
        else:
            self._outbox.end(mail, "sent" if made else "given up")

    def _refused(self, mail: Due, code: int) -> None:
        if code >= 500:
            self._ended(mail, f"the server refuses it ({code})")
        else:
            self._outbox.failed(mail, self._now())

    def _ended(self, mail: Due, why: str) -> None:
        self._outbox.end(mail, "given up")
        self._say(f"a mail about ticket {mail.ticket_id} was given up: {why}")


def _reason(error: OSError | smtplib.SMTPException) -> str:
    """Why a server could not be used; its own words may hold an address or a name, so only numbers are told."""
    if isinstance(error, smtplib.SMTPResponseException):
        return f"the mail server answers {error.smtp_code}"
    return f"the mail server cannot be used ({type(error).__name__})"
