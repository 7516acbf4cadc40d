"""Hashes and checks passwords with argon2id; an unknown person costs as much time as a wrong password."""

from __future__ import annotations

import secrets
import threading

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

LEAST, MOST = 15, 200
"""Characters of a password. Where nothing else is asked for, NIST SP 800-63B-4 wants 15."""
_AT_ONCE = threading.BoundedSemaphore(2)
"""Each hashing takes 64 MiB, and a processor."""


class Passwords:
    """Hashes and checks passwords. Any thread may ask."""

    def __init__(self, hasher: PasswordHasher | None = None) -> None:
        self._hasher = hasher or PasswordHasher()
        self._nobodys = self._hasher.hash(secrets.token_urlsafe())

    def hash(self, password: str) -> str:
        """What is stored of a password."""
        with _AT_ONCE:
            return self._hasher.hash(password)

    def fits(self, stored: str | None, password: str) -> bool:
        """Whether it is the password behind the stored hash; ``None``, for an unknown person, takes as long."""
        with _AT_ONCE:
            try:
                self._hasher.verify(self._nobodys if stored is None else stored, password[:MOST])
            except (VerificationError, InvalidHashError):
                return False
        return stored is not None and len(password) <= MOST

    def is_old(self, stored: str) -> bool:
        """Whether it was hashed with weaker parameters than today's."""
        return self._hasher.check_needs_rehash(stored)


def why_weak(password: str, email: str = "") -> str | None:
    """Why it may not be used, as a sentence; ``None`` if it may."""
    if len(password) < LEAST:
        return f"The password needs at least {LEAST} characters; several words make a good one."
    if len(password) > MOST:
        return f"The password may have at most {MOST} characters."
    if len(set(password)) < 5 or (email and email.casefold() in password.casefold()):
        return "The password is too easy to guess."
    return None


def made_up() -> str:
    """A new password that nobody can guess, easy to copy."""
    return secrets.token_urlsafe(15)
