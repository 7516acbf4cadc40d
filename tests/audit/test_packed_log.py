"""A log of the version that packed its days is read, verified, shown, erased from, and goes on."""

from __future__ import annotations

import shutil
from datetime import UTC, datetime
from pathlib import Path

import pytest

from ticket_processor.audit.encryption import Keyring
from ticket_processor.audit.erase import erase, find
from ticket_processor.audit.files import events, log_files
from ticket_processor.audit.receipts import AuditLog
from ticket_processor.audit.verify import VerificationReport, check
from ticket_processor.audit.writer import Head

from ..support.fakes import ManualClock
from ..support.log_tamperings import KEY, OLD_KEY

SEALED_WITH = "RXx2nznYZEGZwOW9vPvIWzfOkcveH8Gw6mtE8TBDbdc="
HEADS = {
    "plain": "2026-11-22:9:4b999b911b37f03aeaf54d08972c46d6",
    "sealed": "2026-11-22:9:78e9e2f8d1bd9746658705c927e255b2",
}


class Former:
    """Such a log, in a folder of its own."""

    def __init__(self, kind: str, folder: Path) -> None:
        self.folder, self.head = folder / kind, Head.parse(HEADS[kind])
        self.keys = Keyring([SEALED_WITH]) if kind == "sealed" else None
        shutil.copytree(Path(__file__).parent / "packed_log" / kind, self.folder)

    def report(self) -> VerificationReport:
        return check(self.folder, [KEY, OLD_KEY], self.keys, [("the state", self.head)])

    def audit(self, day: str) -> AuditLog:
        clock = ManualClock(datetime.fromisoformat(f"{day}T12:00:00").replace(tzinfo=UTC).timestamp())
        return AuditLog(self.folder, clock, "run-new", key=KEY, keys=self.keys)


@pytest.fixture(params=HEADS)
def former(request: pytest.FixtureRequest, tmp_path: Path) -> Former:
    return Former(request.param, tmp_path)


def test_it_is_read_and_verified(former: Former) -> None:
    assert [file.packed for file in log_files(former.folder)] == [True, True, True, False, False]
    report = former.report()
    assert (report.holds, report.files, report.anchors[0].stands) == (True, 5, True)
    notes = [line["change"]["note"] for _, line in events(former.folder, keys=former.keys) if line.get("change")]
    assert "Triage: billing. Ticket 1." in notes


@pytest.mark.parametrize("day", ["2026-11-22", "2026-11-23", "2026-11-18"])
def test_it_goes_on_also_on_a_packed_day_under_a_clock_that_was_put_back(former: Former, day: str) -> None:
    audit = former.audit(day)
    audit.alert("something new")
    audit.close()
    assert "something new" in [line.get("what") for _, line in events(former.folder, first_day=day, keys=former.keys)]
    assert former.report().holds


def test_a_packed_day_loses_a_customers_words_and_still_holds(former: Former) -> None:
    words = [str(line) for _, line in events(former.folder, keys=former.keys) if line.get("ticket_id") == 1]
    assert any("Ticket 1 was charged twice." in each for each in words)
    audit = former.audit("2026-11-23")
    assert erase(audit, {1}, former.keys, find(former.folder, {1}, former.keys)).troubles == []
    audit.close()
    words = [str(line) for _, line in events(former.folder, keys=former.keys) if line.get("ticket_id") == 1]
    assert words
    assert not any("charged twice" in each for each in words)
    assert former.report().holds
