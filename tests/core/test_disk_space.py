"""Without room for receipts nothing begins, and it is told whose room is missing."""

from __future__ import annotations

import shutil
from pathlib import Path
from types import SimpleNamespace

import pytest

from ticket_processor.core.errors import AuditUnwritable, StateUnusable
from ticket_processor.core.guards import MB, DiskSpace

from ..support.fakes import START, a_ticket
from ..support.memory_helpdesk import Open


class Disks:
    """What is free where, in bytes; an error where nobody can tell."""

    def __init__(self, **free: int | OSError) -> None:
        self._free = free
        self.asked: list[Path] = []

    def __call__(self, path: Path) -> SimpleNamespace:
        self.asked.append(path)
        if not path.exists():
            raise FileNotFoundError(str(path))
        free = self._free.get(path.name, 1000 * MB)
        if isinstance(free, OSError):
            raise free
        return SimpleNamespace(free=free)


@pytest.fixture
def folders(tmp_path: Path) -> tuple[Path, Path]:
    for name in ("logs", "state"):
        (tmp_path / name).mkdir()
    return tmp_path / "logs", tmp_path / "state"


def test_with_enough_on_both_disks_nothing_is_said(folders: tuple[Path, Path], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shutil, "disk_usage", Disks(logs=50 * MB, state=50 * MB))
    DiskSpace(*folders, least_mb=50).check()


def test_too_little_for_the_log_is_a_log_that_cannot_be_written(
    folders: tuple[Path, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(shutil, "disk_usage", Disks(logs=50 * MB - 1))
    with pytest.raises(AuditUnwritable) as told:
        DiskSpace(*folders, least_mb=50).check()
    for words in (
        str(folders[0]),
        "has 49.9 MB free, and a run wants 50.0 MB",
        "log_dir (TICKETBOT_LOG_DIR)",
        "nothing is changed",
    ):
        assert words in str(told.value)


def test_too_little_for_the_state_is_a_state_that_cannot_be_used(
    folders: tuple[Path, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(shutil, "disk_usage", Disks(state=0))
    with pytest.raises(StateUnusable) as told:
        DiskSpace(*folders, least_mb=1).check()
    for words in (str(folders[1]), "0 kB free", "state_dir (TICKETBOT_STATE_DIR)"):
        assert words in str(told.value)


def test_a_disk_that_cannot_be_looked_at_stops_nothing(
    folders: tuple[Path, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(shutil, "disk_usage", Disks(logs=OSError(13, "Permission denied")))
    DiskSpace(*folders, least_mb=50).check()


# In a run


def test_a_run_without_room_asks_the_helpdesk_nothing_and_says_so_in_the_log(open_office: Open) -> None:
    office = open_office(a_ticket(1))

    def full() -> None:
        raise AuditUnwritable("no room")

    summary = office.run(room=full)
    assert (summary.exit_code, summary.stopped, summary.stopped_by) == (3, "no room", "AuditUnwritable")
    assert (office.desk.asked, office.desk.written) == ([], [])
    assert "no room" in office.logged()
    assert office.run(since=START - 86_400).outcomes == {"updated": 1}


def test_a_disk_that_fills_up_stops_a_run_before_its_next_write(open_office: Open) -> None:
    office = open_office(*(a_ticket(number) for number in (1, 2, 3)))

    def full_after_one() -> None:
        if office.desk.written:
            raise AuditUnwritable("no room")

    summary = office.run(room=full_after_one)
    assert (summary.exit_code, len(office.desk.written)) == (3, 1)
    assert office.run().outcomes == {"updated": 2}
    assert len(office.desk.written) == 2


def test_a_dry_run_changes_nothing_and_needs_no_room(open_office: Open) -> None:
    office = open_office(a_ticket(1))

    def full() -> None:
        raise AuditUnwritable("no room")

    assert office.run(room=full, dry_run=True).outcomes == {"planned": 1}
