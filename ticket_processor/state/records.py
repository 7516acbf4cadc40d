"""What the state keeps: verdicts with what was sent for them, replies that are due, and the retry list."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, TypeVar

from pydantic import Field, ValidationError

from ..core.errors import StateUnusable
from ..core.models import Analysis, Change, Decision, Frozen, Priority, ReplyPlan, TakenOff, Usage

Record = TypeVar("Record", bound=Frozen)


class Verdict(Frozen):
    """A finished analysis and what policy made of it, kept until the ticket is settled.

    ``clean_stamp`` is an ``updated_at`` at which the ticket is known to carry no write of ours. ``replaces`` are the
    tags of an earlier write of ours, when this is a second look. ``follows`` is true for every write after the first:
    the marker tag says nothing of those, only their own key does. ``puts_back`` marks what repairs a write of ours,
    ``completes`` what was refused of one. ``earlier_key`` is what an earlier version calls the same write.
    ``taken_off`` is what people had taken off at ``clean_stamp``, if that was looked up. ``anew``: a person asked for
    it, which counts until people have judged what was written before. ``unchanged_at``: it is only written while this
    is the ticket's ``updated_at``.
    """

    ticket_id: int
    key: str
    analysis: Analysis | None
    decision: Decision
    clean_stamp: str
    analyse_ms: int = 0
    replaces: tuple[str, ...] = ()
    follows: bool = False
    puts_back: bool = False
    completes: bool = False
    earlier_key: str = ""
    taken_off: TakenOff | None = None
    anew: bool = False
    unchanged_at: str = Field("", exclude_if=lambda stamp: not stamp)

    def told(self) -> Verdict:
        """The same without its cost, once a receipt holds that: a later run does not count it again."""
        if self.analysis is None:
            return self
        cost = None if self.analysis.cost_usd is None else 0.0
        analysis = self.analysis.model_copy(update={"usage": Usage(), "cost_usd": cost, "attempts": 0})
        return self.model_copy(update={"analysis": analysis, "analyse_ms": 0})

    def wordless(self) -> Verdict:
        """The same without anything in a customer's words."""
        words: dict[str, object] = {"summary": "", "evidence": (), "entities": {}, "root_cause": "", "steps": ()}
        analysis = self.analysis and self.analysis.model_copy(update=words)
        silent = self.decision.model_copy(update={"note": None, "reply": None})
        return self.model_copy(update={"analysis": analysis, "decision": silent})


class ScheduledReply(Frozen):
    """A public reply, or the status behind it, that is due later unless anybody touches the ticket.

    ``key`` and ``at`` are our last write's, as the helpdesk has it on record; ``at`` is empty while that is unknown.
    Tags, priority and group are the ticket's before that write.
    """

    ticket_id: int
    step: Literal["reply", "status"]
    plan: ReplyPlan
    key: str
    at: str = ""
    tags: tuple[str, ...]
    priority: Priority | None
    group: int | None


FollowUp = tuple[Verdict, str]
"""A verdict that a later run has to write, and why."""


@dataclass(frozen=True)
class Open:
    """A verdict that is not settled, every change that may have been sent for it, and the job of the last, if any."""

    verdict: Verdict
    sent: tuple[Change, ...] = ()
    job: str | None = None


@dataclass(frozen=True)
class Retry:
    """A ticket on the retry list: failed attempts and the last reason; ``dead`` ones are not tried any more.

    ``since`` is when it came on the list, in Unix seconds; 0.0 where that is not known.
    """

    ticket_id: int
    attempts: int
    reason: str
    dead: bool
    since: float = 0.0


def parsed(kind: type[Record], text: str) -> Record:
    """A record as it was stored. Raises :class:`StateUnusable` for one that this version cannot read."""
    try:
        return kind.model_validate_json(text)
    except ValidationError:
        raise StateUnusable(
            "the state folder holds a row that this version cannot read; remove the folder and begin again with "
            "--since, which repeats no write"
        ) from None
