"""Telling everybody at the same time, none for longer than a few seconds. It never raises.

A receiver that keeps failing is left alone for half an hour. Threads only send: what counts is decided by the one that
waits for them, so that a late answer changes nothing any more.
"""

from __future__ import annotations

import importlib.util
import threading
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from .alert_memory import Breakers
from .alert_messages import Message
from .alerts import Receiver, deliver, package_missing, tame_libraries
from .breaker import Breaker
from .clock import Clock

NO_TIME = "it did not answer in time"
TOO_LATE = "there was no time left to send it"
THRESHOLD, OPEN_S = 3, 1800.0


@dataclass(frozen=True)
class Sent:
    """What became of one message: ``why`` is ``None`` when it arrived.

    ``rests_until`` is set where its receiver is left alone now, for having failed too often; where that was so before,
    it was not ``asked``, and ``why`` is what had kept the last message from it.
    """

    receiver: Receiver
    message: Message
    why: str | None = None
    rests_until: float | None = None
    asked: bool = True


class Sender:
    """Sends to receivers at the same time. ``memories`` are their breakers', by id, as an earlier run left them.

    Used by one thread.
    """

    def __init__(self, clock: Clock, memories: Mapping[str, Breakers] | None = None) -> None:
        self._clock = clock
        self._memories = dict(memories or {})

    @property
    def memories(self) -> dict[str, Breakers]:
        """What the breakers have to remember for the next run."""
        return dict(self._memories)

    def send(self, post: Sequence[tuple[Receiver, Sequence[Message]]], seconds: float) -> list[Sent]:
        """Send all of it, within ``seconds``. What one receiver does not take, it is not asked to take twice.

        The order of a receiver's messages is kept, and the first that fails ends its turn.
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
    """One receiver's messages, sent from a thread of its own that nobody waits for in the end."""

    def __init__(self, receiver: Receiver, messages: Sequence[Message]) -> None:
        self._receiver, self._messages = receiver, messages
        self._lock = threading.Lock()
        self._whys: list[str | None] = []
        self._given_up = False
        self._thread = threading.Thread(target=self._send, name="alerts", daemon=True)

    def start(self) -> None:
        """Begin sending. Where there can be no thread, nothing is sent."""
        try:
            self._thread.start()
        except RuntimeError:
            self._whys.append("no thread could be started to send it")

    def wait(self, seconds: float) -> list[str | None]:
        """For each message why it did not arrive, after no longer than ``seconds``.

        None is begun after that, and what arrives all the same counts as not sent: the next run sends it once more.
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
