"""Scripts: the ledger of mutants does not rot, and what a release is made of."""

from __future__ import annotations

import configparser
import re
import runpy
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]


def test_whatever_a_user_can_install_has_a_tested_version() -> None:
    pinned = {
        _plain(line.partition("==")[0]) for line in (ROOT / "constraints.txt").read_text(encoding="utf-8").splitlines()
    }
    described = configparser.ConfigParser(interpolation=None)
    described.read(ROOT / "setup.cfg", encoding="utf-8")
    needed = [described["options"]["install_requires"], *described["options.extras_require"].values()]
    names = {
        _plain(match[0])
        for text in needed
        for line in text.splitlines()
        if (match := re.match(r"[A-Za-z][A-Za-z0-9._-]*", line))
    }
    assert {"typer", "duckdb", "catboost", "xgboost", "xgboost-cpu"} <= names
    assert names <= pinned


@pytest.mark.parametrize("name", ["requests", "urllib3", "openai", "pydantic", "apprise", "streamlit"])
def test_no_major_version_comes_in_that_is_likely_to_break_something(name: str) -> None:
    assert re.search(rf"^    {name}>=\d+(?:\.\d+)*,<\d+$", (ROOT / "setup.cfg").read_text(encoding="utf-8"), re.M)


def test_scripts_and_pages_name_no_extra_that_is_not_there() -> None:
    described = configparser.ConfigParser(interpolation=None)
    described.read(ROOT / "setup.cfg", encoding="utf-8")
    there = set(described["options.extras_require"])
    files = [*(ROOT / "scripts").glob("*.py"), *(ROOT / "docs").glob("*.md"), ROOT / "README.md", ROOT / "Dockerfile"]
    named = set()
    for file in files:
        text = file.read_text(encoding="utf-8")
        named |= set(re.findall(r'"\.\[(\w+)\]"', text)) | set(re.findall(r"how_to_install\('(\w+)'\)", text))
    assert {"ops", "ml", "dev"} <= named <= there


def _plain(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


# The ledger of mutants does not rot


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
