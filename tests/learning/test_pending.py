"""The log is read for tickets that we wrote on, each line once, however long that takes."""

from __future__ import annotations

import json
from contextlib import closing
from pathlib import Path

import pytest

from ticket_processor.core.clock import Deadline, SystemClock
from ticket_processor.core.errors import DeadlineReached
from ticket_processor.learning.model import LabelSource, Reaction
from ticket_processor.learning.pending import AT_ONCE, PendingTickets
from ticket_processor.learning.store import LearningStore


def a_line(number: int, day: int) -> str:
    line = {"event": "ticket", "outcome": "updated", "run_id": "r", "intent": f"r-{number}", "ticket_id": number}
    analysis = {"analysis": {"summary": "", "category": "billing"}}
    return json.dumps({**line, **analysis, "ts": f"2026-05-{day:02}T10:00:00Z"}) + "\n"


def test_who_asks_for_earlier_days_gets_them_and_no_settled_ticket_twice(tmp_path: Path) -> None:
    def read(first_day: str) -> list[int]:
        pending.read_log(tmp_path, None, Deadline(SystemClock(), 60.0), first_day=first_day)
        return sorted(item.ticket_id for item in pending.next(9, 1.0))

    for day in (1, 2, 3):
        (tmp_path / f"ticketbot-2026-05-0{day}.jsonl").write_text(a_line(day, day), encoding="utf-8")
    with closing(LearningStore(None)) as store:
        pending = PendingTickets(store)
        assert read("2026-05-02") == [2, 3]
        store.keep([Reaction(2, "category", "billing", "billing", None, "kept", "person", 1, 1.0, 2.0)])
        pending.settled([2])
        assert read("2026-05-03") == [3]
        assert read("2026-05-01") == [1, 3]
        pending.settled([1])
        assert read("2026-05-01") == [3]
        with (tmp_path / "ticketbot-2026-05-03.jsonl").open("a", encoding="utf-8") as file:
            file.write(a_line(2, 3))
        assert read("2026-05-03") == [2, 3]


def test_a_log_that_is_too_long_for_one_run_is_read_on_in_the_next(tmp_path: Path) -> None:
    line = {"event": "ticket", "outcome": "updated", "run_id": "r", "intent": "r-1", "ts": "2026-05-01T10:00:00Z"}
    analysis = {"analysis": {"summary": "", "category": "billing"}}
    numbers = range(1, AT_ONCE + 2)
    text = "".join(json.dumps({**line, **analysis, "ticket_id": number}) + "\n" for number in numbers)
    (tmp_path / "ticketbot-2026-05-01.jsonl").write_text(text, encoding="utf-8")
    with closing(LearningStore(None)) as store:
        pending = PendingTickets(store)
        with pytest.raises(DeadlineReached):
            pending.read_log(tmp_path, None, Deadline(SystemClock(), 0.0))
        assert pending.count() == AT_ONCE
        pending.read_log(tmp_path, None, Deadline(SystemClock(), 60.0))
        assert pending.count() == AT_ONCE + 1


def test_a_ticket_that_an_earlier_version_wrote_on_still_tells_how_sure_the_model_was(tmp_path: Path) -> None:
    with closing(LearningStore(None)) as store:
        kept = {"r-1": [0.8, "m", "en", "r", "prompt", "taxonomy", "3fa2c1d0", ""]}
        lately = {"r-1": [0.8, "m", "en", "r", "prompt", "taxonomy", "new.toml"]}
        store.keep_fact("cursor", json.dumps({"day": "2026-05-01", "line": 0, "runs": {"r": {"prompt": "p"}}}))
        with store.writing() as db:
            db.execute("INSERT INTO pending VALUES (7, 1.0, 0.0, 'billing', ?)", (json.dumps(kept),))
            db.execute("INSERT INTO pending VALUES (8, 2.0, 0.0, 'billing', ?)", (json.dumps(lately),))
        pending = PendingTickets(store)
        pending.read_log(tmp_path, None, Deadline(SystemClock(), 60.0))
        found, later = pending.next(9, 3.0)
    assert later.sources["r-1"] == LabelSource(0.8, "m", "en", "r", "new.toml")
    source = found.sources["r-1"]
    assert (source.confidence, source.model, source.settings_file) == (0.8, "m", "")


def test_a_ticket_that_the_version_before_wrote_on_without_a_settings_file_is_read(tmp_path: Path) -> None:
    with closing(LearningStore(None)) as store:
        for length in (4, 5, 6):
            kept = {"r-1": [0.8, "m", "en", "r", "x", "taxonomy"][:length]}
            with store.writing() as db:
                db.execute("INSERT INTO pending VALUES (?, 1.0, ?, 'billing', ?)", (length, length, json.dumps(kept)))
        found = {item.ticket_id: item.sources["r-1"] for item in PendingTickets(store).next(9, 9.0)}
    assert found[4] == found[6] == LabelSource(0.8, "m", "en", "r")
    assert found[5] == LabelSource(0.8, "m", "en", "r", "x")
