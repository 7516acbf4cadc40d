"""What is measured of Freshdesk through the real command: the same decisions as on Zendesk, and runs taken back."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from ticket_processor.sandbox.clock import OffsetClock
from ticket_processor.sandbox.fill import fill
from ticket_processor.sandbox.server import SandboxServer
from ticket_processor.seeding.corpus import load_corpus, payload
from ticket_processor.seeding.variations import vary

from ..imitation import Sandbox
from .conftest import QUICK_JOBS, Desk
from .freshdesk_desk import FreshDesk, freshdesk

Rows = Sequence[Mapping[str, Any]]
Decided = dict[str, Any]


def invented(count: int, seed: int = 7) -> Rows:
    """The packaged tickets, or some of them from all over, then variations; the oldest first.

    What a program has sent comes by mail: Freshdesk knows no tickets that came by the API.
    """
    packaged = load_corpus()
    some = packaged if count > len(packaged) else packaged[:: len(packaged) // count]
    rows = [payload(ticket) for ticket in vary(some, count, seed)]
    return [
        {
            **row,
            "channel": "email" if row["channel"] == "api" else row["channel"],
            "age": 3600.0 * 20 * (1 - place / count) + 600,
        }
        for place, row in enumerate(rows)
    ]


def decisions(folder: Path, rows: Rows) -> tuple[list[Decided], list[Decided]]:
    """What a run by rules decides about each ticket on Zendesk, and on Freshdesk."""
    zendesk, fresh = folder / "zendesk", folder / "freshdesk"
    with ExitStack() as stack:
        sandbox = Sandbox(OffsetClock(), plan="unlimited", rules=QUICK_JOBS)
        server = stack.enter_context(SandboxServer(sandbox))
        zendesk.mkdir()
        desk = Desk(zendesk, sandbox, server.url, model=False)
        stack.callback(desk.close)
        numbers = fill(sandbox, rows)
        desk("run", "--since", "2d")
        on_zendesk = _decided(desk, numbers, {n: list(desk.ticket(n)["tags"]) for n in numbers}, "plain_body")
    with ExitStack() as stack:
        fresh.mkdir()
        other = stack.enter_context(freshdesk(fresh))
        numbers = fill(other.sandbox, rows)
        other("run", "--since", "2d")
        on_freshdesk = _decided(other, numbers, {n: list(other.ticket(n)["tags"]) for n in numbers}, "body_text")
    return on_zendesk, on_freshdesk


def _decided(desk: Any, numbers: Sequence[int], tags: Mapping[int, list[str]], words: str) -> list[Decided]:
    """The decision on each ticket: outcome and analysis from the receipts, tags and note from the helpdesk."""
    receipts = {line["ticket_id"]: line for line in desk.events("ticket")}
    found = []
    for number in numbers:
        receipt = receipts.get(number, {})
        analysis = receipt.get("analysis") or {}
        change = receipt.get("change") or {}
        notes = [note[words] for note in desk.notes(number)]
        found.append(
            {
                "outcome": receipt.get("outcome"),
                "why": receipt.get("reason"),
                **{name: value for name, value in analysis.items() if name not in ("cached", "model")},
                "tags": sorted(tags[number]),
                "priority": (change.get("priority") or {}).get("to"),
                "notes": ["\n".join(note.strip().split("\n")[:-1]) for note in notes],  # the last line is a reference
            }
        )
    return found


def differences(one: Sequence[Decided], other: Sequence[Decided]) -> list[str]:
    """The parts in which two lists of decisions differ, as sentences."""
    return [
        f"ticket {place}: {name} is {here.get(name)!r} on Zendesk and {there.get(name)!r} on Freshdesk"
        for place, (here, there) in enumerate(zip(one, other, strict=True), 1)
        for name in here.keys() | there.keys()
        if here.get(name) != there.get(name)
    ]


@dataclass
class TakenBack:
    """What became of a run's notes and tags after people worked on some tickets, and the run was undone."""

    tickets: int = 0
    notes_written: int = 0
    notes_edited: int = 0
    edited_kept: int = 0
    notes_deleted: int = 0
    notes_left: int = 0
    """Notes of the run that nobody edited, and that are there all the same."""
    deletions: Counter[int] = field(default_factory=Counter)
    """The statuses with which the helpdesk answered them."""
    untouched: int = 0
    """Tickets on which nobody edited the note, set a tag or answered."""
    untouched_as_before: int = 0
    people_tags: int = 0
    people_tags_kept: int = 0
    ours_left: int = 0
    """Tags of the run that are there all the same."""
    again: int = 0
    """Writes of a second undo."""

    @property
    def good(self) -> bool:
        """Whether all that people did is there, and nothing else of the run."""
        return (
            self.notes_deleted == self.notes_written - self.notes_edited == self.deletions[204] > 0
            and self.edited_kept == self.notes_edited > 0
            and self.untouched_as_before == self.untouched > 0
            and self.people_tags_kept == self.people_tags > 0
            and not (self.notes_left or self.ours_left or self.again)
        )


def undo(folder: Path, tickets: int, seed: int = 0) -> TakenBack:
    """A run; on a third of its tickets people edit the note, or tags, or answer; the run is undone, twice."""
    found, dice = TakenBack(tickets=tickets), random.Random(seed)
    with freshdesk(folder) as desk:
        store = desk.sandbox.desk
        numbers = fill(desk.sandbox, invented(tickets, seed))
        for number in numbers[::4]:
            store.person_edit(number, add_tags=("vip",))
        desk.advance(600)
        before = _shown(desk, numbers)
        desk("run", "--since", "2d")
        ran = [number for number in numbers if desk.notes(number)]
        found.notes_written = sum(len(desk.notes(number)) for number in ran)
        notes = {number: desk.notes(number)[0]["id"] for number in ran}
        desk.advance(600)
        edited: set[int] = set()
        tagged: dict[int, str] = {}
        answered: set[int] = set()
        for number in dice.sample(ran, len(ran) // 3):
            way = dice.randrange(4)
            if way in (0, 3):
                store.person_edit(number, edit_note=(notes[number], "I say otherwise."))
                edited.add(number)
            if way in (1, 3):
                store.person_edit(number, add_tags=(f"theirs_{dice.randrange(9)}",))
                tagged[number] = desk.ticket(number)["tags"][-1]
            if way == 2:
                store.person_edit(number, reply="I am on it.")
                answered.add(number)
        desk.advance(600)
        desk.sandbox.after_request.append(
            lambda request, response: found.deletions.update([response.status] * (request.method == "DELETE"))
        )
        desk("undo", "latest")
        after = _shown(desk, numbers)
        there = {row["id"] for number in ran for row in store.tickets[number].notes}
        found.notes_edited = len(edited)
        found.edited_kept = sum(notes[number] in there for number in edited)
        found.notes_deleted = sum(notes[number] not in there for number in ran)
        found.notes_left = sum(notes[number] in there for number in ran if number not in edited)
        quiet = [number for number in ran if number not in edited.union(tagged, answered)]
        found.untouched = len(quiet)
        found.untouched_as_before = sum(after[number] == before[number] for number in quiet)
        theirs = [*tagged.items(), *((number, "vip") for number in ran if "vip" in before[number][0])]
        found.people_tags = len(theirs)
        found.people_tags_kept = sum(tag in after[number][0] for number, tag in theirs)
        found.ours_left = sum(tag.startswith("ai_") for number in ran for tag in after[number][0])
        desk.writes()
        desk("undo", "latest")
        found.again = len(desk.writes())
    return found


def _shown(desk: FreshDesk, numbers: Sequence[int]) -> dict[int, tuple[Any, ...]]:
    """Tags, priority, group and number of our notes of each ticket."""
    rows = {number: desk.ticket(number) for number in numbers}
    return {
        number: (sorted(row["tags"]), row["priority"], row["group_id"], len(desk.notes(number)))
        for number, row in rows.items()
    }
