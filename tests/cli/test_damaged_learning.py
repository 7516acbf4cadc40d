"""No run fails for the file of what was learnt, whatever is wrong with it: it is told, and tickets are triaged."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest

from ticket_processor.learning.store import FILE_NAME, LearningStore

from .conftest import Desk, OpenDesk

SETTINGS = "[learning]\nexamples = 4\n"


def no_database(path: Path) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(b"no database" * 1_000)


def a_folder(path: Path) -> None:
    path.mkdir(parents=True)


def garbled(path: Path) -> None:
    with closing(LearningStore(path)) as store:
        store.record("classifier", "ana", {"now": "x"}, 1.0)
        with store.writing() as db:
            db.execute("UPDATE change SET detail='{'")
            db.execute("INSERT INTO fact VALUES ('cursor', '{')")


def of_another_shape(path: Path) -> None:
    with closing(LearningStore(path)) as store:
        for what in ("classifier", "retrained"):
            store.record(what, "ana", {}, 1.0)
        store.keep_fact("cursor", '{"file": 1}')


@pytest.fixture
def desk(open_desk: OpenDesk) -> Desk:
    desk = open_desk(2)
    desk.configure(SETTINGS)
    return desk


@pytest.mark.parametrize("damage", [no_database, a_folder, garbled, of_another_shape])
def test_a_run_triages_without_what_was_learnt_and_says_so(desk: Desk, damage: Callable[[Path], None]) -> None:
    damage(desk.state / FILE_NAME)
    told = desk("run", "--since", "1d").err
    desk.assert_done()
    assert "what was learnt is not used" in told


def test_a_report_tells_all_else(desk: Desk) -> None:
    desk("run", "--since", "1d")
    (desk.state / FILE_NAME).unlink(missing_ok=True)
    no_database(desk.state / FILE_NAME)
    ended = desk("report", "--json")
    assert ended.object["totals"]["tickets"] == 2
    assert "scoreboard unavailable" in str(ended.object["remarks"])
