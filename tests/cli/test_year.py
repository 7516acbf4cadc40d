"""Eight days of runs, one every ten minutes, in which everything goes wrong; ``simulate.py --year`` has years."""

from __future__ import annotations

from pathlib import Path
from unittest import mock

import pytest

from ticket_processor.audit.files import log_files
from ticket_processor.monitoring import rules as alert_rules

from ..simulation import year as module
from ..simulation.year import Year
from ..simulation.year_alarms import Severity
from ..simulation.year_desk import RUNS_A_DAY, Trouble

pytestmark = pytest.mark.slow

EVERYTHING = (
    Trouble("crash", 20, 1),
    Trouble("helpdesk down", 150, 20),
    Trouble("crash", 200, 1),
    Trouble("disk full", 300, 6),
    Trouble("clock", 400, 3, by=-26 * 3600.0),
    Trouble("log read-only", 460, 8),
    Trouble("model down", 500, 60),
    Trouble("machine off", 600, 120),
    Trouble("helpdesk down", 800, 12),
    Trouble("clock", 900, 4, by=7 * 3600.0),
    Trouble("clock", 920, 4, by=400 * 86_400.0),
    Trouble("clock", 1060, 4, by=-400 * 86_400.0),
    Trouble("crash", 950, 1),
    Trouble("disk full", 1000, 6),
)


def test_eight_days_in_which_everything_goes_wrong_leave_nothing_behind(tmp_path: Path) -> None:
    year = Year(tmp_path, days=8, per_day=60, retention=3, planned=EVERYTHING, measure_memory=False)
    year.play()
    report = year.verified()
    assert year.problems(report, most_change=1.0) == []
    assert year.counts["runs"] == 8 * RUNS_A_DAY - 120 + 2
    assert year.counts["died"] == 3
    assert [noticed for _, noticed in year.outages_noticed()] == [2, 2]
    assert {rule for _, rule in year.alarms.told.begun(Severity.CRITICAL)} >= {"helpdesk_unreachable", "state_unusable"}
    assert len(report.expired) >= 3


def test_what_goes_wrong_with_the_log_or_the_alerts_would_be_noticed(tmp_path: Path) -> None:
    year = Year(tmp_path, days=3, per_day=60, retention=1, planned=[Trouble("helpdesk down", 150, 30)])
    deaf = {name: rule for name, rule in alert_rules.RULES.items() if name != "helpdesk_unreachable"}
    with (
        mock.patch.object(module, "look_after", return_value=[]),
        mock.patch.dict(alert_rules.RULES, deaf, clear=True),
    ):
        year.play()
    log = log_files(year.logs)[1].path
    log.write_bytes(b"".join(log.read_bytes().splitlines(keepends=True)[:-3]))
    said = " | ".join(year.problems(year.verified(), most_growth=1.0))
    for words in ("lines were cut off", "the log has a line of", "too old: ticketbot-", "was told in its run None"):
        assert words in said
