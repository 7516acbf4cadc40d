"""Secrets that are planted in tickets are in nothing that leaves: a few hundred here, the rest by the script."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import pytest

from ticket_processor.analysis.text import outgoing, redact

from .planted import CHECKSUMMED, Planted, leaks

SEEDS = range(400)


def test_no_number_with_a_checksum_is_in_anything_that_leaves(tmp_path: Path) -> None:
    left = [(planted.seed, planted.kind, found) for planted, found in leaks(SEEDS, tmp_path) if found]
    assert [each for each in left if each[1] in CHECKSUMMED] == []
    assert len(left) <= len(SEEDS) // 50, Counter(kind for _, kind, _ in left)


def test_the_judge_reads_what_is_written_otherwise() -> None:
    for seed in range(200):
        planted = Planted(seed)
        assert planted.left_in(f"{planted.subject}\n{planted.body}"), seed


def test_it_is_noticed_when_nothing_decodes_and_when_nothing_is_looked_at_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(redact, "readings", lambda _text, *, digits: iter(()))
    outgoing.leaving.cache_clear()
    assert sum(bool(found) for _, found in leaks(range(100), tmp_path)) > 5
    outgoing.leaving.cache_clear()
