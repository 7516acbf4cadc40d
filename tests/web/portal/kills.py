"""The portal and erasures, killed again and again; see ``scripts/kill_runs.py`` (``--portal``, ``--erasures``)."""

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

from ticket_processor.helpdesk.local_model import AI, Actor, LocalTicket, NewFile, NewTicket, Query
from ticket_processor.helpdesk.local_store import LocalStore

CUSTOMERS = 4
"""They submit at the same moment, each a ticket with a file."""
OTHERS = 1000
"""Tickets of others than those who are erased, so that the file is not a small one."""
MOST_FILE_BYTES = 150_000
LEAST_S = 3.2
"""A form that is sent sooner is taken for a program's."""
PATIENCE_S = 60.0
OURS = ("ZENDESK_", "FRESHDESK_", "TICKETBOT_", "OPENAI_")
LOADED = ["ticket_processor.cli", "ticket_processor.commands.portal", "ticket_processor.web.portal.application"]
LOADED += ["ticket_processor.web.worker", "ticket_processor.web.server"]
LOADED += ["ticket_processor.commands.local", "ticket_processor.commands.run", "ticket_processor.wiring.runs"]
SETTINGS = 'helpdesk = "local"\nlog_dir = "logs"\nstate_dir = "state"\n[serve]\nproxies = ["127.0.0.1"]\n'
Told = Callable[[int], object]


class KilledSite:
    """A folder with a local helpdesk, whose commands are killed. ``faults`` are what was found that must not be."""

    def __init__(self, folder: Path, seed: int = 17) -> None:
        self.folder = folder
        (folder / "ticketbot.toml").write_text(SETTINGS, encoding="utf-8")
        self.faults: list[str] = []
        self.counted: Counter[str] = Counter()
        self.dice = random.Random(seed)

    def store(self) -> LocalStore:
        return LocalStore(self.folder / "helpdesk.sqlite3")

    def begun(self, *words: str) -> BaseProcess:
        """The command, in a process that was forked from one that has everything loaded."""
        context = multiprocessing.get_context("forkserver")
        context.set_forkserver_preload(LOADED)
        process = context.Process(target=command, args=(self.folder, words), daemon=True)
        process.start()
        return process


def killed(process: BaseProcess) -> None:
    process.kill()
    process.join(PATIENCE_S)


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
    forms: list[Form] = field(default_factory=list)

    def open(self, url: str, forms: int) -> None:
        self.session.headers["X-Forwarded-For"] = f"10.0.0.{self.number + 1}"
        for _ in range(forms):
            found = re.search(r'name="form_token" value="([^"]+)"', self.session.get(url, timeout=PATIENCE_S).text)
            assert found is not None, "there is no form"
            self.tokens.append(found[1])

    def write(self, dice: random.Random) -> None:
        word = f"order{len(self.forms)}x{self.number}x{dice.randrange(10**9)}"
        content = (word * (1 + dice.randrange(MOST_FILE_BYTES) // len(word))).encode()
        self.forms.append(Form(word, content, self.tokens.pop()))

    def send(self, url: str) -> str:
        """Send the last form; the address of the ticket's page, or nothing where no answer came."""
        form = self.forms[-1]
        ticket = {"subject": form.subject, "description": "I was charged twice.", "form_token": form.token}
        try:
            answer = self.session.post(
                f"{url}/",
                data=ticket | {"email": f"customer{self.number}@example.com"},
                files={"files": ("bill.txt", form.content)},
                allow_redirects=False,
                timeout=PATIENCE_S,
            )
        except requests.RequestException:
            return ""
        assert answer.status_code == 303, f"the form answers {answer.status_code}"
        form.taken = True
        return answer.headers["Location"]


class KilledPortal(KilledSite):
    """Its portal is killed while customers submit tickets."""

    def __init__(self, folder: Path, seed: int = 17) -> None:
        super().__init__(folder, seed)
        self._customers = [Customer(number) for number in range(CUSTOMERS)]
        self._url = ""

    def play(self, kills: int, told: Told = lambda _done: None) -> None:
        """Kill the portal so often, and look at the whole file in the end."""
        with ThreadPoolExecutor(CUSTOMERS) as pool:
            process = self._started()
            for customer in self._customers:
                customer.open(self._url, kills + 2)
            time.sleep(LEAST_S)
            for _ in range(2):  # how long it takes when nobody kills it; the first answer is slower
                self._write()
                began = time.perf_counter()
                list(pool.map(self._send, self._customers))
                took_s = time.perf_counter() - began
            killed(process)
            for turn in range(kills):
                process = self._started()
                again = [each for each in self._customers if not each.forms[-1].taken]
                list(pool.map(self._send, again))  # as a person would: it is the same ticket
                self.counted["sent again"] += len(again)
                self._write()
                sending = [pool.submit(self._send, customer) for customer in self._customers]
                time.sleep(self.dice.uniform(0.0, 1.2 * took_s))
                killed(process)
                for each in sending:
                    each.result()
                told(turn + 1)
        self._look_at_all()

    def _write(self) -> None:
        for customer in self._customers:
            customer.write(self.dice)

    def _send(self, customer: Customer) -> None:
        place = customer.send(self._url)
        self.counted["answered" if place else "no answer"] += 1
        with suppress(requests.RequestException):
            page = customer.session.get(self._url + place, timeout=PATIENCE_S) if place else None
            if page is not None and (page.status_code != 200 or customer.forms[-1].subject not in page.text):
                self.faults.append(f"{place}: the ticket was promised, and its page answers {page.status_code}")

    def _look_at_all(self) -> None:
        forms = [form for each in self._customers for form in each.forms]
        contents = {form.subject: form.content for form in forms}
        with closing(self.store()) as store, store.reading() as db:
            for (number,) in db.execute("SELECT id FROM ticket").fetchall():
                ticket = store.ticket(number)
                assert ticket is not None
                self.counted["tickets"] += 1
                self.faults += [f"ticket {number}: {what}" for what in halves(store, ticket, contents)]
            for form in forms:
                (times,) = db.execute("SELECT count(*) FROM ticket WHERE subject = ?", (form.subject,)).fetchone()
                if not (times == 1 or (times == 0 and not form.taken)):
                    said = "an answer" if form.taken else "no answer"
                    self.faults.append(f"{form.subject}: {times} tickets after {said}")
        with closing(sqlite3.connect(self.folder / "helpdesk.sqlite3")) as db:
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
        for _ in range(3):
            with closing(socket.create_server(("127.0.0.1", 0))) as free:
                port = free.getsockname()[1]
            self._url = f"http://127.0.0.1:{port}"
            process = self.begun("portal", "--port", str(port))
            end = time.monotonic() + PATIENCE_S
            while time.monotonic() < end and process.is_alive():
                with suppress(OSError), closing(socket.create_connection(("127.0.0.1", port), 1)):
                    return process
                time.sleep(0.01)
            process.kill()  # another program took the port meanwhile
        raise AssertionError("the portal did not start")


def halves(store: LocalStore, ticket: LocalTicket, contents: dict[str, bytes]) -> list[str]:
    """What of a ticket is missing, or does not fit the rest of it."""
    events, files = store.events(ticket.id), store.files(ticket.id)
    tags = Counter(event.new for event in events if event.field == "tag" and event.new)
    tags -= Counter(event.old for event in events if event.field == "tag" and event.old)
    said = sum(event.field == "message" for event in events)
    content = contents.get(ticket.subject)
    is_right = {
        "its beginning": [event.field for event in events[:1]] == ["created"],
        "its version": bool(events) and (ticket.version, ticket.last_event) == (events[-1].version, events[-1].id),
        "its tags": set(tags) == set(ticket.tags),
        "its messages": len(store.messages(ticket.id, public_only=False)) == said,
        "its file": len(files) == 1 and content is not None and store.content(files[0]) == content,
        "the index of its words": [row.id for row in store.search(Query(text=ticket.subject)).rows] == [ticket.id],
    }
    return [f"{what} is not what was sent and done" for what, holds in is_right.items() if not holds]


class KilledErasures(KilledSite):
    """Erasures of its customers are killed, and what goes on with them."""

    def __init__(self, folder: Path, seed: int = 17) -> None:
        super().__init__(folder, seed)
        with closing(self.store()) as store:
            for number in range(OTHERS):
                store.create(NewTicket(f"Other {number}", "parcel late", f"p{number}@example.com", tags=["x"]), 1.8e9)
        self._erase(self._customer("warm"))
        self._took_s = self._erase(self._customer("first"))
        with closing(self.store()) as store:
            person = store.by_email(address(self._customer("alone")))
            assert person is not None
            began = time.perf_counter()
            store.erase(person.id, time.time(), folder / "state" / "outbox")
            self._alone_s = time.perf_counter() - began

    def play(self, kills: int, told: Told = lambda _done: None) -> None:
        """Kill so many erasures; each is to be finished by one of those who may."""
        done = 0
        while done < kills:
            word = self._customer(f"{done}x{self.dice.randrange(10**9)}")
            while done < kills and not self._is_begun(word):
                self._cut_off(self.begun("local", "erase", address(word), "--yes"), word)
                done += 1
                told(done)
            if not self._is_begun(word):
                self._erase(word)
                continue
            with closing(self.store()) as store:
                self.counted["cut off half-way" if store.unfinished() else "had ended"] += 1
            how = self.dice.choice(("the same again", "another erasure", "a run", "the portal"))
            while done < kills and self.dice.random() < 0.3:  # whoever goes on with it may be killed as well
                self._cut_off(self._going_on(how, word))
                done += 1
                told(done)
            self._go_on(how, word)
            self.counted[f"finished by {how}"] += 1
            self._look_for(word, how)

    def _customer(self, name: str) -> str:
        """A customer with all that a customer can leave behind; the word that is in all of it."""
        word = f"canary{name}"
        with closing(self.store()) as store:
            for number in range(2):
                file = NewFile(f"{word}.txt", f"{word} {number} ".encode() * 500)
                made = store.create(
                    NewTicket(f"{word} subject", f"{word} text", address(word), word, files=[file]), time.time()
                )
                store.reply(made.id, AI, f"{word} note", public=False, now=time.time())
                requester = store.ticket(made.id)
                assert requester is not None
                author = Actor("customer", requester.requester)
                store.reply(made.id, author, f"{word} more", public=True, now=time.time(), files=[file])
        outbox = self.folder / "state" / "outbox"
        outbox.mkdir(parents=True, exist_ok=True)
        for file_name in (f"{name}.eml", f"{name}.eml.tmp"):
            (outbox / file_name).write_text(f"To: {address(word)}\nSubject: x\n\n{word}\n", encoding="utf-8")
        return word

    def _is_begun(self, word: str) -> bool:
        with closing(self.store()) as store:
            return bool(store.unfinished()) or store.by_email(address(word)) is None

    def _erase(self, word: str) -> float:
        """Erase whom nobody kills; gives how long it took."""
        began = time.perf_counter()
        self._ended(self.begun("local", "erase", address(word), "--yes"))
        took_s = time.perf_counter() - began
        self._look_for(word, "one that nobody killed")
        return took_s

    def _going_on(self, how: str, word: str) -> BaseProcess:
        if how == "a run":
            return self.begun("run", "--since", "1d", "--limit", "1")
        if how == "the portal":
            return self.begun("portal", "--port", "0")
        whom = address(word)
        if how == "another erasure":
            with closing(self.store()) as store:
                person = store.person(self.dice.randrange(OTHERS) + 1)
            whom = person.email if person is not None else whom
        return self.begun("local", "erase", whom, "--yes")

    def _go_on(self, how: str, word: str) -> None:
        process = self._going_on(how, word)
        if how != "the portal":
            self._ended(process, may_fail=how != "a run")  # whom it names may be erased already
            return
        with closing(self.store()) as store:
            end = time.monotonic() + PATIENCE_S
            while store.unfinished() and time.monotonic() < end:
                time.sleep(0.02)
        killed(process)

    def _look_for(self, word: str, how: str) -> None:
        with closing(self.store()) as store:
            if store.unfinished():
                self.faults.append(f"{word}: not finished by {how}")
        for path in self.folder.rglob("*"):
            if path.is_file() and (word.encode() in path.read_bytes().lower() or word in path.name.lower()):
                self.faults.append(f"{word}: in {path.relative_to(self.folder)}, after {how}")

    def _cut_off(self, process: BaseProcess, word: str = "") -> None:
        """Kill it at any moment; of the one that erases ``word`` mostly while it does that."""
        if word and self.dice.random() < 0.8:
            while process.is_alive() and not self._is_begun(word):
                time.sleep(0.001)
            time.sleep(self.dice.uniform(0.0, self._alone_s))
        else:
            time.sleep(self.dice.uniform(0.0, 1.1 * self._took_s))
        killed(process)

    def _ended(self, process: BaseProcess, *, may_fail: bool = False) -> None:
        process.join(PATIENCE_S)
        if process.exitcode != 0 and not (may_fail and process.exitcode == 2):
            self.faults.append(f"a command ended with {process.exitcode}")


def address(word: str) -> str:
    return f"{word}@example.com"
