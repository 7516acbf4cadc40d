"""Modules that load for a second, for tests: loaded when they are used, and not by each process that collects tests."""

from __future__ import annotations

import importlib
from typing import Any


class Lazy:
    """A module that is imported when something of it is first asked for."""

    def __init__(self, name: str) -> None:
        self._name = name

    def __getattr__(self, name: str) -> Any:
        if name.startswith(("_", "pytest")):  # pytest asks everything in a module for such
            raise AttributeError(name)
        return getattr(importlib.import_module(self._name), name)
