"""A run's way through the local helpdesk: at each call and each transaction time passes, others act, and it may die."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from typing import TYPE_CHECKING, Any

import greenlet

from ticket_processor.core.errors import OutcomeUnknown, UpdateConflict
from ticket_processor.helpdesk.protocol import Helpdesk
from ticket_processor.state.sqlite import transaction

from .virtual import Countdown

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
