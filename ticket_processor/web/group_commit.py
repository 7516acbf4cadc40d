"""Stores deliveries as they come, many in one transaction: the disk is waited for once for all of them."""

from __future__ import annotations

import asyncio
import queue
import threading
from collections.abc import Callable
from contextlib import suppress

from ..core.errors import StateUnusable, unexpected
from .delivery_queue import DeliveryQueue, ToldTicket

MOST_AT_ONCE = 500
FORGET_EVERY_S = 60.0
_Asked = tuple[ToldTicket, "asyncio.Future[bool]"]


class GroupCommit:
    """Puts deliveries on the queue, from any coroutine of one loop; a thread of its own writes.

    Keys are kept for ``kept_s``. ``stored`` is called after each transaction, in that thread.
    """

    def __init__(
        self, into: DeliveryQueue, now: Callable[[], float], kept_s: float, stored: Callable[[], object]
    ) -> None:
        self._into = into
        self._now = now
        self._kept_s = kept_s
        self._stored = stored
        self._asked: queue.SimpleQueue[_Asked | None] = queue.SimpleQueue()
        self._forgot_at = 0.0
        self._thread = threading.Thread(target=self._work, name="group-commit", daemon=True)
        self._thread.start()

    async def put(self, delivery: ToldTicket) -> bool:
        """Whether the delivery is new; it is on the disk by then. Raises ``StateUnusable``."""
        answer: asyncio.Future[bool] = asyncio.get_running_loop().create_future()
        self._asked.put((delivery, answer))
        return await answer

    def close(self) -> None:
        """Store what was asked for, and end."""
        self._asked.put(None)
        self._thread.join(10)

    def _work(self) -> None:
        while (first := self._asked.get()) is not None:
            taken, last = [first], False
            with suppress(queue.Empty):
                while len(taken) < MOST_AT_ONCE:
                    if (more := self._asked.get_nowait()) is None:
                        last = True
                        break
                    taken.append(more)
            self._store(taken)
            if last:
                return

    def _store(self, taken: list[_Asked]) -> None:
        results: list[bool | StateUnusable]
        try:
            now = self._now()
            results = [*self._into.put([delivery for delivery, _ in taken], now)]
            if not 0 <= now - self._forgot_at < FORGET_EVERY_S:
                self._into.forget(now - self._kept_s)
                self._forgot_at = now
        except StateUnusable as error:
            results = [error] * len(taken)
        except Exception as error:  # noqa: BLE001 - a bug must not leave every later delivery without an answer
            results = [StateUnusable(unexpected(error))] * len(taken)
        loop = taken[0][1].get_loop()
        with suppress(RuntimeError):  # the loop has ended, and no request waits for an answer
            loop.call_soon_threadsafe(_answer, taken, results)
        self._stored()


def _answer(taken: list[_Asked], results: list[bool | StateUnusable]) -> None:
    for (_, answer), result in zip(taken, results, strict=True):
        if answer.done():
            continue  # who asked has gone
        if isinstance(result, StateUnusable):
            answer.set_exception(result)
        else:
            answer.set_result(result)
