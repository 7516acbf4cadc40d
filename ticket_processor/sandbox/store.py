"""Zendesk's account: tickets, people, articles, and one way to change a ticket.

Every change goes through :meth:`Store.change`, which writes an audit and moves the stamps: ``updated_at`` (whole
seconds) for changes that the vendor counts as ticket events, ``generated_timestamp`` for all of them.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from itertools import count
from typing import Any

from .account import BOT_ID, FIRST_GROUP, PERSON_ID, Account, AddressBook, shaped
from .clock import SandboxClock, iso
from .records import (
    NO_SOURCE,
    STATUS_IDS,
    Actor,
    Audit,
    Job,
    StoredTicket,
    creations,
    fill_in,
    linked,
    new_comment,
    options_of,
    set_field,
    via_of,
)
from .text import html_to_text, normalise_tags

_EDITED = ("priority", "status", "assignee_id", "group_id", "custom_fields")
"""What a person changes besides tags, in the order in which the record names it."""
_TITLES = ("raw_title", "description", "raw_description", "title_in_portal", "raw_title_in_portal")


class Store(Account[StoredTicket]):
    """All state. ``seed`` makes generated ids repeatable."""

    def __init__(self, clock: SandboxClock, *, seed: int = 0, base_url: str = "") -> None:
        super().__init__(clock, seed=seed, base_url=base_url)
        self.users = AddressBook(self, role="end-user")
        self.jobs: dict[str, Job] = {}
        self.article_translations: dict[int, list[dict[str, Any]]] = {}
        self.triggers: dict[int, dict[str, Any]] = {}
        self.automations: list[dict[str, Any]] = []
        self.history: list[Audit] = []
        self._event_ids = count(10_000_000_001)
        self.users.add("Ticket Bot", "bot@example.com", role="admin", user_id=BOT_ID)
        self.users.add("Alex Agent", "alex@example.com", role="agent", user_id=PERSON_ID)
        self._set_up("zendesk")
        self.groups[FIRST_GROUP]["default"] = True
        for position, row in enumerate(self.ticket_fields):
            row |= {"position": position, **dict.fromkeys(_TITLES, row["title"])}
        for kind, rows in (("groups", self.groups.values()), ("ticket_fields", self.ticket_fields)):
            for row in rows:
                row["url"] = f"{base_url}/api/v2/{kind}/{row['id']}.json"

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
            text = html_to_text(html_body) if body is None and html_body is not None else (body or "")
            json = shaped(
                "zendesk ticket",
                url=f"{self._base_url}/api/v2/tickets/{ticket_id}.json",
                id=ticket_id,
                **dict.fromkeys(("created_at", "updated_at"), iso(moment)),
                generated_timestamp=int(moment),
                external_id=external_id,
                via=via_of(channel, requester_name, requester_email),
                **dict.fromkeys(("subject", "raw_subject"), subject),
                description=text,
                priority=priority,
                status=status,
                custom_status_id=STATUS_IDS.get(status, 1),
                requester_id=requester,
                submitter_id=author,
                is_public=public,
                tags=normalise_tags(tags),
                recipient="support@example.com" if channel == "email" else None,
                from_messaging_channel=channel in ("native_messaging", "whatsapp", "line", "telegram", "instagram_dm"),
            )
            json.update(fields or {})
            fill_in(self.ticket_fields, json)
            ticket = StoredTicket(ticket_id, json, moment, moment, requester_name)
            comment = new_comment(ticket, self.event_id(), moment, author, text, html_body, public, attachments)
            events = [comment, *creations(json, self.event_id)]
            audit = self._audit(
                ticket, events, json["via"], author, actor, custom=custom, raw=raw, comment_public=public, at=moment
            )
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
            moment, json = self.now(), ticket.json
            stamp_before = json["updated_at"]
            events: list[dict[str, Any]] = []
            values = {item["id"]: item["value"] for item in json["custom_fields"]}
            for name, value in linked(self.ticket_fields, json["tags"], values, fields).items():
                events += set_field(json, name, value, self.event_id)
            public: bool | None = None
            added: dict[str, Any] = {}
            if comment is not None:
                text, markup, public = comment
                added = new_comment(ticket, self.event_id(), moment, author_id, text, markup, public)
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
            told = {"custom": custom, "raw": raw, "comment_public": public, "stamp_before": stamp_before}
            audit = self._audit(ticket, events, via, author_id, actor, visible=not hidden, **told)
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
        comment: str | None = None,
        public: bool = False,
        author_id: int = PERSON_ID,
        silent: bool = False,
        hidden: bool = False,
        macro: str | None = None,
        **values: Any,
    ) -> Audit | None:
        """A person changes a ticket at the screen. Gives the audit, ``None`` if nothing changed.

        ``values`` are those of :data:`_EDITED`, by name; ``None`` leaves one alone. ``macro`` is the title of the macro
        that they applied. ``silent`` edits do not move ``updated_at``; ``hidden`` ones are not on the ticket's record.
        Raises ``KeyError`` for a ticket that is not there.
        """
        with self.lock:
            self.settle()
            ticket = self.tickets[ticket_id]
            choices = frozenset().union(*options_of(self.ticket_fields).values())
            chosen = [value for value in (values.get("custom_fields") or {}).values() if value in choices]
            add_tags = (*add_tags, *chosen) if add_tags or remove_tags else ()
            return self.change(
                ticket,
                self._edits(ticket, add_tags, remove_tags, values),
                actor="person",
                author_id=author_id,
                comment=None if comment is None else (comment, None, public),
                silent=silent,
                hidden=hidden,
                macro=macro,
            )

    def customer_replies(self, ticket_id: int, text: str) -> Audit | None:
        """The requester writes again; a ticket that waits or is solved is open again."""
        json = self.tickets[ticket_id].json
        reopened = "open" if json["status"] in ("pending", "hold", "solved") else None
        return self.person_edit(ticket_id, comment=text, public=True, author_id=json["requester_id"], status=reopened)

    def delete(self, ticket_id: int) -> None:
        """A person deletes a ticket."""
        with self.lock:
            self.settle()
            ticket = self.tickets[ticket_id]
            ticket.deleted = True
            self.change(ticket, {"status": "deleted"}, actor="person", author_id=PERSON_ID)

    def read(self, *ticket_ids: int) -> list[StoredTicket]:
        """The living tickets of these, all as of one moment. For looking at only."""
        found = [self.living(ticket_id) for ticket_id in ticket_ids]
        return [ticket for ticket in found if ticket is not None]

    def indexed(self, ticket: StoredTicket) -> dict[str, Any] | None:
        """A ticket as the search index has it; ``None`` where it has not."""
        return None if ticket.deleted else ticket.json

    # --- inside ---------------------------------------------------------------------------------------

    def _edits(
        self, ticket: StoredTicket, add_tags: Iterable[str], remove_tags: Iterable[str], values: Mapping[str, Any]
    ) -> dict[str, Any]:
        added, removed = set(normalise_tags(list(add_tags))), set(normalise_tags(list(remove_tags)))
        named = sorted(values, key=_EDITED.index)
        fields = {name: values[name] for name in named if values[name] not in (None, {})}
        return {"tags": sorted((set(ticket.tags) | added) - removed), **fields} if added or removed else fields

    def _audit(
        self,
        ticket: StoredTicket,
        events: Iterable[dict[str, Any]],
        via: dict[str, Any],
        author_id: int,
        actor: Actor,
        *,
        at: float | None = None,
        **told: Any,
    ) -> Audit:
        """Note a change, now unless it was ``at`` another time; ``told`` are the audit's other attributes."""
        moment = self.now() if at is None else at
        kept = {name: value for name, value in told.items() if value is not None}
        audit = Audit(self.event_id(), ticket.id, moment, author_id, actor, tuple(events), via, **kept)
        self.history.append(audit)
        if audit.visible:
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
