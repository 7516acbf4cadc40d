"""``ticketbot redact``: the real command, in a folder without any setting."""

from __future__ import annotations

import gzip
import json
import subprocess
import sys

import pytest

from .conftest import Command

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


@pytest.mark.parametrize("packed", [False, True])
def test_each_row_of_a_file_of_tickets_is_a_text_of_its_own(bare: Command, packed: bool) -> None:
    rows = [
        {"id": 7, "subject": "Grüße von Jürgen", "body": "a@b.example", "names": ["Jürgen Groß"]},
        {"id": 8, "body": "c@d.example and a@b.example"},
        {"subject": "nothing", "body": None},
    ]
    data = "\n".join(json.dumps(row, ensure_ascii=False) for row in rows).encode()
    name = "tickets.jsonl.gz" if packed else "tickets.jsonl"
    (bare.folder / name).write_bytes(gzip.compress(data) if packed else data)
    shown = bare("redact", name, "--json").object
    assert [(text.get("id"), text["text"]) for text in shown["texts"]] == [
        (7, "Grüße von [NAME_1]\n[EMAIL_1]"),
        (8, "[EMAIL_1] and [EMAIL_2]"),
        (None, "nothing"),
    ]
    assert shown["counts"] == {"EMAIL": 3, "NAME": 1}


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
        ("bad.jsonl", b'{"body": "a@b.example"}\n{"body": "secret', "bad.jsonl, line 2: not a JSON object"),
        ("list.jsonl", b"[1]", "list.jsonl, line 1: not a JSON object"),
        ("empty.jsonl", b'{"text": "x"}', "line 1: neither subject nor body is a text"),
        ("bad.jsonl.gz", b"no gzip", "bad.jsonl.gz cannot be read: not a whole gzip file"),
    ],
)
def test_a_file_that_cannot_be_used_is_a_sentence_and_exit_code_2(
    bare: Command, name: str, data: bytes | None, told: str
) -> None:
    if data is not None:
        (bare.folder / name).write_bytes(data)
    ended = bare("redact", name, code=2)
    assert told in ended.err
    assert "secret" not in ended.err
    assert len(ended.err.splitlines()) == 1


def test_an_unknown_level_is_refused(bare: Command) -> None:
    (bare.folder / "mail.txt").write_text("x", encoding="utf-8")
    assert (
        "'all' is not one of 'secrets', 'standard', 'strict'"
        in bare("redact", "mail.txt", "--level", "all", code=2).err
    )
