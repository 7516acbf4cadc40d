"""Freshdesk's figures of docs/figures.md that need the whole command, in small."""

from __future__ import annotations

from pathlib import Path

from .freshdesk_figures import decisions, differences, invented, undo


def test_the_same_tickets_get_the_same_decisions_on_both_helpdesks(tmp_path: Path) -> None:
    one, other = decisions(tmp_path, invented(40))
    assert differences(one, other) == []
    assert {"updated", "skipped"} <= {item["outcome"] for item in one}
    assert sum(len(item["notes"]) for item in other) > 30


def test_an_undo_deletes_the_notes_that_nobody_edited_and_keeps_what_people_did(tmp_path: Path) -> None:
    found = undo(tmp_path, 40)
    assert found.good, found
