"""A Request Tracker's account: how to sign in, lists of tickets, queues with their fields, people, missing rights."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from typing import Any

import requests

from ..core.errors import CannotRun, ConfigError, HelpdeskDown, NotAuthorised
from ..core.http import is_loopback
from .http_messages import Reply, mapping, string
from .protocol import NO_USER, AccountLabels, Requesters, TicketField
from .request_tracker_format import KEY_FIELD, NOTE_FIELD, number, person_of
from .transport import Transport

BASE = "/REST/2.0"
MAX_BYTES = 12_000_000
_USER = "id,Name,EmailAddress,RealName"
_LISTED: Mapping[str, str] = {
    "fields": "Subject,Status,Queue,Priority,Owner,Requestor,CustomFields,Created,LastUpdated",
    "fields[Queue]": "id,Name",
    "fields[Owner]": _USER,
    "fields[Requestor]": _USER,
    "per_page": "100",  # more are cut off without a word
    "orderby": "id",
}
_RIGHTS = {"comment": "CommentOnTicket", "lifecycle": "ModifyTicket"}
"""Rights, by the links that a ticket shows to users who have them."""


def fetch_cookie(base_url: str, user: str, password: str) -> tuple[str, float]:
    """The cookie that RT gives for a name and a password, good until RT refuses it. Raises :class:`CannotRun`.

    A token is checked at each request, which takes 0.2 s.
    """
    address, form = f"{base_url}/NoAuth/Login.html", {"user": user, "pass": password}
    with requests.Session() as session:
        session.trust_env = not is_loopback(address)
        session.auth = lambda request: request  # or requests would take a password from .netrc
        try:
            session.post(address, data=form, timeout=30, allow_redirects=False, stream=True)
        except requests.RequestException as error:
            raise HelpdeskDown(f"Request Tracker does not answer ({type(error).__name__})") from error
        found = [f"{cookie.name}={cookie.value}" for cookie in session.cookies if cookie.name.startswith("RT_SID")]
    if not found:
        raise NotAuthorised("Request Tracker gives no cookie for RT_USER and RT_PASSWORD")
    return found[0], math.inf


def get(transport: Transport, path: str, params: Mapping[str, str | int], *, about_one: bool = False) -> Reply:
    """The answer to a read. RT's servers end connections without a word, so none is kept."""
    return transport.request(
        "GET", BASE + path, params=params, headers={"Connection": "close"}, about_one=about_one, most=MAX_BYTES
    )


def rows_of(reply: Reply) -> list[Mapping[str, Any]]:
    """The items of a list. Raises :class:`CannotRun`, and :class:`HelpdeskDown` for an answer that is none."""
    if not reply.ok:
        raise CannotRun(f"Request Tracker refuses a list to this user (HTTP {reply.status})")
    items = mapping(reply.body).get("items")
    if not isinstance(items, list):
        raise HelpdeskDown("Request Tracker's answer is no list")
    return [mapping(item) for item in items]


def pages_of(transport: Transport, query: str) -> Iterator[tuple[list[Mapping[str, Any]], float | None]]:
    """Rows of a query for tickets by number, and the date of each answer, until a page is empty."""
    after = 0
    while True:
        reply = get(transport, "/tickets", {"query": f"({query}) AND id > {after}", **_LISTED})
        rows = rows_of(reply)
        if not rows:
            return
        yield rows, reply.date
        after = max(number(row.get("id")) or 0 for row in rows)


def own_user(transport: Transport, user: str) -> int:
    """The number of the user of this name or number. Raises :class:`NotAuthorised` where RT shows none."""
    reply = get(transport, f"/user/{user}", {})
    person = person_of(reply.body, user) if reply.ok else None
    if person is None:
        raise NotAuthorised(f"Request Tracker does not show ticketbot its own user (HTTP {reply.status})")
    return person.id


def queues_of(transport: Transport) -> dict[int, str]:
    """The queues that this user may see, by number."""
    found: dict[int, str] = {}
    page = 0
    while True:
        page += 1
        rows = rows_of(get(transport, "/queues/all", {"fields": "Name", "per_page": 100, "page": page}))
        if not rows:
            return found
        found |= {number(row.get("id")) or 0: string(row.get("Name")) for row in rows}


def read_labels(transport: Transport) -> AccountLabels:
    """Queues and their fields; RT lists no tags in use. Raises :class:`CannotRun`."""
    groups = queues_of(transport)
    rows = [row for queue in groups for row in _fields(transport, queue, "TicketCustomFields")]
    names = {number(row.get("id")) or 0: string(row.get("name")) for row in rows}
    fields = tuple(TicketField(id=key, title=name, kind="custom") for key, name in names.items())
    return AccountLabels(tags=None, fields=fields, groups=groups)


def _fields(transport: Transport, queue: int, kind: str) -> list[Mapping[str, Any]]:
    return [mapping(row) for row in mapping(get(transport, f"/queue/{queue}", {}).body).get(kind) or ()]


def lacking(transport: Transport, tags_field: str) -> list[str]:
    """What keeps a run from writing, with what to do, as far as queues and a ticket of each show it.

    Raises :class:`CannotRun`.
    """
    wanted = (
        ("TicketCustomFields", tags_field, "Enter multiple values, for Tickets"),
        ("TicketCustomFields", KEY_FIELD, "Enter one value, for Tickets"),
        ("TicketTransactionCustomFields", NOTE_FIELD, "Enter one value, for Ticket Transactions"),
    )
    queues = queues_of(transport)
    found = [] if queues else ["this user sees no queue: give it SeeQueue and ShowTicket"]
    for queue, name in queues.items():
        for kind, field, how in wanted:
            if field not in [row.get("name") for row in _fields(transport, queue, kind)]:
                found.append(
                    f"queue '{name}' shows no field '{field}': make it (Custom Fields, {how}), apply it to the queue, "
                    "and give this user SeeCustomField and ModifyCustomField"
                )
        for row in rows_of(get(transport, "/tickets", {"query": f"Queue = {queue}", "per_page": 1})):
            shown = mapping(get(transport, f"/ticket/{row.get('id')}", {}).body).get("_hyperlinks") or ()
            links = {mapping(link).get("ref") for link in shown}
            found += [f"queue '{name}': give this user {right}" for link, right in _RIGHTS.items() if link not in links]
    return found


def requesters(transport: Transport) -> Requesters:
    """The people of a Request Tracker who have tickets."""

    def with_address(address: str) -> set[int]:
        pages = pages_of(transport, f"Requestor.EmailAddress = '{address}'")
        people = (person_of(user) for rows, _ in pages for row in rows for user in row.get("Requestor") or ())
        return {one.id for one in people if one is not None and one.address.casefold() == address.casefold()}

    def tickets(user: int) -> Iterator[int]:
        if get(transport, f"/user/{user}", {}).status == 404:
            raise ConfigError(NO_USER)
        pages = pages_of(transport, f"Requestor.id = {user}")
        yield from (key for rows, _ in pages for row in rows if (key := number(row.get("id"))))

    return Requesters(with_address, tickets)
