"""Whether a draft may go to the customer by itself, and when. Pure; in doubt it may not."""

from __future__ import annotations

from typing import Literal

from ..core.models import Analysis, Decision, PublicReply, ReplyPlan, Risk, Sentiment
from .assembly import ReplyDraft
from .settings import PublicReplySettings, ReplySettings

WORDS = {
    "again": "the ticket has had one reply",
    "never": "the settings never allow it for this kind of ticket",
    "risk": "the ticket is escalated or risky",
    "mood": "the customer is not calm",
    "unsure": "the confidence is below the threshold",
    "open": "the draft leaves something open",
    "translated": "the draft is a translation",
}
"""Why a draft waits for a person, in words for the note."""


def why_not_public(
    analysis: Analysis, decision: Decision, draft: ReplyDraft, settings: ReplySettings, *, replied: bool = False
) -> str:
    """The word of :data:`WORDS` for what keeps the draft from the customer; empty where nothing does.

    ``replied``: the ticket has had a public reply of ours.
    """
    public = settings.public
    if replied:
        return "again"
    kinds = {analysis.category, analysis.subcategory, *analysis.secondary, *analysis.alarms}
    if not kinds.isdisjoint(public.never) or analysis.suspicious:
        return "never"
    if decision.escalated or analysis.risk is Risk.HIGH:
        return "risk"
    if analysis.sentiment is Sentiment.NEGATIVE or analysis.urgent_tone:
        return "mood"
    if analysis.source != "model" or analysis.confidence < public.thresholds.get(analysis.category, 2.0):
        return "unsure"
    if draft.partial or draft.missing:
        return "open"
    return "translated" if draft.translated else ""


def reply_plan(
    analysis: Analysis, draft: ReplyDraft, settings: PublicReplySettings, tier: Literal["1", "2", "complex"]
) -> ReplyPlan:
    """The reply that the note announces, and the status that follows it."""
    then = settings.then_by_tier.get(tier, settings.then)
    return ReplyPlan(
        reply=PublicReply(
            text=draft.text,
            category=analysis.category,
            threshold=settings.thresholds[analysis.category],
            draft=draft.digest,
        ),
        delay_s=60 * settings.delay_minutes,
        then=None if then == "nothing" else then,
        then_s=3600 * settings.then_hours,
    )


def still_wanted(reply: PublicReply, settings: ReplySettings) -> bool:
    """Whether today's settings still ask for a reply that was announced, at no higher threshold."""
    threshold = settings.public.thresholds.get(reply.category, 2.0)
    return settings.of(reply.category) == "public" and threshold <= reply.threshold
