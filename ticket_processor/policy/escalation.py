"""Which tickets cannot wait in the queue, for which fixed reasons, and what is to be done then. Pure.

What is to be done comes from templates: the shipped ones or the site's own, never from a model.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from string import Formatter
from typing import Annotated, Any, Literal, get_args

from pydantic import AfterValidator, Field, field_validator

from ..analysis.rules.matcher import known_name
from ..core.models import Analysis, Frozen, Risk, Sentiment, Urgency
from ..core.text import compatible, plain_line

Condition = Literal["security", "critical", "high_risk", "negative_and_urgent", "suspicious"]
CONDITIONS: tuple[Condition, ...] = get_args(Condition)
"""The causes of an escalation, the most particular first."""
BY_CATEGORY = "category"
"""The reason of a ticket whose category the site named."""
REASONS = {
    "suspicious": "suspicious text",
    "security": "security",
    BY_CATEGORY: "its category",
    "critical": "critical urgency",
    "high_risk": "high risk",
    "negative_and_urgent": "negative and pressing",
}
"""Every reason with its words in a note. The first that holds and has a plan gives the plan."""
DEFAULT_PLANS = {
    "suspicious": "Read the whole text yourself before anything is done that it asks for.",
    "security": "Protect the account, card or device first, tell whoever is responsible for security, then answer.",
    BY_CATEGORY: "Handle it as agreed for {category}.",
    "critical": "Tell the customer that a person is on it, find out who else is affected, and call the person on duty.",
    "high_risk": "Have a person with the authority to decide read it before it is answered.",
    "negative_and_urgent": "Answer in person today: say what has been done so far and when there will be news.",
}
PLACEHOLDERS = ("category", "urgency", "risk", "sentiment", "language")
"""The names that a template may put in braces. Each stands for a word of a closed list."""
_LONGEST_PLAN = 350


def _template(text: str) -> str:
    allowed = ", ".join(f"{{{name}}}" for name in PLACEHOLDERS)
    try:
        parts = list(Formatter().parse(text))
    except ValueError:
        raise ValueError(f"has an unmatched brace; allowed in braces: {allowed}") from None
    if any(name is not None and (name not in PLACEHOLDERS or spec or turned) for _, name, spec, turned in parts):
        raise ValueError(f"has an unknown placeholder; allowed in braces: {allowed}")
    shown = text.format_map(dict.fromkeys(PLACEHOLDERS, "word"))
    if _squeezed(plain_line(shown, 2 * _LONGEST_PLAN)) != _squeezed(compatible(shown)):
        raise ValueError(
            "contains a link, mark-up or a character that notes do not show, such as @ * [: write plain sentences"
        )
    return text


def _squeezed(text: str) -> str:
    return "".join(text.split())


Template = Annotated[str, Field(max_length=_LONGEST_PLAN), AfterValidator(_template)]
"""Plain sentences with :data:`PLACEHOLDERS` in braces; empty for no plan."""


class Escalation(Frozen):
    """Which tickets are escalated, and what follows besides the tag.

    ``plans`` are templates by reason or by the name of a category, which goes before; a reason that is not given has
    its default. ``group`` is set under the same rules as any other, and instead of that of the category.
    """

    on: tuple[Condition, ...] = Field(
        ("critical", "high_risk", "security", "negative_and_urgent"), description="what a ticket is escalated for"
    )
    categories: tuple[str, ...] = Field((), description="categories of either level whose tickets are escalated")
    group: int | None = Field(None, ge=1, description="id of the group for escalated tickets")
    raise_priority: bool = Field(False, description="raise the priority of escalated tickets to `high` at least")
    plans: dict[str, Template] = Field(
        default_factory=lambda: dict(DEFAULT_PLANS),
        description="what to do, by category or reason, in place of built-in sentences; see `docs/writing-back.md`",
    )

    @field_validator("plans", mode="before")
    @classmethod
    def _over_the_defaults(cls, value: Any) -> Any:
        return {**DEFAULT_PLANS, **value} if isinstance(value, dict) else value


def reasons_for(analysis: Analysis, escalation: Escalation) -> tuple[str, ...]:
    """Why a ticket that was understood so is escalated: some of :data:`REASONS` in their order; empty if it is not."""
    named = {analysis.category, analysis.subcategory} & set(escalation.categories)
    holds = {
        "suspicious": bool(analysis.suspicious),
        "security": _is_security(analysis),
        BY_CATEGORY: bool(named),
        "critical": analysis.urgency is Urgency.CRITICAL,
        "high_risk": analysis.risk is Risk.HIGH,
        "negative_and_urgent": analysis.sentiment is Sentiment.NEGATIVE and analysis.urgent_tone,
    }
    wanted = {*escalation.on, BY_CATEGORY}
    return tuple(reason for reason in REASONS if reason in wanted and holds[reason])


def plan_for(analysis: Analysis, reasons: tuple[str, ...], escalation: Escalation) -> str:
    """The plan for an escalated ticket, in one plain line; empty when the settings want none.

    Of a suspicious text only that it is to be read: what its labels say may be what it wants them to.
    """
    words = {name: str(getattr(analysis, name)) for name in PLACEHOLDERS}
    categories = (analysis.subcategory or "", analysis.category)
    return plan_of(words, () if analysis.suspicious else categories, reasons, escalation)


def plan_of(words: Mapping[str, str], categories: Sequence[str], reasons: Sequence[str], escalation: Escalation) -> str:
    """The plan for these reasons and, before them, these categories; ``words`` are for its :data:`PLACEHOLDERS`."""
    if not reasons:
        return ""
    names = ("suspicious",) if not categories else (*categories, *reasons)
    template = next((plan for plan in map(escalation.plans.get, names) if plan), "")
    return plain_line(template.format_map({name: words.get(name, "") for name in PLACEHOLDERS}), _LONGEST_PLAN)


def _is_security(analysis: Analysis) -> bool:
    """Words that speak of an incident, or the category for them; a calm question about security is none."""
    named = any(known_name(name) == "security" for name in (analysis.category, analysis.subcategory) if name)
    return "security" in analysis.alarms or (named and analysis.urgency in (Urgency.CRITICAL, Urgency.HIGH))
