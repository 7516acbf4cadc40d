"""What ``ticketbot health`` says of alerts: which are open, and whether anybody would be told."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from ticket_processor.core.errors import how_to_install
from ticket_processor.monitoring.health.checks import Check, Status
from ticket_processor.monitoring.health.doctor import Doctor
from ticket_processor.monitoring.health.runs import alerting
from ticket_processor.monitoring.memory import FILE_NAME, AlertStore, Failure, Memory, OpenAlert

from ..support.fakes import START, ManualClock
from .test_health import settings_in

pytestmark = pytest.mark.filterwarnings("ignore:'imghdr' is deprecated")  # some of Apprise's plugins use it

NOW = START
FAILURE = Failure(at=NOW, target="json (no. 1 of TICKETBOT_ALERT_URLS)", why="it did not answer in time")
GOOD, SECRET = "json://127.0.0.1:9/hook", "nosuchservice://t0p-s3cret@example.com"


def checks_in(folder: Path, **alerts: str) -> dict[str, Check]:
    health = Doctor(settings_in(folder, alerts=alerts), ManualClock(), offline=True).examine()
    return {check.name: check for check in health.checks}


def remember(folder: Path, *rules: str, over: float | None = None) -> None:
    (folder / "state").mkdir()
    conditions = {rule: OpenAlert(message="a sentence", since=NOW - 900, over=over) for rule in rules}
    assert AlertStore(folder / "state").save(Memory(conditions=conditions), NOW)


@pytest.mark.parametrize(
    ("holding", "status", "rules"),
    [
        ((), Status.OK, None),
        (("spend",), Status.WARN, ["spend"]),
        (("spend", "helpdesk_unreachable"), Status.FAIL, ["helpdesk_unreachable", "spend"]),
    ],
)
def test_open_alerts_are_named_and_a_critical_one_is_a_failure(
    tmp_path: Path, holding: tuple[str, ...], status: Status, rules: list[str] | None
) -> None:
    remember(tmp_path, *holding)
    found = checks_in(tmp_path)["alerts"]
    assert (found.status, found.facts.get("open")) == (status, rules)
    assert all(rule in found.text for rule in rules or ())


def test_an_alert_that_is_over_counts_for_nothing(tmp_path: Path) -> None:
    remember(tmp_path, "helpdesk_unreachable", over=NOW - 1)
    assert checks_in(tmp_path)["alerts"].status is Status.OK


def test_alerts_that_cannot_be_read_are_not_said_to_be_none(tmp_path: Path) -> None:
    (tmp_path / "state").mkdir()
    (tmp_path / "state" / FILE_NAME).write_text("no object", encoding="utf-8")
    assert checks_in(tmp_path)["alerts"].status is Status.SKIPPED


def test_where_nobody_is_to_be_told_nothing_is_looked_at(tmp_path: Path) -> None:
    assert checks_in(tmp_path)["alerting"].status is Status.SKIPPED
    assert checks_in(tmp_path, urls=GOOD)["alerting"].status is Status.OK


def test_an_address_that_nobody_understands_is_told_by_its_number_alone(tmp_path: Path) -> None:
    found = checks_in(tmp_path, urls=GOOD, page_urls=f"{GOOD}2,{SECRET}")["alerting"]
    assert found.status is Status.WARN
    assert "no. 2 of TICKETBOT_PAGE_URLS" in found.text
    assert "TICKETBOT_ALERT_URLS" not in found.text
    assert "s3cret" not in found.text + str(found.facts)


def test_without_the_package_the_extra_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "apprise", None)
    found = checks_in(tmp_path, urls=GOOD)["alerting"]
    assert found.status is Status.WARN
    assert how_to_install("alerts") in found.text


@pytest.mark.parametrize(
    ("failed_ago", "saved_ago", "status"),
    [(60, 0, Status.WARN), (7200, 7199, Status.WARN), (7200, 600, Status.OK)],
    ids=["within the hour", "the last time, however long ago", "and since then all was well"],
)
def test_a_message_that_did_not_arrive_is_a_warning(failed_ago: float, saved_ago: float, status: Status) -> None:
    failure = FAILURE.model_copy(update={"at": NOW - failed_ago})
    found = alerting(1, (), Memory(saved=NOW - saved_ago, last_failure=failure), NOW)
    assert found.status is status
    assert (FAILURE.target in found.text) is (status is Status.WARN)
