"""What a person sees of the sandbox in a browser."""

from __future__ import annotations

from typing import Any

import pytest

from ticket_processor.sandbox.app import HelpdeskName
from ticket_processor.sandbox.freshdesk_store import URGENT

from .helpers import Desk


def page(desk: Desk, path: str) -> Any:
    response = desk.ask("GET", path, auth=None)
    assert response.headers["Content-Type"].startswith("application/json")
    assert response.headers["X-Content-Type-Options"] == "nosniff"
    return response.json()


@pytest.mark.parametrize("helpdesk", ["zendesk", "freshdesk"])
def test_a_page_shows_a_ticket_and_what_was_done_to_it(helpdesk: HelpdeskName) -> None:
    desk = Desk(0, helpdesk=helpdesk)
    ticket_id = desk.add(subject="<b>Late", body="My parcel is late.", tags=["old"])
    urgent = "urgent" if helpdesk == "zendesk" else URGENT
    desk.sandbox.store.person_edit(ticket_id, comment="Looked at.", priority=urgent)
    assert page(desk, "/") == {"tickets": [{"id": ticket_id, "subject": "<b>Late", "tags": ["old"]}]}
    shown = page(desk, f"/agent/tickets/{ticket_id}")
    assert (shown["ticket"]["subject"], shown["ticket"]["priority"]) == ("<b>Late", urgent)
    assert "My parcel is late." in str(shown["ticket"])
    edit = shown["changes"][-1]
    assert (edit["actor"], edit["values"]["priority"][1]) == ("person", urgent)
    assert "Looked at." in edit["comment"]["body"]
    assert desk.ask("GET", "/nothing", auth=None).status == 404
