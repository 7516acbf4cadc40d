"""The ledger of mutants does not rot: each of its faults can still be made. ``scripts/mutants.py`` makes them."""

from __future__ import annotations

import runpy
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]


def test_every_mutant_has_its_place_in_the_program_and_its_tests() -> None:
    mutants = runpy.run_path(str(ROOT / "scripts" / "mutants.py"))["read"]()
    assert {each.name: each.trouble(ROOT) for each in mutants if each.trouble(ROOT)} == {}
    assert [each.name for each in mutants if each.old == each.new] == []
    assert len({each.name for each in mutants}) == len(mutants) >= 120
