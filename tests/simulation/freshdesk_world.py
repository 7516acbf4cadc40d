"""The same stories on Freshdesk, which guards nothing and keeps no record of who changed what.

What differs: two runs never overlap, for one installation holds a lock and two are not promised to get along; and a
network does not deliver a request twice.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from ticket_processor.freshdesk import Freshdesk
from ticket_processor.helpdesk.protocol import Helpdesk
from ticket_processor.helpdesk.transport import Transport
from ticket_processor.pipeline.jobs import Delivery
from ticket_processor.sandbox.messages import Request, Response
from ticket_processor.sandbox.store import BOT_ID
from ticket_processor.settings.helpdesks import FreshdeskSettings
from ticket_processor.state.store import State

from ..imitation import FaultRule, FreshdeskRules
from .mishaps import Mishaps
from .troubles import Tricky, faults
from .wire import BASE_URL
from .world import AREA, AREAS, PEOPLES_TAGS, TEXTS, World

OPEN, PENDING, RESOLVED, CLOSED = 2, 3, 4, 5
GROUPS = (8001, 8002)
FIELDS = {2001: "cf_product_area", 2002: "cf_order_number"}
"""The account's own fields, by their numbers."""


class FreshdeskWorld(World):
    """One story on Freshdesk. ``views`` says when the account last showed each ticket by itself."""

    stable_read_s = 1.0
    _running = False

    def _helpdesk(self) -> Tricky:
        dice = self.dice
        sandbox = Tricky(
            self.time,
            dice,
            self._afflicted,
            helpdesk="freshdesk",
            plan="unlimited",
            seed=self.seed,
            faults=faults(dice, self.seed, items_fail=True),
            rules=FreshdeskRules(
                notes_move_stamp=dice.random() < 0.5,
                tags_move_stamp=dice.random() < 0.7,
                since_inclusive=dice.random() < 0.5,
                tags_in_lists=dice.random() < 0.7,
                conversations_per_page=dice.choice((2, 30, 100)),
            ),
        )
        for group in GROUPS:
            sandbox.store.groups[group] = {"id": group, "name": f"Group {group}"}
        for field in sandbox.store.ticket_fields:
            if field["name"] == FIELDS[AREA]:
                field["choices"] = [*field["choices"], *AREAS]
        if dice.random() < 0.3:
            late = FaultRule("late-commit", method="POST", path="/notes", probability=0.2, seconds=dice.uniform(1, 50))
            sandbox.faults.rules.append(late)
        sandbox.on_request.append(self._watch_updates)
        sandbox.after_request.append(self._watch_views)
        self.views: list[tuple[float, int]] = []
        """Moment and ticket of every answer that showed one ticket."""
        self.left_behind: list[str] = []
        """Notes that a run left without the rest of their write although all requests were answered."""
        self.puts: list[tuple[float, int]] = []
        """Moment and ticket of every update that was asked for."""
        return sandbox

    def _shape(self, held: Mishaps) -> None:
        stamps = held.ignores_stamps and not held.guard_ended  # there are no jobs either
        none = {"ignores_stamps": stamps, "guard_ended": False, "agent": False}
        self.mishaps = replace(held, upgrade=None, redacts=False, **none)  # no earlier version knew Freshdesk
        super()._shape(self.mishaps)
        self._overlap = False
        self._signed_in = FreshdeskSettings(url=BASE_URL, api_key="sandbox-api-key")

    def play(self) -> None:
        self.sandbox.duplicates = self.sandbox.repeats = 0.0
        super().play()

    def _watch_updates(self, request: Request) -> None:
        if request.method == "PUT" and "/tickets/" in request.path:
            self.puts.append((self.time.now(), int(request.path.rpartition("/")[2])))

    def _watch_views(self, request: Request, response: Response) -> None:
        number = request.path.rpartition("/tickets/")[2]
        if request.method == "GET" and number.isdigit() and response.status == 200:
            self.views.append((self.time.now(), int(number)))

    def _client(self, transport: Transport, state: State) -> Helpdesk:
        return Freshdesk(transport, state)

    def _run(self, name: str, *arguments: Any, **options: Any) -> None:
        if self._running:
            self.ends.append(f"{name}: another run is active")  # it holds the lock
            return
        self._running = True
        try:
            super()._run(name, *arguments, **options)
            self._look_for_lone_notes(name)
        finally:
            self._running = False

    def _look_for_lone_notes(self, name: str) -> None:
        """8: where all went well but for people, no run leaves a note without the marker."""
        ended = {line["ticket_id"] for line in self.log if line["event"] == "ticket" and line["run_id"] == name}
        for ticket_id in ended & self.tickets.keys():
            ticket = self.tickets[ticket_id]
            asked = [
                (method, end) for run, method, _, tickets, end in self.wire if run == name and ticket_id in tickets
            ]
            well = all(method != "PUT" and end[0] == "2" for method, end in asked)
            if ticket.deleted or ticket.spam or self.our_writes(ticket_id) or not well:
                continue
            noted = [edit.at for edit in ticket.audits if edit.author_id == BOT_ID and edit.raw.get("body")]
            there = [row for row in self.sandbox.store.bot_notes(ticket.id) if row["last_edited_user_id"] is None]
            if there and self.keeps_state and noted[-1] >= self.run_starts[name]:
                self.left_behind.append(f"ticket {ticket_id}: 8 whole: {name} left a note behind without its marker")

    def _way(self) -> Delivery:
        return Delivery("single", together=1)

    @property
    def tickets(self) -> Mapping[int, Any]:
        return self.sandbox.store.tickets

    # People

    def _customer_writes(self) -> None:
        subject, body = self.dice.choice(TEXTS)
        made = self.time.now()
        ticket = self.sandbox.store.create(
            subject=subject,
            body=body,
            source=self.dice.choice((1, 2, 7)),
            created_at=made,
            tags=("ai_processed", "copied") if self._odds.random() < self.mishaps.copies else (),
        )
        for _ in range(12 * (self._odds.random() < 0.15)):
            self.sandbox.store.customer_replies(ticket.id, "And another thing.")  # more than a view shows
        if self.mishaps.calm and self._odds.random() < 0.7:
            self.time.at(made + 10.0, lambda: self.sandbox.store.person_edit(ticket.id, add_tags=("vip",)))

    def _customer_replies(self, ticket_id: int) -> None:
        if self.tickets[ticket_id].json["status"] != CLOSED:
            self.sandbox.store.customer_replies(ticket_id, self.dice.choice(TEXTS)[1])
            self.answered.append((ticket_id, self.time.now()))

    def _person_acts(self, ticket_id: int) -> None:
        desk = self.sandbox.store
        if desk.living(ticket_id) is None or not self.faulty:
            return
        if self._replies and self.dice.random() < 0.15:
            self._customer_replies(ticket_id)
            return
        act = self.dice.random()
        tags = desk.tickets[ticket_id].tags
        if act < 0.35:
            desk.person_edit(ticket_id, add_tags=(self.dice.choice(PEOPLES_TAGS),))
        elif act < 0.5 and tags:
            ours = [item for item in tags if item.startswith("ai_") and item != "ai_other_product"]
            pool = tags if self._strips else [item for item in tags if item not in ours]
            if pool:
                desk.person_edit(ticket_id, remove_tags=(self.dice.choice(list(pool)),))
        elif act < 0.66:
            desk.person_edit(ticket_id, priority=self.dice.choice((1, 2, 3, 4)))
        elif act < 0.74:
            desk.person_edit(ticket_id, group_id=self.dice.choice(GROUPS))
        elif act < 0.82:
            desk.person_edit(ticket_id, custom_fields={self.dice.choice(tuple(FIELDS.values())): "A-7"})
        elif act < 0.9:
            desk.person_edit(ticket_id, comment="Looking into it.", public=self.dice.choice((False, True)))
        elif act < 0.93 and desk.bot_notes(ticket_id):
            desk.edit_note(desk.bot_notes(ticket_id)[-1]["id"], "Mine now.")
        elif act < 0.96:
            desk.person_edit(ticket_id, status=self.dice.choice((OPEN, PENDING, RESOLVED)))
        elif act < 0.97:
            desk.person_edit(ticket_id, status=CLOSED)
        elif act < 0.985:
            desk.delete(ticket_id)
        else:
            desk.spam(ticket_id)

    # What is asked of a story

    def passed(self, cursor: str) -> list[int]:
        stamp = cursor.removeprefix("changed:").partition(";")[0]
        return [each.id for each in self.tickets.values() if each.stamp < stamp and not self.is_settled(each.id)]

    def is_settled(self, ticket_id: int) -> bool:
        ticket = self.tickets[ticket_id]
        gone = ticket.deleted or ticket.spam or ticket.json["status"] != OPEN
        return gone or ticket_id in self._explained or bool(self.our_writes(ticket_id))

    def our_writes(self, ticket_id: int) -> list[Any]:
        """Our updates of a ticket; notes are not among them."""
        return [edit for edit in self.tickets[ticket_id].audits if edit.author_id == BOT_ID and "tags" in edit.raw]
