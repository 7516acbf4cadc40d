"""The helpdesk of some settings: its name on the queue, and the queue that a server has made for it."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import ExitStack

from ..core.errors import StateUnusable
from ..settings.schema import Settings
from .delivery_queue import DeliveryQueue
from .worker import TakenFirst


def helpdesk_of(_settings: Settings) -> str:
    """The name of these settings' helpdesk on the queue."""
    return "zendesk"


def taken_first(settings: Settings, now: Callable[[], float], stack: ExitStack) -> TakenFirst | None:
    """What a scheduled run takes first; ``None`` where no server has ever made a queue. ``stack`` closes it."""
    try:
        queue = DeliveryQueue.of_others(settings.state_folder, helpdesk_of(settings))
    except StateUnusable:
        return None  # the run sees every ticket all the same
    if queue is None:
        return None
    stack.callback(queue.close)
    return TakenFirst(queue, now)
