"""The agents' pages in a real browser: each journey with and without JavaScript, by keyboard, and read by everybody."""

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


def subjects(page: Any) -> list[str]:
    return page.locator(".tickets th[scope=row] a").all_inner_texts()  # type: ignore[no-any-return]


def open_ticket(page: Any, ticket: LocalTicket) -> None:
    page.goto("/admin")
    page.click(f"a:text-is('{ticket.subject}')")
    page.wait_for_selector("#conversation")


@pytest.mark.parametrize("script", [True, False], ids=["with JavaScript", "without"])
def test_an_agent_logs_in_comes_to_the_page_asked_for_and_logs_out(
    desk: AgentsDesk, site: ListeningPortal, bea: Person, script: bool
) -> None:
    desk.ticket()
    with site.tab(script=script) as page:
        page.goto("/admin?q=invoice")
        page.fill("#email", bea.email)
        page.fill("#password", "a wrong password")
        page.click(LOG_IN)
        page.wait_for_selector("text=Mail address or password is wrong.")
        assert page.input_value("#email") == bea.email
        page.fill("#password", PASSWORD)
        page.click(LOG_IN)
        page.wait_for_selector("h1:text-is('Tickets')")
        assert page.input_value("#q") == "invoice"
        assert subjects(page) == ["No invoice"]
        page.click("text=Log out")
        page.wait_for_selector("h1:text-is('Log in')")
        page.goto("/admin")
        assert "/admin/login" in page.url
        assert page.is_visible(LOG_IN)


def test_the_list_is_searched_filtered_sorted_and_turned(desk: AgentsDesk, page: Any) -> None:
    made = [desk.ticket(f"Ticket {number}") for number in range(27)]
    desk.triaged(desk.ticket("Where is my parcel"), *SORTED)
    desk.triaged(desk.ticket("A wrong parcel"), "ai_processed", "ai_order", "ai_urgency_low", "ai_sentiment_neutral")
    page.goto("/admin")
    assert page.inner_text("#counts strong") == "29 found"
    page.select_option("#f-sort", "oldest")
    page.click(SHOW)
    page.wait_for_selector("a:text-is('Ticket 0')")
    assert subjects(page) == [ticket.subject for ticket in made[:25]]
    page.click("text=Next page")
    page.wait_for_selector("a:text-is('Ticket 26')")
    assert subjects(page) == ["Ticket 25", "Ticket 26", "Where is my parcel", "A wrong parcel"]
    page.click("text=First page")
    page.wait_for_selector("a:text-is('Ticket 0')")
    page.fill("#q", "parcel")
    page.click(SHOW)
    page.wait_for_selector("text=2 found")
    page.select_option("#f-urgency", "high")
    page.click(SHOW)
    page.wait_for_selector("text=1 found")
    assert subjects(page) == ["Where is my parcel"]
    page.click("text=Clear")
    page.wait_for_selector("text=29 found")


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


@pytest.mark.parametrize("script", [True, False], ids=["with JavaScript", "without"])
def test_an_admin_adds_an_agent_who_logs_in_and_changes_the_password(
    desk: AgentsDesk, site: ListeningPortal, script: bool
) -> None:
    with site.tab(script=script) as admin, site.tab(script=script) as agent:
        log_in(admin, desk.person("root@example.com", "admin"))
        admin.click("text=People")
        admin.fill("#email", "eve@example.com")
        admin.fill("#name", "Eve")
        admin.click("button:text-is('Add')")
        password = admin.inner_text("[role=status] code")
        eve = desk.rig.store.by_email("eve@example.com")
        assert eve is not None
        log_in(agent, eve, password)
        assert not agent.is_visible("text=People")
        agent.click("text=Password")
        agent.fill("#current", password)
        agent.fill("#new", "a new battery staple")
        agent.click(SAVE)
        agent.wait_for_selector("h1:text-is('Tickets')")
        admin.goto("/admin/people")
        admin.select_option(f"#role-{eve.id}", "customer")
        admin.click(f"tr:has-text('eve@') >> {SAVE}")
        admin.wait_for_selector("h1:text-is('People')")
        assert not admin.is_visible("text=eve@example.com")
        agent.reload()
        assert not agent.is_visible("h1:text-is('Tickets')")


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
