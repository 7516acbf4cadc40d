from __future__ import annotations

import re
from html import unescape

import pytest

from tests.support.local_files import add_file
from ticket_processor.helpdesk.local_model import AI, Actor, LocalTicket, NewTicket

from .conftest import Browser, PortalRig

CANARY = "CANARY the customer is wrong"


def opened(rig: PortalRig, **values: str) -> tuple[Browser, LocalTicket]:
    """A ticket, and a browser that has followed its link."""
    new = NewTicket(**{"subject": "No invoice", "description": "Where?", "email": "ann@example.com", **values})
    created = rig.store.create(new, rig.at)
    browser = rig.browser()
    assert browser.get(f"/t/{created.number}?k={created.secret}").status_code == 200
    return browser, now_of(rig, created.id)


def now_of(rig: PortalRig, ticket_id: int) -> LocalTicket:
    ticket = rig.store.ticket(ticket_id)
    assert ticket is not None
    return ticket


def agent_of(rig: PortalRig) -> Actor:
    known = rig.store.by_email("bo@acme.example")
    return Actor("agent", (known or rig.store.add_person("bo@acme.example", "Bo", "agent")).id)


def rig_customer(rig: PortalRig, ticket_id: int) -> Actor:
    return Actor("customer", now_of(rig, ticket_id).requester)


def page_of(browser: Browser, ticket: LocalTicket) -> str:
    return browser.get(f"/t/{ticket.number}").text


def steps_in(page: str) -> list[tuple[str, str]]:
    return re.findall(r'<li class="(done|now|todo)"[^>]*>([^<]+?) *<', page)


def test_the_steps_follow_from_what_has_happened(rig: PortalRig) -> None:
    browser, ticket = opened(rig)
    assert steps_in(page_of(browser, ticket)) == [
        ("done", "Submitted"),
        ("now", "Understood and sorted"),
        ("todo", "Answered"),
        ("todo", "Resolved"),
    ]
    tags = ["ai_processed", "ai_billing", "ai_urgency_high", "ai_sentiment_negative"]
    rig.store.change(ticket.id, AI, version=None, now=rig.at + 5, tags_add=tags)
    page = page_of(browser, ticket)
    assert steps_in(page)[1:3] == [("done", "Understood and sorted"), ("now", "Answered")]
    assert "What happens next" not in page
    rig.store.change(ticket.id, AI, version=None, now=rig.at + 6, tags_add=["ai_escalated"])
    page = page_of(browser, ticket)
    assert ("done", "Escalated to a person") in steps_in(page)
    assert "What happens next" in page
    assert '<span class="status">Escalated</span>' in page
    rig.store.reply(ticket.id, AI, "We have passed it on.", public=True, now=rig.at + 7)
    assert "What happens next" in page_of(browser, ticket)
    rig.store.reply(ticket.id, agent_of(rig), "It is **there**.", public=True, now=rig.at + 60)
    page = page_of(browser, ticket)
    assert ("done", "Answered") in steps_in(page)
    assert "What happens next" not in page
    assert "<strong>Bo</strong>" in page
    assert "It is <strong>there</strong>." in page
    browser.act(ticket, "solved", version=now_of(rig, ticket.id).version)
    page = page_of(browser, ticket)
    assert ("done", "Resolved") in steps_in(page)
    assert "What happens next" not in page


def test_how_a_ticket_was_sorted_is_not_shown(rig: PortalRig) -> None:
    browser, ticket = opened(rig)
    tags = ["ai_processed", "ai_billing", "ai_urgency_critical", "ai_sentiment_negative", "ai_escalated"]
    rig.store.change(ticket.id, AI, version=None, now=rig.at + 5, tags_add=tags, priority="urgent")
    for path in ("", "/live"):
        page = browser.get(f"/t/{ticket.number}{path}").text.lower()
        told = ("billing", "critical", "negative", "urgency", "sentiment", "sorted automatically")
        assert not [word for word in told if word in page]
        for word in ("cannot wait", "urgent", "priority"):
            assert word not in page
        assert "understood and sorted" in page
        assert "passed on to a person" in page


def test_a_customer_sees_no_internal_note_and_no_file_of_one(rig: PortalRig) -> None:
    browser, ticket = opened(rig)
    agent = agent_of(rig)
    rig.store.reply(ticket.id, agent, CANARY, public=False, now=rig.at)
    rig.store.reply(ticket.id, AI, CANARY, public=False, now=rig.at)
    rig.store.change(
        ticket.id, agent, version=None, now=rig.at, status="in_progress", tags_add=["vip_canary"], reason=CANARY
    )
    note = rig.store.messages(ticket.id, public_only=False)[0]
    secret = add_file(rig.store, ticket.id, note.id, "CANARY.txt", b"CANARY")
    rig.store.reply(ticket.id, agent, "Hello Ann", public=True, now=rig.at)
    for path in ("", "/live", f"/files/{secret.id}"):
        assert "canary" not in browser.get(f"/t/{ticket.number}{path}").text.lower()
    assert browser.get(f"/t/{ticket.number}/files/{secret.id}").status_code == 404
    assert "Hello Ann" in page_of(browser, ticket)


def test_a_reply_is_stored_once_and_told_on(rig: PortalRig) -> None:
    browser, ticket = opened(rig)
    token = browser.token(f"/t/{ticket.number}")
    for _ in range(2):
        page = browser.act(ticket, "reply", body="It is **still** missing.\r\n<b>Now</b>", form_token=token)
    assert "It is **still** missing.\n&lt;b&gt;Now&lt;/b&gt;" in page.text
    assert [message.body for message in rig.store.messages(ticket.id, public_only=True)] == [
        "It is **still** missing.\n<b>Now</b>"
    ]
    assert rig.told[0] == ticket.id
    browser.act(ticket, "reply", body="It is **still** missing.\r\n<b>Now</b>")
    assert len(rig.store.messages(ticket.id, public_only=True)) == 2


@pytest.mark.parametrize("body", [" ", "x" * 20_001])
def test_a_reply_that_cannot_be_taken_is_kept_in_its_field(rig: PortalRig, body: str) -> None:
    browser, ticket = opened(rig)
    page = browser.act(ticket, "reply", body=body)
    assert page.status_code == 422
    assert body.strip() in page.text
    assert rig.store.messages(ticket.id, public_only=True) == ()


def test_a_closed_ticket_takes_nothing_and_keeps_what_was_typed(rig: PortalRig) -> None:
    browser, ticket = opened(rig)
    agent = agent_of(rig)
    token = browser.token(f"/t/{ticket.number}")
    rig.store.change(ticket.id, agent, version=None, now=rig.at, status="resolved")
    rig.store.change(ticket.id, agent, version=None, now=rig.at, status="closed")
    answer = browser.post(f"/t/{ticket.number}/reply", data={"form_token": token, "body": "One more thing"})
    assert answer.status_code == 409
    assert "does not allow this any more" in answer.text
    assert "Add something" not in page_of(browser, ticket)


def test_a_customer_says_that_it_is_solved_and_opens_it_again(rig: PortalRig) -> None:
    browser, ticket = opened(rig)
    for _ in range(2):
        answer = browser.act(ticket, "solved", version=ticket.version)
        assert answer.status_code == 200
    solved = now_of(rig, ticket.id)
    assert solved.status == "resolved"
    assert rig.store.events(ticket.id)[-1].actor.kind == "customer"
    assert rig.told == []
    browser.act(ticket, "reopen", version=solved.version)
    assert rig.told == [ticket.id]
    assert now_of(rig, ticket.id).status == "open"
    assert "This solved it" in page_of(browser, ticket)


def test_a_reply_opens_a_resolved_ticket_again_unless_the_customer_says_that_it_is_solved(rig: PortalRig) -> None:
    browser, ticket = opened(rig)
    assert "Is it solved?" not in page_of(browser, ticket)
    rig.store.change(ticket.id, agent_of(rig), version=None, now=rig.at, status="resolved")
    assert "Is it solved?" in page_of(browser, ticket)
    browser.act(ticket, "reply", body="Okay, thanks", solved="yes")
    assert now_of(rig, ticket.id).status == "resolved"
    browser.act(ticket, "reply", body="It is back.", solved="no")
    assert now_of(rig, ticket.id).status == "open"
    assert rig.told == [ticket.id] * 2


def test_a_rating_is_taken_once_the_ticket_is_resolved_and_changed_once_a_day(rig: PortalRig) -> None:
    browser, ticket = opened(rig)
    assert browser.act(ticket, "rating", stars=5).status_code == 409
    assert rig.store.rating(ticket.id) is None
    browser.act(ticket, "solved", version=ticket.version)
    assert "How did we do?" in page_of(browser, ticket)
    assert browser.act(ticket, "rating", stars=5, comment="Thank you").status_code == 200
    assert "you gave 5 of 5" in page_of(browser, ticket)
    rig.at += 60
    for _ in range(2):
        assert browser.act(ticket, "rating", stars=2).status_code == 200
    assert [(event.old, event.new) for event in rig.store.events(ticket.id) if event.field == "rating"] == [
        (None, "5"),
        ("5", "2"),
    ]
    rig.at += 60
    refused = browser.act(ticket, "rating", stars=1)
    assert refused.status_code == 409
    assert "A rating can be changed once a day." in refused.text
    rig.at += 24 * 3600
    assert browser.act(ticket, "rating", stars=1).status_code == 200


def live_in(page: str) -> tuple[str, str, int]:
    """The address that a page asks for news, the version that it has, and how often."""
    address = re.findall(r'hx-get="([^"]+)"', page)[0]
    tag = unescape(re.findall(r'data-etag="([^"]+)"', page)[0])
    return address, tag, int(re.findall(r'hx-trigger="every (\d+)s"', page)[0])


def test_a_page_without_news_gets_304_and_one_with_news_only_what_is_new(rig: PortalRig) -> None:
    browser, ticket = opened(rig)
    address, tag, _ = live_in(page_of(browser, ticket))
    same = browser.get(address, headers={"If-None-Match": tag})
    assert (same.status_code, same.content) == (304, b"")
    rig.store.reply(ticket.id, agent_of(rig), "Here it is.", public=True, now=rig.at)
    news = browser.get(address, headers={"If-None-Match": tag})
    assert news.status_code == 200
    assert news.headers["etag"] != tag
    assert "Here it is." in news.text
    assert "<html" not in news.text
    assert "Add something" not in news.text
