"""The page for people, filling, the help center, the clock."""

from __future__ import annotations

import pytest

from ticket_processor.sandbox.app import HelpdeskName
from ticket_processor.sandbox.freshdesk_store import RESOLVED, URGENT

from .helpers import Desk

EVIL = "<script>alert('x')</script>\"&"


def page(desk: Desk, path: str) -> str:
    response = desk.ask("GET", path, auth=None)
    assert response.headers["Content-Type"] == "text/html; charset=utf-8"
    return response.body.decode("utf-8")


def test_everything_on_the_pages_is_escaped() -> None:
    desk = Desk(0)
    ticket_id = desk.add(subject=EVIL, body=EVIL, tags=["<b>"], requester={"name": EVIL, "email": "a@example.com"})
    desk.store.person_edit(ticket_id, comment=EVIL, add_tags=["ai_<i>"])
    for path in ("/", f"/tickets/{ticket_id}"):
        text = page(desk, path)
        assert "<script" not in text
        assert "<i>" not in text
        assert "&lt;script&gt;alert(&#39;x&#39;)&lt;/script&gt;&#34;&amp;" in text
        assert "http://" not in text.replace("http://sandbox.invalid", "")


@pytest.mark.parametrize("helpdesk", ["zendesk", "freshdesk"])
def test_a_page_shows_a_ticket_in_words_and_what_was_done_to_it(helpdesk: HelpdeskName) -> None:
    desk = Desk(0, helpdesk=helpdesk)
    ticket_id = desk.add(tags=["old"])
    urgent, solved = ("urgent", "solved") if helpdesk == "zendesk" else (URGENT, RESOLVED)
    desk.sandbox.agenda.person_edit(ticket_id, comment="Looked at.", priority=urgent, status=solved)
    shown = page(desk, f"/tickets/{ticket_id}").lower()
    for part in (
        "<dt>priority</dt><dd>urgent</dd>",
        "internal note",
        "looked at.",
        "alex agent (person)",
        "priority: ",
    ):
        assert part in shown
    desk.sandbox.agenda.customer_replies(ticket_id, "It is back.")
    assert "<dt>status</dt><dd>open</dd>" in page(desk, f"/tickets/{ticket_id}").lower()
