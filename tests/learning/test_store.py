"""The learning store keeps reactions and corrections once, forgets tickets for good, and takes decisions back."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from dataclasses import astuple, replace
from pathlib import Path

import pytest

from ticket_processor.core.errors import StateUnusable
from ticket_processor.learning.store import _MIGRATIONS, FILE_NAME, Correction, LearningStore, Reaction
from ticket_processor.state.sqlite import opened

REACTION = Reaction(7, "category", "billing", "billing", "account", "changed", "person", 12, 100.0, 200.0)
CORRECTION = Correction(0, 7, "category", "billing", "account", 12, "person", 100.0, text="I cannot log in")


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / FILE_NAME


def test_a_second_reading_replaces_the_ticket_and_keeps_what_was_decided(path: Path) -> None:
    store = LearningStore(path)
    store.keep([REACTION], [CORRECTION])
    assert LearningStore.scratch_copy(path).corrections() == store.corrections() == [replace(CORRECTION, id=1)]
    store.decide([1], "approved", "ana", 300.0)
    store.keep([REACTION], [CORRECTION])
    assert list(store.reactions()) == [REACTION]
    assert [item.status for item in store.corrections()] == ["approved"]
    kept = replace(REACTION, fate="kept", theirs=None)
    store.keep([kept], at=400.0)
    assert list(store.reactions()) == [kept]
    assert [item.status for item in store.corrections()] == ["expired"]
    assert [(item.who, item.detail["status"]) for item in store.changes()][1:] == [("the ticket's history", "expired")]
    store.undo(2, 500.0)
    assert [item.status for item in store.corrections()] == ["approved"]


def test_a_file_of_the_version_before_is_read_and_an_earlier_one_refused_in_words(path: Path) -> None:
    with closing(opened(path, _MIGRATIONS[:9])) as db:
        row = (*astuple(REACTION)[:10], 0.8, "m1", "en", "r", "new.toml")
        db.execute(f"INSERT INTO reaction VALUES ({','.join('?' * len(row))})", row)
        db.execute("INSERT INTO pending VALUES (8, 1.0, 0.0, 'billing', '{}')")
    with closing(LearningStore(path)) as store:
        assert list(store.reactions()) == [replace(REACTION, settings_file="new.toml")]
        assert store.known([8]) == frozenset()
    with closing(sqlite3.connect(path)) as db:
        db.execute("PRAGMA user_version=8")
    for open_it in (LearningStore, LearningStore.scratch_copy):
        with pytest.raises(StateUnusable, match="pins and the list of erased tickets: keep a copy"):
            open_it(path)


def test_a_pin_that_a_dropped_one_superseded_does_not_hold_again(path: Path) -> None:
    with closing(opened(path, _MIGRATIONS[:9])) as db:
        db.execute("INSERT INTO change VALUES (1, 1.0, 'pin', 'ana', '{}', NULL)")
        for place in ("(1, 7, 'urgency', 'is', 'low'", "(2, 7, 'urgency', 'at_most', 'high'"):
            db.execute(f"INSERT INTO pin VALUES {place}, 'words', 1)")
        others = ("(3, 7, 'urgency', 'is', 'high'", "(4, 7, 'priority', 'is', 'low'", "(5, 8, 'urgency', 'is', 'low'")
        db.execute("INSERT INTO change VALUES (2, 1.0, 'pin', 'ana', '{}', 3.0)")
        db.execute("INSERT INTO pin VALUES (6, 8, 'urgency', 'at_most', 'high', 'words', 2)")
        for place in others:
            db.execute(f"INSERT INTO pin VALUES {place}, 'words', 1)")
    with closing(LearningStore(path)) as store:
        assert [number for (number,) in store.all("SELECT id FROM pin ORDER BY id")] == [3, 4, 5]


def test_a_decision_is_taken_back_unless_another_came_after_it(path: Path) -> None:
    store = LearningStore(path)
    store.keep([], [CORRECTION, replace(CORRECTION, ticket_id=8)])
    first = store.decide([1, 2], "approved", "ana", 300.0)
    store.decide([2], "rejected", "bo", 301.0)
    assert store.undo(first.id, 302.0) is not None
    assert [item.status for item in store.corrections()] == ["pending", "rejected"]
    assert store.undo(first.id, 303.0) is None
    assert store.undo(99, 303.0) is None
    assert [item.undone_at for item in store.changes()] == [302.0, None]


def test_examples_are_approved_corrections_of_people_with_a_text(path: Path) -> None:
    store = LearningStore(path)
    others = [replace(CORRECTION, ticket_id=8, text=""), replace(CORRECTION, ticket_id=9, actor_kind="unknown")]
    store.keep([], [CORRECTION, *others, replace(CORRECTION, ticket_id=10)])
    store.decide([1, 2, 3], "approved", "ana", 300.0)
    assert [item.ticket_id for item in store.examples("category")] == [7]
    assert store.examples("urgency") == []


def test_a_forgotten_ticket_leaves_nothing_in_the_file_and_is_not_kept_again(path: Path) -> None:
    store = LearningStore(path)
    store.keep([REACTION], [replace(CORRECTION, text="quokka")])
    assert store.forget([7, 8]) == 1
    store.keep([REACTION], [CORRECTION])
    assert (list(store.reactions()), store.corrections()) == ([], [])
    store.close()
    assert not any(b"quokka" in file.read_bytes() for file in path.parent.iterdir())


def test_a_ticket_whose_forgetting_was_cut_off_leaves_nothing_in_the_file_when_it_is_repeated(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = LearningStore(path)
    store.keep([REACTION], [replace(CORRECTION, text="quokka")])
    store.close()
    store, dashboard = LearningStore(path), LearningStore(path)
    with monkeypatch.context() as patched:
        patched.setattr("ticket_processor.state.sqlite.emptied", lambda _db: 1 / 0)
        with pytest.raises(ZeroDivisionError):
            store.forget([7])
    assert dashboard.known([7]) == frozenset()
    assert store.forget([7]) == 0
    assert not any(b"quokka" in file.read_bytes() for file in path.parent.iterdir())
    store.close()
    dashboard.close()


def test_what_is_old_goes_but_what_was_approved_still_teaches(path: Path) -> None:
    store = LearningStore(path)
    old = [replace(CORRECTION, ticket_id=number, at=100.0) for number in (1, 2, 3)]
    store.keep(
        [replace(REACTION, settled_at=199.0), replace(REACTION, ticket_id=8, settled_at=200.0)],
        [*old, replace(CORRECTION, ticket_id=4, at=200.0)],
    )
    store.decide([1], "approved", "ana", 300.0)
    store.decide([2], "rejected", "ana", 300.0)
    store.drop_before(200.0)
    assert [item.ticket_id for item in store.reactions()] == [8]
    assert [(item.ticket_id, item.status) for item in store.corrections()] == [(1, "approved"), (4, "pending")]


def test_reading_only_makes_no_file(path: Path) -> None:
    store = LearningStore.scratch_copy(path)
    assert (list(store.reactions()), store.changes(), store.fact("cursor")) == ([], [], None)
    assert not list(path.parent.iterdir())
