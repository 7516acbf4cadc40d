"""People at work on tickets that a run has triaged, and what an undo may and may not have done to them.

What is right is judged by the sandbox's own record and by copies of its tickets; nothing of the client is asked.
"""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from ticket_processor.sandbox.clock import OffsetClock
from ticket_processor.sandbox.fill import fill
from ticket_processor.sandbox.store import BOT_ID, PERSON_ID, Store

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


def people_work(store: Store, share: float, seed: int = 0) -> Counter[str]:
    """People take up this share of the tickets, in one to three ways each; which ways, and how often."""
    dice = random.Random(seed)
    done: Counter[str] = Counter()
    for number in dice.sample(sorted(store.tickets), round(share * len(store.tickets))):
        edits = len(store.tickets[number].audits)
        for way in dice.sample(sorted(_WAYS), dice.randint(1, 3)):
            if store.living(number) is not None and store.tickets[number].json["status"] != "closed":
                _WAYS[way](store, number, dice)
                done[way] += 1
        if len(store.tickets[number].audits) == edits:  # what they set was there already
            store.person_edit(number, comment="All is well.")
            done["comment"] += 1
    return done


def _set(store: Store, number: int, **values: Any) -> None:
    store.change(store.tickets[number], values, actor="person", author_id=PERSON_ID)


def _one_of_our_tags(store: Store, number: int, dice: random.Random) -> list[str]:
    ours = [name for name in store.tickets[number].tags if name.startswith("ai_") or name == "finance"]
    return [dice.choice(ours)] if ours else []


def _away_and_back(store: Store, number: int, dice: random.Random) -> None:
    names = _one_of_our_tags(store, number, dice)
    store.person_edit(number, remove_tags=names)
    store.person_edit(number, add_tags=names)


_WAYS: dict[str, Any] = {
    "tag added": lambda store, number, dice: store.person_edit(number, add_tags=(f"theirs_{dice.randrange(9)}",)),
    "tag of ours removed": lambda store, number, dice: store.person_edit(
        number, remove_tags=_one_of_our_tags(store, number, dice)
    ),
    "tag of ours removed and put back": _away_and_back,
    "priority set": lambda store, number, dice: store.person_edit(
        number, priority=dice.choice(("low", "normal", "high", "urgent"))
    ),
    "priority taken off": lambda store, number, _: _set(store, number, priority=None),
    "group set": lambda store, number, dice: store.person_edit(number, group_id=dice.choice((SUPPORT, FINANCE))),
    "group taken off": lambda store, number, _: _set(store, number, group_id=None),
    "drop-down set": lambda store, number, dice: store.person_edit(
        number, custom_fields={AREA: dice.choice(OPTIONS[AREA])}
    ),
    "multi-select set": lambda store, number, dice: _set(
        store, number, custom_fields={TOPICS: sorted(dice.sample(OPTIONS[TOPICS], dice.randint(1, 2)))}
    ),
    "choice's tag removed": lambda store, number, _: store.person_edit(number, remove_tags=("area_web_shop",)),
    "text field set": lambda store, number, dice: store.person_edit(
        number, custom_fields={ORDER: f"B-{dice.randrange(99)}"}
    ),
    "field emptied": lambda store, number, _: _set(store, number, custom_fields={ORDER: None}),
    "comment": lambda store, number, _: store.person_edit(number, comment="I am on it.", public=True),
    "assigned": lambda store, number, _: store.person_edit(number, assignee_id=PERSON_ID),
    "solved": lambda store, number, _: store.person_edit(number, status="solved"),
    "closed": lambda store, number, _: store.person_edit(number, status="closed"),
    "deleted": lambda store, number, _: store.delete(number),
}


@dataclass
class Verdict:
    """What an undo has done to the tickets; the lists name tickets and are empty when all is right."""

    untouched: int = 0
    untouched_as_before: int = 0
    touched: int = 0
    human_values: int = 0
    human_values_changed: list[str] = field(default_factory=list)
    ours_untouched: int = 0
    ours_taken_back: int = 0
    not_taken_back: list[str] = field(default_factory=list)
    others_changed: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)


def judge(
    store: Store, before: Mapping[int, Shown], triaged: Mapping[int, Shown], left: Mapping[int, Shown]
) -> Verdict:
    """Compare tickets as they were before the run, after it, and when people left them, with what they are now."""
    verdict = Verdict()
    for number, ticket in store.tickets.items():
        now = _parts(ticket.json)
        place = next(i for i, audit in enumerate(ticket.audits) if audit.author_id == BOT_ID and audit.custom)
        later = [audit for audit in ticket.audits[place + 1 :] if audit.author_id != BOT_ID]
        theirs = {part for audit in later for part in _touched(audit.values)}
        notes = [comment for comment in store.bot_comments(number) if comment["plain_body"].startswith("Undo of run")]
        out_of_reach = ticket.deleted or ticket.json["status"] == "closed"
        if len(notes) != (not out_of_reach) and _goes(before, triaged, left, number, theirs, ticket.json):
            verdict.notes.append(f"{number}: {len(notes)} notes")
        if any(comment["public"] for comment in store.bot_comments(number)):
            verdict.notes.append(f"{number}: public")
        verdict.human_values += len(theirs)
        for part in theirs:
            if now.get(part) != left[number].get(part):
                verdict.human_values_changed.append(f"{number}: {part}")
        goes = _goes(before, triaged, left, number, theirs, ticket.json)
        verdict.ours_untouched += 0 if out_of_reach else len(goes)
        for part in goes:
            if now.get(part) == before[number].get(part):
                verdict.ours_taken_back += not out_of_reach
            elif not out_of_reach:
                verdict.not_taken_back.append(f"{number}: {part}")
        for part in (left[number].keys() | now.keys()) - goes - theirs:
            if now.get(part) != left[number].get(part):
                verdict.others_changed.append(f"{number}: {part}")
        if later:
            verdict.touched += 1
        else:
            verdict.untouched += 1
            verdict.untouched_as_before += now == before[number]
    return verdict


def _goes(
    before: Mapping[int, Shown],
    triaged: Mapping[int, Shown],
    left: Mapping[int, Shown],
    number: int,
    theirs: set[str],
    json: Mapping[str, Any],
) -> set[str]:
    """The parts that the run changed and nobody has touched since."""
    names = before[number].keys() | triaged[number].keys()
    changed = {part for part in names if before[number].get(part) != triaged[number].get(part)}
    assigned = {"group_id"} if json["assignee_id"] is not None else set()
    return {part for part in changed - theirs - assigned if left[number].get(part) == triaged[number].get(part)}


def _touched(values: Any) -> set[str]:
    """The parts that a record names; a choice and its tags are one matter."""
    parts: set[str] = set()
    for name, (was, now) in values.items():
        if name == "tags":
            parts |= {f"tag {tag}" for tag in set(was or ()) ^ set(now or ())}
        elif name in ("priority", "group_id"):
            parts.add(name)
        elif str(name).isdecimal():
            parts.add(f"field {name}")
    for number, options in OPTIONS.items():
        linked = {f"field {number}", *(f"tag {option}" for option in options)}
        parts |= linked if parts & linked else set()
    return parts
