"""``ticketbot analyse``, one ticket's way through the chain; and ``ticketbot redact``, which needs no setting."""

from __future__ import annotations

import gzip
import subprocess
import sys

import pytest

from .conftest import Command, Desk


def test_machine_mail_is_said_to_be_skipped_by_a_run(bare: Command) -> None:
    shown = bare("analyse", "-", said="Out of office\nI am out of the office until Monday.").out
    assert shown.startswith("A run would skip this: machine mail")


def test_wrong_usage_is_told_in_a_sentence(desk: Desk) -> None:
    for wrong in ("abc", "²"):
        assert "number, or -" in desk("analyse", wrong, code=2).err
    assert "there is no ticket 99" in desk("analyse", "99", code=2).err
    assert "empty" in desk("analyse", "-", said="", code=2).err


def test_text_in_utf_8_is_read_whatever_the_locale_says(bare: Command) -> None:
    shown = bare("analyse", "-", said="Вход\nНе могу войти в аккаунт", PYTHONIOENCODING="cp1252")
    assert "Не могу войти" in shown.out


def test_hostile_input_is_a_text_like_any_other(bare: Command) -> None:
    for text in ('{"a":' * 50_000, "same line\n" * 20_000):
        bare("analyse", "-", said=text)


def test_standard_input_is_read_as_utf_8(bare: Command) -> None:
    ended = subprocess.run(
        [sys.executable, "-m", "ticket_processor", "redact", "-"],
        input="Müller schrieb an müller@exämple.de".encode(),
        capture_output=True,
        cwd=bare.folder,
        check=True,
    )
    assert ended.stdout.decode().startswith("Müller schrieb an [EMAIL_1]")


def test_what_lies_past_the_limit_is_dropped_and_said_to_be(bare: Command) -> None:
    (bare.folder / "long.txt").write_text("x " * 60_000, encoding="utf-8")
    assert "120000 characters" in bare("redact", "long.txt").err


def test_a_text_that_ends_within_a_character_where_reading_ends_is_shown(bare: Command) -> None:
    assert "2500000 characters" in bare("redact", "-", said="x" + "é" * 2_600_000).err


@pytest.mark.parametrize(
    ("name", "data", "told"),
    [
        ("missing.txt", None, "missing.txt cannot be read"),
        ("latin.txt", "Grüße".encode("latin-1"), "latin.txt is not UTF-8 text"),
        (
            "text.txt.gz",
            gzip.compress(b"a@b.example", mtime=0),
            "text.txt.gz is not UTF-8 text; a packed text has to be unpacked",
        ),
    ],
)
def test_a_file_that_cannot_be_used_is_a_sentence_and_exit_code_2(
    bare: Command, name: str, data: bytes | None, told: str
) -> None:
    if data is not None:
        (bare.folder / name).write_bytes(data)
    ended = bare("redact", name, code=2)
    assert told in ended.err
    assert len(ended.err.splitlines()) == 1
