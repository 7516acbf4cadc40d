"""What ``ticketbot report --json`` makes of a log of 20,000 receipts that is the same each time."""

from __future__ import annotations

import json
import os
from datetime import UTC, datetime
from pathlib import Path

import pytest

from ticket_processor.audit.files import events

from ..support.fork_server import run
from ..support.made_up_log import write_log
from .figures import assert_as_recorded, numbers

pytestmark = [pytest.mark.slow, pytest.mark.timeout(600)]


def test_a_report_comes_to_the_same_figures_as_it_did(tmp_path: Path) -> None:
    write_log(tmp_path / "logs", 46_600, 28, end=datetime(2026, 9, 29, tzinfo=UTC))
    receipts = sum(line["event"] == "ticket" for _, line in events(tmp_path / "logs"))
    assert 20_000 <= receipts < 21_000
    environment = {**os.environ, "TICKETBOT_LOG_DIR": str(tmp_path / "logs")}
    found = {"receipts": float(receipts)}
    for name, since in (("four weeks", "2026-09-01"), ("the last one", "2026-09-22")):
        command = ["report", "--since", since, "--until", "2026-09-29", "--json"]
        done = run(command, cwd=tmp_path, env=environment)
        assert done.returncode == 0, done.stderr
        found |= numbers(json.loads(done.stdout), name)
    assert_as_recorded("report", found)
