"""A customer's thanks reopened a solved ticket, and nobody has touched it since: it may be solved again. Pure.

In doubt there is no thanks: the helpdesk's record must say that this very message reopened the ticket, and be complete.
"""

from __future__ import annotations

from ..core import reasons
from ..core.clock import moment_of
from ..core.models import Decision, StatusChange, Ticket
from ..helpdesk.ticket_history import Edit, History
from .decide import Mode, Policy

_OPEN = ("new", "open")
_SUGGESTED = "The customer only says thanks: the ticket can be set back to solved."
_APPLIED = "The customer only says thanks, so the ticket is solved again."


def reopened_by_thanks(ticket: Ticket, history: History) -> bool:
    """Whether thanks of the requester reopened the solved ticket, and since then only rules of the account did a thing.

    Rules that comment or set a status count as somebody. So does whatever changed the ticket and is not on record.
    Thanks for what was solved again already are left to people: a mailbox may answer every mail of the helpdesk so.
    """
    edits = history.edits
    place = next((at for at in range(len(edits) - 1, -1, -1) if edits[at].comment is not None), None)
    if ticket.status not in _OPEN or ticket.requester is None or place is None:
        return False
    said, since = edits[place], edits[place + 1 :]
    of_the_customer = said.comment == "public" and said.author == ticket.requester and not (said.key or said.creation)
    # What the helpdesk makes of an answer may stand in an edit of its own right behind it.
    reopening = said if said.status is not None else next(iter(since), said)
    if not of_the_customer or reopening.status is None or reopening.status[0] != "solved":
        return False
    if reopening.status[1] != ticket.status or (reopening is not said and reopening.way != "rules"):
        return False
    solved = next((edit for edit in reversed(edits[:place]) if edit.status and edit.status[1] == "solved"), None)
    if solved is not None and solved.key and solved.comment is not None:
        return False
    if not all(edit is reopening or _is_quiet(edit) for edit in since):
        return False
    if moment_of(ticket.updated_at) > max(moment_of(edit.at) for edit in edits):
        return False
    from ..analysis.mere_thanks import is_mere_thanks  # most runs need nothing of it

    return is_mere_thanks(ticket, said.text, files=said.files)


def _is_quiet(edit: Edit) -> bool:
    return edit.way == "rules" and edit.comment is None and edit.status is None


def solved_again(ticket_id: int, policy: Policy) -> Decision:
    """The decision for such a ticket: a note, and the status where the settings let it be set. Labels stay."""
    applies = policy.thanks_keep_solved is Mode.APPLY
    return Decision(
        ticket_id=ticket_id,
        closing=StatusChange(status="solved") if applies else None,
        note=_APPLIED if applies else _SUGGESTED,
        reason=reasons.ONLY_THANKS,
        suggest_only=not applies,
    )


def still_holds(decision: Decision, ticket: Ticket, history: History, policy: Policy) -> bool:
    """Whether such a decision is right for the ticket as it is now, and for today's settings."""
    wanted = policy.thanks_keep_solved is not Mode.OFF and decision == solved_again(ticket.id, policy)
    return wanted and reopened_by_thanks(ticket, history)
