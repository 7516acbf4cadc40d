"""What a person sees of the sandbox in a browser."""

from __future__ import annotations

import pytest

from ticket_processor.sandbox.app import HelpdeskName
from ticket_processor.sandbox.freshdesk_store import URGENT

from .helpers import Desk


def page(desk: Desk, path: str) -> str:
    response = desk.ask("GET", path, auth=None)
    assert response.headers["Content-Type"].startswith("text/plain")
    assert response.headers["X-Content-Type-Options"] == "nosniff"
    return response.body.decode("utf-8")


@pytest.mark.parametrize("helpdesk", ["zendesk", "freshdesk"])
def test_a_page_shows_a_ticket_and_what_was_done_to_it(helpdesk: HelpdeskName) -> None:
    desk = Desk(0, helpdesk=helpdesk)
    ticket_id = desk.add(subject="<b>Late", body="My parcel is late.", tags=["old"])
    urgent = "urgent" if helpdesk == "zendesk" else URGENT
    desk.sandbox.agenda.person_edit(ticket_id, comment="Looked at.", priority=urgent)
    assert f"{ticket_id}  <b>Late  [old]" in page(desk, "/")
    shown = page(desk, f"/agent/tickets/{ticket_id}").lower()
    for part in ("late\n", "status ", "priority urgent", "my parcel is late.", "internal note created: looked at."):
        assert part in shown
    assert desk.ask("GET", "/nothing", auth=None).status == 404
