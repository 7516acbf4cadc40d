"""Patterns that compile at their first use: each of them does, and they answer as compiled ones do."""

from __future__ import annotations

import importlib
import pkgutil
import re

import pytest

import ticket_processor
from ticket_processor.core import text as lazily
from ticket_processor.core.text import lazy_pattern


def test_a_pattern_compiles_at_its_first_use_and_once(monkeypatch: pytest.MonkeyPatch) -> None:
    compiled: list[str] = []
    whole = re.compile
    monkeypatch.setattr(lazily.re, "compile", lambda pattern, flags: compiled.append(pattern) or whole(pattern, flags))
    pattern = lazy_pattern(r"(\d+)\s(CARD)", re.IGNORECASE)
    assert compiled == []
    match = pattern.search("my 12 card")
    assert match is not None
    assert match.groups() == ("12", "card")
    assert pattern.search("nothing") is None
    assert pattern.sub("x", "1 card 2 card") == "x x"
    assert pattern.pattern == r"(\d+)\s(CARD)"
    assert compiled.count(pattern.pattern) == 3  # once for each of the methods used


def test_every_pattern_of_the_package_compiles() -> None:
    names = [found.name for found in pkgutil.walk_packages(ticket_processor.__path__, "ticket_processor.")]
    names = [name for name in names if not name.startswith(("ticket_processor.dashboard", "ticket_processor.__main__"))]
    patterns = [
        value
        for name in names
        for value in vars(importlib.import_module(name)).values()
        if isinstance(value, lazily._LazyPattern)
    ]
    assert len(patterns) > 100
    for pattern in patterns:
        assert pattern.pattern
