"""Who is logged in. No script reads a session's cookie, no other site sends it, and the store knows its hash only."""

from __future__ import annotations

from typing import Annotated
from urllib.parse import quote

from fastapi import Form
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response

from ....helpdesk.local_model import Person
from ..parts import Portal
from ..security import KNOWN_LIFE_S
from ..unsent import RefusedForNow

COOKIE, KNOWN_COOKIE, PATH = "portal_agent", "portal_known_agent", "/admin"
LOGIN = f"{PATH}/login"
LIFE_S = 12 * 3600.0
"""A day's work: after that people log in again."""


class Sessions:
    """Begins and ends sessions, and lets people in by role. Its methods serve as dependencies of routes."""

    def __init__(self, portal: Portal) -> None:
        self._portal = portal

    def begin(self, request: Request, response: Response, person: Person) -> None:
        """Log somebody in: a session of a new name, whatever the browser had before."""
        self._forget(request)
        token = self._portal.store.open_session(person.id, self._portal.now() + LIFE_S)
        cookies = self._portal.cookies
        cookies.set(response, COOKIE, token, path=PATH, life_s=LIFE_S, strict=True)
        signed = cookies.sign("agent", f"{person.id}")
        cookies.set(response, KNOWN_COOKIE, signed, path=LOGIN, life_s=KNOWN_LIFE_S, strict=True)

    def knows(self, request: Request, person: Person) -> bool:
        """Whether this person has logged in from this browser before: strangers' wrong passwords do not count there."""
        cookie = request.cookies.get(KNOWN_COOKIE, "")
        return self._portal.cookies.signed_at("agent", cookie, f"{person.id}", KNOWN_LIFE_S) is not None

    def end(self, request: Request, response: Response) -> None:
        """Log out: the session is gone from the store, too."""
        self._forget(request)
        response.delete_cookie(COOKIE, path=PATH)

    def _forget(self, request: Request) -> None:
        if token := request.cookies.get(COOKIE):
            self._portal.store.end_session(token, self._portal.now())

    def person(self, request: Request) -> Person | None:
        """Whose session it is."""
        token = request.cookies.get(COOKIE)
        return self._portal.store.session(token, self._portal.now()) if token else None

    def agent(self, request: Request) -> Person:
        """The agent or admin who asks; raises ``HTTPException`` for anybody else."""
        person = self.person(request)
        if person is None:
            if request.method != "GET":
                raise RefusedForNow(401, "Log in again. Nothing was stored yet.")
            here = request.url.path + (f"?{request.url.query}" if request.url.query else "")
            raise HTTPException(303, headers={"Location": f"{LOGIN}?next={quote(here, safe='')}"})
        if person.role == "customer":
            raise HTTPException(403, "These pages are for agents.")
        return person

    def admin(self, request: Request) -> Person:
        """The admin who asks; raises ``HTTPException`` for anybody else."""
        person = self.agent(request)
        if person.role != "admin":
            raise HTTPException(403, "This page is for admins.")
        return person

    def form(self, request: Request, form_token: Annotated[str, Form()] = "") -> None:
        """Raises ``HTTPException`` (403) unless the form is a page of ours."""
        self._portal.forms.check(request, form_token)
