"""What the invariants look at, whoever has gathered it: a story in virtual time, or one of real processes."""

from __future__ import annotations

import base64
from collections.abc import Mapping, Sequence
from typing import Any, Protocol

from ticket_processor.core.reasons import CHANGED_SINCE, NOT_FOUND
from ticket_processor.sandbox.store import Audit

from ..imitation import Sandbox
from .mishaps import Mishaps


class Evidence(Protocol):
    """One story that has ended. Times are the sandbox's, Unix seconds."""

    sandbox: Sandbox
    mishaps: Mishaps
    """What is wrong with the helpdesk for longer than a moment."""
    cursors: list[str]
    """Tickets that a cursor was found to have passed unsettled, as sentences."""
    log: list[dict[str, Any]]
    """Every audit line of every run, in order."""
    wire: list[tuple[str, str, str, tuple[int, ...], str]]
    """(run, method, path, tickets, end) of every request to the helpdesk."""
    model_calls: list[tuple[str, int, float]]
    """(run, ticket, time) of every answer that was paid for."""
    run_starts: dict[str, float]
    second_looks: set[str]
    """Runs that were asked to take a second look at what rules had answered."""
    answered: list[tuple[int, float]]
    """Tickets that their customers answered, and when."""
    asked: dict[str, tuple[int, ...]]
    """Runs that were about these tickets, which they were to triage anew."""
    durations: dict[str, float]
    """How long each run took, in seconds."""
    keeps_state: bool
    """Whether every run knew what the runs before it had written down."""

    def is_settled(self, ticket_id: int) -> bool:
        """A write of ours is on it, or some run has said why there will be none, or a person dealt with it."""

    def our_writes(self, ticket_id: int) -> Sequence[Audit]:
        """The audits of our writes on a ticket."""


def explains(line: Mapping[str, Any]) -> bool:
    """Whether a line of the log says why its ticket gets no write."""
    skipped = line["event"] == "ticket" and line["outcome"] == "skipped"
    return skipped and not line["reason"].startswith(("deferred", NOT_FOUND, CHANGED_SINCE))


def passed_by(cursor: str, story: Evidence) -> list[int]:
    """Tickets that lie before the place of a cursor and that nobody has settled."""
    stamp, _, rest = base64.b64decode(cursor.partition(":")[2]).decode().partition("||")
    place = (float(stamp), int(rest.rstrip("|") or 0))
    return [
        ticket.id
        for ticket in story.sandbox.store.tickets.values()
        if (float(ticket.json["generated_timestamp"]), ticket.id) <= place and not story.is_settled(ticket.id)
    ]
