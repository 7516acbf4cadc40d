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
    ends, over = clock.monotonic() + seconds, threading.Event()
    turns: list[tuple[threading.Thread, list[str | None]]] = []
    for receiver, messages in waiting:
        whys: list[str | None] = []
        thread = threading.Thread(
            target=_deliver_all, args=[receiver, messages, whys, over], name="alerts", daemon=True
        )
        try:
            thread.start()
        except RuntimeError:
            whys.append("no thread could be started to send it")
        turns.append((thread, whys))
    for thread, _ in turns:
        if thread.ident is not None:
            thread.join(max(0.0, ends - clock.monotonic()))
    over.set()
    done: list[Sent] = []
    for (receiver, messages), (_, found) in zip(waiting, turns, strict=True):
        whys = list(found)  # what arrives later counts as not sent, and the next run sends it again
        rest = next((why for why in whys if why is not None), NO_TIME)
        whys += [rest] * (len(messages) - len(whys))
        done += [Sent(receiver, message, why) for message, why in zip(messages, whys, strict=True)]
    return done


def _deliver_all(
    receiver: Receiver, messages: Sequence[AlertMessage], whys: list[str | None], over: threading.Event
) -> None:
    """Send one receiver's messages, and note why each did not arrive; none is begun after the first that fails."""
    for message in messages:
        if over.is_set():
            return
        whys.append(deliver(receiver, message))
        if whys[-1] is not None:
            return
