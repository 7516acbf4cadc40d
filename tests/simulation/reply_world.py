"""Stories in which notes announce public replies that go out later, and statuses that follow them."""

from __future__ import annotations

import hashlib
import random
from collections.abc import Sequence
from typing import Literal

from ticket_processor.core.models import Analysis, Decision, PublicReply, ReplyPlan, Ticket
from ticket_processor.core.reasons import NOT_WANTED
from ticket_processor.knowledge.model import Passage
from ticket_processor.pipeline.parts import Answers, ReplyObjection
from ticket_processor.replies.assembly import ReplyDraft, assembled
from ticket_processor.replies.grounding import Claim, Proposal
from ticket_processor.replies.public import why_not_now
from ticket_processor.replies.settings import PublicReplySettings, ReplySettings
from ticket_processor.sandbox.store import Audit

from .world import ARTICLE, TAXONOMY, World

SAYS = "A refund for {} is on your account within 5 working days."
WANTED = ReplySettings(
    categories=dict.fromkeys(TAXONOMY.names, "public"),
    public=PublicReplySettings(thresholds=dict.fromkeys(TAXONOMY.names, 0.9), never=(), then="pending"),
)
CHANGES: tuple[str | None, ...] = (
    f"{SAYS} Until then, please wait.",
    SAYS.replace("5", "9"),
    SAYS.replace("is on", "is not on"),
    None,
)
"""What an article says once it is changed: the first still supports a reply, the last is none."""
PLACEHOLDER = "\n{{ticket.id}}"
"""Stands behind each reply, as no draft of an article's words can."""


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
        dice = random.Random(f"articles of replies {seed}")
        self.changed_to = dice.choice(CHANGES)
        self.changes_after = dice.choice((None, None, 400.0, 1200.0))
        """Seconds into the story after which runs find the article changed."""
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
        says = SAYS.format(analysis.category)
        claim = Claim(text=says, source="A1", quote=says)
        proposal = Proposal(claims=(claim,), steps=(), missing=(), verdict="answer")
        said = assembled(proposal, {"A1": _article(says)}, "", "en")
        assert isinstance(said, ReplyDraft)
        text = said.text + PLACEHOLDER
        draft = hashlib.sha256(text.encode()).hexdigest()
        reply = PublicReply(text=text, category=analysis.category, threshold=0.9, draft=draft)
        plan = ReplyPlan(
            reply=reply, delay_s=self.delay_s, then=self.then, then_s=self.then_s, claims=said.sourced, language="en"
        )
        self.plans[draft] = plan
        return analysis, decision.model_copy(update={"note": f"{decision.note}\nA reply goes out.", "reply": plan})

    def _reply_objection(self) -> ReplyObjection:
        is_changed = self.is_changed(self.time.now())

        def objection(plan: ReplyPlan, step: Literal["reply", "status"]) -> str | None:
            if self.wanted_until is not None and self.time.now() - self._started >= self.wanted_until:
                return NOT_WANTED
            says = self.changed_to if is_changed else SAYS
            passages = [] if says is None else [_article(says.format(plan.reply.category))]
            wanted = WANTED.model_copy(update={"public": WANTED.public.model_copy(update={"then": plan.then})})
            return why_not_now(_without_placeholder(plan), step, wanted, lambda _article: passages)

        return objection

    def is_changed(self, at: float) -> bool:
        """Whether a run that begins then finds the article changed."""
        return self.changes_after is not None and at - self._started >= self.changes_after

    def is_said(self, run: str) -> bool:
        """Whether the article still said what replies say when this run began."""
        return not self.is_changed(self.run_starts.get(run, 0.0)) or SAYS in (self.changed_to or "")

    def our_writes(self, ticket_id: int) -> list[Audit]:
        """The audits of our writes that customers see nothing of; see :meth:`shown_writes`."""
        return [audit for audit in super().our_writes(ticket_id) if not _is_shown(audit)]

    def shown_writes(self, ticket_id: int) -> Sequence[Audit]:
        """The audits of our public comments, and of our changes of the status."""
        return [audit for audit in super().our_writes(ticket_id) if _is_shown(audit)]


def _article(says: str) -> Passage:
    return Passage("refunds", "folder", "Refunds", ARTICLE, "en", "everyone", 0.0, 0, "", says)


def _without_placeholder(plan: ReplyPlan) -> ReplyPlan:
    text = plan.reply.text.removesuffix(PLACEHOLDER)
    draft = hashlib.sha256(text.encode()).hexdigest()
    return plan.model_copy(update={"reply": plan.reply.model_copy(update={"text": text, "draft": draft})})


def _is_shown(audit: Audit) -> bool:
    return bool(audit.comment_public) or "status" in audit.raw or audit.values.get("status") is not None
