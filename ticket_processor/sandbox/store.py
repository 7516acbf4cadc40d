"""The sandbox's memory: tickets, people, articles, and one way to change a ticket.

Every change goes through :meth:`Store.change`, which writes an audit and moves the stamps: ``updated_at`` (whole
seconds) for changes that the vendor counts as ticket events, ``generated_timestamp`` for all of them.

Threads: every public method takes ``lock``, which is re-entrant; a caller that reads and then writes holds
it across both.
"""

from __future__ import annotations

import random
from bisect import bisect_left, insort
from collections.abc import Iterable, Mapping
from itertools import count
from typing import Any

from .choices import fill_in, linked, options_of
from .clock import Agenda, SandboxClock, iso
from .records import (
    NO_SOURCE,
    STATUS_IDS,
    Actor,
    Audit,
    Job,
    StoredTicket,
    creations,
    is_messaging,
    new_comment,
    new_ticket_json,
    set_field,
    via_of,
)
from .text import html_to_text, normalise_tags


class Users(dict[int, dict[str, Any]]):
    """Agents and end users in the API's own shape, by id."""

    def __init__(self, agenda: Agenda) -> None:
        super().__init__()
        self._agenda = agenda
        self._ids = count(100_001)
        self._by_email: dict[str, int] = {}
        self._more_addresses: dict[int, list[str]] = {}

    def add(self, name: str, email: str | None, *, role: str = "end-user", user_id: int | None = None) -> int:
        """The id of the user with this address, made if there is none yet."""
        with self._agenda.lock:
            known = self._by_email.get(email.lower()) if email else None
            if known is not None:
                return known
            new_id = next(self._ids) if user_id is None else user_id
            stamp = iso(self._agenda.now())
            self[new_id] = {
                "id": new_id,
                "name": name,
                "email": email,
                "role": role,
                "created_at": stamp,
                "updated_at": stamp,
            }
            if email:
                self._by_email[email.lower()] = new_id
            return new_id

    def add_address(self, user_id: int, email: str) -> None:
        """Add an address to a user, who is then found by it as well."""
        with self._agenda.lock:
            self._by_email[email.lower()] = user_id
            self._more_addresses.setdefault(user_id, []).append(email)

    def addresses_of(self, user_id: int) -> list[str]:
        """A user's addresses, the primary one first."""
        with self._agenda.lock:
            primary = self[user_id]["email"]
            return [*([primary] if primary else []), *self._more_addresses.get(user_id, ())]


BOT_ID = 9001
PERSON_ID = 7001


class Store(Agenda):
    """All state. ``seed`` makes generated ids repeatable."""

    def __init__(self, clock: SandboxClock, *, seed: int = 0, base_url: str = "") -> None:
        super().__init__(clock)
        self.random = random.Random(seed)
        self.tickets: dict[int, StoredTicket] = {}
        self.users = Users(self)
        self.jobs: dict[str, Job] = {}
        self.articles: list[dict[str, Any]] = []
        self.article_translations: dict[int, list[dict[str, Any]]] = {}
        self.ticket_fields: list[dict[str, Any]] = []
        self.groups: dict[int, dict[str, Any]] = {}
        self.triggers: dict[int, dict[str, Any]] = {}
        self.automations: list[dict[str, Any]] = []
        self.history: list[Audit] = []
        self.by_generated: list[tuple[int, int]] = []
        self.by_created: list[tuple[float, int]] = []
        self._base_url = base_url
        self._event_ids = count(10_000_000_001)
        self._ticket_ids = count(1)
        self.users.add("Ticket Bot", "bot@example.com", role="admin", user_id=BOT_ID)
        self.users.add("Alex Agent", "alex@example.com", role="agent", user_id=PERSON_ID)

    @property
    def base_url(self) -> str:
        """The address that links in answers start with."""
        return self._base_url

    @base_url.setter
    def base_url(self, value: str) -> None:
        with self.lock:
            self._base_url = value
            for ticket in self.tickets.values():
                ticket.json["url"] = f"{value}/api/v2/tickets/{ticket.id}.json"

    # --- tickets --------------------------------------------------------------------------------------

    def create(
        self,
        *,
        subject: str = "",
        body: str | None = None,
        html_body: str | None = None,
        requester_name: str = "Customer",
        requester_email: str | None = "customer@example.com",
        channel: str = "email",
        external_id: str | None = None,
        tags: object = (),
        priority: str | None = None,
        status: str = "new",
        attachments: Iterable[Mapping[str, Any]] = (),
        public: bool = True,
        created_at: float | None = None,
        actor: Actor = "fill",
        author_id: int | None = None,
        custom: Mapping[str, Any] | None = None,
        raw: Mapping[str, Any] | None = None,
        fields: Mapping[str, Any] | None = None,
    ) -> StoredTicket:
        """A new ticket. ``created_at`` (Unix seconds) lets the filling give it an age.

        ``fields`` are further keys of the ticket, taken as they are. With ``html_body`` the description is
        its text; with ``body`` it is the body, unchanged.
        """
        with self.lock:
            self.settle()
            moment = self.now() if created_at is None else created_at
            requester = self.users.add(requester_name, requester_email)
            author = requester if author_id is None else author_id
            ticket_id = next(self._ticket_ids)
            json = new_ticket_json(ticket_id, moment, self._base_url)
            text = html_to_text(html_body) if body is None and html_body is not None else (body or "")
            json.update(
                external_id=external_id,
                via=via_of(channel, requester_name, requester_email),
                subject=subject,
                raw_subject=subject,
                description=text,
                priority=priority,
                status=status,
                custom_status_id=STATUS_IDS.get(status, 1),
                requester_id=requester,
                submitter_id=author,
                is_public=public,
                tags=normalise_tags(tags),
                recipient="support@example.com" if channel == "email" else None,
                from_messaging_channel=is_messaging(channel),
            )
            json.update(fields or {})
            fill_in(self.ticket_fields, json)
            ticket = StoredTicket(ticket_id, json, moment, moment, requester_name)
            self.tickets[ticket_id] = ticket
            comment = new_comment(ticket, self.event_id(), moment, author, text, html_body, public, attachments)
            events = [comment, *creations(json, self.event_id)]
            audit = self._audit(ticket, moment, author, actor, events, json["via"], custom, raw, public)
            comment["audit_id"] = audit.id
            insort(self.by_generated, (int(moment), ticket_id))
            insort(self.by_created, (moment, ticket_id))
            return ticket

    def change(
        self,
        ticket: StoredTicket,
        fields: Mapping[str, Any],
        *,
        actor: Actor,
        author_id: int,
        comment: tuple[str, str | None, bool] | None = None,
        attachments: Iterable[Mapping[str, Any]] = (),
        custom: Mapping[str, Any] | None = None,
        raw: Mapping[str, Any] | None = None,
        silent: bool = False,
        hidden: bool = False,
        macro: str | None = None,
    ) -> Audit | None:
        """Set fields and add a comment (text, HTML or ``None``, public), as one change, by a ``macro`` or not.

        Gives the audit, or ``None`` when nothing would change. ``silent`` moves ``generated_timestamp``
        only; ``hidden`` leaves no audit in the API.
        """
        with self.lock:
            moment = self.now()
            json = ticket.json
            stamp_before = json["updated_at"]
            events: list[dict[str, Any]] = []
            values = {item["id"]: item["value"] for item in json["custom_fields"]}
            for name, value in linked(self.ticket_fields, json["tags"], values, fields).items():
                events += set_field(json, name, value, self.event_id)
            public: bool | None = None
            added = None
            if comment is not None:
                text, markup, public = comment
                added = new_comment(ticket, self.event_id(), moment, author_id, text, markup, public, attachments)
                events.insert(0, added)
                json["is_public"] = json["is_public"] or public
            if not events:
                return None
            if macro is not None:
                reference = {"macro_id": str(len(macro)), "macro_title": macro, "macro_deleted": False}
                events.append({"id": self.event_id(), "type": "AgentMacroReference", **reference})
            if not silent:
                ticket.changed = moment
                json["updated_at"] = iso(moment)
            via = {"channel": {"api": "api", "person": "web"}.get(actor, "system"), "source": NO_SOURCE}
            audit = self._audit(
                ticket, moment, author_id, actor, events, via, custom, raw, public, hidden, stamp_before
            )
            if added is not None:
                added["audit_id"] = audit.id
            self._move(ticket, moment)
            return audit

    # --- what other people do -------------------------------------------------------------------------

    def person_edit(
        self,
        ticket_id: int,
        *,
        add_tags: Iterable[str] = (),
        remove_tags: Iterable[str] = (),
        priority: str | None = None,
        status: str | None = None,
        assignee_id: int | None = None,
        group_id: int | None = None,
        custom_fields: Mapping[int, Any] | None = None,
        comment: str | None = None,
        public: bool = False,
        author_id: int = PERSON_ID,
        silent: bool = False,
        hidden: bool = False,
        macro: str | None = None,
    ) -> Audit | None:
        """A person changes a ticket at the screen. Gives the audit, ``None`` if nothing changed.

        ``macro`` is the title of the macro that they applied. ``silent`` edits do not move ``updated_at``; of
        ``hidden`` ones the ticket's record tells nothing.
        Raises ``KeyError`` for a ticket that is not there.
        """
        with self.lock:
            self.settle()
            ticket = self.tickets[ticket_id]
            choices = frozenset().union(*options_of(self.ticket_fields).values())
            chosen = [value for value in (custom_fields or {}).values() if value in choices]
            add_tags = (*add_tags, *chosen) if add_tags or remove_tags else ()
            fields = self._edits(ticket, add_tags, remove_tags, priority, status, assignee_id)
            fields |= {} if group_id is None else {"group_id": group_id}
            fields |= {"custom_fields": dict(custom_fields)} if custom_fields else {}
            note = None if comment is None else (comment, None, public)
            return self.change(
                ticket,
                fields,
                actor="person",
                author_id=author_id,
                comment=note,
                silent=silent,
                hidden=hidden,
                macro=macro,
            )

    def delete(self, ticket_id: int) -> None:
        """A person deletes a ticket."""
        with self.lock:
            self.settle()
            ticket = self.tickets[ticket_id]
            ticket.deleted = True
            self.change(ticket, {"status": "deleted"}, actor="person", author_id=PERSON_ID)

    def living(self, ticket_id: int) -> StoredTicket | None:
        """A ticket that exists and is not deleted."""
        ticket = self.tickets.get(ticket_id)
        return None if ticket is None or ticket.deleted else ticket

    def read(self, *ticket_ids: int) -> list[StoredTicket]:
        """The living tickets of these, all as of one moment. For looking at only."""
        found = [self.living(ticket_id) for ticket_id in ticket_ids]
        return [ticket for ticket in found if ticket is not None]

    def indexed(self, ticket: StoredTicket) -> dict[str, Any] | None:
        """A ticket as the search index has it; ``None`` where it has not."""
        return None if ticket.deleted else ticket.json

    # --- inside ---------------------------------------------------------------------------------------

    def _edits(
        self,
        ticket: StoredTicket,
        add_tags: Iterable[str],
        remove_tags: Iterable[str],
        priority: str | None,
        status: str | None,
        assignee_id: int | None,
    ) -> dict[str, Any]:
        added, removed = set(normalise_tags(list(add_tags))), set(normalise_tags(list(remove_tags)))
        fields: dict[str, Any] = {}
        if added or removed:
            fields["tags"] = sorted((set(ticket.json["tags"]) | added) - removed)
        for name, value in (("priority", priority), ("status", status), ("assignee_id", assignee_id)):
            if value is not None:
                fields[name] = value
        return fields

    def _audit(
        self,
        ticket: StoredTicket,
        moment: float,
        author_id: int,
        actor: Actor,
        events: list[dict[str, Any]],
        via: dict[str, Any],
        custom: Mapping[str, Any] | None,
        raw: Mapping[str, Any] | None,
        public: bool | None,
        hidden: bool = False,
        stamp_before: str = "",
    ) -> Audit:
        audit = Audit(
            id=next(self._event_ids),
            ticket_id=ticket.id,
            at=moment,
            author_id=author_id,
            actor=actor,
            events=tuple(events),
            via=via,
            custom=dict(custom or {}),
            raw=raw or {},
            comment_public=public,
            visible=not hidden,
            stamp_before=stamp_before,
        )
        self.history.append(audit)
        if not hidden:
            ticket.audits.append(audit)
        return audit

    def event_id(self) -> int:
        """A fresh id from the range that audits, events and comments share."""
        return next(self._event_ids)

    def _move(self, ticket: StoredTicket, moment: float) -> None:
        """Note that a ticket has just changed in some way."""
        before, generated = ticket.json["generated_timestamp"], int(moment)
        if generated != before:
            del self.by_generated[bisect_left(self.by_generated, (before, ticket.id))]
            insort(self.by_generated, (generated, ticket.id))
            ticket.json["generated_timestamp"] = generated
