"""The ledger of mutants does not rot: each of its faults can still be made. ``scripts/mutants.py`` makes them."""

from __future__ import annotations

import runpy
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
MODULE = runpy.run_path(str(ROOT / "scripts" / "mutants.py"))


def test_every_mutant_has_its_place_in_the_program_and_its_tests() -> None:
    mutants = MODULE["read"]()
    assert {each.name: each.trouble(ROOT) for each in mutants if each.trouble(ROOT)} == {}
    assert [each.name for each in mutants if each.old == each.new] == []
    assert len({each.name for each in mutants}) == len(mutants) >= 120


@pytest.mark.slow
@pytest.mark.parametrize(
    ("old", "new", "end"),
    [
        ("= 1", "= 2", "died"),
        ("= 1", "= 2 - 1", "SURVIVED"),
        ("= 1", "= (", "the tests did not run"),
        ("= 3", "= 4", "old text is not there: aim it again"),
    ],
)
def test_a_mutant_dies_where_a_test_fails_and_the_program_is_as_before(
    tmp_path: Path, old: str, new: str, end: str
) -> None:
    (tmp_path / "program.py").write_text("value = 1\n")
    (tmp_path / "test_program.py").write_text("import program\n\n\ndef test_it():\n    assert program.value == 1\n")
    (tmp_path / "pytest.ini").write_text("[pytest]\n")
    mutant = MODULE["Mutant"]("a fault", "program.py", old, new, ("test_program.py",))
    assert MODULE["judged"](mutant, tmp_path).startswith(end)
    assert (tmp_path / "program.py").read_text() == "value = 1\n"
