"""What an agent sees of a ticket, and what stays in its forms when something could not be saved."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import partial
from typing import Any

from ....helpdesk.local_model import LocalTicket, allowed
from ....helpdesk.local_store import LocalStore
from ....replies.in_note import draft_in_note
from .. import timeline
from .edits import PARTS, STATUS_WORDS, AgentEdit, Choices, Part, value_of
from .history import told_events, who


@dataclass(frozen=True)
class UnsavedForm:
    """What an agent typed that was not saved; ``notice`` says why.

    ``seen`` is the version that the agent saw, where the ticket is another one by now, and ``before`` its values.
    """

    notice: str = ""
    body: str = ""
    to: str = "customer"
    status: str = ""
    edit: AgentEdit = field(default_factory=AgentEdit)
    reason: str = ""
    seen: int | None = None
    before: Mapping[Part, str] = field(default_factory=dict)


def drafts_of(store: LocalStore, ticket: LocalTicket) -> dict[int, str]:
    """The drafts of replies in internal notes of ticketbot's, by the note's number."""
    notes = store.messages(ticket.id, public_only=False)
    found = {note.id: draft_in_note(note.body) for note in notes if note.author.kind == "ai" and not note.public}
    return {number: draft for number, draft in found.items() if draft}


def values_of(store: LocalStore, ticket: LocalTicket, draft: UnsavedForm) -> dict[str, Any]:
    """What the template shows of the ticket and the draft."""
    choices, events, files = Choices.of(store), store.events(ticket.id), store.files(ticket.id)
    requester = store.person(ticket.requester)
    people = (*choices.agents, *([requester] if requester else []))
    names = {person.id: person.name or person.email for person in people}
    wanted = {part: value for part, value in draft.edit.values.items() if value != value_of(ticket, part)}
    may = allowed(ticket.status, "agent")
    labels = choices.labels
    sorted_as = {*labels.category.values(), *labels.urgency.values(), *labels.sentiment.values()}
    return {
        "ticket": ticket,
        "requester": requester,
        "messages": store.messages(ticket.id, public_only=False),
        "drafts": drafts_of(store, ticket),
        "who": partial(who, names=names),
        "files": [file for file in files if file.message_id is None],
        "files_of": {file.message_id: [one for one in files if one.message_id == file.message_id] for file in files},
        "rating": store.rating(ticket.id),
        "status_words": STATUS_WORDS,
        "badges": timeline.badges(ticket),
        "steps": timeline.steps(ticket, events),
        "alert": timeline.needs_alert(ticket, events),
        "history": told_events(events, choices, names),
        "news": told_events([one for one in events if one.version > draft.seen], choices, names) if draft.seen else [],
        "conflicts": [
            {
                "name": part,
                "before": choices.shown(part, draft.before[part]),
                "now": choices.shown(part, value_of(ticket, part)),
                "yours": choices.shown(part, value),
            }
            for part, value in wanted.items()
            if part in draft.before
        ],
        "parts": [
            {
                "name": part,
                "choices": _of_ticket(choices, part, value_of(ticket, part), (ticket.status, *may)),
                "seen": value_of(ticket, part),
                "value": wanted.get(part, value_of(ticket, part)),
            }
            for part in PARTS
        ],
        "other_tags": [tag for tag in ticket.tags if tag not in sorted_as],
        "may": {status: STATUS_WORDS[status] for status in may},
        "draft": draft,
    }


def _of_ticket(choices: Choices, part: Part, value: str, statuses: tuple[str, ...]) -> dict[str, str]:
    """What may be chosen; a value that is no choice any more, such as a former agent, can stay."""
    named = choices[part]
    if part == "status":
        return {value: named[value] for value in statuses}
    return named if value in ("", *named) else {**named, value: choices.shown(part, value)}
