"""What is decided about corrections without a person: little, told, and taken back like everything."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace

import pytest

from ticket_processor.core.taxonomy import Category, Taxonomy, default_taxonomy
from ticket_processor.learning.decisions import expire
from ticket_processor.learning.model import Correction
from ticket_processor.learning.store import LearningStore

NOW = 1_800_000_000.0
ONE = Correction(0, 1, "category", "billing", "account", 12, "person", NOW, text="quokka")


@pytest.fixture
def store() -> Iterator[LearningStore]:
    with closing(LearningStore(None)) as opened:
        yield opened


def statuses(store: LearningStore) -> list[str]:
    return [item.status for item in store.corrections()]


def test_a_correction_expires_with_its_category_and_lives_on_under_a_new_name(store: LearningStore) -> None:
    others = [item for item in default_taxonomy().categories if item.name not in ("account", "order")]
    renamed = Taxonomy(categories=(*others, Category(name="profile", description="", formerly=("account",))))
    store.keep([], [ONE, replace(ONE, ticket_id=2, theirs="order"), replace(ONE, ticket_id=3, field="priority")])
    change = expire(store, renamed, NOW)
    assert change is not None
    assert statuses(store) == ["pending", "expired", "pending"]
    assert expire(store, renamed, NOW) is None
    store.undo(change.id, NOW)
    assert statuses(store) == ["pending"] * 3


def test_former_names_leave_what_depends_on_other_categories_as_it_was() -> None:
    assert "formerly" not in default_taxonomy().model_dump_json()
