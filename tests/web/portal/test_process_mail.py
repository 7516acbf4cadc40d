from __future__ import annotations

import socketserver
import sqlite3
import ssl
import threading
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager, nullcontext
from datetime import timedelta
from email import message_from_bytes, policy
from email.message import EmailMessage
from pathlib import Path

import pytest

from ticket_processor.helpdesk.local_model import AI, UNDONE, Actor, Created, NewTicket
from ticket_processor.helpdesk.local_store import LocalStore
from ticket_processor.settings.pages import PortalServerSettings
from ticket_processor.web.portal.mail import (
    BY_AI,
    KEPT_S,
    TAKEN_S,
    Outbox,
    Postman,
    Transport,
    Writer,
    by_smtp,
    into_folder,
)

from ...servers.certificates import a_certificate

NOW = 1_800_000_000.0
URL = "https://help.example.com"
AGENT = "agent@example.com"


class Post:
    """A store, and the postman who sends its mail."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.now = NOW
        self.store = LocalStore(folder / "helpdesk.sqlite3")
        self.agent = self.store.add_person(AGENT, "Ada Agent", "agent")
        self.said: list[str] = []
        self.transport: Transport = into_folder(folder / "outbox", self.store)
        self.start()

    def start(self) -> None:
        """Begin, or begin again as after a restart."""
        self.outbox = Outbox(self.folder, self.store.last_event(), self.now)
        writer = Writer(self.store, URL, "Support", "support@example.com")
        self.postman = Postman(
            self.store, self.outbox, writer, lambda: self.transport(), lambda: self.now, self.said.append
        )

    def ticket(self, email: str = "carla@example.org", subject: str = "No light") -> Created:
        return self.store.create(NewTicket(subject, "The lamp stays dark. CANARY-WORDS", email), self.now)

    def answer(self, ticket: Created, body: str = "Press the switch.", **facts: object) -> None:
        self.now += 1
        by = Actor("agent", self.agent.id)
        self.store.reply(ticket.id, by, body, **{"public": True, "now": self.now, **facts})  # type: ignore[arg-type]

    def change(self, ticket: Created, by: Actor | None = None, **facts: object) -> None:
        self.now += 1
        by = by or Actor("agent", self.agent.id)
        self.store.change(ticket.id, by, version=None, now=self.now, **facts)  # type: ignore[arg-type]

    def round(self) -> list[EmailMessage]:
        """One round of the postman; every mail that is in the folder then."""
        self.postman.one_round()
        return self.files()

    def ends(self) -> dict[str, int]:
        """How many mails ended how."""
        with closing(sqlite3.connect(self.folder / "mail.sqlite3")) as db:
            return dict(db.execute("SELECT coalesce(ended, 'waiting'), count(*) FROM mail GROUP BY 1"))

    def files(self) -> list[EmailMessage]:
        return [read(file.read_bytes()) for file in sorted((self.folder / "outbox").glob("*.eml"))]


def read(raw: bytes) -> EmailMessage:
    made = message_from_bytes(raw, policy=policy.default)
    assert isinstance(made, EmailMessage)
    return made


@pytest.fixture
def post(tmp_path: Path) -> Post:
    return Post(tmp_path)


def test_an_answer_reaches_the_customer_with_a_link_that_opens_the_ticket(post: Post) -> None:
    ticket = post.ticket()
    post.answer(ticket)
    (mail,) = post.round()
    assert mail["To"] == "carla@example.org"
    assert mail["From"] == "Support <support@example.com>"
    assert mail["Subject"] == f"Your request {ticket.number}: an answer"
    assert mail["Auto-Submitted"] == "auto-generated"
    body = mail.get_content()
    assert "Ada Agent answered" in body
    assert "    Press the switch." in body
    assert BY_AI not in body
    link = next(line for line in body.splitlines() if line.startswith(URL))
    secret = link.removeprefix(f"{URL}/t/{ticket.number}?k=")
    for _ in range(3):  # a scanner, a telephone and a computer open the same link
        opened = post.store.opens(ticket.number, secret)
        assert opened is not None
        assert opened.id == ticket.id


def test_a_resolution_is_one_mail_together_with_the_answer_that_came_with_it(post: Post) -> None:
    ticket = post.ticket()
    post.answer(ticket, "It was the bulb.", status="resolved")
    (mail,) = post.round()
    assert mail["Subject"] == f"Your request {ticket.number}: resolved"
    assert "It was the bulb." in mail.get_content()


def test_a_resolution_that_is_taken_back_at_once_brings_no_mail(post: Post) -> None:
    ticket = post.ticket()
    post.change(ticket, status="resolved")
    assert post.round() == []
    post.change(ticket, status="open", reason=UNDONE)
    post.now += 60
    assert post.round() == []


def test_internal_notes_and_what_customers_do_themselves_bring_no_mail(post: Post) -> None:
    ticket = post.ticket()
    post.answer(ticket, "CANARY-NOTE", public=False)
    requester = Actor("customer", post.store.ticket(ticket.id).requester)  # type: ignore[union-attr]
    post.store.reply(ticket.id, requester, "Anything new?", public=True, now=post.now)
    post.change(ticket, requester, status="resolved")
    assert post.round() == []


@pytest.mark.parametrize("how", [{"tags_add": ("ai_escalated",)}, {"status": "escalated"}])
def test_the_team_hears_of_an_escalation_once_and_reads_no_word_of_the_customer(
    post: Post, how: dict[str, object]
) -> None:
    other = post.store.add_person("boss@example.com", "Boss", "admin")
    ticket = post.ticket()
    post.change(ticket, AI, **how)
    mails = post.round()
    assert sorted(mail["To"] for mail in mails) == [AGENT, other.email]
    for mail in mails:
        assert mail["Subject"] == f"Escalated: {ticket.number}"
        assert f"{URL}/admin/tickets/{ticket.id}" in mail.get_content()
        assert "CANARY" not in mail.as_string()
        assert "No light" not in mail.as_string()
    post.change(ticket, AI, tags_add=("ai_escalated", "ai_review"))
    post.change(ticket, priority=None, tags_add=("vip",))
    assert len(post.round()) == 2


def test_spam_gets_no_answer(post: Post) -> None:
    ticket = post.ticket()
    post.answer(ticket)
    post.change(ticket, status="spam")
    assert post.round() == []


def test_nothing_is_sent_twice_over_rounds_and_restarts(post: Post) -> None:
    ticket = post.ticket()
    post.answer(ticket)
    assert len(post.round()) == 1
    for file in (post.folder / "outbox").iterdir():
        file.unlink()
    for _ in range(3):
        post.outbox.close()
        post.start()
        post.change(ticket, tags_add=(f"seen_{post.now:.0f}",))
        assert post.round() == []


def test_what_happened_before_there_was_an_outbox_and_what_is_old_brings_no_mail(post: Post) -> None:
    post.outbox.close()
    (post.folder / "mail.sqlite3").unlink()
    ticket = post.ticket()
    post.answer(ticket)
    post.start()
    assert post.round() == []
    post.answer(ticket, "Still dark?")
    post.now += KEPT_S + 60
    assert post.round() == []


def test_imported_answers_bring_no_mail(post: Post, tmp_path: Path) -> None:
    other = Post(tmp_path / "other")
    other.answer(other.ticket())
    for _ in range(2):
        post.now += 600
        post.round()
    post.store.import_lines(list(other.store.export_lines()))
    assert post.round() == []
    post.answer(post.ticket("dora@example.org"))
    assert [mail["To"] for mail in post.round()] == ["dora@example.org"]


def test_two_servers_on_one_outbox_send_each_mail_once(post: Post) -> None:
    other = post.postman
    post.start()
    sent: list[str] = []

    def send(mail: EmailMessage) -> None:
        sent.append(str(mail["Message-ID"]))
        if len(sent) == 1:
            other.one_round()

    post.transport = lambda: nullcontext(send)
    for number in range(3):
        post.answer(post.ticket(subject=f"Lamp {number}"))
    post.postman.one_round()
    assert len(sent) == len(set(sent)) == 3


def test_a_mail_whose_server_died_while_sending_it_is_sent_by_the_next_one(post: Post) -> None:
    post.answer(post.ticket())

    def dies(_mail: EmailMessage) -> None:
        raise KeyboardInterrupt

    folder, post.transport = post.transport, lambda: nullcontext(dies)
    with pytest.raises(KeyboardInterrupt):
        post.round()
    post.transport = folder
    post.start()
    post.now += TAKEN_S
    assert len(post.round()) == 1


@pytest.mark.parametrize(
    "email",
    [
        *("x@example.org\r\nBcc: all@example.org", "x@example.org, y@example.org", "no address", "erased-1"),
        *("", "@", "x@", "x@.com", "<x@example.org>", "x@y@example.org", "(x)@example.org"),
    ],
)
def test_an_address_that_is_none_is_given_up_and_holds_nobody_up(post: Post, email: str) -> None:
    bad, good = post.ticket(email), post.ticket()
    post.answer(bad)
    post.answer(good)
    (mail,) = post.round()
    assert mail["To"] == "carla@example.org"
    assert post.ends() == {"sent": 1, "given up": 1}
    assert not any("@" in line for line in post.said)


def test_no_header_holds_what_a_customer_wrote(post: Post) -> None:
    ticket = post.ticket(subject="Hi\r\nBcc: all@example.org")
    post.answer(ticket, "Line\r\n.\r\nQUIT\r\nBcc: all@example.org")
    (mail,) = post.round()
    assert mail["Bcc"] is None
    assert {name.lower() for name in mail} == {
        *("from", "to", "subject", "date", "message-id", "auto-submitted", "x-auto-response-suppress"),
        *("content-type", "content-transfer-encoding", "mime-version"),
    }


class Server(socketserver.ThreadingTCPServer):
    """A mail server that answers as it is told to: the code for each recipient and for each text, first to last."""

    daemon_threads = True
    allow_reuse_address = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Talk)
        self.recipients: list[int] = []
        self.texts: list[int] = []
        self.taken: list[EmailMessage] = []
        self.offers = b"8BITMIME"
        self.begun = 0
        """How often TLS was to begin."""
        self.tls: ssl.SSLContext | None = None
        threading.Thread(target=self.serve_forever, daemon=True).start()

    def handle_error(self, *_: object) -> None:
        pass


class Talk(socketserver.StreamRequestHandler):
    server: Server

    def finish(self) -> None:
        super().finish()
        self.connection.close()

    def say(self, code: int) -> None:
        self.wfile.write(f"{code} told by carla@example.org\r\n".encode())

    def handle(self) -> None:
        self.say(220)
        while line := self.rfile.readline():
            word = line.split(None, 1)[0].upper() if line.strip() else b""
            if word == b"RCPT":
                self.say(self.server.recipients.pop(0) if self.server.recipients else 250)
            elif word == b"DATA":
                self.say(354)
                text = b"".join(iter(self.rfile.readline, b".\r\n"))
                code = self.server.texts.pop(0) if self.server.texts else 250
                if code < 400:
                    self.server.taken.append(read(text))
                if code == 0:  # taken, and the line is cut before the answer
                    return
                self.say(code)
            elif word == b"EHLO":
                self.wfile.write(b"250-here\r\n250 " + self.server.offers + b"\r\n")
            elif word == b"STARTTLS":
                self.server.begun += 1
                if self.server.tls is None:
                    self.say(454)
                    continue
                self.say(220)
                self.connection = self.server.tls.wrap_socket(self.connection, server_side=True)
                self.rfile, self.wfile = self.connection.makefile("rb"), self.connection.makefile("wb", buffering=0)
            elif word == b"QUIT":
                self.say(221)
                return
            else:
                self.say(250)


@pytest.fixture
def server(post: Post) -> Iterator[Server]:
    made = Server()
    settings = PortalServerSettings(mail_from="support@example.com", smtp_host=f"127.0.0.1:{made.server_address[1]}")
    post.transport = by_smtp(settings)
    yield made
    made.shutdown()
    made.server_close()


def test_a_mail_server_gets_each_mail_once(post: Post, server: Server) -> None:
    for number in range(3):
        post.answer(post.ticket(f"c{number}@example.org"), "Grüße, 新しい電球です。")
    post.round()
    post.round()
    assert sorted(mail["To"] for mail in server.taken) == [f"c{number}@example.org" for number in range(3)]
    assert "    Grüße, 新しい電球です。" in server.taken[0].get_content()


def test_a_server_that_is_away_gets_the_mail_later(post: Post, server: Server) -> None:
    ticket = post.ticket()
    post.answer(ticket)
    working, post.transport = (
        post.transport,
        by_smtp(PortalServerSettings(smtp_host="127.0.0.1:9")),
    )
    post.round()
    post.transport = working
    post.round()
    assert server.taken == [], "it is not tried again at once"
    post.now += 31
    post.round()
    assert len(server.taken) == 1


def test_a_lost_answer_brings_the_same_mail_again_under_the_same_name(post: Post, server: Server) -> None:
    server.texts = [0]
    post.answer(post.ticket())
    post.round()
    post.now += 31
    post.round()
    first, second = server.taken
    assert first["Message-ID"] == second["Message-ID"]
    post.now += 3600
    post.round()
    assert len(server.taken) == 2


@pytest.mark.parametrize(("recipients", "texts"), [([550], []), ([], [554])])
def test_a_mail_that_the_server_refuses_for_good_is_given_up_and_the_next_one_is_sent(
    post: Post, server: Server, recipients: list[int], texts: list[int]
) -> None:
    server.recipients, server.texts = recipients, texts
    post.answer(post.ticket())
    post.answer(post.ticket("dora@example.org"))
    post.round()
    assert [mail["To"] for mail in server.taken] == ["dora@example.org"]
    assert post.ends() == {"sent": 1, "given up": 1}
    assert post.said
    assert not any("@" in line for line in post.said)


def test_mail_and_password_do_not_go_in_the_clear_to_another_machine() -> None:
    assert PortalServerSettings(smtp_host="mail.example.com").smtp_security == "starttls"
    assert PortalServerSettings(smtp_host="mail.example.com:25").smtp_security == "starttls"
    assert PortalServerSettings(smtp_host="mail.example.com:465").smtp_security == "tls"
    assert PortalServerSettings(smtp_host="localhost:25").smtp_security == "where offered"


def test_a_server_on_this_machine_that_offers_tls_is_taken_at_its_word(
    post: Post, server: Server, tmp_path: Path
) -> None:
    post.answer(post.ticket())
    server.offers = b"STARTTLS"
    post.round()
    assert (server.begun, server.taken) == (1, [])
    server.tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    server.tls.load_cert_chain(*a_certificate(tmp_path, lasts=timedelta(days=9)))
    post.now += 31
    post.round()
    assert (server.begun, len(server.taken)) == (2, 1)


def test_nobody_who_was_erased_gets_mail_that_was_due(post: Post) -> None:
    post.answer(post.ticket())
    customer = post.store.by_email("carla@example.org")
    assert customer is not None
    post.store.erase(customer.id, post.now)
    assert post.round() == []
    assert post.ends() == {"given up": 1}


def test_a_mail_that_was_written_while_its_customer_was_erased_is_not_kept(post: Post) -> None:
    customer, write = post.ticket(), into_folder(post.folder / "outbox", post.store)
    post.answer(customer)
    person = post.store.by_email("carla@example.org")
    assert person is not None

    @contextmanager
    def late() -> Iterator[Callable[[EmailMessage], object]]:
        with write() as send:

            def erase_and_send(mail: EmailMessage) -> None:
                post.store.erase(person.id, post.now, post.folder / "outbox")
                send(mail)

            yield erase_and_send

    post.transport = late
    assert post.round() == []
