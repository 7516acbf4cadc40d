"""An account: a clock, people, tickets in two orders, and one way to change a ticket, whichever vendor it is of.

Every change goes through :meth:`Store.change`, which keeps a :class:`Audit` and moves the stamps. How a ticket looks,
and what moves them, is the vendor's: see ``zendesk_store`` and ``freshdesk_store``. ``shapes.json`` holds what the
vendors' objects look like with nothing filled in, and what a fresh account has.

Threads: every public method takes ``lock``, which is re-entrant; a caller that reads and then writes holds
it across both.
"""

from __future__ import annotations

import heapq
import random
import threading
from abc import ABC, abstractmethod
from bisect import bisect_left, insort
from collections.abc import Callable, Iterable, Mapping, Sequence
from copy import deepcopy
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path
from typing import Any, ClassVar, Literal, NamedTuple

import orjson

from .basics import SandboxClock, html_to_text, iso

BOT_ID = 9001
PERSON_ID = 7001
SHAPES: dict[str, Any] = orjson.loads(Path(__file__).with_name("shapes.json").read_bytes())

Row = dict[str, Any]
Actor = Literal["api", "person", "customer", "system", "fill"]
"""Who made a change: a caller of the API, an agent at the screen, the requester, the vendor itself, the filling."""


def shaped(shape: str, /, **values: Any) -> Row:
    """An object of the API with these values; its empty lists are everybody's, to be replaced and never filled."""
    return {**SHAPES[shape], **values}


class AddressBook(dict[int, Row]):
    """Agents or customers in the API's own shape, by id; ``by_email`` has the ids by each of their addresses."""

    def __init__(self, store: Store, **shape: Any) -> None:
        super().__init__()
        self._store = store
        self._shape = shape
        self._ids = count(100_001)
        self.by_email: dict[str, int] = {}

    def add(self, name: str, email: str | None, *, user_id: int | None = None, **more: Any) -> int:
        """The id of the one with this address, made if there is none yet; ``more`` are further keys."""
        with self._store.lock:
            known = self.by_email.get(email.lower()) if email else None
            if known is not None:
                return known
            new_id = next(self._ids) if user_id is None else user_id
            stamps = dict.fromkeys(("created_at", "updated_at"), iso(self._store.now()))
            self[new_id] = {"id": new_id, "name": name, "email": email, **self._shape, **more, **stamps}
            if email:
                self.by_email[email.lower()] = new_id
            return new_id


class Comment(NamedTuple):
    """Words to add to a ticket; without ``markup``, the vendor makes it of the text."""

    text: str
    markup: str | None = None
    public: bool = False


@dataclass(frozen=True)
class Audit:
    """One change of one ticket: the ground truth that tests judge a client by.

    ``at`` is the exact Unix time, where the API shows whole seconds. ``values`` are fields by name, before and after.
    ``comment`` is the one that was ``created``, ``edited`` or ``deleted``, in the API's shape. ``raw`` is the payload
    that an API caller sent for this ticket. ``event`` is one of another kind in the API's form, such as a macro's.
    ``visible`` is False for a silent change, which leaves neither an audit nor a new ``updated_at`` in the API.
    """

    id: int
    ticket_id: int
    at: float
    author_id: int
    actor: Actor
    values: Mapping[str, tuple[Any, Any]] = field(default_factory=dict)
    comment: Mapping[str, Any] | None = None
    comment_was: Literal["created", "edited", "deleted"] = "created"
    event: Mapping[str, Any] | None = None
    custom: Mapping[str, Any] = field(default_factory=dict)
    raw: Mapping[str, Any] = field(default_factory=dict)
    creates: bool = False
    visible: bool = True
    stamp_before: str = ""


@dataclass
class StoredTicket:
    """A ticket. ``json`` is the API's form of it; its lists and objects are replaced, never changed in place.

    ``created`` and ``changed`` are exact Unix times: of the creation, and of the last change that moved ``updated_at``.
    ``listed`` is the second under which the account's list of changes has it. ``audits`` are its visible changes.
    """

    id: int
    json: Row
    created: float
    changed: float
    requester_name: str
    listed: int
    deleted: bool = False
    spam: bool = False
    comments: list[Row] = field(default_factory=list)
    audits: list[Audit] = field(default_factory=list)

    @property
    def tags(self) -> tuple[str, ...]:
        return tuple(self.json["tags"])

    @property
    def stamp(self) -> str:
        """``updated_at``, as a safe update would send it back."""
        return str(self.json["updated_at"])


class Store(ABC):
    """An account's state, and what is to be done later, such as a job's items. ``seed`` makes ids repeatable.

    ``by_created`` and ``by_changed`` hold the time and id of every ticket in order, the latter in whole seconds.
    ``history`` is the truth of all that was done, oldest first. ``people`` are those who may have written a ticket.
    """

    vendor: ClassVar[str]
    languages: ClassVar[tuple[str, ...]]
    """Of its articles."""
    job_seconds = 1.0, 0.07
    """Until a background job starts, and for each of its items, where the vendor has jobs."""
    audit: ClassVar[type[Audit]] = Audit
    people: AddressBook

    def __init__(self, clock: SandboxClock, *, seed: int = 0) -> None:
        self.lock = threading.RLock()
        self._clock = clock
        self._as_of: float | None = None
        self._later: list[tuple[float, int, Callable[[], object]]] = []
        self._sequence = count()
        self.random = random.Random(seed)
        self.tickets: dict[int, StoredTicket] = {}
        self.by_created: list[tuple[float, int]] = []
        self.by_changed: list[tuple[int, int]] = []
        self.history: list[Audit] = []
        self.articles: list[Row] = []
        self.base_url = "http://sandbox.invalid"
        """The address that links in answers start with."""
        self._ticket_ids = count(1)
        self._ids = count(50_000_000_001, 100)
        self.groups = {row["id"]: self.made("group", **row) for row in SHAPES["groups"]}
        self.ticket_fields = [self.made("field", **deepcopy(row)) for row in SHAPES[f"{self.vendor} fields"]]

    def now(self) -> float:
        """Unix seconds; inside a piece of delayed work, the moment it was due."""
        return self._clock.now() if self._as_of is None else self._as_of

    def later(self, due: float, work: Callable[[], object]) -> None:
        """Do ``work`` at a moment: at the first :meth:`settle` from then on, stamped with that moment."""
        with self.lock:
            heapq.heappush(self._later, (due, next(self._sequence), work))

    def settle(self) -> None:
        """Do everything that has fallen due, in order of its time; nothing when called from such work."""
        with self.lock:
            while self._as_of is None and self._later and self._later[0][0] <= self._clock.now():
                self._as_of, _, work = heapq.heappop(self._later)
                try:
                    work()
                finally:
                    self._as_of = None

    def made(self, shape: str, **values: Any) -> Row:
        """A new object of the vendor's, with a number and stamps unless ``values`` give others."""
        stamps = dict.fromkeys(("created_at", "updated_at"), iso(self.now()))
        return shaped(f"{self.vendor} {shape}", **{"id": self.next_id(), **stamps, **values})

    def next_id(self) -> int:
        """A fresh id for anything but tickets and people; the ninety-nine after it are free for what belongs to it."""
        return next(self._ids)

    def living(self, ticket_id: int) -> StoredTicket | None:
        """A ticket that exists, and is neither deleted nor spam nor archived."""
        ticket = self.tickets.get(ticket_id)
        return None if ticket is None or self.gone(ticket) else ticket

    def create(
        self,
        *,
        subject: str = "",
        body: str | None = None,
        html_body: str | None = None,
        requester_name: str = "Customer",
        requester_email: str | None = "customer@example.com",
        requester_id: int | None = None,
        created_at: float | None = None,
        actor: Actor = "fill",
        author_id: int | None = None,
        raw: Mapping[str, Any] | None = None,
        **given: Any,
    ) -> StoredTicket:
        """A new ticket. ``created_at`` (Unix seconds) lets the filling give it an age; ``given`` is the vendor's.

        With ``html_body`` the description is its text; with ``body`` it is the body, unchanged.
        """
        with self.lock:
            self.settle()
            moment = self.now() if created_at is None else created_at
            requester = self.people.add(requester_name, requester_email) if requester_id is None else requester_id
            author = requester if author_id is None else author_id
            stamps = dict.fromkeys(("created_at", "updated_at"), iso(moment))
            number = next(self._ticket_ids)
            json = shaped(f"{self.vendor} ticket", id=number, subject=subject, requester_id=requester, **stamps)
            ticket = StoredTicket(number, json, moment, moment, requester_name, int(moment))
            text = html_to_text(html_body) if body is None and html_body is not None else body or ""
            attributes = self._begin(ticket, text, html_body, author, **given)
            self.note(ticket, actor, author, at=moment, raw=raw or {}, creates=True, **attributes)
            self.tickets[number] = ticket
            insort(self.by_created, (ticket.created, number))
            insort(self.by_changed, (ticket.listed, number))
            return ticket

    def change(
        self,
        ticket: StoredTicket,
        fields: Mapping[str, Any],
        *,
        actor: Actor,
        author_id: int,
        comment: Comment | None = None,
        silent: bool = False,
        **told: Any,
    ) -> Audit | None:
        """Set fields and add a comment, as one change; gives it, or ``None`` when nothing would change.

        ``silent`` moves no ``updated_at``. ``told`` are further attributes of the :class:`Audit`.
        """
        with self.lock:
            moment, stamp_before = self.now(), ticket.stamp
            values = self._set(ticket, fields)
            row = None if comment is None else self._say(ticket, comment, author_id, actor)
            if row is None and not values:
                return None
            if not silent and self._counts(values, row):
                self._stamp(ticket, moment)
            told |= {"values": values, "comment": row, "stamp_before": stamp_before}
            change = self.note(ticket, actor, author_id, **told)
            self._changed(ticket, moment)
            return change

    def note(
        self, ticket: StoredTicket, actor: Actor, author_id: int, *, at: float | None = None, **told: Any
    ) -> Audit:
        """Keep what has been changed, now unless it was ``at`` another time."""
        change = self.audit(self.next_id(), ticket.id, self.now() if at is None else at, author_id, actor, **told)
        self.history.append(change)
        if change.visible:
            ticket.audits.append(change)
        return change

    def person_edit(
        self,
        ticket_id: int,
        *,
        add_tags: Iterable[str] = (),
        remove_tags: Iterable[str] = (),
        comment: str | None = None,
        public: bool = False,
        author_id: int = PERSON_ID,
        told: Mapping[str, Any] | None = None,
        **values: Any,
    ) -> Audit | None:
        """A person changes a ticket at the screen. Gives the change, ``None`` if nothing changed.

        ``values`` are other fields by the API's names; ``None`` leaves one alone. ``told`` is passed on to
        :meth:`change`. Raises ``KeyError`` for a ticket that is not there.
        """
        with self.lock:
            self.settle()
            ticket = self.tickets[ticket_id]
            return self.change(
                ticket,
                self._edits(ticket, tuple(add_tags), tuple(remove_tags), values),
                actor="person",
                author_id=author_id,
                comment=None if comment is None else Comment(comment, None, public),
                **(told or {}),
            )

    def priority_of(self, ticket: StoredTicket) -> str | None:
        """A ticket's priority as a word: low, normal, high or urgent."""
        priority: str | None = ticket.json["priority"]
        return priority

    def gone(self, ticket: StoredTicket) -> bool:
        """Whether a ticket is deleted, spam or archived, as far as the vendor has these."""
        return ticket.deleted

    @abstractmethod
    def worded(self, row: Mapping[str, Any]) -> Row:
        """What a new ticket of this vendor has of a row of :func:`~.app.fill`, besides what all have."""

    @abstractmethod
    def add_article(self, title: str, body: str, *, locale: str = ..., labels: Sequence[str] = (), **more: Any) -> int:
        """Put an article (``body`` is HTML) into the account; gives its id. ``more`` are further fields."""

    @abstractmethod
    def _begin(self, ticket: StoredTicket, text: str, markup: str | None, author_id: int, **given: Any) -> Row:
        """Give a new ticket its description and all that is the vendor's; what is to be kept of its creation."""

    def _set(self, ticket: StoredTicket, fields: Mapping[str, Any]) -> dict[str, tuple[Any, Any]]:
        """Set a ticket's fields; those that changed, before and after."""
        changed = {name: (ticket.json.get(name), new) for name, new in fields.items() if ticket.json.get(name) != new}
        ticket.json |= fields
        return changed

    @abstractmethod
    def _say(self, ticket: StoredTicket, comment: Comment, author_id: int, actor: Actor) -> Row:
        """Add a comment to a ticket; gives it in the API's shape."""

    def _counts(self, values: Mapping[str, Any], row: Row | None) -> bool:
        """Whether a change moves ``updated_at``."""
        return True

    def _changed(self, ticket: StoredTicket, moment: float) -> None:
        """Note that a ticket has just changed in some way."""
        self._list(ticket, int(ticket.changed))

    def _stamp(self, ticket: StoredTicket, moment: float) -> None:
        ticket.changed = moment
        ticket.json["updated_at"] = iso(moment)

    def _list(self, ticket: StoredTicket, second: int) -> None:
        """Put a ticket into its place in the order of changes."""
        if second != ticket.listed:
            del self.by_changed[bisect_left(self.by_changed, (ticket.listed, ticket.id))]
            insort(self.by_changed, (second, ticket.id))
            ticket.listed = second

    def _edits(
        self, ticket: StoredTicket, add_tags: tuple[str, ...], remove_tags: tuple[str, ...], values: Mapping[str, Any]
    ) -> dict[str, Any]:
        """What a person's edit sets. Raises ``TypeError`` for what a ticket does not have."""
        if strange := set(values).difference(ticket.json):
            raise TypeError(f"a ticket of {self.vendor} has no {', '.join(sorted(strange))}")
        fields = {name: value for name, value in values.items() if value not in (None, {})}
        if not add_tags and not remove_tags:
            return fields
        kept = [tag for tag in dict.fromkeys((*ticket.tags, *add_tags)) if tag not in remove_tags]
        return {"tags": kept, **fields}
