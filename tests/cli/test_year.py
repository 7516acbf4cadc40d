"""Eight days of runs, one every ten minutes, in which everything goes wrong; ``simulate.py --year`` has years."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from unittest import mock

import pytest

from ticket_processor.audit.files import log_files
from ticket_processor.monitoring import rules as alert_rules

from ..recorded.figures import assert_as_recorded
from ..simulation import year as module
from ..simulation.year import Year
from ..simulation.year_desk import RUNS_A_DAY, Severity, Told, Trouble, drawn_year

pytestmark = [pytest.mark.slow, pytest.mark.timeout(600)]

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


@pytest.fixture(scope="module")
def year(tmp_path_factory: pytest.TempPathFactory) -> Year:
    """Eight days in which everything goes wrong."""
    folder = tmp_path_factory.mktemp("year")
    year = Year(folder, days=8, per_day=60, retention=3, planned=EVERYTHING, measure_memory=False)
    year.play()
    return year


def test_eight_days_in_which_everything_goes_wrong_leave_nothing_behind(year: Year) -> None:
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


def counted(story: str, told: Told) -> Counter[str]:
    """How many messages of each kind each receiver got."""
    return Counter(f"{story}: {rule} {what}, {severity}, to {target}" for _, what, rule, severity, target in told.sent)


def test_the_alerts_of_these_and_other_days_are_those_that_were_told_before(year: Year, tmp_path: Path) -> None:
    found = counted("everything goes wrong", year.alarms.told)
    model_down = Trouble("model down", 60, 200)
    sick = Year(tmp_path, days=3, per_day=300, planned=[model_down], errors=0.05, measure_memory=False)
    sick.play()
    found += counted("model down, one in twenty fails", sick.alarms.told)
    for story, errors in (("healthy", 0.001), ("a tenth fails", 0.1)):
        found += counted(story, drawn_year(tmp_path / story, 500, days=4, errors=errors).told)
    found["messages"] = sum(found.values())
    assert_as_recorded("year", found)
