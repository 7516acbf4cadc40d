"""People at work on tickets that a run has triaged, and what an undo may and may not have done to them.

What is right is judged by the sandbox's own record and by copies of its tickets; nothing of the client is asked.
"""

from __future__ import annotations

import random
from collections.abc import Mapping
from typing import Any

from ticket_processor.sandbox.clock import OffsetClock
from ticket_processor.sandbox.fill import fill
from ticket_processor.sandbox.store import PERSON_ID, Store

from ..imitation import Rules, Sandbox

AREA, ORDER, TOPICS = 2001, 2002, 2003
SUPPORT, FINANCE = 8001, 8002
OPTIONS = {AREA: ("area_web_shop", "area_app"), TOPICS: ("topic_money", "topic_law")}

CONFIG = f"""
[run]
statuses = ["new", "open"]
[policy]
priority = {{ overwrite = "always" }}
group = {{ overwrite = "always" }}
fields = {{ overwrite = "always" }}
[[categories]]
name = "billing"
description = "Charges and invoices."
keywords = {{ en = ["charged ~ twice"] }}
tag = "finance"
group = {FINANCE}
fields = {{ {AREA} = "area_web_shop", {ORDER} = "to be asked", {TOPICS} = "topic_money" }}
[[categories]]
name = "general"
description = "Everything else."
"""
"""Everything may be overwritten, so that there are values of people's to be given back."""

Shown = dict[str, Any]


def account(count: int, seed: int = 0, **options: Any) -> Sandbox:
    """So many tickets, two hours old and younger; people have set some values on every third one.

    ``options`` are the sandbox's.
    """
    kinds = (
        ("Charged twice", "Hello, I was charged twice for my subscription this month. Please check my invoice."),
        ("Error on login", "The app shows an error and crashes whenever I try to log in. This is urgent, please help!"),
        ("Where is my order?", "My parcel has not arrived, the tracking page says nothing. Thank you."),
    )
    sandbox = Sandbox(OffsetClock(), plan="unlimited", rules=Rules(job_seconds=(0.05, 0.0)), **options)
    sandbox.store.ticket_fields.append(
        {
            **next(item for item in sandbox.store.ticket_fields if item["id"] == AREA),
            "id": TOPICS,
            "type": "multiselect",
            "title": "Topics",
            "raw_title": "Topics",
            "custom_field_options": [{"id": n, "name": name, "value": name} for n, name in enumerate(OPTIONS[TOPICS])],
        }
    )
    rows = [
        {"subject": f"{kinds[n % 3][0]} ({n})", "body": kinds[n % 3][1], "age": 7200.0 - 3600.0 * n / count}
        for n in range(count)
    ]
    fill(sandbox, rows)
    dice = random.Random(seed)
    for number in list(sandbox.store.tickets)[::3]:
        sandbox.store.person_edit(number, add_tags=("vip",), priority=dice.choice(("low", "urgent")), group_id=SUPPORT)
        values = {AREA: dice.choice(OPTIONS[AREA]), ORDER: f"A-{number}", TOPICS: list(OPTIONS[TOPICS])}
        _set(sandbox.store, number, custom_fields=values)
    clock = sandbox.clock
    assert isinstance(clock, OffsetClock)
    clock.advance(600)
    return sandbox


def shown(store: Store) -> dict[int, Shown]:
    """Every ticket's parts: each tag there is, priority, group, and each field that holds something."""
    return {number: _parts(ticket.json) for number, ticket in store.tickets.items()}


def _parts(json: Mapping[str, Any]) -> Shown:
    parts: Shown = {f"tag {name}": True for name in json["tags"]}
    fields = {item["id"]: item["value"] for item in json["custom_fields"] if item["value"]}
    parts |= {f"field {key}": sorted(value) if isinstance(value, list) else value for key, value in fields.items()}
    return parts | {name: json[name] for name in ("priority", "group_id") if json[name] is not None}


def _set(store: Store, number: int, **values: Any) -> None:
    store.change(store.tickets[number], values, actor="person", author_id=PERSON_ID)
