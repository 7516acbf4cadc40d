"""Pages of tickets in order, and the cursor that is earned once all tickets of a page are settled."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field

from ..helpdesk.protocol import Page


class PageLedger:
    """Pages in order, each with the tickets still open; tells when the cursor behind a page is earned.

    ``store`` is called with a page's cursor once every ticket of it, and of all pages before it, is settled or on
    the retry list. Use from one thread.
    """

    def __init__(self, store: Callable[[str], None]) -> None:
        self._store = store
        self._pages: deque[_OpenPage] = deque()

    def open(self, page: Page) -> None:
        """A page whose tickets are about to be looked at."""
        self._pages.append(_OpenPage(page.cursor))

    def begin(self, ticket_id: int) -> None:
        """A ticket of the newest page needs work."""
        self._pages[-1].pending.add(ticket_id)

    def exhausted(self) -> None:
        """Every ticket of the newest page has been looked at."""
        self._pages[-1].exhausted = True
        self._advance()

    def settled(self, ticket_id: int) -> None:
        """The ticket has its end in this run, wherever it appeared."""
        for page in self._pages:
            page.pending.discard(ticket_id)
        self._advance()

    def _advance(self) -> None:
        while self._pages and self._pages[0].exhausted and not self._pages[0].pending:
            cursor = self._pages.popleft().cursor
            if cursor is not None:
                self._store(cursor)


@dataclass
class _OpenPage:
    cursor: str | None
    pending: set[int] = field(default_factory=set)
    exhausted: bool = False
