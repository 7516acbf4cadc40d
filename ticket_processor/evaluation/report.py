"""The figures of ``eval`` as tables, for a screen and a page: one HTML file with plots in it, which runs nothing."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

from ..core.tables import Table, as_html
from ..policy.decide import PARTS
from .data import FIELDS, SUBCATEGORY, ScoredField
from .measure import FieldResult, SourceResult, SubjectResult
from .scores import Threshold
from .solved import DoubtfulLabel

if TYPE_CHECKING:
    from jinja2 import Environment


def page(title: str, results: Sequence[SubjectResult], remarks: Iterable[str] = ()) -> str:
    """The report as HTML, without any word of a ticket."""
    parts = []
    for result in results:
        for source in result.sources:
            for item in source.fields:
                of = f"{result.name}, {source.source}"
                proposed = proposals(result.name, item)
                folded = [*details(item, of), *([] if proposed is None else [proposed])]
                parts.append((f"{item.field.capitalize()}, {of}", item.scores, folded))
    made = templates().get_template("eval.html")
    return made.render(title=title, remarks=list(remarks), overview=list(overview(results)), fields=parts) + "\n"


@cache
def templates(*folders: Path) -> Environment:
    """The templates of these folders and of this one, which escape what is put into them."""
    from jinja2 import Environment, FileSystemLoader, StrictUndefined
    from markupsafe import Markup

    loader = FileSystemLoader([*folders, Path(__file__).parent])
    made = Environment(loader=loader, autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True)
    made.filters["as_html"] = lambda found: Markup(as_html(found))  # noqa: S704 - it has escaped every text
    return made


_MOST_LANGUAGES = 12
MOST_DOUBTS = 20
_SETTINGS = {"category": ("policy.tags", "policy.group", "policy.fields"), "urgency": ("policy.priority",)}
"""The settings whose threshold follows from a field; the first is the field's own."""


def cells(*values: str | float) -> tuple[str, ...]:
    """A row of a table: words and counts as they are, shares with three decimals."""
    return tuple(f"{value:.3f}" if isinstance(value, float) else str(value) for value in values)


def doubts_table(found: Sequence[DoubtfulLabel]) -> Table:
    """The most doubtful labels."""
    rows = tuple(
        (one.ticket, one.label, f"{one.probability:.0%}", one.instead, f"{one.probability_instead:.0%}")
        for one in found[:MOST_DOUBTS]
    )
    title = f"labels that look wrong, by what the other tickets teach: {len(rows)} of {len(found)}"
    return Table(title, ("<ticket", "<label", "probability", "<instead", "probability"), rows)


def overview(results: Sequence[SubjectResult]) -> Iterator[Table]:
    """For each field all analysers on all sources, and what each ticket took."""
    for field in (*FIELDS, SUBCATEGORY):
        if rows := [row for result in results for row in _headlines(result, field)]:
            columns = ("<analyser", "<tickets from", "n", "accuracy", "macro-F1", "ECE")
            yield Table(field, columns, tuple(rows))
    yield Table(
        "each ticket",
        ("<analyser", "<tickets from", "median ms", "p95 ms", "tokens", "cost", "<answered by", "<fell back"),
        tuple((result.name, source.source, *_cost(source)) for result in results for source in result.sources),
    )


def _headlines(result: SubjectResult, field: ScoredField) -> Iterator[tuple[str, ...]]:
    for source in result.sources:
        if (item := source.of(field)) is not None:
            scores = item.scores
            figures = (scores.count, scores.accuracy, scores.macro_f1, "" if scores.ece is None else scores.ece)
            yield cells(result.name, source.source, *figures)


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


def details(item: FieldResult, of: str) -> Iterator[Table]:
    """One field by one analyser on one source, which ``of`` names."""
    scores, title = item.scores, f"{item.field}, {of}"
    if item.field != "language":
        rows = tuple(
            cells(label, one.precision, one.recall, one.f1, one.support, one.predicted, f"{one.coverage:.0%}")
            for label, one in scores.per_label.items()
        )
        columns = ("<label", "precision", "recall", "F1", "n", "answered", "coverage")
        yield Table(f"{title}: per label", columns, rows)
        yield Table(
            f"{title}: confusion (a row for each truth, a column for each answer)",
            ("<", *scores.per_label),
            tuple(
                (truth, *(str(row.get(label, 0) or "·") for label in scores.per_label))
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
            tuple(cells(f"{point.coverage:.0%}", point.precision, f"{point.threshold:.2f}") for point in item.curve()),
        )
    if len(item.by_language) > 1:
        shown = list(item.by_language.items())[:_MOST_LANGUAGES]
        by = tuple(cells(language, count, hits / count) for language, (count, hits) in shown)
        yield Table(f"{title}: by language", ("<language", "n", "accuracy"), by)


def proposals(name: str, item: FieldResult) -> Table | None:
    """From which confidence on a field, and each of its labels, may be applied; ``None`` where no setting takes it."""
    if item.thresholds is None or item.field not in _SETTINGS:
        return None

    def row(label: str, found: Threshold | None, answered: int) -> tuple[str, ...]:
        if found is None:
            return (label, "never", "-", "-", "-", "-", str(answered))
        proved = (f"{found.threshold:.2f}", found.precision, found.precision_at_least, f"{found.coverage:.0%}")
        return cells(label, *proved, found.rows, answered)

    per_label = item.scores.per_label
    rows = [row(f"all ({_SETTINGS[item.field][0]})", item.thresholds.all, item.scores.count)]
    rows += [row(label, found, per_label[label].predicted) for label, found in item.thresholds.labels.items()]
    return Table(
        f"{item.field}, {name}: apply from which confidence for a precision of {item.thresholds.precision:.0%}",
        ("<label", "apply from", "precision", "at least", "coverage", "n", "answered"),
        tuple(rows),
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
        if item.thresholds is None:
            continue
        found = item.thresholds.all
        for setting in _SETTINGS.get(item.field, ()):
            lines.append(f"[{setting}]")
            if found is None:
                lines.append(f'mode = "suggest"  # no confidence proves {item.thresholds.precision:.0%} of it right')
            else:
                lines.append(f"threshold = {found.threshold:.2f}")
    return lines
