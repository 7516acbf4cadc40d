"""The log is read for tickets that we wrote on, each line once, however long that takes."""

from __future__ import annotations

import json
from contextlib import closing
from pathlib import Path

import pytest

from ticket_processor.core.clock import Deadline, SystemClock, parse_iso
from ticket_processor.core.errors import DeadlineReached
from ticket_processor.learning.collect import LINES_AT_ONCE, PendingTickets
from ticket_processor.learning.store import LearningStore, Reaction


def a_line(number: int, day: int) -> str:
    line = {"event": "ticket", "outcome": "updated", "run_id": "r", "intent": f"r-{number}", "ticket_id": number}
    analysis = {"analysis": {"summary": "", "category": "billing"}}
    return json.dumps({**line, **analysis, "ts": f"2026-05-{day:02}T10:00:00Z"}) + "\n"


def test_who_asks_for_earlier_days_gets_them_and_no_settled_ticket_twice(tmp_path: Path) -> None:
    def settle(number: int) -> None:
        with store.transaction() as db:
            db.execute("DELETE FROM pending WHERE ticket_id=?", (number,))

    def read(first_day: str) -> list[int]:
        pending.read_log(tmp_path, None, Deadline(SystemClock(), 60.0), first_day=first_day)
        return sorted(item.ticket_id for item in pending.next(9, 1.0))

    for day in (1, 2, 3):
        (tmp_path / f"ticketbot-2026-05-0{day}.jsonl").write_text(a_line(day, day), encoding="utf-8")
    settled = parse_iso("2026-05-02T12:00:00Z")
    with closing(LearningStore(None)) as store:
        pending = PendingTickets(store)
        assert read("2026-05-02") == [2, 3]
        store.keep([Reaction(2, "category", "billing", "billing", None, "kept", "person", 1, 1.0, settled)])
        settle(2)
        assert read("2026-05-03") == [3]
        assert read("2026-05-01") == [1, 3]
        settle(1)
        assert read("2026-05-01") == [3]
        with (tmp_path / "ticketbot-2026-05-03.jsonl").open("a", encoding="utf-8") as file:
            file.write(a_line(2, 3))
        assert read("2026-05-03") == [2, 3], "it was written on again since"


def test_a_log_that_is_too_long_for_one_run_is_read_on_in_the_next(tmp_path: Path) -> None:
    line = {"event": "ticket", "outcome": "updated", "run_id": "r", "intent": "r-1", "ts": "2026-05-01T10:00:00Z"}
    analysis = {"analysis": {"summary": "", "category": "billing"}}
    numbers = range(1, LINES_AT_ONCE + 2)
    text = "".join(json.dumps({**line, **analysis, "ticket_id": number}) + "\n" for number in numbers)
    (tmp_path / "ticketbot-2026-05-01.jsonl").write_text(text, encoding="utf-8")
    with closing(LearningStore(None)) as store:
        pending = PendingTickets(store)
        with pytest.raises(DeadlineReached):
            pending.read_log(tmp_path, None, Deadline(SystemClock(), 0.0))
        assert pending.count() == LINES_AT_ONCE
        pending.read_log(tmp_path, None, Deadline(SystemClock(), 60.0))
        assert pending.count() == LINES_AT_ONCE + 1
