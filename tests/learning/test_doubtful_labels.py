"""People's labels that look wrong: listed by what similar tickets say, and only where these know enough."""

from __future__ import annotations

import json
import random
from pathlib import Path

import pytest
from typer.testing import CliRunner

from ticket_processor.cli import app
from ticket_processor.learning.doubtful_labels import doubtful_labels, neighbours_of

WORDS = {
    "billing": "zinnia tulip begonia primrose lupin dahlia crocus".split(),
    "technical": "spade trowel rake hoe dibber mattock shears".split(),
    "order": "skillet saucepan colander whisk ladle cleaver grater".split(),
}
FILLER = [f"{one}{two}" for one in ("wander", "ponder", "gather", "linger") for two in ("ing", "ed", "s", "er", "ful")]


def tickets(count: int = 240) -> list[dict[str, str]]:
    dice = random.Random(4)
    found = []
    for number in range(count):
        category = dice.choice(list(WORDS))
        words = [*dice.sample(WORDS[category], 4), *dice.sample(FILLER, 5)]
        dice.shuffle(words)
        found.append({"id": f"{number}", "body": " ".join(words), "category": category})
    return found


def listed(rows: list[dict[str, str]]) -> list[str]:
    near = neighbours_of([row["body"] for row in rows])
    return [one.ticket for one in doubtful_labels([(row["id"], row["category"]) for row in rows], near).doubtful]


def test_planted_labels_lead_the_list_and_right_ones_are_not_on_it() -> None:
    rows = tickets()
    assert listed(rows) == []
    planted = {row["id"] for row in rows[::12]}
    for row in rows[::12]:
        row["category"] = next(name for name in WORDS if name != row["category"])
    assert set(listed(rows)) == planted


@pytest.mark.parametrize("count", [99, 240])
def test_nobody_is_doubted_where_tickets_are_few_or_labels_do_not_follow_from_words(count: int) -> None:
    rows = tickets(count)
    if count > 99:
        dice = random.Random(6)
        for row in rows:
            row["category"] = dice.choice(list(WORDS))
    found = doubtful_labels(
        [(row["id"], row["category"]) for row in rows], neighbours_of([row["body"] for row in rows])
    )
    assert (found.usable, found.doubtful) == (False, ())


def test_the_command_tells_tickets_and_labels_and_no_words(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    rows = tickets()
    rows[7]["category"] = next(name for name in WORDS if name != rows[7]["category"])
    file = tmp_path / "solved.jsonl"
    file.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    ended = CliRunner().invoke(app, ["learn", "doubts", str(file)])
    assert "The most doubtful 1 of 1" in ended.output
    assert not any(word in ended.output for words in (*WORDS.values(), FILLER) for word in words)
    [doubt] = json.loads(CliRunner().invoke(app, ["learn", "doubts", str(file), "--json"]).stdout)["doubts"]
    assert (doubt["ticket"], doubt["label"]) == ("7", rows[7]["category"])
    assert doubt["share"] < 0.5 < doubt["their_share"]
    file.write_text("".join(json.dumps(row) + "\n" for row in rows[:50]), encoding="utf-8")
    assert "too little to doubt anybody" in CliRunner().invoke(app, ["learn", "doubts", str(file)]).output
    assert [path.name for path in tmp_path.iterdir()] == [file.name]
