"""The report: one HTML file with plots in it, which needs nothing else and runs nothing."""

from __future__ import annotations

import importlib.util
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

from ..analysis.text.cleaning import clean
from ..analysis.text.redact import redact
from ..core.errors import ConfigError, how_to_install
from .data import FIELDS, Labelled
from .labels import SUBCATEGORY, ScoredField
from .measure import (
    SECOND_COLUMNS,
    SECOND_TITLE,
    FieldResult,
    SourceResult,
    SubjectResult,
    advice_of,
    label_rows,
    second_rows,
)
from .runner import TimedAnalysis
from .scores import Scores, Threshold

if TYPE_CHECKING:
    from jinja2 import Environment

MOST_ERRORS = 200
"""Misclassified tickets shown of one field by one analyser on one source."""

_LONGEST_TEXT = 400


@dataclass(frozen=True)
class Miss:
    """One wrong answer. ``text`` has been redacted."""

    id: str
    truth: str
    answer: str
    confidence: float
    text: str


Misses = Mapping[tuple[str, str, ScoredField], Sequence[Miss]]
"""By analyser, source and field."""


def require_plots() -> None:
    """Raises :class:`ConfigError` when the extra ``report`` is not installed."""
    if importlib.util.find_spec("matplotlib") is None:
        raise ConfigError(f"a report with plots needs matplotlib: {how_to_install('report')}")


def misses(
    results: Sequence[SubjectResult],
    sources: Sequence[Labelled],
    answers: Mapping[tuple[str, str], Sequence[TimedAnalysis]],
) -> dict[tuple[str, str, ScoredField], list[Miss]]:
    """The wrong answers, surest first, at most :data:`MOST_ERRORS` a field, with the tickets' redacted words."""
    by_name = {labelled.name: labelled for labelled in sources}
    found: dict[tuple[str, str, ScoredField], list[Miss]] = {}
    for result in results:
        for source in result.sources:
            examples = by_name[source.source].examples
            given = answers[result.name, source.source]
            for item in source.fields:
                pairs = zip(item.pairs.rows, item.pairs.gold, item.pairs.predicted, strict=True)
                wrong = [(row, truth, answer) for row, truth, answer in pairs if truth != answer]
                wrong.sort(key=lambda miss: -given[miss[0]].analysis.confidence)
                found[result.name, source.source, item.field] = [
                    Miss(
                        id=examples[row].id,
                        truth=truth,
                        answer=answer,
                        confidence=given[row].analysis.confidence,
                        text=shown_text(examples[row].subject, examples[row].body, examples[row].names),
                    )
                    for row, truth, answer in wrong[:MOST_ERRORS]
                ]
    return found


def shown_text(subject: str, body: str, names: tuple[str, ...] = ()) -> str:
    """A ticket's beginning, cleaned and redacted, for a list of errors."""
    text = redact(clean(subject, body), names=names).text.strip()
    return text if len(text) <= _LONGEST_TEXT else text[:_LONGEST_TEXT].rstrip() + "…"


def page(
    title: str,
    results: Sequence[SubjectResult],
    remarks: Iterable[str] = (),
    errors: Misses | None = None,
    intro: str = "",
) -> str:
    """The report as HTML. Without ``errors`` it holds none of the tickets' words."""
    made = [*_overview(results)]
    for result in results:
        for source in result.sources:
            made += _subject(result, source, errors or {})
    return page_of(title, made, remarks, intro)


def page_of(title: str, parts: Sequence[str], remarks: Iterable[str] = (), intro: str = "") -> str:
    """Parts made here as one page; any other text is escaped."""
    made = templates().get_template("page.html")
    return made.render(title=title, parts=parts, remarks=list(remarks), intro=intro) + "\n"


@cache
def templates(*folders: Path) -> Environment:
    """The templates of these folders and of this one, which escape what is put into them."""
    from jinja2 import Environment, FileSystemLoader, StrictUndefined

    loader = FileSystemLoader([*folders, Path(__file__).parent])
    return Environment(loader=loader, autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True)


def _part(name: str, *given: object) -> str:
    """Render a macro of ``parts.html``: a safe part of a page."""
    made: str = getattr(templates().get_template("parts.html").module, name)(*given)
    return made


def heading(text: str, level: int = 2) -> str:
    """A heading of the page."""
    return _part("heading", text, level)


def table(columns: Sequence[str], rows: Iterable[Sequence[str]], *, mean_rows: bool = False) -> str:
    """A table; a column whose name begins with ``<`` stands to the left, one with ``<<`` may hold long text."""
    return _part("table", columns, list(rows), mean_rows)


def scores_part(scores: Scores, *, name: str = "") -> str:
    """One field's scores as a part of a page: figures, labels, pictures. Needs the extra ``report``."""
    from .plots import abstention_svg, confusion_svg, reliability_svg

    pictures = [(confusion_svg(scores), "Confusion: a row for each truth, a column for each answer")]
    if scores.ece is not None:
        pictures += [
            (reliability_svg(scores.reliability), "Calibration: on the dashed line, 0.8 means 80%"),
            (abstention_svg([(name, scores.abstention)]), "Abstention: precision if only the surest are answered"),
        ]
    columns = ("<label", "precision", "recall", "F1", "tickets", "answered", "coverage")
    return _part("scores", scores, columns, label_rows(scores), pictures)


def misses_part(found: Sequence[Miss], count: int | None = None) -> str:
    """Wrong answers as a part of a page, folded away; ``count`` is the number of all, if some are left out."""
    if not found:
        return ""
    rows = ((miss.id, miss.truth, miss.answer, f"{miss.confidence:.2f}", miss.text) for miss in found)
    columns = ("<ticket", "<truth", "<answer", "confidence", "<<redacted text")
    shown = f", the surest {len(found)} of them" if count is not None and count > len(found) else ", surest first"
    said = f"{len(found) if count is None else count} wrong answers{shown}"
    return _part("details", said, columns, list(rows))


def _overview(results: Sequence[SubjectResult]) -> Iterator[str]:
    from .plots import abstention_svg, comparison_svg

    for field in (*FIELDS, SUBCATEGORY):
        rows: list[tuple[str, ...]] = []
        for result in results:
            found = [(source.source, item) for source in result.sources if (item := source.of(field))]
            rows += [
                (result.name, source, str(item.scores.count), *_main_figures(item.scores)) for source, item in found
            ]
            mean = result.mean(field)
            if mean and mean[0] > 1:
                rows.append((result.name, f"mean of {mean[0]}", "", f"{mean[1]:.3f}", f"{mean[2]:.3f}", "", ""))
        if not rows:
            continue
        columns = ("<analyser", "<tickets from", "tickets", "accuracy", "macro-F1", "always the largest", "ECE")
        yield heading(field.capitalize())
        yield table(columns, rows, mean_rows=True)
        names = [result.name for result in results]
        sources = list(dict.fromkeys(source.source for result in results for source in result.sources))
        groups = [(name, [_macro_f1(result, name, field) for result in results]) for name in sources]
        groups = [group for group in groups if any(value is not None for value in group[1])]
        pictures = [(comparison_svg(names, groups), "Macro-F1")] if len(groups) * len(names) > 1 else []
        if len(sources) == 1 and len(names) > 1 and field != "language":
            curves = [
                (result.name, item.scores.abstention)
                for result in results
                if (item := result.sources[0].of(field)) is not None
            ]
            pictures.append((abstention_svg(curves), "Precision if only the surest are answered"))
        yield _part("plots", pictures)
        if field == "category" and (second := second_rows(results)):
            yield heading(SECOND_TITLE.capitalize())
            yield table(SECOND_COLUMNS, second)
    for title, names_of_columns, advice in advice_of(results):
        yield heading(title.capitalize())
        yield table(names_of_columns, advice)
    yield heading("Each ticket")
    yield _costs(results)


def _macro_f1(result: SubjectResult, source: str, field: ScoredField) -> float | None:
    for item in result.sources:
        if item.source == source and (found := item.of(field)) is not None:
            return found.scores.macro_f1
    return None


def _main_figures(scores: Scores) -> tuple[str, ...]:
    ece = "" if scores.ece is None else f"{scores.ece:.3f}"
    return (f"{scores.accuracy:.3f}", f"{scores.macro_f1:.3f}", f"{scores.majority_macro_f1:.3f}", ece)


def _costs(results: Sequence[SubjectResult]) -> str:
    rows = []
    for result in results:
        for source in result.sources:
            tokens = source.usage.input + source.usage.output
            rows.append(
                (
                    result.name,
                    source.source,
                    f"{source.ms_p50:.1f}",
                    f"{source.ms_p95:.1f}",
                    f"{tokens / source.rows:.0f}" if tokens else "-",
                    "-" if source.cost_usd is None else f"${source.cost_usd / source.rows:.6f}",
                    ", ".join(f"{name} {count}" for name, count in source.answered_by.items()),
                    ", ".join(f"{name} {count}" for name, count in source.fallbacks.items()) or "-",
                )
            )
    columns = (
        "<analyser",
        "<tickets from",
        "median ms",
        "95% within ms",
        "tokens",
        "cost",
        "<answered by",
        "<fell back",
    )
    return table(columns, rows)


def _subject(result: SubjectResult, source: SourceResult, errors: Misses) -> Iterator[str]:
    yield heading(f"{result.name}: {source.source}")
    for item in source.fields:
        yield heading(item.field.capitalize(), 3)
        if item.field == "language":
            yield _part("accuracy", item.scores)
        else:
            yield scores_part(item.scores, name=result.name)
        if len(item.by_language) > 1:
            rows = [(name, str(count), f"{hits / count:.3f}") for name, (count, hits) in item.by_language.items()]
            yield _part("details", "By language", ("<language", "tickets", "accuracy"), rows)
        yield _thresholds(item)
        yield misses_part(errors.get((result.name, source.source, item.field), ()))


def _thresholds(item: FieldResult) -> str:
    found = item.thresholds
    if found is None:
        return ""
    rows = [("all", *_threshold(found.all))]
    rows += [(label, *_threshold(threshold)) for label, threshold in found.per_label.items()]
    columns = ("<label", "apply from", "precision", "at least", "coverage", "tickets")
    title = f"From which confidence on {found.precision:.0%} of the answers are right, proved at 95%"
    return _part("details", title, columns, rows)


def _threshold(found: Threshold | None) -> tuple[str, ...]:
    if found is None:
        return ("never", "-", "-", "-", "-")
    return (
        f"{found.threshold:.2f}",
        f"{found.precision:.3f}",
        f"{found.lower:.3f}",
        f"{found.coverage:.0%}",
        str(found.count),
    )
