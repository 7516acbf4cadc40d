"""Turns an analysis into a decision: thresholds, autonomy per field, escalation, tiers. Pure.

The policy preset ``tiers`` says by fixed rules who should take a ticket.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from typing import Annotated, Any, Literal, Self, get_args

from pydantic import Field, field_validator, model_validator

from ..analysis.text.outgoing import leaving
from ..core.models import Analysis, Decision, Frozen, Overwrite, Priority, Risk, Urgency
from ..core.taxonomy import Taxonomy
from ..tags import tag
from .note import (
    Escalation,
    NoteWhen,
    adds_something,
    answered_by,
    category_words,
    may_advise,
    note_text,
    plan_for,
    reasons_for,
)

_COMPLEX_BELOW = 0.5
"""Below this confidence an answer is more often wrong than right, so no group can be derived from it."""
_TIER_1_FROM = 0.64
"""Set for the rules' confidence, so that the first line gets as many tickets as in earlier versions."""
_COMPLEX_CATEGORIES = 3
"""A ticket that fits this many categories belongs to no single group."""


class Tier(StrEnum):
    """Who should take a ticket: first-line support, second-line support, or the experts."""

    FIRST = "1"
    SECOND = "2"
    COMPLEX = "complex"


TIER_TAGS = tuple(f"tier_{tier}" for tier in Tier)


class Tiers(Frozen):
    """The group of each tier."""

    groups: dict[Tier, Annotated[int, Field(ge=1)]] = Field(
        default_factory=dict, description="ids of groups by tier, where nothing else gives one"
    )


class Mode(StrEnum):
    """How far the program may go with one field."""

    OFF = "off"
    SUGGEST = "suggest"
    APPLY = "apply"


Part = Literal["tags", "priority", "group", "fields"]
"""A part of a ticket with a policy of its own."""
PARTS: tuple[Part, ...] = get_args(Part)


class FieldPolicy(Frozen):
    """How far ticketbot goes with tags, priority, group and fields.

    ``apply`` needs at least ``threshold`` confidence; below it the value is only suggested in the note. ``overwrite``
    says whether a value that is there already may be replaced.
    """

    mode: Mode = Field(Mode.APPLY, description="`suggest` only writes the value into the note")
    threshold: float = Field(0.0, ge=0, le=1, description="with less confidence, `apply` only suggests")
    overwrite: Overwrite = Field(
        Overwrite.NEVER,
        description="which values may be replaced: `bot-set` means what ticketbot set and nobody touched; tags allow "
        "`never` only",
    )


class Policy(Frozen):
    """What ticketbot sets on a ticket: by default everything that is empty."""

    tag_prefix: str = Field("ai_", pattern=r"^[a-z0-9_]{1,20}$", description="beginning of ticketbot's tags")
    tags: FieldPolicy = FieldPolicy()
    priority: FieldPolicy = FieldPolicy()
    group: FieldPolicy = FieldPolicy()
    fields: FieldPolicy = FieldPolicy()
    note: NoteWhen = Field(NoteWhen.ALWAYS, description="which tickets get an internal note")
    note_urgent_words: bool = Field(
        False,
        exclude_if=lambda on: not on,
        description="quote the words that made a ticket urgent in its note",
    )
    tag_secondary: bool = Field(False, description="a tag `ai_also_<category>` for the second category that fits")
    rules_may_set: tuple[Part, ...] = Field(PARTS, description="what keyword rules may set; the rest is suggested")
    review_below: float = Field(0.5, ge=0, le=1, description="less confidence than this adds the tag `ai_review`")
    model_may_set_urgent: bool = Field(
        False, description="let a model set `urgent`; otherwise it sets `high` and the note suggests `urgent`"
    )
    thanks_keep_solved: Mode = Field(
        Mode.OFF,
        exclude_if=lambda value: value is Mode.OFF,
        description="a solved ticket that a customer's mere thanks reopened: `suggest` says so in a note, `apply` also "
        "sets it back to solved",
    )
    preset: Literal["labels", "tiers"] = Field("labels", description="`tiers` adds a tag that says who should take it")
    escalation: Escalation = Escalation()
    tiers: Tiers = Tiers()

    @field_validator("note", mode="before")
    @classmethod
    def _yes_or_no(cls, value: Any) -> Any:
        return {True: NoteWhen.ALWAYS, False: NoteWhen.NEVER}[value] if isinstance(value, bool) else value

    @field_validator("tags")
    @classmethod
    def _only_our_own_tags(cls, value: FieldPolicy) -> FieldPolicy:
        if value.overwrite is not Overwrite.NEVER:
            raise ValueError("overwrite is for priority, group and fields; of tags only labels of our own are replaced")
        return value

    @model_validator(mode="after")
    def _status_with_a_note(self) -> Self:
        if self.thanks_keep_solved is not Mode.OFF and self.note is NoteWhen.NEVER:
            raise ValueError("thanks_keep_solved tells what it does in a note, and note is 'never'")
        return self

    @property
    def marker(self) -> str:
        """The tag on tickets that are done."""
        return self.tag("processed")

    @property
    def replied(self) -> str:
        """The tag of a ticket that got a public reply."""
        return self.tag("replied")

    def tag(self, *words: str) -> str:
        """A tag of ours: the prefix and the words."""
        return tag(self.tag_prefix + "_".join(words))


RESERVED_TAGS = frozenset(
    {"hands_off", "processed", "fallback", "review", "escalated", "suspicious", "replied", *TIER_TAGS}
)
"""Names that no category may have, since its tag would be taken for one of ours with another meaning."""

ALSO = "also"
"""First part of the name of the tag for the second category."""

PRIORITY_OF = {
    Urgency.CRITICAL: Priority.URGENT,
    Urgency.HIGH: Priority.HIGH,
    Urgency.MEDIUM: Priority.NORMAL,
    Urgency.LOW: Priority.LOW,
}


def decide(
    ticket_id: int,
    analysis: Analysis,
    policy: Policy,
    taxonomy: Taxonomy | None = None,
    *,
    due_soon: bool = False,
) -> Decision:
    """The decision for a ticket with this analysis; ``taxonomy`` has the targets of its category.

    ``due_soon``: a service time ends soon, which escalates the ticket.

    The marker tag is always set, so that the ticket is not analysed again. If the text tries to instruct a model, only
    tags are set and a person has to look; everything else is only suggested, since the text may have caused it.
    """
    unsure = analysis.confidence < policy.review_below
    suspicious = bool(analysis.suspicious)
    targets = _targets(analysis, taxonomy)
    escalated = reasons_for(analysis, policy.escalation, due_soon=due_soon)
    tier = None
    if policy.preset == "tiers":
        fallback = None if taxonomy is None else taxonomy.fallback
        tier = tier_of(analysis, escalated=bool(escalated), fallback=fallback)
    tags = [policy.marker]
    suggestions: list[str] = []

    def may(part: Part, of_category: float = 0.0) -> bool:
        of_part: FieldPolicy = getattr(policy, part)
        allowed = of_part.mode is Mode.APPLY and (analysis.source != "rules" or part in policy.rules_may_set)
        return allowed and analysis.confidence >= max(of_part.threshold, of_category)

    labelling = may("tags", targets.threshold)
    if labelling:
        tags += _labels(analysis, policy)
        tags += targets.tags
    elif policy.tags.mode is not Mode.OFF:
        suggestions.append(f"category {category_words(analysis)}")
    if policy.tags.mode is Mode.APPLY:
        tags += _marks(analysis, policy, unsure=unsure, escalated=bool(escalated), tier=tier)

    wanted = PRIORITY_OF[analysis.urgency]
    if escalated and policy.escalation.raise_priority:
        wanted = min(wanted, Priority.HIGH, key=list(Priority).index)
    # A customer's text can mislead a model, and a classifier guesses. "urgent" wakes people up: a person confirms it.
    asks_a_person = wanted is Priority.URGENT and analysis.source != "rules" and not policy.model_may_set_urgent
    if asks_a_person:
        wanted = Priority.HIGH
    priority = wanted if may("priority") and not suspicious else None
    if policy.priority.mode is not Mode.OFF:
        if asks_a_person:
            suggestions.append("priority urgent, if a person agrees")
        elif priority is None:
            suggestions.append(f"priority {wanted.value}")

    wanted_group, sure_from = _group(policy, targets, escalated=bool(escalated), tier=tier)
    group = wanted_group if may("group", sure_from) and not suspicious else None
    if wanted_group is not None and group is None and policy.group.mode is not Mode.OFF:
        suggestions.append(f"group {wanted_group}")
    fields = targets.fields if may("fields", targets.threshold) and not suspicious else {}
    if not fields and policy.fields.mode is not Mode.OFF:
        suggestions += [f"field {key}: {value}" for key, value in targets.fields.items()]

    nothing_set = priority is None and group is None and not fields and not labelling
    return Decision(
        ticket_id=ticket_id,
        tags=tuple(name for name in dict.fromkeys(tags) if leaving(name) == name),
        priority=priority,
        group=group,
        fields=fields,
        priority_overwrite=policy.priority.overwrite,
        priority_raises_only=bool(escalated) or asks_a_person,
        group_overwrite=policy.group.overwrite,
        fields_overwrite=policy.fields.overwrite,
        escalated=escalated,
        note=_note(analysis, policy, suggestions, escalated, unsure=unsure),
        reason=answered_by(analysis),
        suggest_only=bool(suggestions) and nothing_set,
    )


@dataclass(frozen=True)
class _Targets:
    """The values that the taxonomy sets on a category's tickets, and the confidence that this needs."""

    tags: tuple[str, ...] = ()
    group: int | None = None
    fields: dict[int, str] = field(default_factory=dict)
    threshold: float = 0.0


def _targets(analysis: Analysis, taxonomy: Taxonomy | None) -> _Targets:
    """The targets of the sub-category; where it has none, those of its parent."""
    if taxonomy is None:
        return _Targets()
    names = (analysis.subcategory, analysis.category)
    # A verdict of an earlier run may name a category that the site has removed since.
    items = [taxonomy[name] for name in names if name is not None and name in taxonomy.names]
    groups = [item.group for item in items if item.group is not None]
    return _Targets(
        tags=tuple(item.tag for item in items if item.tag),
        group=groups[0] if groups else None,
        fields={key: value for item in reversed(items) for key, value in item.fields.items()},
        threshold=max((item.threshold for item in items), default=0.0),
    )


def _labels(analysis: Analysis, policy: Policy) -> list[str]:
    """The tags for the labels of the analysis."""
    tags = [policy.tag(analysis.category)]
    if analysis.subcategory is not None:
        tags.append(policy.tag(analysis.subcategory))
    if policy.tag_secondary:
        tags += [policy.tag(ALSO, name) for name in analysis.secondary[:1]]
    return [*tags, policy.tag("urgency", analysis.urgency), policy.tag("sentiment", analysis.sentiment)]


def _marks(analysis: Analysis, policy: Policy, *, unsure: bool, escalated: bool, tier: Tier | None) -> list[str]:
    """The tags that say how the analysis was made, and who should look."""
    wanted = {
        "fallback": analysis.fell_back,
        "suspicious": bool(analysis.suspicious),
        "review": unsure or bool(analysis.suspicious),
        "escalated": escalated,
        f"tier_{tier}": tier is not None,
    }
    return [policy.tag(name) for name, holds in wanted.items() if holds]


def _group(policy: Policy, targets: _Targets, *, escalated: bool, tier: Tier | None) -> tuple[int | None, float]:
    """The group to set and the confidence it needs: the escalation's, else the category's, else the tier's."""
    if escalated and policy.escalation.group is not None:
        return policy.escalation.group, 0.0
    if targets.group is not None:
        return targets.group, targets.threshold
    return (None if tier is None else policy.tiers.groups.get(tier)), 0.0


def _note(
    analysis: Analysis, policy: Policy, suggestions: list[str], escalated: tuple[str, ...], *, unsure: bool
) -> str | None:
    if policy.note is NoteWhen.NEVER:
        return None
    advised = may_advise(analysis, unsure=unsure)
    if policy.note is NoteWhen.WHEN_USEFUL and not adds_something(
        analysis, suggestions, escalated=escalated, unsure=unsure, advised=advised
    ):
        return None
    plan = plan_for(analysis, escalated, policy.escalation)
    words = policy.note_urgent_words
    return note_text(
        analysis, suggestions, escalated=escalated, plan=plan, unsure=unsure, advised=advised, urgent_words=words
    )


def tier_of(analysis: Analysis, *, escalated: bool, fallback: str | None) -> Tier:
    """The tier of a ticket with this analysis. ``fallback`` is the category for tickets that fit no other."""
    fitting = 1 + len(analysis.secondary)
    if (
        analysis.urgency is Urgency.CRITICAL
        or analysis.risk is Risk.HIGH
        or analysis.suspicious
        or analysis.confidence < _COMPLEX_BELOW
        or fitting >= _COMPLEX_CATEGORIES
    ):
        return Tier.COMPLEX
    known = analysis.category != fallback
    simple = analysis.urgency in (Urgency.LOW, Urgency.MEDIUM) and analysis.risk is Risk.LOW and fitting == 1
    if known and simple and not escalated and analysis.confidence >= _TIER_1_FROM:
        return Tier.FIRST
    return Tier.SECOND
