"""Alarms in a ticket of any category: incidents, legal threats, danger, a customer about to leave.

By phrases that speak for themselves, sentence by sentence. A sentence that says there is none, that it is over, planned
or a question about what is offered raises no alarm. The phrases are in ``words/alarms.toml`` and
``words/stakes.toml``. Pure functions, safe in any thread.
"""

from __future__ import annotations

import re
from functools import cache

from ...core.models import Frozen, Risk
from .lexicon import lists
from .phrases import PhraseMatcher, entries_of, words_of

MAX_SCANNED = 6_000
"""Characters looked at."""

_SENTENCE_END = re.compile(r"(?:[.!?;…](?=\s|$)|[。！？\n])+")
_SHOUTING = re.compile(r"!{3,}|\b[A-Z]{4,}(?:\W+[A-Z]{2,}){2,}")
_NEGATION_REACH = 2
_NO_NEGATIONS = {"prevent", "avoid"}
ALARMS = ("security", "safety", "legal", "outage", "churn")


class Stakes(Frozen):
    """Which kinds of alarm the words of a text raise, and whether they press for haste.

    ``calm``: some sentence says that there is nothing, that it is over, planned or a question about what is offered.
    """

    security: bool = False
    outage: bool = False
    legal: bool = False
    safety: bool = False
    churn: bool = False
    haste: bool = False
    calm: bool = False

    @property
    def alarms(self) -> tuple[str, ...]:
        """The kinds of alarm by name."""
        return tuple(kind for kind in ALARMS if getattr(self, kind))

    @property
    def incident(self) -> bool:
        """Whether something is happening that must not wait: a security incident, an outage, a danger."""
        return self.security or self.outage or self.safety

    @property
    def risk(self) -> Risk:
        """The risk of leaving the ticket alone."""
        if self.security or self.legal or self.safety:
            return Risk.HIGH
        return Risk.MEDIUM if self.outage or self.churn else Risk.LOW


@cache
def _negations() -> frozenset[str]:
    return frozenset(entry for entry in entries_of(lists("urgency")["none_of"]) if " " not in entry) - _NO_NEGATIONS


@cache
def _matcher(language: str) -> PhraseMatcher[str]:
    phrases: dict[str, dict[str, str]] = {**lists("alarms"), **lists("stakes")}
    known = phrases["security"]
    return PhraseMatcher(
        (entry, kind)
        for kind, words in phrases.items()
        for name in (sorted({language, "en"}) if language in known else sorted(known))
        for entry in entries_of(words[name])
        # "brand" burns in German only.
        if language in known or name == "en" or " " in entry or not entry.isascii()
    )


def stakes_of(text: str, language: str) -> Stakes:
    """The alarms of ``text``, whose language has the ISO 639-1 code ``language`` (``"und"``: try all known)."""
    text = text[:MAX_SCANNED]
    matcher = _matcher(language)
    found: set[str] = set()
    for sentence in _SENTENCE_END.split(text):
        words = words_of(sentence)
        kinds: set[str] = set()
        for hit in matcher.find(words, sentence):
            before = words[max(0, hit.start - _NEGATION_REACH) : hit.start]
            if hit.value == "defused" or _negations().isdisjoint(before):
                kinds.add(hit.value)
        if "defused" in kinds:
            kinds = kinds - {"security", "outage", "safety", "defused"} | {"calm"}
        found |= kinds
    if _SHOUTING.search(text):
        found.add("haste")
    return Stakes(**dict.fromkeys(found, True))
