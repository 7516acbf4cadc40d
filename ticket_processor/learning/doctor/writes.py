"""What our writes may put on tickets under this policy: every decision that it can come to, and nothing else. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from itertools import product
from typing import Any

from ...core.models import Analysis, Overwrite, Risk, Sentiment, Urgency
from ...core.taxonomy import Taxonomy
from ...policy.decide import Mode, Policy, decide
from ...policy.note import NoteWhen
from ...replies.settings import ReplySettings

_ANSWERS: Sequence[Mapping[str, object]] = (
    {"source": "rules", "confidence": 1.0, "why_fallback": "unreachable"},
    {"source": "rules", "confidence": 0.0},
    {"source": "classifier", "confidence": 1.0},
    {"source": "model", "confidence": 1.0, "risk": Risk.HIGH},
    {"source": "model", "confidence": 1.0, "urgent_tone": True},
    {"source": "model", "confidence": 1.0, "alarms": ("security",)},
    {"source": "model", "confidence": 1.0, "suspicious": ("an order to a program",)},
)
"""Kinds of answers that policy tells apart, besides plain ones of every confidence that a threshold names."""


@dataclass(frozen=True)
class PlannedWrite:
    """What one write sets: tags, and values where the ticket has none; ``""`` sets nothing."""

    tags: frozenset[str]
    priority: str = ""
    group: str = ""
    fields: tuple[tuple[str, str], ...] = ()
    note: bool = True
    extra: frozenset[str] = frozenset()
    """Tags that the account's rules add to it."""


@dataclass(frozen=True)
class PlannedWrites:
    """Every write that may come, and the tickets that it may come to."""

    writes: frozenset[PlannedWrite]
    marker: str
    statuses: tuple[str, ...]
    overwrites: frozenset[str] = field(default_factory=frozenset)
    """Of ``priority``, ``group_id`` and ``custom_fields_…`` those that replace what people have set."""
    solves: bool = False
    """Whether tickets may be set to solved."""

    @cached_property
    def tags(self) -> frozenset[str]:
        """Every tag that we may set."""
        return frozenset(tag for write in self.writes for tag in write.tags)

    @cached_property
    def sets(self) -> frozenset[str]:
        """The fields that we may set."""
        found = {name for write in self.writes for name, _ in write.fields}
        found |= {"priority"} if any(write.priority for write in self.writes) else set()
        return frozenset(found | ({"group_id"} if any(write.group for write in self.writes) else set()))


def planned_writes(
    policy: Policy, taxonomy: Taxonomy, statuses: Sequence[str], replies: ReplySettings | None = None
) -> PlannedWrites:
    """Every write that this policy can come to on tickets with these statuses."""
    writes = frozenset(_write(policy, taxonomy, analysis) for analysis in _analyses(policy, taxonomy))
    if policy.note is NoteWhen.WHEN_USEFUL:
        writes |= {replace(write, note=note) for write in writes for note in (True, False)}
    names = {"priority": policy.priority, "group_id": policy.group}
    overwrites = {name for name, part in names.items() if part.overwrite is Overwrite.ALWAYS}
    if policy.fields.overwrite is Overwrite.ALWAYS:
        overwrites |= {name for write in writes for name, _ in write.fields}
    public = replies is not None and "public" in replies.categories.values()
    after = {replies.public.then, *replies.public.then_by_tier.values()} if replies is not None and public else set()
    solves = "solved" in after or policy.thanks_keep_solved is Mode.APPLY
    return PlannedWrites(writes, policy.marker, tuple(statuses), frozenset(overwrites), solves)


def _analyses(policy: Policy, taxonomy: Taxonomy) -> Iterator[Analysis]:
    thresholds = {
        *(part.threshold for part in (policy.tags, policy.priority, policy.group, policy.fields)),
        *(category.threshold for category in taxonomy.categories),
        *(0.0, policy.review_below, policy.tiers.tier_1_confidence, policy.tiers.complex_below, 1.0),
    }
    plain = [{"source": "model", "confidence": confidence} for confidence in sorted(thresholds)]
    for name, urgency, sentiment, answer in product(taxonomy.names, Urgency, Sentiment, (*plain, *_ANSWERS)):
        yield _analysis(taxonomy, name, urgency, sentiment, answer)
    if policy.tag_secondary or policy.preset == "tiers":
        for name, other, urgency in product(taxonomy.names, taxonomy.top, Urgency):
            if taxonomy.split(name)[0] != other:
                answer = {"source": "model", "confidence": 1.0, "secondary": (other,)}
                yield _analysis(taxonomy, name, urgency, Sentiment.NEUTRAL, answer)


def _analysis(
    taxonomy: Taxonomy, name: str, urgency: Urgency, sentiment: Sentiment, answer: Mapping[str, Any]
) -> Analysis:
    category, subcategory = taxonomy.split(name)
    known = {"category": category, "subcategory": subcategory, "urgency": urgency, "sentiment": sentiment}
    return Analysis(**{**known, "language": "en", "summary": "", **answer})


def _write(policy: Policy, taxonomy: Taxonomy, analysis: Analysis) -> PlannedWrite:
    decision = decide(1, analysis, policy, taxonomy)
    fields = {f"custom_fields_{number}": value for number, value in decision.fields.items()}
    return PlannedWrite(
        frozenset(decision.tags),
        decision.priority.value if decision.priority is not None else "",
        str(decision.group) if decision.group is not None else "",
        tuple(sorted(fields.items())),
        decision.note is not None,
    )
