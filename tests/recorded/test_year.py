"""Whom alerts wake up, and for what, in a week in which everything goes wrong and in days of healthy and sick desks."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import pytest

from ..cli.test_year import EVERYTHING
from ..simulation.year import Year
from ..simulation.year_alarms import Told, drawn_year
from ..simulation.year_desk import Trouble
from .figures import assert_as_recorded

pytestmark = [pytest.mark.slow, pytest.mark.timeout(600)]


def counted(story: str, told: Told) -> Counter[str]:
    """How many messages of each kind each receiver got."""
    return Counter(f"{story}: {rule} {what}, {severity}, to {target}" for _, what, rule, severity, target in told.sent)


def test_the_alerts_of_a_simulated_week_are_those_that_were_told_before(tmp_path: Path) -> None:
    year = Year(tmp_path, days=8, per_day=60, retention=3, planned=EVERYTHING, measure_memory=False)
    year.play()
    found = counted("everything goes wrong", year.alarms.told)
    model_down = Trouble("model down", 60, 200)
    year = Year(tmp_path / "model", days=3, per_day=300, planned=[model_down], errors=0.05, measure_memory=False)
    year.play()
    found += counted("model down, one in twenty fails", year.alarms.told)
    for story, errors in (("healthy", 0.001), ("a tenth fails", 0.1)):
        found += counted(story, drawn_year(tmp_path / story, 500, days=4, errors=errors).told)
    found["messages"] = sum(found.values())
    assert_as_recorded("year", found)
