"""What agents answered in public on a ticket, and which tickets are gone. Reads only."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from typing import Protocol


@dataclass(frozen=True)
class AgentReply:
    """A public reply of an agent, and that agent's name where it is known. Both are personal data: never log them."""

    text: str
    author: str = ""


class AgentReplies(Protocol):
    """The public replies of one account. Every method may raise :class:`CannotRun` and :class:`DeadlineReached`."""

    def of(self, ticket_id: int) -> tuple[AgentReply, ...]:
        """What agents, but not our own user, answered, the oldest first. Raises :class:`TicketError`."""

    def gone_since(self, moment: float) -> Collection[int]:
        """Tickets deleted since (Unix seconds), as far as a list of changed tickets does not show them."""
