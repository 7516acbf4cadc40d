"""One call of the imitated Zendesk API while it is answered: what it asks for, and how it is refused or paged."""

from __future__ import annotations

import base64
from collections.abc import Callable, Container, Mapping, Sequence
from typing import Any

import orjson

from .messages import ApiCall, Refusal, Response, json_response, refuse
from .store import Row, StoredTicket
from .zendesk_store import ZendeskStore

NOT_FOUND: Mapping[str, str] = {"error": "RecordNotFound", "description": "Not found"}
NO_ACCESS = "You do not have access to this page. Please contact the account owner for further help."
PAGE = 100

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
        parts = dict.fromkeys(filter(None, self.request.query.get("ids", "").split(",")))
        if len(parts) > PAGE:
            raise too_many_values()
        return list(parts)


def too_many_values() -> Refusal:
    """400 for a list longer than an endpoint takes."""
    description = f"Parameter  cannot specify more than {PAGE} values"
    return refuse(400, {"error": "TooManyValues", "description": description, "max_count": PAGE})


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


def paged(call: Call, name: str, rows: Sequence[Row], *, order: str = "id", hidden: Container[str] = ()) -> Response:
    """A page of ``rows`` without what is ``hidden``: by cursor when the query has ``page[…]``, by offset otherwise.

    ``order`` names the fields that rows are sorted by, with commas between them; ties are broken by id.
    """
    names = (*order.split(","), "id")

    def key(row: Row) -> Key:
        return tuple(row[name] for name in names)

    ordered, query = sorted(rows, key=key), call.request.query
    if "page[size]" in query or "page[after]" in query:
        page, around = _by_cursor(call, ordered, key)
    else:
        number, size = call.number("page", 1, at_most=10**9), call.number("per_page", PAGE, at_most=PAGE)
        page = ordered[(number - 1) * size : number * size]
        around = {
            "next_page": call.link(page=str(number + 1)) if number * size < len(rows) else None,
            "previous_page": call.link(page=str(number - 1)) if number > 1 else None,
            "count": len(rows),
        }
    shown = [{field: value for field, value in row.items() if field not in hidden} for row in page]
    return json_response(200, {name: shown, **around})


def _by_cursor(call: Call, ordered: list[Row], key: Callable[[Row], Key]) -> tuple[list[Row], Row]:
    """The rows of a page by cursor, and what is told of the pages around it."""
    size = call.number("page[size]", PAGE, at_most=PAGE)
    position = decode_cursor(call.request.query.get("page[after]", ""))
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


def encode_cursor(key: Key) -> str:
    return base64.urlsafe_b64encode(orjson.dumps(key)).decode("ascii")


def decode_cursor(cursor: str) -> Key:
    """The position in a cursor; that before all without one."""
    return tuple(orjson.loads(base64.urlsafe_b64decode(cursor) or "[]"))
