"""The map of the house names every entry of the package, and no other."""

from __future__ import annotations

import re
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
UNLISTED = {"__init__.py", "__main__.py", "py.typed", "__pycache__"}


def test_every_entry_of_the_package_is_on_the_map_and_no_other() -> None:
    page = (ROOT / "docs" / "architecture.md").read_text(encoding="utf-8")
    table = page[page.index("| Entry of `ticket_processor/`") :].split("\n\n")[0]
    listed = set(re.findall(r"^\| `([^`]+)` \|", table, re.MULTILINE))
    there = {path.name + "/" * path.is_dir() for path in (ROOT / "ticket_processor").iterdir()} - UNLISTED
    assert listed == there - {"__pycache__/"}
