"""Lists Freshdesk tickets by their last change, without losing one that changes meanwhile.

Facts and their sources: developers.freshdesk.com/api, "List All Tickets".
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from typing import Any

from ..core.clock import iso, parse_iso
from ..core.errors import CannotRun, HelpdeskDown, NotAuthorised
from .freshdesk_format import ACCOUNT_LIMIT, LIST_LIMIT, error_code, rows_of
from .transport import Transport

PAGE_SIZE = 100
MAX_PAGE_BYTES = 12_000_000
OVERLAP_S = 120.0
"""A listing begins this much before the end of the last one."""
MOST_REMEMBERED = 2_000
"""Rows of the overlap that a cursor names, so that they are not looked at again."""
MOST_WALKS = 10
LIST_COST = 5
"""Credits of a list with its two ``include``, which cost two more each."""
Rows = list[Mapping[str, Any]]


class Listing:
    """The account's tickets by last change. Used by one thread at a time."""

    def __init__(self, transport: Transport) -> None:
        self._transport = transport
        self._page_size = PAGE_SIZE

    def changed_since(self, moment: float) -> Iterator[tuple[Rows, float | None, bool]]:
        """Rows in the order of their last change, the answer's date, and whether nothing newer is there yet.

        Some rows come twice. A row that changes while the list is read moves to its end, and those behind it move up:
        from the second page on they would be missed. So each request asks for the first page, from the last row's
        second on. Raises :class:`CannotRun`.
        """
        while True:
            rows, date, full = self._list(moment, 1)
            step = _moment(rows) - 1.0 if rows else moment
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
        found: dict[tuple[object, object], Mapping[str, Any]] = {}
        for _ in range(MOST_WALKS):
            known, page, step = len(found), 0, moment
            while step <= moment:
                page += 1
                rows, _, full = self._list(moment, page)
                found.update(((row.get("id"), row.get("updated_at")), row) for row in rows)
                step = _moment(rows) - 1.0 if full else moment + 1.0
            if len(found) == known:
                return sorted(found.values(), key=lambda row: str(row.get("updated_at"))), step
        raise HelpdeskDown("Freshdesk's list of tickets changes faster than it can be read; nothing is lost, try later")

    def _list(self, moment: float, page: int) -> tuple[list[Mapping[str, Any]], float | None, bool]:
        """A page of tickets, the answer's date, and whether the page is full.

        A page that is too long to be read is asked for with a tenth of its rows, and so are all later ones.
        """
        while True:
            params: dict[str, str | int] = {
                "updated_since": iso(moment),
                "order_by": "updated_at",
                "order_type": "asc",
                "per_page": self._page_size,
                "page": page,
                "include": "description,requester",
            }
            try:
                reply = self._transport.request(
                    "GET",
                    "/api/v2/tickets",
                    params=params,
                    limits={ACCOUNT_LIMIT: LIST_COST, LIST_LIMIT: 1},
                    most=MAX_PAGE_BYTES,
                )
            except HelpdeskDown as error:
                if not error.too_long or self._page_size == 1:
                    raise
                self._page_size, page = self._page_size // 10, 1
                continue
            if reply.status == 403:
                raise NotAuthorised("this Freshdesk agent may not list tickets (HTTP 403)")
            if not reply.ok:
                raise CannotRun(f"Freshdesk refuses to list tickets (HTTP {reply.status}{error_code(reply)})")
            rows = rows_of(reply)
            return rows, reply.date, len(rows) >= self._page_size


class ListingPlace:
    """How far a listing has been read: the newest change, and the rows of the last two minutes before it.

    A row that was listed is passed over while nothing has changed on it.
    """

    def __init__(self, moment: float, newest: str, seen: dict[str, str]) -> None:
        self.moment = moment
        self._newest = newest
        self._seen = seen

    @classmethod
    def read(cls, cursor: str | None, since: float) -> ListingPlace:
        """The place that a cursor names; without one, ``since`` (Unix seconds)."""
        newest, _, named = (cursor or "").removeprefix("changed:").partition(";")
        seen = dict(item.split("@", 1) for item in named.split(",") if "@" in item)
        return cls(parse_iso(newest) - OVERLAP_S if newest else since, newest, seen)

    @property
    def cursor(self) -> str | None:
        """The place as a text; ``None`` where nothing was ever listed."""
        if not self._newest:
            return None
        named = sorted(self._seen.items(), key=lambda item: item[1])[-MOST_REMEMBERED:]
        return f"changed:{self._newest};" + ",".join(f"{number}@{stamp}" for number, stamp in named)

    def new(self, rows: Sequence[Mapping[str, Any]]) -> Rows:
        """The rows that were not listed before as they are now; moves the place behind them."""
        new = [row for row in rows if self._seen.get(str(row.get("id")), "") != row.get("updated_at")]
        self._seen |= {str(row.get("id")): str(row.get("updated_at")) for row in new}
        if rows:
            newest = _moment(rows)
            self._newest = max(self._newest, iso(newest))
            oldest = iso(newest - OVERLAP_S)
            self._seen = {number: stamp for number, stamp in self._seen.items() if stamp >= oldest}
        return new

    def is_behind(self, moment: float | None) -> bool:
        """Whether the place lies behind a moment (Unix seconds)."""
        return moment is not None and bool(self._newest) and parse_iso(self._newest) > moment


def _moment(rows: Sequence[Mapping[str, Any]]) -> float:
    """The last change of a page's rows (Unix seconds); single rows may tell no date that makes sense."""
    dates = []
    for row in rows:
        with suppress(ValueError):
            dates.append(parse_iso(str(row.get("updated_at"))))
    if not dates:
        raise HelpdeskDown("Freshdesk's list of tickets tells no date of a change")
    return max(dates)
