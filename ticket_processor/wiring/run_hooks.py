"""What a run does before its tickets and after them, and what differs in a run of one shard."""

from __future__ import annotations

from collections.abc import Collection
from pathlib import Path
from typing import Literal

from ..core.clock import SystemClock
from ..core.errors import ConfigError, StateUnusable, TicketError
from ..core.models import ReplyPlan
from ..helpdesk.protocol import Helpdesk, Shard, ShardDesk
from ..helpdesk.transport import Transport
from ..pipeline.intake import ToldOf
from ..pipeline.parts import ReplyObjection
from ..settings.schema import Settings
from ..state.store import State
from .desks import tidy_local


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
        told += tidy_local(settings, transport)
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


def only_shard(desk: Helpdesk, settings: Settings) -> Helpdesk:
    """The helpdesk as the settings' shard sees it."""
    return desk if settings.shard is None else ShardDesk(desk, settings.shard)


def of_shard(ticket_ids: Collection[int], settings: Settings) -> Collection[int]:
    """Those of the tickets that are the settings' shard's."""
    shard = settings.shard
    return ticket_ids if shard is None else [number for number in ticket_ids if shard.has(number)]


def told_of_shard(told_of: ToldOf | None, settings: Settings) -> ToldOf | None:
    """The same without tickets of other shards, which come by in those."""
    shard = settings.shard
    if told_of is None or shard is None:
        return told_of
    return lambda: [number for number in told_of() if shard.has(number)]
