"""The README and the pages are short, and what they name exists."""

from __future__ import annotations

import re
from pathlib import Path

from ticket_processor.core.models import OutcomeStatus
from ticket_processor.seeding.corpus import load_corpus

ROOT = Path(__file__).resolve().parents[2]
README = (ROOT / "README.md").read_text(encoding="utf-8")
MOST_BYTES = 12_000
"""Of the README: a stranger reads it to the end, or not at all."""
MOST_WORDS = 17_500
"""Of all pages that people write, signs of tables aside: what takes longer than an hour to read is not kept true."""
GENERATED = ("settings.md", "reasons.md", "report-figures.md")


def test_the_readme_is_short() -> None:
    assert len(README.encode()) <= MOST_BYTES


def test_all_pages_together_are_short() -> None:
    pages = [README, *(page.read_text("utf-8") for page in (ROOT / "docs").glob("*.md") if page.name not in GENERATED)]
    words = sum(any(map(str.isalnum, word)) for page in pages for word in page.split())
    assert words <= MOST_WORDS


def test_every_outcome_is_listed() -> None:
    audit = (ROOT / "docs" / "audit.md").read_text(encoding="utf-8")
    assert all(f"`{status.value}`" in audit for status in OutcomeStatus)


def test_the_number_of_invented_tickets_is_told_right() -> None:
    told = re.search(r"with (\d+)\s+invented\s+tickets", README)
    assert told is not None
    assert int(told[1]) == len(load_corpus())
