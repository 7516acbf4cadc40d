"""Words in sentences: numbers of things, and the person who uses the program."""

from __future__ import annotations

import getpass


def many(count: int, noun: str, plural: str = "") -> str:
    """``1 run``, ``2,000 runs``, ``3 policies``; ``plural`` where it is made otherwise."""
    if count == 1:
        return f"1 {noun}"
    ending = f"{noun[:-1]}ies" if noun.endswith("y") and noun[-2:-1] not in "aeiou" else f"{noun}s"
    return f"{count:,} {plural or ending}"


def p_value(p: float) -> str:
    """``p = 0.031``, or ``p < 0.001`` where it is smaller than can be told."""
    return "p < 0.001" if p < 0.001 else f"p = {p:.3f}"


def person_at_keyboard() -> str:
    """The name of the person at the keyboard, as the system knows them."""
    try:
        return getpass.getuser()
    except (KeyError, OSError, ImportError):
        return "unknown"
