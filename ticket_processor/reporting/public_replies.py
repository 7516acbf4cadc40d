"""What became of a ticket after a public reply of ours. Pure; never calls one resolved that came back.

A reply resolved its ticket when the ticket was solved without a word of a person to the customer, nobody reopened it,
and the customer neither wrote again nor opened another ticket on the topic within :data:`WITHIN_DAYS` of that.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Literal, get_args

from ..core.clock import parse_iso
from ..core.models import Frozen, Ticket
from ..helpdesk.ticket_history import History

WITHIN_DAYS = 14
_WITHIN_S = WITHIN_DAYS * 86_400.0
_DONE = ("solved", "closed")

Fate = Literal["resolved", "wrote_again", "reopened", "new_ticket", "person_replied", "not_solved", "too_early"]
Untold = Literal["without our reply in its history", "whose requester's other tickets cannot be listed"]

FATES: tuple[Fate, ...] = get_args(Fate)
FATE_WORDS: Mapping[str, str] = {
    "resolved": f"resolved, and not back within {WITHIN_DAYS} days",
    "wrote_again": "the customer wrote again",
    "reopened": "reopened",
    "new_ticket": "the same person opened another ticket of the category",
    "person_replied": "a person replied",
    "not_solved": "not solved",
    "too_early": "too early to tell",
    "not_read": "not read",
}
"""What became of a reply's ticket, for people, in the order of a report."""


class PublicReplies(Frozen):
    """Public replies of a period by what became of their tickets.

    ``too_early``: sent, or solved, less than 14 days ago. The others of ``read`` add up to it; ``not_read`` are older
    ones that were not among the sample, or could not be read.
    """

    sent: int = 0
    too_early: int = 0
    read: int = 0
    resolved: int = 0
    wrote_again: int = 0
    reopened: int = 0
    new_ticket: int = 0
    person_replied: int = 0
    not_solved: int = 0
    not_read: int = 0

    @property
    def fates(self) -> list[tuple[str, int]]:
        """What became of the tickets, in words, and of how many."""
        counts = ((words, int(getattr(self, name))) for name, words in FATE_WORDS.items())
        return [(words, count) for words, count in counts if count]

    @property
    def rate(self) -> float | None:
        """Resolved and not back, as a share of those of which it can be told."""
        return self.resolved / self.read if self.read else None


def young(sent: float, now: float) -> bool:
    """Whether it is too early to tell what became of a reply (Unix seconds)."""
    return now - sent < _WITHIN_S


def fate_of(history: History, ticket: Ticket, now: float, back: Callable[[float, float], bool | None]) -> Fate | Untold:
    """What became of a ticket with a public reply of ours, or why that cannot be told.

    ``back`` says whether the same person opened another ticket on the topic between two moments (``None``: unknown).
    It is asked last. Where the record has no statuses, the ticket's last change stands for the moment it was solved.
    """
    place = next((at for at, edit in enumerate(history.edits) if edit.key and edit.comment == "public"), None)
    if place is None:
        return "without our reply in its history"
    sent = parse_iso(history.edits[place].at)
    if young(sent, now):
        return "too_early"
    solved = sent if (history.edits[place].status or ("", ""))[1] in _DONE else None
    people = history.by_people()
    for edit, person in zip(history.edits[place + 1 :], people[place + 1 :], strict=True):
        at = parse_iso(edit.at)
        if solved is not None and at - solved >= _WITHIN_S:
            break
        if edit.comment == "public" and not edit.key:
            if ticket.requester is not None and edit.author == ticket.requester:
                return "wrote_again"
            if person:
                return "person_replied"
        if edit.status is not None:
            if edit.status[1] not in _DONE:
                if solved is not None:
                    return "reopened"
            elif solved is None:
                solved = at
    if solved is None:
        if ticket.status not in _DONE:
            return "not_solved"
        solved = parse_iso(ticket.updated_at)
    if now - solved < _WITHIN_S:
        return "too_early"
    came = back(sent, solved + _WITHIN_S)
    if came is None:
        return "whose requester's other tickets cannot be listed"
    return "new_ticket" if came else "resolved"
