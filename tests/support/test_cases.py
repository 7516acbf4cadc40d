"""Cases that are folded into one test are all run, and the one that fails is named."""

from __future__ import annotations

from pathlib import Path

import pytest

from .cases import for_each


def test_all_cases_are_run_with_the_fixtures_and_the_one_that_fails_is_named(tmp_path: Path) -> None:
    run: list[tuple[int, str]] = []

    @for_each("number", [1, 7])
    @for_each(("word", "length"), [("a", 1), ("bc", 2)])
    def odd(folder: Path, number: int, word: str, length: int) -> None:
        assert folder.is_dir()
        assert len(word) == length
        run.append((number, word))
        assert (number, word) != (7, "bc")

    with pytest.raises(AssertionError) as failed:
        odd(folder=tmp_path)
    assert run == [(1, "a"), (1, "bc"), (7, "a"), (7, "bc")]
    assert failed.value.__notes__ == ["the case: {'word': 'bc', 'length': 2}", "the case: {'number': 7}"]
