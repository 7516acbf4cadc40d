"""Categories of a site's own: what they set on tickets through the real command, and what ``doctor`` says of them."""

from __future__ import annotations

from typing import Any

import pytest

from ticket_processor.sandbox.store import BOT_ID

from .conftest import Command, Desk, OpenDesk

AREA, ORDER, SUPPORT, FINANCE = 2_001, 2_002, 8_001, 8_002
"""The sandbox's own fields and groups; of a drop-down, the values are tags."""

CONFIG = f"""
fallback_category = "general"
[[categories]]
name = "billing"
description = "Invoices, charges, fees, payments and subscriptions."
examples = ["Why was I charged twice?"]
tag = "finance"
group = {FINANCE}
fields = {{ {AREA} = "area_web_shop", {ORDER} = "to be asked" }}
[[categories]]
name = "technical"
description = "Something does not work as it should: an error, a crash, an outage."
examples = ["The app crashes."]
[[categories]]
name = "general"
description = "Everything else: questions about what is offered, feedback, praise."
examples = ["What are your opening hours?"]
"""
CHARGED = {"subject": "Charged twice", "body": "I was charged twice this month. Please check my invoice."}
BROKEN = {"subject": "Error on login", "body": "The app shows an error and crashes."}


def fields(desk: Desk, number: int) -> dict[int, Any]:
    return {item["id"]: item["value"] for item in desk.ticket(number)["custom_fields"]}


@pytest.fixture
def billing(open_desk: OpenDesk) -> Desk:
    """Five tickets about a double charge, and one about something else; people have had their hands on some."""
    desk = open_desk([{**CHARGED, "age": 7000.0 - number} for number in range(5)] + [{**BROKEN, "age": 6000.0}])
    desk.configure(CONFIG)
    store = desk.sandbox.store
    store.person_edit(2, group_id=SUPPORT, custom_fields={AREA: "area_app"})
    store.person_edit(3, custom_fields={ORDER: "A-7"})
    store.person_edit(4, add_tags=("finance",), custom_fields={AREA: "area_app"})
    store.person_edit(4, remove_tags=("finance", "area_app"))
    desk.advance(120)
    return desk


def test_a_category_sets_its_tag_group_and_fields_where_nobody_has_and_in_one_write(billing: Desk) -> None:
    billing("run", "--since", "1d")
    billing.assert_done()
    whole = {AREA: "area_web_shop", ORDER: "to be asked"}
    assert {number: billing.ticket(number)["group_id"] for number in billing.tickets} == {
        **{1: FINANCE, 2: SUPPORT, 3: FINANCE, 4: FINANCE, 5: FINANCE, 6: None}
    }
    assert {number: fields(billing, number) for number in (1, 2, 3, 5)} == {
        1: whole,
        2: {AREA: "area_app", ORDER: "to be asked"},
        3: {AREA: "area_web_shop", ORDER: "A-7"},
        5: whole,
    }
    assert {"finance", "area_web_shop"} <= set(billing.ticket(1)["tags"])
    # What people took off stays off.
    assert fields(billing, 4) == {AREA: None, ORDER: "to be asked"}
    assert not {"finance", "area_app", "area_web_shop"} & set(billing.ticket(4)["tags"])
    assert fields(billing, 6) == {AREA: None, ORDER: None}
    for ticket in billing.tickets.values():
        assert len([audit for audit in ticket.audits if audit.author_id == BOT_ID]) == 1


@pytest.mark.slow
def test_without_the_helpdesk_the_rest_is_told_all_the_same(bare: Command) -> None:
    bare.configure(CONFIG.replace("Why was I charged twice?", "The app crashes."))
    nowhere = {"ZENDESK_URL": "http://127.0.0.1:9", "ZENDESK_OAUTH_TOKEN": "x"}
    ended = bare("doctor", code=3, **nowhere)
    assert "shares 1 example with technical" in ended.out
    assert "problem  account: not looked at: " in ended.out
    assert bare("doctor", "--offline", "--json", code=1).object["offline"]
    assert "shares 1 example with technical" in bare("doctor", code=2).out
