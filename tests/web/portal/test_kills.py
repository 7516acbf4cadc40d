from __future__ import annotations

import sys
from pathlib import Path

import pytest

from .kills import CUSTOMERS, KilledErasures, KilledPortal

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(sys.platform == "win32", reason="processes are forked, so that each starts quickly"),
]


def test_whoever_got_an_answer_has_a_whole_ticket_once_however_often_the_portal_is_killed(tmp_path: Path) -> None:
    killed = KilledPortal(tmp_path)
    killed.play(25)
    assert killed.faults == []
    assert killed.counted["tickets"] >= 25 * CUSTOMERS
    assert killed.counted["no answer"] > 0


def test_whatever_kills_an_erasure_it_is_finished_and_no_word_is_left(tmp_path: Path) -> None:
    killed = KilledErasures(tmp_path)
    killed.play(25)
    assert killed.faults == []
    assert killed.counted["cut off half-way"] > 0
