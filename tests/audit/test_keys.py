"""The key that seals the log is made once, for its owner only, and never half."""

from __future__ import annotations

import string
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path

import pytest

from ticket_processor.audit.files import KEY_FILE, KEY_VARIABLE, log_keys
from ticket_processor.core.errors import CannotRun, StateUnusable

from ..support.bad_disk import KINDS, Died, Disk, Dying, Failing, Kind


def test_without_a_key_one_is_made_and_found_again(tmp_path: Path) -> None:
    folder = tmp_path / "not" / "there"
    (key,) = log_keys((), folder)
    assert len(key) == 64
    assert set(key.decode()) <= set(string.hexdigits)
    assert log_keys((), folder) == (key,)
    assert log_keys((), tmp_path / "elsewhere") != (key,)


def test_keys_that_are_given_come_first_and_make_no_file(tmp_path: Path) -> None:
    assert log_keys(("first of them all", "the second of them"), tmp_path) == (
        b"first of them all",
        b"the second of them",
    )
    assert list(tmp_path.iterdir()) == []


def test_the_key_of_the_file_still_opens_what_was_sealed_before_another_was_given(tmp_path: Path) -> None:
    (made,) = log_keys((), tmp_path)
    assert log_keys(("another, from outside",), tmp_path) == (b"another, from outside", made)
    assert log_keys((made.decode(),), tmp_path) == (made,)


@pytest.mark.parametrize("content", [b"", b"\n", b"  \r\n"])
def test_an_empty_file_is_replaced(tmp_path: Path, content: bytes) -> None:
    (tmp_path / KEY_FILE).write_bytes(content)
    (key,) = log_keys((), tmp_path)
    assert len(key) == 64
    assert log_keys((), tmp_path) == (key,)


@pytest.mark.parametrize("content", [b"a1b2", b"\xff\xfe\x00", bytes(65), b"a key in\ntwo lines of it\n"])
def test_a_damaged_file_is_told_and_stays_as_it_is(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / KEY_FILE
    path.write_bytes(content)
    with pytest.raises(CannotRun) as told:
        log_keys((), tmp_path)
    assert str(path) in str(told.value)
    assert "damaged" in str(told.value)
    assert KEY_VARIABLE in str(told.value)
    assert path.read_bytes() == content


def test_a_state_folder_that_is_a_file_is_told_with_what_to_do(tmp_path: Path) -> None:
    (tmp_path / "state").write_text("", encoding="utf-8")
    with pytest.raises(CannotRun, match="state is a file, not a folder"):
        log_keys((), tmp_path / "state")


def operations(folder: Path) -> int:
    disk = Disk(folder)
    with disk.at_work():
        log_keys((), folder)
    return len(disk.operations)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("once", [True, False], ids=["once", "for good"])
def test_a_disk_that_fails_at_any_point_leaves_no_half_a_key(tmp_path: Path, kind: Kind, once: bool) -> None:
    for number in range(1, operations(tmp_path / "counted") + 1):
        folder = tmp_path / str(number)
        disk = Failing(number, kind, folder, once=once)
        given: tuple[bytes, ...] = ()
        with disk.at_work(), suppress(StateUnusable):
            given = log_keys((), folder)
        (key,) = log_keys((), folder)
        assert len(key) == 64, disk.operations
        assert given in ((), (key,)), disk.operations


@pytest.mark.parametrize("when", ["before", "after", "half"])
def test_a_process_that_dies_at_any_point_leaves_no_half_a_key(tmp_path: Path, when: str) -> None:
    for number in range(1, operations(tmp_path / "counted") + 1):
        folder = tmp_path / str(number)
        disk = Dying(number, when, folder)
        with disk.at_work(), suppress(Died):
            log_keys((), folder)
        (key,) = log_keys((), folder)
        assert len(key) == 64, disk.operations


def test_many_that_begin_at_once_have_one_key(tmp_path: Path) -> None:
    with ThreadPoolExecutor(8) as pool:
        keys = set(pool.map(lambda _: log_keys((), tmp_path), range(40)))
    assert keys == {log_keys((), tmp_path)}
