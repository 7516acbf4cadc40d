"""Triage again when the customer answers: what nobody has triaged yet, and which labels of ours it may replace.

Only where the site wants it. Whoever changed one of our labels meanwhile has judged the ticket, and it is left alone.
"""

from __future__ import annotations

from dataclasses import dataclass

from ..analysis.rules.injection import signs_of
from ..analysis.text.cleaning import clean
from ..core.models import Ticket
from ..core.sanitize import MAX_INPUT
from ..helpdesk.ticket_history import Edit, History
from ..tags import earlier_key, write_key
from .decide import Policy

NOTHING_NEW = "nothing_left_to_change"
MOST_READ = 20
"""Answers of one customer that are read, the newest."""
LONGEST = 6_000
"""Characters of one answer that are read: the first message is to be seen as well."""
_END = "\ue000"


@dataclass(frozen=True)
class CustomerReply:
    """What the requester has said since we triaged. ``key`` is that of its one write.

    ``ticket`` is the ticket :func:`with_answers`; ``ours`` are the labels of ours that it carries. ``judged``: somebody
    has changed one of those that we put there.
    """

    key: str
    ticket: Ticket
    ours: tuple[str, ...]
    judged: bool = False
    earlier_key: str = ""


def reply_to(ticket: Ticket, history: History, policy: Policy) -> CustomerReply | None:
    """The requester's answer that nobody has triaged; ``None`` when there is none."""
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
    """Our labels on the ticket, without those that stand for a drop-down's value: taking one off would empty it."""
    still_ours = history.ours().tags
    values = {word for value in ticket.fields.values() for word in value.split()}
    return tuple(
        tag for tag in ticket.tags if tag in still_ours and tag.startswith(policy.tag_prefix) and tag not in values
    )


def anew_key(ticket: Ticket, run_id: str) -> str:
    """The key of the one write that a run makes because somebody asked it to triage the ticket anew."""
    return write_key(ticket, f"anew {run_id}")
