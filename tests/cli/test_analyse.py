"""``ticketbot analyse``, one ticket's way through the chain; and ``ticketbot redact``, which needs no setting."""

from __future__ import annotations

import gzip
import subprocess
import sys
from typing import Any

import pytest

from .conftest import Command, Desk

MAIL = """Charged twice
Hello,
I was charged twice, my mail is jane.doe@example.com and my card 4111 1111 1111 1111.

--
Jane Doe
On Mon, 3 Nov 2026 at 10:00, Support <help@example.com> wrote:
> How can we help?
"""


def test_each_step_of_a_text_from_standard_input_is_shown(bare: Command) -> None:
    shown = bare("analyse", "-", said=MAIL).out
    assert "> How can we help?" in shown.split("2. Redacted")[0]
    redacted = shown.split("2. Redacted")[1].split("4. The chain")[0]
    assert "[EMAIL_1]" in redacted
    assert "[CARD_1]" in redacted
    assert "jane.doe" not in redacted
    assert "4111" not in redacted
    assert "rules: answered" in shown
    assert "category: billing" in shown
    assert "+ tag ai_billing" in shown
    assert "note | Triage: billing" in shown


def test_the_steps_as_one_object(bare: Command) -> None:
    told: Any = bare("analyse", "-", "--json", said="Help\nThe app crashes.").object
    assert told["analysis"]["category"] == "technical"
    assert told["chain"][-1] == {"link": "rules", "answered": True, "reason": None, "ms": told["chain"][-1]["ms"]}
    assert "ai_technical" in told["decision"]["tags"]
    assert told["redacted"]["standard"]["text"].startswith("Help\n")


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


LINE = "Hi, Anna Schmidt here, anna@example.com, card 4111 1111 1111 1111, order 4711, see https://example.com/x"


def test_a_text_is_shown_as_it_would_leave_with_the_counts_below(bare: Command) -> None:
    (bare.folder / "mail.txt").write_text(LINE, encoding="utf-8")
    ended = bare("redact", "mail.txt", "--name", "Anna Schmidt")
    assert ended.out.splitlines() == [
        "Hi, [NAME_1] here, [EMAIL_1], card [CARD_1], order 4711, see https://example.com/x",
        "",
        "replaced at level standard: 1 CARD, 1 EMAIL, 1 NAME",
    ]
    assert ended.err == ""


@pytest.mark.parametrize(
    ("level", "counts"),
    [
        ("secrets", {"CARD": 1}),
        ("standard", {"CARD": 1, "EMAIL": 1}),
        ("strict", {"CARD": 1, "EMAIL": 1, "URL": 1}),
    ],
)
def test_the_level_decides_and_json_says_so(bare: Command, level: str, counts: dict[str, int]) -> None:
    (bare.folder / "mail.txt").write_text(LINE, encoding="utf-8")
    shown = bare("redact", "mail.txt", "--level", level, "--json").object
    assert (shown["level"], shown["counts"]) == (level, counts)
    assert [text["counts"] for text in shown["texts"]] == [counts]


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
