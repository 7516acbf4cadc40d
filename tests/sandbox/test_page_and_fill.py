"""The page for people, filling, the help center, the clock."""

from __future__ import annotations

from urllib.parse import urlencode

import pytest

from ticket_processor.sandbox.app import HelpdeskName
from ticket_processor.sandbox.messages import Request, Response

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


def sent(desk: Desk, path: str, form: dict[str, str], **headers: str) -> Response:
    return desk.sandbox.handle(
        Request("POST", path, {}, {"Host": "127.0.0.1:8808", **headers}, urlencode(form).encode())
    )


@pytest.mark.parametrize("helpdesk", ["zendesk", "freshdesk"])
def test_a_person_works_on_a_ticket_by_its_page(helpdesk: HelpdeskName) -> None:
    desk = Desk(0, helpdesk=helpdesk)
    ticket_id = desk.add(tags=["old", "kept"])
    ticket = desk.sandbox.agenda.tickets[ticket_id]
    urgent, solved = ("urgent", "solved") if helpdesk == "zendesk" else ("Urgent", "Resolved")
    path = f"/tickets/{ticket_id}"
    answer = sent(
        desk, path, {"tags": "kept new", "priority": urgent, "status": solved}, Origin="http://127.0.0.1:8808"
    )
    assert (answer.status, answer.headers["Location"]) == (303, path)
    assert sorted(ticket.tags) == ["kept", "new"]
    shown = page(desk, path)
    assert f"<dt>Priority</dt><dd>{urgent}</dd>" in shown
    assert f"<dt>Status</dt><dd>{solved}</dd>" in shown
    for writer in ("note", "agent", "customer"):
        sent(desk, path, {"words": f"by {writer}", "as": writer})
    shown = page(desk, path)
    assert [shown.count(f"<pre>by {writer}</pre>") for writer in ("note", "agent", "customer")] == [1, 1, 1]
    assert "<dd>solved" not in shown.lower()  # the customer has opened it again
    assert shown.count('<article class="internal">') == 1


def test_another_sites_page_changes_no_ticket() -> None:
    desk = Desk(1)
    assert sent(desk, "/tickets/1", {"tags": "theirs"}, Origin="https://elsewhere.example").status == 403
    assert "theirs" not in desk.store.tickets[1].tags
