"""The imitated Freshdesk account: tickets, people, the ways to change a ticket, and what others do to it.

Every change goes through :meth:`FreshdeskStore.change` or one of the conversation methods; each adds a
:class:`TicketEdit` and moves ``updated_at`` (whole seconds) where the rules say so.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import partial
from itertools import count
from typing import Any

from .account import BOT_ID, PERSON_ID, Account, AddressBook, shaped
from .clock import SandboxClock, iso
from .freshdesk_records import (
    CLOSED,
    LOW,
    NOTE,
    OPEN,
    PENDING,
    REPLY,
    RESOLVED,
    By,
    ConversationEvent,
    FreshdeskTicket,
    TicketEdit,
    as_html,
    attachment,
)
from .text import html_to_text


@dataclass(frozen=True)
class FreshdeskRules:
    """The form that is imitated where the vendor's behaviour is not certain, or differs between accounts.

    - ``notes_move_stamp``: a note that is made, edited or deleted moves ``updated_at``; replies always do.
    - ``tags_move_stamp``: a change of nothing but tags moves ``updated_at``.
    - ``since_inclusive``: ``updated_since`` includes the second it names.
    - ``tags_in_lists``: rows of lists carry ``tags``.
    - ``conversations_per_page``: the longest page of conversations; a higher ``per_page`` gives no more.
    - ``required_fields``: fields that no update may leave empty, whatever it changes (dynamic form validation).
    - ``search_lag``: seconds by which the search index lags behind.
    """

    notes_move_stamp: bool = True
    tags_move_stamp: bool = True
    since_inclusive: bool = True
    tags_in_lists: bool = True
    conversations_per_page: int = 100
    required_fields: tuple[str, ...] = ()
    search_lag: float = 180.0


ARCHIVED_AFTER = 120 * 86_400.0
"""Seconds after which a closed ticket is archived: no list has it, and it has an address of its own."""

_HIDDEN = re.compile(r"<!--.*?-->|<(script|style)\b.*?</\1\s*>", re.IGNORECASE | re.DOTALL)


_PERSON = By("agent", PERSON_ID, "person")


class FreshdeskStore(Account[FreshdeskTicket]):
    """All state of an imitated Freshdesk account. ``seed`` makes generated ids repeatable.

    ``edits`` is the truth of all that was done, oldest first. ``indexed`` holds the tickets as the search index knows
    them.
    """

    def __init__(
        self, clock: SandboxClock, rules: FreshdeskRules | None = None, *, seed: int = 0, base_url: str = ""
    ) -> None:
        super().__init__(clock, seed=seed, base_url=base_url)
        self.rules = rules or FreshdeskRules()
        self.edits: list[TicketEdit] = []
        self.indexed: dict[int, dict[str, Any]] = {}
        self.where: dict[int, int] = {}
        self.agents = AddressBook(self)
        self.contacts = AddressBook(self, mobile=None, phone=None, active=True)
        self.automations: dict[int, list[dict[str, Any]]] = {1: [], 3: [], 4: []}
        self.categories: list[dict[str, Any]] = []
        self.folders: list[dict[str, Any]] = []
        self.translations: list[dict[str, Any]] = []
        self._conversation_ids = count(50_000_000_001)
        self.agents.add("Ticket Bot", "bot@example.com", user_id=BOT_ID)
        self.agents.add("Alex Agent", "alex@example.com", user_id=PERSON_ID)
        self._set_up("freshdesk")
        for position, field in enumerate(self.ticket_fields, 1):
            field |= {"position": position, "label_for_customers": field["label"]}
        fields = {field["name"]: field for field in self.ticket_fields}
        for name, people in (("group", self.groups), ("agent", self.agents)):
            fields[name]["choices"] = {row["name"]: number for number, row in people.items()}
        self.statuses = {int(number): words[0] for number, words in fields["status"]["choices"].items()}

    def next_id(self) -> int:
        """A fresh id for anything but tickets and contacts."""
        return next(self._conversation_ids)

    # --- tickets --------------------------------------------------------------------------------------

    def create(
        self,
        *,
        subject: str = "",
        body: str | None = None,
        html_body: str | None = None,
        requester_name: str = "Customer",
        requester_email: str | None = "customer@example.com",
        requester_id: int | None = None,
        tags: Iterable[str] = (),
        source: int = 1,
        priority: int = LOW,
        status: int = OPEN,
        created_at: float | None = None,
        attachments: Iterable[str] = (),
        fields: Mapping[str, Any] | None = None,
        by: By | None = None,
        sent: Mapping[str, Any] | None = None,
    ) -> FreshdeskTicket:
        """A new ticket. ``created_at`` (Unix seconds) lets the filling give it an age.

        ``fields`` are further keys of the ticket, taken as they are, except that ``custom_fields`` are added to the
        account's.
        """
        with self.lock:
            self.settle()
            moment = self.now() if created_at is None else created_at
            requester = self.contacts.add(requester_name, requester_email) if requester_id is None else requester_id
            markup = as_html(body or "") if html_body is None else html_body
            more = dict(fields or {})
            own = {field["name"]: None for field in self.ticket_fields if not field["default"]}
            json = shaped(
                "freshdesk ticket",
                id=next(self._ticket_ids),
                due_by=iso(moment + 3 * 86_400),
                fr_due_by=iso(moment + 86_400),
                **dict.fromkeys(("created_at", "updated_at"), iso(moment)),
                subject=subject,
                description=markup,
                description_text=html_to_text(markup) if body is None or html_body is not None else body,
                requester_id=requester,
                source=source,
                priority=priority,
                status=status,
                tags=list(dict.fromkeys(tags)),
                to_emails=["support@example.com"] if source == 1 else None,
                attachments=[attachment(name, self.next_id(), moment) for name in attachments],
            )
            json.update(more)
            json["custom_fields"] = {**own, **(more.get("custom_fields") or {})}
            ticket = FreshdeskTicket(json["id"], json, moment, moment, requester_name)
            ticket.closed = moment if json["status"] == CLOSED else None
            self._take_up(ticket, int(moment))
            author = by or By("fill", requester, "fill")
            self._record(ticket, moment, author, tags_added=frozenset(json["tags"]), sent=sent or {})
            self._index(ticket, moment)
            return ticket

    def change(
        self,
        ticket: FreshdeskTicket,
        values: Mapping[str, Any],
        by: By,
        *,
        sent: Mapping[str, Any] | None = None,
    ) -> TicketEdit | None:
        """Set fields as one change, ``tags`` as a whole; ``None`` when nothing would change."""
        with self.lock:
            moment, json = self.now(), ticket.json
            changes: dict[str, tuple[Any, Any]] = {}
            old_tags, new_tags = frozenset(json["tags"]), frozenset(json["tags"])
            for name, value in values.items():
                if name == "tags":
                    new_tags = frozenset(value)
                    json["tags"] = list(dict.fromkeys(value))
                elif name == "custom_fields":
                    own = json["custom_fields"]
                    changes |= {key: (own.get(key), new) for key, new in value.items() if own.get(key) != new}
                    json["custom_fields"] = {**own, **value}
                elif json.get(name) != value:
                    changes[name] = (json.get(name), value)
                    json[name] = value
            if "status" in changes:
                ticket.closed = moment if json["status"] == CLOSED else None
            if not changes and old_tags == new_tags:
                return None
            if changes or self.rules.tags_move_stamp:
                self._move(ticket, moment)
            edit = self._record(
                ticket,
                moment,
                by,
                tags_added=new_tags - old_tags,
                tags_removed=old_tags - new_tags,
                tags_unseen=old_tags - new_tags - ticket.shown_tags,
                changes=changes,
                sent=sent or {},
            )
            self._index(ticket, moment)
            return edit

    # --- conversations --------------------------------------------------------------------------------

    def converse(
        self,
        ticket: FreshdeskTicket,
        markup: str,
        by: By,
        *,
        source: int = NOTE,
        private: bool = True,
        incoming: bool = False,
        sent: Mapping[str, Any] | None = None,
    ) -> dict[str, Any]:
        """Add a note or a reply (HTML); gives it in the API's shape."""
        with self.lock:
            moment = self.now()
            text = sanitised(markup)
            row = shaped(
                "freshdesk conversation",
                id=self.next_id(),
                ticket_id=ticket.id,
                body=text,
                body_text=html_to_text(text),
                incoming=incoming,
                private=private,
                user_id=by.user_id,
                support_email=None if source == NOTE else "support@example.com",
                source=source,
                category=1 if incoming else 3 if source == REPLY else 2,
                **dict.fromkeys(("created_at", "updated_at"), iso(moment)),
            )
            ticket.conversations.append(row)
            self.where[row["id"]] = ticket.id
            changes: dict[str, tuple[Any, Any]] = {}
            if incoming and ticket.json["status"] in (PENDING, RESOLVED, CLOSED):
                changes["status"] = (ticket.json["status"], OPEN)
                ticket.json["status"], ticket.closed = OPEN, None
            self._conversed(ticket, by, row, "created", changes=changes, sent=sent or {})
            self._index(ticket, moment)
            return row

    def edit_conversation(self, conversation_id: int, markup: str, by: By) -> None:
        """Give a note another text. Raises ``KeyError`` for one that is not there."""
        with self.lock:
            ticket, row = self.conversation(conversation_id)
            text, stamp = sanitised(markup), iso(self.now())
            row.update(body=text, body_text=html_to_text(text), updated_at=stamp)
            row.update(last_edited_at=stamp, last_edited_user_id=by.user_id)
            self._conversed(ticket, by, row, "edited")

    def delete_conversation(self, conversation_id: int, by: By) -> None:
        """Remove a note. Raises ``KeyError`` for one that is not there."""
        with self.lock:
            ticket, row = self.conversation(conversation_id)
            ticket.conversations = [other for other in ticket.conversations if other is not row]
            del self.where[conversation_id]
            self._conversed(ticket, by, row, "deleted")

    def conversation(self, conversation_id: int) -> tuple[FreshdeskTicket, dict[str, Any]]:
        """A conversation and its ticket. Raises ``KeyError``."""
        ticket = self.tickets[self.where[conversation_id]]
        return ticket, next(row for row in ticket.conversations if row["id"] == conversation_id)

    def archived(self, ticket: FreshdeskTicket) -> bool:
        """Whether a ticket was closed so long ago that it is in the archive."""
        return ticket.closed is not None and self.now() - ticket.closed >= ARCHIVED_AFTER

    # --- what others do ---------------------------------------------------------------------------

    def person_edit(
        self,
        ticket_id: int,
        *,
        add_tags: Iterable[str] = (),
        remove_tags: Iterable[str] = (),
        priority: int | None = None,
        status: int | None = None,
        group: int | None = None,
        fields: Mapping[str, Any] | None = None,
        assign: int | None = None,
        note: str | None = None,
        reply: str | None = None,
        edit_note: tuple[int, str] | None = None,
        delete_note: int | None = None,
        author_id: int = PERSON_ID,
    ) -> tuple[TicketEdit, ...]:
        """An agent works on a ticket at the screen; texts are plain. Gives what changed, nothing if nothing did.

        ``fields`` are the account's own. Raises ``KeyError`` for a ticket or a note that is not there.
        """
        with self.lock:
            self.settle()
            ticket = self.tickets[ticket_id]
            known = len(self.edits)
            by = By("agent", author_id, "person")
            if note is not None:
                self.converse(ticket, as_html(note), by)
            if reply is not None:
                self.converse(ticket, as_html(reply), by, source=REPLY, private=False)
            if edit_note is not None:
                self.edit_conversation(edit_note[0], as_html(edit_note[1]), by)
            if delete_note is not None:
                self.delete_conversation(delete_note, by)
            tags = [tag for tag in dict.fromkeys((*ticket.tags, *add_tags)) if tag not in set(remove_tags)]
            asked = {"priority": priority, "status": status, "group_id": group, "responder_id": assign}
            values: dict[str, Any] = {name: value for name, value in asked.items() if value is not None}
            self.change(ticket, {**values, "tags": tags, "custom_fields": dict(fields or {})}, by)
            return tuple(self.edits[known:])

    def customer_replies(self, ticket_id: int, text: str) -> dict[str, Any]:
        """The requester writes again; a ticket that was not open is open again. Gives the conversation."""
        with self.lock:
            self.settle()
            ticket = self.tickets[ticket_id]
            by = By("customer", ticket.json["requester_id"], "customer")
            return self.converse(ticket, as_html(text), by, source=REPLY, private=False, incoming=True)

    # --- inside ---------------------------------------------------------------------------------------

    def _is_gone(self, ticket: FreshdeskTicket) -> bool:
        return ticket.deleted or ticket.spam or self.archived(ticket)

    def _move(self, ticket: FreshdeskTicket, moment: float) -> None:
        second, before = int(moment), int(ticket.changed)
        ticket.changed = moment
        if second != before:
            self._reorder(ticket, before, second)
            ticket.json["updated_at"] = iso(moment)

    def _conversed(
        self, ticket: FreshdeskTicket, by: By, row: Mapping[str, Any], event: ConversationEvent, **what: Any
    ) -> None:
        """Note what has just happened to a conversation."""
        moment = self.now()
        if row["source"] != NOTE or self.rules.notes_move_stamp:
            self._move(ticket, moment)
        what |= {
            "conversation_id": row["id"],
            "conversation": event,
            "private": row["private"],
            "source": row["source"],
        }
        self._record(ticket, moment, by, **what)

    def _record(self, ticket: FreshdeskTicket, moment: float, by: By, **what: Any) -> TicketEdit:
        edit = TicketEdit(moment, ticket.id, by, **what)
        self.edits.append(edit)
        ticket.edits.append(edit)
        return edit

    def _index(self, ticket: FreshdeskTicket, moment: float) -> None:
        """Let the search index learn of a ticket as it is now, after its lag."""
        form = {**ticket.json, "deleted": ticket.deleted, "spam": ticket.spam}
        due = moment + self.rules.search_lag
        if due <= self.now():
            self.indexed[ticket.id] = form
        else:
            self.later(due, partial(self.indexed.__setitem__, ticket.id, form))


def sanitised(markup: str) -> str:
    """HTML as the vendor keeps it: without comments and scripts."""
    return _HIDDEN.sub("", markup)
