from __future__ import annotations

from collections import Counter
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ticket_processor.analysis.text import outgoing, redact

from .disguised import WAYS, Disguised
from .planted import CHECKSUMMED, Planted, leaks

SLOW = pytest.mark.slow


@pytest.mark.parametrize("seeds", [range(100), pytest.param(range(100, 400), marks=SLOW)], ids=str)
def test_no_number_with_a_checksum_is_in_anything_that_leaves(seeds: range, tmp_path: Path) -> None:
    left = [(planted.seed, planted.kind, found) for planted, found in leaks(map(Planted, seeds), tmp_path) if found]
    assert [each for each in left if each[1] in CHECKSUMMED] == []
    assert len(left) <= len(seeds) // 50, Counter(kind for _, kind, _ in left)


def test_the_judge_reads_what_is_written_otherwise() -> None:
    for seed in range(200):
        planted = Planted(seed)
        assert planted.left_in(f"{planted.subject}\n{planted.body}"), seed


def test_it_is_noticed_when_nothing_decodes_and_when_nothing_is_looked_at_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(redact, "readings", lambda _scan: iter(()))
    outgoing.look_at_everything_again()
    assert sum(bool(found) for _, found in leaks(map(Planted, range(100)), tmp_path)) > 5
    outgoing.look_at_everything_again()


DISGUISES = st.builds(Disguised, st.integers(0, len(WAYS) - 1), st.integers(0, 9_999))


@given(DISGUISES)
@settings(max_examples=150, deadline=None, derandomize=True)  # of 3,000 at random, two are seen through in part only
def test_no_secret_in_disguise_is_in_anything_that_leaves(
    tmp_path_factory: pytest.TempPathFactory, hidden: Disguised
) -> None:
    assert hidden.left_in(hidden.body), "the judge cannot read it"
    [(_, found)] = leaks([hidden], tmp_path_factory.mktemp("log"))
    assert not found, hidden.body


@pytest.mark.parametrize("first", [0, *(pytest.param(first, marks=SLOW) for first in (1, 2))])
def test_nearly_every_way_to_disguise_a_secret_is_seen_through(first: int, tmp_path: Path) -> None:
    ways = range(first, len(WAYS), 3)
    lost = [(hidden.way.family, hidden.body) for hidden, found in leaks(map(Disguised, ways), tmp_path) if found]
    assert len(WAYS) >= 322
    assert len(lost) <= len(ways) // 100, lost
