"""Categories that people mix up: named where it is more than chance, with the words that tell their tickets apart."""

from __future__ import annotations

import json
import random
import tomllib
from collections import Counter
from dataclasses import replace
from pathlib import Path

import pytest
from typer.testing import CliRunner

from ticket_processor.cli import app
from ticket_processor.core.taxonomy import Taxonomy, default_taxonomy
from ticket_processor.learning.confusions import confusions, proposed_descriptions
from ticket_processor.learning.distinguishing_words import distinguishing_words
from ticket_processor.learning.model import Correction, Reaction
from ticket_processor.learning.store import FILE_NAME, LearningStore

CATEGORIES = default_taxonomy()
WORDS = {"billing": "zinnia tulip begonia lupin".split(), "refund": "spade trowel dibber rake".split()}


def reaction(number: int, ours: str, theirs: str | None = None, author: int | None = None) -> Reaction:
    fate, by = ("kept" if theirs is None else "changed"), (number % 7 if author is None else author)
    return Reaction(number, "category", ours, ours, theirs, fate, "person", by, 1.0, 2.0)  # type: ignore[arg-type]


def correction(number: int, theirs: str, words: list[str]) -> Correction:
    ours = "refund" if theirs == "billing" else "billing"
    text = f"Hello [NAME_1], somebody moved the {' and the '.join(words)}"
    return Correction(0, number, "category", ours, theirs, number % 7, "person", 1.0, text=text)


def history() -> list[Reaction]:
    """Errors at random, and one pair beyond that."""
    dice, names = random.Random(3), CATEGORIES.top
    found = [reaction(number, dice.choice(names)) for number in range(1_000)]
    found = [
        replace(item, fate="changed", theirs=dice.choice([name for name in names if name != item.ours]))
        if dice.random() < 0.15
        else item
        for item in found
    ]
    return [*found, *(reaction(2_000 + number, "billing", "refund") for number in range(20))]


def test_only_the_pair_beyond_chance_is_named_with_its_interval_and_people() -> None:
    [pair] = confusions(history(), CATEGORIES)
    assert (pair.ours, pair.theirs) == ("billing", "refund")
    assert pair.lower < pair.tickets / pair.reviewed < pair.upper
    assert pair.expected < pair.lower
    assert (len(pair.people), pair.by_one) == (7, False)


def test_a_renamed_category_counts_under_its_name_of_today() -> None:
    renamed = Taxonomy(
        categories=tuple(
            item.model_copy(update={"name": "money_back", "formerly": ("refund",)}) if item.name == "refund" else item
            for item in CATEGORIES.categories
        )
    )
    [pair] = confusions(history(), renamed)
    assert (pair.ours, pair.theirs) == ("billing", "money_back")


def test_random_errors_name_a_pair_in_few_histories() -> None:
    named = 0
    for seed in range(100):
        dice = random.Random(seed)
        drawn = [reaction(number, dice.choice(CATEGORIES.top)) for number in range(300)]
        wrong = [replace(one, fate="changed", theirs=dice.choice(CATEGORIES.top)) for one in drawn[::6]]
        named += bool(confusions([*drawn, *(one for one in wrong if one.theirs != one.ours)], CATEGORIES))
    assert named <= 5


def test_what_was_rejected_and_what_no_person_did_is_no_confusion() -> None:
    found = history()
    extra = [item for item in found if item.ticket_id >= 2_000]
    rejected = [correction(item.ticket_id, "refund", []) for item in extra]
    assert confusions(found, CATEGORIES, rejected) == []
    assert confusions([replace(item, actor_kind="unknown") for item in found], CATEGORIES) == []


def test_one_account_is_named_and_changes_no_description() -> None:
    found = [replace(item, author=66) if item.ticket_id >= 2_000 else item for item in history()]
    [pair] = confusions(found, CATEGORIES)
    assert pair.by_one
    texts = {name: [" ".join(words)] * 9 for name, words in WORDS.items()}
    assert proposed_descriptions([pair], CATEGORIES, texts) == {}


def test_the_words_of_one_side_alone_tell_and_personal_ones_do_not() -> None:
    shared = "please look after our order"
    ours = [f"{shared} tulip [EMAIL_1] 4711", f"{shared} tulip melody", f"{shared} tulip", f"{shared} tulip"] * 3
    theirs = [f"{shared} trowel"] * 12
    assert distinguishing_words(ours[:9], theirs, 6) == ["tulip"]
    assert distinguishing_words(ours, [], 6) == []


def test_tickets_that_all_say_the_same_word_are_told_apart_by_none() -> None:
    assert distinguishing_words(["Invoice"] * 5, ["Invoice"] * 9, 6) == []


def test_the_command_proposes_descriptions_as_settings_and_writes_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("TICKETBOT_STATE_DIR", str(tmp_path))
    store = LearningStore(tmp_path / FILE_NAME)
    store.keep(history())
    dice = random.Random(5)
    texts = [correction(5_000 + n, name, dice.sample(words, 2)) for name, words in WORDS.items() for n in range(20)]
    store.keep([], [replace(item, ticket_id=item.ticket_id + 100 * (item.theirs == "refund")) for item in texts])
    before = (tmp_path / FILE_NAME).read_bytes()
    told = json.loads(CliRunner().invoke(app, ["learn", "confusions", "--json"]).output)
    proposed = {item["name"]: item["description"] for item in tomllib.loads("\n".join(told["lines"]))["categories"]}
    assert proposed.keys() == WORDS.keys()
    for name, text in proposed.items():
        old, typical = text.split(" Typical: ")
        assert old == CATEGORIES[name].description
        assert Counter(typical.strip(".").split(", ")).keys() <= set(WORDS[name])
    assert "billing" in CliRunner().invoke(app, ["learn", "confusions"]).output
    assert (tmp_path / FILE_NAME).read_bytes() == before
    again = Taxonomy.model_validate(CATEGORIES.model_dump() | {"categories": [
        item.model_dump() | {"description": proposed.get(item.name, item.description)} for item in CATEGORIES.categories
    ]})  # fmt: skip
    texts_of = {name: [item.text for item in texts if item.theirs == name] for name in WORDS}
    assert proposed_descriptions(confusions(history(), again), again, texts_of) == proposed
