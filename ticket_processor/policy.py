"""From what was understood to what should change: thresholds, autonomy per field, escalation. Pure."""

from __future__ import annotations

from enum import StrEnum

from pydantic import Field

from .models import Analysis, Decision, Frozen, Priority, Urgency
from .tags import tag


class Mode(StrEnum):
    """How far the program may go with one field."""

    OFF = "off"
    SUGGEST = "suggest"
    APPLY = "apply"


class FieldPolicy(Frozen):
    """``apply`` needs at least ``threshold`` confidence; below it the value is only suggested in the note."""

    mode: Mode = Mode.APPLY
    threshold: float = Field(0.0, ge=0, le=1)


class Policy(Frozen):
    """The site's wishes. The defaults set everything that nobody has set."""

    tag_prefix: str = Field("ai_", pattern=r"^[a-z0-9_]{1,20}$")
    tags: FieldPolicy = FieldPolicy()
    priority: FieldPolicy = FieldPolicy()
    note: bool = True
    review_below: float = Field(0.5, ge=0, le=1)
    model_may_set_urgent: bool = False

    @property
    def marker(self) -> str:
        """The tag that says: done."""
        return self.tag("processed")

    def tag(self, *words: str) -> str:
        """A tag of ours: the prefix and the words."""
        return tag(self.tag_prefix + "_".join(words))


RESERVED_TAGS = frozenset({"processed", "fallback", "review", "escalated", "suspicious"})
"""What a category cannot be called, since its tag would be taken for one of these."""

_PRIORITY = {
    Urgency.CRITICAL: Priority.URGENT,
    Urgency.HIGH: Priority.HIGH,
    Urgency.MEDIUM: Priority.NORMAL,
    Urgency.LOW: Priority.LOW,
}


def decide(ticket_id: int, analysis: Analysis, policy: Policy) -> Decision:
    """What policy wants for a ticket that was understood so.

    The marker tag is always wanted, so that the ticket is not analysed again.
    """
    unsure = analysis.confidence < policy.review_below
    tags = [policy.marker]
    suggestions: list[str] = []

    tagging = policy.tags.mode is Mode.APPLY
    if _may(policy.tags, analysis):
        tags += [
            policy.tag(analysis.category),
            policy.tag("urgency", analysis.urgency),
            policy.tag("sentiment", analysis.sentiment),
        ]
    elif policy.tags.mode is not Mode.OFF:
        suggestions.append(f"category {analysis.category}")
    if tagging and analysis.source == "rules":
        tags.append(policy.tag("fallback"))
    if tagging and unsure:
        tags.append(policy.tag("review"))
    if tagging and analysis.urgency is Urgency.CRITICAL:
        tags.append(policy.tag("escalated"))

    wanted = _PRIORITY[analysis.urgency]
    # A customer's text can talk a model into anything; "urgent" wakes people up, so a person confirms it.
    asks_a_person = wanted is Priority.URGENT and analysis.source == "model" and not policy.model_may_set_urgent
    if asks_a_person:
        wanted = Priority.HIGH
    priority = wanted if _may(policy.priority, analysis) else None
    if policy.priority.mode is not Mode.OFF:
        if asks_a_person:
            suggestions.append("priority urgent, if a person agrees")
        elif priority is None:
            suggestions.append(f"priority {wanted.value}")

    return Decision(
        ticket_id=ticket_id,
        tags=tuple(tags),
        priority=priority,
        note=_note(analysis, suggestions, unsure=unsure) if policy.note else None,
        reason=_by(analysis),
        suggest_only=bool(suggestions) and priority is None and not _may(policy.tags, analysis),
    )


def _may(field: FieldPolicy, analysis: Analysis) -> bool:
    return field.mode is Mode.APPLY and analysis.confidence >= field.threshold


def _by(analysis: Analysis) -> str:
    if analysis.source == "model":
        return f"by {analysis.model}, confidence {analysis.confidence:.2f}"
    because = f" ({analysis.why_fallback.replace('_', ' ')})" if analysis.why_fallback else ""
    return f"by keyword rules{because}, confidence {analysis.confidence:.2f}"


def _note(analysis: Analysis, suggestions: list[str], *, unsure: bool) -> str:
    head = (
        f"Triage: {analysis.category}, urgency {analysis.urgency}, sentiment {analysis.sentiment}, "
        f"language {analysis.language}; {_by(analysis)}."
    )
    lines = [head]
    if analysis.summary:
        lines.append(analysis.summary)
    if suggestions:
        lines.append("Suggested, not set: " + "; ".join(suggestions) + ".")
    if unsure:
        lines.append("Unsure: please check.")
    return "\n".join(lines)
