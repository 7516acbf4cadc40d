"""Freshdesk's figures of docs/figures.md that need the whole command, in small."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import Any

from tests.imitation import Sandbox
from ticket_processor.sandbox.clock import OffsetClock
from ticket_processor.sandbox.fill import fill
from ticket_processor.sandbox.server import SandboxServer
from ticket_processor.seeding.corpus import load_corpus, payload
from ticket_processor.seeding.variations import vary

from .conftest import QUICK_JOBS, Desk
from .freshdesk_desk import freshdesk

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


def test_the_same_tickets_get_the_same_decisions_on_both_helpdesks(tmp_path: Path) -> None:
    one, other = decisions(tmp_path, invented(40))
    assert differences(one, other) == []
    assert {"updated", "skipped"} <= {item["outcome"] for item in one}
    assert sum(len(item["notes"]) for item in other) > 30
