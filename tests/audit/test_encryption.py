"""Keys and encrypted lines: what must never repeat, and what belongs to one place only."""

from __future__ import annotations

import base64
import json
from typing import Any

import pytest

from ticket_processor.audit.encryption import DataKey, Keyring, is_as_closed, is_encrypted
from ticket_processor.audit.lines import key_id
from ticket_processor.core.errors import ConfigError

MASTER, OTHER = bytes(range(32)), bytes(32)
DAY = "2026-11-01"


def ring(*keys: bytes) -> Keyring:
    return Keyring([base64.b64encode(key).decode() for key in keys])


def header(described: dict[str, str], day: str = DAY) -> dict[str, Any]:
    return {"segment": day, "cipher": described}


def line(key: DataKey, data: bytes = b"a line\n", number: int = 0) -> dict[str, Any]:
    stored = key.closed(data, DAY, number)
    read: dict[str, Any] = json.loads(stored)
    assert is_encrypted(read)
    assert is_as_closed(stored, read)
    return read


def test_what_was_closed_is_opened_with_the_key_that_the_header_holds() -> None:
    described, key = ring(MASTER).new_key(DAY)
    again = ring(OTHER, MASTER).key_of(header(described))
    assert again is not None
    assert again.opened(line(key), DAY, 0) == b"a line\n"
    assert described["master"] == key_id(MASTER)


def test_no_two_files_share_a_key_and_no_two_wrappings_a_nonce() -> None:
    made = [ring(MASTER).new_key(DAY) for _ in range(50)]
    assert len({base64.b64decode(described["key"])[:12] for described, _ in made}) == 50
    closed = line(made[0][1])
    assert [key.opened(closed, DAY, 0) for _, key in made] == [b"a line\n", *[None] * 49]


def test_the_same_line_closed_twice_has_two_nonces() -> None:
    _, key = ring(MASTER).new_key(DAY)
    nonces = {base64.b64decode(line(key)["sealed"])[:12] for _ in range(50)}
    assert len(nonces) == 50


def test_a_key_is_of_its_day_and_a_line_of_its_place() -> None:
    described, key = ring(MASTER).new_key(DAY)
    assert ring(MASTER).key_of(header(described, "2026-11-02")) is None
    closed = line(key, number=3)
    assert key.opened(closed, DAY, 3) == b"a line\n"
    assert key.opened(closed, DAY, 4) is None
    assert key.opened(closed, "2026-11-02", 3) is None


def test_without_its_master_key_a_file_has_none() -> None:
    described, _ = ring(MASTER).new_key(DAY)
    assert ring(OTHER).key_of(header(described)) is None
    assert ring(MASTER).key_of({"segment": DAY}) is None


@pytest.mark.parametrize("text", ["not base64!", base64.b64encode(bytes(16)).decode()])
def test_what_is_no_key_is_refused_and_not_quoted(text: str) -> None:
    with pytest.raises(ConfigError, match="32 bytes in base64") as problem:
        Keyring([text])
    assert text not in str(problem.value)
