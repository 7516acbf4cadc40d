from __future__ import annotations

import pytest

from ticket_processor.core.errors import CannotRun, ConfigError, HelpdeskDown
from ticket_processor.helpdesk.freshdesk_reads import read_labels, requesters
from ticket_processor.helpdesk.protocol import TicketField

from ..support.fakes import Wire, answer

FIELDS = [
    {"id": 1, "label": "Priority", "type": "default_priority", "default": True, "choices": {"Low": 1}},
    {"id": 2, "label": "Area", "type": "custom_dropdown", "default": False, "choices": ["shop", "Refund"]},
    {"id": 3, "label": "Vip", "type": "custom_checkbox", "default": False},
    {"id": 4, "label": "Where", "type": "nested_field", "choices": {"Spain": {"Madrid": []}}},
    {"id": 5, "name": "cf_old", "type": "custom_text", "archived": True},
    "no field",
]
GROUPS = [{"id": number, "name": f"Group {number}"} for number in range(1, 101)]


def test_fields_and_groups_are_read_over_all_pages() -> None:
    wire = Wire(answer(200, FIELDS), answer(200, GROUPS), answer(200, [{"id": 101, "name": "Finance"}]))
    found = read_labels(wire.transport)
    assert found.tags is None
    assert [field.id for field in found.fields] == [1, 2, 3, 4, 5]
    assert found.fields[1] == TicketField(2, "Area", "custom_dropdown", options={"shop": "shop", "Refund": "Refund"})
    assert [field.system for field in found.fields] == [True, False, False, False, False]
    assert [field.active for field in found.fields] == [True, True, True, True, False]
    assert found.fields[2].kind == "checkbox"
    assert list(found.fields[3].options) == ["Spain"]
    assert (len(found.groups), found.groups[101]) == (101, "Finance")


@pytest.mark.parametrize(("step", "error"), [(answer(403, {}), CannotRun), (answer(200, {"id": 1}), HelpdeskDown)])
def test_an_account_that_does_not_show_its_fields_is_told_in_a_sentence(step: object, error: type[Exception]) -> None:
    with pytest.raises(error, match="ticket fields"):
        read_labels(Wire(step).transport)  # type: ignore[arg-type]


def test_all_tickets_of_a_requester_are_listed_those_of_last_year_too() -> None:
    wire = Wire(answer(200, [{"id": number} for number in range(1, 101)]), answer(200, [{"id": 101}]))
    assert list(requesters(wire.transport).tickets(5)) == list(range(1, 102))
    assert "updated_since=1970" in wire.adapter.sent[0].path_url
    with pytest.raises(ConfigError, match="no such user"):
        list(requesters(Wire(answer(400, {"errors": []})).transport).tickets(5))
