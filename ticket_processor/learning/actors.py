"""Tells who made each edit of a ticket: we, a person, the account's rules, another program, or nobody knows. Pure."""

from __future__ import annotations

from typing import Literal

from ..helpdesk.ticket_history import Edit, History
from .model import ActorKind

Actor = Literal["us"] | ActorKind


def actors_of(history: History) -> tuple[Actor, ...]:
    """Of each edit, who made it. A macro counts as a rule: nobody had to look at what it set.

    Another user's edit through the API is a person's where the same user also did something by hand on this ticket,
    as agents do beside their apps; else a program's.
    """
    own = {edit.author for edit in history.edits if edit.key}
    by_hand = {edit.author for edit in history.edits if edit.way in ("hand", "macro") and not edit.key} - own

    def actor(edit: Edit) -> Actor:
        if edit.key:
            return "us"
        if edit.way == "unknown":
            return "unknown"
        if edit.way in ("rules", "macro") or edit.author is None:
            return "rule"
        return "bot" if edit.way == "api" and edit.author not in by_hand else "person"

    return tuple(map(actor, history.edits))
