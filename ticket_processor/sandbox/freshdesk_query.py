"""Understands a Freshdesk search: ``(priority:3 OR tag:'vip') AND created_at:>'2026-11-01'``."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any

Match = Callable[[Mapping[str, Any]], bool]

_TOKEN = re.compile(r"\s*(?:(\()|(\))|(AND|OR)\b|(\w+):([<>]?)('(?:[^'\\]|\\.)*'|[^\s()']+))")
_DATES = ("created_at", "updated_at", "due_by", "fr_due_by")
_FIELDS = {"agent_id": "responder_id", "group_id": "group_id", "priority": "priority", "status": "status"}
_FIELDS |= {"type": "type", "tag": "tags", **{name: name for name in _DATES}}
_DEEPEST = 20


class BadQuery(ValueError):
    """Why a query cannot be understood."""


def parse_query(text: str, own_fields: frozenset[str]) -> Match:
    """A test for tickets. Raises :class:`BadQuery`."""
    tokens: list[re.Match[str]] = []
    place = 0
    while text[place:].strip():
        token = _TOKEN.match(text, place)
        if token is None:
            raise BadQuery(f"The query is not valid at character {place}")
        tokens.append(token)
        place = token.end()
    tokens.reverse()
    found = _any(tokens, own_fields, 0)
    if tokens:
        raise BadQuery("The query is not valid: too many brackets")
    return found


def _any(tokens: list[re.Match[str]], own: frozenset[str], depth: int) -> Match:
    parts = [_all(tokens, own, depth)]
    while tokens and tokens[-1][3] == "OR":
        tokens.pop()
        parts.append(_all(tokens, own, depth))
    return parts[0] if len(parts) == 1 else lambda row: any(part(row) for part in parts)


def _all(tokens: list[re.Match[str]], own: frozenset[str], depth: int) -> Match:
    parts = [_one(tokens, own, depth)]
    while tokens and tokens[-1][3] == "AND":
        tokens.pop()
        parts.append(_one(tokens, own, depth))
    return parts[0] if len(parts) == 1 else lambda row: all(part(row) for part in parts)


def _one(tokens: list[re.Match[str]], own: frozenset[str], depth: int) -> Match:
    token = tokens.pop() if tokens else None
    if token is None or token[2] or token[3] or depth > _DEEPEST:
        raise BadQuery("The query is not valid: a condition is missing")
    if token[1]:
        inner = _any(tokens, own, depth + 1)
        if not tokens or not tokens.pop()[2]:
            raise BadQuery("The query is not valid: a bracket is not closed")
        return inner
    return _condition(token[4], token[5], token[6], own)


def _condition(name: str, operator: str, value: str, own: frozenset[str]) -> Match:
    quoted = value.startswith("'")
    value = value.strip("'")
    if name not in _FIELDS and name not in own:
        raise BadQuery(f"Unexpected/invalid field in request: {name[:40]}")
    if name in _DATES and not re.fullmatch(r"\d{4}-\d\d-\d\d|null", value):
        raise BadQuery(f"{name} should be a date as YYYY-MM-DD")

    def matches(row: Mapping[str, Any]) -> bool:
        held = row[_FIELDS[name]] if name in _FIELDS else row["custom_fields"].get(name)
        if value == "null" and not quoted:
            return held in (None, "", [])
        if isinstance(held, list):
            return value in held
        if held is None:
            return False
        if name in _DATES:
            held = str(held)[:10]
        if not operator:
            return str(held).lower() == value.lower()
        kind: Callable[[Any], Any] = str if name in _DATES else float
        try:
            order = kind(held), kind(value)
        except (TypeError, ValueError):
            return False
        return bool(order[0] >= order[1] if operator == ">" else order[0] <= order[1])

    return matches
