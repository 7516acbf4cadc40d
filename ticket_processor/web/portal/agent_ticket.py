"""A ticket's page for agents: they answer, write notes, and change status, labels, assignee and group.

An edit is plain data: it is checked, applied, undone and described in words.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Annotated, Any, Literal, get_args

from fastapi import APIRouter, Depends, Form, Path, Query
from pydantic import ConfigDict, Field
from starlette.datastructures import FormData
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from ...core.models import Frozen, Priority
from ...core.text import strip_hidden
from ...helpdesk.local_model import (
    Actor,
    Event,
    IllegalTransition,
    Labels,
    LocalHelpdeskError,
    LocalTicket,
    Person,
    Stale,
    Status,
    allowed,
)
from ...helpdesk.local_store import LocalStore
from ...replies.assembly import draft_in_note
from ...tags import MAX_TAG_LENGTH
from . import tracking
from .agent_accounts import PATH, Sessions
from .form import Fields, Files, Text, Version, files_in
from .parts import Portal
from .tracking import needs_alert, saved, steps

Part = Literal["status", "priority", "category", "urgency", "sentiment", "assignee", "group"]
PARTS: tuple[Part, ...] = get_args(Part)
STATUS_WORDS: Mapping[Status, str] = {
    **tracking.STATUS_WORDS,
    "waiting": "Waiting for the customer",
    "spam": "Spam",
}
MOST_TAGS = 50
"""Maximum number of tags that a person may add, or take off, at once."""


class AgentEdit(Frozen):
    """New values by part, empty for none; other parts stay. ``add`` and ``remove`` are tags."""

    model_config = ConfigDict(extra="forbid")

    values: dict[Part, str] = Field(default_factory=dict)
    add: tuple[str, ...] = Field((), max_length=2 * MOST_TAGS)
    remove: tuple[str, ...] = Field((), max_length=2 * MOST_TAGS)

    def __bool__(self) -> bool:
        return bool(self.values or self.add or self.remove)


class NotAChoice(ValueError):
    """A part cannot have this value; the error's text is a sentence without the value."""


@dataclass(frozen=True)
class Choices:
    """The values that each part of a ticket may have, and the words that people see for them."""

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
        """The choices for many tickets at once: only those that can be undone."""
        return {value: words for value, words in self[part].items() if (part, value) != ("status", "closed")}

    def shown(self, part: Part, value: str) -> str:
        """The words that people see for a value."""
        unknown = "a former agent" if part == "assignee" else value
        return self[part].get(value, unknown) if value else "–"

    def check(self, edit: AgentEdit, *, in_bulk: bool = False) -> None:
        """Raise :class:`NotAChoice` if a value is not among the choices."""
        for part, value in edit.values.items():
            named = self.in_bulk(part) if in_bulk else self[part]
            if value not in named and (value or part == "status"):
                raise NotAChoice(f"There is no such {part}.")


def value_of(ticket: LocalTicket, part: Part) -> str:
    """The part's value as forms send it."""
    value = getattr(ticket, part)
    return "" if value is None else str(value)


def is_done(edit: AgentEdit, ticket: LocalTicket) -> bool:
    """True if the ticket already is as the edit wants it."""
    has = all(value_of(ticket, part) == value for part, value in edit.values.items())
    return has and set(edit.add) <= set(ticket.tags) and not set(edit.remove) & set(ticket.tags)


def apply(
    store: LocalStore, actor: Actor, ticket_id: int, version: int, edit: AgentEdit, now: float, reason: str = ""
) -> LocalTicket:
    """Write an edit in one transaction. Raises :class:`Stale`, :class:`IllegalTransition` or ``LocalHelpdeskError``."""
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
    """The edit that undoes a change. It needs no category, urgency or sentiment: tags hold those."""
    own: tuple[Part, ...] = ("status", "priority", "assignee", "group")
    return AgentEdit(
        values={part: value_of(before, part) for part in own if getattr(before, part) != getattr(after, part)},
        add=tuple(tag for tag in before.tags if tag not in after.tags),
        remove=tuple(tag for tag in after.tags if tag not in before.tags),
    )


def as_tags(text: str) -> tuple[str, ...]:
    """The tags in a text, which spaces or commas separate, each once."""
    words = text.lower().replace(",", " ").split()
    return tuple(dict.fromkeys(word[:MAX_TAG_LENGTH] for word in words))[:MOST_TAGS]


def who(actor: Actor, names: Mapping[int, str]) -> str:
    """The name of an actor, for agents."""
    if actor.kind == "ai":
        return "ticketbot (AI)"
    if actor.kind == "system":
        return "the helpdesk"
    name = names.get(actor.person or 0)
    return name or ("the customer" if actor.kind == "customer" else "a former agent")


def _why(event: Event) -> str:
    # The AI's reasons are codes.
    said = event.reason.replace("_", " ") if event.actor.kind == "ai" else event.reason
    return event.old or "" if event.field == "message" else said


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


@dataclass(frozen=True)
class UnsavedForm:
    """What an agent typed but could not be saved; ``notice`` says why."""

    notice: str = ""
    body: str = ""
    to: str = "customer"
    status: str = ""
    edit: AgentEdit = field(default_factory=AgentEdit)
    reason: str = ""


def drafts_of(store: LocalStore, ticket: LocalTicket) -> dict[int, str]:
    """The draft replies in ticketbot's internal notes, by the note's number."""
    notes = store.messages(ticket.id, public_only=False)
    found = {note.id: draft_in_note(note.body) for note in notes if note.author.kind == "ai" and not note.public}
    return {number: draft for number, draft in found.items() if draft}


def values_of(store: LocalStore, ticket: LocalTicket, draft: UnsavedForm) -> dict[str, Any]:
    """The template's values for the ticket and the unsaved form."""
    choices, events, files = Choices.of(store), store.events(ticket.id), store.files(ticket.id)
    requester = store.person(ticket.requester)
    people = (*choices.agents, *([requester] if requester else []))
    names = {person.id: person.name or person.email for person in people}
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
        "steps": steps(ticket, events),
        "alert": needs_alert(ticket, events),
        "history": [
            {"at": event.at, "who": who(event.actor, names), "what": _what(event, choices), "reason": _why(event)}
            for event in events
        ],
        "parts": [
            {
                "name": part,
                "choices": _of_ticket(choices, part, value_of(ticket, part), (ticket.status, *may)),
                "seen": value_of(ticket, part),
                "value": draft.edit.values.get(part, value_of(ticket, part)),
            }
            for part in PARTS
        ],
        "other_tags": [tag for tag in ticket.tags if tag not in sorted_as],
        "may": {status: STATUS_WORDS[status] for status in may},
        "draft": draft,
    }


def _of_ticket(choices: Choices, part: Part, value: str, statuses: tuple[str, ...]) -> dict[str, str]:
    """The choices for a part of one ticket, its present value included, even if it is a former agent."""
    named = choices[part]
    if part == "status":
        return {value: named[value] for value in statuses}
    return named if value in ("", *named) else {**named, value: choices.shown(part, value)}


TICKETS = f"{PATH}/tickets"
MOST_BODY, MOST_REASON = 50_000, 300
STALE = (
    "Another person has changed this ticket since you opened it: look at what is new below. What you typed is kept and "
    "not saved yet; save it again."
)
Number = Annotated[int, Path(ge=0, lt=2**63)]


def routes(portal: Portal, sessions: Sessions) -> APIRouter:
    """The routes below ``/admin/tickets/{ticket_id}``, and of files."""
    router = APIRouter()
    store = portal.store
    agent_here, checked = Depends(sessions.agent), [Depends(sessions.agent), Depends(sessions.form)]

    @router.get(f"{TICKETS}/{{ticket_id}}")
    def ticket_page(
        request: Request, ticket_id: Number, draft: Annotated[int, Query()] = 0, agent: Person = agent_here
    ) -> Response:
        """Show the ticket; the answer's field holds the draft from the internal note ``draft``."""
        ticket = found(ticket_id)
        return shown(request, agent, ticket, UnsavedForm(body=drafts_of(store, ticket).get(draft, "")))

    @router.post(f"{TICKETS}/{{ticket_id}}/reply", dependencies=checked)
    def reply(
        request: Request,
        ticket_id: Number,
        version: Version,
        to: Annotated[Literal["customer", "note"], Form()],
        body: Text = "",
        status: Annotated[Status | Literal[""], Form()] = "",
        files: Files = None,
        form_token: Text = "",
        agent: Person = agent_here,
    ) -> Response:
        """Answer the customer or write an internal note, with files and, if chosen, a new status."""
        ticket, text = found(ticket_id), strip_hidden(body).strip()
        actor, public = Actor("agent", agent.id), to == "customer"
        draft = UnsavedForm(body=body, to=to, status=status)
        sent, wrong = files_in(files)
        if not text or len(text) > MOST_BODY:
            wrong = f"Use at most {MOST_BODY:,} characters." if text else "Write something first."
        if wrong:
            return shown(request, agent, ticket, replace(draft, notice=wrong), 422)
        try:
            store.reply(
                ticket_id,
                actor,
                text,
                public=public,
                now=portal.now(),
                version=version,
                status=status or None,
                files=sent,
                form=portal.forms.name(request, form_token),
            )
        except Stale as stale:
            return shown(request, agent, stale.current, replace(draft, notice=STALE), 409)
        except LocalHelpdeskError as error:
            return shown(request, agent, found(ticket_id), replace(draft, notice=in_words(error)), 409)
        return RedirectResponse(f"{TICKETS}/{ticket_id}#conversation", 303)

    @router.post(f"{TICKETS}/{{ticket_id}}/change", dependencies=checked)
    def change(
        request: Request,
        ticket_id: Number,
        fields: Fields,
        version: Version,
        reason: Text = "",
        agent: Person = agent_here,
    ) -> Response:
        ticket = found(ticket_id)
        edit = edit_of(fields, ticket)
        draft = UnsavedForm(edit=edit, reason=reason)
        try:
            Choices.of(store).check(edit)
            if edit:
                words = strip_hidden(reason)[:MOST_REASON]
                apply(store, Actor("agent", agent.id), ticket_id, version, edit, portal.now(), words)
        except NotAChoice as error:
            return shown(request, agent, ticket, replace(draft, notice=str(error)), 422)
        except Stale as stale:
            if not is_done(edit, stale.current):
                return shown(request, agent, stale.current, replace(draft, notice=STALE), 409)
        except LocalHelpdeskError as error:
            return shown(request, agent, found(ticket_id), replace(draft, notice=in_words(error)), 409)
        return RedirectResponse(f"{TICKETS}/{ticket_id}", 303)

    @router.get(f"{PATH}/files/{{file_id}}", dependencies=[agent_here])
    def file(file_id: Number) -> Response:
        attachment = store.file(file_id)
        if attachment is None:
            raise HTTPException(404)
        return saved(attachment.name, store.content(attachment))

    def found(ticket_id: int) -> LocalTicket:
        ticket = store.ticket(ticket_id)
        if ticket is None:
            raise HTTPException(404, "There is no such ticket.")
        return ticket

    def shown(request: Request, agent: Person, ticket: LocalTicket, draft: UnsavedForm, status: int = 200) -> Response:
        path = f"{TICKETS}/{ticket.id}"
        values = values_of(store, ticket, draft)
        return portal.page(request, "admin/ticket.html", status, agent=agent, path=path, **values)

    return router


def edit_of(fields: FormData, ticket: LocalTicket) -> AgentEdit:
    """The edit in a form: the values that differ from those that the agent saw."""
    sent = {part: str(fields[part]) for part in PARTS if part in fields}
    values = {part: value for part, value in sent.items() if value != fields.get(f"seen_{part}", "")}
    removed = tuple(tag for tag in ticket.tags if tag in fields.getlist("remove"))[:MOST_TAGS]
    return AgentEdit(values=values, add=as_tags(str(fields.get("add", ""))), remove=removed)


def in_words(error: LocalHelpdeskError) -> str:
    """A refusal as a sentence."""
    if isinstance(error, IllegalTransition):
        may = ", ".join(STATUS_WORDS[status] for status in error.allowed)
        return f"The ticket cannot get this status. It can be: {may}." if may else "This ticket stays as it is."
    text = str(error)
    return f"{text[:1].upper()}{text[1:]}."
