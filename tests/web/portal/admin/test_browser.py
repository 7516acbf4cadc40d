from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from ticket_processor.helpdesk.local_model import Actor, LocalTicket, NewFile, Person
from ticket_processor.web.portal.agent_ticket import STALE

from ..real_browser import MARKS, ListeningPortal, faults_of, listening_portal, tab_to
from .conftest import PASSWORD, AgentsDesk

pytestmark = MARKS
LOG_IN, SEND, SAVE, SHOW = (f"button:text-is('{words}')" for words in ("Log in", "Send", "Save", "Show"))
_SIDEWAYS = """() => [document.documentElement, document.querySelector('.scroll')].reduce(
  (most, part) => Math.max(most, part.scrollWidth - part.clientWidth), 0)"""
SORTED = ("ai_processed", "ai_billing", "ai_urgency_high", "ai_sentiment_negative")


@pytest.fixture
def site(desk: AgentsDesk, chromium: Any) -> Iterator[ListeningPortal]:
    with listening_portal(desk.rig, chromium) as found:
        yield found


@pytest.fixture
def bea(desk: AgentsDesk) -> Person:
    return desk.person("bea@example.com", "agent")


@pytest.fixture(params=[True, False], ids=["with JavaScript", "without"])
def page(request: pytest.FixtureRequest, site: ListeningPortal, bea: Person) -> Iterator[Any]:
    """A tab in which Bea is logged in."""
    with site.tab(script=request.param) as found:
        log_in(found, bea)
        yield found
    assert site.watched.strangers == []
    assert [each for each in site.watched.troubles if "401" not in each and "409" not in each] == []


def log_in(page: Any, person: Person, password: str = PASSWORD, to: str = "/admin") -> None:
    page.goto(to)
    page.fill("#email", person.email)
    page.fill("#password", password)
    page.click(LOG_IN)
    page.wait_for_selector("button:text-is('Log out')")


def open_ticket(page: Any, ticket: LocalTicket) -> None:
    page.goto("/admin")
    page.click(f"a:text-is('{ticket.subject}')")
    page.wait_for_selector("#conversation")


def test_a_ticket_is_opened_answered_noted_and_resolved(desk: AgentsDesk, page: Any, bea: Person) -> None:
    ticket = desk.triaged(desk.ticket(), *SORTED)
    open_ticket(page, ticket)
    page.fill("#body", "Here it *is*.")
    page.select_option("#reply-status", "waiting")
    page.click(SEND)
    page.wait_for_selector(".message.agent em:text-is('is')")
    assert page.inner_text(".status") == "Waiting for the customer"
    page.check("text=agents only")
    page.fill("#body", "He called twice.")
    page.click(SEND)
    page.wait_for_selector(".message.internal >> text=He called twice.")
    page.select_option("#p-status", "resolved")
    page.click(SAVE)
    page.wait_for_selector(".status:text-is('Resolved')")
    said = desk.rig.store.messages(ticket.id, public_only=False)
    assert [(one.body, one.public) for one in said[1:]] == [("Here it *is*.", True), ("He called twice.", False)]
    assert {one.author for one in said[1:]} == {Actor("agent", bea.id)}
    assert desk.now(ticket.id).status == "resolved"


def test_an_agent_answers_a_ticket_by_keyboard_alone(desk: AgentsDesk, site: ListeningPortal, bea: Person) -> None:
    ticket = desk.ticket("A parcel")
    desk.ticket("An invoice")
    with site.tab() as page:
        page.goto("/admin")
        for selector, text in (("#email", bea.email), ("#password", PASSWORD)):
            tab_to(page, selector)
            page.keyboard.type(text)
        page.keyboard.press("Enter")
        page.wait_for_selector("h1:text-is('Tickets')")
        tab_to(page, "#q")
        page.keyboard.type("parcel")
        page.keyboard.press("Enter")
        page.wait_for_selector("text=1 found")
        tab_to(page, f"a[href='/admin/tickets/{ticket.id}']")
        page.keyboard.press("Enter")
        page.wait_for_selector("#conversation")
        tab_to(page, "#body")
        page.keyboard.type("It is on its way.")
        tab_to(page, "form[action$='/reply'] button")
        page.keyboard.press("Enter")
        page.wait_for_selector(".message.agent >> text=It is on its way.")
    assert [one.body for one in desk.rig.store.messages(ticket.id, public_only=True)] == ["It is on its way."]


def open_everything(desk: AgentsDesk, page: Any) -> LocalTicket:
    """A ticket on whose page everything there is can be seen, opened in the tab."""
    long = "Donaudampfschifffahrtsgesellschaftskapitän" * 3
    text = f"Where is it?\n{long}\n請求書が届きません。"
    made = desk.ticket(f"No invoice {long}", text=text, name="Ann", files=[NewFile(f"{long}.png", b"x")])
    made = desk.triaged(made, *SORTED, "ai_escalated", long.lower())
    page.goto(f"/admin/tickets/{made.id}")
    return made


def test_every_page_fits_and_can_be_read_by_everybody(desk: AgentsDesk, site: ListeningPortal) -> None:
    admin = desk.person("root@example.com", "admin")
    desk.person("carl.with.a.very.long.address@department.example.com", "agent")
    with site.tab() as page:
        page.goto("/admin")
        found = faults_of(page, "login")
        page.fill("#email", "nobody@example.com")
        page.fill("#password", "wrong")
        page.click(LOG_IN)
        found += faults_of(page, "login refused")
        log_in(page, admin)
        found += faults_of(page, "empty list")
        ticket = open_everything(desk, page)
        found += faults_of(page, "ticket")
        page.goto("/admin")
        found += faults_of(page, "list")
        page.goto(f"/admin/tickets/{ticket.id}")
        desk.answered(desk.now(ticket.id), admin, f"Look:\n> {ticket.subject}\n```\n{ticket.subject}\n```")
        desk.rig.store.change(ticket.id, Actor("agent", admin.id), version=None, now=desk.rig.at, category="refund")
        page.select_option("#p-category", "technical")
        page.click(SAVE)
        page.wait_for_selector(f"text={STALE}")
        found += faults_of(page, "conflict")
        page.goto("/admin")
        page.check("input[name=ticket]")
        page.select_option("#b-status", "waiting")
        desk.ticket("Another")
        page.click("text=Change them")
        page.wait_for_selector("text=1 ticket changed")
        found += faults_of(page, "many changed")
        page.click("text=Undo")
        page.wait_for_selector("text=changed back")
        found += faults_of(page, "many changed back")
        page.goto("/admin/people")
        page.click("tr:has-text('carl') >> text=New password")
        page.wait_for_selector("[role=status] code")
        found += faults_of(page, "people")
        page.goto("/admin/password")
        found += faults_of(page, "password")
        page.goto("/admin/tickets/99")
        found += faults_of(page, "no such ticket")
    assert found == []
