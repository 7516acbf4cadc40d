"""Erasures of customers, killed again and again, and what goes on with them; see ``scripts/kill_runs.py --portal``."""

from __future__ import annotations

import random
import time
from collections import Counter
from collections.abc import Callable
from contextlib import closing
from multiprocessing.process import BaseProcess
from pathlib import Path

from ticket_processor.helpdesk.local_model import AI, Actor, NewFile, NewTicket
from ticket_processor.helpdesk.local_store import LocalStore

from .submit_kills import PATIENCE_S, SETTINGS, forked

OTHERS = 1000
"""Tickets of others, so that the file is not a small one."""


class KilledErasures:
    """A folder with a local helpdesk, its outbox, and customers who are erased; ``faults`` must not be."""

    def __init__(self, folder: Path, seed: int = 17) -> None:
        self.folder = folder
        (folder / "ticketbot.toml").write_text(SETTINGS, encoding="utf-8")
        self.faults: list[str] = []
        self.counted: Counter[str] = Counter()
        self._dice = random.Random(seed)
        self._took_s = 1.0
        with closing(self._store()) as store:
            for number in range(OTHERS):
                store.create(NewTicket(f"Other {number}", "parcel late", f"p{number}@example.com", tags=["x"]), 1.8e9)
        self._erase(self._customer("warm"))
        began = time.perf_counter()
        self._erase(self._customer("first"))
        self._took_s = time.perf_counter() - began
        with closing(self._store()) as store:
            self._customer("alone")
            person = store.by_email(self._address("canaryalone"))
            assert person is not None
            began = time.perf_counter()
            store.erase(person.id, time.time(), folder / "state" / "outbox")
            self._alone_s = time.perf_counter() - began

    def play(self, kills: int, told: Callable[[int], object] = lambda _done: None) -> None:
        """Kill so many erasures; each is to be finished by one of those who may."""
        done = 0
        while done < kills:
            word = self._customer(f"{done}x{self._dice.randrange(10**9)}")
            while done < kills and not self._is_begun(word):
                self._cut_off(self._command("local", "erase", self._address(word), "--yes"), word)
                done += 1
                told(done)
            if not self._is_begun(word):
                self._erase(word)
                continue
            with closing(self._store()) as store:
                self.counted["cut off half-way" if store.unfinished() else "had ended"] += 1
            how = self._dice.choice(("the same again", "another erasure", "a run", "the portal"))
            while done < kills and self._dice.random() < 0.3:  # whoever goes on with it may be killed as well
                self._cut_off(self._going_on(how, word))
                done += 1
                told(done)
            self._go_on(how, word)
            self.counted[f"finished by {how}"] += 1
            self._look_for(word, how)

    def _customer(self, name: str) -> str:
        """A customer with all that a customer can leave behind; the word that is in all of it."""
        word = f"canary{name}"
        with closing(self._store()) as store:
            for number in range(2):
                file = NewFile(f"{word}.txt", f"{word} {number} ".encode() * 500)
                new = NewTicket(f"{word} subject", f"{word} text", self._address(word), word, files=[file])
                made = store.create(new, time.time())
                store.reply(made.id, AI, f"{word} note", public=False, now=time.time())
                requester = store.ticket(made.id)
                assert requester is not None
                author = Actor("customer", requester.requester)
                store.reply(made.id, author, f"{word} more", public=True, now=time.time(), files=[file])
        outbox = self.folder / "state" / "outbox"
        outbox.mkdir(parents=True, exist_ok=True)
        mail = f"To: {self._address(word)}\nSubject: x\n\n{word}\n"
        for name_of_file in (f"{word[6:]}.eml", f"{word[6:]}.eml.tmp"):
            (outbox / name_of_file).write_text(mail, encoding="utf-8")
        return word

    def _is_begun(self, word: str) -> bool:
        with closing(self._store()) as store:
            return bool(store.unfinished()) or store.by_email(self._address(word)) is None

    def _erase(self, word: str) -> None:
        self._ended(self._command("local", "erase", self._address(word), "--yes"))
        self._look_for(word, "one that nobody killed")

    def _going_on(self, how: str, word: str) -> BaseProcess:
        if how == "a run":
            return self._command("run", "--since", "1d", "--limit", "1")
        if how == "the portal":
            return self._command("portal", "--port", "0")
        another = self._address(word)
        if how == "another erasure":
            with closing(self._store()) as store:
                person = store.person(self._dice.randrange(OTHERS) + 1)
            another = person.email if person is not None else another
        return self._command("local", "erase", another, "--yes")

    def _go_on(self, how: str, word: str) -> None:
        process = self._going_on(how, word)
        if how != "the portal":
            self._ended(process, may_fail=how != "a run")  # whom it names may be erased already
            return
        with closing(self._store()) as store:
            end = time.monotonic() + PATIENCE_S
            while store.unfinished() and time.monotonic() < end:
                time.sleep(0.02)
        process.kill()
        process.join(PATIENCE_S)

    def _look_for(self, word: str, how: str) -> None:
        with closing(self._store()) as store:
            if store.unfinished():
                self.faults.append(f"{word}: not finished by {how}")
        for path in self.folder.rglob("*"):
            if path.is_file() and (word.encode() in path.read_bytes().lower() or word in path.name.lower()):
                self.faults.append(f"{word}: in {path.relative_to(self.folder)}, after {how}")

    def _cut_off(self, process: BaseProcess, word: str = "") -> None:
        """Kill it at any moment; of the one that erases ``word`` mostly while it does that."""
        if word and self._dice.random() < 0.8:
            while process.is_alive() and not self._is_begun(word):
                time.sleep(0.001)
            time.sleep(self._dice.uniform(0.0, self._alone_s))
        else:
            time.sleep(self._dice.uniform(0.0, 1.1 * self._took_s))
        process.kill()
        process.join(PATIENCE_S)

    def _ended(self, process: BaseProcess, *, may_fail: bool = False) -> None:
        process.join(PATIENCE_S)
        if process.exitcode != 0 and not (may_fail and process.exitcode == 2):
            self.faults.append(f"a command ended with {process.exitcode}")

    def _command(self, *words: str) -> BaseProcess:
        process = forked(self.folder, *words)
        process.start()
        return process

    def _store(self) -> LocalStore:
        return LocalStore(self.folder / "helpdesk.sqlite3")

    @staticmethod
    def _address(word: str) -> str:
        return f"{word}@example.com"
