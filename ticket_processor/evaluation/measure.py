"""Puts labelled tickets to analysers, and makes figures of the answers: per analyser, source of tickets and field.

The figures hold none of the tickets' words. Zendesk's intelligent triage is an analyser as well: it writes its answers
into drop-downs, whose values are tags too: ``intent__billing__refund``, ``intent_confidence__high``. Only an intent has
a truth on solved tickets. Freshdesk's Freddy is not compared: no field of its own is known to us.
"""

from __future__ import annotations

import json
import time
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor, wait
from dataclasses import asdict, dataclass
from typing import Any, NamedTuple

from ..analysis.text.language import detect_language
from ..core.clock import Clock
from ..core.models import Analysis, Sentiment, Ticket, Urgency, Usage
from ..core.reasons import NO_MODEL
from ..core.taxonomy import Taxonomy
from .data import FIELDS, SUBCATEGORY, Example, Labelled, Pairs, Remark, ScoredField, pairs
from .scores import CurvePoint, Scores, Threshold, percentile, score, threshold_for

AnalyseTicket = Callable[[Ticket], Analysis]
"""A ticket in, an analysis out: a whole chain, or one part of it. Never fails for want of a model."""
_WAIT_S = 0.5
_ANY_TIME = "2000-01-01T00:00:00Z"


@dataclass(frozen=True)
class Subject:
    """An analyser to measure: its name in the report, and its highest number of tickets in parallel."""

    name: str
    analyse: AnalyseTicket
    workers: int = 1


class TimedAnalysis(NamedTuple):
    """One ticket's analysis, and the time it took."""

    analysis: Analysis
    ms: float


def answer_all(
    subject: Subject,
    examples: Sequence[Example],
    clock: Clock,
    advance: Callable[[int], object] = lambda _count: None,
) -> tuple[TimedAnalysis, ...]:
    """The answers, in the order of ``examples``, whose tickets are numbered from 1.

    ``advance`` is called in the calling thread. Raises ``Stopping`` when a signal came, and whatever ``subject``
    raises.
    """

    def timed(number: int, one: Example) -> TimedAnalysis:
        words = {"subject": one.subject, "description": one.body, "names": one.names}
        ticket = Ticket(id=number, created_at=_ANY_TIME, updated_at=_ANY_TIME, **words)
        started = time.perf_counter()
        analysis = subject.analyse(ticket)
        return TimedAnalysis(analysis, 1000 * (time.perf_counter() - started))

    executor = ThreadPoolExecutor(subject.workers, thread_name_prefix="evaluate")
    try:
        futures = [executor.submit(timed, number, one) for number, one in enumerate(examples, 1)]
        open_ones = set(futures)
        while open_ones:
            clock.check()
            done, open_ones = wait(open_ones, timeout=_WAIT_S)
            for future in done:
                future.result()
            advance(len(done))
        return tuple(future.result() for future in futures)
    finally:
        executor.shutdown(wait=False, cancel_futures=True)


@dataclass(frozen=True)
class Thresholds:
    """From which confidence on to trust a field so that ``precision`` of it is right; ``None``: from none."""

    precision: float
    all: Threshold | None
    labels: Mapping[str, Threshold | None]


@dataclass(frozen=True)
class FieldResult:
    """One field. ``by_language`` maps a language to how many tickets it has, and how many of them are right.

    A ticket without a labelled language counts under the one that its text is found to be in.
    """

    field: ScoredField
    scores: Scores
    thresholds: Thresholds | None
    by_language: Mapping[str, tuple[int, int]]
    pairs: Pairs
    confidence: tuple[float, ...]

    def curve(self) -> tuple[CurvePoint, ...]:
        """Precision at about even steps of coverage; equal confidences make fewer steps, and each stands once."""
        steps = (step / 10 for step in range(1, 11) if self.thresholds)
        curve = self.scores.abstention
        return tuple(dict.fromkeys(next(point for point in curve if point.coverage >= step) for step in steps))


@dataclass(frozen=True)
class SourceResult:
    """One analyser on one source of tickets. ``cost_usd`` is ``None`` where no price is known."""

    source: str
    rows: int
    fields: tuple[FieldResult, ...]
    ms_p50: float
    ms_p95: float
    usage: Usage
    cost_usd: float | None
    answered_by: Mapping[str, int]
    fallbacks: Mapping[str, int]

    def of(self, name: ScoredField) -> FieldResult | None:
        """The result for a field, if the tickets are labelled with it."""
        return next((item for item in self.fields if item.field == name), None)


@dataclass(frozen=True)
class SubjectResult:
    """One analyser on everything."""

    name: str
    sources: tuple[SourceResult, ...]


def measure(
    labelled: Labelled,
    answers: Sequence[TimedAnalysis],
    taxonomy: Taxonomy,
    *,
    precision: float,
    remark: Remark = lambda _sentence: None,
) -> SourceResult:
    """The figures of one analyser on one source; ``answers`` in the order of its examples."""
    analyses = [answer.analysis for answer in answers]
    languages = [one.language or detect_language(f"{one.subject}\n{one.body}") for one in labelled.examples]
    fields = []
    for name in (*FIELDS, SUBCATEGORY):
        found = pairs(name, labelled.examples, analyses, taxonomy)
        if found.unknown:
            remark(found.unknown_told(labelled.name))
        if found.rows:
            fields.append(_field(name, found, languages, analyses, precision))
    times = [answer.ms for answer in answers]
    costs = [item.cost_usd for item in analyses if item.cost_usd is not None]
    # To answer without a model where there is none is no falling back.
    fallbacks = Counter(str(item.why_fallback) for item in analyses if item.why_fallback not in (None, NO_MODEL))
    return SourceResult(
        source=labelled.name,
        rows=len(answers),
        fields=tuple(fields),
        ms_p50=percentile(times, 0.5),
        ms_p95=percentile(times, 0.95),
        usage=sum((item.usage for item in analyses), Usage()),
        cost_usd=sum(costs) if costs else None,
        answered_by=dict(Counter(item.model or item.source for item in analyses).most_common()),
        fallbacks=dict(fallbacks.most_common()),
    )


def _field(
    name: ScoredField, found: Pairs, languages: Sequence[str], analyses: Sequence[Analysis], precision: float
) -> FieldResult:
    # An analysis has one confidence, and policy asks it about every field; only a language is never asked about.
    asked = name != "language"
    confidence = tuple(analyses[row].confidence for row in found.rows)
    right = [truth == answer for truth, answer in zip(found.gold, found.predicted, strict=True)]
    seen = Counter(languages[row] for row in found.rows)
    hits = Counter(languages[row] for row, hit in zip(found.rows, right, strict=True) if hit)
    labels: dict[str, Threshold | None] = {}
    for label in sorted(set(found.predicted)) if asked else ():
        rows = [at for at, said in enumerate(found.predicted) if said == label]
        labels[label] = threshold_for(precision, [right[at] for at in rows], [confidence[at] for at in rows])
    ranked = sorted(seen.items(), key=lambda item: (-item[1], item[0]))
    return FieldResult(
        field=name,
        scores=score(found.gold, found.predicted, confidence if asked else None),
        thresholds=Thresholds(precision, threshold_for(precision, right, confidence), labels) if asked else None,
        by_language={language: (count, hits[language]) for language, count in ranked},
        pairs=found,
        confidence=confidence,
    )


def as_data(results: Sequence[SubjectResult]) -> list[dict[str, Any]]:
    """Everything as plain data for ``--json``; all but costs to six digits."""
    return [
        {
            "analyser": result.name,
            "sources": [
                {
                    "source": source.source,
                    "rows": source.rows,
                    "ms": _rounded({"p50": source.ms_p50, "p95": source.ms_p95}),
                    "tokens": source.usage.model_dump(),
                    "cost_usd": source.cost_usd,
                    "cost_usd_per_ticket": None if source.cost_usd is None else source.cost_usd / source.rows,
                    "answered_by": dict(source.answered_by),
                    "fallbacks": dict(source.fallbacks),
                    "fields": {str(item.field): _rounded(_field_data(item)) for item in source.fields},
                }
                for source in result.sources
            ],
        }
        for result in results
    ]


def _field_data(item: FieldResult) -> dict[str, Any]:
    scores, thresholds = item.scores, item.thresholds
    data: dict[str, Any] = {
        "rows": scores.count,
        "accuracy": scores.accuracy,
        "macro_f1": scores.macro_f1,
        "labels": {label: asdict(one) for label, one in scores.per_label.items()},
        "confusion": scores.confusion,
        "by_language": {
            language: {"rows": count, "accuracy": hits / count} for language, (count, hits) in item.by_language.items()
        },
        "not_scored": item.pairs.unknown,
    }
    if thresholds is not None:
        data |= {
            "ece": scores.ece,
            "reliability": [
                {"from": b.lower, "to": b.upper, "rows": b.count, "confidence": b.confidence, "accuracy": b.accuracy}
                for b in scores.reliability
            ],
            "abstention": [asdict(point) for point in item.curve()],
            "thresholds": asdict(thresholds),
        }
    return data


def _rounded(data: Mapping[str, Any]) -> Any:
    return json.loads(json.dumps(data), parse_float=lambda number: round(float(number), 6))


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
