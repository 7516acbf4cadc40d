"""Whether a draft may go to the customer by itself, and when. Pure; in doubt it may not."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Literal

from ..core.models import Analysis, Decision, PublicReply, ReplyPlan, Risk, Sentiment, Ticket
from ..core.reasons import ARTICLES_CHANGED, NOT_WANTED
from ..knowledge.model import Passage
from .assembly import ReplyDraft, assembled_again
from .settings import PublicReplySettings, ReplySettings

WORDS = {
    "messaging": "a conversation may not deliver it",
    "touched": "the ticket is taken, a follow-up, or has changed since it was opened",
    "never": "the settings never allow it for this kind of ticket",
    "risk": "the ticket is escalated or risky",
    "mood": "the customer is not calm",
    "unsure": "the confidence is below the threshold",
    "open": "the draft leaves something open",
    "translated": "the draft is a translation",
}
"""Why a draft waits for a person, in words for the note."""


THEN_S = 86_400.0
"""A customer whom the reply did not help has a day to say so before the ticket's status changes."""


def why_not_public(
    ticket: Ticket, analysis: Analysis, decision: Decision, draft: ReplyDraft, settings: ReplySettings
) -> str:
    """The word of :data:`WORDS` for what keeps the draft from the customer; empty where nothing does."""
    public = settings.public
    if ticket.messaging:
        return "messaging"
    if ticket.follow_up or ticket.assignee is not None or ticket.seconds_to_last_change > 0:
        return "touched"
    if not _kinds(analysis).isdisjoint(public.never) or analysis.suspicious:
        return "never"
    if decision.escalated or analysis.risk is Risk.HIGH:
        return "risk"
    if analysis.sentiment is Sentiment.NEGATIVE or analysis.urgent_tone:
        return "mood"
    if analysis.source != "model" or analysis.confidence < public.thresholds.get(analysis.category, 2.0):
        return "unsure"
    if draft.partial:
        return "open"
    return "translated" if draft.translated else ""


def reply_plan(analysis: Analysis, draft: ReplyDraft, settings: PublicReplySettings) -> ReplyPlan:
    """The reply that the note announces, and the status that follows it."""
    then = settings.then
    return ReplyPlan(
        reply=PublicReply(
            text=draft.text,
            category=analysis.category,
            threshold=settings.thresholds[analysis.category],
            draft=draft.digest,
        ),
        delay_s=60 * settings.delay_minutes,
        then=None if then == "nothing" else then,
        then_s=THEN_S,
        kinds=tuple(sorted(_kinds(analysis))),
        claims=draft.sourced,
        language=draft.language,
    )


def why_not_now(
    plan: ReplyPlan,
    step: Literal["reply", "status"],
    settings: ReplySettings,
    passages: Callable[[str], Sequence[Passage]],
) -> str | None:
    """Why an announced reply, or the status behind it, is to be cancelled today, in a fixed word, if it is.

    ``passages`` gives those of an article, by its id, that customers may read.
    """
    if not _still_wanted(plan, step, settings):
        return NOT_WANTED
    return ARTICLES_CHANGED if step == "reply" and not still_said(plan, passages) else None


def still_said(plan: ReplyPlan, passages: Callable[[str], Sequence[Passage]]) -> bool:
    """Whether the articles, as they are now, make the very reply that was announced."""
    again = assembled_again(plan.claims, plan.language, passages)
    return isinstance(again, ReplyDraft) and again.text == plan.reply.text


def _still_wanted(plan: ReplyPlan, step: Literal["reply", "status"], settings: ReplySettings) -> bool:
    """Whether today's settings still ask for this step of a reply that was announced, at no higher threshold."""
    public, reply = settings.public, plan.reply
    if settings.of(reply.category) != "public" or not set(plan.kinds).isdisjoint(public.never):
        return False
    if step == "status" and plan.then != public.then:
        return False
    return public.thresholds.get(reply.category, 2.0) <= reply.threshold


def _kinds(analysis: Analysis) -> set[str]:
    """The categories and alarms of a ticket."""
    names = {analysis.category, analysis.subcategory, *analysis.secondary, *analysis.alarms}
    return {name for name in names if name}
