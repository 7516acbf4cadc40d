"""The local helpdesk of one story: people act through its store, and a book beside it notes what its tables show.

The book is the sandbox's own store, by which the stories on Zendesk are judged. It takes nothing from the events that
the local store keeps, but compares them with what it saw.
"""

from __future__ import annotations

import html
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from typing import Any

import greenlet

from ticket_processor.core.models import Priority
from ticket_processor.helpdesk.local_model import (
    Actor,
    Event,
    IllegalTransition,
    LocalTicket,
    Message,
    NewTicket,
    Stale,
    Status,
    Write,
    allowed,
)
from ticket_processor.helpdesk.local_store import LocalStore
from ticket_processor.sandbox.store import BOT_ID, PERSON_ID, Comment, StoredTicket

from ..imitation.stores import LaggingStore
from .virtual import Countdown, VirtualTime

SHOWN: Mapping[Status, str] = {
    "open": "new",
    "in_progress": "open",
    "escalated": "new",
    "waiting": "pending",
    "resolved": "solved",
    "closed": "closed",
    "spam": "closed",
}
"""What a status is to these stories; that of an escalation comes and goes with its tag."""
MEANT: Mapping[str, Status] = {
    "open": "in_progress",
    "pending": "waiting",
    "solved": "resolved",
    "closed": "closed",
    "spam": "spam",
}


@dataclass(frozen=True)
class _Seen:
    """A ticket as it was after the last transaction."""

    ticket: LocalTicket
    messages: tuple[Message, ...]
    events: tuple[Event, ...]


class LocalAccount(LaggingStore):
    """A book of what the local store shows, written behind each of its transactions.

    ``faults`` are sentences about what no transaction may show, such as an event that is gone.
    """

    def __init__(self, time: VirtualTime, local: LocalStore, seed: int) -> None:
        super().__init__(time, seed=seed)
        self.ticket_fields = []  # here a field brings no tag
        self.local = local
        self.faults: list[str] = []
        self.refused = 0
        """Pages that were out of date when they were saved."""
        self.agent = local.add_person("alex@example.com", "Alex Agent", "agent").id
        self.portal = Countdown(None)
        """When the process dies that takes in what people do."""
        self._acting = PERSON_ID
        self._seen: dict[int, _Seen] = {}
        self._opened: dict[int, int] = {}
        """The version at which an agent has opened a ticket's page."""

    # People

    def submit(self, subject: str, body: str, email: str, tags: Sequence[str] = (), form: str = "") -> int:
        """A customer sends the ``form``; the ticket's number."""
        return self.local.create(NewTicket(subject, body, email, tags=tags, form=form), self.now()).id

    def person_edit(  # type: ignore[override]
        self,
        ticket_id: int,
        *,
        add_tags: Iterable[str] = (),
        remove_tags: Iterable[str] = (),
        priority: str | None = None,
        status: str | None = None,
        group_id: int | None = None,
        custom_fields: Mapping[int, Any] | None = None,
        comment: str | None = None,
        public: bool = False,
        author_id: int = PERSON_ID,
        version: int | None = None,
        told: Mapping[str, Any] | None = None,
    ) -> None:
        """An agent, or the requester, changes a ticket as it is now, or was at ``version``."""
        ticket = self.local.ticket(ticket_id)
        assert ticket is not None
        agent = author_id == PERSON_ID
        actor = Actor("agent", self.agent) if agent else Actor("customer", ticket.requester)
        wanted = None if status is None else MEANT[status]
        if wanted is not None and wanted not in allowed(ticket.status, actor.kind):
            wanted = None
        with self._by(author_id), suppress(IllegalTransition):
            if comment is not None:
                self.local.reply(ticket_id, actor, comment, public=public, now=self.now())
                return
            write = Write(
                status=wanted,
                priority=... if priority is None else Priority(priority),
                group=... if group_id is None else group_id,
                fields=dict(custom_fields or {}),
                tags_add=tuple(add_tags),
                tags_remove=tuple(remove_tags),
            )
            at = ticket.version if version is None else version
            try:
                self.local.apply(ticket_id, actor, write, version=at, now=self.now())
            except Stale as stale:
                self.refused += 1
                if at == ticket.version or stale.current != ticket:
                    self.faults.append(f"ticket {ticket_id}: a page was refused that was not out of date")
            else:
                if at != ticket.version:
                    self.faults.append(f"ticket {ticket_id}: a page was saved that was out of date")

    def opens_page(self, ticket_id: int) -> None:
        """An agent opens a ticket's page."""
        self._opened[ticket_id] = self._seen[ticket_id].ticket.version

    def saves_page(self, ticket_id: int, **edit: Any) -> None:
        """An agent saves a page that was opened some time before, whatever has happened since."""
        self.person_edit(ticket_id, version=self._opened.pop(ticket_id, None), **edit)

    @contextmanager
    def _by(self, author: int) -> Iterator[None]:
        self._acting = author
        try:
            yield
        finally:
            self._acting = PERSON_ID

    # The book

    def observe(self) -> None:
        """Note what the last transaction has changed."""
        while (new := self.local.ticket(len(self.tickets) + 1)) is not None:
            self._enter(new)
        for ticket_id, before in list(self._seen.items()):
            now = self._look(ticket_id)
            if now != before:
                self._seen[ticket_id] = now
                self._note(self.tickets[ticket_id], before, now)

    def _look(self, ticket_id: int) -> _Seen:
        ticket = self.local.ticket(ticket_id)
        assert ticket is not None
        return _Seen(ticket, self.local.messages(ticket_id, public_only=False), self.local.events(ticket_id))

    def _enter(self, new: LocalTicket) -> None:
        self._ticket_ids = iter((new.id,))  # type: ignore[assignment]
        person = self.local.person(new.requester)
        assert person is not None
        entry = self.create(subject=new.subject, body=new.description, requester_email=person.email, tags=new.tags)
        entry.json["created_at"] = new.created_at
        self._seen[new.id] = seen = self._look(new.id)
        told = [(event.field, event.new) for event in seen.events]
        if told != [("created", "web"), *(("tag", tag) for tag in new.tags)] or seen.messages:
            self.faults.append(f"ticket {new.id}: a new ticket that is not whole")

    def _note(self, ticket: StoredTicket, before: _Seen, now: _Seen) -> None:
        ours = getattr(greenlet.getcurrent(), "steps", None) is not None
        fresh = now.events[len(before.events) :]
        self._check(ticket.id, before, now, fresh, ours=ours)
        fields = _differences(before.ticket, now.ticket)
        said = now.messages[len(before.messages) :]
        key = {"key": fresh[-1].key, "intent": fresh[-1].intent} if fresh and fresh[-1].key else {}
        comment = None
        if said:
            # A page shows words as they are, so that a placeholder in them stands for nothing.
            text = html.escape(said[0].body).replace("{", "&#123;") if said[0].public else said[0].body
            comment = Comment(text, text, said[0].public)
        raw = dict(fields)
        if "tags" not in raw and ours:
            raw["tags"] = list(now.ticket.tags)
        if "custom_fields" in raw:
            raw["custom_fields"] = [{"id": number, "value": value} for number, value in raw["custom_fields"].items()]
        if comment is not None:
            raw["comment"] = {"html_body": comment.markup}
        self.change(
            ticket,
            fields,
            actor="api" if ours else "person",
            author_id=BOT_ID if ours else self._acting,
            comment=comment,
            custom={"ticketbot": key} if ours and key else {},
            raw=raw if ours else {},
        )

    def _check(self, ticket_id: int, before: _Seen, now: _Seen, fresh: tuple[Event, ...], *, ours: bool) -> None:
        """What holds of every change, whoever made it."""

        def fault(sentence: str) -> None:
            self.faults.append(f"ticket {ticket_id}: {sentence}")

        if now.events[: len(before.events)] != before.events or now.messages[: len(before.messages)] != before.messages:
            fault("what had happened is no longer on record as it was")
        if len(now.messages) > len(before.messages) + 1:
            fault("two messages in one change")
        if now.ticket.version <= before.ticket.version or now.ticket.updated_at <= before.ticket.updated_at:
            fault("a change without a new version")
        if now.ticket.last_event != now.events[-1].id or any(event.at != now.ticket.updated_at for event in fresh):
            fault("a change whose events are not the ticket's newest")
        kinds = {event.actor.kind for event in fresh}
        if kinds != ({"ai"} if ours else {"agent"} if self._acting == PERSON_ID else {"customer"}):
            fault(f"a change that the record gives to {sorted(kinds)}")
        old, new = before.ticket, now.ticket
        if ours and {old.status, new.status} == {"open", "escalated"}:
            tagged, said = (["ai_escalated" in ticket.tags for ticket in (old, new)], [old.status, new.status])
            if tagged != [status == "escalated" for status in said]:
                fault(f"we made {old.status} {new.status} without its tag")
        told = {(event.field, event.old, event.new) for event in fresh}
        if missing := _events_of(before, now) - told:
            fault(f"the record lacks {sorted(item[0] for item in missing)}")


def _differences(before: LocalTicket, now: LocalTicket) -> dict[str, Any]:
    """What a change has changed, in the names of Zendesk."""
    pairs: dict[str, tuple[Any, Any]] = {
        "tags": (sorted(before.tags), sorted(now.tags)),
        "priority": (before.priority, now.priority),
        "status": (SHOWN[before.status], SHOWN[now.status]),
        "group_id": (before.group, now.group),
        "assignee_id": (before.assignee, now.assignee),
        "subject": (before.subject, now.subject),
        "description": (before.description, now.description),
        "requester": (before.requester, now.requester),
    }
    changed = {name: new for name, (old, new) in pairs.items() if old != new}
    numbers = before.fields.keys() | now.fields.keys()
    fields = {
        number: now.fields.get(number) for number in numbers if before.fields.get(number) != now.fields.get(number)
    }
    return changed | ({"custom_fields": fields} if fields else {})


def _events_of(before: _Seen, now: _Seen) -> set[tuple[str, str | None, str | None]]:
    """The events that there must be of a change."""
    old, new = before.ticket, now.ticket
    wanted: set[tuple[str, str | None, str | None]] = set()
    for name in ("status", "priority", "group", "assignee"):
        was, is_now = getattr(old, name), getattr(new, name)
        if was != is_now:
            wanted.add((name, None if was is None else str(was), None if is_now is None else str(is_now)))
    wanted |= {("tag", tag, None) for tag in set(old.tags) - set(new.tags)}
    wanted |= {("tag", None, tag) for tag in set(new.tags) - set(old.tags)}
    for number in old.fields.keys() | new.fields.keys():
        if old.fields.get(number) != new.fields.get(number):
            wanted.add((f"field:{number}", old.fields.get(number), new.fields.get(number)))
    return wanted | {("message", None, str(message.id)) for message in now.messages[len(before.messages) :]}
