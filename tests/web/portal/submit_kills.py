"""The portal, killed again and again while customers submit tickets; see ``scripts/kill_runs.py --portal``."""

from __future__ import annotations

import multiprocessing
import os
import random
import re
import socket
import sqlite3
import sys
import time
from collections import Counter
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, suppress
from dataclasses import dataclass, field
from multiprocessing.process import BaseProcess
from pathlib import Path

import requests

from ticket_processor.helpdesk.local_model import LocalTicket
from ticket_processor.helpdesk.local_search import Query
from ticket_processor.helpdesk.local_store import LocalStore

CUSTOMERS = 4
"""They submit at the same moment, each a ticket with a file."""
MOST_FILE_BYTES = 150_000
LEAST_S = 3.2
"""A form that is sent sooner is taken for a program's."""
PATIENCE_S = 60.0
TRIES = 3
OURS = ("ZENDESK_", "FRESHDESK_", "TICKETBOT_", "OPENAI_")
LOADED = ["ticket_processor.cli", "ticket_processor.commands.portal", "ticket_processor.web.portal.application"]
LOADED += ["ticket_processor.web.worker", "ticket_processor.web.worker", "ticket_processor.web.server"]
LOADED += ["ticket_processor.commands.local_erase", "ticket_processor.commands.run", "ticket_processor.wiring.runs"]
SETTINGS = 'helpdesk = "local"\nlog_dir = "logs"\nstate_dir = "state"\n[serve]\nproxies = ["127.0.0.1"]\n'


@dataclass
class Form:
    """A ticket as a customer sends it, by the form of ``token``; ``subject`` is one word that no other ticket has."""

    subject: str
    content: bytes
    token: str
    taken: bool = False


@dataclass
class Customer:
    """Somebody with a browser and forms that stay open, each for one ticket."""

    number: int
    session: requests.Session = field(default_factory=requests.Session)
    tokens: list[str] = field(default_factory=list)
    form: Form | None = None

    def open(self, url: str, forms: int) -> None:
        self.session.headers["X-Forwarded-For"] = f"10.0.0.{self.number + 1}"
        for _ in range(forms):
            found = re.search(r'name="form_token" value="([^"]+)"', self.session.get(url, timeout=PATIENCE_S).text)
            assert found is not None, "there is no form"
            self.tokens.append(found[1])

    def send(self, url: str) -> str:
        """Send the form; the address of the ticket's page, or nothing where no answer came."""
        assert self.form is not None
        ticket = {"subject": self.form.subject, "description": "I was charged twice.", "form_token": self.form.token}
        try:
            answer = self.session.post(
                f"{url}/",
                data=ticket | {"email": f"customer{self.number}@example.com"},
                files={"files": ("bill.txt", self.form.content)},
                allow_redirects=False,
                timeout=PATIENCE_S,
            )
        except requests.RequestException:
            return ""
        assert answer.status_code == 303, f"the form answers {answer.status_code}"
        self.form.taken = True
        return answer.headers["Location"]


class Killed:
    """A folder with a local helpdesk and its portal. ``faults`` are what was found that must not be."""

    def __init__(self, folder: Path, seed: int = 17) -> None:
        self.folder = folder
        self.file = folder / "helpdesk.sqlite3"
        (folder / "ticketbot.toml").write_text(SETTINGS, encoding="utf-8")
        self.faults: list[str] = []
        self.counted: Counter[str] = Counter()
        self._dice = random.Random(seed)
        self._customers = [Customer(number) for number in range(CUSTOMERS)]
        self._seen = 0
        self._took_s = 0.1
        self._url = ""

    def play(self, kills: int, told: Callable[[int], object] = lambda _done: None) -> None:
        """Kill the portal so often, and look at the whole file in the end."""
        with ThreadPoolExecutor(CUSTOMERS) as pool:
            self._prepare(pool, kills)
            for turn in range(kills):
                self._one(turn, pool)
                told(turn + 1)
        self._look_at_all()

    def _prepare(self, pool: ThreadPoolExecutor, kills: int) -> None:
        process = self._started()
        for customer in self._customers:
            customer.open(self._url, kills + 2)
        time.sleep(LEAST_S)
        for name in ("first", "second"):  # how long it takes when nobody kills it; the first answer is slower
            self._write(name)
            began = time.perf_counter()
            list(pool.map(self._send, self._customers))
            self._took_s = time.perf_counter() - began
            self._check()
        self._kill(process)

    def _one(self, turn: int, pool: ThreadPoolExecutor) -> None:
        process = self._started()
        unanswered = [each for each in self._customers if each.form and not each.form.taken]
        list(pool.map(self._send, unanswered))  # as a person would: it is the same ticket
        self.counted["sent again"] += len(unanswered)
        before = [each.form for each in self._customers]
        self._write(str(turn))
        sending = [pool.submit(self._send, customer) for customer in self._customers]
        time.sleep(self._dice.uniform(0.0, 1.2 * self._took_s))
        self._kill(process)
        for each in sending:
            each.result()
        self._check([form for form in before if form is not None])

    def _send(self, customer: Customer) -> None:
        place = customer.send(self._url)
        if not place:
            self.counted["no answer"] += 1
            return
        self.counted["answered"] += 1
        with suppress(requests.RequestException):
            page = customer.session.get(self._url + place, timeout=PATIENCE_S)
            if page.status_code != 200 or f"{customer.form and customer.form.subject}" not in page.text:
                self.faults.append(f"{place}: the ticket was promised, and its page answers {page.status_code}")

    def _write(self, name: str) -> None:
        for customer in self._customers:
            word = f"order{name}x{customer.number}x{self._dice.randrange(10**9)}"
            content = (word * (1 + self._dice.randrange(MOST_FILE_BYTES) // len(word))).encode()
            customer.form = Form(word, content, customer.tokens.pop())

    def _check(self, again: list[Form] | None = None) -> None:
        """Look at what came in since the last look, as the next process will find it."""
        forms = [*(again or []), *(each.form for each in self._customers if each.form is not None)]
        with closing(LocalStore(self.file)) as store:
            with store.reading() as db:
                rows = db.execute("SELECT id FROM ticket WHERE id > ?", (self._seen,)).fetchall()
                times = {
                    form.subject: db.execute(
                        "SELECT count(*) FROM ticket WHERE id > ? - 100 AND subject = ?", (self._seen, form.subject)
                    ).fetchone()[0]
                    for form in forms
                }
            contents = {form.subject: form.content for form in forms}
            for form in forms:
                if not (times[form.subject] == 1 or (times[form.subject] == 0 and not form.taken)):
                    said = "an answer" if form.taken else "no answer"
                    self.faults.append(f"{form.subject}: {times[form.subject]} tickets after {said}")
            for (number,) in rows:
                ticket = store.ticket(number)
                assert ticket is not None
                self._seen = max(self._seen, number)
                self.counted["tickets"] += 1
                self.faults += [f"ticket {number}: {what}" for what in halves(store, ticket, contents)]

    def _look_at_all(self) -> None:
        with closing(sqlite3.connect(self.file)) as db:
            for check in ("integrity_check", "foreign_key_check"):
                self.faults += [f"{check}: {row}" for row in db.execute(f"PRAGMA {check}").fetchall() if row != ("ok",)]
            try:
                db.execute("INSERT INTO words(words) VALUES ('integrity-check')")
            except sqlite3.DatabaseError as error:
                self.faults.append(f"the index of words: {error}")
            named = {digest for (digest,) in db.execute("SELECT sha256 FROM attachment")}
        kept = {path.name for path in (self.folder / "helpdesk.sqlite3-files").rglob("*") if path.is_file()}
        self.faults += [f"a file is lost: {digest}" for digest in named - kept]
        self.counted["files without a ticket"] = len(kept - named)

    def _started(self) -> BaseProcess:
        for _ in range(TRIES):
            with closing(socket.create_server(("127.0.0.1", 0))) as free:
                port = free.getsockname()[1]
            self._url = f"http://127.0.0.1:{port}"
            process = forked(self.folder, "portal", "--port", str(port))
            process.start()
            end = time.monotonic() + PATIENCE_S
            while time.monotonic() < end and process.is_alive():
                with suppress(OSError), closing(socket.create_connection(("127.0.0.1", port), 1)):
                    return process
                time.sleep(0.01)
            process.kill()  # another program took the port meanwhile
        raise AssertionError("the portal did not start")

    @staticmethod
    def _kill(process: BaseProcess) -> None:
        process.kill()
        process.join(PATIENCE_S)


def forked(folder: Path, *words: str) -> BaseProcess:
    """A process of the command in a folder, which is not started yet."""
    context = multiprocessing.get_context("forkserver")  # it has everything loaded, and forks
    context.set_forkserver_preload(LOADED)
    return context.Process(target=command, args=(folder, words), daemon=True)


def command(folder: Path, words: Sequence[str]) -> None:
    """What the process does."""
    from ticket_processor.cli import main

    os.chdir(folder)
    for name in [name for name in os.environ if name.startswith(OURS)]:
        del os.environ[name]
    out = os.open(folder / "printed.txt", os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    for number in (1, 2):
        os.dup2(out, number)
    sys.argv[1:] = words
    main()


def halves(store: LocalStore, ticket: LocalTicket, contents: dict[str, bytes]) -> list[str]:
    """What of a ticket is missing, or does not fit the rest of it."""
    events, wrong = store.events(ticket.id), []
    if [event.field for event in events[:1]] != ["created"]:
        wrong.append("it has no beginning")
    if (ticket.version, ticket.last_event) != (events[-1].version, events[-1].id) if events else (0, 0):
        wrong.append("its version is not that of its last event")
    come = Counter(event.new for event in events if event.field == "tag" and event.new)
    come -= Counter(event.old for event in events if event.field == "tag" and event.old)
    if set(come) != set(ticket.tags):
        wrong.append("its tags are not those of its events")
    if len(store.messages(ticket.id, public_only=False)) != sum(event.field == "message" for event in events):
        wrong.append("its messages are not those of its events")
    files = store.files(ticket.id)
    if len(files) != 1 or (content := contents.get(ticket.subject)) is None or store.content(files[0]) != content:
        wrong.append("its file is not the one that was sent")
    if [row.id for row in store.search(Query(text=ticket.subject)).rows] != [ticket.id]:
        wrong.append("its words are not found")
    return wrong
