"""Settings, tickets and receipts, as the tests of needs write and read them."""

from __future__ import annotations

import json
import random
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from ..cli.conftest import Command, Desk

WORDS = {
    "billing": "zinnia tulip begonia primrose lupin".split(),
    "technical": "spade trowel rake hoe dibber".split(),
    "order": "skillet saucepan colander whisk ladle".split(),
}
"""Words that mean nothing to the keyword rules, by the category of the labelled tickets that hold them."""


def labelled(count: int) -> list[dict[str, Any]]:
    """Tickets whose category only a classifier can learn."""
    dice = random.Random(7)
    names = [[*WORDS][number % len(WORDS)] for number in range(count)]
    return [
        {"id": f"row{number}", "body": f"{' '.join(dice.sample(WORDS[name], 3))} number{number}", "category": name}
        for number, name in enumerate(names)
    ]


def lines(command: Command, name: str, rows: Iterable[Mapping[str, Any]]) -> str:
    """Write a file of JSON lines into the command's folder; its name."""
    (command.folder / name).write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    return name


def articles(command: Command, **texts: str) -> None:
    """Write articles into the folder ``help``; customers may read them."""
    folder = command.folder / "help"
    folder.mkdir(exist_ok=True)
    for name, text in texts.items():
        head = f"---\nurl: https://help.example.com/{name}\naudience: everyone\n---\n"
        (folder / f"{name}.md").write_text(head + text, encoding="utf-8")


def of_two_hours_ago(texts: Sequence[str], **more: Any) -> list[dict[str, Any]]:
    """Tickets with these words, for the sandbox."""
    return [{"subject": text, "body": f"somebody moved the {text}", "age": 7200.0, **more} for text in texts]


def answers(command: Command, what: str = "category") -> dict[int, Any]:
    """What the last receipt of each ticket says, by number."""
    told = {line["ticket_id"]: line["analysis"][what] for line in command.events("ticket") if line["analysis"]}
    return dict(sorted(told.items()))


def solve(desk: Desk, *numbers: int, **change: Any) -> None:
    """An agent solves these tickets, and changes them on the way."""
    for number in numbers:
        desk.sandbox.store.person_edit(number, status="solved", **change)
    desk.advance(120)


def public(desk: Desk, number: int = 1) -> list[str]:
    """What ticketbot said to the ticket's customer."""
    return [str(note["html_body"]) for note in desk.notes(number) if note["public"]]


def note_of(desk: Desk, number: int = 1) -> str:
    """ticketbot's only internal note on the ticket."""
    (note,) = [each for each in desk.notes(number) if not each["public"]]
    return str(note["html_body"])
