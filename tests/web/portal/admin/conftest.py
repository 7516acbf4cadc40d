"""Agents, admins and customers with browsers of their own, on a portal with tickets."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import pytest
from httpx2 import Response

from ticket_processor.helpdesk.local_model import AI, Actor, LocalTicket, NewTicket, Person, Role
from ticket_processor.web.portal.agent_accounts import COOKIE, Passwords

from ..conftest import Browser, PortalRig, tokens_in

PASSWORD = "correct horse battery staple"
_HASH: list[str] = []


@dataclass
class AgentsDesk:
    """A portal, its people, and their browsers."""

    rig: PortalRig

    def person(self, email: str, role: Role, name: str = "") -> Person:
        """Somebody with :data:`PASSWORD`."""
        if not _HASH:
            _HASH.append(Passwords().hash(PASSWORD))
        return self.rig.store.add_person(email, name or email.split("@")[0].title(), role, _HASH[0])

    def signed_in(self, person: Person) -> Browser:
        """A browser in which this person is logged in."""
        browser = self.rig.browser()
        token = self.rig.store.open_session(person.id, self.rig.at + 86_400)
        browser.cookies.set(COOKIE, token, domain="help.test", path="/admin")
        return browser

    def ticket(self, subject: str = "No invoice", email: str = "ann@example.com", **more: Any) -> LocalTicket:
        """A ticket that a customer submitted."""
        self.rig.at += 1
        made = self.rig.store.create(
            NewTicket(subject, more.pop("text", f"{subject}, please help."), email, **more), self.rig.at
        )
        return self.now(made.id)

    def triaged(self, ticket: LocalTicket, *tags: str) -> LocalTicket:
        """The ticket with these tags of ticketbot's and an internal note."""
        self.rig.at += 1
        store = self.rig.store
        store.change(ticket.id, AI, version=ticket.version, now=self.rig.at, tags_add=tags)
        return store.reply(ticket.id, AI, "Triage: the internal note.", public=False, now=self.rig.at)

    def now(self, ticket_id: int) -> LocalTicket:
        """The ticket as it is now."""
        found = self.rig.store.ticket(ticket_id)
        assert found is not None
        return found

    def answered(self, ticket: LocalTicket, person: Person, text: str = "Here it is.") -> LocalTicket:
        """The ticket after an agent's public answer."""
        self.rig.at += 1
        return self.rig.store.reply(ticket.id, Actor("agent", person.id), text, public=True, now=self.rig.at)


def send(browser: Browser, path: str, values: Any = None, *, page: str = "/admin") -> Response:
    """Send a form with the token of a page; redirections are not followed."""
    token = tokens_in(browser.get(page).text)[0]
    return browser.post(path, data={"form_token": token, **(values or {})}, follow_redirects=False)


@pytest.fixture
def desk(rig: PortalRig) -> AgentsDesk:
    """A portal without tickets, and without people."""
    return AgentsDesk(rig)


@pytest.fixture
def agent(desk: AgentsDesk) -> Browser:
    """The browser of an agent."""
    return desk.signed_in(desk.person("bea@example.com", "agent"))


@pytest.fixture
def admin(desk: AgentsDesk) -> Browser:
    """The browser of an admin."""
    return desk.signed_in(desk.person("root@example.com", "admin"))
