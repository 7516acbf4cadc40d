"""Files that are this user's alone, and room on the disk."""

from __future__ import annotations

import os
import shutil
import stat
from collections.abc import Callable, Iterator
from pathlib import Path
from types import SimpleNamespace

import pytest

from ticket_processor.core.errors import AuditUnwritable, Halted, StateUnusable
from ticket_processor.core.files import make_folder, opener
from ticket_processor.core.guards import MB, KillSwitch, check_room

from ..support.fakes import START, a_ticket
from ..support.memory_helpdesk import Open


@pytest.fixture
def check(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    """Check folders of log and state for ``least_mb``, with so much free in bytes; an error where nobody can tell."""
    for name in ("logs", "state"):
        (tmp_path / name).mkdir()

    def made(least_mb: int = 50, **free: int | OSError) -> None:
        def disk_usage(path: Path) -> SimpleNamespace:
            found = free.get(path.name, 1000 * MB)
            if isinstance(found, OSError):
                raise found
            return SimpleNamespace(free=found)

        monkeypatch.setattr(shutil, "disk_usage", disk_usage)
        check_room(tmp_path / "logs", tmp_path / "state", least_mb)

    return made


def test_with_enough_on_both_disks_or_one_that_cannot_be_looked_at_nothing_is_said(check: Callable[..., None]) -> None:
    check(logs=50 * MB, state=50 * MB)
    check(logs=OSError(13, "Permission denied"))


@pytest.mark.parametrize(
    ("least_mb", "name", "free", "error", "words"),
    [
        (
            50,
            "logs",
            50 * MB - 1,
            AuditUnwritable,
            ("has 49.9 MB free, and a run wants 50.0 MB", "log_dir (TICKETBOT_LOG_DIR)", "nothing is changed"),
        ),
        (1, "state", 0, StateUnusable, ("0 kB free", "state_dir (TICKETBOT_STATE_DIR)")),
    ],
)
def test_too_little_says_whose_room_is_missing(
    check: Callable[..., None],
    tmp_path: Path,
    least_mb: int,
    name: str,
    free: int,
    error: type[Exception],
    words: tuple[str, ...],
) -> None:
    with pytest.raises(error) as told:
        check(least_mb, **{name: free})
    for part in (str(tmp_path / name), *words):
        assert part in str(told.value)


# In a run


def full() -> None:
    raise AuditUnwritable("no room")


def test_a_run_without_room_asks_the_helpdesk_nothing_and_says_so_in_the_log(open_office: Open) -> None:
    office = open_office(a_ticket(1))

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

    assert office.run(room=full, dry_run=True).outcomes == {"planned": 1}


def test_without_a_switch_nothing_is_stopped(tmp_path: Path) -> None:
    KillSwitch().check()
    KillSwitch(tmp_path / "STOP").check()
    KillSwitch(tmp_path / "no such folder" / "STOP").check()


def test_the_file_stops_as_soon_as_it_is_there_and_no_longer(tmp_path: Path) -> None:
    file = tmp_path / "STOP"
    switch = KillSwitch(file)
    switch.check()
    file.touch()
    with pytest.raises(Halted, match="remove it") as halted:
        switch.check()
    assert str(file) in str(halted.value)
    file.unlink()
    switch.check()


def test_a_folder_or_a_dangling_link_of_that_name_stops_as_well(tmp_path: Path) -> None:
    (tmp_path / "folder").mkdir()
    with pytest.raises(Halted):
        KillSwitch(tmp_path / "folder").check()
    try:
        (tmp_path / "link").symlink_to(tmp_path / "nowhere")
    except OSError:
        pytest.skip("this system lets nobody make links")
    with pytest.raises(Halted):
        KillSwitch(tmp_path / "link").check()


@pytest.mark.parametrize(
    ("set_by", "release", "other"),
    [
        ("TICKETBOT_STOP", "set it to 0", "run.stop"),
        ("TICKETBOT_STOP (in .env)", "set it to 0", "run.stop"),
        ("run.stop in ticketbot.toml", "set it to false", "TICKETBOT_STOP"),
    ],
)
def test_a_setting_stops_without_any_file_and_the_message_names_that_one_only(
    tmp_path: Path, set_by: str, release: str, other: str
) -> None:
    with pytest.raises(Halted) as halted:
        KillSwitch(tmp_path / "STOP", set_by=set_by).check()
    assert set_by in str(halted.value)
    assert release in str(halted.value)
    assert other not in str(halted.value)


def test_a_file_that_cannot_be_looked_for_counts_as_there(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def forbidden(_path: Path) -> None:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(Path, "lstat", forbidden)
    with pytest.raises(Halted, match="let this user read its folder"):
        KillSwitch(tmp_path / "STOP").check()


# What ticketbot makes is for its own user; what was there before keeps its rights


posix = pytest.mark.skipif(os.name != "posix", reason="Windows keeps access lists instead")


@pytest.fixture(autouse=True)
def generous() -> Iterator[None]:
    """A user whose files everybody may read and write, unless a program says otherwise."""
    if os.name != "posix":
        yield
        return
    before = os.umask(0)
    yield
    os.umask(before)


def rights(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


@posix
def test_all_the_folders_that_had_to_be_made_are_private_and_the_others_stay_as_they_are(tmp_path: Path) -> None:
    shared = tmp_path / "shared"
    shared.mkdir(0o775)
    make_folder(shared / "ticketbot" / "account")
    assert [rights(path) for path in (shared, shared / "ticketbot", shared / "ticketbot" / "account")] == [
        0o775,
        0o700,
        0o700,
    ]
    make_folder(shared)
    assert rights(shared) == 0o775


def test_a_folder_that_is_there_is_enough(tmp_path: Path) -> None:
    make_folder(tmp_path)
    make_folder(Path())
    make_folder(tmp_path / "new" / ".." / "other")
    assert (tmp_path / "other").is_dir()


def test_what_stands_in_the_way_of_a_folder_is_an_error(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    for path in (tmp_path / "file", tmp_path / "file" / "below"):
        with pytest.raises(OSError, match="file"):
            make_folder(path)


@posix
def test_a_link_to_nowhere_is_an_error(tmp_path: Path) -> None:
    (tmp_path / "link").symlink_to(tmp_path / "gone")
    for path in (tmp_path / "link", tmp_path / "link" / "below"):
        with pytest.raises(OSError, match="link"):
            make_folder(path)


@posix
def test_a_new_file_is_private_and_an_old_one_stays_as_it_is(tmp_path: Path) -> None:
    (tmp_path / "old").touch(0o644)
    for name in ("new", "old"):
        with open(tmp_path / name, "w", encoding="utf-8", opener=opener) as file:
            file.write("x")
    assert rights(tmp_path / "new") == 0o600
    assert rights(tmp_path / "old") == 0o644
