"""Runs of a desk, one after the other, as alerts see them: real rules, real memory; whom they tell is noted down."""

from __future__ import annotations

from collections import deque
from typing import Any

from ticket_processor.core.run_summary import RunRecord, RunSummary
from ticket_processor.monitoring.memory import Memory, Owed, Target, after, owed, told
from ticket_processor.monitoring.rules import HISTORY_S, Facts, Severity, look
from ticket_processor.settings.schema import Settings

EVERYBODY = Target("everybody")


class Played:
    """A desk whose runs are kept for ``kept_s``. ``said`` is what everybody was told, with the moment."""

    def __init__(self, *, kept_s: float = HISTORY_S, memory: Memory | None = None) -> None:
        self.said: list[tuple[float, Owed]] = []
        self.memory = memory or Memory()
        self._settings = Settings()
        self._records: deque[RunRecord] = deque()
        self._kept_s = kept_s

    def run(self, started: float, *, took: float = 20.0, kept_out: bool = False, **summary: Any) -> list[Owed]:
        """A scheduled run, which was ``kept_out`` or came to this summary; what everybody is told after it."""
        now = started + took
        if not kept_out:
            known = {"caught_up": not summary.get("stopped_by"), **summary}
            made = RunSummary(run_id=f"run-{started:.0f}", dry_run=False, **known)
            self._records.append(RunRecord(run_id=made.run_id, started=started, finished=now, summary=made))
        while self._records and self._records[0].finished < now - self._kept_s:
            self._records.popleft()
        memory = after(self.memory, look(list(self._records), Facts(now, models=True), self._settings), now)
        news = owed(memory, [EVERYBODY], now)
        for one in news:
            memory = told(memory, one)
            self.said.append((now, one))
        self.memory = memory
        return news

    def begun(self, severity: Severity) -> list[str]:
        """The rules that began, of this severity."""
        return [one.rule for _, one in self.said if one.what != "over" and one.severity is severity]
