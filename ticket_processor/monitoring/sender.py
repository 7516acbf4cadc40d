"""Sends messages to all receivers at the same time, within a few seconds. It never raises.

A receiver that keeps failing gets nothing for half an hour. The threads only send; the thread that waits for them
decides what counts as sent, so a late answer changes nothing.
"""

from __future__ import annotations

import importlib.util
import threading
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from ..core.circuit_breaker import Breaker
from ..core.clock import Clock
from .messages import AlertMessage
from .open_alerts import Breakers
from .receivers import Receiver, deliver, package_missing, tame_libraries

NO_TIME = "it did not answer in time"
TOO_LATE = "there was no time left to send it"
THRESHOLD, OPEN_S = 3, 1800.0


@dataclass(frozen=True)
class Sent:
    """The result of one message: ``why`` is ``None`` if it arrived.

    ``rests_until`` is set if its receiver gets nothing for a while, after too many failures. If that was so before, the
    receiver was not ``asked``, and ``why`` is the reason of its last failure.
    """

    receiver: Receiver
    message: AlertMessage
    why: str | None = None
    rests_until: float | None = None
    asked: bool = True


class Sender:
    """Sends to receivers at the same time. ``memories`` are those of their breakers, by id, from an earlier run.

    For one thread.
    """

    def __init__(self, clock: Clock, memories: Mapping[str, Breakers] | None = None) -> None:
        self._clock = clock
        self._memories = dict(memories or {})

    @property
    def memories(self) -> dict[str, Breakers]:
        """The memories of the breakers, for the next run."""
        return dict(self._memories)

    def send(self, post: Sequence[tuple[Receiver, Sequence[AlertMessage]]], seconds: float) -> list[Sent]:
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
        ends = self._clock.monotonic() + seconds
        breakers = [self._breaker(receiver) for receiver, _ in waiting]
        admissions = [breaker.admit() for breaker in breakers]
        turns = [_Turn(receiver, messages) for receiver, messages in waiting]
        for turn, admission in zip(turns, admissions, strict=True):
            if admission is not None:
                turn.start()
        done: list[Sent] = []
        for (receiver, messages), breaker, admission, turn in zip(waiting, breakers, admissions, turns, strict=True):
            known = self._memories.get(receiver.target.id, Breakers())
            if admission is None:
                done += [Sent(receiver, message, known.why, known.open_until, asked=False) for message in messages]
                continue
            whys = turn.wait(max(0.0, ends - self._clock.monotonic()))
            why = next((why for why in whys if why is not None), None)
            (breaker.success if why is None else breaker.failure)(admission)
            kept = self._kept(receiver, breaker, why)
            until = kept.open_until if kept.rests(self._clock.now()) else None
            done += [
                Sent(receiver, message, why, until if why else None)
                for message, why in zip(messages, whys, strict=True)
            ]
        return done

    def _kept(self, receiver: Receiver, breaker: Breaker, why: str | None) -> Breakers:
        if why is None:
            self._memories.pop(receiver.target.id, None)
            return Breakers()
        memory = breaker.memory()
        kept = Breakers(failures=memory.failures, open_until=memory.open_until, at=self._clock.now(), why=why)
        self._memories[receiver.target.id] = kept
        return kept

    def _breaker(self, receiver: Receiver) -> Breaker:
        known = self._memories.get(receiver.target.id)
        return Breaker(
            receiver.target.id,
            self._clock,
            threshold=THRESHOLD,
            open_seconds=OPEN_S,
            memory=None if known is None else known.memory,
        )


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
