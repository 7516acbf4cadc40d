"""The imitated Freshdesk account as others work on it: agents at the screen, customers, rules of the account."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from .freshdesk_memory import BOT_ID, PERSON_ID, FreshdeskMemory
from .freshdesk_records import REPLY, By, FreshdeskTicket, TicketEdit, as_html

__all__ = ["BOT_ID", "PERSON_ID", "RULE_ID", "FreshdeskStore"]

RULE_ID = -1

_PERSON = By("agent", PERSON_ID, "person")


class FreshdeskStore(FreshdeskMemory):
    """All state of an imitated Freshdesk account, and what happens there besides the API's calls."""

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

    def rule_edit(self, ticket_id: int, *, add_tags: Sequence[str] = (), **values: Any) -> TicketEdit | None:
        """An automation rule of the account changes a ticket; ``values`` are the API's own names."""
        with self.lock:
            self.settle()
            ticket = self.tickets[ticket_id]
            tags = [*ticket.tags, *add_tags]
            return self.change(ticket, {**values, "tags": tags}, By("rule", RULE_ID, "rule"))

    def delete(self, ticket_id: int) -> None:
        """A person puts a ticket into the trash."""
        with self.lock:
            self.settle()
            self.tickets[ticket_id].deleted = True
            self._hide(self.tickets[ticket_id], "deleted")

    def spam(self, ticket_id: int) -> None:
        """A person marks a ticket as spam."""
        with self.lock:
            self.settle()
            ticket = self.tickets[ticket_id]
            ticket.spam = ticket.json["spam"] = True
            self._hide(ticket, "spam")

    def bot_notes(self, ticket_id: int, author_id: int = BOT_ID) -> list[dict[str, Any]]:
        """Notes on a ticket by one author, oldest first."""
        return [row for row in self.tickets[ticket_id].notes if row["user_id"] == author_id]

    def _hide(self, ticket: FreshdeskTicket, name: str) -> None:
        moment = self.now()
        self._move(ticket, moment)
        self._record(ticket, moment, _PERSON, changes={name: (False, True)})
        self._index(ticket, moment)
