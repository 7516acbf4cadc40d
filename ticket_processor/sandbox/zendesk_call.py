"""One call of the imitated Zendesk API while it is answered: what it asks for, and how it is refused or paged."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

import orjson

from .calls import ApiCall, Row
from .limits import RequestLimits
from .messages import Refusal, Response, json_response, refuse
from .records import StoredTicket
from .store import Store

NOT_FOUND: Mapping[str, str] = {"error": "RecordNotFound", "description": "Not found"}
NO_ACCESS = "You do not have access to this page. Please contact the account owner for further help."
PAGE = 100
DEEPEST_OFFSET = 10_000

Key = tuple[Any, ...]


class Rules:
    """How the account acts where no source is certain how the vendor does, or where accounts differ.

    These are the likeliest ways. Tests put a class with others in its place.

    ``job_seconds`` are the seconds until a job starts, and those for each of its items; ``max_jobs`` may be queued or
    working at once; ``most_comments`` are those that a ticket takes, of which it has ``had_comments`` unseen.
    """

    max_jobs: int = 30
    most_comments: int = 5_000
    had_comments: int = 0

    def __init__(self, job_seconds: tuple[float, float] = (1.0, 0.07)) -> None:
        self.job_seconds = job_seconds

    def passes(self, stamp: float, current: float) -> bool:
        """Whether a safe update passes by its stamp, where ``updated_at`` is ``current``."""
        return stamp == current

    def counting(self, payload: Mapping[str, Any], *, in_batch: bool) -> Mapping[str, Any]:
        """The part of an update, or of a batch's item, that the account honours."""
        return payload

    def told(self, known: frozenset[str]) -> frozenset[str]:
        """Of the ``known`` keys those that no header warns of."""
        return known

    def guarded_since(self, queued: float) -> float:
        """The time that guards a batch's item without a stamp that counts: a later change makes it fail."""
        return queued

    def failed_item(self, index: int, row: Mapping[str, Any]) -> dict[str, Any]:
        """A job's failed item as the job shows it."""
        return {"index": index, **row}

    def refusal(self, status: int, code: str, description: str, **headers: str) -> Refusal:
        """The error of a safe update that is outdated, or of a job too many."""
        return refuse(status, {"error": code, "description": description}, **headers)

    def enter_help_center(self) -> None:
        """Raises :class:`~.messages.Refusal` where the account has no Help Center, or does not let this user in."""

    def finds(self, words: set[str], found: set[str]) -> bool:
        """Whether an article is found of whose ``words`` it has those that are ``found``."""
        return bool(found)


@dataclass
class Call(ApiCall[Store]):
    """A request with all that a handler needs."""

    limits: RequestLimits
    rules: Rules

    def spend(self, limit: str, *, key: object = None) -> None:
        """Count this call against an endpoint's limit; raises :class:`Refusal` (429)."""
        self.headers |= self.limits.spend(limit, self.now, key=key)

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

    def payload(self) -> dict[str, Any]:
        """The JSON body. One that is not declared as JSON counts as empty, one that does not parse is a 400."""
        if "json" not in self.request.header("content-type"):
            return {}
        try:
            payload = self.request.json() if self.request.body else {}
        except ValueError:
            raise bad_request("Unprocessable JSON", "The request body could not be parsed as JSON.") from None
        if not isinstance(payload, dict):
            raise bad_request("Invalid attribute", "The request body must be a JSON object.")
        return payload

    def number(self, name: str, default: int, *, at_most: int, at_least: int = 1) -> int:
        """A whole number from the query, kept within bounds; 400 when it is no number."""
        text = self.request.query.get(name, "")
        if not text:
            return default
        try:
            return max(at_least, min(int(text), at_most))
        except ValueError:
            raise bad_request("Invalid attribute", f"{name} must be an integer") from None

    def names(self, *, at_most: int = 100) -> list[str]:
        """``ids=1,2,3`` from the query; 400 for too many."""
        parts = [part.strip() for part in self.request.query.get("ids", "").split(",") if part.strip()]
        if len(parts) > at_most:
            raise too_many_values(at_most)
        return list(dict.fromkeys(parts))

    def ids(self) -> list[int]:
        """The numbers in ``ids``; 400 for none."""
        try:
            ids = [int(part) for part in self.names()]
        except ValueError:
            ids = []
        if not ids:
            raise bad_request("Invalid attribute", "ids must be a comma-separated list of integers")
        return list(dict.fromkeys(ids))


def bad_request(title: str, message: str) -> Refusal:
    """400 in the vendor's form for a wrong attribute."""
    return refuse(400, {"error": {"title": title, "message": message}})


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
    rows: list[Row],
    *,
    sorts: Sequence[str] = ("id",),
    show: Callable[[Row], Row] = dict,
    besides: Mapping[str, Any] = MappingProxyType({}),
    order: str = "",
) -> Response:
    """A page of ``rows``, each as ``show`` gives it: by cursor when the query has ``page[…]``, by offset otherwise.

    ``besides`` is shown with every page. ``order`` names the fields that rows are sorted by where the query names none,
    with commas between them.

    ``sort_order`` and ``sort_by`` belong to offsets and are ignored beside ``page[…]``.
    """
    query = call.request.query
    if "page[size]" in query or "page[after]" in query or "page[before]" in query:
        page, around = _by_cursor(call, rows, (*sorts, order), query.get("sort", order))
        return json_response(200, {name: list(map(show, page)), **besides, **around})
    number = call.number("page", 1, at_most=10**9)
    size = call.number("per_page", PAGE, at_most=PAGE)
    if number * size > DEEPEST_OFFSET and number > 1:
        raise _error("InvalidPaginationDepth", "Pagination depth is limited to 10,000 records")
    key, backwards = _sort_key(query.get("sort_by") or query.get("sort") or order, ("created_at", order, *sorts))
    rows = sorted(rows, key=key, reverse=backwards or query.get("sort_order") == "desc")
    page = rows[(number - 1) * size : number * size]
    return json_response(200, {name: list(map(show, page)), **besides, **neighbours(call, number, size, len(rows))})


def neighbours(call: Call, page: int, size: int, count: int) -> dict[str, Any]:
    """The links and the count of a page by offset."""
    return {
        "next_page": call.link(page=str(page + 1)) if page * size < count else None,
        "previous_page": call.link(page=str(page - 1)) if page > 1 else None,
        "count": count,
    }


def _by_cursor(call: Call, rows: list[Row], sorts: Sequence[str], sort: str) -> tuple[list[Row], dict[str, Any]]:
    """The rows of a page by cursor, and what is told of the pages around it."""
    if sort.lstrip("-") not in ("", "id", *sorts):
        raise _error("InvalidPaginationParameter", f"sort is not valid: {sort[:40]}")
    key, backwards = _sort_key(sort, sorts)
    size = call.number("page[size]", PAGE, at_most=PAGE)
    ordered = sorted(rows, key=key, reverse=backwards)
    rest = ordered
    if after := call.request.query.get("page[after]"):
        position = decode_cursor(after)
        try:
            rest = [row for row in ordered if (key(row) < position if backwards else key(row) > position)]
        except TypeError:
            raise _error("InvalidPaginationParameter", "page[after] is not valid") from None
    page, more = rest[:size], len(rest) > size
    first, last = (encode_cursor(key(page[at])) if page else None for at in (0, -1))
    meta = {"has_more": more, "after_cursor": last, "before_cursor": first}
    return page, {"meta": meta, "links": _links(call, first, last, len(rest) < len(ordered), more)}


def _links(call: Call, before: str | None, after: str | None, earlier: bool, later: bool) -> dict[str, str | None]:
    """Both links on every page that has rows, even where nothing follows; the help center's tell the truth."""
    back = call.link(page__before=before, page__after=None) if before else None
    on = call.link(page__after=after, page__before=None) if after else None
    if "/help_center/" not in call.request.path:
        return {"prev": back, "next": on}
    first = call.link(page__before=None, page__after=None)
    return {"first": first, **({"prev": back} if earlier else {}), **({"next": on} if later else {})}


def _sort_key(sort: str, sorts: Sequence[str]) -> tuple[Callable[[Row], Key], bool]:
    """The sort key, with ties broken by id, and whether the order is descending."""
    name = sort.lstrip("-")
    if name in ("", "id") or name not in sorts:
        return (lambda row: (row["id"],)), sort.startswith("-")
    parts = name.split(",")
    return (lambda row: (*(_sortable(row.get(part)) for part in parts), row["id"])), sort.startswith("-")


def _sortable(value: Any) -> str:
    return f"{value:012d}" if isinstance(value, int) else str(value)


def encode_cursor(key: Key) -> str:
    """A position as an opaque cursor."""
    return base64.urlsafe_b64encode(orjson.dumps(key)).decode("ascii")


def decode_cursor(cursor: str) -> Key:
    """The position in a cursor; 400 for anything else."""
    try:
        position = orjson.loads(base64.urlsafe_b64decode(cursor))
    except (binascii.Error, ValueError):
        position = None
    if not isinstance(position, list) or not position:
        raise _error("InvalidPaginationParameter", "page[after] is not valid")
    return tuple(position)


def _error(code: str, title: str) -> Refusal:
    return refuse(400, {"errors": [{"code": code, "title": title, "detail": title}]})
