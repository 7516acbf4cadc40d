"""Lengths of time and sizes in words."""

from __future__ import annotations


def whole(seconds: float) -> int:
    """Whole seconds, none of them negative: clocks differ a little."""
    return max(0, round(seconds))


def ago(seconds: float) -> str:
    """How long ago something was."""
    return f"{span(seconds)} ago"


def span(seconds: float) -> str:
    """A length of time in its two greatest units."""
    rest = whole(seconds)
    if rest < 120:
        return f"{rest} s"
    units = ((86_400, "d"), (3600, "h"), (60, "min"))
    parts: list[str] = []
    for unit, name in units:
        if rest >= unit or parts:
            parts.append(f"{rest // unit} {name}")
            rest %= unit
    return " ".join(part for part in parts[:2] if not part.startswith("0 "))
