"""What a fair model answers about the packaged tickets: mostly their labels, and now and then something else."""

from __future__ import annotations

import random
from collections.abc import Iterable

from ..analysis.rules.analyser import RulesAnalyser
from ..analysis.text.cleaning import clean
from ..analysis.text.redact import redact
from ..core.models import Analysis, Risk, Urgency
from ..core.taxonomy import Taxonomy, default_taxonomy
from .corpus import SeedTicket

WRONG_CATEGORIES, WRONG_URGENCIES = 0.10, 0.15
"""The shares of labels that are missed, as by a fair model on tickets that it has never seen."""
_SEED = 5
"""One with which the first tickets, in which the tour has people interfere, are understood."""
_URGENCIES = list(Urgency)


def fair_answers(tickets: Iterable[SeedTicket], taxonomy: Taxonomy) -> list[tuple[str, dict[str, object]]]:
    """Each ticket's text as a model sees it, with the answer by the names of its fields; the same every time.

    What labels do not say (summary, quotations) is taken from what keyword rules find.
    """
    rules = RulesAnalyser(taxonomy)
    answers = []
    for ticket in tickets:
        text = redact(clean(ticket.subject, ticket.text), names=(ticket.requester.name,))
        answers.append((text.text, _answer(ticket, rules.analyse(text))))
    return answers


def _answer(ticket: SeedTicket, found: Analysis) -> dict[str, object]:
    dice = random.Random(f"{ticket.id} {_SEED}")
    labels = ticket.labels
    category, urgency = labels.category, labels.urgency or Urgency.MEDIUM
    is_wrong = dice.random() < WRONG_CATEGORIES
    if is_wrong:
        category = dice.choice([name for name in default_taxonomy().top if name != labels.category])
    if dice.random() < WRONG_URGENCIES:
        at = _URGENCIES.index(urgency)
        urgency = dice.choice(_URGENCIES[max(0, at - 1) : at] + _URGENCIES[at + 1 : at + 2])
    presses = urgency in (Urgency.CRITICAL, Urgency.HIGH)
    grave = urgency is Urgency.CRITICAL or (presses and category == "security")
    return {
        "summary": _said(found.summary),
        "evidence": list(found.evidence),
        "category": category,
        "secondary": [labels.category] if is_wrong else [],
        "urgency": urgency,
        "urgent_tone": presses and found.urgent_tone,
        "sentiment": labels.sentiment,
        "risk": Risk.HIGH if grave else Risk.MEDIUM if presses else Risk.LOW,
        "language": labels.language,
        "confidence": round(dice.uniform(0.5, 0.8) if is_wrong else dice.uniform(0.75, 0.97), 2),
    }


def _said(summary: str) -> str:
    """What a model says in a sentence or two: the first part of the rules' summary, without the subject."""
    first = summary.partition(" / ")[0]
    return first.partition(" – ")[2] or first
