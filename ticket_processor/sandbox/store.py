"""The sandbox's memory: tickets, people, articles, and one way to change a ticket.

Every change goes through :meth:`Store.change`, which writes an audit and moves the stamps: ``updated_at`` (whole
seconds) for changes that the vendor counts as ticket events, ``generated_timestamp`` for all of them.

Threads: every public method takes ``lock``, which is re-entrant; a caller that reads and then writes holds
it across both.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from itertools import count
from typing import Any

from .account import BOT_ID, PERSON_ID, Account, AddressBook
from .choices import fill_in, linked, options_of
from .clock import SandboxClock, iso
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


class Store(Account[StoredTicket]):
    """All state. ``seed`` makes generated ids repeatable."""

    def __init__(self, clock: SandboxClock, *, seed: int = 0, base_url: str = "") -> None:
        super().__init__(clock, seed=seed, base_url=base_url)
        self.users = AddressBook(self, role="end-user")
        self.jobs: dict[str, Job] = {}
        self.articles: list[dict[str, Any]] = []
        self.article_translations: dict[int, list[dict[str, Any]]] = {}
        self.triggers: dict[int, dict[str, Any]] = {}
        self.automations: list[dict[str, Any]] = []
        self.history: list[Audit] = []
        self._event_ids = count(10_000_000_001)
        self.users.add("Ticket Bot", "bot@example.com", role="admin", user_id=BOT_ID)
        self.users.add("Alex Agent", "alex@example.com", role="agent", user_id=PERSON_ID)

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
            comment = new_comment(ticket, self.event_id(), moment, author, text, html_body, public, attachments)
            events = [comment, *creations(json, self.event_id)]
            audit = self._audit(ticket, moment, author, actor, events, json["via"], custom, raw, public)
            comment["audit_id"] = audit.id
            self._take_up(ticket, moment)
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
            self._reorder(ticket, before, generated)
            ticket.json["generated_timestamp"] = generated
