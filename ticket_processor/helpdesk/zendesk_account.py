"""What a Zendesk account has besides tickets: ways to sign in, tags, fields and groups, its people, its rules.

Reads only. Facts and their sources: developer.zendesk.com, "OAuth migration" (API tokens end: OAuth
``client_credentials`` is the way to sign in), "Ticket Fields", "Tags", "Groups", "Pagination", "Users" (search), "User
Identities", "Tickets" (list requested), "Search" (export), "Triggers", "Automations", "Conditions reference", "Actions
reference". A drop-down's value is a tag too.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator, Mapping
from typing import Any

from ..core.clock import Clock
from ..core.errors import CannotRun, ConfigError, HelpdeskDown, NotAuthorised
from .http_messages import mapping, string, with_ids
from .protocol import (
    BY_TICKET,
    AccountLabels,
    BusinessRule,
    RequesterSearch,
    RuleAction,
    RuleCondition,
    RuleKind,
    TicketField,
)
from .transport import Transport

PAGE_SIZE = 100
MAX_PAGES = 50
LABEL_PAGES = 20
"""The tags come most used first; those behind the two thousandth sort hardly a ticket."""

CHOICES = ("tagger", "multiselect")
"""Fields whose values are tags."""


class LabelsForbidden(CannotRun):
    """This user may not read these labels (HTTP 403)."""


def read_labels(transport: Transport) -> AccountLabels:
    """Everything at once; a handful of requests. Raises :class:`CannotRun`, as any reading of the helpdesk."""
    return AccountLabels(
        tags={str(row["name"]): int(row.get("count") or 0) for row in _rows(transport, "tags") if row.get("name")},
        fields=read_fields(transport),
        groups={
            row["id"]: str(row.get("name"))
            for row in _rows(transport, "groups")
            if isinstance(row.get("id"), int) and not row.get("deleted")
        },
    )


def read_fields(transport: Transport) -> tuple[TicketField, ...]:
    """The fields of the account's tickets, by one request: they come without pages. Raises :class:`CannotRun`.

    :class:`LabelsForbidden` when this user may not read them.
    """
    return tuple(_field(row) for row in _page(transport, "ticket_fields", {})[0] if isinstance(row.get("id"), int))


def _field(row: Mapping[str, Any]) -> TicketField:
    options = [item for item in row.get("custom_field_options") or () if isinstance(item, dict)]
    return TicketField(
        id=row["id"],
        title=str(row.get("title") or ""),
        kind=str(row.get("type") or ""),
        active=row.get("active") is not False,
        system=row.get("removable") is False,
        required=row.get("required") is True,
        options={str(item.get("value")): str(item.get("name")) for item in options},
    )


def _rows(transport: Transport, name: str) -> Iterator[Mapping[str, Any]]:
    for page in range(1, LABEL_PAGES + 1):
        rows, more = _page(transport, name, {"per_page": PAGE_SIZE, "page": page})
        yield from rows
        if not more:
            return


def _page(transport: Transport, name: str, params: Mapping[str, str | int]) -> tuple[list[dict[str, Any]], bool]:
    reply = transport.request("GET", f"/api/v2/{name}", params=params, limits=("account",))
    if not reply.ok:
        error = LabelsForbidden if reply.status == 403 else CannotRun
        raise error(f"Zendesk refuses to show its {_words(name)} (HTTP {reply.status})")
    return _rows_in(reply.body, name), bool(reply.body.get("next_page"))


def _rows_in(body: object, name: str) -> list[dict[str, Any]]:
    """The rows of an answer's list."""
    rows = mapping(body).get(name)
    if not isinstance(rows, list):
        raise HelpdeskDown(f"Zendesk's answer holds no list of {_words(name)}")
    return [row for row in rows if isinstance(row, dict)]


def _words(name: str) -> str:
    return name.replace("_", " ")


def listed_rows(
    transport: Transport,
    path: str,
    name: str,
    unread: list[str],
    *,
    needed: bool = False,
) -> Iterator[Mapping[str, Any]]:
    """The rows of a list that not every plan or user may see, a hundred at a time, 5,000 at most.

    What was not read, and why, is added to ``unread``. Raises :class:`CannotRun` where a ``needed`` list is refused.
    """
    asked: dict[str, str | int] = {"page[size]": PAGE_SIZE}
    for _ in range(MAX_PAGES):
        reply = transport.request("GET", f"/api/v2/{path}", params=asked, limits=("account",))
        if not reply.ok and needed:
            raise CannotRun(f"Zendesk refuses to show its {name} (HTTP {reply.status}): without them nothing is sure")
        if not reply.ok:
            unread.append(f"Zendesk does not show its {_words(name)} (HTTP {reply.status})")
            return
        yield from _rows_in(reply.body, name)
        meta = mapping(mapping(reply.body).get("meta"))
        after = meta.get("after_cursor") if meta.get("has_more") else None
        if not after or str(after) == asked.get("page[after]"):
            return
        asked["page[after]"] = str(after)
    unread.append(f"more than {MAX_PAGES * PAGE_SIZE} {_words(name)}: the others were not read")


MOST_ALIKE = 20
"""Users of a search for an address that are compared; the search finds parts of words as well."""


class Requesters(RequesterSearch):
    """The people of an account.

    Lists leave archived tickets out and a search lags behind by minutes, so both are asked. Neither knows of deleted
    tickets.
    """

    def __init__(self, transport: Transport) -> None:
        self._transport = transport

    def with_address(self, address: str) -> set[int]:
        """See :meth:`RequesterSearch.with_address`."""
        query: dict[str, str | int] = {"query": f'email:"{address}"', "per_page": PAGE_SIZE}
        rows = with_ids(_rows_in(self._get("/users/search", query), "users"))
        found: set[int] = {row["id"] for row in rows if _same(row.get("email"), address)}
        # The address may be one of several that a user has.
        others = [row["id"] for row in rows if row["id"] not in found][:MOST_ALIKE] if not found else ()
        found.update(number for number in others if self._has(number, address))
        return found

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
        rows = with_ids(_rows_in(self._get(f"/users/{user}/identities", {"page[size]": PAGE_SIZE}), "identities"))
        return any(row.get("type") == "email" and _same(row.get("value"), address) for row in rows)

    def _numbers(self, path: str, params: dict[str, str | int], name: str) -> Iterator[int]:
        params = {**params, "page[size]": PAGE_SIZE}
        seen = set()
        while True:
            body = self._get(path, params)
            yield from (row["id"] for row in with_ids(_rows_in(body, name)))
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


def _same(value: object, address: str) -> bool:
    return isinstance(value, str) and value.casefold() == address.casefold()


def read_rules(transport: Transport, unread: list[str]) -> list[BusinessRule]:
    """The active rules, a page of a hundred at a time. What was not read is added to ``unread``.

    Raises :class:`CannotRun` where the account does not show them.
    """
    kinds: Mapping[str, RuleKind] = {"triggers": "trigger", "automations": "automation"}
    return [
        _rule(kind, row)
        for name, kind in kinds.items()
        for row in listed_rows(transport, name, name, unread, needed=True)
        if row.get("active") is not False
    ]


def _rule(kind: RuleKind, row: Mapping[str, Any]) -> BusinessRule:
    given = mapping(row.get("conditions"))
    return BusinessRule(
        kind=kind,
        id=str(row.get("id")),
        title=string(row.get("title")),
        all_of=tuple(_conditions(given.get("all"))),
        any_of=tuple(_conditions(given.get("any"))),
        actions=tuple(
            RuleAction(string(item.get("field")), _values(item.get("value")))
            for item in map(mapping, row.get("actions") or ())
        ),
    )


def _conditions(rows: object) -> Iterator[RuleCondition]:
    for row in rows if isinstance(rows, list) else ():
        item = mapping(row)
        yield RuleCondition(
            string(item.get("field")) or string(item.get("source")),
            string(item.get("operator")) or "is",
            _values(item.get("value")),
        )


def _values(value: object) -> tuple[str, ...]:
    if isinstance(value, list):
        return tuple(_text(item) for item in value) or ("",)
    return (_text(value),)


def _text(value: object) -> str:
    return "" if value is None else str(value).lower() if isinstance(value, bool) else str(value)


TOKEN_LIFETIME_S = 1800
RENEW_AT_SHARE = 0.8
"""Tokens are renewed after this share of their life, so that none dies between check and use."""
_REFUSED = (
    "Zendesk gives no token for this OAuth client; check ZENDESK_OAUTH_CLIENT_ID (the unique identifier) and "
    "ZENDESK_OAUTH_CLIENT_SECRET, and that the client is confidential"
)


class ClientCredentials:
    """Tokens of half an hour from ``POST /oauth/tokens``, renewed by age and after a 401.

    Threads share one token: the first to find it old fetches, the others wait for that.
    Source: Zendesk API reference, "OAuth Tokens for Grant Types".
    """

    name = "Authorization"

    def __init__(
        self, transport: Transport, clock: Clock, client_id: str, client_secret: str, scope: str = "read write"
    ) -> None:
        self._scope = scope
        self._transport = transport
        self._clock = clock
        self._client_id = client_id
        self._client_secret = client_secret
        self._lock = threading.Lock()
        self._header = ""
        self._renew_at = 0.0

    def header(self) -> str:
        with self._lock:
            if not self._header or self._clock.monotonic() >= self._renew_at:
                self._fetch()
            return self._header

    def renew(self, refused: str) -> bool:
        with self._lock:
            if self._header == refused:
                self._header = ""  # another thread may have fetched a new one already
        return True

    def _fetch(self) -> None:
        try:
            reply = self._transport.request(
                "POST",
                "/oauth/tokens",
                json={
                    "grant_type": "client_credentials",
                    "client_id": self._client_id,
                    "client_secret": self._client_secret,
                    "scope": self._scope,
                    "expires_in": TOKEN_LIFETIME_S,
                },
                signed=False,
            )
        except NotAuthorised:
            raise NotAuthorised(_REFUSED) from None
        if isinstance(reply.body, dict) and reply.body.get("error") == "invalid_scope":
            raise NotAuthorised(
                f"Zendesk does not grant this OAuth client the scope '{self._scope}' (invalid_scope): add it to the "
                "client's allowed scopes, or set zendesk.oauth_scope to what it may have, at least 'read tickets:write'"
            )
        if not reply.ok or not isinstance(reply.body, dict) or not reply.body.get("access_token"):
            raise NotAuthorised(f"{_REFUSED} (HTTP {reply.status})")
        granted = reply.body.get("scope")
        self._transport.granted = frozenset(granted.replace(",", " ").split() if isinstance(granted, str) else ())
        lifetime = reply.body.get("expires_in")
        seconds = float(lifetime) if isinstance(lifetime, int | float) and lifetime > 0 else TOKEN_LIFETIME_S
        self._header = f"Bearer {reply.body['access_token']}"
        self._renew_at = self._clock.monotonic() + seconds * RENEW_AT_SHARE


def own_user(transport: Transport) -> int | None:
    """The id of the user that ``transport`` signs in as; ``None`` where Zendesk does not say. One request."""
    reply = transport.request("GET", "/api/v2/users/me")
    user = reply.body.get("user") if reply.ok and isinstance(reply.body, dict) else None
    number = user.get("id") if isinstance(user, dict) else None
    return number if isinstance(number, int) else None
