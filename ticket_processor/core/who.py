"""Who uses the program."""

from __future__ import annotations

import getpass


def person_at_keyboard() -> str:
    """The name of the person at the keyboard, as the system knows them."""
    try:
        return getpass.getuser()
    except (KeyError, OSError, ImportError):
        return "unknown"
