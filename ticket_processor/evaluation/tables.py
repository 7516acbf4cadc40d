"""The figures of ``eval`` as tables, for a screen and a page."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence

from ..core.tables import Table
from ..core.taxonomy import Taxonomy
from ..policy.decide import PARTS
from .data import FIELDS, Labelled
from .doubtful_labels import DoubtfulLabel, doubtful_labels
from .labels import SUBCATEGORY, ScoredField
from .measure import FieldResult, SourceResult, SubjectResult
from .scores import Scores, Threshold

_MOST_LANGUAGES = 12
MOST_DOUBTS = 20
SETTING = {"category": "policy.tags", "urgency": "policy.priority"}
"""The setting of each field's threshold."""
_AS_GOOD = {"category": ("policy.group", "policy.fields")}
"""Settings of what follows from a field."""


def cells(*values: str | float) -> tuple[str, ...]:
    """A row of a table: words and counts as they are, shares with three decimals."""
    return tuple(f"{value:.3f}" if isinstance(value, float) else str(value) for value in values)


def doubtful(source: Labelled, taxonomy: Taxonomy, remark: Callable[[str], object]) -> list[DoubtfulLabel]:
    """The labels of a source that look wrong; none, and a remark, without scikit-learn."""
    try:
        return doubtful_labels(source.examples, taxonomy)
    except ImportError:
        remark("labels that look wrong are listed only with the extra ml")
        return []


def doubts_table(found: Sequence[DoubtfulLabel]) -> Iterator[Table]:
    """The most doubtful labels, if there are any."""
    rows = tuple(
        (one.ticket, one.label, f"{one.probability:.0%}", one.instead, f"{one.probability_instead:.0%}")
        for one in found[:MOST_DOUBTS]
    )
    if rows:
        title = f"labels that look wrong, by what the other tickets teach: {len(rows)} of {len(found)}"
        yield Table(title, ("<ticket", "<label", "probability", "<instead", "probability"), rows)


def overview(results: Sequence[SubjectResult]) -> Iterator[Table]:
    """For each field all analysers on all sources, and what each ticket took."""
    for field in (*FIELDS, SUBCATEGORY):
        if (found := field_table(results, field)) is not None:
            yield found
    yield costs(results)


def field_table(results: Sequence[SubjectResult], field: ScoredField) -> Table | None:
    """One field by all analysers on all sources; ``None`` where no source has it."""
    several = any(len(result.sources) > 1 for result in results)
    rows: list[tuple[str, ...]] = []
    for result in results:
        found = [(source.source, item) for source in result.sources if (item := source.of(field))]
        rows += [(result.name, source, *_headline(item)) for source, item in found]
        mean = result.mean(field)
        if several and mean and mean[0] > 1:
            rows.append(cells(result.name, f"mean of {mean[0]}", "", *mean[1:], "", "", ""))
    columns = ("<analyser", "<tickets from", "n", "accuracy", "macro-F1", "largest alone", "ECE", "<said most")
    return Table(field, columns, tuple(rows)) if rows else None


def costs(results: Sequence[SubjectResult]) -> Table:
    """What a ticket took, and who answered."""
    return Table(
        "each ticket",
        ("<analyser", "<tickets from", "median ms", "p95 ms", "tokens", "cost", "<answered by", "<fell back"),
        tuple((result.name, source.source, *_cost(source)) for result in results for source in result.sources),
    )


def labels(scores: Scores, title: str = "per label") -> Table:
    """A row for each label."""
    rows = tuple(
        cells(label, one.precision, one.recall, one.f1, one.support, one.predicted, f"{one.coverage:.0%}")
        for label, one in scores.per_label.items()
    )
    return Table(title, ("<label", "precision", "recall", "F1", "n", "answered", "coverage"), rows)


def languages(item: FieldResult, title: str = "by language") -> Table | None:
    """How often a field was right in each language; ``None`` where there is one only."""
    if len(item.by_language) < 2:
        return None
    rows = tuple(
        cells(language, count, hits / count)
        for language, (count, hits) in list(item.by_language.items())[:_MOST_LANGUAGES]
    )
    return Table(title, ("<language", "n", "accuracy"), rows)


def details(result: SubjectResult, source: SourceResult) -> Iterator[Table]:
    """One analyser on one source, field by field."""
    for item in source.fields:
        title = f"{item.field}, {result.name}, {source.source}"
        scores = item.scores
        if item.field != "language":
            yield labels(scores, f"{title}: per label")
            answers = list(scores.per_label)
            yield Table(
                f"{title}: confusion (a row for each truth, a column for each answer)",
                ("<", *answers),
                tuple(
                    (truth, *(str(row.get(label, 0) or "·") for label in answers))
                    for truth, row in scores.confusion.items()
                ),
            )
        if item.thresholds is not None:
            yield Table(
                f"{title}: calibration",
                ("<confidence", "n", "mean", "right"),
                tuple(
                    cells(f"{part.lower:.1f}-{part.upper:.1f}", part.count, part.confidence, part.accuracy)
                    for part in scores.reliability
                    if part.count
                ),
            )
            yield Table(
                f"{title}: abstention (only the surest are answered)",
                ("coverage", "precision", "from confidence"),
                tuple(
                    cells(f"{point.coverage:.0%}", point.precision, f"{point.threshold:.2f}") for point in item.curve()
                ),
            )
        if (by := languages(item, f"{title}: by language")) is not None:
            yield by


def proposals(name: str, item: FieldResult) -> Table | None:
    """From which confidence on a field, and each of its labels, may be applied; ``None`` where no setting takes it."""
    if item.thresholds is None or item.field not in SETTING:
        return None
    wanted = item.thresholds.precision
    found = [(f"all ({SETTING[item.field]})", item.thresholds.all, item.scores.count)]
    found += [
        (label, threshold, item.scores.per_label[label].predicted)
        for label, threshold in item.thresholds.per_label.items()
    ]
    return Table(
        f"{item.field}, {name}: apply from which confidence for a precision of {wanted:.0%}",
        ("<label", "apply from", "precision", "at least", "coverage", "n", "answered"),
        tuple((label, *_proposal(threshold), str(answered)) for label, threshold, answered in found),
    )


def policy_lines(source: SourceResult) -> list[str]:
    """The proposals as lines for ``ticketbot.toml``: proved fields may be applied, the others only suggested.

    A category's group and fields are as good as the category; those of keyword rules alone need a proof.
    """
    lines = []
    category = source.of("category")
    if category is not None and category.thresholds is not None and set(source.answered_by) == {"rules"}:
        proved = PARTS if category.thresholds.all else ("tags", "priority")
        lines += ["[policy]", f"rules_may_set = {list(proved)}".replace("'", '"')]
    for item in source.fields:
        if item.thresholds is None or item.field not in SETTING:
            continue
        found = item.thresholds.all
        for setting in (SETTING[item.field], *_AS_GOOD.get(item.field, ())):
            lines.append(f"[{setting}]")
            if found is None:
                lines.append(f'mode = "suggest"  # no confidence proves {item.thresholds.precision:.0%} of it right')
            else:
                lines.append(f"threshold = {found.threshold:.2f}")
    return lines


def _headline(item: FieldResult) -> tuple[str, ...]:
    scores = item.scores
    label, most = max(scores.per_label.items(), key=lambda pair: pair[1].predicted)
    figures = (scores.count, scores.accuracy, scores.macro_f1, scores.majority_macro_f1)
    return cells(*figures, "" if scores.ece is None else scores.ece, f"{label} {most.coverage:.0%}")


def _cost(source: SourceResult) -> tuple[str, ...]:
    tokens = source.usage.input + source.usage.output
    return (
        f"{source.ms_p50:.1f}",
        f"{source.ms_p95:.1f}",
        f"{tokens / source.rows:.0f}" if tokens else "-",
        "-" if source.cost_usd is None else f"${source.cost_usd / source.rows:.6f}",
        _counts(source.answered_by),
        _counts(source.fallbacks) or "-",
    )


def _counts(counts: Mapping[str, int]) -> str:
    return ", ".join(f"{name} {count}" for name, count in counts.items())


def _proposal(found: Threshold | None) -> tuple[str, ...]:
    if found is None:
        return ("never", "-", "-", "-", "-")
    coverage = f"{found.coverage:.0%}"
    return cells(f"{found.threshold:.2f}", found.precision, found.precision_at_least, coverage, found.rows)
