"""The words that the imitated model goes by, from ``openai_words.toml``."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from pathlib import Path

_FILE = tomllib.loads(Path(__file__).with_suffix(".toml").read_text(encoding="utf-8"))

Words = Mapping[str, list[str]]
CATEGORIES: Words = _FILE["categories"]
SYNONYMS: Mapping[str, str] = {name: meaning for meaning, names in _FILE["synonyms"].items() for name in names}
URGENCY: Words = _FILE["urgency"]
URGENCY_SYNONYMS: Words = _FILE["urgency_synonyms"]
NEGATIVE: list[str] = _FILE["sentiment"]["negative"]
POSITIVE: list[str] = _FILE["sentiment"]["positive"]
LANGUAGES: Mapping[str, frozenset[str]] = {code: frozenset(words.split()) for code, words in _FILE["languages"].items()}
