"""What a run does before its tickets and after them, as the settings want it."""

from __future__ import annotations

from typing import Literal

from ..core.clock import Deadline, SystemClock
from ..core.errors import StateUnusable, TicketError
from ..core.models import ReplyPlan
from ..helpdesk.transport import Transport
from ..pipeline.parts import ReplyObjection
from ..settings.schema import Settings
from .desks import Desk


def reply_objection(settings: Settings) -> ReplyObjection | None:
    """Why settings or articles cancel an announced public reply; ``None`` where the settings ask for none at all."""
    if not settings.replies.public_wanted or settings.helpdesk == "freshdesk":
        return None
    from ..replies.public import why_not_now
    from .knowledge import for_customers

    def objection(plan: ReplyPlan, step: Literal["reply", "status"]) -> str | None:
        try:
            with for_customers(settings) as passages:
                return why_not_now(plan, step, settings.replies, passages)
        except StateUnusable as error:
            raise TicketError(str(error)) from error

    return objection


def prepared(settings: Settings, clock: SystemClock, transport: Transport) -> list[str]:
    """Look after the local helpdesk, and sync articles that are due; what there is to say of that."""
    told = []
    if settings.helpdesk == "local":
        from . import local

        told += local.prepared(settings, transport)
    if settings.replies.wanted:
        from .knowledge_sync import sync_when_due

        told += sync_when_due(settings, clock, transport.throttle)
    return told


def wound_up(settings: Settings, desk: Desk, clock: SystemClock, deadline: Deadline, transport: Transport) -> list[str]:
    """Collect what people made of labels, where that is wanted; what there is to say of that."""
    if not settings.learning.collect_share:
        return []
    from .learning import collect_in_run

    return collect_in_run(settings, desk, transport, clock, deadline)
