"""Sends the portal's mail, in a thread of its own: what events call for goes into the outbox, and out of it.

A mail that a server has taken is not sent again. One whose taking was never answered is, under the same Message-ID.
"""

from __future__ import annotations

import smtplib
import ssl
import threading
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from email.message import EmailMessage
from pathlib import Path

from ...audit.files import replace_file
from ...core import tls
from ...core.errors import TicketbotError, unexpected
from ...core.private_files import make_folder
from ...helpdesk.local_schema import stamp
from ...helpdesk.local_store import LocalStore
from ...settings.pages import PortalServerSettings
from .mail import Writer, called_for
from .outbox import KEPT_S, Due, Outbox

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
        context.minimum_version = tls.lowest()
        where = (settings.smtp_host or "", settings.smtp_port)
        if settings.smtp_security == "tls":
            server: smtplib.SMTP = smtplib.SMTP_SSL(*where, timeout=PATIENCE_S, context=context)
        else:
            server = smtplib.SMTP(*where, timeout=PATIENCE_S)
        with server:
            if settings.smtp_security == "starttls":
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
        self.counted: Counter[str] = Counter()

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
            if made is None:
                self._outbox.given_up(mail)
            else:
                self._outbox.sent(mail)
                self.counted["sent"] += 1

    def _refused(self, mail: Due, code: int) -> None:
        if code >= 500:
            self._ended(mail, f"the server refuses it ({code})")
        else:
            self._outbox.failed(mail, self._now())
            self.counted["put off"] += 1

    def _ended(self, mail: Due, why: str) -> None:
        self._outbox.given_up(mail)
        self.counted["given up"] += 1
        self._say(f"a mail about ticket {mail.ticket_id} was given up: {why}")


def _reason(error: OSError | smtplib.SMTPException) -> str:
    """Why a server could not be used; its own words may hold an address or a name, so only numbers are told."""
    if isinstance(error, smtplib.SMTPResponseException):
        return f"the mail server answers {error.smtp_code}"
    return f"the mail server cannot be used ({type(error).__name__})"
