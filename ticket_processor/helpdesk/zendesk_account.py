"""What a Zendesk account has besides tickets: ways to sign in, tags, fields and groups, its people, its rules.

Reads only. Facts and their sources: developer.zendesk.com, "OAuth migration" (API tokens end: OAuth
``client_credentials`` is the way to sign in), "Ticket Fields", "Tags", "Groups", "Pagination", "Users" (search), "User
Identities", "Tickets" (list requested), "Search" (export), "Triggers", "Automations", "Conditions reference", "Actions
reference". A drop-down's value is a tag too.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Collection, Iterator, Mapping
from itertools import islice
from typing import Any

from ..core.clock import Clock, parse_iso
from ..core.errors import CannotRun, ConfigError, HelpdeskDown, NotAuthorised
from .http_messages import Reply, mapping, mappings, string, whole_number, with_ids
from .protocol import (
    BY_TICKET,
    NO_USER,
    AccountLabels,
    BusinessRule,
    Requesters,
    Rights,
    RuleAction,
    RuleCondition,
    RuleKind,
    TicketField,
)
from .transport import Auth, Transport, shown
from .zendesk_format import ACCOUNT_LIMIT, has_next, is_messaging, read_limits

_BY_CURSOR: Mapping[str, str | int] = {"page[size]": 100}
_BY_NUMBER: Mapping[str, str | int] = {"per_page": 100, "page": 1}
MOST_TAGS = 2_000
"""The tags come most used first; those behind sort hardly a ticket."""

CHOICES = ("tagger", "multiselect")
"""Fields whose values are tags."""


class LabelsForbidden(CannotRun):
    """This user may not read these labels (HTTP 403)."""


def rows_of(
    transport: Transport,
    path: str,
    params: Mapping[str, str | int] = _BY_CURSOR,
    *,
    name: str = "",
    refused: Callable[[int], Exception] | None = None,
) -> Iterator[dict[str, Any]]:
    """The rows of a list over all its pages; ``name`` is the list's in the answer, where that is not the path.

    Raises :class:`LabelsForbidden` (HTTP 403) and :class:`CannotRun`, or what ``refused`` makes of a refusal's status.
    """
    name = name or path.removeprefix("/")
    asked = {**params}
    while True:
        reply = transport.request("GET", f"/api/v2{path}", params=asked)
        if not reply.ok and refused is not None:
            raise refused(reply.status)
        words = name.replace("_", " ")
        if not reply.ok:
            error = LabelsForbidden if reply.status == 403 else CannotRun
            raise error(f"Zendesk refuses to show its {words} (HTTP {reply.status})")
        rows = mapping(reply.body).get(name)
        if not isinstance(rows, list):
            raise HelpdeskDown(f"Zendesk's answer holds no list of {words}")
        yield from (row for row in rows if isinstance(row, dict))
        if "page" in asked and reply.body.get("next_page"):
            asked["page"] = int(asked["page"]) + 1
        elif not has_next(reply, asked, f"list of {words}"):
            return


def read_labels(transport: Transport) -> AccountLabels:
    """Everything at once; a handful of requests. Raises :class:`CannotRun`, as any reading of the helpdesk."""
    tags = [row for row in islice(rows_of(transport, "/tags", _BY_NUMBER), MOST_TAGS) if row.get("name")]
    groups = with_ids(rows_of(transport, "/groups", _BY_NUMBER))
    return AccountLabels(
        tags={str(row["name"]): int(row.get("count") or 0) for row in tags},
        fields=read_fields(transport),
        groups={row["id"]: str(row.get("name")) for row in groups if not row.get("deleted")},
        live=live_among_newest(transport),
    )


def read_fields(transport: Transport) -> tuple[TicketField, ...]:
    """The fields of the account's tickets, by one request: they come without pages. Raises :class:`CannotRun`.

    :class:`LabelsForbidden` when this user may not read them.
    """
    return tuple(map(_field, with_ids(rows_of(transport, "/ticket_fields", {}))))


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


MOST_ALIKE = 20
"""Users of a search for an address that are compared; the search finds parts of words as well."""


def requesters(transport: Transport) -> Requesters:
    """The people of an account.

    Lists leave archived tickets out and a search lags behind by minutes, so both are asked. Neither knows of deleted
    tickets.
    """

    def rows(path: str, name: str, params: Mapping[str, str | int] = _BY_CURSOR) -> Iterator[dict[str, Any]]:
        def refused(status: int) -> Exception:
            what = "its users" if path == "/users/search" else "this user and their tickets"
            told = f"Zendesk refuses to show {what} (HTTP {status}); {BY_TICKET}"
            return ConfigError(NO_USER) if status == 404 else CannotRun(told)

        yield from rows_of(transport, path, params, name=name, refused=refused)

    def with_address(address: str) -> set[int]:
        found = with_ids(rows("/users/search", "users", {"query": f'email:"{address}"', "per_page": 100}))
        if theirs := {row["id"] for row in found if _same(row.get("email"), address)}:
            return theirs
        # The address may be one of several that a user has.
        return {row["id"] for row in found[:MOST_ALIKE] if has(row["id"], address)}

    def has(user: int, address: str) -> bool:
        identities = rows(f"/users/{user}/identities", "identities")
        return any(row.get("type") == "email" and _same(row.get("value"), address) for row in identities)

    def tickets(user: int) -> Iterator[int]:
        unknown = None
        try:
            yield from (row["id"] for row in with_ids(rows(f"/users/{user}/tickets/requested", "tickets")))
        except ConfigError as error:
            unknown = error  # of a user who was deleted the search may still know tickets
        query = {"query": f"requester:{user}", "filter[type]": "ticket", **_BY_CURSOR}
        for row in with_ids(rows("/search/export", "results", query)):
            unknown = None
            yield row["id"]
        if unknown is not None:
            raise unknown

    return Requesters(with_address, tickets)


def _same(value: object, address: str) -> bool:
    return isinstance(value, str) and value.casefold() == address.casefold()


def read_rules(transport: Transport) -> list[BusinessRule]:
    """The active rules. Raises :class:`CannotRun` where the account does not show them."""
    kinds: Mapping[str, RuleKind] = {"/triggers": "trigger", "/automations": "automation"}
    return [
        _rule(kind, row)
        for path, kind in kinds.items()
        for row in rows_of(transport, path)
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
    for item in mappings(rows):
        name, operator = string(item.get("field")) or string(item.get("source")), string(item.get("operator"))
        yield RuleCondition(name, _values(item.get("value")), operator or "is")


def _values(value: object) -> tuple[str, ...]:
    if isinstance(value, list):
        return tuple(map(_text, value)) or ("",)
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


class ClientCredentials(Auth):
    """Tokens of half an hour from ``POST /oauth/tokens``, renewed by age and after a 401.

    Threads share one token: the first to find it old fetches, the others wait for that.
    Source: Zendesk API reference, "OAuth Tokens for Grant Types".
    """

    def __init__(
        self, transport: Transport, clock: Clock, client_id: str, client_secret: str, scope: str = "read write"
    ) -> None:
        self._scope = scope
        self._transport = transport
        self._clock = clock
        self._client_id = client_id
        self._client_secret = client_secret
        self._lock = threading.Lock()
        super().__init__("")
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
    return whole_number(mapping(mapping(reply.body).get("user")).get("id")) if reply.ok else None


def token_ends(transport: Transport) -> float | None:
    """When the OAuth token ends that ``transport`` signs with (Unix seconds), if it ends and Zendesk says so."""
    try:
        return parse_iso(shown(transport, "/api/v2/oauth/tokens/current", "token")["expires_at"])
    except (KeyError, TypeError, ValueError):
        return None


# What our user may do: "UserForAdmin" and "CustomRoleConfigurationObject" of Zendesk's OpenAPI document

LIGHT_AGENT = 1
"""The ``role_type`` of an agent who may not change tickets."""


def rights(transport: Transport, reply: Reply, scope: str) -> Rights:
    """What our user may do, whom ``reply`` has shown tickets; ``scope`` is what an OAuth token was asked to have.

    One request, or two where the user has a role of the account's own.
    """
    facts: dict[str, object] = {}
    said = ""
    limit = read_limits(reply.headers).get(ACCOUNT_LIMIT)
    if limit is not None:
        facts["requests_a_minute"] = limit.total
        said = f", the plan allows {limit.total} requests a minute"
    lacking, writes = _ungranted(scope, transport.granted)
    if lacking and not writes:
        return Rights(lacking, "", said, facts)
    user = shown(transport, "/api/v2/users/me", "user")
    if not user:
        return Rights("", "", said, facts)  # tickets can be read, which is what counts
    role = facts["role"] = user.get("role")
    number = user.get("custom_role_id")
    custom = shown(transport, f"/api/v2/custom_roles/{number}", "custom_role") if isinstance(number, int) else {}
    allowed = mapping(custom.get("configuration"))
    if (wrong := _wrong(user, allowed)) is not None:
        return Rights(f"this user {wrong}", "", said, facts)
    for some in (user.get("ticket_restriction"), allowed.get("ticket_access")):
        if not lacking and isinstance(some, str) and some != "all":
            lacking = f"this user sees only some tickets ({some}): give it all tickets, or the others are never seen"
    slow = "" if lacking or role == "admin" else "; no admin: new tickets come by search, some minutes late"
    return Rights("", lacking, said + slow, facts)


def _wrong(user: Mapping[str, Any], allowed: Mapping[str, Any]) -> str | None:
    """Why nothing can be written."""
    reasons = (
        (user.get("id") is None, "is nobody: Zendesk takes the credentials for none; check them"),
        (user.get("suspended") is True, "is suspended"),
        (user.get("role") == "end-user", "is a customer; it has to be an agent"),
        (user.get("role_type") == LIGHT_AGENT, "is a light agent, who may not change tickets; give it an agent's seat"),
        (allowed.get("ticket_editing") is False, "has a role that may not edit tickets"),
        (allowed.get("ticket_tag_editing") is False, "has a role that may not edit tags"),
    )
    return next((why for holds, why in reasons if holds), None)


def _ungranted(asked: str, granted: Collection[str]) -> tuple[str, bool]:
    """What does not work where a token has less than it was asked to have, and whether it may write tickets."""
    have = set(granted)
    writes = not have or not have.isdisjoint({"write", "tickets:write"})
    if not have or all(have & {scope, scope.rpartition(":")[2]} for scope in asked.split()):
        return "", writes
    follows = "runs work, and what needs more, such as 'serve install-webhook', does not"
    if "read" not in have:
        follows = "tickets' audits cannot be read, and runs end with 3"
    if not writes:
        follows = "nothing can be written"
    return f"its token has only the scope '{' '.join(sorted(have))}' of '{asked}': {follows}", writes


def live_among_newest(transport: Transport) -> tuple[int, int]:
    """How many of the account's newest tickets are of messaging or chat, and how many were looked at; one request."""
    newest: dict[str, str | int] = {"per_page": 100, "sort_by": "created_at", "sort_order": "desc"}
    found = mappings(shown(transport, "/api/v2/tickets", params=newest).get("tickets"))
    return sum(map(is_messaging, found)), len(found)
