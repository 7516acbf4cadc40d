"""From what was understood to what should change: thresholds, autonomy per field, escalation. Pure."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from enum import StrEnum

from pydantic import Field

from .models import Analysis, Decision, Frozen, Priority, Risk, Urgency
from .plain import plain_line
from .tags import tag
from .taxonomy import Taxonomy


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
    group: FieldPolicy = Field(FieldPolicy(), description="for categories that name a group")
    fields: FieldPolicy = Field(FieldPolicy(), description="for categories that name ticket fields")
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

_LINE, _SUMMARY, _EVIDENCE, _ENTITY = 500, 300, 60, 80
"""Characters of the note: in a line, in the summary, in one piece of evidence, in one entity."""
_QUOTES = re.compile('["“”„‟«»″‶❝❞🙶🙷🙸〝〞〟＂]')
_END = re.compile(r"[^\w)\]]+$")
_NO_WORDS = re.compile(r"[\W_]+")

_PRIORITY = {
    Urgency.CRITICAL: Priority.URGENT,
    Urgency.HIGH: Priority.HIGH,
    Urgency.MEDIUM: Priority.NORMAL,
    Urgency.LOW: Priority.LOW,
}


def decide(ticket_id: int, analysis: Analysis, policy: Policy, taxonomy: Taxonomy | None = None) -> Decision:
    """What policy wants for a ticket that was understood so; ``taxonomy`` says what its category is to set.

    The marker tag is always wanted, so that the ticket is not analysed again. A text that tries to instruct a model
    gets its tags, a person's look, and nothing else: whatever it may have talked the model into is only suggested.
    """
    unsure = analysis.confidence < policy.review_below
    suspicious = bool(analysis.suspicious)
    targets = _targets(analysis, taxonomy)
    tags = [policy.marker]
    suggestions: list[str] = []

    labelling = _may(policy.tags, analysis, targets.threshold)
    if labelling:
        tags += _labels(analysis, policy)
        tags += targets.tags
    elif policy.tags.mode is not Mode.OFF:
        suggestions.append(f"category {_category(analysis)}")
    if policy.tags.mode is Mode.APPLY:
        tags += _marks(analysis, policy, unsure=unsure)

    wanted = _PRIORITY[analysis.urgency]
    # A customer's text can talk a model into anything, and a classifier guesses; "urgent" wakes people up, so a
    # person confirms it.
    asks_a_person = wanted is Priority.URGENT and analysis.source != "rules" and not policy.model_may_set_urgent
    if asks_a_person:
        wanted = Priority.HIGH
    priority = wanted if _may(policy.priority, analysis) and not suspicious else None
    if policy.priority.mode is not Mode.OFF:
        if asks_a_person:
            suggestions.append("priority urgent, if a person agrees")
        elif priority is None:
            suggestions.append(f"priority {wanted.value}")

    group = targets.group if _may(policy.group, analysis, targets.threshold) and not suspicious else None
    if targets.group is not None and group is None and policy.group.mode is not Mode.OFF:
        suggestions.append(f"group {targets.group}")
    fields = targets.fields if _may(policy.fields, analysis, targets.threshold) and not suspicious else {}
    if not fields and policy.fields.mode is not Mode.OFF:
        suggestions += [f"field {key}: {value}" for key, value in targets.fields.items()]

    nothing_set = priority is None and group is None and not fields and not labelling
    return Decision(
        ticket_id=ticket_id,
        tags=tuple(dict.fromkeys(tags)),
        priority=priority,
        group=group,
        fields=fields,
        note=_note(analysis, suggestions, unsure=unsure) if policy.note else None,
        reason=_by(analysis),
        suggest_only=bool(suggestions) and nothing_set,
    )


@dataclass(frozen=True)
class _Targets:
    """What the taxonomy wants set on a category's tickets, and from what confidence on."""

    tags: tuple[str, ...] = ()
    group: int | None = None
    fields: dict[int, str] = field(default_factory=dict)
    threshold: float = 0.0


def _targets(analysis: Analysis, taxonomy: Taxonomy | None) -> _Targets:
    """Those of the sub-category, and behind them those of its parent."""
    if taxonomy is None:
        return _Targets()
    names = (analysis.subcategory, analysis.category)
    # A verdict of an earlier run may name a category that the site has given up since.
    items = [taxonomy[name] for name in names if name is not None and name in taxonomy.names]
    groups = [item.group for item in items if item.group is not None]
    return _Targets(
        tags=tuple(item.tag for item in items if item.tag),
        group=groups[0] if groups else None,
        fields={key: value for item in reversed(items) for key, value in item.fields.items()},
        threshold=max((item.threshold for item in items), default=0.0),
    )


def _labels(analysis: Analysis, policy: Policy) -> list[str]:
    """The tags that say what was understood."""
    tags = [policy.tag(analysis.category)]
    if analysis.subcategory is not None:
        tags.append(policy.tag(analysis.subcategory))
    return [*tags, policy.tag("urgency", analysis.urgency), policy.tag("sentiment", analysis.sentiment)]


def _marks(analysis: Analysis, policy: Policy, *, unsure: bool) -> list[str]:
    """The tags that say how the understanding came about, and who should look."""
    wanted = {
        "fallback": analysis.source != "model",
        "suspicious": bool(analysis.suspicious),
        "review": unsure or bool(analysis.suspicious),
        "escalated": analysis.urgency is Urgency.CRITICAL or analysis.risk is Risk.HIGH,
    }
    return [policy.tag(name) for name, holds in wanted.items() if holds]


def _may(policy: FieldPolicy, analysis: Analysis, of_category: float = 0.0) -> bool:
    return policy.mode is Mode.APPLY and analysis.confidence >= max(policy.threshold, of_category)


def _category(analysis: Analysis) -> str:
    return analysis.category if analysis.subcategory is None else f"{analysis.category} / {analysis.subcategory}"


def _by(analysis: Analysis) -> str:
    if analysis.source == "model":
        return f"by {analysis.model}, confidence {analysis.confidence:.2f}"
    because = f" ({analysis.why_fallback.replace('_', ' ')})" if analysis.why_fallback else ""
    who = "the local classifier" if analysis.source == "classifier" else "keyword rules"
    return f"by {who}{because}, confidence {analysis.confidence:.2f}"


def _note(analysis: Analysis, suggestions: list[str], *, unsure: bool) -> str:
    """At most eight lines, each of them plain. Words of the ticket and of a model stand in quotation marks only."""
    heads = [_category(analysis), f"urgency {analysis.urgency}", f"sentiment {analysis.sentiment}"]
    heads += [f"risk {analysis.risk}"] if analysis.risk is not Risk.LOW else []
    heads += ["pressing tone"] if analysis.urgent_tone else []
    heads.append(f"language {analysis.language}")
    lines = [f"Triage: {', '.join(heads)}; {_by(analysis)}."]
    summary = _quoted(analysis.summary, _SUMMARY)
    if summary:
        lines.append(f"Summary: {summary}")
    if analysis.secondary:
        lines.append(f"Also: {', '.join(analysis.secondary)}.")
    evidence = [words for words in (_quoted(item, _EVIDENCE) for item in analysis.evidence) if words]
    if evidence:
        lines.append(f"Because of: {', '.join(evidence)}.")
    entities = {name: _quoted(value, _ENTITY) for name, value in analysis.entities.items()}
    named = [f"{name}: {value}" for name, value in entities.items() if value]
    if named:
        lines.append("; ".join(named))
    if analysis.suspicious:
        kinds = ", ".join(kind.replace("_", " ") for kind in analysis.suspicious)
        lines.append(f"Careful: the text seems to give instructions to a program ({kinds}). Please check.")
    if suggestions:
        lines.append("Suggested, not set: " + "; ".join(suggestions) + ".")
    if unsure and not analysis.suspicious:
        lines.append("Unsure: please check.")
    return "\n".join(plain_line(line, _LINE) for line in lines)


def _quoted(words: str, limit: int) -> str:
    """Words of somebody else, made plain, between quotation marks that they cannot end."""
    plain = plain_line(_QUOTES.sub("'", plain_line(words, limit)), limit)
    # "tel:" and "www." would take the closing mark for a part of a link.
    for shown in (plain, _END.sub("", plain), _NO_WORDS.sub(" ", plain).strip()):
        if plain_line(f"“{shown}”.", limit + 3) == f"“{shown}”.":
            return f"“{shown}”" if shown else ""
    return ""
