"""``ticketbot learn log`` and ``undo``: what was learnt is told, and taken back."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from ticket_processor.cli import app
from ticket_processor.learning.model import Correction
from ticket_processor.learning.store import FILE_NAME, LearningStore

CORRECTION = Correction(0, 7, "category", "billing", "account", 12, "person", 100.0, text="quokka")


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("TICKETBOT_STATE_DIR", str(tmp_path))
    return tmp_path


def test_a_decision_is_told_and_taken_back(folder: Path) -> None:
    store = LearningStore(folder / FILE_NAME)
    store.keep([], [CORRECTION])
    store.decide([1], "approved", "ana", 300.0)
    told = CliRunner().invoke(app, ["learn", "log"]).output
    assert "1 correction approved by ana" in told
    assert "quokka" not in told
    assert CliRunner().invoke(app, ["learn", "undo", "1"]).exit_code == 0
    assert [item.status for item in store.corrections()] == ["pending"]
    [change] = json.loads(CliRunner().invoke(app, ["learn", "log", "--json"]).output)["changes"]
    assert change["undone_at"]
    again = CliRunner().invoke(app, ["learn", "undo", "1"])
    assert (again.exit_code, "learn log" in again.output) == (2, True)


@pytest.mark.parametrize("kind", ["unpin", "release"])
def test_what_cannot_be_taken_back_is_refused_and_stays_as_it_is(folder: Path, kind: str) -> None:
    store = LearningStore(folder / FILE_NAME)
    store.record(kind, "ana", {"tickets": [7]}, 300.0)
    refused = CliRunner().invoke(app, ["learn", "undo", "1"])
    assert (refused.exit_code, f"change 1 ({kind}) cannot be taken back" in refused.output) == (2, True)
    assert [item.undone_at for item in store.changes()] == [None]
