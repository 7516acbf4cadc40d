"""Cleaning, redacting and telling the language of a text.

The word lists of this package, which are data files in the folder ``words``.
"""

from __future__ import annotations

import tomllib
from importlib import resources
from typing import Any

FOLDER = resources.files("ticket_processor.analysis.text").joinpath("words")


def word_lists(name: str) -> dict[str, Any]:
    """The lists of ``words/NAME.toml``."""
    return tomllib.loads(FOLDER.joinpath(f"{name}.toml").read_text("utf-8"))
