"""``train --from-corrections``: stored unless it makes the classifier worse, named in receipts, and taken back."""

from __future__ import annotations

import pytest

from ticket_processor.learning.model import Correction
from ticket_processor.learning.store import FILE_NAME, LearningStore

from .conftest import Desk, OpenDesk
from .test_train import labelled, tickets


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
