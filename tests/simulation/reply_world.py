"""Stories in which notes announce public replies that go out later, and statuses that follow them."""

from __future__ import annotations

import hashlib
import random
from collections.abc import Sequence

from ticket_processor.core.models import Analysis, Decision, PublicReply, ReplyPlan, Ticket
from ticket_processor.pipeline.parts import Answers, ReplyWanted
from ticket_processor.sandbox.records import Audit

from .world import ARTICLE, World


class ReplyWorld(World):
    """One story with public replies. What people and the helpdesk do is drawn as in every other story."""

    def __init__(self, seed: int, **options: object) -> None:
        self.plans: dict[str, ReplyPlan] = {}
        """Every reply that a run has thought of, by its draft."""
        self.terms = random.Random(f"replies {seed}")
        self.delay_s = self.terms.choice((120.0, 300.0))
        self.then = self.terms.choice((None, "pending", "solved"))
        self.then_s = self.terms.choice((180.0, 900.0))
        self.wanted_until = self.terms.choice((None, None, None, 900.0))
        """Seconds into the story at which the settings stop asking for public replies."""
        super().__init__(seed, **options)  # type: ignore[arg-type]
        self._edit_weight *= self.terms.choice((0.0, 0.3, 1.0))
        self._started = self.time.now()

    def _answers(self) -> Answers | None:
        return self._with_a_reply

    def _with_a_reply(
        self, ticket: Ticket, analysis: Analysis, decision: Decision, *, may_ask: bool = True
    ) -> tuple[Analysis, Decision]:
        if decision.note is None or random.Random(f"reply {self.seed} {ticket.id}").random() < 0.2:
            return analysis, decision
        text = f"Hello,\n\n{analysis.category}: this is how it works. [1]\n\n[1] Refunds: {ARTICLE} {{{{ticket.id}}}}"
        draft = hashlib.sha256(text.encode()).hexdigest()
        reply = PublicReply(text=text, category=analysis.category, threshold=0.9, draft=draft)
        plan = ReplyPlan(reply=reply, delay_s=self.delay_s, then=self.then, then_s=self.then_s)
        self.plans[draft] = plan
        return analysis, decision.model_copy(update={"note": f"{decision.note}\nA reply goes out.", "reply": plan})

    def _reply_wanted(self) -> ReplyWanted:
        return lambda _plan, _step: self.wanted_until is None or self.time.now() - self._started < self.wanted_until

    def our_writes(self, ticket_id: int) -> list[Audit]:
        """The audits of our writes that customers see nothing of; see :meth:`shown_writes`."""
        return [audit for audit in super().our_writes(ticket_id) if not _is_shown(audit)]

    def shown_writes(self, ticket_id: int) -> Sequence[Audit]:
        """The audits of our public comments, and of our changes of the status."""
        return [audit for audit in super().our_writes(ticket_id) if _is_shown(audit)]


def _is_shown(audit: Audit) -> bool:
    return bool(audit.comment_public) or "status" in audit.raw or audit.change("status") is not None
