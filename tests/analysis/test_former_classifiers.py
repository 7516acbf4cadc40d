"""Former classifiers: kept for as long as the last few retrainings, and put back whole or not at all."""

from __future__ import annotations

from pathlib import Path

import pytest

from ticket_processor.analysis.classifier.storage import (
    MOST_FORMER,
    Description,
    check,
    put_back,
    read_description,
    version,
    write,
)
from ticket_processor.core.errors import ConfigError

np = pytest.importorskip("numpy", reason="the classifier needs the extra 'ml'")
pytest.importorskip("skops", reason="the classifier needs the extra 'ml'")


def store(folder: Path, number: int, *, keep_former: bool = True) -> str:
    description = Description(
        ticketbot="0", trained_at="", rows=number, source="a test", taxonomy=("general",), tasks={}
    )
    write(folder, description, {"features": {"idf": np.full(3, number)}}, keep_former=keep_former)
    return version(folder)


def test_the_former_one_is_put_back_with_its_weights_and_so_is_the_one_before(tmp_path: Path) -> None:
    first, second, third = (store(tmp_path, number) for number in range(3))
    put_back(tmp_path, second, third)
    assert version(tmp_path) == second
    put_back(tmp_path, second, third)  # a second time changes nothing
    put_back(tmp_path, first, second)
    assert read_description(tmp_path).rows == 0
    assert check(tmp_path, read_description(tmp_path)).is_file()
    put_back(tmp_path, "", first)
    assert version(tmp_path) == ""


def test_one_that_was_trained_since_stays(tmp_path: Path) -> None:
    first, second = (store(tmp_path, number) for number in range(2))
    third = store(tmp_path, 2, keep_former=False)
    with pytest.raises(ConfigError, match="trained anew"):
        put_back(tmp_path, first, second)
    assert version(tmp_path) == third


def test_only_the_last_few_are_kept_and_an_older_one_is_not_half_put_back(tmp_path: Path) -> None:
    made = [store(tmp_path, number) for number in range(MOST_FORMER + 3)]
    assert len([*tmp_path.glob("former-*.json")]) == MOST_FORMER
    assert len([*tmp_path.glob("weights-*.skops")]) == MOST_FORMER + 1
    with pytest.raises(ConfigError, match="no longer"):
        put_back(tmp_path, made[0], made[-1])
    assert version(tmp_path) == made[-1]
    assert {path.name[:6] for path in tmp_path.iterdir()} == {"former", "weight", "classi"}
