from __future__ import annotations

import base64
import json
import shutil
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest

from ticket_processor.audit.files import KEY_FILE, KEY_VARIABLE, events, log_keys
from ticket_processor.audit.lines import Keyring, LineCipher, is_as_closed, is_encrypted, key_id
from ticket_processor.audit.receipts import check_encryption
from ticket_processor.audit.verify import check
from ticket_processor.audit.writer import Head, LogWriter
from ticket_processor.core.errors import CannotRun, ConfigError, StateUnusable

from ..support.bad_disk import KINDS, Died, Disk, Dying, Failing, Kind


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


# Encrypted lines


KEY, OTHER = bytes(range(32)), bytes(32)
DAY = "2026-11-01"


def ring(*keys: bytes) -> Keyring:
    return Keyring([base64.b64encode(key).decode() for key in keys])


def header(described: dict[str, str], day: str = DAY) -> dict[str, Any]:
    return {"segment": day, "cipher": described}


def line(cipher: LineCipher, data: bytes = b"a line\n", number: int = 0) -> dict[str, Any]:
    stored = cipher.closed(data, DAY, number)
    read: dict[str, Any] = json.loads(stored)
    assert is_encrypted(read)
    assert is_as_closed(stored, read)
    return read


def test_a_line_is_closed_with_the_first_key_and_opened_with_it_in_any_place() -> None:
    described, cipher = ring(KEY, OTHER).newest()
    assert described["key_id"] == key_id(KEY)
    again = ring(OTHER, KEY).cipher_of(header(described))
    assert again is not None
    assert again.opened(line(cipher), DAY, 0) == b"a line\n"


def test_without_its_key_no_line_is_opened() -> None:
    described, cipher = ring(KEY).newest()
    assert ring(OTHER).cipher_of(header(described)) is None
    assert ring(KEY).cipher_of({"segment": DAY}) is None
    other = ring(OTHER).newest()[1]
    assert other.opened(line(cipher), DAY, 0) is None


def test_the_same_line_closed_twice_has_two_nonces() -> None:
    _, cipher = ring(KEY).newest()
    assert len({base64.b64decode(line(cipher)["sealed"])[:12] for _ in range(50)}) == 50


def test_a_line_is_of_its_day_and_place() -> None:
    _, cipher = ring(KEY).newest()
    closed = line(cipher, number=3)
    assert cipher.opened(closed, DAY, 3) == b"a line\n"
    assert cipher.opened(closed, DAY, 4) is None
    assert cipher.opened(closed, "2026-11-02", 3) is None


EARLIER = Path(__file__).with_name("earlier_log")
"""As earlier versions wrote it: in the clear, encrypted with a key for each file, in the clear again, another key."""
KEYS = (bytes(range(32, 64)), bytes(range(32)))
SEALED_WITH = b"the key that seals the log"


@pytest.fixture
def earlier(tmp_path: Path) -> Path:
    return Path(shutil.copytree(EARLIER, tmp_path / "logs"))


def test_a_log_that_an_earlier_version_encrypted_is_read_verified_and_goes_on(earlier: Path) -> None:
    head = Head.parse("2026-11-21:3:93b51c82b9314951c3fa5c870dd71dcf")
    assert check(earlier, [SEALED_WITH], ring(*KEYS), [("--anchor", head)]).holds
    check_encryption(earlier, "2026-11-21", ring(*KEYS))
    writer = LogWriter(earlier, SEALED_WITH, ring(*KEYS))
    for day in ("2026-11-21", "2026-11-22"):
        writer.append(day, [{"event": "ticket", "ticket_id": 7}])
    writer.close()
    assert [read["ticket_id"] for _, read in events(earlier, keys=ring(*KEYS))] == [1, 2, 3, 4, 5, 6, 7, 7]
    assert check(earlier, [SEALED_WITH], ring(*KEYS), [("--anchor", head)]).holds


def test_an_encrypted_line_of_an_earlier_version_that_was_changed_is_noticed(earlier: Path) -> None:
    file = earlier / "ticketbot-2026-11-21.jsonl"
    first, second, third = file.read_bytes().splitlines(keepends=True)
    file.write_bytes(first + third + second)
    assert not check(earlier, [SEALED_WITH], ring(*KEYS)).holds


@pytest.mark.parametrize("text", ["not base64!", base64.b64encode(bytes(16)).decode()])
def test_what_is_no_key_is_refused_and_not_quoted(text: str) -> None:
    with pytest.raises(ConfigError, match="32 bytes in base64") as problem:
        Keyring([text])
    assert text not in str(problem.value)
