"""Analyse a ticket again: when its customer answers, and when a model can be asked after a fallback. Pure functions.

Each only where the site wants it. Our own earlier labels may be replaced, since a receipt says that they are ours.
A person who changed one of them, or took off ``ai_fallback``, has judged the ticket, and it is left alone. A priority
always stays.

A customer's thanks reopened a solved ticket, and nobody has touched it since: it may be solved again. Pure.

In doubt there is no thanks: the helpdesk's record must say that this very message reopened the ticket, and be complete.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from ..analysis.rules.injection import signs_of
from ..analysis.text.cleaning import clean
from ..core import reasons
from ..core.clock import moment_of
from ..core.models import Decision, Overwrite, StatusChange, Ticket
from ..core.text import MAX_INPUT
from ..helpdesk.ticket_history import Edit, History
from ..tags import earlier_key, write_key
from .decide import Mode, Policy

MOST_READ = 20
"""Answers of one customer that are read, the newest."""
LONGEST = 6_000
"""Characters of one answer that are read: the first message is to be seen as well."""
_END = "\ue000"


@dataclass(frozen=True)
class CustomerReply:
    """The requester's answer since we triaged. ``key`` is that of its one write.

    ``ticket`` is the ticket :func:`with_answers`; ``ours`` are the labels of ours that it carries. ``judged``: a person
    has changed one of those that we put there.
    """

    key: str
    ticket: Ticket
    ours: tuple[str, ...]
    judged: bool = False
    earlier_key: str = ""


def reply_to(ticket: Ticket, history: History, policy: Policy) -> CustomerReply | None:
    """The requester's answer that is not triaged yet; ``None`` when there is none."""
    if ticket.requester is None or history.last_of_ours() is None:
        return None
    said = history.said_since(None, ticket.requester)
    if _triaged(ticket, history, said) == len(said):
        return None
    return CustomerReply(
        _key(ticket, len(said)),
        with_answers(ticket, history),
        our_labels(ticket, history, policy),
        judged=history.judged(ticket.tags) or policy.marker not in ticket.tags,
        earlier_key=earlier_key(ticket, _stage(len(said))),
    )


def with_answers(ticket: Ticket, history: History) -> Ticket:
    """The ticket with all that its requester has said in place of the first message, the newest first."""
    said = () if ticket.requester is None else history.said_since(None, ticket.requester)
    newest_first = [edit.text for edit in reversed(said) if not edit.creation][:MOST_READ]
    words = "\n\n".join(text for text in (*map(_to_read, newest_first), ticket.description) if text)
    return ticket.model_copy(update={"description": words})


def _triaged(ticket: Ticket, history: History, said: tuple[Edit, ...]) -> int:
    """How many of the comments ``said`` were there when we last triaged the ticket, as far as can be known.

    A write on an answer tells it by its key, whatever came while it was made. Writes that triage nothing, such as
    one that completes another, tell nothing.
    """
    keys = {edit.key for edit in history.edits}
    for number in range(len(said), 0, -1):
        if _key(ticket, number) in keys or earlier_key(ticket, _stage(number)) in keys:
            return number
    first = history.find(write_key(ticket), earlier_key(ticket)) or history.last_of_ours()
    return len(said) - len(history.said_since(first, ticket.requester or 0))


def _key(ticket: Ticket, number: int) -> str:
    return write_key(ticket, _stage(number))


def _stage(number: int) -> str:
    return f"reply {number}"


def _to_read(text: str) -> str:
    """A comment without what it quotes, so that this is not taken for the end of all that was said.

    Nothing where nothing but a quote was said. One whose signs of instructing a model would be lost stays whole.
    """
    cleaned = clean("", text)[:LONGEST]
    if not set(signs_of(text)) <= set(signs_of(cleaned)):
        return text[:MAX_INPUT]
    return cleaned if clean("", f"0\n{cleaned}\n{_END}").endswith(_END) else ""


def our_labels(ticket: Ticket, history: History, policy: Policy) -> tuple[str, ...]:
    """Our labels on the ticket, without those that stand for a drop-down's value: taking one off would empty it.

    That we have replied to the customer is no label: it stays true.
    """
    still_ours = history.ours().tags - {policy.replied}
    values = {word for value in ticket.fields.values() for word in value.split()}
    return tuple(
        tag for tag in ticket.tags if tag in still_ours and tag.startswith(policy.tag_prefix) and tag not in values
    )


def anew_key(ticket: Ticket, run_id: str) -> str:
    """The key of the one write with which this run triages the ticket anew."""
    return write_key(ticket, f"anew {run_id}")


STAGE = "second_look"
"""Names the second write in its key, so that it is known from the first."""
MOST_TRIES = 3
"""Failed questions to a model about one ticket before the rules' answer stands."""
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
    offered = decision.offered if note else None
    return decision.model_copy(update={"tags_removed": gone, "note": note, "offered": offered})


def _stays(decision: Decision, ticket: Ticket) -> list[str]:
    """A sentence for each value that is set already, stays, and differs from the model's."""
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
    from ..analysis.text.needs_no_answer import is_mere_thanks

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
