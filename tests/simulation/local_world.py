"""The local helpdesk of a story as runs and people meet it: their way through its one file, where each may die."""

from __future__ import annotations

import random
import sqlite3
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import replace
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any
from unittest import mock

import greenlet

from ticket_processor.core.errors import OutcomeUnknown, UpdateConflict
from ticket_processor.helpdesk import local_desk, local_reading
from ticket_processor.helpdesk.local_desk import LocalDesk
from ticket_processor.helpdesk.local_store import LocalStore
from ticket_processor.helpdesk.protocol import Helpdesk
from ticket_processor.helpdesk.transport import Transport
from ticket_processor.pipeline.analyse import Answers
from ticket_processor.pipeline.jobs import Delivery
from ticket_processor.state.sqlite import transaction
from ticket_processor.state.store import State

from ..imitation import FaultPlan
from .local_account import LocalAccount
from .mishaps import Mishaps
from .reply_world import ReplyWorld
from .troubles import RunClock
from .virtual import Countdown, Crash
from .world import GROUPS, TEXTS, World


class LocalWorld(ReplyWorld):
    """One story on the local helpdesk; in half of them runs send public replies."""

    stable_read_s = 0.0

    def __init__(self, seed: int, **options: Any) -> None:
        self._twists = random.Random(f"local {seed}")
        self._forms = 0
        self._sends_replies = self._twists.random() < 0.5
        self._file_fails = self._twists.choice((0.0, 0.0, 0.01, 0.05))
        self._folder = TemporaryDirectory()
        super().__init__(seed, **options)
        self.then = "pending" if self.then == "solved" else self.then  # only people say that a ticket is solved
        # The helpdesk has no other clock than its machine's, by which a reply would be early.
        self._wrong_clocks = self._wrong_clocks and not self._sends_replies

    def _helpdesk(self) -> Any:
        self.local = QuickStore(Path(self._folder.name) / "helpdesk.sqlite3")
        with self.local.writing() as db:
            for group in GROUPS:
                db.execute("INSERT INTO team VALUES (?, ?)", (group, f"Team {group}"))
        self.account = LocalAccount(self.time, self.local, self.seed)
        return SimpleNamespace(store=self.account, faults=FaultPlan(), duplicates=0.0, repeats=0.0)

    def _shape(self, held: Mishaps) -> None:
        none: dict[str, Any] = {"poison": {}, "odd": {}, "shared": None, "omits": 0.0, "stale_jobs": None}
        none |= {"ignores_stamps": False, "silent": 0.0, "late": 0.0, "upgrade": None, "redacts": False}
        none |= {"guard_ended": False, "agent": False, "drops": (), "no_room": False}
        self.mishaps = replace(held, **none)
        super()._shape(self.mishaps)

    def play(self) -> None:
        try:
            with (
                mock.patch.object(local_reading, "transaction", stepping(self.account)),
                mock.patch.object(local_desk, "PAGE_SIZE", self._twists.choice((1, 2, 1000))),
            ):
                super().play()
        finally:
            self.local.close()
            self._folder.cleanup()

    # Runs

    def _run(self, name: str, *arguments: Any, **options: Any) -> None:
        greenlet.getcurrent().run_name = name
        super()._run(name, *arguments, **options)

    def _clock(self) -> RunClock:
        clock = super()._clock()
        greenlet.getcurrent().clock = clock
        return clock

    def _way(self) -> Delivery:
        return Delivery("single")

    def _client(self, transport: Transport, state: State) -> Helpdesk:
        here = greenlet.getcurrent()
        here.steps = Steps(self, state._crash)
        return WatchedDesk(LocalDesk(self.local, here.clock.now), self, here.run_name, state._crash)

    def _answers(self) -> Answers:
        return super()._answers() if self._sends_replies else World._answers(self)

    def file_fails(self) -> bool:
        """Whether the helpdesk's file cannot be used at this moment."""
        return self.faulty and self._twists.random() < self._file_fails

    # People

    def _customer_writes(self) -> None:
        subject, body = self.dice.choice(TEXTS)
        email = f"customer{self._twists.randrange(10**6)}@example.com"
        copied = ("ai_processed", "copied") if self._odds.random() < self.mishaps.copies else ()
        self._forms += 1
        sent = partial(self.account.submit, subject, body, email, copied, f"form {self._forms}")
        with self._dying():
            sent()
        number = sent()
        if self._twists.random() < 0.3:
            self.time.at(self.time.now() + self._twists.uniform(0, 300), lambda: self._again(number, sent))

    def _again(self, number: int, sent: Callable[[], int]) -> None:
        if self.local.ticket(number).status != "spam" and sent() != number:
            self.account.faults.append(f"ticket {number}: submitted twice, and there twice")

    @contextmanager
    def _dying(self) -> Iterator[None]:
        """The portal may die at any statement, and is there again at once."""
        steps = self._twists.randint(1, 20) if self._twists.random() < self._crash_weight else None
        self.account.portal = Countdown(steps)
        try:
            yield
        except Crash:
            self.ends.append("the portal crashed")
        finally:
            self.account.portal = Countdown(None)

    def _customer_replies(self, ticket_id: int) -> None:
        if self.local.ticket(ticket_id).status not in ("closed", "spam"):
            super()._customer_replies(ticket_id)

    def _person_acts(self, ticket_id: int) -> None:
        if not self.faulty:
            return
        account, dice = self.account, self.dice
        if self._replies and dice.random() < 0.15:
            self._customer_replies(ticket_id)
            return
        act = dice.random()
        tags = account.tickets[ticket_id].tags
        edit = self._drawn_edit(act, tags)
        if act >= 0.9:
            among = ("open", "open", "pending", "pending", "solved", "spam")
            edit = {"status": dice.choice(among) if act < 0.98 else "closed"}
        if self._twists.random() < 0.3:
            account.opens_page(ticket_id)
            self.time.at(self.time.now() + self._twists.uniform(0, 30), lambda: self._saves_page(ticket_id, edit))
        elif edit:
            with self._dying():
                account.person_edit(ticket_id, **edit)

    def _saves_page(self, ticket_id: int, edit: Mapping[str, Any]) -> None:
        with self._dying():
            self.account.saves_page(ticket_id, **edit)

    # What is asked of a story

    def passed(self, cursor: str) -> list[int]:
        place = int(cursor.removeprefix("event:").partition("@")[0])
        before = [number for number in self.tickets if self.local.ticket(number).last_event <= place]
        return [number for number in before if not self.is_settled(number)]


class QuickStore(LocalStore):
    """A store whose writes need not survive the machine, as nobody pulls its plug."""

    def _connected(self) -> Any:
        db = super()._connected()
        db.execute("PRAGMA synchronous=OFF")
        return db


# A run's way through the local helpdesk


if TYPE_CHECKING:
    from .local_account import LocalAccount
    from .local_world import LocalWorld


class WatchedDesk:
    """The desk of one run, with each call on the wire's record."""

    def __init__(self, real: Helpdesk, world: LocalWorld, run: str, crash: Countdown) -> None:
        self._real = real
        self._world = world
        self._run = run
        self._crash = crash

    def pages(self, cursor: str | None, since: float) -> Iterator[Any]:
        pages = self._real.pages(cursor, since)
        while (page := self._call("GET", "pages", (), lambda: next(pages, None))) is not None:
            self._world.somebody_interferes([ticket.id for ticket in page.tickets])
            yield page

    def fetch(self, ticket_ids: Sequence[int]) -> Any:
        return self._call("GET", "show_many", tuple(ticket_ids), lambda: self._real.fetch(ticket_ids))

    def history(self, ticket_id: int) -> Any:
        return self._call("GET", "history", (ticket_id,), lambda: self._real.history(ticket_id))

    def update(self, change: Any) -> Any:
        return self._call("PUT", "update", (change.ticket_id,), lambda: self._real.update(change))

    def __getattr__(self, name: str) -> Any:
        def call(*arguments: Any, **options: Any) -> Any:
            return self._call("GET", name, (), lambda: getattr(self._real, name)(*arguments, **options))

        return call

    def _call(self, method: str, path: str, tickets: tuple[int, ...], answer: Callable[[], Any]) -> Any:
        self._crash.step()
        self._world.somebody_interferes(tickets)
        self._world.breathe()
        end = "lost"
        try:
            given = answer()
            end = "200"
        except UpdateConflict:
            end = "409"
            raise
        except OutcomeUnknown:
            raise
        except Exception:
            end = "422"
            raise
        finally:
            self._world.wire.append((self._run, method, path, tickets, end))
        self._world.somebody_interferes(tickets)
        self._world.breathe()
        self._crash.step()
        return given


class Steps:
    """What may happen to one run around each transaction and each of its statements."""

    def __init__(self, world: LocalWorld, crash: Countdown) -> None:
        self._world = world
        self.crash = crash

    def before(self) -> None:
        """Others may write first; the file may stay locked, or its disk be full."""
        self.crash.step()
        self._world.breathe()
        if self._world.file_fails():
            raise sqlite3.OperationalError("database is locked")

    def before_commit(self) -> None:
        """Nothing is lasting yet."""
        self.crash.step()
        if self._world.file_fails():
            raise sqlite3.OperationalError("database or disk is full")

    def behind(self) -> None:
        """The write is made, whatever is said of it."""
        self._world.breathe()
        self.crash.step()
        if self._world.file_fails():
            raise sqlite3.OperationalError("disk I/O error")


class _Statements:
    """A connection whose process may die at each statement."""

    def __init__(self, db: sqlite3.Connection, crash: Countdown) -> None:
        self._db = db
        self._crash = crash

    def execute(self, *arguments: Any) -> Any:
        self._crash.step()
        return self._db.execute(*arguments)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._db, name)


def stepping(account: LocalAccount) -> Callable[[sqlite3.Connection], AbstractContextManager[Any]]:
    """A transaction with the steps of the run that is under way, or of the portal; the book is kept behind it."""

    @contextmanager
    def begun(db: sqlite3.Connection) -> Iterator[Any]:
        steps: Steps | None = getattr(greenlet.getcurrent(), "steps", None)
        if steps is None:
            with transaction(db):
                yield _Statements(db, account.portal)
            account.observe()
            account.portal.step()
            return
        steps.before()
        with transaction(db):
            yield _Statements(db, steps.crash)
            steps.before_commit()
        account.observe()
        steps.behind()

    return begun
