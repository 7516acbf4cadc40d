"""The word lists of this package, which are data files in the folder ``words``."""

from __future__ import annotations

import tomllib
from functools import cache
from importlib.resources import files
from typing import Any


@cache
def word_lists(name: str) -> dict[str, Any]:
    """The lists of ``words/NAME.toml``, read once."""
    return tomllib.loads(files(__package__).joinpath(f"words/{name}.toml").read_text("utf-8"))
