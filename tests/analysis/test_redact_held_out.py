"""A table of invented texts in many languages: what stands between ``<<`` and ``>>`` goes, everything else stays.

Every number is made up (checksums fitted by hand), every key is put together from pieces so that no scanner takes
this file for a leak.
"""

from __future__ import annotations

import re
from pathlib import Path

from ticket_processor.analysis.text.redact import redact
from ticket_processor.core.text import RedactionLevel

from ..support.cases import for_each

SECRETS, STANDARD, STRICT = RedactionLevel

KEYS = [
    "gl" + "pat-" + "x1Y2z3A4b5C6d7E8f9G0",
    "xo" + "xp-" + "1234567890-abcdefABCDEF",
    "S" + "G." + "ngeVfQFYQlKU0ufo8x5d1A.TwL2iGABf9DHoTf09kqeF8tAmbihYzrnopKc",
    "AI" + "za" + "SyA1b2C3d4E5f6G7h8I9j0K1l2M3n4O5p6",
    "sk-" + "proj-" + "abcd1234efgh5678ijkl9012",
    "sk-" + "ant-" + "api03-abcd1234efgh5678ijkl",
    "rk_" + "live_" + "51H8abcdEFGH1234",
    "github_" + "pat_" + "11ABCDEFG0abcdefghij_klmnop",
    "np" + "m_" + "abcdefghijklmnopqrstuvwxyz0123456789",
    "h" + "vs." + "CAESIJabcdefghijklmnop1234",
    "dckr_" + "pat_" + "abcdefghijklmnopqrstuvwx12",
    "AS" + "IA" + "Y34FZKBOKMUTVV7A",
    "shp" + "at_" + "c0ffee00c0ffee00c0ffee00c0ffee00",
    "hf" + "_" + "abcdefghijklmnopqrstuvwxyzABCDEF12",
    "key" + "-" + "3ax6xnjp29jd6fds4gc373sgvjxteol0".translate(str.maketrans("xnjpsgvtol", "a1b2c3d4e5")),
    "ey" + "JhbGciOiJIUzI1NiJ9.eyJzdWIiOiI0MiJ9.c2lnbmF0dXJl",
    "-----BEGIN " + "OPENSSH PRIVATE KEY-----\nb3BlbnNzaC1rZXk\n-----END OPENSSH PRIVATE KEY-----",
    "-----BEGIN " + "PGP MESSAGE-----\n\nhQEMA1\n-----END PGP MESSAGE-----",
]


def _tables() -> dict[str, list[str]]:
    """The lines of each section of ``held_out.txt``."""
    found: dict[str, list[str]] = {}
    for line in Path(__file__).with_name("held_out.txt").read_text(encoding="utf-8").splitlines():
        if line.startswith("## "):
            found[line[3:]] = section = []
        elif line and found:
            section.append(line)
    return found


TABLES = _tables()
STAYS = TABLES["stays"]


def _rows(section: str) -> list[tuple[str, ...]]:
    return [tuple(line.split(" | ", 1)) for line in TABLES[section]]


def _expected(kind: str, marked: str) -> tuple[str, str]:
    """The text, and what redaction makes of it: each marked value numbered in order."""
    marked = marked.replace("\\n", "\n")
    values = list(dict.fromkeys(re.findall(r"<<(.*?)>>", marked)))
    expected = marked
    for number, value in enumerate(values, start=1):
        expected = expected.replace(f"<<{value}>>", f"[{kind}_{number}]")
    return marked.replace("<<", "").replace(">>", ""), expected


@for_each(("kind", "marked"), _rows("every level"))
def test_what_is_worth_stealing_goes_at_every_level(kind: str, marked: str) -> None:
    text, expected = _expected(kind, marked)
    assert [redact(text, level=level).text for level in RedactionLevel] == [expected] * 3


@for_each("key", KEYS)
@for_each("level", list(RedactionLevel))
def test_a_key_goes_at_every_level_and_the_words_around_it_stay(key: str, level: RedactionLevel) -> None:
    assert redact(f"it was {key} in the log", level=level).text == "it was [SECRET_1] in the log"


@for_each(("kind", "marked"), _rows("standard"))
def test_what_tells_who_or_where_somebody_is_goes_from_standard_on(kind: str, marked: str) -> None:
    text, expected = _expected(kind, marked)
    assert [redact(text, level=level).text for level in (SECRETS, STANDARD)] == [text, expected]
    assert expected == redact(text, level=STRICT).text


@for_each(("kind", "marked"), _rows("strict"))
def test_links_handles_customer_numbers_and_signatures_go_at_the_strict_level_only(kind: str, marked: str) -> None:
    text, expected = _expected(kind, marked)
    assert [redact(text, level=level).text for level in RedactionLevel] == [text, text, expected]


@for_each("text", STAYS)
def test_what_only_looks_personal_stays(text: str) -> None:
    assert [redact(text, level=level).text for level in (SECRETS, STANDARD)] == [text, text]


@for_each("text", [line for line in STAYS if "http" not in line])
def test_orders_dates_and_amounts_stay_at_the_strict_level_too(text: str) -> None:
    assert redact(text, level=STRICT).text == text
