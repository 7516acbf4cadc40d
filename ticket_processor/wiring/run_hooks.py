"""What a run does before its tickets and after them, and what differs in a run of one shard."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

from ..core.clock import SystemClock
from ..core.errors import ConfigError, StateUnusable, TicketError
from ..core.models import ReplyPlan
from ..helpdesk.shards import Shard
from ..helpdesk.transport import Transport
from ..pipeline.parts import ReplyObjection
from ..settings.schema import Settings
from ..state.store import State


def reply_objection(settings: Settings) -> ReplyObjection | None:
    """Why settings or articles cancel an announced public reply; ``None`` where the settings ask for none at all."""
    if not settings.replies.public_wanted or not settings.desk.can.guarded:
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
        from .knowledge import sync_when_due

        told += sync_when_due(settings, clock, transport.throttle)
    return told


FACT = "shard"


def keep_to_shard(state: State, shard: Shard | None, folder: Path) -> None:
    """Have the state remember its shard. Raises :class:`ConfigError` where it is another one's."""
    known = state.fact(FACT)
    if known is None:
        if shard is not None:
            state.remember(**{FACT: str(shard)})
    elif known != str(shard):
        raise ConfigError(
            f'the state in {folder} is of shard {known}: set run.shard = "{known}", or for {shard or "all tickets"} '
            "name an empty folder in TICKETBOT_STATE_DIR, and say --since"
        )
