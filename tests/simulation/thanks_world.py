"""Stories in which agents solve tickets and customers reopen them, some of them with nothing but thanks."""

from __future__ import annotations

import random
from collections.abc import Iterator, Mapping, Sequence
from functools import partial

from ticket_processor import zendesk
from ticket_processor.audit import receipts
from ticket_processor.pipeline import select
from ticket_processor.policy import reanalysis as thanks
from ticket_processor.policy.decide import Mode
from ticket_processor.sandbox.store import Audit, StoredTicket

from . import invariants
from .guards import Guard, patch
from .mutations import MUTATIONS
from .reply_world import REPLY_MUTATIONS, _body
from .world import World

WORDS = {
    "Thank you!": True,
    "Danke, alles bestens.\n\nViele Grüße\nPeter": True,
    "Merci beaucoup pour votre aide !": True,
    "Thanks, but it is broken again.": False,
    "Thank you. And my second order?": False,
    "Still nothing.": False,
}
"""What customers say, and whether it is only thanks."""


class ThanksWorld(World):
    """One story with ``policy.thanks_keep_solved``. What else happens is drawn as in every other story."""

    def __init__(self, seed: int, **options: object) -> None:
        self.terms = random.Random(f"thanks {seed}")
        self.thanks: dict[int, list[float]] = {}
        """When customers have only thanked, by ticket."""
        super().__init__(seed, **options)  # type: ignore[arg-type]
        self.mode = self.terms.choice((Mode.APPLY, Mode.APPLY, Mode.SUGGEST))
        self.policy = self.policy.model_copy(update={"thanks_keep_solved": self.mode})
        self._touches = self.terms.choice((0.0, 0.3, 0.7))

    def play(self) -> None:
        start = self.time.now()
        for _ in range(self.terms.randint(3, 12) * (not self.mishaps.calm)):
            self.time.at(start + self.terms.uniform(60, 1800), self._somebody_solves)
        super().play()

    def _somebody_solves(self) -> None:
        ticket_id = self.terms.choice([number for number in self.tickets if self.our_writes(number)] or [0])
        ticket = self.sandbox.store.living(ticket_id)
        if ticket is None or not self.faulty or ticket.json["status"] not in ("new", "open"):
            return
        self.sandbox.store.person_edit(ticket_id, comment="Please try again.", public=True, status="solved")
        self.time.at(self.time.now() + self.terms.uniform(1, 300), partial(self._customer_reopens, ticket_id))

    def _customer_reopens(self, ticket_id: int) -> None:
        ticket = self.sandbox.store.living(ticket_id)
        if ticket is None or ticket.json["status"] != "solved":
            return
        words = self.terms.choice(list(WORDS))
        now, requester = self.time.now(), ticket.json["requester_id"]
        self.sandbox.store.person_edit(ticket_id, comment=words, public=True, author_id=requester, status="open")
        self.answered.append((ticket_id, now))
        if WORDS[words]:
            self.thanks.setdefault(ticket_id, []).append(now)
        if self.terms.random() < self._touches:
            self.time.at(now + self.terms.uniform(0, 400), partial(self._person_acts, ticket_id))

    def somebody_interferes(self, ticket_ids: Sequence[int]) -> None:
        """As ever, and more often where a customer has thanked."""
        super().somebody_interferes(ticket_ids)
        for ticket_id in ticket_ids:
            if self.faulty and ticket_id in self.thanks and self.terms.random() < self._touches / 2:
                moment = self.time.now() + self.terms.uniform(0, 2)
                self.time.at(moment, partial(self._person_acts, ticket_id))

    def our_writes(self, ticket_id: int) -> list[Audit]:
        """The audits of our other writes; see :meth:`thanks_writes`."""
        return [audit for audit in super().our_writes(ticket_id) if not _is_for_thanks(audit)]

    def thanks_writes(self, ticket_id: int) -> list[Audit]:
        """The audits of our writes for thanks."""
        return [audit for audit in super().our_writes(ticket_id) if _is_for_thanks(audit)]


def _is_for_thanks(audit: Audit) -> bool:
    said = "" if audit.comment is None else audit.comment["body"]
    return "status" in audit.raw or audit.values.get("status") is not None or "only says thanks" in said


# What must never happen in stories with thanks: the amendments to the promises 1, 5 and 12


KEYS = {"tags", "safe_update", "updated_stamp", "metadata", "comment"}


def violations(world: ThanksWorld) -> list[str]:
    """One sentence for each broken promise; empty when all were kept."""
    return invariants.violations(world) + invariants.of_tickets(world, partial(_of_ticket, world))


def _of_ticket(world: ThanksWorld, ticket: StoredTicket) -> Iterator[str]:
    writes = world.thanks_writes(ticket.id)
    said = world.thanks.get(ticket.id, [])
    if len(writes) > len(said):
        yield f"1 one comment: {len(writes)} writes for {len(said)} thanks"
    for audit in writes:
        applied = audit.raw.get("status")
        if applied != ("solved" if world.mode is Mode.APPLY else None):
            yield f"5 status: {applied} was sent, and the settings say {world.mode}"
        if (
            set(audit.raw) - KEYS - {"status" if applied else "id"}
            or audit.tags_added
            or audit.tags_removed
            or audit.values.get("priority")
        ):
            yield "3 human values: a write for thanks changed something else"
        if audit.comment_public is not False:
            yield "5 status: changed without an internal note"
        behind = [at for at in said if at < audit.at]
        if not behind:
            yield "5 status: nobody had said thanks"
            continue
        for edit in invariants.touches(world, audit):
            if edit.at > behind[-1]:
                ago = audit.at - edit.at
                yield f"5 status: a person had touched the ticket {ago:.0f} s before our write for thanks"
        yield from _accounted(world, audit)


def _accounted(world: ThanksWorld, audit: Audit) -> Iterator[str]:
    """An intent that names the status stands in the log."""
    intent = audit.custom.get("ticketbot", {}).get("intent")
    lines = [line for line in world.log if line["event"] == "intent" and line["intent"] == intent]
    if len(lines) != 1 or lines[0]["change"].get("status") != audit.raw.get("status"):
        yield "12 audit: no intent line names the write for thanks, and its status"
    ended = [line for line in world.log if line["event"] == "ticket" and line["ticket_id"] == audit.ticket_id]
    if world.keeps_state and lines and not any(world.log.index(line) > world.log.index(lines[0]) for line in ended):
        yield "12 audit: no line says how a write for thanks has ended"


def thanked_in(world: ThanksWorld) -> dict[str, int]:
    """How much of what these stories are about has happened."""
    writes = [audit for number in world.sandbox.store.tickets for audit in world.thanks_writes(number)]
    overtaken = sum(line["event"] == "ticket" and line["reason"] == "thanks_overtaken" for line in world.log)
    return {
        "thanks": sum(map(len, world.thanks.values())),
        "tickets solved again": sum("status" in audit.raw for audit in writes),
        "notes that suggest it": sum("status" not in audit.raw for audit in writes),
        "thanks overtaken": overtaken,
    }


# Guards of what thanks may do taken away one at a time: the simulation must notice each, or it proves nothing


THANKS_MUTATIONS: Mapping[str, Guard] = {
    "every answer taken for thanks": Guard(3, patch(thanks, "is_mere_thanks", return_value=True)),
    "edits behind thanks taken for rules": Guard(1, patch(thanks, "_is_quiet", return_value=True)),
    "thanks not looked at before the write": Guard(54, patch(select, "still_holds", return_value=True)),
    "the intent names no status": Guard(3, patch(receipts, "_status", return_value={})),
    "no stamp on a status": Guard(102, patch(zendesk, "update_body", _body(safe_update="", updated_stamp=""))),
    "a status resent without reading": REPLY_MUTATIONS["a reply resent without reading"].noticed_by(17),
    "writes repeated by the transport": MUTATIONS["writes repeated by the transport"].noticed_by(3),
}
