"""What agents change on tickets, as plain data: checked, done, taken back, and told in words."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal, get_args

from pydantic import ConfigDict, Field

from ...core.models import Frozen, Priority
from ...helpdesk.local_model import Actor, Event, Labels, LocalTicket, Person, Status
from ...helpdesk.local_store import LocalStore
from ...tags import MAX_TAG_LENGTH

Part = Literal["status", "priority", "category", "urgency", "sentiment", "assignee", "group"]
PARTS: tuple[Part, ...] = get_args(Part)
STATUS_WORDS: Mapping[Status, str] = {
    "open": "Open",
    "in_progress": "In progress",
    "escalated": "Escalated",
    "waiting": "Waiting for the customer",
    "resolved": "Resolved",
    "closed": "Closed",
    "spam": "Spam",
}
MOST_TAGS = 50
"""That a person may add, or take off, at once."""


class AgentEdit(Frozen):
    """Values by part, the empty one for none; parts that are not named stay. Tags to add, and to take off."""

    model_config = ConfigDict(extra="forbid")

    values: dict[Part, str] = Field(default_factory=dict)
    add: tuple[str, ...] = Field((), max_length=2 * MOST_TAGS)
    remove: tuple[str, ...] = Field((), max_length=2 * MOST_TAGS)

    def __bool__(self) -> bool:
        return bool(self.values or self.add or self.remove)


class NotAChoice(ValueError):
    """A value that a part cannot have; its text is a sentence without the value."""


@dataclass(frozen=True)
class Choices:
    """The values that each part of a ticket may have, and how people read them."""

    labels: Labels
    agents: Sequence[Person]
    groups: Mapping[int, str]

    @classmethod
    def of(cls, store: LocalStore) -> Choices:
        """The choices as they are now."""
        return cls(store.labels, store.team(), store.groups())

    def __getitem__(self, part: Part) -> dict[str, str]:
        """A part's values with their words, in order."""
        if part == "status":
            return {str(status): words for status, words in STATUS_WORDS.items()}
        if part == "priority":
            return {item.value: item.value for item in Priority}
        if part == "assignee":
            return {str(person.id): person.name or person.email for person in self.agents}
        if part == "group":
            return {str(number): name for number, name in self.groups.items()}
        named: Mapping[str, str] = getattr(self.labels, part)
        return {value: value.replace("_", " ") for value in named}

    def in_bulk(self, part: Part) -> dict[str, str]:
        """The same for many tickets at once: nothing that could not be taken back."""
        return {value: words for value, words in self[part].items() if (part, value) != ("status", "closed")}

    def shown(self, part: Part, value: str) -> str:
        """A value as people read it."""
        unknown = "a former agent" if part == "assignee" else value
        return self[part].get(value, unknown) if value else "–"

    def check(self, edit: AgentEdit, *, in_bulk: bool = False) -> None:
        """Raises :class:`NotAChoice`."""
        for part, value in edit.values.items():
            named = self.in_bulk(part) if in_bulk else self[part]
            if value not in named and (value or part == "status"):
                raise NotAChoice(f"There is no such {part}.")


def value_of(ticket: LocalTicket, part: Part) -> str:
    """The part's value as forms send it."""
    value = getattr(ticket, part)
    return "" if value is None else str(value)


def is_done(edit: AgentEdit, ticket: LocalTicket) -> bool:
    """Whether the ticket is already as the edit wants it."""
    has = all(value_of(ticket, part) == value for part, value in edit.values.items())
    return has and set(edit.add) <= set(ticket.tags) and not set(edit.remove) & set(ticket.tags)


def apply(
    store: LocalStore, actor: Actor, ticket_id: int, version: int, edit: AgentEdit, now: float, reason: str = ""
) -> LocalTicket:
    """Write it in one go. Raises :class:`Stale`, :class:`IllegalTransition` or another ``LocalHelpdeskError``."""
    values: dict[str, Any] = {part: value or None for part, value in edit.values.items()}
    if values.get("priority"):
        values["priority"] = Priority(values["priority"])
    for part in ("assignee", "group"):
        if values.get(part):
            values[part] = int(values[part])
    return store.change(
        ticket_id, actor, version=version, now=now, tags_add=edit.add, tags_remove=edit.remove, reason=reason, **values
    )


def restoring(before: LocalTicket, after: LocalTicket) -> AgentEdit:
    """What makes the ticket again as it was; category, urgency and sentiment are among its tags."""
    own: tuple[Part, ...] = ("status", "priority", "assignee", "group")
    return AgentEdit(
        values={part: value_of(before, part) for part in own if getattr(before, part) != getattr(after, part)},
        add=tuple(tag for tag in before.tags if tag not in after.tags),
        remove=tuple(tag for tag in after.tags if tag not in before.tags),
    )


def as_tags(text: str) -> tuple[str, ...]:
    """The tags of a text with spaces or commas between them, without doubles."""
    words = text.lower().replace(",", " ").split()
    return tuple(dict.fromkeys(word[:MAX_TAG_LENGTH] for word in words))[:MOST_TAGS]


@dataclass(frozen=True)
class ToldEvent:
    """One event: when, who, what, and the reason where one was given."""

    at: str
    who: str
    what: str
    reason: str


def told_events(events: Sequence[Event], choices: Choices, names: Mapping[int, str]) -> list[ToldEvent]:
    """The events in their order; ``names`` are people's by number."""
    return [ToldEvent(event.at, who(event.actor, names), _what(event, choices), _why(event)) for event in events]


def who(actor: Actor, names: Mapping[int, str]) -> str:
    """Who it was, as agents know them."""
    if actor.kind == "ai":
        return "ticketbot (AI)"
    if actor.kind == "system":
        return "the helpdesk"
    name = names.get(actor.person or 0)
    return name or ("the customer" if actor.kind == "customer" else "a former agent")


def _why(event: Event) -> str:
    if event.field == "message":
        return ""
    # A program gives its reasons as codes.
    return event.reason.replace("_", " ") if event.actor.kind == "ai" else event.reason


def _what(event: Event, choices: Choices) -> str:
    if event.field == "created":
        return "submitted the ticket"
    if event.field == "message":
        return "answered" if event.reason == "public" else "wrote an internal note"
    if event.field == "tag":
        return f"tag {event.new} added" if event.new else f"tag {event.old} taken off"
    if event.field == "erased":
        return "erased the customer, and all words"
    if event.field == "rating":
        return f"rated {event.new} of 5" + (f", before {event.old}" if event.old else "")
    if event.field in get_args(Part):
        part: Part = event.field  # type: ignore[assignment]
        return f"{part}: {choices.shown(part, event.old or '')} → {choices.shown(part, event.new or '')}"
    return f"{event.field.replace(':', ' ')}: {event.old or '–'} → {event.new or '–'}"
