"""Word lists by which a ticket's language, category, urgency, mood and risk are recognised; they are in ``words/``.

Syntax of an entry, entries being separated by commas:

- ``refund``: the whole word, in any case; ``refund*``: words beginning so; ``*rechnung``: words ending so;
  ``*rechnung*``: words containing it (for languages that join words)
- ``money back``: words in a row; ``charged ~ twice``: with up to three other words between them
- in Japanese and Chinese entries are looked for anywhere, for lack of spaces

Numbers in front are weights. Category weights say how far an entry decides alone (3), helps (2) or hints (1);
zero takes a phrase's words out. Urgency points add up: sixteen make a ticket critical, four high, two below zero low.
The lists were written by hand from knowledge of the languages, and revised where labelled tickets showed them wrong; no
weight was computed from data.
"""

from __future__ import annotations

import tomllib
from functools import cache
from importlib.resources import files
from typing import Any

ByLanguage = dict[str, dict[int, str]]
"""Entries by language and weight."""


@cache
def lists(name: str, *, between_lines: str = " ") -> dict[str, Any]:
    """The tables of ``words/NAME.toml``, read once. ``between_lines`` joins the lines of a text."""
    text = files(__package__).joinpath(f"words/{name}.toml").read_text(encoding="utf-8")
    joined: dict[str, Any] = _joined(tomllib.loads(text), between_lines)
    return joined


@cache
def category_words() -> dict[str, ByLanguage]:
    """The words of each built-in category, in the order of the categories."""
    return {name: weighted(lists(f"categories/{name}")) for name in lists("categories")["built_in"]}


def weighted(table: dict[str, dict[str, str]]) -> ByLanguage:
    """A table by language and weight with numbers for weights."""
    return {language: {int(weight): words for weight, words in rows.items()} for language, rows in table.items()}


def _joined(value: Any, between_lines: str) -> Any:
    if isinstance(value, dict):
        return {key: _joined(item, between_lines) for key, item in value.items()}
    if isinstance(value, list):
        return [_joined(item, between_lines) for item in value]
    return between_lines.join(value.split("\n")) if isinstance(value, str) else value
