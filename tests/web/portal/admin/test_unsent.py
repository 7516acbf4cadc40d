"""A form that is refused for now: what was typed is there to be sent again."""

from __future__ import annotations

import re
from html import unescape
from typing import Any

import pytest

from ticket_processor.core.errors import HelpdeskDown
from ticket_processor.helpdesk.local_store import LocalStore

from ..conftest import TYPED, Browser, PortalRig, tokens_in
from ..test_public_tracking import opened
from .conftest import PASSWORD, AgentsDesk

OURS = {"Sec-Fetch-Site": "same-origin"}
WORDS = 'It was "<b>in</b>" the box.\nStill nothing.'


def fields_in(page: str) -> dict[str, str]:
    """The fields of the page's form, as a browser would send them."""
    page = page[page.index("<main") :]
    found = dict(re.findall(r'<input type="hidden" name="([^"]+)" value="([^"]*)"', page))
    found |= dict(re.findall(r'<textarea [^>]*name="([^"]+)"[^>]*>\n([^<]*)</textarea>', page))
    return {name: unescape(value) for name, value in found.items()}


def send_again(browser: Browser, page: Any) -> Any:
    action = re.search(r'<form method="post" action="([^"]+)"', page.text[page.text.index("<main") :])
    assert action, page.text
    return browser.post(action[1], data=fields_in(page.text), headers=OURS, follow_redirects=False)


def test_a_reply_from_a_page_that_was_open_over_night_is_kept(rig: PortalRig) -> None:
    browser, ticket = opened(rig)
    values = {"body": WORDS, "form_token": browser.token(f"/t/{ticket.number}")}
    rig.at += 13 * 3600
    browser.cookies.delete("portal_form")  # it has gone by then
    refused = browser.post(f"/t/{ticket.number}/reply", data=values, headers=OURS)
    assert refused.status_code == 403
    assert send_again(browser, refused).status_code == 303
    assert [each.body for each in rig.store.messages(ticket.id, public_only=True)] == [WORDS]


def test_a_reply_above_the_limit_is_kept(rig: PortalRig) -> None:
    browser, ticket = opened(rig)
    token = browser.token(f"/t/{ticket.number}")
    for stars in range(60):
        browser.post(f"/t/{ticket.number}/rating", data={"stars": stars % 5, "form_token": token})
    refused = browser.post(f"/t/{ticket.number}/reply", data={"body": WORDS, "form_token": token}, headers=OURS)
    assert refused.status_code == 429
    rig.at += 3600
    assert send_again(browser, refused).status_code == 303
    assert [each.body for each in rig.store.messages(ticket.id, public_only=True)] == [WORDS]


def test_an_answer_whose_agent_was_logged_out_meanwhile_is_kept(desk: AgentsDesk, agent: Browser) -> None:
    ticket = desk.ticket()
    path = f"/admin/tickets/{ticket.id}"
    values = {"form_token": tokens_in(agent.get(path).text)[0], "version": ticket.version, "to": "note", "body": WORDS}
    agent.cookies.delete("portal_agent")
    refused = agent.post(f"{path}/reply", data=values, headers=OURS)
    assert refused.status_code == 401
    assert 'href="/admin/login" target="_blank"' in refused.text
    login = {"email": "bea@example.com", "password": PASSWORD, "form_token": agent.token("/admin/login")}
    agent.post("/admin/login", data=login)
    assert send_again(agent, refused).status_code == 303
    [said] = desk.rig.store.messages(ticket.id, public_only=False)
    assert (said.body, said.public) == (WORDS, False)


def test_a_ticket_that_could_not_be_stored_is_kept(rig: PortalRig, monkeypatch: pytest.MonkeyPatch) -> None:
    browser = rig.browser()
    token = browser.token()
    rig.at += 30
    with monkeypatch.context() as patched:

        def down(*_: object) -> None:
            raise HelpdeskDown("full")

        patched.setattr(LocalStore, "create", down)
        refused = browser.post("/", data={**TYPED, "description": WORDS, "form_token": token}, headers=OURS)
    assert refused.status_code == 503
    rig.at += 30
    assert send_again(browser, refused).status_code == 303
    assert (rig.only_ticket().subject, rig.only_ticket().description) == (TYPED["subject"], WORDS)


@pytest.mark.parametrize("sent_by", ["cross-site", "same-site", ""])
def test_what_another_site_sends_is_not_offered_again(rig: PortalRig, sent_by: str) -> None:
    browser, ticket = opened(rig)
    headers = {"Sec-Fetch-Site": sent_by} if sent_by else {}
    refused = browser.post(f"/t/{ticket.number}/reply", data={"body": WORDS, "form_token": "x"}, headers=headers)
    assert refused.status_code == 403
    assert tokens_in(refused.text) == []
    assert "Still nothing" not in refused.text


@pytest.mark.parametrize("path", ["/admin/login", "/admin/password"])
def test_a_password_is_never_shown(agent: Browser, path: str) -> None:
    values = {"email": "bea@example.com", "password": "secret words", "current": "secret words", "new": "secret words"}
    refused = agent.post(path, data={**values, "form_token": "old"}, headers=OURS)
    assert refused.status_code == 403
    assert "secret words" not in refused.text
    assert tokens_in(refused.text) == []


def test_agents_are_led_back_to_their_list(agent: Browser) -> None:
    page = agent.get("/admin/tickets/99")
    assert page.status_code == 404
    assert '<a href="/admin">All tickets</a>' in page.text
