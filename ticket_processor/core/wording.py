"""Numbers of things, and lengths of time, in sentences."""

from __future__ import annotations


def many(count: int, noun: str, plural: str = "") -> str:
    """``1 run``, ``2,000 runs``, ``3 policies``; ``plural`` where it is made otherwise."""
    if count == 1:
        return f"1 {noun}"
    ending = f"{noun[:-1]}ies" if noun.endswith("y") and noun[-2:-1] not in "aeiou" else f"{noun}s"
    return f"{count:,} {plural or ending}"


def p_value(p: float) -> str:
    """``p = 0.031``, or ``p < 0.001`` where it is smaller than can be told."""
    return "p < 0.001" if p < 0.001 else f"p = {p:.3f}"


def span(seconds: float) -> str:
    """A length of time in its two greatest units."""
    rest = max(0, round(seconds))
    if rest < 120:
        return f"{rest} s"
    units = ((86_400, "d"), (3600, "h"), (60, "min"))
    parts: list[str] = []
    for unit, name in units:
        if rest >= unit or parts:
            parts.append(f"{rest // unit} {name}")
            rest %= unit
    return " ".join(part for part in parts[:2] if not part.startswith("0 "))
