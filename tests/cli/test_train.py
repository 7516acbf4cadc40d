"""``ticketbot train`` as a command: from files and from the helpdesk to a classifier that the next run uses."""

from __future__ import annotations

import json
import random
from typing import Any

import pytest

from ticket_processor.core.errors import how_to_install
from ticket_processor.learning.store import FILE_NAME, Correction, LearningStore

from .conftest import Command, Desk, OpenDesk

WORDS = {
    "billing": "zinnia tulip begonia primrose lupin".split(),
    "technical": "spade trowel rake hoe dibber".split(),
    "order": "skillet saucepan colander whisk ladle".split(),
}
FILLER = "yesterday somebody moved those around our place while others looked on".split()
PRIORITIES = {"high": "gallop", "low": "amble"}


def tickets(count: int = 60) -> list[dict[str, Any]]:
    """Tickets whose labels follow from words that mean nothing to the keyword rules."""
    rng = random.Random(7)
    found = []
    for number in range(count):
        category, priority = rng.choice(list(WORDS)), rng.choice(list(PRIORITIES))
        words = [*rng.sample(WORDS[category], 3), *rng.sample(FILLER, 4), PRIORITIES[priority]]
        rng.shuffle(words)
        body = f"{' '.join(words)}. Write to person{number}@example.com, please."
        found.append({"id": f"row{number}", "body": body, "category": category, "priority": priority})
    return found


def labelled(command: Command, rows: list[dict[str, Any]], name: str = "tickets.jsonl") -> str:
    path = command.folder / name
    path.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    return str(path)


def test_without_the_extra_it_says_what_to_install(bare: Command) -> None:
    blocked = "import sys; sys.modules['sklearn'] = None; from ticket_processor.cli import main; main()"
    process = bare.python("-c", blocked, "train", labelled(bare, tickets(12)), "--folder", "learnt")
    assert f"needs sklearn: {how_to_install('ml')}" in bare.end(process, code=2).err


# With corrections


def corrected(desk: Desk, texts: list[str], theirs: str) -> LearningStore:
    """Approved corrections with these texts."""
    desk.state.mkdir(exist_ok=True)
    store = LearningStore(desk.state / FILE_NAME)
    ours = "general" if theirs != "general" else "billing"
    found = [
        Correction(0, 900 + n, "category", ours, theirs, n % 5, "person", 1.0, text=text)
        for n, text in enumerate(texts)
    ]
    store.keep([], found)
    store.decide([item.id for item in store.corrections()], "approved", "ana", 2.0)
    return store


@pytest.mark.slow
def test_corrections_that_would_make_it_worse_are_refused(open_desk: OpenDesk) -> None:
    desk: Desk = open_desk(1)
    file = labelled(desk, tickets(90))
    desk("train", file, "--own-desk", "--task", "category")
    folder = desk.state / "classifier"
    before = {path.name: path.read_bytes() for path in folder.iterdir()}
    others = [row["body"] for row in tickets(400)[90:] if row["category"] != "order"]
    store = corrected(desk, others, "order")
    asked = ("train", file, "--own-desk", "--from-corrections", "--task", "category")
    told = desk(*asked, code=1).out
    assert "not stored, since category would get worse by more than chance" in told
    assert {path.name: path.read_bytes() for path in folder.iterdir()} == before
    assert [item.what for item in store.changes()] == ["corrections"]
