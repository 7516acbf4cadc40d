"""Reads of a Freshdesk account: tickets by their last change, without losing one that changes meanwhile; its limits,
fields and groups, people, and articles; and who we are.

Facts and their sources: developers.freshdesk.com/api, "List All Tickets", "Rate Limit", "Ticket Fields", "Groups",
"Contacts" (list), "Agents" (list), "Solutions" (there is no filter by time, so each sync walks all folders;
translations are asked for only where an article has changed). There is no list of the tags in use; archived, deleted
and spam tickets are in no list.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from typing import Any

from ..core.clock import iso, parse_iso
from ..core.errors import CannotRun, ConfigError, HelpdeskDown, NotAuthorised
from .freshdesk_format import (
    ACCOUNT_LIMIT,
    LIST_LIMIT,
    UPDATE_LIMIT,
    FieldNames,
    error_code,
)
from .http_messages import Reply, mapping, string, whole_number, with_ids
from .protocol import (
    BY_TICKET,
    NO_USER,
    AccountLabels,
    Audience,
    HelpArticle,
    IsUnchanged,
    Requesters,
    Rights,
    TicketField,
)
from .transport import Limit, Transport, shown

OVERLAP_S = 120.0
"""A listing begins this much before the end of the last one."""
Rows = list[Mapping[str, Any]]


def moment_of(rows: Sequence[Mapping[str, Any]], date: float | None) -> float | None:
    """The last change of a page's rows (Unix seconds), where one tells a date that makes sense at the answer's own."""
    dates = []
    for row in rows:
        with suppress(ValueError):
            dates.append(parse_iso(str(row.get("updated_at"))))
    return max((at for at in dates if date is None or at <= date + OVERLAP_S), default=None)


SUB_LIMITS: Mapping[int, tuple[int, int]] = {
    200: (80, 20),
    400: (160, 100),
    700: (280, 200),
    1000: (400, 300),
    2000: (800, 400),
}
"""Updates and lists of tickets that a plan allows in a minute, by its total; the headers tell the total only."""
HOURLY_FROM = 3_000
"""A total from here on is an hour's (3,000 to 5,000 on older plans, support 225439); those of a minute are less."""
PAGE_SIZE = 100
MAX_PAGE_BYTES = 12_000_000
MOST_WALKS = 10
MOVES = "Freshdesk's list of tickets changes faster than it can be read; nothing is lost, try later"
LIST_COST = 5
"""Credits of a list with its two ``include``, which cost two more each."""


class Listing:
    """The account's tickets by last change. Used by one thread at a time."""

    def __init__(self, transport: Transport, *, stats: bool = False) -> None:
        self._transport = transport
        self._page_size = PAGE_SIZE
        self._stats = stats

    def changed_since(self, moment: float) -> Iterator[tuple[Rows, float | None, bool]]:
        """Rows in the order of their last change, the answer's date, and whether nothing newer is there yet.

        Some rows come twice. A row that changes while the list is read moves to its end, and those behind it move up:
        from the second page on they would be missed. So each request asks for the first page, from the last row's
        second on. Raises :class:`CannotRun`.
        """
        while True:
            rows, date, full = self._list(moment, 1)
            last = moment_of(rows, date)
            step = moment if last is None else last - 1.0
            if not full:
                yield rows, date, True
                return
            if step <= moment:
                rows, step = self._crowded(moment)
            yield rows, date, False
            moment = step

    def _crowded(self, moment: float) -> tuple[Rows, float]:
        """All rows of a second that holds more than a page, and from when to go on.

        They are read again until nothing has moved meanwhile.
        """
        found: dict[tuple[str, str], Mapping[str, Any]] = {}
        for _ in range(MOST_WALKS):
            known, page, step = len(found), 0, moment
            while step <= moment:
                page += 1
                rows, date, full = self._list(moment, page)
                found.update(((str(row.get("id")), str(row.get("updated_at"))), row) for row in rows)
                last = moment_of(rows, date) if full else moment + 2.0
                step = moment if last is None else last - 1.0
            if len(found) == known:
                return sorted(found.values(), key=lambda row: str(row.get("updated_at"))), step
        raise HelpdeskDown(MOVES)

    def _list(self, moment: float, page: int) -> tuple[Rows, float | None, bool]:
        """A page of tickets, the answer's date, and whether the page is full.

        A page that is too long to be read is asked for with a tenth of its rows, and so are all later ones.
        """
        params: dict[str, str | int] = {
            "updated_since": iso(moment),
            "order_by": "updated_at",
            "order_type": "asc",
            "per_page": self._page_size,
            "page": page,
            "include": "description,requester" + ",stats" * self._stats,
        }
        limits = {ACCOUNT_LIMIT: LIST_COST + 2 * self._stats, LIST_LIMIT: 1}
        try:
            reply = self._transport.request("GET", "/api/v2/tickets", params=params, limits=limits, most=MAX_PAGE_BYTES)
        except HelpdeskDown as error:
            if not error.too_long or self._page_size == 1:
                raise
            self._page_size //= 10
            return self._list(moment, 1)
        if reply.status == 403:
            raise NotAuthorised("this Freshdesk agent may not list tickets (HTTP 403)")
        if not reply.ok:
            raise CannotRun(f"Freshdesk refuses to list tickets (HTTP {reply.status}{error_code(reply)})")
        rows = rows_of(reply)
        return rows, reply.date, len(rows) >= self._page_size


# The account


def read_limits(headers: Mapping[str, str]) -> dict[str, Limit]:
    """The account's limit as a reply tells it, and the limits on updates and lists that its plan has.

    The total may be written as ``50.0``. When the minute ends is not told. Older plans count by the hour; their total
    is taken evenly, a sixtieth in each minute.
    """
    total, remaining = (_number(headers.get(f"X-RateLimit-{name}")) for name in ("Total", "Remaining"))
    if total is None or remaining is None:
        return {}
    if total >= HOURLY_FROM:
        total, remaining = total // 60, remaining // 60
    found = {ACCOUNT_LIMIT: Limit(total, remaining, None)}
    if total in SUB_LIMITS:
        found |= {
            name: Limit(most, most, None)
            for name, most in zip((UPDATE_LIMIT, LIST_LIMIT), SUB_LIMITS[total], strict=True)
        }
    return found


def _number(text: str | None) -> int | None:
    try:
        return int(float(text or ""))
    except ValueError:
        return None


def listed(reply: Reply, what: str, hint: str = "") -> list[dict[str, Any]]:
    """The rows with ids of an answer that is a list of ``what``. Raises :class:`CannotRun` with ``hint``.

    With a hint it is about a user, and where there is no such user, it raises :class:`ConfigError`.
    """
    if hint and reply.status in (400, 404):
        raise ConfigError(NO_USER)
    if not reply.ok:
        raise CannotRun(f"Freshdesk refuses to show its {what} (HTTP {reply.status}){hint}")
    if not isinstance(reply.body, list):
        raise HelpdeskDown(f"Freshdesk's answer is no list of {what}")
    return with_ids(reply.body)


def rows_of(reply: Reply) -> list[Mapping[str, Any]]:
    """The rows of an answer that is a list. Raises :class:`HelpdeskDown` for any other."""
    if not isinstance(reply.body, list):
        raise HelpdeskDown("Freshdesk's answer is no list")
    return [mapping(row) for row in reply.body]


def ticket_field(row: Mapping[str, Any]) -> TicketField:
    """A field of the account's tickets, as set-ups are compared with it."""
    kind, choices = str(row.get("type") or ""), row.get("choices")
    return TicketField(
        id=row["id"],
        title=str(row.get("label") or row.get("name") or ""),
        kind="checkbox" if kind == "custom_checkbox" else kind,
        active=not row.get("archived"),
        system=row.get("default") is True,
        required=row.get("required_for_closure") is True,
        # A list or, where one choice leads to others, the names at the top of the tree.
        options={str(value): str(value) for value in choices} if isinstance(choices, list | dict) else {},
    )


def field_names(rows: Iterable[Mapping[str, Any]]) -> FieldNames:
    """The custom fields among an account's ticket fields; Freshdesk's own ones are no custom fields."""
    return {
        string(row.get("name")): row["id"]
        for row in rows
        if isinstance(row.get("id"), int) and not row.get("default") and row.get("name")
    }


def own_statuses(rows: Iterable[Mapping[str, Any]]) -> dict[int, str]:
    """The statuses that the account has made itself, by number, with their names; not the two of a new account, which
    wait for somebody."""
    choices = next((mapping(row.get("choices")) for row in rows if row.get("type") == "default_status"), {})
    named = {key: value[0] if isinstance(value, list) and value else value for key, value in choices.items()}
    return {
        int(key): string(name) for key, name in named.items() if key.isdecimal() and int(key) not in _KNOWN_STATUSES
    }


_KNOWN_STATUSES = {2, 3, 4, 5, 6, 7}  # two of them are "Waiting on Customer" and "Waiting on Third Party"
MAX_PAGES = 300
"""More are refused."""
BEGINNING = "1970-01-01T00:00:00Z"
"""Without a moment the list ends after thirty days."""
HINT = f"; {BY_TICKET}"


def read_labels(transport: Transport, open_statuses: Collection[int] = ()) -> AccountLabels:
    """Everything at once; a handful of requests. Raises :class:`CannotRun`, as any reading of the helpdesk."""
    rows = listed(transport.request("GET", "/api/v2/ticket_fields"), "ticket fields")
    groups = {row["id"]: str(row.get("name")) for row in _rows(transport, "groups")}
    fields = tuple(map(ticket_field, rows))
    held = {number: name for number, name in own_statuses(rows).items() if number not in open_statuses}
    return AccountLabels(tags=None, fields=fields, groups=groups, held_statuses=held)


def _rows(
    transport: Transport,
    path: str,
    params: Mapping[str, str | int] = {},
    hint: str = "",
    *,
    what: str = "",
    may_be_absent: bool = False,
) -> Iterator[dict[str, Any]]:
    """The rows of a list of ``what`` over all its pages. Raises what :func:`listed` does."""
    what = what or path
    for page in range(1, MAX_PAGES + 1):
        reply = transport.request("GET", f"/api/v2/{path}", params={**params, "per_page": PAGE_SIZE, "page": page})
        if may_be_absent and reply.status == 404:
            return
        yield from listed(reply, what, hint)
        if len(reply.body) < PAGE_SIZE:
            return
    raise CannotRun(f"Freshdesk lists the first {MAX_PAGES * PAGE_SIZE} {what} only{hint}")


def requesters(transport: Transport) -> Requesters:
    """The people of an account: contacts and agents, who may be requesters as well."""

    def with_address(address: str) -> set[int]:
        contacts = transport.request("GET", "/api/v2/contacts", params={"email": address})
        if found := {row["id"] for row in listed(contacts, "contacts", HINT)}:
            return found
        agents = transport.request("GET", "/api/v2/agents", params={"email": address})
        return set() if agents.status == 403 else {row["id"] for row in listed(agents, "agents", HINT)}

    def tickets(user: int) -> Iterator[int]:
        """In the order of their creation, which nothing changes meanwhile."""
        order = {"updated_since": BEGINNING, "order_by": "created_at", "order_type": "asc"}
        yield from (row["id"] for row in _rows(transport, "tickets", {"requester_id": user, **order}, HINT))

    return Requesters(with_address, tickets)


def own_user(transport: Transport) -> int | None:
    """The number of the agent whose key ``transport`` uses; ``None`` where Freshdesk does not say. One request."""
    reply = transport.request("GET", "/api/v2/agents/me")
    return whole_number(mapping(reply.body).get("id")) if reply.ok else None


ALL_TICKETS = 1
"""The scope of an agent who sees every ticket; others see those of their groups, or their own."""
HELPER = "collaborator"
"""The type of an agent who may not change tickets."""


def rights(transport: Transport) -> Rights:
    """What our agent may do, who was shown tickets. One request."""
    agent = shown(transport, "/api/v2/agents/me")  # where that is refused, tickets can be read all the same
    lacking = ""
    if agent.get("type") == HELPER:
        lacking = "this agent is a collaborator, who may not change tickets"
    elif agent.get("ticket_scope") not in (None, ALL_TICKETS):
        lacking = "this agent sees some of them only; give it the scope of all tickets, or the others are never seen"
    return Rights(lacking=lacking)


# Articles

PUBLISHED = 2
AUDIENCES: Mapping[int, Audience] = {1: "everyone", 2: "customers"}
"""Of a folder's ``visibility``. All others are for agents, bots, or some companies and segments only."""
DEEPEST = 8
ARTICLES = "solution articles"


def articles(transport: Transport, unchanged: IsUnchanged) -> Iterator[list[HelpArticle]]:
    """The solution articles in all of the portal's languages, a folder at a time. Raises :class:`CannotRun`."""
    reply = transport.request("GET", "/api/v2/settings/helpdesk")
    settings = mapping(reply.body if reply.ok else None)
    others = settings.get("portal_languages")
    named = [settings.get("primary_language") or "en", *(others if isinstance(others, list) else ())]
    languages = list(dict.fromkeys(name.lower() for name in named if isinstance(name, str) and name))
    for category in _rows(transport, "solutions/categories", what=ARTICLES):
        for folder in _rows(transport, f"solutions/categories/{category['id']}/folders", what=ARTICLES):
            for inner in _with_inner(transport, folder, DEEPEST):
                yield list(_of_folder(transport, inner, languages, unchanged))


def _with_inner(transport: Transport, folder: Mapping[str, Any], deepest: int) -> Iterator[Mapping[str, Any]]:
    yield folder
    if folder.get("sub_folders_count", 1) and deepest:
        path = f"solutions/folders/{folder['id']}/subfolders"
        for inner in _rows(transport, path, what=ARTICLES, may_be_absent=True):
            yield from _with_inner(transport, inner, deepest - 1)


def _of_folder(
    transport: Transport, folder: Mapping[str, Any], languages: Sequence[str], unchanged: IsUnchanged
) -> Iterator[HelpArticle]:
    audience = AUDIENCES.get(folder.get("visibility", 0), "agents")
    for row in _rows(transport, f"solutions/folders/{folder['id']}/articles", what=ARTICLES):
        number, stamp = row["id"], f"{row.get('updated_at')} {audience}"
        if row.get("status") != PUBLISHED or unchanged(number, languages, stamp):
            continue
        for language in languages:
            text, place = row, ""
            if language != languages[0]:
                reply = transport.request("GET", f"/api/v2/solutions/articles/{number}/{language}")
                text, place = {**row, "status": 0, **mapping(reply.body if reply.ok else None)}, f"{language}/"
            if text.get("status") == PUBLISHED:
                yield HelpArticle(
                    number=number,
                    language=language,
                    title=str(text.get("title") or ""),
                    url=f"{transport.base_url}/{place}support/solutions/articles/{number}",
                    audience=audience,
                    changed=text.get("updated_at"),
                    html=str(text.get("description") or ""),
                    labels=tuple(map(str, text.get("tags") or ())),
                    stamp=stamp,
                )
