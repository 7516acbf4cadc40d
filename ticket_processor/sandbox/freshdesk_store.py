"""Freshdesk's account: how its tickets and conversations look, and what moves their stamps."""

from __future__ import annotations

import html
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from .basics import HIDDEN, SandboxClock, html_to_text, iso
from .store import BOT_ID, PERSON_ID, Actor, AddressBook, Comment, Row, Store, StoredTicket, shaped

OPEN, PENDING, RESOLVED, CLOSED = 2, 3, 4, 5
LOW, MEDIUM, HIGH, URGENT = 1, 2, 3, 4
REPLY, NOTE = 0, 2
"""Values of a conversation's ``source``."""
SOURCES = {1: "email", 2: "portal", 3: "phone", 7: "chat", 9: "feedback widget", 10: "outbound email"}
PRIORITIES = {LOW: "Low", MEDIUM: "Medium", HIGH: "High", URGENT: "Urgent"}

ARCHIVED_AFTER = 120 * 86_400.0
"""Seconds after which a closed ticket is archived: no list has it, and it has an address of its own."""


@dataclass(frozen=True)
class FreshdeskRules:
    """The form that is imitated where the vendor's behaviour is not certain, or differs between accounts.

    - ``notes_move_stamp``: a note that is made, edited or deleted moves ``updated_at``; replies always do.
    - ``tags_move_stamp``: a change of nothing but tags moves ``updated_at``.
    - ``since_inclusive``: ``updated_since`` includes the second it names.
    - ``tags_in_lists``: rows of lists carry ``tags``.
    - ``conversations_per_page``: the longest page of conversations; a higher ``per_page`` gives no more.
    - ``required_fields``: fields that no update may leave empty, whatever it changes (dynamic form validation).
    """

    notes_move_stamp: bool = True
    tags_move_stamp: bool = True
    since_inclusive: bool = True
    tags_in_lists: bool = True
    conversations_per_page: int = 100
    required_fields: tuple[str, ...] = ()


class FreshdeskStore(Store):
    """An account of Freshdesk."""

    vendor = "freshdesk"

    def __init__(self, clock: SandboxClock, rules: FreshdeskRules | None = None, *, seed: int = 0) -> None:
        super().__init__(clock, seed=seed)
        self.rules = rules or FreshdeskRules()
        self.agents = AddressBook(self)
        self.contacts = self.people = AddressBook(self, mobile=None, phone=None, active=True)
        self.automations: dict[int, list[Row]] = {1: [], 3: [], 4: []}
        self.categories: list[Row] = []
        self.folders: list[Row] = []
        self.translations: list[Row] = []
        self.agents.add("Ticket Bot", "bot@example.com", user_id=BOT_ID)
        self.agents.add("Alex Agent", "alex@example.com", user_id=PERSON_ID)
        for position, field in enumerate(self.ticket_fields, 1):
            field |= {"position": position, "label_for_customers": field["label"]}
        fields = {field["name"]: field for field in self.ticket_fields}
        for name, people in (("group", self.groups), ("agent", self.agents)):
            fields[name]["choices"] = {row["name"]: number for number, row in people.items()}
        self.statuses = {int(number): words[0] for number, words in fields["status"]["choices"].items()}

    def _begin(
        self,
        ticket: StoredTicket,
        text: str,
        markup: str | None,
        author_id: int,
        *,
        tags: Iterable[str] = (),
        source: int = 1,
        attachments: Iterable[str] = (),
        **others: Any,
    ) -> Row:
        """``others`` are further keys of the ticket; ``custom_fields`` are added to the account's."""
        json, moment = ticket.json, ticket.created
        json |= {
            "due_by": iso(moment + 3 * 86_400),
            "fr_due_by": iso(moment + 86_400),
            "description": _as_html(text) if markup is None else markup,
            "description_text": text,
            "source": source,
            "priority": LOW,
            "status": OPEN,
            "tags": list(dict.fromkeys(tags)),
            "to_emails": ["support@example.com"] if source == 1 else None,
            "attachments": [self._attachment(name, moment) for name in attachments],
            **others,
        }
        own = {field["name"]: None for field in self.ticket_fields if not field["default"]}
        json["custom_fields"] = {**own, **(json["custom_fields"] or {})}
        return {"values": {"tags": ([], json["tags"])}}

    def gone(self, ticket: StoredTicket) -> bool:
        return ticket.deleted or ticket.spam or self.archived(ticket)

    def archived(self, ticket: StoredTicket) -> bool:
        """Whether a ticket was closed so long ago that it is in the archive."""
        if ticket.json["status"] != CLOSED:
            return False
        closed = (change.at for change in reversed(ticket.audits) if "status" in change.values)
        return self.now() - next(closed, ticket.created) >= ARCHIVED_AFTER

    def conversation(self, number: int) -> tuple[StoredTicket, Row]:
        """A conversation and its ticket. Raises ``KeyError``."""
        for ticket in self.tickets.values():
            for row in ticket.comments:
                if row["id"] == number:
                    return ticket, row
        raise KeyError(number)

    def delete_conversation(self, ticket: StoredTicket, row: Row, actor: Actor, author_id: int) -> None:
        """Remove a note from its ticket."""
        with self.lock:
            ticket.comments = [other for other in ticket.comments if other is not row]
            if self._counts({}, row):
                self._stamp(ticket, self.now())
            self.note(ticket, actor, author_id, comment=row, comment_was="deleted")
            self._changed(ticket, self.now())

    def _set(self, ticket: StoredTicket, fields: Mapping[str, Any]) -> dict[str, tuple[Any, Any]]:
        json = ticket.json
        changed: dict[str, tuple[Any, Any]] = {}
        for name, value in fields.items():
            if name == "custom_fields":
                own = json["custom_fields"]
                changed |= {key: (own.get(key), new) for key, new in value.items() if own.get(key) != new}
                json["custom_fields"] = {**own, **value}
            elif name == "tags":
                if set(json["tags"]) != set(value):
                    changed["tags"] = (json["tags"], list(dict.fromkeys(value)))
                json["tags"] = list(dict.fromkeys(value))
            elif json.get(name) != value:
                changed[name] = (json.get(name), value)
                json[name] = value
        return changed

    def _say(self, ticket: StoredTicket, comment: Comment, author_id: int, actor: Actor) -> Row:
        text = HIDDEN.sub("", _as_html(comment.text) if comment.markup is None else comment.markup)
        incoming = actor == "customer"
        is_note = not comment.public or actor == "api"  # whose replies come by an address that is not imitated
        row = shaped(
            "freshdesk conversation",
            id=self.next_id(),
            ticket_id=ticket.id,
            body=text,
            body_text=html_to_text(text),
            incoming=incoming,
            private=not comment.public,
            user_id=author_id,
            support_email=None if is_note else "support@example.com",
            source=NOTE if is_note else REPLY,
            category=1 if incoming else 2 if is_note else 3,
            **dict.fromkeys(("created_at", "updated_at"), iso(self.now())),
        )
        ticket.comments.append(row)
        return row

    def _counts(self, values: Mapping[str, Any], row: Row | None) -> bool:
        if row is not None and (row["source"] != NOTE or self.rules.notes_move_stamp):
            return True
        return bool(set(values) - {"tags"}) or ("tags" in values and self.rules.tags_move_stamp)

    def _attachment(self, name: str, moment: float) -> Row:
        number, stamps = self.next_id(), dict.fromkeys(("created_at", "updated_at"), iso(moment))
        address = f"https://example.invalid/attachments/{number}"
        return shaped("freshdesk attachment", id=number, name=name, attachment_url=address, **stamps)


def _as_html(text: str) -> str:
    """Plain text as the HTML the vendor keeps for it."""
    return f"<div>{html.escape(text, quote=False)}</div>".replace("\n", "<br>")
