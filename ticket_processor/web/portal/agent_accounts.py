"""Agents and admins: passwords, sessions, logging in and out, and the page on which an admin adds people.

Passwords are hashed with argon2id; checking an unknown person takes as long as checking a wrong password. Scripts
cannot read a session's cookie, other sites cannot send it, and the store keeps its hash only.
"""

from __future__ import annotations

import secrets
import threading
from typing import Annotated, Any, Literal
from urllib.parse import quote

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError
from fastapi import APIRouter, Depends, Form
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from ...helpdesk.local_model import LocalHelpdeskError, Person, Role
from .form import Text
from .parts import Portal, address_of, too_many

LEAST, MOST = 15, 200
"""Length of a password in characters. NIST SP 800-63B-4 demands 15 where the password is the only factor."""
_AT_ONCE = threading.BoundedSemaphore(2)
"""Each hash takes 64 MiB of memory, and one processor."""


class Passwords:
    """Hashes and checks passwords. Thread-safe."""

    def __init__(self, hasher: PasswordHasher | None = None) -> None:
        self._hasher = hasher or PasswordHasher()
        self._decoy = self._hasher.hash(secrets.token_urlsafe())

    def hash(self, password: str) -> str:
        """The hash of a password, to be stored."""
        with _AT_ONCE:
            return self._hasher.hash(password)

    def fits(self, stored: str | None, password: str) -> bool:
        """True if the password has the stored hash. ``None``, for an unknown person, takes as long and is false."""
        with _AT_ONCE:
            try:
                self._hasher.verify(self._decoy if stored is None else stored, password[:MOST])
            except (VerificationError, InvalidHashError):
                return False
        return stored is not None and len(password) <= MOST


def why_weak(password: str, email: str = "") -> str | None:
    """Why a new password is refused, as a sentence; ``None`` if it is accepted."""
    if len(password) < LEAST:
        return f"The password needs at least {LEAST} characters; several words make a good one."
    if len(password) > MOST:
        return f"The password may have at most {MOST} characters."
    if len(set(password)) < 5 or (email and email.casefold() in password.casefold()):
        return "The password is too easy to guess."
    return None


def made_up() -> str:
    """A new random password."""
    return secrets.token_urlsafe(15)


COOKIE, PATH = "portal_agent", "/admin"
LOGIN = f"{PATH}/login"
LIFE_S = 12 * 3600.0
"""Seconds until people have to log in again: a day's work."""
BROWSER_COOKIE, BROWSER_LIFE_S = "portal_browser", 90 * 24 * 3600.0
"""The cookie that names the person who last logged in with this browser, and its life."""


class Sessions:
    """Begins and ends sessions, and checks people's roles. Its methods serve as dependencies of routes."""

    def __init__(self, portal: Portal) -> None:
        self._portal = portal

    def begin(self, request: Request, response: Response, person: Person) -> None:
        """Log a person in with a new session; the browser's earlier session ends."""
        self._forget(request)
        token = self._portal.store.open_session(person.id, self._portal.now() + LIFE_S)
        self._portal.cookies.set(response, COOKIE, token, path=PATH, life_s=LIFE_S, strict=True)
        known = self._portal.cookies.sign("known browser", str(person.id))
        self._portal.cookies.set(response, BROWSER_COOKIE, known, path=PATH, life_s=BROWSER_LIFE_S, strict=True)

    def knows(self, request: Request, person: Person) -> bool:
        """True if this person has logged in with this browser before."""
        signed = request.cookies.get(BROWSER_COOKIE, "")
        return self._portal.cookies.signed_at("known browser", signed, str(person.id), BROWSER_LIFE_S) is not None

    def end(self, request: Request, response: Response) -> None:
        """Log out: delete the session from the browser and from the store."""
        self._forget(request)
        response.delete_cookie(COOKIE, path=PATH)

    def _forget(self, request: Request) -> None:
        if token := request.cookies.get(COOKIE):
            self._portal.store.end_session(token, self._portal.now())

    def agent(self, request: Request) -> Person:
        """The agent or admin who sent the request; raises ``HTTPException`` for anyone else."""
        token = request.cookies.get(COOKIE)
        person = self._portal.store.session(token, self._portal.now()) if token else None
        if person is None:
            if request.method != "GET":
                raise HTTPException(401, "Log in again. Nothing was stored.")
            here = request.url.path + (f"?{request.url.query}" if request.url.query else "")
            raise HTTPException(303, headers={"Location": f"{LOGIN}?next={quote(here, safe='')}"})
        if person.role == "customer":
            raise HTTPException(403, "These pages are for agents.")
        return person

    def admin(self, request: Request) -> Person:
        """The admin who sent the request; raises ``HTTPException`` for anyone else."""
        person = self.agent(request)
        if person.role != "admin":
            raise HTTPException(403, "This page is for admins.")
        return person

    def form(self, request: Request, form_token: Text = "") -> None:
        """Raise ``HTTPException`` (403) unless the form came from our page."""
        self._portal.forms.check(request, form_token)


WRONG = "Mail address or password is wrong."
Address = Annotated[str, Form(max_length=320)]
Secret = Annotated[str, Form(max_length=4096)]


def login_routes(portal: Portal, sessions: Sessions, passwords: Passwords) -> APIRouter:
    """The routes of ``/admin/login``, ``/admin/logout`` and ``/admin/password``."""
    router = APIRouter()
    store = portal.store
    agent_here, form_here = Depends(sessions.agent), Depends(sessions.form)

    def fits(request: Request, person: Person | None, email: str, password: str) -> bool:
        """True if this is the person's password. Wrong tries are counted per client address and per account.

        Browsers in which the person has logged in before have their own count, so that strangers cannot lock the person
        out. Names without an account are counted separately, so that many of them do not displace an account's count.
        Raises ``HTTPException`` (429) after too many.
        """
        stored = person.password_hash if person is not None and person.role != "customer" else None
        if person is None or stored is None:
            of_account, account = portal.wrong_by_stranger, email.strip().casefold()
        else:
            of_account, account = portal.wrong_by_account, f"{person.id} {sessions.knows(request, person)}"
        # Each try counts before it is checked, so that many at once cannot pass; a right one is given back.
        who = address_of(request)
        if wait_s := portal.wrong_passwords.take(who):
            raise too_many(wait_s)
        if wait_s := of_account.take(account):
            portal.wrong_passwords.give_back(who)
            raise too_many(wait_s)
        is_right = passwords.fits(stored, password)
        if is_right:
            portal.wrong_passwords.give_back(who)
            of_account.give_back(account)
        return is_right

    def form(request: Request, to: str, status: int = 200, trouble: str = "", email: str = "") -> Response:
        return portal.page(request, "admin/login.html", status, to=_within(to), trouble=trouble, email=email)

    @router.get(LOGIN)
    def ask(request: Request, next: str = PATH) -> Response:
        return form(request, next)

    @router.post(LOGIN, dependencies=[form_here])
    def log_in(request: Request, email: Address = "", password: Secret = "", next: Text = PATH) -> Response:
        """Check mail address and password; the error does not say which of them is wrong."""
        person = store.by_email(email.strip())
        if not fits(request, person, email, password) or person is None:
            return form(request, next, 401, WRONG, email)
        response = RedirectResponse(_within(next), 303)
        sessions.begin(request, response, person)
        return response

    @router.post(f"{PATH}/logout", dependencies=[agent_here, form_here])
    def log_out(request: Request) -> Response:
        response = RedirectResponse(LOGIN, 303)
        sessions.end(request, response)
        return response

    @router.get(f"{PATH}/password")
    def own_password(request: Request, agent: Person = agent_here) -> Response:
        return portal.page(request, "admin/password.html", agent=agent, trouble="")

    @router.post(f"{PATH}/password", dependencies=[agent_here, form_here])
    def set_own_password(
        request: Request, current: Secret = "", new: Secret = "", agent: Person = agent_here
    ) -> Response:
        trouble = why_weak(new, agent.email)
        if not fits(request, agent, agent.email, current):
            trouble = "The current password is wrong."
        if trouble is not None:
            return portal.page(request, "admin/password.html", 422, agent=agent, trouble=trouble)
        store.set_person(agent.id, password_hash=passwords.hash(new))
        response = RedirectResponse(PATH, 303)
        sessions.begin(request, response, agent)
        return response

    return router


def _within(to: str) -> str:
    """The address if it is within the agents' pages, else the list's: a login link must not lead to another site."""
    is_ours = to == PATH or to.startswith((f"{PATH}/", f"{PATH}?"))
    return to if is_ours and to.isprintable() and "\\" not in to and not to.startswith(LOGIN) else PATH


PEOPLE = f"{PATH}/people"
MOST_ADDRESS = 254


def people_routes(portal: Portal, sessions: Sessions, passwords: Passwords) -> APIRouter:
    """The routes of ``/admin/people``."""
    admin_here, form_here = Depends(sessions.admin), Depends(sessions.form)
    router = APIRouter(dependencies=[admin_here])
    store = portal.store

    def shown(request: Request, admin: Person, status: int = 200, **more: str) -> Response:
        values: dict[str, Any] = {"trouble": "", "email": "", "name": "", "for_whom": "", "password": "", **more}
        return portal.page(request, "admin/people.html", status, agent=admin, people=store.team(), **values)

    @router.get(PEOPLE)
    def people(request: Request, admin: Person = admin_here) -> Response:
        return shown(request, admin)

    @router.post(PEOPLE, dependencies=[form_here])
    def add(
        request: Request,
        email: Address = "",
        name: Annotated[str, Form(max_length=100)] = "",
        role: Annotated[Literal["agent", "admin"], Form()] = "agent",
        admin: Person = admin_here,
    ) -> Response:
        """Add an agent or admin, and show their new password this once."""
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
        """Give a person a new password, which is shown this once; their sessions end."""
        person, password = _of_team(person_id), made_up()
        store.set_person(person.id, password_hash=passwords.hash(password))
        return shown(request, admin, for_whom=person.email, password=password)

    @router.post(f"{PEOPLE}/{{person_id}}/role", dependencies=[form_here])
    def new_role(
        request: Request, person_id: int, role: Annotated[Role, Form()], admin: Person = admin_here
    ) -> Response:
        """Change a person's role; a customer cannot log in any more. Admins cannot change their own role."""
        person = _of_team(person_id)
        if person.id == admin.id:
            return shown(request, admin, 422, trouble="Another admin has to change your own role.")
        store.set_person(person.id, role=role)
        return RedirectResponse(PEOPLE, 303)

    def _of_team(person_id: int) -> Person:
        found = next((person for person in store.team() if person.id == person_id), None)
        if found is None:
            raise HTTPException(404, "There is no such agent.")
        return found

    return router


def is_address(email: str) -> bool:
    """True if it looks like a mail address."""
    name, _, host = email.rpartition("@")
    return bool(name and host) and len(email) <= MOST_ADDRESS and email.isprintable() and " " not in email
