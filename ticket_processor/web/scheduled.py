"""The queue of a server of webhooks, as a scheduled run reads it."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import ExitStack

from ..core.errors import StateUnusable
from ..settings.schema import Settings
from .delivery_queue import DeliveryQueue
from .worker import TakenFirst


def taken_first(settings: Settings, now: Callable[[], float], stack: ExitStack) -> TakenFirst | None:
    """The tickets that a scheduled run takes first; ``None`` where there is no queue. ``stack`` closes it."""
    try:
        queue = DeliveryQueue.of_others(settings.state_folder, settings.helpdesk)
    except StateUnusable:
        return None  # the run sees every ticket all the same
    if queue is None:
        return None
    stack.callback(queue.close)
    return TakenFirst(queue, now)
