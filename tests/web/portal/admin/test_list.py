from __future__ import annotations

import csv
import io
import re
from html import unescape

import pytest

from ticket_processor.helpdesk.local_model import Actor

from ..conftest import Browser
from .conftest import AgentsDesk


def shown(browser: Browser, address: str = "/admin") -> list[int]:
    """The tickets on a page of the list, in order."""
    page = browser.get(address)
    assert page.status_code == 200
    return [int(number) for number in re.findall(r'href="/admin/tickets/(\d+)"', page.text)]


def test_filters_leave_what_fits_and_counts_say_how_many(desk: AgentsDesk, agent: Browser) -> None:
    first = desk.triaged(
        desk.ticket("Card stolen"), "ai_security", "ai_urgency_critical", "ai_sentiment_negative", "ai_escalated"
    )
    second = desk.triaged(
        desk.ticket("Invoice for May", text="It has not come."), "ai_billing", "ai_urgency_low", "ai_sentiment_neutral"
    )
    third = desk.ticket("Opening hours", "carl@example.com")
    desk.rig.store.change(third.id, Actor("agent", 1), version=None, now=desk.rig.at + 1, status="waiting")
    for asked, found in (
        ("", [third.id, second.id, first.id]),
        ("category=billing", [second.id]),
        ("urgency=critical&urgency=low", [second.id, first.id]),
        ("sentiment=negative", [first.id]),
        ("escalated=yes", [first.id]),
        ("escalated=no&status=open", [second.id]),
        ("q=stolen", [first.id]),
        ("q=invoice+may", [second.id]),
        (f"q={third.number}", [third.id]),
        ("q=carl@example.com", [third.id]),
        ("sort=oldest", [first.id, second.id, third.id]),
        ("sort=urgency", [first.id, second.id, third.id]),
        ("q=nothing+like+it", []),
        ("status=nonsense&sort=nonsense&age=nonsense&q=%22%28%00", None),
    ):
        if found is not None:
            assert shown(agent, f"/admin?{asked}") == found, asked
            assert f"{len(found)} found" in agent.get(f"/admin?{asked}").text
        else:
            assert agent.get(f"/admin?{asked}").status_code == 200
    assert "Open 2 · Waiting for the customer 1" in agent.get("/admin").text


def test_pages_of_25_show_every_ticket_once_while_tickets_arrive(desk: AgentsDesk, agent: Browser) -> None:
    made = [desk.ticket(f"Ticket {number}").id for number in range(60)]
    seen, address = [], "/admin?sort=created"
    while address:
        page = agent.get(address).text
        seen += shown(agent, address)
        found = re.search(r'rel="next" href="([^"]+)"', page)
        address = unescape(found[1]) if found else ""
        desk.ticket(f"Late {len(seen)}")
    assert seen == made[::-1]
    assert agent.get("/admin?after=nonsense").status_code == 404


def test_a_filter_stays_on_the_next_page_and_in_the_csv(desk: AgentsDesk, agent: Browser) -> None:
    for number in range(30):
        desk.ticket(f"Printer {number}")
    desk.ticket("Something else")
    page = agent.get("/admin?q=printer").text
    following = unescape(re.search(r'rel="next" href="([^"]+)"', page)[1])  # type: ignore[index]
    assert len(shown(agent, following)) == 5
    assert '"/admin/tickets.csv?q=printer"' in page


def test_csv_has_every_ticket_and_no_formula(desk: AgentsDesk, agent: Browser) -> None:
    evil = ["=HYPERLINK(1)", "+1", "-1+1", "@SUM(A1)", "\t=1", "＝1+1", 'a,"b";\r\n=1']
    for number, subject in enumerate(evil):
        desk.triaged(desk.ticket(subject, text=f"{number}"), "ai_billing")
    answer = agent.get("/admin/tickets.csv?sort=oldest")
    assert answer.headers["content-disposition"] == 'attachment; filename="tickets.csv"'
    assert answer.content.startswith(b"\xef\xbb\xbf")
    rows = list(csv.DictReader(io.StringIO(answer.content.decode("utf-8-sig"), newline="")))
    assert [row["subject"].lstrip("'") for row in rows] == evil
    assert not [cell for row in rows for cell in row.values() if cell[:1] in "=+-@\t\r\n＝＋－＠" and cell]
    assert {row["category"] for row in rows} == {"billing"}
    assert rows[0]["tags"] == "ai_billing"


@pytest.mark.parametrize("text", ["<script>alert(1)</script>", '"><img src=x onerror=alert(1)>', "{{ 7007*7007 }}"])
def test_what_customers_write_is_text_on_every_page(desk: AgentsDesk, agent: Browser, text: str) -> None:
    ticket = desk.ticket(text, "ann@example.com", text=text, name=text)
    pages = [agent.get(f"/admin?q={text}"), agent.get("/admin"), agent.get(f"/admin/tickets/{ticket.id}")]
    for page in pages:
        assert "<script>alert" not in page.text
        assert "<img" not in page.text
        assert "49098049" not in re.sub(r"<input[^>]*>", "", page.text)
    assert "&lt;" in pages[2].text or "{{ 7007*7007 }}" in pages[2].text
