"""The report: one HTML file with plots in it, which needs nothing else and runs nothing."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

from ..analysis.text.cleaning import clean
from ..analysis.text.redact import redact
from ..core.tables import Table, as_html
from . import tables
from .data import FIELDS, Labelled
from .labels import SUBCATEGORY, ScoredField
from .measure import SourceResult, SubjectResult
from .runner import TimedAnalysis
from .scores import Scores

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
    from markupsafe import Markup

    loader = FileSystemLoader([*folders, Path(__file__).parent])
    made = Environment(loader=loader, autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True)
    made.filters["as_html"] = lambda found: Markup(as_html(found))  # noqa: S704 - it has escaped every text
    return made


def _part(name: str, *given: object) -> str:
    """Render a macro of ``parts.html``: a safe part of a page."""
    made: str = getattr(templates().get_template("parts.html").module, name)(*given)
    return made


def heading(text: str, level: int = 2) -> str:
    """A heading of the page."""
    return _part("heading", text, level)


def table(found: Table, level: int = 2) -> str:
    """A table under its title."""
    return heading(found.title[:1].upper() + found.title[1:], level) + as_html(found)


def folded(found: Table | None) -> str:
    """A table folded away under its title; nothing where there is none."""
    return "" if found is None else _part("details", found)


def scores_part(scores: Scores, *, name: str = "") -> str:
    """One field's scores as a part of a page: figures, labels, pictures."""
    from .charts import abstention, confusion, reliability

    pictures = []
    if scores.ece is not None:
        pictures = [
            (reliability(scores.reliability), "Calibration: on the dashed line, 0.8 means 80%"),
            (abstention([(name, scores.abstention)]), "Abstention: precision if only the surest are answered"),
        ]
    return _part("scores", scores, tables.labels(scores), confusion(scores), pictures)


def misses_part(found: Sequence[Miss], count: int | None = None) -> str:
    """Wrong answers as a part of a page, folded away; ``count`` is the number of all, if some are left out."""
    if not found:
        return ""
    rows = ((miss.id, miss.truth, miss.answer, f"{miss.confidence:.2f}", miss.text) for miss in found)
    columns = ("<ticket", "<truth", "<answer", "confidence", "<<redacted text")
    shown = f", the surest {len(found)} of them" if count is not None and count > len(found) else ", surest first"
    return folded(Table(f"{len(found) if count is None else count} wrong answers{shown}", columns, tuple(rows)))


def _overview(results: Sequence[SubjectResult]) -> Iterator[str]:
    for field in (*FIELDS, SUBCATEGORY):
        if (found := tables.field_table(results, field)) is not None:
            yield table(found)
            yield _part("plots", _pictures(results, field))
    yield table(tables.costs(results))


def _pictures(results: Sequence[SubjectResult], field: ScoredField) -> list[tuple[object, str]]:
    """Analysers beside each other, where there are several."""
    from .charts import abstention

    names = [result.name for result in results]
    sources = list(dict.fromkeys(source.source for result in results for source in result.sources))
    bars: list[tuple[str, float | None, str]] = []
    for name in sources:
        known = [(one.name, score) for one in results if (score := _macro_f1(one, name, field)) is not None]
        bars += [(name, None, "")] if known and len(sources) > 1 else []
        bars += [(analyser, score, f"{score:.2f}") for analyser, score in known]
    pictures: list[tuple[object, str]] = [(bars, "Macro-F1")] if len(bars) > 1 else []
    if len(sources) == 1 and len(names) > 1 and field != "language":
        curves = [
            (result.name, item.scores.abstention)
            for result in results
            if (item := result.sources[0].of(field)) is not None
        ]
        pictures.append((abstention(curves), "Precision if only the surest are answered"))
    return pictures


def _macro_f1(result: SubjectResult, source: str, field: ScoredField) -> float | None:
    for item in result.sources:
        if item.source == source and (found := item.of(field)) is not None:
            return found.scores.macro_f1
    return None


def _subject(result: SubjectResult, source: SourceResult, errors: Misses) -> Iterator[str]:
    yield heading(f"{result.name}: {source.source}")
    for item in source.fields:
        yield heading(item.field.capitalize(), 3)
        if item.field == "language":
            yield _part("accuracy", item.scores)
        else:
            yield scores_part(item.scores, name=result.name)
        yield folded(tables.languages(item, "By language"))
        yield folded(tables.proposals(result.name, item))
        yield misses_part(errors.get((result.name, source.source, item.field), ()))
