"""The bill of materials is about everything that a user can install, and each part of that has a tested version."""

from __future__ import annotations

import configparser
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


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
