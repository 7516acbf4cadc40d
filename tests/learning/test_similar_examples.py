"""Approved examples that are like a ticket are found by their words; nothing else is learnt from."""

from __future__ import annotations

import random
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import pytest

from ticket_processor.core.taxonomy import Category, Taxonomy, default_taxonomy
from ticket_processor.learning.examples import ExamplePicker, LearntExample, examples_of
from ticket_processor.learning.model import ActorKind, Correction
from ticket_processor.learning.store import LearningStore

from ..support.fakes import a_ticket

TAXONOMY = default_taxonomy()
TICKET = a_ticket(9_000, subject="The badge does not open the gate", description="My badge fails at the north gate.")
BADGES = [f"badge does not open gate {place}" for place in range(40)]
INVOICES = [f"invoice {place} has the wrong address" for place in range(40)]


def correction(
    ticket_id: int, theirs: str, text: str, *, field: str = "category", kind: ActorKind = "person"
) -> Correction:
    return Correction(0, ticket_id, field, "general", theirs, 10 + ticket_id % 4, kind, 100.0, text=text)


def remembered(path: Path | None, *, badges: str = "account", approved: bool = True) -> LearningStore:
    store = LearningStore(path)
    texts = [(badges, text) for text in BADGES] + [("billing", text) for text in INVOICES]
    store.keep([], [correction(place, label, text) for place, (label, text) in enumerate(texts, start=1)])
    if approved:
        store.decide([item.id for item in store.corrections()], "approved", "ana", 200.0)
    return store


def examples(*labels: str) -> list[LearntExample]:
    return [LearntExample(n, labels[n % len(labels)], f"badge opens no gate at door {n}") for n in range(60)]


def test_a_ticket_s_words_are_no_query_syntax() -> None:
    index = ExamplePicker(examples("account"), 6)
    assert index.nearest('badge" NEAR( AND text:* -- OR "', 15)
    assert index.nearest("", 15) == []


LONG = "Since Monday the badge reader at the north gate refuses my card and flashes red twice before it resets"


@pytest.mark.parametrize(
    "copy",
    [LONG, f"{LONG}. Is there any news about this?", LONG.removesuffix(" before it resets"), f"FW: {LONG.upper()}"],
    ids=["itself", "follow-up", "cut", "forwarded"],
)
def test_the_ticket_itself_and_mails_that_say_the_same_are_not_similar_examples(copy: str) -> None:
    index = ExamplePicker([*examples("account"), LearntExample(1_000, "refund", copy)], 6)
    assert 1_000 not in [item.id for item in index.nearest(LONG, 15)]
    assert 1_000 in [item.id for item in index.nearest("badge reader flashes red", 15)]


def test_the_order_in_which_examples_came_does_not_matter() -> None:
    found = [LearntExample(n, ("billing", "account", "order")[n % 3], f"badge {n % 7} gate {n % 4}") for n in range(90)]
    shuffled = random.Random(0).sample(found, len(found))
    asked = [f"badge {n} at gate {m} fails" for n in range(8) for m in range(5)]
    labels = [
        [[item.label for item in ExamplePicker(some, 6).nearest(text, 15)] for text in asked]
        for some in (found, shuffled)
    ]
    assert labels[0] == labels[1]


def test_only_people_teach_and_a_renamed_category_keeps_its_examples() -> None:
    renamed = Taxonomy(
        categories=(
            *(item for item in TAXONOMY.categories if item.name != "account"),
            Category(name="access", description="", formerly=("account",)),
            Category(name="badge", description="", parent="access"),
        )
    )
    with closing(LearningStore(None)) as store:
        found = [
            correction(1, "account", "one"),
            correction(2, "account", "two", kind="rule"),
            correction(3, "account", "three"),
            correction(3, "badge", "three", field="subcategory"),
            correction(4, "billing", "four"),
            correction(4, "badge", "four", field="subcategory"),
            correction(5, "gone", "five"),
        ]
        store.keep([], found)
        store.decide([item.id for item in store.corrections()], "approved", "ana", 1.0)
        assert [item.label for item in examples_of(store, renamed)] == ["access", "badge", "billing"]


def test_a_run_that_uses_nothing_learnt_loads_nothing_of_it(tmp_path: Path) -> None:
    code = (
        "import sys, ticket_processor.commands.run, ticket_processor.wiring.runs\n"
        "from ticket_processor.core.clock import Deadline, SystemClock\n"
        "from ticket_processor.settings.load import load\n"
        "from ticket_processor.wiring.parts import understanding\n"
        "clock = SystemClock()\n"
        "with understanding(load(environ={}, need_helpdesk=False), clock, Deadline(clock, 9)): pass\n"
        "print([name for name in sys.modules if name.startswith('ticket_processor.learning')])"
    )
    asked = [sys.executable, "-c", code]
    assert subprocess.run(asked, capture_output=True, text=True, check=True, cwd=tmp_path).stdout.strip() == "[]"
