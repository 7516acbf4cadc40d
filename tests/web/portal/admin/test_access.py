from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import pytest
from starlette.routing import Mount, Route

from ticket_processor.helpdesk.local_model import Actor, NewFile, NewTicket

from ..conftest import Browser, MakePortal, PortalRig, tokens_in
from .conftest import PASSWORD, AgentsDesk

WHO = ("anonymous", "customer", "other customer", "agent", "admin")
LOGIN, REFUSED, THERE, SENT, NOT_FOUND = 303, 403, 200, 303, 404
FOR_ALL, FOR_AGENTS, FOR_ADMINS = (
    (THERE,) * 5,
    (LOGIN, LOGIN, LOGIN, THERE, THERE),
    (LOGIN, LOGIN, LOGIN, REFUSED, THERE),
)
SENT_BY_AGENTS, SENT_BY_ADMINS = (401, 401, 401, SENT, SENT), (401, 401, 401, REFUSED, SENT)
OF_THE_CUSTOMER = (NOT_FOUND, THERE, NOT_FOUND, NOT_FOUND, NOT_FOUND)
SENT_BY_THE_CUSTOMER = (NOT_FOUND, SENT, NOT_FOUND, NOT_FOUND, NOT_FOUND)
"""An agent has no cookie of the ticket: agents work on their own pages."""

ACCESS: dict[str, tuple[int, ...]] = {
    "GET /": FOR_ALL,
    "POST /": (SENT,) * 5,
    "POST /articles": FOR_ALL,
    "GET /articles/open": (NOT_FOUND,) * 5,
    "GET /t/{number}": OF_THE_CUSTOMER,
    "GET /t/{number}/live": OF_THE_CUSTOMER,
    "GET /t/{number}/files/{file_id}": OF_THE_CUSTOMER,
    "POST /t/{number}/reply": SENT_BY_THE_CUSTOMER,
    "POST /t/{number}/rating": SENT_BY_THE_CUSTOMER,
    "POST /t/{number}/reopen": SENT_BY_THE_CUSTOMER,
    "POST /t/{number}/solved": SENT_BY_THE_CUSTOMER,
    "GET /admin": FOR_AGENTS,
    "GET /admin/": FOR_AGENTS,
    "GET /admin/tickets.csv": FOR_AGENTS,
    "GET /admin/tickets/{ticket_id}": FOR_AGENTS,
    "GET /admin/files/{file_id}": FOR_AGENTS,
    "POST /admin/tickets/{ticket_id}/reply": SENT_BY_AGENTS,
    "POST /admin/tickets/{ticket_id}/change": SENT_BY_AGENTS,
    "POST /admin/bulk": (401, 401, 401, THERE, THERE),
    "POST /admin/bulk/undo": (401, 401, 401, THERE, THERE),
    "GET /admin/login": FOR_ALL,
    "POST /admin/login": (401,) * 5,
    "POST /admin/logout": SENT_BY_AGENTS,
    "GET /admin/password": FOR_AGENTS,
    "POST /admin/password": (401, 401, 401, 422, 422),
    "GET /admin/people": FOR_ADMINS,
    "POST /admin/people": (401, 401, 401, REFUSED, THERE),
    "POST /admin/people/{person_id}/password": (401, 401, 401, REFUSED, THERE),
    "POST /admin/people/{person_id}/role": SENT_BY_ADMINS,
}
"""The status that each of :data:`WHO` gets for a request that is right in all else."""


@pytest.fixture
def rig(make_rig: MakePortal) -> PortalRig:
    """A portal with every route that there can be."""
    return make_rig(suggest=lambda _text: [])


def routes_of(rig: PortalRig) -> Iterator[tuple[str, str]]:
    """Every method and path of the application, as it was built; static files are for everybody."""

    def walk(routes: Any) -> Iterator[tuple[str, str]]:
        for route in routes:
            if isinstance(route, Route):
                yield from ((method, route.path) for method in (route.methods or ()) if method != "HEAD")
            elif isinstance(route, Mount):
                assert route.path == "/static"
            else:
                yield from walk(route.original_router.routes)  # one that was included, as FastAPI keeps it

    yield from walk(rig.app.routes)


class Everybody:
    """One browser for each of :data:`WHO`, and a resolved ticket of the customer's with a file."""

    def __init__(self, desk: AgentsDesk) -> None:
        rig = self.rig = desk.rig
        self.desk = desk
        self.agent = desk.person("bea@example.com", "agent")
        self.admin = desk.person("root@example.com", "admin")
        self.third = desk.person("dan@example.com", "agent")
        self.browsers = {
            "anonymous": rig.browser(),
            "customer": rig.browser("198.51.100.1"),
            "other customer": rig.browser("198.51.100.2"),
            "agent": desk.signed_in(self.agent),
            "admin": desk.signed_in(self.admin),
        }
        made = rig.store.create(
            NewTicket("No invoice", "Help.", "ann@example.com", files=[NewFile("a.txt", b"a")]), rig.at
        )
        other = rig.store.create(NewTicket("Another", "Help.", "carl@example.com"), rig.at)
        self.browsers["customer"].get(f"/t/{made.number}?k={made.secret}")
        self.browsers["other customer"].get(f"/t/{other.number}?k={other.secret}")
        self.ticket_id, self.number = made.id, made.number
        self.file_id = rig.store.files(made.id)[0].id

    def address(self, path: str) -> str:
        return path.format(number=self.number, ticket_id=self.ticket_id, file_id=self.file_id, person_id=self.third.id)

    def values(self, path: str) -> dict[str, Any]:
        """What the form at this address sends, but for its token."""
        version = self.desk.now(self.ticket_id).version
        return {
            "/": {"subject": "New", "description": "Something is broken.", "email": "dora@example.com"},
            "/articles": {"subject": "New", "description": "Something is broken here."},
            "/t/{number}/reply": {"body": "Hello?"},
            "/t/{number}/rating": {"stars": 4},
            "/admin/tickets/{ticket_id}/reply": {"version": version, "to": "note", "body": "A note."},
            "/admin/tickets/{ticket_id}/change": {"version": version, "priority": "low", "seen_priority": ""},
            "/admin/bulk": {"ticket": [f"{self.ticket_id}:{version}"], "priority": "high"},
            "/admin/bulk/undo": {
                "undo": [f'{{"id": {self.ticket_id}, "version": {version}, "edit": {{"add": ["x"]}}}}']
            },
            "/admin/login": {"email": "bea@example.com", "password": "wrong"},
            "/admin/password": {"current": "wrong", "new": PASSWORD},
            "/admin/people": {"email": "eve@example.com", "role": "agent"},
            "/admin/people/{person_id}/role": {"role": "admin"},
        }.get(path, {"version": version})

    def set_status_for(self, path: str) -> None:
        """Bring the ticket where the request makes sense."""
        wanted = "open" if path.endswith("/solved") else "resolved"
        if self.desk.now(self.ticket_id).status != wanted:
            self.rig.at += 1
            self.rig.store.change(
                self.ticket_id,
                Actor("agent", self.agent.id),
                version=None,
                now=self.rig.at,
                status=wanted,  # type: ignore[arg-type]
            )

    def ask(self, browser: Browser, method: str, path: str, *, with_token: bool = True) -> Any:
        address = self.address(path)
        if method == "GET":
            return browser.get(address, follow_redirects=False)
        token = tokens_in(browser.get("/").text)[0] if with_token else "made-up"
        self.rig.at += 30  # a person takes so long to fill a form in
        return browser.post(address, data={**self.values(path), "form_token": token}, follow_redirects=False)


def test_the_table_names_every_route_and_no_other(rig: PortalRig) -> None:
    assert sorted(f"{method} {path}" for method, path in routes_of(rig)) == sorted(ACCESS)


@pytest.mark.parametrize("route", ACCESS)
def test_everybody_gets_what_the_table_says(desk: AgentsDesk, route: str) -> None:
    method, path = route.split()
    everybody, found = Everybody(desk), {}
    for who in WHO:
        everybody.set_status_for(path)
        found[who] = everybody.ask(everybody.browsers[who], method, path).status_code
    assert found == dict(zip(WHO, ACCESS[route], strict=True))


@pytest.mark.parametrize("route", [route for route in ACCESS if route.startswith("POST") and route != "POST /articles"])
def test_a_form_that_is_not_ours_changes_nothing(desk: AgentsDesk, route: str) -> None:
    method, path = route.split()
    everybody = Everybody(desk)
    everybody.set_status_for(path)
    before = (desk.now(everybody.ticket_id), desk.rig.store.team(), desk.rig.store.last_event())
    for who in WHO:
        status = everybody.ask(everybody.browsers[who], method, path, with_token=False).status_code
        assert status in (401, 403, 404) or (path == "/" and status == 422), who
    assert (desk.now(everybody.ticket_id), desk.rig.store.team(), desk.rig.store.last_event()) == before
    assert everybody.browsers["agent"].get("/admin", follow_redirects=False).status_code == 200


def test_no_get_changes_anything(desk: AgentsDesk) -> None:
    everybody = Everybody(desk)
    before = "\n".join(f"{line}" for line in desk.rig.store.events(everybody.ticket_id))
    browser = everybody.browsers["admin"]
    seen, todo = set(), ["/admin"]
    while todo:
        address = todo.pop()
        seen.add(address)
        page = browser.get(address.replace("&amp;", "&"))
        if page.headers["content-type"].startswith("text/html"):
            found = re.findall(r'(?:href|action|formaction|src)="(/[^"#]*)', page.text)
            todo += [one for one in dict.fromkeys(found) if one not in seen and one not in todo]
    assert len(seen) > 10
    assert "\n".join(f"{line}" for line in desk.rig.store.events(everybody.ticket_id)) == before
    assert browser.get("/admin", follow_redirects=False).status_code == 200  # not even logged out
