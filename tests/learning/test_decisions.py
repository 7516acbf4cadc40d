"""What is decided about corrections without a person: little, told, and taken back like everything."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace

import pytest

from ticket_processor.core.taxonomy import Category, Taxonomy, default_taxonomy
from ticket_processor.learning.decisions import WITHIN_S, approve_agreed, expire
from ticket_processor.learning.model import Correction
from ticket_processor.learning.review import MANY
from ticket_processor.learning.store import LearningStore

NOW = 1_800_000_000.0
ONE = Correction(0, 1, "category", "billing", "account", 12, "person", NOW, text="quokka")


@pytest.fixture
def store() -> Iterator[LearningStore]:
    with closing(LearningStore(None)) as opened:
        yield opened


def several(count: int, first: int = 1, **fields: object) -> list[Correction]:
    return [replace(ONE, ticket_id=first + place, **fields) for place in range(count)]  # type: ignore[arg-type]


def by(people: int, tickets: int = 6, **fields: object) -> list[Correction]:
    return [replace(item, author=100 + place % people) for place, item in enumerate(several(tickets, **fields))]


def statuses(store: LearningStore) -> list[str]:
    return [item.status for item in store.corrections(kept=True)]


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


@pytest.mark.parametrize(
    ("made", "approved"),
    [
        (by(3), True),
        (by(2), False),
        (by(3, 4), False),
        (by(3, at=NOW - WITHIN_S - 1), False),
        ([replace(item, author=None) for item in by(3)], False),
        ([*several(MANY, author=66), *several(2, 50, author=67), *several(1, 60, author=68)], False),
        ([*several(MANY, author=66, ours="order"), *by(3, 4, first=50)], False),
        (by(3, ours="account"), True),
    ],
    ids=["3 people", "2 people", "4 tickets", "long ago", "unknown", "pushed", "pushed from elsewhere", "kept"],
)
def test_only_many_people_who_did_alike_approve_by_themselves(
    store: LearningStore, made: list[Correction], approved: bool
) -> None:
    store.keep([], made)
    approve_agreed(store, NOW)
    assert set(statuses(store)) == {"approved" if approved else "pending"}


def test_many_corrections_of_one_account_stay_out_of_what_others_agreed_on(store: LearningStore) -> None:
    store.keep([], [*by(3), *several(200, 1_000, author=66), *several(200, 2_000, author=66, ours="order")])
    approve_agreed(store, NOW)
    assert {item.author for item in store.corrections("approved")} == {100, 101, 102}
    assert len(store.corrections("approved")) == 6


def test_what_is_left_of_a_push_does_not_slip_in_when_the_rest_is_long_ago(store: LearningStore) -> None:
    long_ago = several(200, 1_000, author=66, at=NOW - WITHIN_S - 1)
    store.keep([], [*by(3, 30), *long_ago, *several(15, 2_000, author=66)])
    approve_agreed(store, NOW)
    assert {item.author for item in store.corrections("approved")} == {100, 101, 102}


def test_what_a_person_rejected_or_took_back_is_left_to_people(store: LearningStore) -> None:
    store.keep([], [*by(3), *by(3, first=50, theirs="refund")])
    store.decide([1], "rejected", "ana", NOW)
    change = approve_agreed(store, NOW)
    assert change is not None
    assert {item.theirs for item in store.corrections("approved")} == {"refund"}
    assert [item.who for item in store.changes()] == ["ana", "learning.auto_approve"]
    store.undo(change.id, NOW)
    assert approve_agreed(store, NOW + 1) is None
