"""One call of the imitated Zendesk API while it is answered: what it asks for, and how it is refused or paged."""

from __future__ import annotations

import base64
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Any

import orjson

from .messages import ApiCall, Refusal, Response, json_response, refuse
from .store import Row, StoredTicket
from .zendesk_store import ZendeskStore, without_generated

NOT_FOUND: Mapping[str, str] = {"error": "RecordNotFound", "description": "Not found"}
NO_ACCESS = "You do not have access to this page. Please contact the account owner for further help."
PAGE = 100
OLD_S = 120 * 86_400
"""A ticket that was closed so long ago is archived: no list has it."""

Key = tuple[Any, ...]


class Call(ApiCall):
    """A request with all that a handler needs."""

    store: ZendeskStore

    def ticket(self) -> StoredTicket:
        """The ticket the path names; 404 when there is none."""
        found = self.store.living(self.args[0])
        if found is None:
            raise refuse(404, NOT_FOUND)
        return found

    def shown_ticket(self) -> StoredTicket:
        """The ticket the path names as a reading shows it; 404 when there is none."""
        found = self.store.read(self.args[0])
        if not found:
            raise refuse(404, NOT_FOUND)
        return found[0]

    def number(self, name: str, default: int, *, at_most: int) -> int:
        """A positive whole number from the query, kept within bounds."""
        return max(1, min(int(self.request.query.get(name, default)), at_most))

    def names(self) -> list[str]:
        """``ids=1,2,3`` from the query; 400 for more than a hundred."""
        parts = [part.strip() for part in self.request.query.get("ids", "").split(",") if part.strip()]
        if len(parts) > PAGE:
            raise too_many_values(PAGE)
        return list(dict.fromkeys(parts))


def too_many_values(at_most: int) -> Refusal:
    """400 for a list longer than an endpoint takes."""
    description = f"Parameter  cannot specify more than {at_most} values"
    return refuse(400, {"error": "TooManyValues", "description": description, "max_count": at_most})


def invalid(field_name: str, description: str, error: str = "InvalidValue") -> Refusal:
    """422 for one field that does not validate."""
    details = {field_name: [{"description": description, "error": error}]}
    return refuse(422, {"error": "RecordInvalid", "description": "Record validation errors", "details": details})


def missing_scope(scope: str) -> Refusal:
    """403 for a token whose scopes do not allow this; the sentence is the vendor's."""
    return forbidden(f"You are missing the following required scopes: {scope}")


def forbidden(message: str = NO_ACCESS) -> Refusal:
    """403 in the vendor's form."""
    return refuse(403, {"error": {"title": "Forbidden", "message": message}})


# --- pages ------------------------------------------------------------------------------------------------


def paged(
    call: Call,
    name: str,
    rows: Sequence[Row],
    *,
    order: str = "id",
    show: Callable[[Row], Row] = dict,
) -> Response:
    """A page of ``rows``, each as ``show`` gives it: by cursor when the query has ``page[…]``, by offset otherwise.

    ``order`` names the fields that rows are sorted by, with commas between them.
    """
    query = call.request.query
    if "page[size]" in query or "page[after]" in query:
        page, around = _by_cursor(call, sorted(rows, key=_sort_key(order)), _sort_key(order))
        return json_response(200, {name: list(map(show, page)), **around})
    number = call.number("page", 1, at_most=10**9)
    size = call.number("per_page", PAGE, at_most=PAGE)
    page = sorted(rows, key=_sort_key(order))[(number - 1) * size : number * size]
    return json_response(200, {name: list(map(show, page)), **neighbours(call, number, size, len(rows))})


def neighbours(call: Call, page: int, size: int, count: int) -> Row:
    """The links and the count of a page by offset."""
    return {
        "next_page": call.link(page=str(page + 1)) if page * size < count else None,
        "previous_page": call.link(page=str(page - 1)) if page > 1 else None,
        "count": count,
    }


def _by_cursor(call: Call, ordered: list[Row], key: Callable[[Row], Key]) -> tuple[list[Row], Row]:
    """The rows of a page by cursor, and what is told of the pages around it."""
    size = call.number("page[size]", PAGE, at_most=PAGE)
    rest = ordered
    if after := call.request.query.get("page[after]"):
        position = decode_cursor(after)
        rest = [row for row in ordered if key(row) > position]
    page, more = rest[:size], len(rest) > size
    first, last = (encode_cursor(key(page[at])) if page else None for at in (0, -1))
    meta = {"has_more": more, "after_cursor": last, "before_cursor": first}
    # Both links on every page that has rows, even where nothing follows; the help center's tell the truth.
    back = call.link(page__before=first, page__after=None) if first else None
    on = call.link(page__after=last, page__before=None) if last else None
    links: Row = {"prev": back, "next": on}
    if "/help_center/" in call.request.path:
        links = {"first": call.link(page__before=None, page__after=None)}
        links |= {"prev": back} if len(rest) < len(ordered) else {}
        links |= {"next": on} if more else {}
    return page, {"meta": meta, "links": links}


def _sort_key(order: str) -> Callable[[Row], Key]:
    """The sort key, with ties broken by id."""
    names = order.split(",")
    return lambda row: (*(row[name] for name in names), row["id"])


def encode_cursor(key: Key) -> str:
    """A position as an opaque cursor."""
    return base64.urlsafe_b64encode(orjson.dumps(key)).decode("ascii")


def decode_cursor(cursor: str) -> Key:
    """The position in a cursor."""
    return tuple(orjson.loads(base64.urlsafe_b64decode(cursor)))


# --- the account ------------------------------------------------------------------------------------------


def search_users(call: Call) -> Response:
    """Those with the text in an address or, without ``email:`` before it, in the name too."""
    text, users = call.request.query.get("query", "").lower(), call.store.users
    wanted = text.removeprefix("email:").strip('"')
    found = {number for email, number in users.by_email.items() if wanted and wanted in email}
    if not text.startswith("email:"):
        found |= {number for number, row in users.items() if wanted and wanted in row["name"].lower()}
    return paged(call, "users", [users[number] for number in found])


def identities(call: Call) -> Response:
    """The addresses of a user, the primary one first."""
    user, number = _user(call), call.args[0]
    stamps = dict.fromkeys(("created_at", "updated_at"), user["created_at"])
    common = {"user_id": number, "type": "email", "verified": True, **stamps}
    rows: list[Row] = []
    for address in [email for email, owner in call.store.users.by_email.items() if owner == number]:
        own = number * 100 + len(rows)
        url = f"{call.store.base_url}/api/v2/users/{number}/identities/{own}.json"
        rows.append({"id": own, "url": url, "value": address, "primary": not rows, **common})
    return paged(call, "identities", rows)


def _user(call: Call) -> Row:
    """The user the path names; 404 when there is none."""
    found = call.store.users.get(call.args[0])
    if found is None:
        raise refuse(404, NOT_FOUND)
    return found


def requested(call: Call) -> Response:
    """``GET /users/{id}/tickets/requested``: neither deleted nor archived ones."""
    number = _user(call)["id"]
    rows = [
        ticket.json
        for ticket in call.store.tickets.values()
        if ticket.json["requester_id"] == number and not ticket.deleted
        if not (ticket.json["status"] == "closed" and call.now - ticket.changed > OLD_S)
    ]
    return paged(call, "tickets", rows, show=without_generated)


def ticket_fields(call: Call) -> Response:
    """``GET /ticket_fields``: all of them, without paging."""
    fields = call.store.ticket_fields
    return json_response(200, {"ticket_fields": fields, "next_page": None, "previous_page": None, "count": len(fields)})


# --- the help center --------------------------------------------------------------------------------------

SIGNED_IN, STAFF, SOME = 80_001, 80_002, 80_003
SEGMENTS = (
    {"id": SIGNED_IN, "name": "Signed-in users", "user_type": "signed_in_users", "built_in": True},
    {"id": STAFF, "name": "Agents and admins", "user_type": "staff", "built_in": True},
    {"id": SOME, "name": "VIP customers", "user_type": "signed_in_users", "built_in": False},
)
"""Who may see an article that names one of them."""


def list_articles(call: Call) -> Response:
    """``GET /help_center/articles``; ``include=translations`` adds these."""
    show = partial(_translated, call) if "translations" in call.included else dict
    return paged(call, "articles", call.store.articles, show=show)


def _translated(call: Call, row: Row) -> Row:
    names = ("title", "body", "locale", "draft", "outdated", "html_url", "created_at", "updated_at")
    own = {"source_id": row["id"], "source_type": "Article", "hidden": False, **{name: row[name] for name in names}}
    return {**row, "translations": [own, *call.store.article_translations.get(row["id"], ())]}
