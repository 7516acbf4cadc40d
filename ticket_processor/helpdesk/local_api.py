"""What the local helpdesk keeps for its API: tokens of agents, answers to repeated requests; and its statistics."""

from __future__ import annotations

import hmac
import re
import secrets
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Literal, NamedTuple

from .local_model import LocalHelpdeskError
from .local_reading import hashed, insert, person_named, stamp
from .local_transfer import Transfer

Scope = Literal["read", "write"]
KEPT_S = 24 * 3600.0
"""Seconds for which the answer to a request is kept for its repetitions."""
_NAME = re.compile(r"[\w.-]{1,40}")
_TOKENS = """
    SELECT token.id, token.name, scope, person_id AS person, email, created_at, secret_hash
    FROM token JOIN person ON person.id = person_id WHERE role != 'customer' ORDER BY token.id
"""


@dataclass(frozen=True)
class ApiToken:
    """A token of an agent or admin: the ``person`` with this number and address, in whose name it acts."""

    id: int
    name: str
    scope: Scope
    person: int
    email: str
    created_at: str
    secret_hash: bytes = field(repr=False)

    def is_opened_by(self, secret: str) -> bool:
        """True if this is the token's secret; the time taken reveals nothing."""
        return hmac.compare_digest(self.secret_hash, hashed(secret))


class TicketTimes(NamedTuple):
    """A ticket for statistics: what it is counted by, and seconds from its creation to the first reply and the end."""

    category: str | None
    urgency: str | None
    status: str
    source: str
    first_reply_s: float | None
    resolution_s: float | None


class TokenStore(Transfer):
    """The part of the store that keeps tokens and answers; exports leave both out."""

    def add_token(self, email: str, scope: Scope, name: str, now: float) -> tuple[str, str]:
        """Make a token, called ``token-NUMBER`` without a ``name``; returns its name and secret, which is not stored.

        Raises :class:`LocalHelpdeskError` where nobody of the team has the address, or a token the name.
        """
        secret = f"tb_{secrets.token_urlsafe(32)}"
        with self.writing() as db:
            person = person_named(db, email)
            if person is None or person.role == "customer":
                raise LocalHelpdeskError("no agent or admin has this address")
            # Numbers of revoked tokens stay used: the name is the reason that is kept with what a token did.
            (last,) = db.execute("SELECT coalesce(max(seq), 0) FROM sqlite_sequence WHERE name = 'token'").fetchone()
            name = name or f"token-{last + 1}"
            if not _NAME.fullmatch(name):
                raise LocalHelpdeskError("a token's name has 1 to 40 letters, digits and . _ -")
            if db.execute("SELECT 1 FROM token WHERE name = ?", (name,)).fetchone():
                raise LocalHelpdeskError("there is a token of this name: choose another one, or revoke it first")
            values = {"scope": scope, "secret_hash": hashed(secret), "created_at": stamp(now)}
            insert(db, "token", person_id=person.id, name=name, **values)
        return name, secret

    def tokens(self) -> tuple[ApiToken, ...]:
        """All tokens, oldest first."""
        return tuple(ApiToken(**dict(row)) for row in self.rows(_TOKENS))

    def revoke_token(self, name: str) -> bool:
        """Delete a token, and its kept answers; false if there is none of this name."""
        with self.writing() as db:
            return db.execute("DELETE FROM token WHERE name = ?", (name,)).rowcount > 0

    def once(self, token: ApiToken, key: str, digest: bytes, now: float, act: Callable[[], str]) -> tuple[str, bool]:
        """Call ``act`` once for this ``key`` of the token; returns its answer, and whether it was called just now.

        What it writes is committed with its answer, or not at all. ``digest`` stands for the whole request. Raises
        :class:`LocalHelpdeskError` if the key came with another one, and what ``act`` raises: nothing is kept then.
        """
        with self.writing() as db:
            db.execute("DELETE FROM answer WHERE at < ?", (stamp(now - KEPT_S),))
            mine = (token.id, hashed(key))
            row = db.execute("SELECT digest, said FROM answer WHERE token_id = ? AND key_hash = ?", mine).fetchone()
            if row is None:
                said = act()
                insert(db, "answer", token_id=mine[0], key_hash=mine[1], digest=digest, said=said, at=stamp(now))
                return said, True
            if not hmac.compare_digest(row["digest"], digest):
                raise LocalHelpdeskError("this Idempotency-Key was used for another request")
            return str(row["said"]), False

    def ticket_times(self, first: str, last: str) -> list[TicketTimes]:
        """The tickets that were created from the day ``first`` to ``last`` (``2026-11-28``, UTC, both included)."""
        rows = self.rows(
            "SELECT category, urgency, status, channel, (julianday(first_reply_at) - julianday(created_at)) * 86400, "
            "(julianday(coalesce(resolved_at, closed_at)) - julianday(created_at)) * 86400 "
            "FROM ticket WHERE created_at >= ? AND created_at < ?",
            *(first, f"{last}U"),  # U comes after the T that follows the day
        )
        return [TicketTimes(*row) for row in rows]
