"""The records that the state keeps: verdicts, writes, due replies, the retry list and listed tickets.

:func:`erase_words` takes a customer's words out of the state.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, TypeVar

from pydantic import Field, ValidationError

from ..core.errors import StateUnusable
from ..core.models import Analysis, Change, Decision, Frozen, Priority, ReplyPlan, ReplySeen, TakenOff, Usage, is_empty
from ..core.service_times import ServiceTime

if TYPE_CHECKING:
    from .store import State

Record = TypeVar("Record", bound=Frozen)


class Verdict(Frozen):
    """A finished analysis and what policy made of it, kept until the ticket is settled.

    ``clean_stamp`` is an ``updated_at`` at which the ticket is known to carry no write of ours. ``replaces`` are the
    tags of our earlier write, when this is a second look. ``follows`` is true for every write after the first: only
    their own key shows that those were made, not the marker tag. ``puts_back`` marks a repair of our write,
    ``completes`` a write of the part that was refused before. ``earlier_key`` is the key that an earlier version gave
    the same write. ``taken_off`` is what people had taken off at ``clean_stamp``, if that was looked up. ``anew``: a
    person asked for this analysis; it holds until people judge the earlier write. ``unchanged_at``: it is written only
    while this is the ticket's ``updated_at``. ``customer_reply`` is the reply that was looked at. ``due_soon``: one of
    the ``service_times`` escalated the ticket, whatever the time is when it is written.
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
    unchanged_at: str = Field("", exclude_if=is_empty)
    customer_reply: ReplySeen | None = Field(None, exclude_if=is_empty)
    service_times: tuple[ServiceTime, ...] = Field((), exclude_if=is_empty)
    due_soon: bool = Field(False, exclude_if=lambda due_soon: not due_soon)

    def without_cost(self) -> Verdict:
        """A copy without its cost: a receipt holds the cost, so a later run must not count it again."""
        if self.analysis is None:
            return self
        cost = None if self.analysis.cost_usd is None else 0.0
        analysis = self.analysis.model_copy(update={"usage": Usage(), "cost_usd": cost, "attempts": 0})
        return self.model_copy(update={"analysis": analysis, "analyse_ms": 0})

    def wordless(self) -> Verdict:
        """A copy without the texts that may hold a customer's words."""
        words: dict[str, object] = {"summary": "", "root_cause": "", "entities": {}}
        words |= dict.fromkeys(("evidence", "urgent_words", "steps"), ())
        analysis = self.analysis and self.analysis.model_copy(update=words)
        silent = self.decision.model_copy(update={"note": None, "reply": None})
        return self.model_copy(update={"analysis": analysis, "decision": silent})


class KeptWrite(Frozen):
    """A write of ours, kept for a helpdesk that has no record of who changed what.

    ``change`` is without its note's words. ``fields_before`` are the values that it replaced. ``note_sent`` and
    ``sent`` say when (Unix seconds, the helpdesk's clock) the note and the rest were sent; ``done`` is the ticket's
    ``updated_at`` in the answer, empty while there is none. ``note`` is the note's number, once an answer names it.
    """

    change: Change
    fields_before: dict[int, str] = Field(default_factory=dict)
    note_sent: float | None = None
    note: int | None = None
    sent: float | None = None
    done: str = ""


class ScheduledReply(Frozen):
    """A public reply, or the status to set after it, that a later run sends unless someone touches the ticket.

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
    """An unsettled verdict, every change that may have been sent for it, and the job of the last one, if any."""

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
    """Read a stored record. Raises :class:`StateUnusable` if this version cannot read it."""
    try:
        return kind.model_validate_json(text)
    except ValidationError:
        raise StateUnusable(
            "the state folder holds a row that this version cannot read; remove the folder and begin again with "
            "--since, which repeats no write"
        ) from None


@dataclass(frozen=True)
class Listed:
    """A ticket that a search has listed: when it was created (Unix seconds), and its stamp when it was handled."""

    ticket_id: int
    created: float
    stamp: str


ERASING = "erasing"
"""Fact of the state: the tickets whose words are being erased, as JSON."""

_UNNAME_LINKS = """
    UPDATE facts SET value = json_set(value, '$.theme', 'erased') WHERE name GLOB 'theme_link *'
    AND ? IN (SELECT it.value FROM json_each(iif(json_valid(facts.value), facts.value, '{}'), '$.tickets') AS it)
"""
"""Customers' words name a theme that people linked to an issue."""


def erase_words(state: State, ticket_ids: Iterable[int]) -> list[int]:
    """Remove customers' words from the pending writes of these tickets, and from the file's free pages.

    Labels are still written, without summary and note. A write that puts a person's values back holds those values,
    so it is dropped: returns the tickets of dropped writes. No other process may have the file open.
    """
    given_up = []
    with state.transaction() as db:
        for ticket_id in dict.fromkeys(ticket_ids):
            kept = db.execute("SELECT verdict FROM verdicts WHERE ticket_id = ?", (ticket_id,)).fetchone()
            verdict = kept and parsed(Verdict, kept[0])
            if verdict and verdict.puts_back:
                given_up.append(ticket_id)
                for table in ("verdicts", "retries"):
                    db.execute(f"DELETE FROM {table} WHERE ticket_id = ?", (ticket_id,))  # noqa: S608 - our own names
            elif verdict:
                state.keep_verdict(verdict.wordless())
            for table in ("writes", "scheduled_replies"):
                db.execute(f"DELETE FROM {table} WHERE ticket_id = ?", (ticket_id,))  # noqa: S608 - our own names
            db.execute(_UNNAME_LINKS, (ticket_id,))
            rows = db.execute("SELECT intent, change FROM intents WHERE ticket_id = ?", (ticket_id,)).fetchall()
            for intent, text in rows:
                change = parsed(Change, text)
                if change.puts_back:
                    db.execute("DELETE FROM intents WHERE intent = ?", (intent,))
                else:
                    bare = change.model_copy(update={"note": None}).model_dump_json()
                    db.execute("UPDATE intents SET change = ? WHERE intent = ?", (bare, intent))
    if not state.vacuum():
        raise StateUnusable(f"the state in {state.path} is in use by another process: try again in a moment")
    return given_up
