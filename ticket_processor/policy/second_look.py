"""A second look at what the classifier or the rules had to answer, once a model can be asked. Pure functions.

Our own earlier labels may be replaced, since a receipt says that they are ours. Whoever took one of them off, or took
off the tag ``ai_fallback``, has judged the ticket, and it is left alone. A priority stays, whoever set it.
"""

from __future__ import annotations

from collections.abc import Sequence

from ..core.models import Decision, Overwrite, Ticket
from .decide import Policy

STAGE = "second_look"
"""Names the second write in its key, so that it is known from the first."""
JUDGED = "person_changed_our_tags"
STILL_NO_MODEL = "still_no_model"
MOST_TRIES = 3
"""So often a model is asked in vain about a ticket; then the rules' word stands."""
_NOT_ASKED = ("budget_", "model_", "no_model", "analyser_broken")
_IN_VAIN = ("model_refused", "model_content_filter", "model_prompt_too_long", "model_empty_answer", "model_nonsense")


def still_ours(ticket: Ticket, ours: Sequence[str], policy: Policy) -> bool:
    """Whether the ticket still carries everything that our first write put there, the fallback tag among it."""
    return policy.tag("fallback") in ours and set(ours) <= set(ticket.tags)


def in_vain(why: str | None) -> bool:
    """Whether a model was asked and could make nothing of this ticket, rather than being down or too dear."""
    return why is not None and (why in _IN_VAIN or not why.startswith(_NOT_ASKED))


def replacing(decision: Decision, ticket: Ticket, ours: Sequence[str], policy: Policy) -> Decision:
    """``decision`` in the place of our earlier labels ``ours``; without a note when it says the same as those."""
    labelled = any(tag.startswith(policy.tag("urgency", "")) for tag in decision.tags)
    # Without labels of its own the answer is a suggestion, and ours stay.
    gone = tuple(tag for tag in ours if tag not in decision.tags) if labelled else ()
    news = set(decision.tags).difference(ticket.tags) or set(gone) - {policy.tag("fallback"), policy.tag("review")}
    note = decision.note if news else None
    if note:
        note += "".join(f"\n{sentence}" for sentence in _stays(decision, ticket))
    return decision.model_copy(update={"tags_removed": gone, "note": note})


def _stays(decision: Decision, ticket: Ticket) -> list[str]:
    """What the model would have set, and somebody or we have set already; not where that may be replaced."""
    stays = []
    priority = decision.priority if decision.priority_overwrite is Overwrite.NEVER else None
    group = decision.group if decision.group_overwrite is Overwrite.NEVER else None
    fields = decision.fields if decision.fields_overwrite is Overwrite.NEVER else {}
    if ticket.priority is not None and priority not in (None, ticket.priority):
        stays.append(f"The priority stays {ticket.priority}; {priority} is suggested.")
    if ticket.group is not None and group not in (None, ticket.group):
        stays.append(f"The group stays; {group} is suggested.")
    for key, value in fields.items():
        if ticket.fields.get(key, value) != value:
            stays.append(f"Field {key} stays as it is; {value} is suggested.")
    return stays
