"""A run of one shard: what it lists, what it is told of, and the state that goes with it."""

from __future__ import annotations

from collections.abc import Collection
from pathlib import Path

from ..core.errors import ConfigError
from ..helpdesk.protocol import Helpdesk
from ..helpdesk.shards import Shard, ShardDesk
from ..pipeline.intake import ToldOf
from ..settings.schema import Settings
from ..state.store import State

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
