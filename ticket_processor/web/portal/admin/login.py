"""Logging in and out, and an agent's own password."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Depends, Form
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from ....helpdesk.local_model import Person
from ..limits import Charge, address_of, charge, give_back, key_of, too_many
from ..parts import Portal
from .passwords import Passwords, why_weak
from .sessions import LOGIN, PATH, Sessions

WRONG = "Mail address or password is wrong."


def routes(portal: Portal, sessions: Sessions, passwords: Passwords) -> APIRouter:
    """The routes of ``/admin/login``, ``/admin/logout`` and ``/admin/password``."""
    router = APIRouter()
    store = portal.store
    agent_here, form_here = Depends(sessions.agent), Depends(sessions.form)

    def tried(*charges: Charge) -> tuple[Charge, ...]:
        # They are given back if the password is right: many that come at once are not all looked at before any counts.
        if wait_s := charge(*charges):
            raise too_many(wait_s)
        return charges

    def form(request: Request, to: str, status: int = 200, trouble: str = "", email: str = "") -> Response:
        return portal.pages.page(request, "admin/login.html", status, to=_within(to), trouble=trouble, email=email)

    @router.get(LOGIN)
    def ask(request: Request, next: str = PATH) -> Response:
        """The form to log in."""
        return form(request, next)

    @router.post(LOGIN, dependencies=[form_here])
    def log_in(
        request: Request,
        email: Annotated[str, Form(max_length=320)] = "",
        password: Annotated[str, Form(max_length=4096)] = "",
        next: Annotated[str, Form()] = PATH,
    ) -> Response:
        """Check mail address and password; both or neither are right."""
        name = email.strip().lower()  # as the store keeps it
        person = store.by_email(name)
        if person is not None and sessions.knows(request, person):
            charges = tried((portal.wrong_passwords_by_address, key_of(person.id), 1))
        else:
            by_address = (portal.wrong_passwords_by_address, address_of(request), 1)
            charges = tried(by_address, (portal.wrong_passwords_by_mail, name, 1))
        works_here = person is not None and person.role != "customer"
        stored = person.password_hash if person is not None and works_here else None
        if not passwords.fits(stored, password) or person is None or stored is None:
            return form(request, next, 401, WRONG, email)
        give_back(*charges)
        if passwords.is_old(stored):
            store.set_password(person.id, passwords.hash(password))
        response = RedirectResponse(_within(next), 303)
        sessions.begin(request, response, person)
        return response

    @router.post(f"{PATH}/logout", dependencies=[agent_here, form_here])
    def log_out(request: Request) -> Response:
        """End the session."""
        response = RedirectResponse(LOGIN, 303)
        sessions.end(request, response)
        return response

    @router.get(f"{PATH}/password")
    def own_password(request: Request, agent: Person = agent_here) -> Response:
        """The form for a new password of one's own."""
        return portal.pages.page(request, "admin/password.html", agent=agent, trouble="")

    @router.post(f"{PATH}/password", dependencies=[agent_here, form_here])
    def set_own_password(
        request: Request,
        current: Annotated[str, Form(max_length=4096)] = "",
        new: Annotated[str, Form(max_length=4096)] = "",
        agent: Person = agent_here,
    ) -> Response:
        """Set it, and end the agent's other sessions."""
        charges = tried((portal.wrong_passwords_by_address, key_of(agent.id), 1))
        trouble = why_weak(new, agent.email)
        if passwords.fits(agent.password_hash, current):
            give_back(*charges)
        else:
            trouble = "The current password is wrong."
        if trouble is not None:
            return portal.pages.page(request, "admin/password.html", 422, agent=agent, trouble=trouble)
        store.set_password(agent.id, passwords.hash(new))
        response = RedirectResponse(PATH, 303)
        sessions.begin(request, response, agent)
        return response

    return router


def _within(to: str) -> str:
    """The address if it is one of ours, else the list's: a link must not lead on to a stranger's page."""
    is_ours = to == PATH or to.startswith((f"{PATH}/", f"{PATH}?"))
    return to if is_ours and to.isprintable() and "\\" not in to and not to.startswith(LOGIN) else PATH
