from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from tests.support.local_files import add_file
from ticket_processor.helpdesk.local_model import AI, NewFile, NewTicket
from ticket_processor.replies.assembly import ArticleLines

from .conftest import MakePortal
from .markup_corpus import ALL_MARKUP
from .real_browser import AXE, MARKS, ListeningPortal, faults_of, listening_portal
from .test_public_tracking import agent_of, now_of, rig_customer

pytestmark = MARKS
SEND = "button:text-is('Send')"
PICTURE = b"\x89PNG\r\n\x1a\n" + b"x" * 4 * 2**20


@pytest.fixture
def site(make_rig: MakePortal, chromium: Any) -> Iterator[ListeningPortal]:
    rig = make_rig(
        suggest=lambda text: (
            [ArticleLines("1", "Invoices", "https://help.example/1", ("Open Billing.",))] if text else []
        )
    )
    with listening_portal(rig, chromium) as found:
        yield found


def fill_in(page: Any) -> None:
    page.fill("#subject", "No invoice")
    page.fill("#description", "The invoice for May has not come.")
    page.fill("#email", "ann@example.com")


def test_a_form_is_sent_once_by_a_double_click_and_again_after_a_cancelled_upload(site: ListeningPortal) -> None:
    rig, sent = site.rig, []
    with site.tab() as page:
        page.goto("/")
        fill_in(page)
        rig.at += 30
        page.route(f"{site.url}/", lambda route: (sent.append(route.request.method), route.abort("aborted")))
        page.click(SEND, no_wait_after=True)
        page.click(SEND, no_wait_after=True)
        page.wait_for_timeout(3_200)
        assert sent == ["POST"]
        page.unroute(f"{site.url}/")
        page.click(SEND)
        page.wait_for_selector("text=We have your ticket")
    assert rig.only_ticket().subject == "No invoice"


@pytest.mark.parametrize("script", [True, False], ids=["with JavaScript", "without"])
def test_a_customer_goes_the_whole_way(site: ListeningPortal, script: bool) -> None:
    rig = site.rig
    with site.tab(script=script) as page:
        page.goto("/")
        fill_in(page)
        if script:
            page.wait_for_selector("#articles h3")
        else:
            page.click("text=Look for articles first")
            assert page.input_value("#description") == "The invoice for May has not come."
        assert page.inner_text("#articles h3") == "Invoices"
        page.set_input_files("#files", {"name": "a.png", "mimeType": "image/png", "buffer": PICTURE})
        page.click(SEND)
        page.wait_for_selector("text=very quick")
        rig.at += 30
        page.set_input_files("#files", {"name": "a.png", "mimeType": "image/png", "buffer": PICTURE})
        page.click(SEND)
        page.wait_for_selector("text=We have your ticket")
        ticket = rig.only_ticket()
        page.fill("#body", "I have typed this much")
        rig.store.reply(ticket.id, agent_of(rig), "Please look again.", public=True, now=rig.at)
        if script:
            page.wait_for_selector("text=Please look again.", timeout=15_000)
            assert page.input_value("#body") == "I have typed this much"
        page.click(SEND)
        page.wait_for_selector("#conversation >> text=I have typed this much")
        page.click("text=This solved it")
        page.wait_for_selector("#rating")
        assert now_of(rig, ticket.id).status == "resolved"
        page.click("text=It is not solved")
        page.click("text=This solved it")
        page.wait_for_selector("#rating")
        page.click("label:has-text('4')")
        page.fill("#comment", "Quick")
        page.click("text=Send the rating")
        page.wait_for_selector("text=you gave 4 of 5")
    found = rig.store.rating(ticket.id)
    assert found is not None
    assert (found.stars, found.comment) == (4, "Quick")
    assert site.watched.strangers == []
    assert [each for each in site.watched.troubles if "422" not in each] == []


def test_times_are_shown_in_the_browser_s_own_zone(site: ListeningPortal) -> None:
    created = site.rig.store.create(NewTicket("Subject", "Text", "ann@example.com"), site.rig.at)
    with site.tab() as page:
        page.goto(f"/t/{created.number}?k={created.secret}")
        assert page.inner_text(".steps time") == "15 Jan 2027, 17:00"
        assert page.url == f"{site.url}/t/{created.number}"


def test_the_keyboard_alone_is_enough(site: ListeningPortal) -> None:
    with site.tab() as page:
        page.goto("/")
        page.keyboard.press("Tab")
        assert page.evaluate("document.activeElement.textContent") == "Skip to the content"
        page.keyboard.press("Enter")
        for text in ("No invoice", "The invoice for May has not come."):
            page.keyboard.press("Tab")
            page.keyboard.type(text)
        page.wait_for_selector("#articles h3")
        page.keyboard.press("Tab")  # the article's link
        page.keyboard.press("Tab")
        page.keyboard.type("ann@example.com")
        site.rig.at += 30
        page.keyboard.press("Enter")
        page.wait_for_selector("text=We have your ticket")


def open_rich_ticket(site: ListeningPortal, page: Any) -> None:
    """A ticket on whose page everything there is can be seen."""
    rig = site.rig
    long = "Donaudampfschifffahrtsgesellschaftskapitän" * 3
    new = NewTicket(f"No invoice {long}", f"Where is it?\n{long}\n請求書が届きません。", "ann@example.com", "Ann")
    created = rig.store.create(new, rig.at)
    add_file(rig.store, created.id, None, f"{long}.png", b"\x89PNG\r\n\x1a\n")
    tags = ["ai_billing", "ai_urgency_high", "ai_sentiment_negative", "ai_escalated"]
    rig.store.change(created.id, AI, version=None, now=rig.at + 3, tags_add=tags)
    rig.store.reply(created.id, AI, "1. Open *Billing*.\n2. Choose `May`.", public=True, now=rig.at + 5)
    rig.store.reply(created.id, agent_of(rig), f"```\n{long}\n```\n> Hello", public=True, now=rig.at + 60)
    page.goto(f"/t/{created.number}?k={created.secret}")


def test_every_page_fits_and_can_be_read_by_everybody(site: ListeningPortal) -> None:
    with site.tab() as page:
        page.goto("/")
        found = faults_of(page, "form")
        page.click(SEND)
        page.wait_for_selector("[role=alert]")
        found += faults_of(page, "form with errors")
        open_rich_ticket(site, page)
        found += faults_of(page, "ticket")
        page.click("text=This solved it")
        page.wait_for_selector("#rating")
        found += faults_of(page, "solved ticket")
        site.rig.store.add_token(site.rig.store.team()[0].email, "read", "", site.rig.at)
        page.goto("/api/docs")
        found += faults_of(page, "API")
        page.goto("/nowhere")
        found += faults_of(page, "error")
    assert found == []


@pytest.mark.skipif(not AXE.is_file(), reason="axe-core is missing: npm install --no-save axe-core@4.14.1")
def test_accessibility_was_looked_at() -> None:
    assert "4.14.1" in AXE.read_text(encoding="utf-8")[:200]


def test_no_hostile_text_runs_or_loads_anything(site: ListeningPortal) -> None:
    rig = site.rig
    with site.tab() as page:
        for start in range(0, len(ALL_MARKUP), 50):
            texts = ALL_MARKUP[start : start + 50]
            files = [NewFile(text, b"x") for text in texts]
            new = NewTicket("\n".join(texts), "\n".join(texts), f"a{start}@example.com", texts[0], files=files)
            created = rig.store.create(new, rig.at)
            for text in texts:
                for actor in (rig_customer(rig, created.id), agent_of(rig), AI):
                    rig.store.reply(created.id, actor, text, public=True, now=rig.at)
            page.goto(f"/t/{created.number}?k={created.secret}")
            page.evaluate("document.querySelectorAll('details,input,select,textarea').forEach(each => each.focus())")
    assert site.watched.strangers == []
    assert site.watched.troubles == []
