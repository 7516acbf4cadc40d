"""Zendesk's intelligent triage as an analyser, so that it is scored beside ours. Pure.

It writes its answers into drop-downs, whose values are tags too: ``intent__billing__refund``,
``intent_confidence__high``. Only an intent has a truth on solved tickets. Freshdesk's Freddy is not compared: no field
of its own is known to us.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence

from ..core.models import Analysis, Sentiment, Ticket, Urgency
from ..core.taxonomy import Taxonomy
from .data import Example, Remark
from .measure import Subject

TRIAGE = "intelligent triage"
_INTENT = "intent__"
_LEVELS = {"intent_confidence__high": 0.9, "intent_confidence__medium": 0.6, "intent_confidence__low": 0.3}
"""Only their order counts."""


def intelligent_triage(
    examples: Sequence[Example], tags: Sequence[Sequence[str]], taxonomy: Taxonomy, remark: Remark
) -> Subject | None:
    """What intelligent triage said of these tickets; ``None`` where none with a category carries an intent.

    ``tags`` are each ticket's. An intent means the category that most other tickets with it have, or with its parent.
    """
    found = [_intent(each) for each in tags]
    chosen = [Counter([one.category] if one.category in taxonomy.names else []) for one in examples]
    counts: dict[str, Counter[str]] = defaultdict(Counter)
    for intent, category in zip(found, chosen, strict=True):
        for name in _upwards(intent):
            counts[name] += category
    if not any(counts.values()):
        return None

    def analyse(ticket: Ticket) -> Analysis:
        row = ticket.id - 1
        others = (counts[name] - chosen[row] for name in _upwards(found[row]))
        meant = next((max(sorted(each), key=each.__getitem__) for each in others if each), None)
        category, subcategory = taxonomy.split(meant or taxonomy.fallback)
        return Analysis(
            category=category,
            subcategory=subcategory,
            urgency=Urgency.MEDIUM,
            sentiment=Sentiment.NEUTRAL,
            language="und",
            summary="",
            confidence=max((_LEVELS.get(tag, 0.0) for tag in tags[row]), default=0.0) if meant else 0.0,
            source="model",
            model=TRIAGE,
        )

    remark(
        f"{TRIAGE}: Zendesk's own, on {sum(map(bool, found))} of these {len(found)} tickets; an intent means what "
        "people chose on most other tickets with it. Agents may have corrected it, and Zendesk may have renewed it "
        "with later messages: both flatter it"
    )
    return Subject(TRIAGE, analyse)


def _intent(tags: Sequence[str]) -> str:
    """The intent without its prefix; empty without one clear intent."""
    intents = [tag.removeprefix(_INTENT) for tag in tags if tag.startswith(_INTENT)]
    return intents[0] if len(intents) == 1 else ""


def _upwards(intent: str) -> Iterator[str]:
    """The intent, and those above it."""
    while intent:
        yield intent
        intent = intent.rpartition("__")[0]
