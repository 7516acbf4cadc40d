"""Decides which tickets are escalated and which get an internal note, and writes the note. Pure.

The note says how the ticket was labelled, by which analyser and with what confidence, what else it may be, and why, in
redacted words of the ticket. Every line is plain text; words of a ticket or a model are in quotation marks that they
cannot close.

The plan for an escalated ticket comes from templates, the shipped ones or the site's own, never from a model.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from enum import StrEnum
from string import Formatter
from typing import Annotated, Any, Literal, get_args

from pydantic import AfterValidator, Field, field_validator

from ..analysis.rules.matcher import known_name
from ..analysis.text.outgoing import leaving, leaving_line, ours
from ..core.models import URGENT, Analysis, Frozen, Risk, Sentiment, Urgency
from ..core.service_times import BY_CLOCK
from ..core.text import OutgoingText, compatible, plain_line

Condition = Literal["security", "critical", "high_risk", "negative_and_urgent", "suspicious"]
CONDITIONS: tuple[Condition, ...] = get_args(Condition)
"""The causes of an escalation, the most specific first."""
BY_CATEGORY = "category"
"""The reason for escalating a ticket because of its category."""
REASONS = {
    "suspicious": "suspicious text",
    "security": "security",
    BY_CATEGORY: "its category",
    "critical": "critical urgency",
    "high_risk": "high risk",
    "negative_and_urgent": "negative and pressing",
    BY_CLOCK: "a service time that ends soon",
}
"""Each reason and its words in a note. The plan is that of the first reason that holds and has one."""
DEFAULT_PLANS = {
    "suspicious": "Read the whole text yourself before anything is done that it asks for.",
    "security": "Protect the account, card or device first, tell whoever is responsible for security, then answer.",
    BY_CATEGORY: "Handle it as agreed for {category}.",
    "critical": "Tell the customer that a person is on it, find out who else is affected, and call the person on duty.",
    "high_risk": "Have a person with the authority to decide read it before it is answered.",
    "negative_and_urgent": "Answer in person today: say what has been done so far and when there will be news.",
}
_PLAN_BY_CLOCK = "Answer now, or tell the customer when the answer comes."
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
    sla_minutes: int = Field(
        0,
        ge=0,
        le=10_080,
        exclude_if=lambda minutes: not minutes,
        description="escalate a ticket in the last minutes of its service time, and read and report service times; "
        "0: none of it",
    )
    plans: dict[str, Template] = Field(
        default_factory=lambda: dict(DEFAULT_PLANS),
        description="what to do, by category or reason, in place of built-in sentences; see `docs/writing-back.md`",
    )

    @field_validator("plans", mode="before")
    @classmethod
    def _over_the_defaults(cls, value: Any) -> Any:
        return {**DEFAULT_PLANS, **value} if isinstance(value, dict) else value


def reasons_for(analysis: Analysis, escalation: Escalation, *, due_soon: bool = False) -> tuple[str, ...]:
    """Why a ticket with this analysis is escalated: some of :data:`REASONS`, in their order; empty if it is not.

    ``due_soon``: a service time of the ticket ends soon.
    """
    named = {analysis.category, analysis.subcategory} & set(escalation.categories)
    holds = {
        "suspicious": bool(analysis.suspicious),
        "security": _is_security(analysis),
        BY_CATEGORY: bool(named),
        "critical": analysis.urgency is Urgency.CRITICAL,
        "high_risk": analysis.risk is Risk.HIGH,
        "negative_and_urgent": analysis.sentiment is Sentiment.NEGATIVE and analysis.urgent_tone,
        BY_CLOCK: due_soon,
    }
    wanted = {*escalation.on, BY_CATEGORY, BY_CLOCK}
    return tuple(reason for reason in REASONS if reason in wanted and holds[reason])


def plan_for(analysis: Analysis, reasons: tuple[str, ...], escalation: Escalation) -> str:
    """The plan for an escalated ticket, in one plain line; empty if the settings want none.

    For a suspicious text it only asks to read the ticket, since the text may have caused its labels.
    """
    if not reasons:
        return ""
    named = (analysis.subcategory or "", analysis.category, *reasons)
    plans = map({BY_CLOCK: _PLAN_BY_CLOCK, **escalation.plans}.get, ("suspicious",) if analysis.suspicious else named)
    words = {name: str(getattr(analysis, name)) for name in PLACEHOLDERS}
    return plain_line(next(filter(None, plans), "").format_map(words), _LONGEST_PLAN)


def _is_security(analysis: Analysis) -> bool:
    """True if words speak of a security incident, or the category does; a calm question about security is none."""
    named = any(known_name(name) == "security" for name in (analysis.category, analysis.subcategory) if name)
    return "security" in analysis.alarms or (named and analysis.urgency in (Urgency.CRITICAL, Urgency.HIGH))


class NoteWhen(StrEnum):
    """Which tickets get a note: each, those about which it adds something, or none."""

    ALWAYS = "always"
    WHEN_USEFUL = "when-useful"
    NEVER = "never"


_LINE, _SUMMARY, _EVIDENCE, _ENTITY, _CAUSE, _STEP = 500, 300, 60, 80, 200, 88
"""Maximum characters of a note's line, summary, piece of evidence, entity, cause and step."""
_LIKELY = 0.7
"""From this likelihood on the note says "yes"; up to 1 minus it, "no"."""
_ADVICE_FROM = 0.7
"""Confidence from which a model's advice is shown: with less, the advice may be about something else."""
_GUESS_BELOW = 0.68
"""Below this confidence a note calls the rules' answer a guess: three in four of their answers."""
_WHO = {"neighbours": "similar tickets", "classifier": "the local classifier", "rules": "keyword rules"}
_QUOTES = re.compile('["“”„‟«»″‶❝❞🙶🙷🙸〝〞〟＂]')
_END = re.compile(r"[^\w)\]]+$")
_NO_WORDS = re.compile(r"[\W_]+")


def adds_something(
    analysis: Analysis,
    suggestions: Sequence[str],
    *,
    escalated: Sequence[str] = (),
    unsure: bool = False,
    advised: bool = False,
) -> bool:
    """True if a note tells more than the subject, the text and the tags do.

    It does if something is suggested and not set, if a person should look at once, if an entity was found, or if the
    summary saves reading a long text. A model's doubt or second category counts; the rules' does not, since their
    second category is right in only four of ten cases. Advice that is shown (``advised``) counts if it names a cause or
    a step; a likelihood alone does not.
    """
    advice = advised and (analysis.root_cause or analysis.steps)
    look_at_it = analysis.suspicious or escalated or analysis.risk is Risk.HIGH
    doubt = analysis.source != "rules" and (unsure or analysis.secondary)
    return bool(suggestions or look_at_it or doubt or advice or any(analysis.entities.values()) or analysis.condenses)


def may_advise(analysis: Analysis, *, unsure: bool) -> bool:
    """True if a model's advice may be shown: the model is sure, and the text is not suspicious of having caused it."""
    return analysis.source == "model" and not analysis.suspicious and not unsure and analysis.confidence >= _ADVICE_FROM


def note_text(
    analysis: Analysis,
    suggestions: Sequence[str],
    *,
    escalated: Sequence[str] = (),
    plan: str = "",
    unsure: bool = False,
    advised: bool = False,
    urgent_words: bool = False,
) -> OutgoingText:
    """The note, in at most nine plain lines.

    ``escalated`` are reasons of :mod:`.escalation`, ``plan`` what to do; ``advised``: it shows a model's advice.
    ``urgent_words``: the line with the words that decided also has those that made the ticket urgent.
    """
    heads = [category_words(analysis), f"urgency {analysis.urgency}", f"sentiment {analysis.sentiment}"]
    if analysis.risk is not Risk.LOW:
        heads.append(f"risk {analysis.risk}" + (f" ({', '.join(analysis.alarms)})" if analysis.alarms else ""))
    heads += ["pressing tone"] if analysis.urgent_tone else []
    heads.append(f"language {analysis.language}")
    who, _, sure = answered_by(analysis).rpartition(", ")
    if analysis.source == "rules" and analysis.confidence < _GUESS_BELOW:
        who = who.replace(" (", ", ").removesuffix(")")
        lines = [f"Triage (a guess {who}): {', '.join(heads)}; {sure}."]
    else:
        lines = [f"Triage: {', '.join(heads)}; {who}, {sure}."]
    summary = quoted(analysis.summary, _SUMMARY)
    if summary:
        lines.append(f"Summary: {summary}")
    if analysis.secondary:
        lines.append(f"Also: {', '.join(analysis.secondary)}.")
    moving = {
        "Because of": analysis.evidence,
        "Urgent because of" if analysis.source == "rules" else "Urgent by keyword rules because of": (
            analysis.urgent_words if urgent_words and analysis.urgency in URGENT else ()
        ),
    }
    said = {name: [quote for item in words if (quote := quoted(item, _EVIDENCE))] for name, words in moving.items()}
    if sentences := [f"{name}: {', '.join(words)}." for name, words in said.items() if words]:
        lines.append(" ".join(sentences if len(" ".join(sentences)) <= _LINE else sentences[:1]))
    entities = {name: quoted(value, _ENTITY) for name, value in analysis.entities.items()}
    named = [f"{name}: {value}" for name, value in entities.items() if value]
    if named:
        lines.append("; ".join(named))
    if escalated:
        lines.append(f"Escalation: {', '.join(REASONS[reason] for reason in escalated)}. {plan}")
    if analysis.suspicious:
        kinds = ", ".join(kind.replace("_", " ") for kind in analysis.suspicious)
        lines.append(f"Careful: the text seems to give instructions to a program ({kinds}). Please check.")
    if suggestions:
        lines.append("Suggested, not set: " + "; ".join(suggestions) + ".")
    if unsure and not analysis.suspicious:
        lines.append("Unsure: please check.")
    if advised:
        lines += _advice(analysis)
    return ours("\n".join(plain_line(line, _LINE) for line in lines))


def _advice(analysis: Analysis) -> list[str]:
    cause = quoted(analysis.root_cause, _CAUSE)
    parts = [f"Likely cause (model): {cause}"] if cause else []
    if analysis.resolution_likelihood is not None:
        solved = analysis.resolution_likelihood
        said = "yes" if solved >= _LIKELY else "no" if solved <= 1 - _LIKELY else "unclear"
        parts.append(f"Likely solved by the first reply (model): {said}.")
    steps = [words for words in (quoted(step, _STEP) for step in analysis.steps) if words]
    tries = " ".join(f"{number}. {words}" for number, words in enumerate(steps, 1))
    return [line for line in (" ".join(parts), tries and f"To try (model): {tries}") if line]


def category_words(analysis: Analysis) -> str:
    """``billing``, or ``billing / double_charge``."""
    return analysis.category if analysis.subcategory is None else f"{analysis.category} / {analysis.subcategory}"


def answered_by(analysis: Analysis) -> OutgoingText:
    """The analyser, the reason if no model answered, and the confidence, in words."""
    who = leaving(analysis.model or "") if analysis.source == "model" else _WHO[analysis.source]
    because = f" ({analysis.why_fallback.replace('_', ' ')})" if analysis.why_fallback else ""
    return ours(f"by {who}{because}, confidence {analysis.confidence:.2f}")


def quoted(words: str, limit: int) -> str:
    """Other people's words as plain text, in quotation marks that they cannot close."""
    shown = _QUOTES.sub("'", plain_line(words, limit))
    plain = leaving_line(words if shown == words else shown, limit)
    # After "tel:" or "www." a helpdesk would take the closing mark for a part of a link.
    for shown in (plain, _END.sub("", plain), _NO_WORDS.sub(" ", plain).strip()):
        if plain_line(f"“{shown}”.", limit + 3) == f"“{shown}”.":
            return f"“{shown}”" if shown else ""
    return ""
