"""Finds a requester by number or address, and the numbers of their tickets. Reads only.

Facts and their sources: developer.zendesk.com, "Users" (search), "User Identities", "Tickets" (list requested),
"Search" (export). Lists leave archived tickets out and a search lags behind by minutes, so both are asked. Neither
knows of deleted tickets.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from ..core.errors import CannotRun, ConfigError, HelpdeskDown
from .json_values import with_ids
from .requesters import BY_TICKET, number_or_address, the_only
from .transport import Transport

PAGE_SIZE = 100
MOST_ALIKE = 20
"""Users of a search for an address that are compared; the search finds parts of words as well."""


class Requesters:
    """The people of an account. What they are called never stands in an error or a log. Use from one thread."""

    def __init__(self, transport: Transport) -> None:
        self._transport = transport

    def find(self, named: str) -> int:
        """See :meth:`RequesterSearch.find`."""
        known = number_or_address(named)
        if isinstance(known, int):
            return known
        query: dict[str, str | int] = {"query": f'email:"{known}"', "per_page": PAGE_SIZE}
        rows = self._rows(self._get("/users/search", query), "users")
        found: set[int] = {row["id"] for row in rows if _same(row.get("email"), known)}
        # The address may be one of several that a user has.
        others = [row["id"] for row in rows if row["id"] not in found][:MOST_ALIKE] if not found else ()
        found.update(number for number in others if self._has(number, known))
        return the_only(found)

    def tickets(self, user: int) -> Iterator[int]:
        """See :meth:`RequesterSearch.tickets`."""
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
            raise ConfigError(f"--requester: the helpdesk knows no such user; {BY_TICKET}")
        if not reply.ok:
            raise CannotRun(f"Zendesk refuses to show {what} (HTTP {reply.status}); {BY_TICKET}")
        return reply.body if isinstance(reply.body, dict) else {}

    def _rows(self, body: Mapping[str, Any], name: str) -> list[dict[str, Any]]:
        rows = body.get(name)
        if not isinstance(rows, list):
            raise HelpdeskDown(f"Zendesk's answer holds no list of {name}")
        return with_ids(rows)


def _same(value: object, address: str) -> bool:
    return isinstance(value, str) and value.casefold() == address.casefold()
