"""Freshdesk's account: how its tickets and conversations look, and what moves their stamps."""

from __future__ import annotations

import html
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from .basics import HIDDEN, SandboxClock, html_to_text
from .store import BOT_ID, PERSON_ID, SHAPES, Actor, AddressBook, Comment, Row, Store, StoredTicket

OPEN, PENDING, RESOLVED, CLOSED = 2, 3, 4, 5
LOW, URGENT = 1, 4
REPLY, NOTE = 0, 2
"""Values of a conversation's ``source``."""
WORDS: Mapping[str, Mapping[str, int]] = SHAPES["freshdesk words"]
"""The numbers that stand for these words in a ticket's fields."""


class FreshdeskStore(Store):
    """An account of Freshdesk."""

    vendor = "freshdesk"
    languages = ("en",)

    def __init__(self, clock: SandboxClock, *, seed: int = 0) -> None:
        super().__init__(clock, seed=seed)
        self.agents = AddressBook(self)
        self.contacts = self.people = AddressBook(self, mobile=None, phone=None, active=True)
        self.categories: list[Row] = []
        self.folders: list[Row] = []
        self.agents.add("Ticket Bot", "bot@example.com", user_id=BOT_ID)
        self.agents.add("Alex Agent", "alex@example.com", user_id=PERSON_ID)
        for position, field in enumerate(self.ticket_fields, 1):
            field |= {"position": position, "label_for_customers": field["label"]}
        (statuses,) = (field["choices"] for field in self.ticket_fields if field["name"] == "status")
        self.statuses = {int(number): words[0] for number, words in statuses.items()}

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
        json = ticket.json
        json |= {
            "description": _as_html(text) if markup is None else markup,
            "description_text": text,
            "source": source,
            "priority": LOW,
            "status": OPEN,
            "tags": list(dict.fromkeys(tags)),
            "attachments": [self.made("attachment", name=name) for name in attachments],
            **others,
        }
        own = {field["name"]: None for field in self.ticket_fields if not field["default"]}
        json["custom_fields"] = {**own, **(json["custom_fields"] or {})}
        return {"values": {"tags": ([], json["tags"])}}

    def _edits(
        self, ticket: StoredTicket, add_tags: tuple[str, ...], remove_tags: tuple[str, ...], values: Mapping[str, Any]
    ) -> dict[str, Any]:
        numbers = {name: WORDS[name][value] for name, value in values.items() if name in WORDS and value in WORDS[name]}
        return super()._edits(ticket, add_tags, remove_tags, {**values, **numbers})

    def worded(self, row: Mapping[str, Any]) -> Row:
        files = [item if isinstance(item, str) else item["file_name"] for item in row.get("attachments") or ()]
        source, status = (row.get(name) or usual for name, usual in (("channel", "email"), ("status", "new")))
        numbers = {"source": WORDS["source"].get(source, 2), "status": WORDS["status"][status]}
        return {**numbers, "priority": WORDS["priority"][row.get("priority") or "low"], "attachments": files}

    def priority_of(self, ticket: StoredTicket) -> str | None:
        return next(word for word, number in WORDS["priority"].items() if number == ticket.json["priority"])

    def add_folder(self, name: str, **more: Any) -> int:
        """Put a folder into the one category; gives its id. ``more`` are fields such as ``visibility``."""
        with self.lock:
            if not self.categories:
                self.categories.append(self.made("category"))
            self.folders.append(self.made("folder", name=name, category_id=self.categories[0]["id"], **more))
            return int(self.folders[-1]["id"])

    def add_article(self, title: str, body: str, *, locale: str = "en", labels: Sequence[str] = (), **more: Any) -> int:
        """Put an article into the newest folder, and make one where there is none."""
        with self.lock:
            folder = self.folders[-1]["id"] if self.folders else self.add_folder("Getting started")
            text, place = html_to_text(body), {"category_id": self.categories[0]["id"], "folder_id": folder}
            words = {"title": title, "description": body, "description_text": text, "language": locale[:2]}
            self.articles.append(self.made("article", tags=labels, **place, **words, **more))
            return int(self.articles[-1]["id"])

    def conversation(self, number: int) -> tuple[StoredTicket | None, Row]:
        rows = ((ticket, row) for ticket in self.tickets.values() for row in ticket.comments)
        return next(((ticket, row) for ticket, row in rows if row["id"] == number), (None, {}))

    def delete_conversation(self, ticket: StoredTicket, row: Row) -> None:
        """The bot removes a note from its ticket."""
        with self.lock:
            ticket.comments = [other for other in ticket.comments if other is not row]
            if self._counts({}, row):
                self._stamp(ticket, self.now())
            self.note(ticket, "api", BOT_ID, comment=row, comment_was="deleted")
            self._changed(ticket, self.now())

    def _set(self, ticket: StoredTicket, fields: Mapping[str, Any]) -> dict[str, tuple[Any, Any]]:
        json, wanted = ticket.json, dict(fields)
        own, new = json["custom_fields"], wanted.pop("custom_fields", None) or {}
        if "tags" in wanted:
            wanted["tags"] = list(dict.fromkeys(wanted["tags"]))
            same = set(json["tags"]) == set(wanted["tags"])
            json["tags"] = wanted["tags"] if same else json["tags"]
        changed = super()._set(ticket, wanted)
        json["custom_fields"] = {**own, **new}
        return changed | {key: (own.get(key), value) for key, value in new.items() if own.get(key) != value}

    def _say(self, ticket: StoredTicket, comment: Comment, author_id: int, actor: Actor) -> Row:
        text = HIDDEN.sub("", _as_html(comment.text) if comment.markup is None else comment.markup)
        incoming = actor == "customer"
        is_note = not comment.public or actor == "api"  # whose replies come by an address that is not imitated
        row = self.made(
            "conversation",
            ticket_id=ticket.id,
            body=text,
            body_text=html_to_text(text),
            incoming=incoming,
            private=not comment.public,
            user_id=author_id,
            support_email=None if is_note else "support@example.com",
            source=NOTE if is_note else REPLY,
            category=1 if incoming else 2 if is_note else 3,
        )
        ticket.comments.append(row)
        return row


def _as_html(text: str) -> str:
    """Plain text as the HTML the vendor keeps for it."""
    return f"<div>{html.escape(text, quote=False)}</div>".replace("\n", "<br>")
