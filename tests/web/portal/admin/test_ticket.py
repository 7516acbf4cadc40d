from __future__ import annotations

import html
import re
from typing import Any

import pytest

from ticket_processor.helpdesk.local_model import AI, Actor, LocalTicket, NewFile, NewTicket

from ..conftest import Browser, PortalRig, tokens_in
from .conftest import AgentsDesk, send

SORTED = ("ai_billing", "ai_urgency_high", "ai_sentiment_negative", "ai_processed")


def form_on(browser: Browser, ticket: LocalTicket) -> dict[str, str]:
    """What the form for changes holds as it is opened, as a browser would send it."""
    page = browser.get(f"/admin/tickets/{ticket.id}").text
    form = page[page.index(f'action="/admin/tickets/{ticket.id}/change"') :]
    form = form[: form.index("</form>")]
    values = dict(re.findall(r'<input type="hidden" name="(\w+)" value="([^"]*)"', form))
    for name, options in re.findall(r'<select id="[^"]+" name="(\w+)">(.*?)</select>', form, re.DOTALL):
        chosen = re.search(r'<option value="([^"]*)" selected>', options)
        values[name] = chosen[1] if chosen else ""
    return values


def change(browser: Browser, ticket: LocalTicket, form: dict[str, str], **wanted: Any) -> Any:
    return browser.post(f"/admin/tickets/{ticket.id}/change", data={**form, **wanted}, follow_redirects=False)


def test_the_page_shows_conversation_notes_badges_and_history(desk: AgentsDesk, agent: Browser) -> None:
    ticket = desk.triaged(desk.ticket("No invoice", name="Ann Bo"), *SORTED, "ai_escalated")
    assert "Escalated." in agent.get(f"/admin/tickets/{ticket.id}").text
    desk.answered(ticket, desk.person("carl@example.com", "agent"), "Here **it** is.")
    page = agent.get(f"/admin/tickets/{ticket.id}").text
    for words in (
        "No invoice, please help.",
        "Triage: the internal note.",
        "Internal note: customers do not see it",
        "Written by AI",
        "<strong>it</strong>",
        "Ann Bo",
        "Category: billing",
        "Urgency: high",
        "<strong>ticketbot (AI)</strong>: tag ai_billing added",
        "<strong>Carl</strong>: answered",
        "<strong>Ann Bo</strong>: submitted the ticket",
    ):
        assert words in page, words


def test_one_click_takes_the_draft_of_a_note_over(desk: AgentsDesk, agent: Browser) -> None:
    ticket, store = desk.triaged(desk.ticket()), desk.rig.store
    draft = 'Hello,\n\nopen "Billing" & save <it> [1].'
    note = f"Triage: billing.\nDraft reply (read it before you send it):\n{draft}\nEnd of the draft.\nRef tb-1"
    ticket = store.reply(ticket.id, AI, note, public=False, now=desk.rig.at)
    path = f"/admin/tickets/{ticket.id}"
    (link,) = re.findall(r'<a href="([^"]+)">Take the draft over</a>', agent.get(path).text)
    page = agent.get(link).text
    (field,) = re.findall(r'<textarea id="body"[^>]*>\n(.*?)</textarea>', page, re.DOTALL)
    assert html.unescape(field) == draft
    assert 'value="customer" required checked' in page
    assert "</textarea>" in agent.get(f"{path}?draft=4711").text
    store.change(ticket.id, Actor("agent", 1), status="resolved", version=None, now=desk.rig.at)
    store.change(ticket.id, Actor("system"), status="closed", version=None, now=desk.rig.at)
    assert "Take the draft over" not in agent.get(path).text


def test_an_answer_reaches_the_customer_and_a_note_does_not(desk: AgentsDesk, agent: Browser) -> None:
    ticket = desk.ticket()
    path = f"/admin/tickets/{ticket.id}"
    values = {"version": ticket.version, "to": "customer", "body": "Here it is.", "status": "waiting"}
    assert send(agent, f"{path}/reply", values).status_code == 303
    ticket = desk.now(ticket.id)
    values = {"version": ticket.version, "to": "note", "body": "Canary: he is rude."}
    assert send(agent, f"{path}/reply", values).status_code == 303
    said = desk.rig.store.messages(ticket.id, public_only=False)
    assert [(one.body, one.public, one.author) for one in said] == [
        ("Here it is.", True, Actor("agent", 1)),
        ("Canary: he is rude.", False, Actor("agent", 1)),
    ]
    assert desk.now(ticket.id).status == "waiting"
    assert [one.body for one in desk.rig.store.messages(ticket.id, public_only=True)] == ["Here it is."]


def test_files_of_an_answer_reach_the_customer_and_those_of_a_note_do_not(desk: AgentsDesk, agent: Browser) -> None:
    made = desk.rig.store.create(NewTicket("No invoice", "Please help.", "ann@example.com"), desk.rig.at)
    customer = desk.rig.browser()
    customer.get(f"/t/{made.number}?k={made.secret}")
    for to, name in (("customer", "invoice.txt"), ("note", "canary.txt")):
        values = {"version": desk.now(made.id).version, "to": to, "body": "See the file."}
        answer = send_files(agent, made.id, values, [(name, b"content")])
        assert answer.status_code == 303
    page = customer.get(f"/t/{made.number}").text
    assert "invoice.txt" in page
    assert "canary.txt" not in page
    public, internal = desk.rig.store.files(made.id)
    assert customer.get(f"/t/{made.number}/files/{public.id}").content == b"content"
    assert customer.get(f"/t/{made.number}/files/{internal.id}").status_code == 404


def send_files(browser: Browser, ticket_id: int, values: dict[str, Any], files: list[tuple[str, bytes]]) -> Any:
    path = f"/admin/tickets/{ticket_id}"
    data = {"form_token": tokens_in(browser.get(path).text)[0], **values}
    return browser.post(f"{path}/reply", data=data, files=[("files", file) for file in files], follow_redirects=False)


def test_an_answer_to_a_ticket_that_changed_meanwhile_is_kept_and_not_sent(desk: AgentsDesk, agent: Browser) -> None:
    ticket = desk.ticket()
    desk.rig.store.reply(
        ticket.id, Actor("customer", ticket.requester), "It came just now!", public=True, now=desk.rig.at + 1
    )
    values = {"version": ticket.version, "to": "customer", "body": "We will <look> for it."}
    answer = send(agent, f"/admin/tickets/{ticket.id}/reply", values)
    assert answer.status_code == 409
    for words in (
        "changed this ticket since you opened it",
        "It came just now!",
        "We will &lt;look&gt; for it.</textarea>",
    ):
        assert words in answer.text
    assert len(desk.rig.store.messages(ticket.id, public_only=False)) == 1


@pytest.mark.parametrize(
    ("values", "status"),
    [
        ({"to": "customer", "body": "  "}, 422),
        ({"to": "customer", "body": "x" * 50_001}, 422),
        ({"to": "everybody", "body": "x"}, 400),
        ({"to": "customer", "body": "x", "status": "nonsense"}, 400),
        ({"to": "customer", "body": "x", "status": "closed"}, 409),
        ({"to": "customer", "body": "x", "version": "x"}, 400),
        ({"body": "x"}, 400),
    ],
)
def test_what_cannot_be_sent_changes_nothing(
    desk: AgentsDesk, agent: Browser, values: dict[str, Any], status: int
) -> None:
    ticket = desk.ticket()
    answer = send(agent, f"/admin/tickets/{ticket.id}/reply", {"version": ticket.version, **values})
    assert answer.status_code == status
    assert desk.now(ticket.id) == ticket


def test_every_ai_field_can_be_overridden_and_the_event_is_the_agents(desk: AgentsDesk, agent: Browser) -> None:
    ticket = desk.triaged(desk.ticket(), *SORTED)
    form = form_on(agent, ticket)
    assert (form["category"], form["urgency"], form["sentiment"]) == ("billing", "high", "negative")
    wanted = {"category": "refund", "urgency": "low", "sentiment": "", "priority": "normal", "add": "vip, Gold"}
    answer = change(agent, ticket, form, **wanted, remove="ai_processed", reason="He wants money back")
    assert answer.status_code == 303
    after = desk.now(ticket.id)
    assert (after.category, after.urgency, after.sentiment, after.priority) == ("refund", "low", None, "normal")
    assert set(after.tags) == {"ai_refund", "ai_urgency_low", "vip", "gold"}
    events = [event for event in desk.rig.store.events(ticket.id) if event.version == after.version]
    assert {event.actor for event in events} == {Actor("agent", 1)}
    assert {event.reason for event in events} == {"He wants money back"}
    assert {event.old for event in events if event.field == "tag"} >= {"ai_billing", "ai_urgency_high"}


@pytest.mark.parametrize(
    ("part", "value"),
    [
        ("status", ""),
        ("status", "x"),
        ("category", "x"),
        ("urgency", "ai_x"),
        ("assignee", "99"),
        ("assignee", "x"),
        ("group", "7"),
    ],
)
def test_values_that_are_no_choice_are_refused(desk: AgentsDesk, agent: Browser, part: str, value: str) -> None:
    ticket = desk.ticket()
    assert change(agent, ticket, form_on(agent, ticket), **{part: value}).status_code == 422
    assert desk.now(ticket.id) == ticket


def test_the_second_of_two_agents_is_told_and_can_save_again(desk: AgentsDesk, agent: Browser) -> None:
    ticket = desk.triaged(desk.ticket(), *SORTED)
    other = desk.signed_in(desk.person("carl@example.com", "agent"))
    mine, theirs = form_on(agent, ticket), form_on(other, ticket)
    assert change(other, ticket, theirs, category="refund", urgency="low").status_code == 303
    answer = change(agent, ticket, mine, category="technical", reason="It breaks")
    assert answer.status_code == 409
    assert "<strong>Carl</strong>: tag ai_refund added" in answer.text
    assert 'value="It breaks"' in answer.text
    assert desk.now(ticket.id).category == "refund"
    assert '<option value="technical" selected>' in answer.text
    values = dict(re.findall(r'<input type="hidden" name="(\w+)" value="([^"]*)"', answer.text))
    assert change(agent, ticket, values, category="technical").status_code == 303
    assert (desk.now(ticket.id).category, desk.now(ticket.id).urgency) == ("technical", "low")


def test_saving_an_unchanged_form_writes_nothing(desk: AgentsDesk, agent: Browser) -> None:
    ticket = desk.triaged(desk.ticket(), *SORTED)
    assert change(agent, ticket, form_on(agent, ticket)).status_code == 303
    assert desk.now(ticket.id) == ticket


def test_files_are_saved_and_never_shown(desk: AgentsDesk, agent: Browser, rig: PortalRig) -> None:
    svg = b"<svg xmlns='http://www.w3.org/2000/svg' onload='alert(1)'/>"
    ticket = desk.ticket(files=[NewFile("pic.svg", svg)])
    [file] = rig.store.files(ticket.id)
    assert f'href="/admin/files/{file.id}"' in agent.get(f"/admin/tickets/{ticket.id}").text
    answer = agent.get(f"/admin/files/{file.id}")
    assert answer.content == svg
    assert answer.headers["content-disposition"].startswith("attachment")
    assert answer.headers["content-type"] == "application/octet-stream"
    assert agent.get("/admin/files/99").status_code == 404


def test_an_answer_that_is_sent_twice_is_stored_once(desk: AgentsDesk, agent: Browser) -> None:
    ticket = desk.ticket()
    path = f"/admin/tickets/{ticket.id}/reply"
    values = {"version": ticket.version, "to": "customer", "body": "Here it is.", "status": "waiting"}
    values["form_token"] = agent.token(f"/admin/tickets/{ticket.id}")
    assert [send(agent, path, values).status_code for _ in range(2)] == [303, 303]
    assert len(desk.rig.store.messages(ticket.id, public_only=False)) == 1
    as_note = send(agent, path, {**values, "to": "note"})
    assert (as_note.status_code, "Here it is.</textarea>" in as_note.text) == (409, True)
    assert send(agent, path, {**values, "form_token": agent.token("/admin")}).status_code == 409


def test_a_change_that_is_sent_twice_is_made_once(desk: AgentsDesk, agent: Browser) -> None:
    ticket = desk.triaged(desk.ticket(), *SORTED)
    form = form_on(agent, ticket)
    wanted = {"category": "refund", "priority": "low", "add": "vip", "remove": "ai_processed"}
    assert [change(agent, ticket, form, **wanted).status_code for _ in range(2)] == [303, 303]
    assert desk.now(ticket.id).version == ticket.version + 1
    assert change(agent, ticket, form, **{**wanted, "add": "vip gold"}).status_code == 409
