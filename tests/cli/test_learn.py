"""``ticketbot learn collect`` finds what people made of labels, and takes nobody else for a person."""

from __future__ import annotations

from dataclasses import replace

from ticket_processor.core.clock import iso
from ticket_processor.learning.store import FILE_NAME, LearningStore
from ticket_processor.sandbox.store import BOT_ID, PERSON_ID

from ..imitation.stores import A_MACRO
from .conftest import Desk, OpenDesk

OTHER_BOT, SYSTEM = 771, -1
CHANGED = ("changed", "refund", "person")
BY_RULE, BY_PROGRAM = (("reverted_by_rule", None, who) for who in ("rule", "bot"))
FATES: dict[str, tuple[str, str | None, str]] = {
    "nobody": ("kept", None, "person"),
    "person": CHANGED,
    "app": CHANGED,
    "rule": BY_RULE,
    "macro": BY_RULE,
    "bot": BY_PROGRAM,
    "script": BY_PROGRAM,
}
"""By who changes billing to refund, before a person solves the ticket: what is found of billing."""


def read(desk: Desk) -> LearningStore:
    return LearningStore.scratch_copy(desk.state / FILE_NAME)


def test_what_people_changed_is_found_and_rules_macros_and_programs_are_no_people(open_desk: OpenDesk) -> None:
    charged = {"subject": "Charged twice", "body": "I was charged twice this month. Please check my invoice."}
    desk = open_desk([{**charged, "age": 7200.0 + place} for place in range(len(FATES))])
    desk("run", "--since", "30d")
    desk.advance(60)
    store = desk.sandbox.store
    store.users.add("Sync", "sync@example.com", role="agent", user_id=OTHER_BOT)
    authors = {"rule": SYSTEM, "bot": OTHER_BOT, "script": BOT_ID, "app": PERSON_ID}
    for number, who in enumerate(FATES, start=1):
        if who in authors:
            tags = {*desk.ticket(number)["tags"], "ai_refund"} - {"ai_billing"}
            actor = "system" if who == "rule" else "api"
            store.change(desk.tickets[number], {"tags": [*tags]}, actor=actor, author_id=authors[who])
        elif who != "nobody":
            told = {"event": A_MACRO} if who == "macro" else None
            store.person_edit(number, told=told, remove_tags=["ai_billing"], add_tags=["ai_refund"])
        store.person_edit(number, status="solved")
    desk.seen.clear()
    done = desk("learn", "collect", "--json").object
    assert (done["histories"], done["settled"], done["waiting"], done["ended_early"]) == (7, 7, 0, None)
    assert sum("/audits" in line for line in desk.helpdesk_requests()) == 7
    fates = dict(enumerate(FATES.values(), start=1))
    found = {item.ticket_id: item for item in read(desk).reactions() if item.field == "category"}
    assert {number: (one.fate, one.theirs, one.actor_kind) for number, one in found.items()} == fates
    corrections = read(desk).corrections()
    assert sorted((item.ticket_id, item.field, item.theirs) for item in corrections) == [
        (number, "category", "refund") for number, fate in fates.items() if fate == CHANGED
    ]
    assert all(item.text and item.author is not None and item.status == "pending" for item in corrections)


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
    desk.sandbox.store.person_edit(1, remove_tags=["ai_billing"], add_tags=["ai_refund"], status="solved")
    desk("learn", "collect")
    (kept,) = LearningStore.scratch_copy(desk.state / FILE_NAME).corrections()
    assert "charged twice" in kept.text
    assert "melody" not in kept.text
    assert "901820" not in kept.text
    assert "1 ticket from what people changed" in desk("audit", "erase", "--ticket", "1", "--yes").out
    assert not any(b"charged twice" in path.read_bytes() for path in desk.state.glob("learning*"))
    desk("learn", "collect")
    assert not [*read(desk).reactions()]


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
