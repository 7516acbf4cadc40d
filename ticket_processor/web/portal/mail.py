"""The portal's mail: which events need one, its text, the outbox of due mails, and the thread that sends them.

A customer gets a mail about an answer and about the resolution, the team about an escalation. Headers hold nothing that
a customer wrote, and a mail to the team holds no word of the ticket. A mail that a server accepted is not sent again;
one for which the server never answered is, under the same Message-ID. The outbox holds each mail once, by its key.
"""

from __future__ import annotations

import hashlib
import smtplib
import ssl
import threading
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from email.headerregistry import Address
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import format_datetime
from itertools import groupby
from pathlib import Path
from textwrap import indent
from typing import Literal, NamedTuple

from ...audit.files import replace_file
from ...core.errors import TicketbotError, unexpected
from ...core.files import make_folder
from ...core.http import lowest_tls
from ...helpdesk.local_model import UNDONE, Event, LocalTicket, Person
from ...helpdesk.local_reading import stamp
from ...helpdesk.local_store import LocalStore
from ...settings.pages import PortalServerSettings
from ...state.sqlite import Database

FILE_NAME = "mail.sqlite3"
FIRST_PAUSE_S, LONGEST_PAUSE_S = 30.0, 3600.0
"""Seconds of the pauses between tries; each is twice as long as the one before."""
TAKEN_S = 300.0
"""Seconds for which only the server that took a mail may send it; then others may, since it may have died."""
KEPT_S = 3 * 24 * 3600.0
"""Seconds for which sending a mail is tried; an event that is older needs no mail."""
_SCHEMA = """
CREATE TABLE IF NOT EXISTS mail (
    ticket_id INTEGER NOT NULL,
    version INTEGER NOT NULL,
    person INTEGER NOT NULL,
    put_at REAL NOT NULL,
    ready_at REAL NOT NULL,
    tries INTEGER NOT NULL DEFAULT 0,
    ended TEXT CHECK (ended IN ('sent', 'given up')),
    PRIMARY KEY (ticket_id, version, person)
) STRICT, WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS mail_by_time ON mail (ready_at) WHERE ended IS NULL;
CREATE TABLE IF NOT EXISTS place (
    one INTEGER PRIMARY KEY CHECK (one = 1),
    seen INTEGER NOT NULL,
    looked_at REAL NOT NULL
) STRICT;
"""


_THIS = "ticket_id = ? AND version = ? AND person = ?"


class Due(NamedTuple):
    """A mail to a person about one write to a ticket; ticket, version and person identify it.

    It waits for ``pause_s``, so that a change that is undone at once causes no mail.
    """

    ticket_id: int
    version: int
    person: int
    pause_s: float = 0.0


class Outbox(Database):
    """The mails that are due, on disk until they are sent. It holds numbers, and no text of a mail.

    ``newest`` is the number of the newest event; a new outbox sends no mail about that event or older ones.
    """

    migrations, outlives_power_cuts = (_SCHEMA,), True

    def __init__(self, folder: Path, newest: int, now: float) -> None:
        super().__init__(folder / FILE_NAME)
        self.write("INSERT OR IGNORE INTO place VALUES (1, ?, ?)", newest, now)

    def place(self) -> tuple[int, float]:
        """The number of the last event that was looked at, and when that was."""
        [(seen, looked_at)] = self.all("SELECT seen, looked_at FROM place")
        return seen, looked_at

    def put(self, mails: Iterable[Due], seen: int, now: float) -> None:
        """Add mails that are not in it yet, and store that events up to ``seen`` were looked at. Forgets old mails."""
        with self.transaction() as db:
            db.executemany(
                "INSERT OR IGNORE INTO mail (ticket_id, version, person, put_at, ready_at) VALUES (?, ?, ?, ?, ?)",
                [(*mail[:3], now, now + mail.pause_s) for mail in mails],
            )
            db.execute("UPDATE place SET seen = max(seen, ?), looked_at = ?", (seen, now))
            db.execute("DELETE FROM mail WHERE ended IS NOT NULL AND put_at < ?", (now - 2 * KEPT_S,))

    def due(self, now: float) -> list[Due]:
        """The mails whose turn has come, oldest first."""
        query = (
            "SELECT ticket_id, version, person FROM mail WHERE ended IS NULL AND ready_at <= ? "
            "ORDER BY ready_at, ticket_id, version LIMIT 50"
        )
        return [Due(*row) for row in self.all(query, now)]

    def take(self, mail: Due, now: float) -> bool:
        """Take a due mail for sending; false if another server has taken it since."""
        query = f"UPDATE mail SET ready_at = ? WHERE ended IS NULL AND ready_at <= ? AND {_THIS}"  # noqa: S608
        return self.write(query, now + TAKEN_S, now, *mail[:3]) == 1

    def end(self, mail: Due, how: Literal["sent", "given up"]) -> None:
        """Store that the mail was sent, or given up because it cannot be sent or is not needed any more."""
        self.write(f"UPDATE mail SET ended = ? WHERE {_THIS}", how, *mail[:3])  # noqa: S608

    def failed(self, mail: Due, now: float) -> None:
        """Try a mail that could not be sent again later, or give it up after :data:`KEPT_S`."""
        query = (
            "UPDATE mail SET tries = tries + 1, ready_at = ? + min(?, ? * (1 << min(tries, 20))), "  # noqa: S608
            f"ended = CASE WHEN put_at < ? THEN 'given up' END WHERE {_THIS}"
        )
        self.write(query, now, LONGEST_PAUSE_S, FIRST_PAUSE_S, now - KEPT_S, *mail[:3])


BY_AI = "This answer was written by an AI assistant. No person checked it before it was sent."
UNDO_S = 20.0
"""Seconds that a ticket has to stay resolved before its customer gets a mail: an agent may undo it."""
_US = ("agent", "ai")


def called_for(
    ticket: LocalTicket, events: Iterable[Event], team: Sequence[Person], escalated_tag: str
) -> Iterator[Due]:
    """All mails that a ticket's events need, each once."""
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
    """True if our side resolved the ticket; an undo that restores the status does not count."""
    is_resolved = event.field == "status" and event.new == "resolved"
    return event.actor.kind in _US and is_resolved and event.reason != UNDONE


@dataclass(frozen=True)
class Writer:
    """Writes mails. ``url`` is where people reach the portal, ``name`` what it is called."""

    store: LocalStore
    url: str
    name: str
    mail_from: str

    def write(self, due: Due, now: float) -> EmailMessage | None:
        """The mail to send; ``None`` if it is not needed any more.

        Each mail gets a link with a new secret. Raises ``ValueError`` for an invalid address.
        """
        ticket, person = self.store.ticket(due.ticket_id), self.store.person(due.person)
        if ticket is None or person is None or person.is_erased or ticket.status == "spam":
            return None
        if person.id == ticket.requester:
            events = [event for event in self.store.events(ticket.id) if event.version == due.version]
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
        answers = [message for message in self.store.messages(ticket.id, public_only=True) if message.id in said]
        parts = ["Hello,"]
        for answer in answers:
            is_ai = answer.author.kind == "ai"
            who = "Our AI assistant" if is_ai else answer.name or "Our team"
            parts += [f"{who} answered your request {number}:", *([BY_AI] if is_ai else [])]
            parts.append(indent(answer.body, "    "))
        if resolved:
            parts.append(f"Your request {number} is resolved. If it is not, open it again on its page.")
        link = f"{self.url}/t/{number}?k={self.store.new_secret(ticket.id)}"
        parts.append(f"Read, answer or rate it here; the link opens it for everybody who has it:\n{link}")
        parts.append("A program sent this mail, and reads no answer to it.")
        return f"Your request {number}: {'resolved' if resolved else 'an answer'}", "\n\n".join(parts)

    def _for_team(self, ticket: LocalTicket) -> tuple[str, str]:
        words = {"category": ticket.category, "urgency": ticket.urgency, "sentiment": ticket.sentiment}
        labels = ", ".join(f"{name} {value}" for name, value in words.items() if value)
        body = f"Ticket {ticket.number} is escalated{': ' if labels else ''}{labels}."
        return f"Escalated: {ticket.number}", f"{body}\n\n{self.url}/admin/tickets/{ticket.id}"

    def _made(self, due: Due, to: str, subject: str, body: str, now: float) -> EmailMessage:
        made = EmailMessage(policy=SMTP)
        made["From"] = Address(self.name, addr_spec=self.mail_from)
        made["To"] = _address(to)
        made["Subject"] = subject
        made["Date"] = format_datetime(datetime.fromtimestamp(now, UTC))
        # The same for each try: if a server's answer was lost and the mail is sent twice, receivers see one mail.
        key = hashlib.sha256(f"{self.url} {due.ticket_id} {due.version} {due.person}".encode()).hexdigest()[:32]
        made["Message-ID"] = f"<{key}@{self.mail_from.partition('@')[2]}>"
        made["Auto-Submitted"] = "auto-generated"
        made["X-Auto-Response-Suppress"] = "All"
        made.set_content(body, cte="quoted-printable")
        return made


def _address(written: str) -> Address:
    try:
        return Address(addr_spec=written)
    except Exception as error:  # Python's parser raises many kinds of errors, some from its own bugs
        raise ValueError("the address is none") from error


LOOK_S = 1.0
LATE_S = 60.0
"""Seconds that an event's time may lie before our last look at the events: clocks differ."""
PATIENCE_S = 30.0
Send = Callable[[EmailMessage], object]
Transport = Callable[[], AbstractContextManager[Send]]
"""Connects, gives a function that sends, disconnects. Sending raises ``OSError`` or ``smtplib.SMTPException``."""


def into_folder(folder: Path, store: LocalStore) -> Transport:
    """Write each mail to a file named after its Message-ID; mails to erased people are dropped."""

    def write(mail: EmailMessage) -> None:
        name = str(mail["Message-ID"]).strip("<>").partition("@")[0]
        with store.writing():  # so an erasure ends before, or starts later and finds the file
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
            if security == "where offered":  # on loopback, for which no authority signs certificates
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
        """The thread's work. Only :meth:`stop` ends it."""
        while not self._stopping.wait(LOOK_S):
            try:
                self.one_round()
            except Exception as error:  # noqa: BLE001 - a bug in one round; the outbox is kept
                why = error if isinstance(error, TicketbotError) else unexpected(error)
                self._say(f"no mail could be sent: {why}")
                self._stopping.wait(30 * LOOK_S)

    def one_round(self) -> None:
        """Add the mails that new events need to the outbox, and send those that are due."""
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
        # A new event with an older time was imported: its mail was sent where it came from.
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
        """Send one mail. Errors of the connection, which concern all mails, are raised."""
        made, code = None, 0
        try:
            made = self._writer.write(mail, self._now())
            if made is not None:
                send(made)
        except (ValueError, smtplib.SMTPNotSupportedError):
            why = "the address is none"
        except smtplib.SMTPRecipientsRefused as error:
            code = max((code for code, _ in error.recipients.values()), default=550)
            why = f"the server refuses it ({code})"
        except smtplib.SMTPDataError as error:
            code, why = error.smtp_code, f"the server refuses it ({error.smtp_code})"
        else:
            self._outbox.end(mail, "sent" if made else "given up")
            return
        if 0 < code < 500:
            self._outbox.failed(mail, self._now())
        else:
            self._outbox.end(mail, "given up")
            self._say(f"a mail about ticket {mail.ticket_id} was given up: {why}")


def _reason(error: OSError | smtplib.SMTPException) -> str:
    """Why a server could not be used; only its code, since its words may hold an address or a name."""
    code = getattr(error, "smtp_code", None)
    return f"the mail server answers {code}" if code else f"the mail server cannot be used ({type(error).__name__})"
