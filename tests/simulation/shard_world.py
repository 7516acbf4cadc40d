"""Stories in which two drivers share an account: each has a shard of its tickets, and a state of its own."""

from __future__ import annotations

import random

from ticket_processor.helpdesk.protocol import Shard
from ticket_processor.state.store import State

from .guards import Guard, patch
from .invariants import violations
from .world import World

FIRST, SECOND = Shard(1, 2), Shard(2, 2)


def broken_promises(world: ShardWorld) -> list[str]:
    """Those of every story, but for 13: what one driver learns of the account's jobs, the other has to learn itself."""
    return [told for told in violations(world) if not told.startswith("13 trust")]


SHARD_MUTATIONS = {
    "a ticket is in no shard": Guard(1, patch(Shard, "has", lambda shard, number: number % 3 == shard.number))
}
"""What must be noticed. That both drivers take a ticket is harmless where updates are guarded."""


class ShardWorld(World):
    """One story with two drivers, whose runs overlap. The first one's state may be lost or put back, as ever."""

    def __init__(self, seed: int, **options: object) -> None:
        self.apart = random.Random(f"shards {seed}")
        self.second: State | None = None
        """The second driver's state."""
        super().__init__(seed, **options)  # type: ignore[arg-type]

    def _schedule_run(self, moment: float, name: str, *, since: float | None, state: State | None = None) -> None:
        super()._schedule_run(moment, name, since=since, state=state)
        if self.second is None:
            self.second = State(None)
            self.states.append(self.second)
        later = moment + self.apart.choice((0.0, self.apart.uniform(0, 8), self.apart.uniform(0, 300)))
        if state is not None and not name.startswith("twin0"):
            since = None  # the first driver's lost state is no reason to begin anew while another run has this one
        super()._schedule_run(later, f"{name}.second", since=since, state=self.second)

    def _customer_writes(self) -> None:
        """Once things work again, each driver gets a ticket by which it sees so."""
        waiting = {FIRST, SECOND}
        while waiting:
            super()._customer_writes()
            newest = max(self.tickets)
            waiting = set() if self.faulty else {shard for shard in waiting if not shard.has(newest)}

    def _state_that_knows(self, state: State | None) -> State:
        return self.second if state is not None and state is self.second else self.state

    def _shard(self, state: State) -> Shard:
        return self.shard_of(state)

    def concerns(self, ticket_id: int, state: State) -> bool:
        return self.shard_of(state).has(ticket_id)

    def shard_of(self, state: State) -> Shard:
        """The shard whose driver has this state."""
        return SECOND if getattr(state, "_shared", state) is self.second else FIRST
