"""Reading ahead: while the caller works on one page, a thread fetches the next, and never more than that one.

Where the next is not there yet, the caller is told so, and goes on with what else there is to do.
"""

from __future__ import annotations

import queue
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TypeVar

from ..core.clock import Clock

Item = TypeVar("Item")

POLL_S = 0.05
"""How long the caller is kept waiting for the next."""


@dataclass(frozen=True)
class _End:
    """Nothing more comes, because of ``error`` if there is one."""

    error: BaseException | None = None


def read_ahead(items: Iterator[Item], clock: Clock) -> Iterator[Item | None]:
    """``items`` in their order, each asked for when the one before it is handed out; ``None`` while one is fetched.

    What fetching raises is raised here in its turn, behind everything fetched before; a stop that was asked for, at
    once. ``items`` are used by one thread of their own. It ends with them, with an error, or when this iterator is
    closed; a fetch that is under way then is not waited for.
    """
    wishes = threading.Semaphore(1)
    closed = threading.Event()
    fetched: queue.SimpleQueue[Item | _End] = queue.SimpleQueue()

    def read() -> None:
        while True:
            wishes.acquire()
            if closed.is_set():
                return
            try:
                fetched.put(next(items))
            except StopIteration:
                fetched.put(_End())
                return
            except BaseException as error:  # noqa: BLE001 - it is the caller's, whatever it is
                fetched.put(_End(error))
                return

    threading.Thread(target=read, name="read-ahead", daemon=True).start()
    try:
        while True:
            clock.check()
            try:
                item = fetched.get(timeout=POLL_S)
            except queue.Empty:
                yield None
                continue
            if isinstance(item, _End):
                if item.error is not None:
                    raise item.error
                return
            wishes.release()
            yield item
    finally:
        closed.set()
        wishes.release()
