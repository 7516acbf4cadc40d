"""Texts to which the imitated model has the answers beforehand."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

_ALIKE = 0.6
"""The share of what two texts have between them that both have. Redaction and cuts change a part of a text."""


class KnownAnswers:
    """Answers by text: to a text that is nearly the same, and to no other. Safe in any thread."""

    def __init__(self, answers: Iterable[tuple[str, Mapping[str, Any]]] = ()) -> None:
        self._answers = [(_pieces(text), answer) for text, answer in answers]

    def answer_to(self, text: str) -> Mapping[str, Any]:
        """The known answer, by the names of its fields; empty where there is none."""
        pieces = _pieces(text)
        shares = [(len(pieces & known) / (len(pieces | known) or 1), answer) for known, answer in self._answers]
        share, answer = max(shares, key=lambda pair: pair[0], default=(0.0, {}))
        return answer if share >= _ALIKE else {}


def known_values(known: Mapping[str, Any], schema: Mapping[str, Any]) -> dict[str, Any]:
    """Those of the ``known`` values that a schema of an object has room for."""
    properties = schema.get("properties")
    fields = properties if isinstance(properties, Mapping) else {}
    return {name: value for name, value in known.items() if name in fields and _fits(value, fields[name])}


def _fits(value: Any, schema: Any) -> bool:
    if not isinstance(schema, Mapping):
        return False
    allowed, longest, most = (schema.get(name) for name in ("enum", "maxLength", "maxItems"))
    if isinstance(allowed, list):
        return value in allowed
    if isinstance(value, list):
        items = schema.get("items", {})
        return (not isinstance(most, int) or len(value) <= most) and all(_fits(item, items) for item in value)
    return not (isinstance(value, str) and isinstance(longest, int) and len(value) > longest)


def _pieces(text: str) -> frozenset[str]:
    """Three letters each: there are words in every script, but not everywhere are there blanks between them."""
    letters = "".join(filter(str.isalpha, text.casefold()))
    return frozenset(letters[at : at + 3] for at in range(max(1, len(letters) - 2)))
