"""Many tickets changed at once, each guarded by its own version, and the same taken back."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated

from fastapi import APIRouter, Depends, Form
from pydantic import ConfigDict, Field, ValidationError
from starlette.datastructures import FormData
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response

from ....core.errors import HelpdeskDown
from ....core.models import Frozen
from ....helpdesk.local_model import UNDONE, Actor, LocalHelpdeskError, LocalTicket, Person, Stale
from ..parts import Portal
from .accounts import PATH, Sessions
from .edits import PARTS, AgentEdit, Choices, NotAChoice, apply, as_tags, restoring
from .listing import MOST_ROWS
from .ticket import form_of, in_words

NONE = "-"
"""What a form sends for "none": an empty value leaves the part alone."""
CHANGED = "Another person changed it meanwhile, so it was left alone."


class OneTicketEdit(Frozen):
    """What to change on one ticket as it is at ``version``."""

    model_config = ConfigDict(extra="forbid")

    id: int = Field(ge=1, lt=2**63)
    version: int = Field(ge=1, lt=2**63)
    edit: AgentEdit


@dataclass(frozen=True)
class BulkOutcome:
    """What became of one ticket: how to take it back, or why it was left alone."""

    ticket: LocalTicket
    undo: OneTicketEdit | None = None
    why_not: str = ""


def routes(portal: Portal, sessions: Sessions) -> APIRouter:
    """The routes of ``/admin/bulk`` and ``/admin/bulk/undo``."""
    router = APIRouter()
    store = portal.store
    agent_here, checked = Depends(sessions.agent), [Depends(sessions.agent), Depends(sessions.form)]

    @router.post(f"{PATH}/bulk", dependencies=checked)
    def bulk(
        request: Request,
        fields: Annotated[FormData, Depends(form_of)],
        back: Annotated[str, Form()] = "",
        agent: Person = agent_here,
    ) -> Response:
        """Change the chosen tickets."""
        told = {part: str(fields.get(part, "")) for part in PARTS}
        edit = AgentEdit(
            values={part: "" if value == NONE else value for part, value in told.items() if value},
            add=as_tags(str(fields.get("add", ""))),
            remove=as_tags(str(fields.get("remove", ""))),
        )
        chosen = [_chosen(str(value), edit) for value in fields.getlist("ticket")]
        if not edit or not chosen:
            raise HTTPException(422, "Choose tickets, and what to change on them.")
        try:
            Choices.of(store).check(edit, in_bulk=True)
        except NotAChoice as error:
            raise HTTPException(422, str(error)) from None
        return done(request, agent, chosen, back, "")

    @router.post(f"{PATH}/bulk/undo", dependencies=checked)
    def undo(
        request: Request,
        fields: Annotated[FormData, Depends(form_of)],
        back: Annotated[str, Form()] = "",
        agent: Person = agent_here,
    ) -> Response:
        """Take a change of many tickets back, where nobody has touched them since."""
        try:
            chosen = [OneTicketEdit.model_validate_json(str(value)) for value in fields.getlist("undo")]
        except ValidationError:
            raise HTTPException(422) from None
        return done(request, agent, chosen, back, UNDONE)

    def done(request: Request, agent: Person, chosen: Sequence[OneTicketEdit], back: str, reason: str) -> Response:
        if len(chosen) > MOST_ROWS:
            raise HTTPException(422, f"Change at most {MOST_ROWS} tickets at once.")
        choices = Choices.of(store)
        outcomes = [found for one in chosen if (found := outcome(agent, one, reason, choices)) is not None]
        return portal.pages.page(
            request,
            "admin/bulk.html",
            agent=agent,
            changed=[one for one in outcomes if one.undo],
            left=[one for one in outcomes if one.why_not],
            back=back,
            is_undo=bool(reason),
        )

    def outcome(agent: Person, wanted: OneTicketEdit, reason: str, choices: Choices) -> BulkOutcome | None:
        before = store.ticket(wanted.id)
        if before is None:
            return None
        try:
            choices.check(wanted.edit, in_bulk=True)
            after = apply(store, Actor("agent", agent.id), wanted.id, wanted.version, wanted.edit, portal.now(), reason)
        except Stale as stale:
            return BulkOutcome(stale.current, why_not=CHANGED)
        except LocalHelpdeskError as error:
            return BulkOutcome(before, why_not=in_words(error))
        except NotAChoice as error:  # a former agent cannot be given a ticket back
            return BulkOutcome(before, why_not=str(error))
        except HelpdeskDown:  # what was changed before it went down can be taken back
            return BulkOutcome(before, why_not="It could not be stored.")
        if after.version == before.version:
            return BulkOutcome(before, why_not="It was so already.")
        return BulkOutcome(after, OneTicketEdit(id=after.id, version=after.version, edit=restoring(before, after)))

    return router


def _chosen(value: str, edit: AgentEdit) -> OneTicketEdit:
    number, _, version = value.partition(":")
    try:
        return OneTicketEdit(id=int(number), version=int(version), edit=edit)
    except ValueError:
        raise HTTPException(422) from None
