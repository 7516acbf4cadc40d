"""What ticketbot makes is for its own user; what was there before keeps its rights."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator
from pathlib import Path

import pytest

from ticket_processor.core.files import make_folder, opener

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
