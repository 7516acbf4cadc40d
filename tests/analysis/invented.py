"""Invented tickets by language, a text a line: incidents, denials, praise, moods, languages.

Written before the phrases and words in ``words/alarms.toml``, by the same author. Misses of
incidents were read at even places only, but the score of the odd ones was seen after each change: not a blind test.
"""

from __future__ import annotations

from pathlib import Path

FOLDER = Path(__file__).parent / "invented"
Table = dict[str, tuple[str, ...]]


def table(name: str) -> Table:
    """The texts of a file by the language of their section; those of a file without sections have none."""
    found: dict[str, list[str]] = {}
    language = ""
    for line in (FOLDER / f"{name}.txt").read_text(encoding="utf-8").splitlines():
        if line.startswith("## "):
            language = line[3:]
        elif line and not line.startswith("# "):
            found.setdefault(language, []).append(line.replace("\\n", "\n"))
    return {language: tuple(texts) for language, texts in found.items()}


def texts(name: str) -> list[str]:
    """All texts of a file."""
    return [text for row in table(name).values() for text in row]


def rows(name: str) -> list[tuple[str, ...]]:
    """The labels before the bar and the text behind it, of each line of a file."""
    parted = [line.split(" | ", 1) for line in texts(name)]
    return [(*labels.split(), text) for labels, text in parted]


ALARMS, HARMLESS = table("incidents"), table("look_alikes")
PRAISE = texts("praise")


def half(table: Table, which: int) -> list[tuple[str, str]]:
    """Language and text of the rows at even (0) or odd (1) places."""
    return [(language, text) for language, texts in table.items() for text in texts[which::2]]
