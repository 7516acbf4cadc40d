"""Cases that are folded into one test are all run, and the one that fails is named."""

from __future__ import annotations

from pathlib import Path

import pytest

from .cases import for_each

RUN: list[tuple[int, str]] = []


@for_each("number", [1, 2])
@for_each(("word", "length"), [("a", 1), ("bc", 2)])
def test_every_case_meets_the_fixtures(tmp_path: Path, number: int, word: str, length: int) -> None:
    assert tmp_path.is_dir()
    assert len(word) == length
    RUN.append((number, word))


def test_all_of_them_were_run() -> None:
    RUN.clear()
    test_every_case_meets_the_fixtures(tmp_path=Path())
    assert RUN == [(1, "a"), (1, "bc"), (2, "a"), (2, "bc")]


def test_the_case_that_fails_is_named() -> None:
    @for_each("number", [1, 7])
    def odd(number: int) -> None:
        assert number < 5

    with pytest.raises(AssertionError) as failed:
        odd()
    assert failed.value.__notes__ == ["the case: {'number': 7}"]
