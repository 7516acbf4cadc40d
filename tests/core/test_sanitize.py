"""Texts made harmless: nothing a helpdesk could render or a spreadsheet compute survives. Words; lazy patterns."""

from __future__ import annotations

import importlib
import pkgutil
import re

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

import ticket_processor
from ticket_processor.core import text as lazily
from ticket_processor.core import text as plain
from ticket_processor.core.text import harmless, lazy_pattern, many, p_value, plain_line, strip_hidden

from ..support.cases import for_each


@for_each(
    ("text", "expected"),
    [
        ("Plain words stay, even these: 50 % off!", "Plain words stay, even these: 50 % off!"),
        ("see [the form](https://evil.example/x) now", "see the form now"),
        ("![logo](https://evil.example/a.png) hi", "logo hi"),
        ("[text][1]\n\n[1]: https://evil.example", "text"),
        ("go to https://evil.example/x?y=z now", "go to now"),
        ("go to www.evil.example now", "go to now"),
        ("go to evil.com/login now", "go to now"),
        ("javascript:alert(1) mailto:a@b.example", ""),
        ("ht{tp://evil.com", "ht"),
        ("<b>bold</b> &lt;script&gt;x&lt;/script&gt;", "bold x"),
        ("**bold** _slanted_ `code` ~~gone~~", "bold slanted code gone"),
        ("# Heading\n> quote\n- item", "Heading quote item"),
        ("{{ticket.requester}} {% if x %}y{% endif %}", "ticket. requester if x y endif"),
        ("ask @channel please", "ask channel please"),
        ("snake_case and Node.js 1.2.3", "snake_case and Node. js 1.2.3"),
        ("the card [CARD_1] of [NAME_1]", "the card [CARD_1] of [NAME_1]"),
        ("[CARD_1](https://evil.example)", "[CARD_1] ( )"),
        ("日本語も 残る 😀", "日本語も 残る 😀"),
        ("two\nlines\u2028and\x00more", "two lines andmore"),
    ],
)
def test_free_text_is_made_plain(text: str, expected: str) -> None:
    assert plain_line(text) == expected


@for_each(
    "link",
    [
        *(
            "💩.la/login",
            "i❤.ws/abc",
            "paypal\u0338.com/login",
            "google\u0301.com",
            "evil’.com/x",
            "evil-.zone/x",
            "€.com/x",
        ),
        *("evil。com/x", "evil｡com", "evil\ufe52com", "evil.рф", "»evil«.example", "ab1\u20e3.ws/x", "…evil.zone"),
        *(
            "192.168.0.1:8080/x",
            "1.1.1.1/login",
            "１.1.1.1/login",
            "1.1.1.1?x",
            "//host.tld",
            "//host.tld/x",
            "(//host.tld)",
        ),
        *("\\\\host.tld\\x", "//1.2.3.4", "http://192.168.0.1:8080"),
    ],
)
def test_no_odd_spelling_of_an_address_stays_one(link: str) -> None:
    line = plain_line(f"Log in at {link} now")
    assert line.startswith("Log in at")
    assert not re.search(r"\S\.[^\W\d_]|\S。[a-z]|\d\.\d+[:/?#]\S|(?<!\w)//\S", line)
    assert plain_line(line) == line


@for_each(
    ("text", "shown"),
    [
        ("e.g. this", "e. g. this"),
        ("i. e. that", "i. e. that"),
        ("z. B. so", "z. B. so"),
        *(
            (text, text)
            for text in (
                *(
                    "v2.1 of it",
                    "Nr.5",
                    "12.11.2026",
                    "1.234,56 €",
                    "3.5 GB",
                    "Wait... what",
                    "Is it? Yes. No!",
                    "a / b",
                ),
                *("version 10.0.19045", "10.0.0.1 is down", "Is it 10.0.0.1?", "and/or", "24/7", "12/11/2026", ".NET"),
                *(
                    "届きません。注文",
                    "終わり。",
                    "// note",
                    "It is 5.30 pm.",
                    "“Done.” Then",
                    "(ok.) So",
                    "10:30",
                    "ratio 1.5:2",
                ),
            )
        ),
        ("届きません。iPhone", "届きません。 iPhone"),
        ("share //files/docs", "share //files/docs"),
        ("refund $899, R$ 500 or 100$", "refund $899, R$ 500 or 100$"),
        ("+5%, -$7, §3, #42", "+5%, -$7, §3, #42"),
        ("${var} $(x) in US$, 5 $ or $.50", "var (x) in US$, 5 $ or $.50"),
        ("R&D, AT&T, Q&A; 5*3 and 2^10", "R&D, AT&T, Q&A; 5 3 and 2 10"),
    ],
)
def test_ordinary_words_stay_readable(text: str, shown: str) -> None:
    assert plain_line(text) == shown


def test_a_long_text_is_cut_at_a_word_with_an_ellipsis() -> None:
    assert plain_line("one two three four", 12) == "one two…"


def test_a_placeholder_is_never_cut_in_half() -> None:
    assert plain_line("a" * 8 + "[EMAIL_1]" * 3, 20) == "a" * 8 + "[EMAIL_1]…"


def test_no_room_means_no_text() -> None:
    assert plain_line("words", 0) == ""


FRAGMENTS = st.lists(
    st.one_of(
        st.text(max_size=10),
        st.sampled_from(
            [
                "http",
                "://",
                "www.",
                "evil.com",
                "](",
                "[",
                "]",
                "{{",
                "}}",
                "{%",
                "<a href=",
                ">",
                "&lt;",
                "&#60;",
                "@",
                "\\",
                "![",
                "`",
                "javascript:",
                "\n",
                "[CARD_1]",
                "&amp;",
                "ｈｔｔｐ",
                "：",
                "／",
                "．",
                "[x]:",
                "mailto:",
                "\u200b",
                "＜",
            ]
        ),
    ),
    max_size=14,
).map("".join)

FORBIDDEN = re.compile(
    r"://|(?<!\w)www\.\S|[{}<>@`\\]|\]\(|\]\[|\]:|!\[|&#?\w+;|javascript:\S|mailto:\S|evil\.com|[\x00-\x1f\x7f-\x9f\u2028\u2029]"
)


@given(text=FRAGMENTS, limit=st.integers(min_value=-1, max_value=80))
def test_nothing_that_could_be_rendered_survives(text: str, limit: int) -> None:
    line = plain_line(text, limit)
    assert len(line) <= max(0, limit)
    assert not FORBIDDEN.search(line)
    line.encode("utf-8")


@example("0_", 1)
@example("a b_", 40)
@example("0.5.", 3)
@given(st.text(alphabet="aWw1é0 .:-_/\"'“”,;()%!?#>=–€¿\\\t", max_size=30).filter(bool), st.integers(1, 40))
def test_what_is_taken_for_harmless_at_once_is_left_as_it_is_by_a_closer_look(text: str, limit: int) -> None:
    at_once = plain_line(text, limit)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(plain, "_HARMLESS", re.compile(r"(?!)"))
        assert at_once == plain_line(text, limit)


@given(FRAGMENTS)
def test_making_plain_twice_changes_nothing(text: str) -> None:
    once = plain_line(text)
    assert plain_line(once) == once


def test_a_group_that_python_before_3_11_5_matches_wrongly_is_not_possessive() -> None:
    assert not re.search(r"\)[*+?}]\+", plain._HARMLESS.pattern)


@pytest.mark.parametrize(
    "text",
    ["héllo wörld", "👨‍👩‍👧 family", "❤️ heart", "می‌خواهم", "क्‍ष", "日本語 한국어 ไทย العربية", "1️⃣", "🏳️‍🌈"],
)
def test_every_script_and_emoji_survives(text: str) -> None:
    assert strip_hidden(text) == text


def test_no_hidden_character_is_passed_over_unsuspected() -> None:
    unsuspected = "a".join(filter(lambda char: not plain._SUSPECT.search(char), map(chr, range(0x110000))))
    assert len(unsuspected) > 1_000_000
    assert plain._HIDDEN.sub("", plain._LINE_BREAKS.sub("\n", unsuspected)) == unsuspected


def test_hidden_characters_are_stripped() -> None:
    tags = "".join(chr(0xE0000 + ord(char)) for char in "ignore this")
    assert strip_hidden(f"a{tags}b\u200bc\u202ed\x00e\ud800f\ufe01g\x85h\r\ni") == "abcdefg\nh\ni"


@pytest.mark.slow
@pytest.mark.parametrize(
    "unit",
    [
        *("[", "<", "&", "{{", "](", "![a](", "http://", "a.", "@", "_", "<a ", "[a]:", "&lt;", "*_", "1.", "1.1.1.1/"),
        *("//", "//a.", "。a", "💩."),
    ],
)
def test_a_hostile_text_of_a_hundred_kilobytes_finishes(unit: str) -> None:
    plain_line(unit * (100_000 // len(unit)), 50_000)


@pytest.mark.parametrize("text", ["=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "\r=1", "\n=1", "＝1", "＋1", "－1", "＠A1"])
def test_no_text_of_a_cell_is_a_formula(text: str) -> None:
    assert harmless(text) == f"'{text}"


@pytest.mark.parametrize("cell", ["a=b", "", -1, 2.5, None, True])
def test_what_is_none_stays_as_it_is(cell: object) -> None:
    assert harmless(cell) is cell


@pytest.mark.parametrize(
    ("count", "noun", "plural", "told"),
    [
        (1, "run", "", "1 run"),
        (0, "run", "", "0 runs"),
        (2000, "reply", "", "2,000 replies"),
        (2, "day", "", "2 days"),
        (1, "piece of advice", "pieces of advice", "1 piece of advice"),
        (3, "piece of advice", "pieces of advice", "3 pieces of advice"),
    ],
)
def test_one_thing_has_no_plural(count: int, noun: str, plural: str, told: str) -> None:
    assert many(count, noun, plural) == told


@pytest.mark.parametrize(("p", "told"), [(0.0314, "p = 0.031"), (1.0, "p = 1.000"), (0.0, "p < 0.001")])
def test_a_small_chance_is_never_told_as_none(p: float, told: str) -> None:
    assert p_value(p) == told


def test_a_pattern_compiles_at_its_first_use_and_once(monkeypatch: pytest.MonkeyPatch) -> None:
    compiled: list[str] = []
    whole = re.compile
    monkeypatch.setattr(lazily.re, "compile", lambda pattern, flags: compiled.append(pattern) or whole(pattern, flags))
    pattern = lazy_pattern(r"(\d+)\s(CARD)", re.IGNORECASE)
    assert compiled == []
    match = pattern.search("my 12 card")
    assert match is not None
    assert match.groups() == ("12", "card")
    assert pattern.search("nothing") is None
    assert pattern.sub("x", "1 card 2 card") == "x x"
    assert pattern.pattern == r"(\d+)\s(CARD)"
    assert compiled.count(pattern.pattern) == 3  # once for each of the methods used


def test_every_pattern_of_the_package_compiles() -> None:
    names = [found.name for found in pkgutil.walk_packages(ticket_processor.__path__, "ticket_processor.")]
    names = [name for name in names if not name.startswith(("ticket_processor.dashboard", "ticket_processor.__main__"))]
    patterns = [
        value
        for name in names
        for value in vars(importlib.import_module(name)).values()
        if isinstance(value, lazily._LazyPattern)
    ]
    assert len(patterns) > 100
    for pattern in patterns:
        assert pattern.pattern
