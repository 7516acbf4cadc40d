"""Lists Freshdesk tickets by their last change, without losing one that changes meanwhile.

Facts and their sources: developers.freshdesk.com/api, "List All Tickets".
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from typing import Any

from ..core.clock import iso, parse_iso
from ..core.errors import CannotRun, HelpdeskDown, NotAuthorised, TicketError, TicketUnreadable
from .freshdesk_format import ACCOUNT_LIMIT, LIST_LIMIT, error_code, rows_of
from .json_values import with_ids
from .page_parts import stub_of
from .transport import Transport

PAGE_SIZE = 100
MAX_PAGE_BYTES = 12_000_000
OVERLAP_S = 120.0
"""A listing begins this much before the end of the last one."""
MOST_REMEMBERED = 2_000
"""Rows of the overlap that a cursor names, so that they are not looked at again."""
MOST_WALKS = 10
MOVES = "Freshdesk's list of tickets changes faster than it can be read; nothing is lost, try later"
MOST_LOST = 2
"""From so many rows on that cannot be read, and none that can, it is the answers that are at fault."""
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
            last = _moment(rows, date)
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
                last = _moment(rows, date) if full else moment + 2.0
                step = moment if last is None else last - 1.0
            if len(found) == known:
                return sorted(found.values(), key=lambda row: str(row.get("updated_at"))), step
        raise HelpdeskDown(MOVES)

    def _list(self, moment: float, page: int) -> tuple[list[Mapping[str, Any]], float | None, bool]:
        """A page of tickets, the answer's date, and whether the page is full.

        A page that is too long to be read is asked for with a tenth of its rows, and so are all later ones. One that a
        row makes unreadable is read in parts, again and again until no row has moved meanwhile.
        """
        found: dict[tuple[str, str], Mapping[str, Any]] = {}
        for _ in range(MOST_WALKS):
            known = len(found)
            try:
                rows, date, full = self._page(moment, page, self._page_size)
            except HelpdeskDown as error:
                if error.too_long and self._page_size > 1:
                    self._page_size, page = self._page_size // 10, 1
                    continue
                if not error.unparsed:
                    raise
                rows = []
                date, full = self._in_parts(moment, page, self._page_size, rows, error)
            else:
                if not found:
                    return rows, date, full
            found.update(((str(row.get("id")), str(row.get("updated_at"))), row) for row in rows)
            if len(found) == known:
                return list(found.values()), date, full
        raise HelpdeskDown(MOVES)

    def _page(self, moment: float, page: int, size: int, *, searches: bool = False) -> tuple[Rows, float | None, bool]:
        params: dict[str, str | int] = {
            "updated_since": iso(moment),
            "order_by": "updated_at",
            "order_type": "asc",
            "per_page": size,
            "page": page,
            "include": "description,requester",
        }
        reply = self._transport.request(
            "GET",
            "/api/v2/tickets",
            params=params,
            limits={ACCOUNT_LIMIT: LIST_COST, LIST_LIMIT: 1},
            most=MAX_PAGE_BYTES,
            about_one=searches,
        )
        if reply.status == 403:
            raise NotAuthorised("this Freshdesk agent may not list tickets (HTTP 403)")
        if not reply.ok:
            raise CannotRun(f"Freshdesk refuses to list tickets (HTTP {reply.status}{error_code(reply)})")
        rows = rows_of(reply)
        return rows, reply.date, len(rows) >= size

    def _in_parts(
        self, moment: float, page: int, size: int, rows: Rows, whole: HelpdeskDown
    ) -> tuple[float | None, bool]:
        """Add a page that is no JSON to ``rows``: its halves or fifths, down to the row, of which little can be known.

        Returns its date, and whether it is full. Raises ``whole`` where nothing can be read.
        """
        date, step = None, 1 if size < 2 else size // (5 if size % 2 else 2)
        for part in range((page - 1) * size // step + 1, page * size // step + 1):
            try:
                some, date, full = self._page(moment, part, step, searches=True)
            except TicketUnreadable as error:
                if not error.unparsed:
                    raise HelpdeskDown(str(error)) from error
                if step > 1:
                    date, full = self._in_parts(moment, part, step, rows, whole)
                else:
                    rows.append(stub_of(error.unparsed))
                    full = True
                if len(rows) >= MOST_LOST and not with_ids(rows):
                    raise whole from error
            except TicketError as error:
                raise error.if_shared(str(error)) from error
            else:
                rows += some
            if not full:
                return date, False
        return date, True


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

    def new(self, rows: Sequence[Mapping[str, Any]], date: float | None) -> Rows:
        """The rows that were not listed before as they are now; moves the place behind them.

        ``date`` is the answer's own (Unix seconds).
        """
        new = [row for row in rows if self._seen.get(str(row.get("id")), "") != str(row.get("updated_at"))]
        self._seen |= {str(row["id"]): str(row.get("updated_at")) for row in with_ids(new)}
        if (newest := _moment(rows, date)) is not None:
            self._newest = max(self._newest, iso(newest))
            oldest = iso(newest - OVERLAP_S)
            self._seen = {number: stamp for number, stamp in self._seen.items() if stamp >= oldest}
        return new

    def is_behind(self, moment: float | None) -> bool:
        """Whether the place lies behind a moment (Unix seconds)."""
        return moment is not None and bool(self._newest) and parse_iso(self._newest) > moment


def _moment(rows: Sequence[Mapping[str, Any]], date: float | None) -> float | None:
    """The last change of a page's rows (Unix seconds), where one tells a date that makes sense at the answer's own."""
    dates = []
    for row in rows:
        with suppress(ValueError):
            dates.append(parse_iso(str(row.get("updated_at"))))
    return max((at for at in dates if date is None or at <= date + OVERLAP_S), default=None)
