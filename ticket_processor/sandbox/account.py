"""What the accounts of both vendors have: a clock, work for later, people, and tickets in two orders.

``shapes.json`` holds what the vendors' objects look like with nothing filled in, and what a fresh account has.

Threads: every public method takes ``lock``, which is re-entrant; a caller that reads and then writes holds
it across both.
"""

from __future__ import annotations

import random
from bisect import bisect_left, insort
from copy import deepcopy
from dataclasses import dataclass
from itertools import count
from pathlib import Path
from typing import Any, Generic, TypeVar

import orjson

from .clock import Agenda, SandboxClock, iso

BOT_ID = 9001
PERSON_ID = 7001
FIRST_GROUP = 8_001
SHAPES: dict[str, Any] = orjson.loads(Path(__file__).with_name("shapes.json").read_bytes())


def shaped(shape: str, /, **values: Any) -> dict[str, Any]:
    """An object of the API with these values; its empty lists are everybody's, to be replaced and never filled."""
    return {**SHAPES[shape], **values}


class AddressBook(dict[int, dict[str, Any]]):
    """Agents or customers in the API's own shape, by id, and found by any of their addresses."""

    def __init__(self, agenda: Agenda, **shape: Any) -> None:
        super().__init__()
        self._agenda = agenda
        self._shape = shape
        self._ids = count(100_001)
        self._by_email: dict[str, int] = {}
        self._more_addresses: dict[int, list[str]] = {}

    def add(self, name: str, email: str | None, *, user_id: int | None = None, **more: Any) -> int:
        """The id of the one with this address, made if there is none yet; ``more`` are further keys."""
        with self._agenda.lock:
            known = self._by_email.get(email.lower()) if email else None
            if known is not None:
                return known
            new_id = next(self._ids) if user_id is None else user_id
            stamps = dict.fromkeys(("created_at", "updated_at"), iso(self._agenda.now()))
            self[new_id] = {"id": new_id, "name": name, "email": email, **self._shape, **more, **stamps}
            if email:
                self._by_email[email.lower()] = new_id
            return new_id

    def add_address(self, user_id: int, email: str) -> None:
        """Add an address to a person, who is then found by it as well."""
        with self._agenda.lock:
            self._by_email[email.lower()] = user_id
            self._more_addresses.setdefault(user_id, []).append(email)

    def addresses_of(self, user_id: int) -> list[str]:
        """A person's addresses, the primary one first."""
        with self._agenda.lock:
            primary = self[user_id]["email"]
            return [*([primary] if primary else []), *self._more_addresses.get(user_id, ())]


@dataclass
class HeldTicket:
    """A ticket. ``json`` is the API's form of it; its lists and objects are replaced, never changed in place.

    ``created`` and ``changed`` are exact Unix times: of the creation, and of the last change that moved ``updated_at``.
    """

    id: int
    json: dict[str, Any]
    created: float
    changed: float
    requester_name: str
    deleted: bool = False

    @property
    def tags(self) -> tuple[str, ...]:
        """The tags now."""
        return tuple(self.json["tags"])

    @property
    def stamp(self) -> str:
        """``updated_at``, as a safe update would send it back."""
        return str(self.json["updated_at"])


AnyTicket = TypeVar("AnyTicket", bound=HeldTicket)


class Account(Agenda, Generic[AnyTicket]):
    """The state that both vendors' accounts have. ``seed`` makes generated ids repeatable.

    ``by_created`` and ``by_changed`` hold the time and id of every ticket in order, the latter in whole seconds.
    """

    def __init__(self, clock: SandboxClock, *, seed: int = 0, base_url: str = "") -> None:
        super().__init__(clock)
        self.random = random.Random(seed)
        self.tickets: dict[int, AnyTicket] = {}
        self.by_created: list[tuple[float, int]] = []
        self.by_changed: list[tuple[int, int]] = []
        self.ticket_fields: list[dict[str, Any]] = []
        self.groups: dict[int, dict[str, Any]] = {}
        self.articles: list[dict[str, Any]] = []
        self._base_url = base_url
        self._ticket_ids = count(1)

    @property
    def base_url(self) -> str:
        """The address that links in answers start with."""
        return self._base_url

    @base_url.setter
    def base_url(self, value: str) -> None:
        with self.lock:
            for ticket in self.tickets.values():
                if "url" in ticket.json:
                    ticket.json["url"] = value + ticket.json["url"].removeprefix(self._base_url)
            self._base_url = value

    def living(self, ticket_id: int) -> AnyTicket | None:
        """A ticket that exists, and is neither deleted nor spam nor archived, as far as the vendor has these."""
        ticket = self.tickets.get(ticket_id)
        return None if ticket is None or self._is_gone(ticket) else ticket

    def _is_gone(self, ticket: AnyTicket) -> bool:
        return ticket.deleted

    def _take_up(self, ticket: AnyTicket, created: float) -> None:
        """Take up a new ticket."""
        self.tickets[ticket.id] = ticket
        insort(self.by_created, (created, ticket.id))
        insort(self.by_changed, (int(created), ticket.id))

    def _reorder(self, ticket: AnyTicket, before: int, after: int) -> None:
        """Note that a ticket's last change was in another second."""
        del self.by_changed[bisect_left(self.by_changed, (before, ticket.id))]
        insort(self.by_changed, (after, ticket.id))

    def _set_up(self, vendor: str) -> None:
        """Give a fresh account its groups and ticket fields."""
        stamps = dict.fromkeys(("created_at", "updated_at"), iso(self.now()))
        for group_id, name in enumerate(("Support", "Finance"), FIRST_GROUP):
            self.groups[group_id] = shaped(f"{vendor} group", id=group_id, name=name, **stamps)
        for row in SHAPES[f"{vendor} fields"]:
            self.ticket_fields.append(shaped(f"{vendor} field", **deepcopy(row), **stamps))
