"""The shape of a word list."""

from __future__ import annotations

Weighted = dict[int, str]
ByLanguage = dict[str, Weighted]
