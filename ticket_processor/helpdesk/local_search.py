"""Searching the local helpdesk: words, filters, sorting, and pages that do not jump while tickets arrive."""

from __future__ import annotations

import re
import sqlite3
import time
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import orjson

from .local_model import LocalHelpdeskError, LocalTicket, Status
from .local_numbers import as_written
from .local_schema import LocalFile, all_rows, insert, stamp
from .local_tickets import TICKET, ticket_of

Sort = Literal["updated", "created", "oldest", "urgency"]
_RANK = "CASE urgency WHEN 'critical' THEN 4 WHEN 'high' THEN 3 WHEN 'medium' THEN 2 WHEN 'low' THEN 1 ELSE 0 END"
_ORDERS: Mapping[Sort, tuple[tuple[str, ...], str, str]] = {
    "updated": (("updated_at", "id"), "DESC", "<"),
    "created": (("created_at", "id"), "DESC", "<"),
    "oldest": (("created_at", "id"), "ASC", ">"),
    "urgency": ((_RANK, "updated_at", "id"), "DESC", "<"),
}
_COUNTED = ("status", "category", "urgency", "sentiment", "escalated")
_UNSPACED = re.compile(r"([\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3040-\u30ff\u3400-\u9fff\uf900-\ufaff])")
"""Letters of scripts that write without spaces: each is a word of its own, and words are sought as phrases of them."""


@dataclass(frozen=True)
class Query:
    """What to look for; an empty filter lets everything pass. ``older_than_s`` is about a ticket's creation.

    ``text`` finds words of subjects, descriptions and messages, a ticket's number, and a requester's address.
    """

    text: str = ""
    status: Sequence[Status] = ()
    category: Sequence[str] = ()
    urgency: Sequence[str] = ()
    sentiment: Sequence[str] = ()
    escalated: bool | None = None
    older_than_s: float | None = None
    sort: Sort = "updated"


EVERYTHING = Query()


@dataclass(frozen=True)
class PageOfTickets:
    """Some tickets, and what to ask for those behind them; ``None`` where there are none."""

    rows: tuple[LocalTicket, ...]
    next_key: str | None


class TicketSearch(LocalFile):
    """The part of the store that searches."""

    clock: Callable[[], float] = staticmethod(time.time)

    def search(self, query: Query, after: str | None = None, limit: int = 25) -> PageOfTickets:
        """A page of what a query finds, behind the place ``after``; :class:`LocalHelpdeskError` where that is none."""
        columns, direction, behind = _ORDERS[query.sort]
        conditions, values = self._conditions(query)
        if after is not None:
            conditions.append(f"({', '.join(columns)}) {behind} ({', '.join('?' * len(columns))})")
            values += _place(after, len(columns))
        order = ", ".join(f"{column} {direction}" for column in columns)
        chosen = f"SELECT {', '.join(columns)} FROM ticket {_where(conditions)} ORDER BY {order} LIMIT ?"
        with self.reading() as db:
            found = [tuple(row) for row in all_rows(db, chosen, (*values, limit + 1))]
            page = found[:limit]
            numbers = orjson.dumps([row[-1] for row in page]).decode()
            rows = all_rows(db, f"{TICKET} WHERE id IN (SELECT value FROM json_each(?))", (numbers,))
        tickets = {row["id"]: ticket_of(row) for row in rows}
        more = orjson.dumps(page[-1]).decode() if len(found) > limit else None
        return PageOfTickets(tuple(tickets[row[-1]] for row in page), more)

    def counts(self, query: Query = EVERYTHING) -> Mapping[str, Mapping[Any, int]]:
        """How many tickets a query finds, by status, category, urgency, sentiment and escalation."""
        conditions, values = self._conditions(query)
        columns = ", ".join(_COUNTED)
        with self.reading() as db:
            rows = all_rows(
                db, f"SELECT count(*), {columns} FROM ticket {_where(conditions)} GROUP BY {columns}", tuple(values)
            )
        counted: dict[str, Counter[Any]] = {name: Counter() for name in _COUNTED}
        for row in rows:
            for name in _COUNTED:
                counted[name][bool(row[name]) if name == "escalated" else row[name]] += row[0]
        return counted

    def _conditions(self, query: Query) -> tuple[list[str], list[Any]]:
        conditions: list[str] = []
        values: list[Any] = []
        for column, wanted in (
            ("status", query.status),
            ("category", query.category),
            ("urgency", query.urgency),
            ("sentiment", query.sentiment),
        ):
            if wanted:
                conditions.append(f"{column} IN ({', '.join('?' * len(wanted))})")
                values += wanted
        if query.escalated is not None:
            conditions.append("escalated = ?")
            values.append(int(query.escalated))
        if query.older_than_s is not None:
            conditions.append("created_at <= ?")
            values.append(stamp(self.clock() - query.older_than_s))
        if query.text.strip():
            condition, more = _about(query.text.strip())
            conditions.append(condition)
            values += more
        return conditions, values


def index(db: sqlite3.Connection, ticket_id: int, *texts: str) -> None:
    """Make a text findable, inside the transaction that writes it."""
    insert(db, "words", ticket_id=ticket_id, text=_spaced("\n".join(texts)))


def _about(text: str) -> tuple[str, list[str]]:
    """The condition for what somebody typed into a search box."""
    number = as_written(text)
    if number is not None:
        return "number = ?", [number]
    if "@" in text and " " not in text:
        return "requester_id IN (SELECT id FROM person WHERE email = ?)", [text.lower()]
    phrases = ['"' + " ".join(words) + '"*' for part in text.split() if (words := re.findall(r"\w+", _spaced(part)))]
    if not phrases:
        return "0", []
    return "id IN (SELECT ticket_id FROM words WHERE words MATCH ?)", [" ".join(phrases)]


def _spaced(text: str) -> str:
    return _UNSPACED.sub(r" \1 ", text)


def _where(conditions: Sequence[str]) -> str:
    return f"WHERE {' AND '.join(conditions)}" if conditions else ""


def _place(after: str, parts: int) -> list[Any]:
    try:
        place = orjson.loads(after)
    except ValueError:
        place = None
    if not isinstance(place, list) or len(place) != parts or not all(isinstance(part, str | int) for part in place):
        raise LocalHelpdeskError("there is no such page")
    return place
