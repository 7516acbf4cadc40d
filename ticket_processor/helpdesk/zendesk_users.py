"""Whose tickets are these: a requester by number or address, and the numbers of their tickets. Reads only.

Facts and their sources: developer.zendesk.com, "Users" (search), "User Identities", "Tickets" (list requested),
"Search" (export). Lists leave archived tickets out and a search lags behind by minutes, so both are asked. Neither
knows of deleted tickets.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

from ..core.errors import CannotRun, ConfigError, HelpdeskDown
from .transport import Transport

PAGE_SIZE = 100
MOST_ALIKE = 20
"""Users of a search for an address that are compared; the search finds parts of words as well."""
_ADDRESS = re.compile(r"[^\s\"'\\:@]+@[^\s\"'\\:@]+")
_MISSING = "name the tickets one by one with --ticket, which also works for deleted ones"


class Requesters:
    """The people of an account. What they are called never stands in an error or a log. Use from one thread."""

    def __init__(self, transport: Transport) -> None:
        self._transport = transport

    def find(self, named: str) -> int:
        """The user of this number, or with this address, whichever of several it is.

        Raises :class:`ConfigError` when there is none, or more than one, and :class:`CannotRun` as every read does.
        """
        named = named.strip()
        if named.isdecimal() and named.isascii():
            return int(named)
        if not _ADDRESS.fullmatch(named):
            raise ConfigError("--requester: neither a user's number nor an e-mail address")
        query: dict[str, str | int] = {"query": f'email:"{named}"', "per_page": PAGE_SIZE}
        rows = self._rows(self._get("/users/search", query), "users")
        found: set[int] = {row["id"] for row in rows if _same(row.get("email"), named)}
        # The address may be one of several that a user has.
        others = [row["id"] for row in rows if row["id"] not in found][:MOST_ALIKE] if not found else ()
        found.update(number for number in others if self._has(number, named))
        if len(found) > 1:
            raise ConfigError("--requester: more than one user has this address; say which, by number")
        if not found:
            raise ConfigError(f"--requester: the helpdesk knows no user with this address; {_MISSING}")
        return found.pop()

    def tickets(self, user: int) -> Iterator[int]:
        """The numbers of all tickets that the user requested, some of them twice.

        Raises :class:`ConfigError` when there is no such user, and :class:`CannotRun`.
        """
        unknown = None
        try:
            yield from self._numbers(f"/users/{user}/tickets/requested", {}, "tickets")
        except ConfigError as error:
            unknown = error  # of a user who was deleted the search may still know tickets
        query: dict[str, str | int] = {"query": f"requester:{user}", "filter[type]": "ticket"}
        for number in self._numbers("/search/export", query, "results"):
            unknown = None
            yield number
        if unknown is not None:
            raise unknown

    def _has(self, user: int, address: str) -> bool:
        rows = self._rows(self._get(f"/users/{user}/identities", {"page[size]": PAGE_SIZE}), "identities")
        return any(row.get("type") == "email" and _same(row.get("value"), address) for row in rows)

    def _numbers(self, path: str, params: dict[str, str | int], name: str) -> Iterator[int]:
        params = {**params, "page[size]": PAGE_SIZE}
        seen = set()
        while True:
            body = self._get(path, params)
            yield from (row["id"] for row in self._rows(body, name))
            meta = body.get("meta")
            after = meta.get("after_cursor") if isinstance(meta, dict) and meta.get("has_more") else None
            if not after:
                return
            if after in seen:
                raise HelpdeskDown("Zendesk's list of tickets repeats a cursor before its end; try later")
            seen.add(after)
            params["page[after]"] = str(after)

    def _get(self, path: str, params: Mapping[str, str | int]) -> dict[str, Any]:
        reply = self._transport.request("GET", "/api/v2" + path, params=params, limits=("account",))
        what = "its users" if path == "/users/search" else "this user and their tickets"
        if reply.status == 404:
            raise ConfigError(f"--requester: the helpdesk knows no such user; {_MISSING}")
        if not reply.ok:
            raise CannotRun(f"Zendesk refuses to show {what} (HTTP {reply.status}); {_MISSING}")
        return reply.body if isinstance(reply.body, dict) else {}

    def _rows(self, body: Mapping[str, Any], name: str) -> list[dict[str, Any]]:
        rows = body.get(name)
        if not isinstance(rows, list):
            raise HelpdeskDown(f"Zendesk's answer holds no list of {name}")
        return [row for row in rows if isinstance(row, dict) and isinstance(row.get("id"), int)]


def _same(value: object, address: str) -> bool:
    return isinstance(value, str) and value.casefold() == address.casefold()
