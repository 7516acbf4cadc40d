"""Sends messages to all receivers at the same time, within a few seconds. It never raises.

The threads only send; the thread that waits for them decides what counts as sent, so a late answer changes nothing.
"""

from __future__ import annotations

import importlib.util
import threading
from collections.abc import Sequence
from dataclasses import dataclass

from ..core.clock import Clock
from .messages import AlertMessage
from .receivers import Receiver, deliver, package_missing, tame_libraries

NO_TIME = "it did not answer in time"
TOO_LATE = "there was no time left to send it"


@dataclass(frozen=True)
class Sent:
    """The result of one message: ``why`` is ``None`` if it arrived."""

    receiver: Receiver
    message: AlertMessage
    why: str | None = None


def send(post: Sequence[tuple[Receiver, Sequence[AlertMessage]]], seconds: float, clock: Clock) -> list[Sent]:
    """Send all messages within ``seconds``, each once.

    A receiver gets its messages in order; after the first that fails it gets no more.
    """
    waiting = [(receiver, list(messages)) for receiver, messages in post if messages]
    if not waiting:
        return []
    never = package_missing() if importlib.util.find_spec("apprise") is None else TOO_LATE if seconds <= 0 else None
    if never is not None:
        return [Sent(receiver, message, never) for receiver, messages in waiting for message in messages]
    tame_libraries()
    ends = clock.monotonic() + seconds
    turns = [_Turn(receiver, messages) for receiver, messages in waiting]
    for turn in turns:
        turn.start()
    done: list[Sent] = []
    for (receiver, messages), turn in zip(waiting, turns, strict=True):
        whys = turn.wait(max(0.0, ends - clock.monotonic()))
        done += [Sent(receiver, message, why) for message, why in zip(messages, whys, strict=True)]
    return done


class _Turn:
    """One receiver's messages, sent from a daemon thread of its own."""

    def __init__(self, receiver: Receiver, messages: Sequence[AlertMessage]) -> None:
        self._receiver, self._messages = receiver, messages
        self._lock = threading.Lock()
        self._whys: list[str | None] = []
        self._given_up = False
        self._thread = threading.Thread(target=self._send, name="alerts", daemon=True)

    def start(self) -> None:
        """Begin sending. If no thread can be started, nothing is sent."""
        try:
            self._thread.start()
        except RuntimeError:
            self._whys.append("no thread could be started to send it")

    def wait(self, seconds: float) -> list[str | None]:
        """Wait for ``seconds`` at most; return for each message why it did not arrive, or ``None``.

        No message is begun after that. One that arrives late counts as not sent, and the next run sends it again.
        """
        if self._thread.ident is not None:
            self._thread.join(seconds)
        with self._lock:
            self._given_up = True
            whys = list(self._whys)
        rest = next((why for why in whys if why is not None), NO_TIME)
        return whys + [rest] * (len(self._messages) - len(whys))

    def _send(self) -> None:
        for message in self._messages:
            with self._lock:
                if self._given_up:
                    return
            why = deliver(self._receiver, message)
            with self._lock:
                self._whys.append(why)
            if why is not None:
                return
