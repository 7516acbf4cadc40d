"""The log is read for tickets that we wrote on, each line once, however long that takes."""

from __future__ import annotations

import json
from contextlib import closing
from pathlib import Path

import pytest

from ticket_processor.core.clock import Deadline, SystemClock
from ticket_processor.core.errors import DeadlineReached
from ticket_processor.learning.pending import AT_ONCE, PendingTickets
from ticket_processor.learning.store import LearningStore


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
