"""Ticket numbers such as ``T-7K3F-29QX5``: random, easy to read out, and with a check digit."""

from __future__ import annotations

import re
import secrets

from stdnum.iso7064 import mod_37_36

_CROCKFORD = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
"""Base 32 without letters that look like digits (crockford.com/base32.html)."""
_MISREAD = str.maketrans("OIL", "011")
_RANDOM = 8
"""Random digits: 40 bits. The ninth one is their check digit (ISO 7064, hybrid system)."""


def new_number() -> str:
    """A number that nobody can guess from others."""
    digits = "".join(secrets.choice(_CROCKFORD) for _ in range(_RANDOM))
    digits += mod_37_36.calc_check_digit(digits, alphabet=_CROCKFORD)
    return f"T-{digits[:4]}-{digits[4:]}"


def as_written(typed: str) -> str | None:
    """The number that somebody typed, in its own spelling; ``None`` where it is none, or mistyped."""
    digits = re.sub(r"[\s-]", "", typed.strip().upper())
    if len(digits) == _RANDOM + 2 and digits[0] == "T":
        digits = digits[1:]
    digits = digits.translate(_MISREAD)
    if len(digits) != _RANDOM + 1 or not set(digits) <= set(_CROCKFORD):
        return None
    if not mod_37_36.is_valid(digits, alphabet=_CROCKFORD):
        return None
    return f"T-{digits[:4]}-{digits[4:]}"
