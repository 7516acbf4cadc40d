"""The sandbox's users: by id, and by any of their addresses."""

from __future__ import annotations

from itertools import count
from typing import Any

from .clock import Agenda, iso


class Users(dict[int, dict[str, Any]]):
    """Agents and end users in the API's own shape, by id."""

    def __init__(self, agenda: Agenda) -> None:
        super().__init__()
        self._agenda = agenda
        self._ids = count(100_001)
        self._by_email: dict[str, int] = {}
        self._more_addresses: dict[int, list[str]] = {}

    def add(self, name: str, email: str | None, *, role: str = "end-user", user_id: int | None = None) -> int:
        """The id of the user with this address, made if there is none yet."""
        with self._agenda.lock:
            known = self._by_email.get(email.lower()) if email else None
            if known is not None:
                return known
            new_id = next(self._ids) if user_id is None else user_id
            stamp = iso(self._agenda.now())
            self[new_id] = {
                "id": new_id,
                "name": name,
                "email": email,
                "role": role,
                "created_at": stamp,
                "updated_at": stamp,
            }
            if email:
                self._by_email[email.lower()] = new_id
            return new_id

    def add_address(self, user_id: int, email: str) -> None:
        """Add an address to a user, who is then found by it as well."""
        with self._agenda.lock:
            self._by_email[email.lower()] = user_id
            self._more_addresses.setdefault(user_id, []).append(email)

    def addresses_of(self, user_id: int) -> list[str]:
        """A user's addresses, the primary one first."""
        with self._agenda.lock:
            primary = self[user_id]["email"]
            return [*([primary] if primary else []), *self._more_addresses.get(user_id, ())]
