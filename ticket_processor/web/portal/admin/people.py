"""Agents and admins: an admin adds them, gives new passwords, and changes their roles."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from fastapi import APIRouter, Depends, Form
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from ....helpdesk.local_model import LocalHelpdeskError, Person, Role
from ..parts import Portal
from .passwords import Passwords, made_up
from .sessions import PATH, Sessions

PEOPLE = f"{PATH}/people"
MOST_ADDRESS = 254


def routes(portal: Portal, sessions: Sessions, passwords: Passwords) -> APIRouter:
    """The routes of ``/admin/people``."""
    admin_here, form_here = Depends(sessions.admin), Depends(sessions.form)
    router = APIRouter(dependencies=[admin_here])
    store = portal.store

    def shown(request: Request, admin: Person, status: int = 200, **more: str) -> Response:
        values: dict[str, Any] = {"trouble": "", "email": "", "name": "", "for_whom": "", "password": "", **more}
        return portal.pages.page(request, "admin/people.html", status, agent=admin, people=store.team(), **values)

    @router.get(PEOPLE)
    def people(request: Request, admin: Person = admin_here) -> Response:
        """List agents and admins."""
        return shown(request, admin)

    @router.post(PEOPLE, dependencies=[form_here])
    def add(
        request: Request,
        email: Annotated[str, Form(max_length=MOST_ADDRESS)] = "",
        name: Annotated[str, Form(max_length=100)] = "",
        role: Annotated[Literal["agent", "admin"], Form()] = "agent",
        admin: Person = admin_here,
    ) -> Response:
        """Add somebody, with a password that is shown this once."""
        if not is_address(email.strip()):
            return shown(request, admin, 422, trouble="That is no mail address.", email=email, name=name)
        password = made_up()
        try:
            store.add_person(email, name, role, passwords.hash(password))
        except LocalHelpdeskError:
            words = "There is an agent or admin with this address."
            return shown(request, admin, 422, trouble=words, email=email, name=name)
        return shown(request, admin, for_whom=email.strip(), password=password)

    @router.post(f"{PEOPLE}/{{person_id}}/password", dependencies=[form_here])
    def new_password(request: Request, person_id: int, admin: Person = admin_here) -> Response:
        """Give somebody a new password, which is shown this once; their sessions end."""
        person, password = _of_team(person_id), made_up()
        store.set_password(person.id, passwords.hash(password))
        return shown(request, admin, for_whom=person.email, password=password)

    @router.post(f"{PEOPLE}/{{person_id}}/role", dependencies=[form_here])
    def new_role(
        request: Request,
        person_id: int,
        role: Annotated[Role, Form()],
        admin: Person = admin_here,
    ) -> Response:
        """Change somebody's role; as a customer they cannot log in any more. Nobody changes their own."""
        person = _of_team(person_id)
        if person.id == admin.id:
            return shown(request, admin, 422, trouble="Another admin has to change your own role.")
        store.set_role(person.id, role)
        return RedirectResponse(PEOPLE, 303)

    def _of_team(person_id: int) -> Person:
        found = next((person for person in store.team() if person.id == person_id), None)
        if found is None:
            raise HTTPException(404, "There is no such agent.")
        return found

    return router


def is_address(email: str) -> bool:
    """Whether it looks like a mail address."""
    name, _, host = email.rpartition("@")
    return bool(name and host) and len(email) <= MOST_ADDRESS and email.isprintable() and " " not in email
