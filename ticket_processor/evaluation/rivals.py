"""Sets the helpdesk's own triage beside analysers, on the category that people chose. Pure.

Zendesk's intelligent triage writes intent, sentiment and language into drop-downs, whose values are tags too:
``intent__billing__refund``, ``intent_confidence__high``. Only an intent has a truth on solved tickets. Freshdesk's
Freddy is not compared: no field of its own is known to us.
"""

from __future__ import annotations

import tomllib
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ..core.errors import ConfigError
from ..core.taxonomy import Taxonomy
from .data import Example
from .runner import TimedAnalysis
from .scores import abstention_curve, at_coverage, score

TRIAGE = "Zendesk intelligent triage"
_PARTS = "__"
_INTENT = "intent__"
_LEVELS = {"intent_confidence__high": 0.9, "intent_confidence__medium": 0.6, "intent_confidence__low": 0.3}
"""Only their order counts."""

COLUMNS = (
    "<analyser",
    "n",
    "accuracy",
    "macro-F1",
    "coverage",
    "right of these",
    "right of surest half",
    "$ per 1,000",
)


@dataclass(frozen=True)
class Triaged:
    """What intelligent triage says of a ticket: its intent without the prefix, and how sure it is."""

    intent: str
    confidence: float


def triaged(tags: Sequence[str]) -> Triaged | None:
    """What a ticket's tags hold of intelligent triage; ``None`` without one clear intent."""
    intents = [tag.removeprefix(_INTENT) for tag in tags if tag.startswith(_INTENT)]
    if len(intents) != 1:
        return None
    return Triaged(intents[0], max((_LEVELS.get(tag, 0.0) for tag in tags), default=0.0))


class IntentMap:
    """From intents to categories of the taxonomy's first level; an intent without an entry takes its parent's."""

    def __init__(self, categories: Mapping[str, str]) -> None:
        self._categories = dict(categories)

    @classmethod
    def read(cls, path: Path, taxonomy: Taxonomy) -> IntentMap:
        """The user's: a TOML file of lines such as ``billing__refund = "refund"``. Raises :class:`ConfigError`."""
        try:
            given = tomllib.loads(path.read_text(encoding="utf-8"))
        except OSError as error:
            raise ConfigError(f"--intents: {path} cannot be read: {error.strerror}") from None
        except ValueError as error:
            raise ConfigError(f"--intents: {path} is no TOML file: {error}") from None
        wrong = [name for name, category in given.items() if category not in taxonomy.names]
        if wrong or not given:
            raise ConfigError(f"--intents: {path}: " + (f"{wrong[0]} names no category" if wrong else "no intent"))
        return cls({name.removeprefix(_INTENT): taxonomy.split(category)[0] for name, category in given.items()})

    @classmethod
    def learnt(cls, pairs: Sequence[tuple[str, str]]) -> IntentMap:
        """For each intent, and each parent of one, the category that most tickets with it have."""
        counts: dict[str, Counter[str]] = defaultdict(Counter)
        for intent, category in pairs:
            for name in _upwards(intent):
                counts[name][category] += 1
        return cls({name: max(sorted(found), key=found.__getitem__) for name, found in counts.items()})

    def category(self, intent: str) -> str | None:
        """An intent's category, if it or a parent has one."""
        return next((self._categories[name] for name in _upwards(intent) if name in self._categories), None)


def _upwards(intent: str) -> Iterator[str]:
    parts = intent.split(_PARTS)
    for end in range(len(parts), 0, -1):
        yield _PARTS.join(parts[:end])


@dataclass(frozen=True)
class RivalRow:
    """One analyser: ``coverage`` is the share of tickets put into a category that is not the catch-all.

    ``precision`` is the share of these that are right, ``surest_half`` that of the answers it is surest of, at least
    half of all. ``price`` is in dollars for 1,000 tickets; ``None``: not known.
    """

    name: str
    count: int
    accuracy: float
    macro_f1: float
    coverage: float
    precision: float | None
    surest_half: float
    price: float | None

    def cells(self) -> tuple[str, ...]:
        """As :data:`COLUMNS` name them."""
        return (
            self.name,
            str(self.count),
            f"{self.accuracy:.3f}",
            f"{self.macro_f1:.3f}",
            f"{self.coverage:.0%}",
            "-" if self.precision is None else f"{self.precision:.3f}",
            f"{self.surest_half:.3f}",
            "-" if self.price is None else f"{self.price:.2f}",
        )


@dataclass(frozen=True)
class BakeOff:
    """Analysers and the helpdesk's own triage on the same tickets, and sentences on how they were compared."""

    rows: tuple[RivalRow, ...] = ()
    remarks: tuple[str, ...] = ()

    def as_data(self) -> dict[str, Any]:
        """Plain data for ``--json``."""
        return {"rows": [vars(row) for row in self.rows], "remarks": list(self.remarks)}


def bake_off(
    examples: Sequence[Example],
    tags: Sequence[Sequence[str]],
    answers: Mapping[str, Sequence[TimedAnalysis]],
    taxonomy: Taxonomy,
    *,
    intents: IntentMap | None = None,
    price: float | None = None,
) -> BakeOff:
    """Everybody on the same tickets. ``tags`` and each analyser's ``answers`` are in the order of ``examples``.

    Without ``intents`` they are learnt from the older half of the tickets, and all are scored on the newer half.
    ``price`` is intelligent triage's, for 1,000 tickets.
    """
    catch_all = taxonomy.fallback
    truth = {row: taxonomy.split(one.category)[0] for row, one in enumerate(examples) if one.category is not None}
    theirs = {row: found for row in truth if (found := triaged(tags[row]))}
    scored = list(truth)
    remarks = []
    if not theirs:
        remarks.append(f"No ticket with a category carries an intent of {TRIAGE}, so it is not compared.")
    elif intents is None:
        by_age = sorted(truth, key=lambda row: int(examples[row].id))
        older, scored = by_age[: len(by_age) // 2], by_age[len(by_age) // 2 :]
        intents = IntentMap.learnt([(theirs[row].intent, truth[row]) for row in older if row in theirs])
        remarks.append(
            f"What intents mean was learnt from the older {len(older)} tickets; all are compared on the newer "
            f"{len(scored)}. --intents takes a file of yours instead."
        )
    if not scored:
        return BakeOff((), ("No ticket has a category to compare.",))
    gold = [truth[row] for row in scored]
    rows = []
    for name, given in answers.items():
        analyses = [given[row].analysis for row in scored]
        costs = [item.cost_usd for item in analyses if item.cost_usd is not None]
        free = not any(item.attempts for item in analyses)
        cost = 1000 * sum(costs) / len(scored) if costs else 0.0 if free else None
        said = [(item.category, item.confidence) for item in analyses]
        rows.append(_row(name, gold, said, catch_all, cost))
    if theirs and intents is not None:
        said = [_said(theirs.get(row), intents, catch_all) for row in scored]
        rows.insert(0, _row(TRIAGE, gold, said, catch_all, price))
        remarks.append(
            f"{TRIAGE} has an intent on {sum(row in theirs for row in scored)} of these {len(scored)} tickets. Agents "
            "may have corrected it, and Zendesk may have renewed it with later messages: both flatter it."
        )
    return BakeOff(tuple(rows), tuple(remarks))


def _said(found: Triaged | None, intents: IntentMap, catch_all: str) -> tuple[str, float]:
    category = found and intents.category(found.intent)
    return (category, found.confidence) if found and category else (catch_all, 0.0)


def _row(
    name: str, gold: Sequence[str], said: Sequence[tuple[str, float]], catch_all: str, price: float | None
) -> RivalRow:
    scores = score(gold, [category for category, _ in said])
    answered = [truth == category for truth, (category, _) in zip(gold, said, strict=True) if category != catch_all]
    right = [truth == category for truth, (category, _) in zip(gold, said, strict=True)]
    curve = abstention_curve(right, [confidence for _, confidence in said])
    return RivalRow(
        name=name,
        count=len(gold),
        accuracy=scores.accuracy,
        macro_f1=scores.macro_f1,
        coverage=len(answered) / len(gold),
        precision=sum(answered) / len(answered) if answered else None,
        surest_half=at_coverage(curve, 0.5).precision,
        price=price,
    )
