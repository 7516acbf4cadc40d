"""Stories in which agents solve tickets and customers reopen them, some of them with nothing but thanks."""

from __future__ import annotations

import random
from collections.abc import Sequence
from functools import partial

from ticket_processor.policy.decide import Mode
from ticket_processor.sandbox.store import Audit

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
