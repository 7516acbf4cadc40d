"""In place of a connection to a helpdesk's server: the local helpdesk's file, opened when it is first asked."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from ..core.circuit_breaker import Breaker
from ..core.clock import Clock, Deadline
from ..core.errors import HelpdeskDown
from .http_messages import Reply
from .local_model import Labels
from .local_store import LocalStore
from .rate_limit import Throttle
from .transport import Transport


class LocalConnection(Transport):
    """The way to one local helpdesk, for one run: its store, the deadline, and how often it was asked for what.

    Nothing goes over a network. Raises :class:`HelpdeskDown` at first use where the file is missing or unusable.
    """

    def __init__(
        self, path: Path, base_url: str, *, name: str, clock: Clock, deadline: Deadline, read_only: bool
    ) -> None:
        super().__init__(
            base_url,
            name=name,
            clock=clock,
            deadline=deadline,
            breaker=Breaker(name, clock),
            throttle=Throttle(clock, 1.0),
            read_only=read_only,
        )
        self.now = clock.now
        self.read_only = read_only
        self._path = path
        self._store: LocalStore | None = None

    def opened(self, labels: Labels, *, make: bool = False) -> LocalStore:
        """The helpdesk itself; ``make`` where a missing one is to be made."""
        if self._store is None:
            self._store = LocalStore(self._path, labels=labels, clock=self.now, make=make)
        return self._store

    def noted(self, call: str) -> None:
        """Count a call of the helpdesk, which may not be made once the run's time is used up."""
        self._deadline.check()
        self._count(call)
        self.date = self.now()

    def request(self, *_args: Any, **_options: Any) -> Reply:
        """No local helpdesk answers requests."""
        raise HelpdeskDown("the local helpdesk is a file, and answers no requests")

    def close(self) -> None:
        """Close the file."""
        super().close()
        if self._store is not None:
            self._store.close()
