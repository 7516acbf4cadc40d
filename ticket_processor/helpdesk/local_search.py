"""Searching the local helpdesk: words, filters, sorting, and pages that do not jump while tickets arrive."""

from __future__ import annotations

import re
import sqlite3
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

import orjson

from .local_model import LocalHelpdeskError, LocalTicket, Status, as_written
from .local_schema import TICKET, LocalFile, all_rows, insert, ticket_of

Sort = Literal["updated", "created", "oldest", "urgency"]
_ORDERS: Mapping[Sort, tuple[tuple[str, ...], str, str]] = {
    "updated": (("updated_at", "id"), "DESC", "ticket_by_update"),
    "created": (("created_at", "id"), "DESC", "ticket_by_creation"),
    "oldest": (("created_at", "id"), "ASC", "ticket_by_creation"),
    "urgency": (("urgency_rank", "updated_at", "id"), "DESC", "ticket_by_urgency"),
}
"""Each sort's columns, and the index that holds them in order with all that filters look at."""
_TEXTS_BITS = 16
"""A text's number begins with its ticket's, so that what is found names its ticket; so many texts may each have."""
_COUNTED = ("status", "category", "urgency", "sentiment", "escalated")
_UNSPACED = re.compile(r"([\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3040-\u30ff\u3400-\u9fff\uf900-\ufaff])")
"""Letters of scripts that write without spaces: each is a word of its own, and words are sought as phrases of them."""


@dataclass(frozen=True)
class Query:
    """What to look for; an empty filter lets everything pass.

    ``text`` finds words of subjects, descriptions and messages, a ticket's number, and a requester's address.
    """

    text: str = ""
    status: Sequence[Status] = ()
    category: Sequence[str] = ()
    urgency: Sequence[str] = ()
    sentiment: Sequence[str] = ()
    escalated: bool | None = None
    sort: Sort = "updated"


EVERYTHING = Query()


@dataclass(frozen=True)
class PageOfTickets:
    """Some tickets, and what to ask for those behind them; ``None`` where there are none."""

    rows: tuple[LocalTicket, ...]
    next_key: str | None


class TicketSearch(LocalFile):
    """The part of the store that searches."""

    def search(self, query: Query, after: str | None = None, limit: int = 25) -> PageOfTickets:
        """A page of what a query finds, behind the place ``after``; :class:`LocalHelpdeskError` where that is none."""
        columns, direction, by = _ORDERS[query.sort]
        found = self._conditions(query)
        if after is not None:
            behind = "<" if direction == "DESC" else ">"
            found.add(
                f"({', '.join(columns)}) {behind} ({', '.join('?' * len(columns))})", *_place(after, len(columns))
            )
        order = ", ".join(f"{column} {direction}" for column in columns)
        chosen = f"SELECT {', '.join(columns)} FROM ticket {found.along(by)} ORDER BY {order} LIMIT ?"
        with self.reading() as db:
            places = [tuple(row) for row in all_rows(db, chosen, (*found.values, limit + 1))]
            page = places[:limit]
            numbers = orjson.dumps([row[-1] for row in page]).decode()
            rows = all_rows(db, f"{TICKET} WHERE id IN (SELECT value FROM json_each(?))", (numbers,))
        tickets = {row["id"]: ticket_of(row) for row in rows}
        more = orjson.dumps(page[-1]).decode() if len(places) > limit else None
        return PageOfTickets(tuple(tickets[row[-1]] for row in page), more)

    def counts(self, query: Query = EVERYTHING) -> Mapping[str, Mapping[Any, int]]:
        """How many tickets a query finds, by status, category, urgency, sentiment and escalation."""
        found, columns = self._conditions(query), ", ".join(_COUNTED)
        counting = f"SELECT count(*), {columns} FROM ticket {found.along('ticket_by_labels')} GROUP BY {columns}"
        with self.reading() as db:
            rows = all_rows(db, counting, tuple(found.values))
        counted: dict[str, Counter[Any]] = {name: Counter() for name in _COUNTED}
        for row in rows:
            for name in _COUNTED:
                counted[name][bool(row[name]) if name == "escalated" else row[name]] += row[0]
        return counted

    def _conditions(self, query: Query) -> _Conditions:
        found = _Conditions()
        for column in ("status", "category", "urgency", "sentiment"):
            if wanted := getattr(query, column):
                found.add(f"{column} IN ({', '.join('?' * len(wanted))})", *wanted)
        if query.escalated is not None:
            found.add("escalated = ?", int(query.escalated))
        if query.text.strip():
            _add_text(found, query.text.strip())
        return found


@dataclass
class _Conditions:
    """What a query asks of tickets. ``few`` where an index of its own leads to the few that can meet it."""

    texts: list[str] = field(default_factory=list)
    values: list[Any] = field(default_factory=list)
    few: bool = False

    def add(self, text: str, *values: Any) -> None:
        self.texts.append(text)
        self.values += values

    def along(self, by: str) -> str:
        """The conditions in SQL, looked at along this index: SQLite might rather sort half of all tickets."""
        where = f"WHERE {' AND '.join(self.texts)}" if self.texts else ""
        return where if self.few else f"INDEXED BY {by} {where}"


def index(db: sqlite3.Connection, ticket_id: int, *texts: str) -> None:
    """Make a text findable, inside the transaction that writes it."""
    (before,) = db.execute("SELECT count(*) FROM message WHERE ticket_id = ?", (ticket_id,)).fetchone()
    _index(db, ticket_id, before, "\n".join(texts))


def index_anew(db: sqlite3.Connection) -> None:
    """Make the index of all texts again, so that it holds no word of texts that are gone. Takes a while."""
    db.execute("INSERT INTO words (words) VALUES ('delete-all')")
    for row in db.execute("SELECT id, subject, description FROM ticket"):
        _index(db, row["id"], 0, f"{row['subject']}\n{row['description']}")
    numbered = "SELECT ticket_id, body, row_number() OVER (PARTITION BY ticket_id ORDER BY id) AS number FROM message"
    for row in db.execute(numbered):
        _index(db, row["ticket_id"], row["number"], row["body"])


def _index(db: sqlite3.Connection, ticket_id: int, number: int, text: str) -> None:
    if number < 1 << _TEXTS_BITS:
        insert(db, "words", rowid=(ticket_id << _TEXTS_BITS) + number, text=_spaced(text))


def _add_text(found: _Conditions, text: str) -> None:
    """The condition for what somebody typed into a search box."""
    number = as_written(text)
    phrases = ['"' + " ".join(words) + '"*' for part in text.split() if (words := re.findall(r"\w+", _spaced(part)))]
    if number is not None:
        found.add("number = ?", number)
        found.few = True
    elif "@" in text and " " not in text:
        found.add("requester_id IN (SELECT id FROM person WHERE email = ?)", text.lower())
        found.few = True
    elif phrases:
        found.add(f"id IN (SELECT rowid >> {_TEXTS_BITS} FROM words WHERE words MATCH ?)", " ".join(phrases))
    else:
        found.add("0")


def _spaced(text: str) -> str:
    return _UNSPACED.sub(r" \1 ", text)


def _place(after: str, parts: int) -> list[Any]:
    try:
        place = orjson.loads(after)
    except ValueError:
        place = None
    if not isinstance(place, list) or len(place) != parts or not all(map(_is_part, place)):
        raise LocalHelpdeskError("there is no such page")
    return place


def _is_part(value: object) -> bool:
    return isinstance(value, str) or (isinstance(value, int) and abs(value) < 2**63)
