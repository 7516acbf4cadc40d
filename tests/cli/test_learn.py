"""``ticketbot learn collect`` finds what people made of labels, and takes nobody else for a person."""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import replace
from typing import Any

from ticket_processor.core.clock import iso
from ticket_processor.core.taxonomy import default_taxonomy
from ticket_processor.learning.overrides import words_of
from ticket_processor.learning.store import FILE_NAME, LearningStore
from ticket_processor.policy.decide import Policy
from ticket_processor.sandbox.store import BOT_ID, PERSON_ID

from ..imitation.stores import A_MACRO
from .conftest import Command, Desk, OpenDesk, rows

SETTINGS = "[policy]\ntag_secondary = true\n"
WORDS = words_of(Policy(tag_secondary=True), default_taxonomy())
OTHER_BOT, SECOND_PERSON, SYSTEM = 771, 772, -1
Edit = dict[str, Any]
Fates = dict[tuple[int, str, str], tuple[str, str | None, str]]
"""By ticket, part and label: fate, their value, and who decided it."""


Editing = Callable[..., None]
"""Somebody's hand on one ticket: its number, who, and the parts."""


def labels(desk: Command) -> dict[int, dict[str, str]]:
    """What we wrote on each ticket, by part, as the receipts say."""
    found: dict[int, dict[str, str]] = {}
    for line in desk.events("ticket"):
        if line["outcome"] != "updated":
            continue
        change = line["change"]
        parts = {WORDS.tags[tag][0]: WORDS.tags[tag][1] for tag in change["tags_added"] if tag in WORDS.tags}
        if change["priority"]["to"] != change["priority"]["from"]:
            parts["priority"] = change["priority"]["to"]
        found[line["ticket_id"]] = parts
    return found


def played(written: dict[int, dict[str, str]], edit: Editing, dice: random.Random, stories: tuple[str, ...]) -> Fates:
    """Play a story on each ticket; what is to be found of each label."""
    expected: Fates = {}
    for number, ours in sorted(written.items()):
        story = dice.choice(stories)
        other = "refund" if ours["category"] != "refund" else "billing"
        swap = {"remove": [f"ai_{ours['category']}"], "add": [f"ai_{other}"]}
        back = {"remove": swap["add"], "add": swap["remove"]}
        base = ("untouched", None, "unknown") if story in ("rule closes", "macro") else ("kept", None, "person")
        fates = {(number, part, label): base for part, label in ours.items()}
        category, priority = (number, "category", ours["category"]), (number, "priority", ours["priority"])
        lower = "low" if ours["priority"] != "low" else "normal"
        if story == "swap":
            edit(number, "person", **swap)
            fates[category] = ("changed", other, "person")
        elif story == "swap and back":
            edit(number, "person", **swap)
            edit(number, "person", **back)
        elif story == "beside":
            edit(number, "person", add=swap["add"])
            fates[category] = ("changed", other, "person")
        elif story == "take off":
            edit(number, "person", remove=[f"ai_sentiment_{ours['sentiment']}"])
            fates[number, "sentiment", ours["sentiment"]] = ("removed", None, "person")
        elif story == "priority":
            edit(number, "person", priority=lower)
            fates[priority] = ("changed", lower, "person")
        elif story == "add" and "secondary" not in ours:
            edit(number, "person", add=[f"ai_also_{other}"])
            fates[number, "secondary", other] = ("added", other, "person")
        elif story == "app":
            edit(number, "app", **swap)
            fates[category] = ("changed", other, "person")
        elif story == "rule swaps":
            edit(number, "rule", **swap)
            fates[category] = ("reverted_by_rule", None, "rule")
        elif story == "rule and person":
            edit(number, "rule", priority=lower)
            edit(number, "person", **swap)
            fates[priority] = ("reverted_by_rule", None, "rule")
            fates[category] = ("changed", other, "person")
        elif story in ("bot", "script"):
            edit(number, story, **swap)
            fates[category] = ("reverted_by_rule", None, "bot")
        elif story == "macro":
            edit(number, "macro", **swap)
            fates[category] = ("reverted_by_rule", None, "rule")
        edit(number, {"rule closes": "rule", "macro": "macro"}.get(story, "person"), status="solved")
        expected |= fates
    return expected


def found(desk: Command) -> Fates:
    store = LearningStore.scratch_copy(desk.state / FILE_NAME)
    return {
        (item.ticket_id, item.field, item.label): (item.fate, item.theirs, item.actor_kind)
        for item in store.reactions()
    }


def check(desk: Command, expected: Fates) -> None:
    """All of it is found and nothing else, and each correction is a person's."""
    assert found(desk) == expected
    store = LearningStore.scratch_copy(desk.state / FILE_NAME)
    corrected = {(item.ticket_id, item.field, item.theirs) for item in store.corrections()}
    assert corrected == {
        (number, part, theirs)
        for (number, part, _), (fate, theirs, who) in expected.items()
        if fate in ("changed", "added") and who == "person"
    }
    assert all(item.text and item.author is not None and item.status == "pending" for item in store.corrections())


def zendesk_hands(desk: Desk) -> Editing:
    store = desk.sandbox.store
    store.users.add("Sync", "sync@example.com", role="agent", user_id=OTHER_BOT)

    def edit(number: int, who: str, **parts: Any) -> None:
        fields = {name: parts[name] for name in ("priority", "status") if name in parts}
        change = {"add_tags": parts.get("add", ()), "remove_tags": parts.get("remove", ()), **fields}
        if who in ("person", "macro"):
            store.person_edit(number, told={"event": A_MACRO} if who == "macro" else None, **change)
            return
        if "add" in parts or "remove" in parts:
            tags = set(desk.ticket(number)["tags"]) - set(parts.get("remove", ())) | set(parts.get("add", ()))
            fields["tags"] = sorted(tags)
        actor = "system" if who == "rule" else "api"
        author = {"rule": SYSTEM, "bot": OTHER_BOT, "script": BOT_ID, "app": PERSON_ID}[who]
        store.change(desk.tickets[number], fields, actor=actor, author_id=author)

    return edit


STORIES = (
    "look", "swap", "swap and back", "beside", "take off", "priority", "add", "rule swaps", "rule and person",
    "rule closes", "app", "bot", "script", "macro",
)  # fmt: skip


def test_on_zendesk_every_override_is_found_and_rules_macros_and_programs_are_no_people(open_desk: OpenDesk) -> None:
    count = 60
    desk = open_desk([{**row, "age": 7200.0 + place} for place, row in enumerate(rows(count))])
    desk.configure(SETTINGS)
    desk("run", "--since", "30d")
    written = labels(desk)
    assert len(written) == count
    desk.advance(60)
    expected = played(written, zendesk_hands(desk), random.Random(count), STORIES)
    desk.seen.clear()
    done = desk("learn", "collect", "--json").object
    assert (done["histories"], done["settled"], done["waiting"], done["ended_early"]) == (count, count, 0, None)
    assert sum("/audits" in line for line in desk.helpdesk_requests()) == count
    check(desk, expected)


def test_a_pass_goes_on_where_the_last_one_ended_and_reads_each_ticket_once(open_desk: OpenDesk) -> None:
    desk = open_desk(8)
    desk("run", "--since", "1d")
    for number in desk.tickets:
        if number != 8:
            desk.sandbox.store.person_edit(number, status="solved")
    desk.seen.clear()
    first = desk("learn", "collect", "--limit", "3", "--json").object
    assert (first["histories"], first["waiting"]) == (3, 5)
    second = desk("learn", "collect", "--json").object
    assert (second["histories"], second["waiting"], second["left_out"]) == (4, 1, {"not solved yet": 1})
    assert desk("learn", "collect", "--json").object["histories"] == 0
    assert sum("/audits" in line for line in desk.helpdesk_requests()) == 7


def test_the_words_that_are_kept_are_redacted_and_erased_with_the_ticket(open_desk: OpenDesk) -> None:
    body = "Hello, I was charged twice. Write to melody@example.com or call +49 30 901820."
    desk = open_desk([{"subject": "Invoice", "body": body, "age": 7200.0}])
    desk("run", "--since", "1d")
    edit = zendesk_hands(desk)
    edit(1, "person", remove=["ai_billing"], add=["ai_refund"], status="solved")
    desk("learn", "collect")
    (kept,) = LearningStore.scratch_copy(desk.state / FILE_NAME).corrections()
    assert "charged twice" in kept.text
    assert "melody" not in kept.text
    assert "901820" not in kept.text
    assert "1 ticket from what people changed" in desk("audit", "erase", "--ticket", "1", "--yes").out
    assert not any(b"charged twice" in path.read_bytes() for path in desk.state.glob("learning*"))
    desk("learn", "collect")
    assert found(desk) == {}


def test_what_was_collected_goes_with_the_log_and_never_by_this_machines_clock_alone(open_desk: OpenDesk) -> None:
    desk = open_desk(1)
    desk("run", "--since", "1d")
    desk.sandbox.store.person_edit(1, status="solved")
    desk("learn", "collect")
    store = LearningStore(desk.state / FILE_NAME)
    (now,) = {item.settled_at for item in store.reactions()}
    before = replace(next(store.reactions()), ticket_id=77, settled_at=now - 400 * 86_400)
    store.keep([before])
    old_day = desk.logs / f"ticketbot-{iso(before.settled_at)[:10]}.jsonl"
    old_day.touch()
    desk("learn", "collect")
    assert before in store.reactions()
    old_day.unlink()
    desk("learn", "collect")
    assert {item.ticket_id for item in store.reactions()} == {1}
