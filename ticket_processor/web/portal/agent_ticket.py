"""A ticket's page for agents, and what they do there: answer, write notes, and change what it was sorted as."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from functools import partial
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Depends, Form, Path, Query
from starlette.datastructures import FormData
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from ...core.text import strip_hidden
from ...helpdesk.local_model import (
    Actor,
    IllegalTransition,
    LocalHelpdeskError,
    LocalTicket,
    Person,
    Stale,
    Status,
    allowed,
)
from ...helpdesk.local_store import LocalStore
from ...replies.assembly import draft_in_note
from .agent_accounts import PATH, Sessions
from .agent_edits import (
    MOST_TAGS,
    PARTS,
    STATUS_WORDS,
    AgentEdit,
    Choices,
    NotAChoice,
    Part,
    apply,
    as_tags,
    is_done,
    told_events,
    value_of,
    who,
)
from .form import Files, files_in
from .parts import Portal
from .tracking import needs_alert, saved, steps


@dataclass(frozen=True)
class UnsavedForm:
    """What an agent typed that was not saved; ``notice`` says why."""

    notice: str = ""
    body: str = ""
    to: str = "customer"
    status: str = ""
    edit: AgentEdit = field(default_factory=AgentEdit)
    reason: str = ""


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
        "steps": steps(ticket, events),
        "alert": needs_alert(ticket, events),
        "history": told_events(events, choices, names),
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


TICKETS = f"{PATH}/tickets"
MOST_BODY, MOST_REASON = 50_000, 300
STALE = (
    "Another person has changed this ticket since you opened it: look at what is new below. What you typed is kept and "
    "not saved yet; save it again."
)
Number = Annotated[int, Path(ge=0, lt=2**63)]


async def form_of(request: Request) -> FormData:
    """The fields of a form, of which there may be any number of one name."""
    return await request.form()


def routes(portal: Portal, sessions: Sessions) -> APIRouter:
    """The routes below ``/admin/tickets/{ticket_id}``, and of files."""
    router = APIRouter()
    store = portal.store
    agent_here, checked = Depends(sessions.agent), [Depends(sessions.agent), Depends(sessions.form)]

    @router.get(f"{TICKETS}/{{ticket_id}}")
    def ticket_page(
        request: Request, ticket_id: Number, draft: Annotated[int, Query()] = 0, agent: Person = agent_here
    ) -> Response:
        """Show the ticket, with the draft of this internal note in the answer's field."""
        ticket = found(ticket_id)
        return shown(request, agent, ticket, UnsavedForm(body=drafts_of(store, ticket).get(draft, "")))

    @router.post(f"{TICKETS}/{{ticket_id}}/reply", dependencies=checked)
    def reply(
        request: Request,
        ticket_id: Number,
        version: Annotated[int, Form()],
        to: Annotated[Literal["customer", "note"], Form()],
        body: Annotated[str, Form()] = "",
        status: Annotated[Status | Literal[""], Form()] = "",
        files: Files = None,
        form_token: Annotated[str, Form()] = "",
        agent: Person = agent_here,
    ) -> Response:
        """Answer the customer, or write an internal note, with files; the ticket may get another status with it."""
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
        fields: Annotated[FormData, Depends(form_of)],
        version: Annotated[int, Form()],
        reason: Annotated[str, Form()] = "",
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
    """What a form changes: where its value differs from the one that the agent saw."""
    seen = _seen(fields)
    values: dict[Part, str] = {
        part: str(fields[part]) for part in PARTS if part in fields and str(fields[part]) != seen.get(part, "")
    }
    removed = tuple(tag for tag in ticket.tags if tag in fields.getlist("remove"))[:MOST_TAGS]
    return AgentEdit(values=values, add=as_tags(str(fields.get("add", ""))), remove=removed)


def in_words(error: LocalHelpdeskError) -> str:
    """A refusal as a sentence."""
    if isinstance(error, IllegalTransition):
        may = ", ".join(STATUS_WORDS[status] for status in error.allowed)
        return f"The ticket cannot get this status. It can be: {may}." if may else "This ticket stays as it is."
    text = str(error)
    return f"{text[:1].upper()}{text[1:]}."


def _seen(fields: FormData) -> dict[Part, str]:
    return {part: str(fields[f"seen_{part}"]) for part in PARTS if f"seen_{part}" in fields}
