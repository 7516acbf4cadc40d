"""A second look at what the classifier or the rules had to answer, once a model can be asked. Pure functions.

Our own earlier labels may be replaced, since a receipt says that they are ours. Whoever took one of them off, or took
off the tag ``ai_fallback``, has judged the ticket, and it is left alone. A priority stays, whoever set it.
"""

from __future__ import annotations

from collections.abc import Sequence

from .models import Decision, Ticket
from .policy import Policy

STAGE = "second_look"
"""Names the second write in its key, so that it is known from the first."""
JUDGED = "person_changed_our_tags"
STILL_NO_MODEL = "still_no_model"


def still_ours(ticket: Ticket, ours: Sequence[str], policy: Policy) -> bool:
    """Whether the ticket still carries everything that our first write put there, the fallback tag among it."""
    return policy.tag("fallback") in ours and set(ours) <= set(ticket.tags)


def replacing(decision: Decision, ticket: Ticket, ours: Sequence[str], policy: Policy) -> Decision:
    """``decision`` in the place of our earlier labels ``ours``; without a note when it says the same as those."""
    gone = tuple(tag for tag in ours if tag not in decision.tags)
    news = set(decision.tags) - set(ours) or set(gone) - {policy.tag("fallback"), policy.tag("review")}
    note = decision.note if news else None
    if note and ticket.priority is not None and decision.priority not in (None, ticket.priority):
        note += f"\nThe priority stays {ticket.priority}; {decision.priority} is suggested."
    return decision.model_copy(update={"tags_removed": gone, "note": note})
