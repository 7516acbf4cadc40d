"""What an alert names: some of the newest tickets of a category, from the log, in bounded time."""

from __future__ import annotations

from itertools import count
from pathlib import Path

import pytest
from typer.testing import CliRunner

from ticket_processor.cli import app
from ticket_processor.core.errors import CannotRun
from ticket_processor.monitoring.alert_file import AlertStore
from ticket_processor.monitoring.example_tickets import examples
from ticket_processor.monitoring.facts import Severity
from ticket_processor.monitoring.open_alerts import Memory, OpenAlert
from ticket_processor.settings.load import load
from ticket_processor.settings.schema import Settings

from ..support.log_days import at, receipt, write_log

NOW = at("11-20 12:00")
LINES = [
    *(receipt(number, "11-19 10:00") for number in (1, 2, 3)),
    *(receipt(number, "11-12 10:00") for number in (90, 91, 92)),
    *(receipt(number, "11-20 10:00") for number in (11, 12, 12, 13)),
    receipt(14, "11-20 10:00", dry_run=True),
    receipt(15, "11-20 10:00", category="account"),
    receipt(16, "11-20 10:00", analysis=None),
    receipt(1, "11-20 11:00"),
]


def settings(folder: Path) -> Settings:
    return Settings(log_dir=folder)


def test_the_newest_tickets_of_the_last_week_come_first_and_each_once(tmp_path: Path) -> None:
    write_log(tmp_path, LINES)
    found = examples(settings(tmp_path), {"billing", "account", "other"}, NOW, lambda: 0.0)
    assert found == {"billing": (1, 13, 12, 11, 3), "account": (15,), "other": ()}


def test_a_log_that_takes_too_long_gives_what_was_read_by_then(tmp_path: Path) -> None:
    write_log(tmp_path, LINES)
    found = examples(settings(tmp_path), {"billing"}, NOW, count(0.0, 1.5).__next__)
    assert found == {"billing": (1, 13, 12, 11)}


def test_a_log_that_is_not_to_be_read_is_told(tmp_path: Path) -> None:
    (tmp_path / "ticketbot-2026-11-20.jsonl").mkdir()
    with pytest.raises(CannotRun):
        examples(settings(tmp_path), {"billing"}, NOW, lambda: 0.0)


def test_the_list_of_open_alerts_names_them(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    known = {"ZENDESK_SUBDOMAIN": "acme", "ZENDESK_OAUTH_TOKEN": "token", "TICKETBOT_STATE_DIR": str(tmp_path)}
    for name, value in known.items():
        monkeypatch.setenv(name, value)
    monkeypatch.chdir(tmp_path)
    one = OpenAlert(severity=Severity.WARNING, message="40 of 60", since=NOW, tickets=(13, 12))
    AlertStore(load().state_folder).save(Memory(conditions={"drift:account": one}), NOW)
    told = CliRunner().invoke(app, ["alerts", "list"]).output
    assert "drift:account: A topic is not as frequent as usual: account\n" in told
    assert "40 of 60 (#13, #12)\n" in told
