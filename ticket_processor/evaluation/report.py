"""The report: one HTML file with plots in it, which needs nothing else and runs nothing."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..analysis.text.cleaning import clean
from ..analysis.text.redact import redact
from ..core.tables import Table, as_html
from . import tables
from .data import Example, Labelled
from .measure import FieldResult, SubjectResult

if TYPE_CHECKING:
    from jinja2 import Environment

MOST_ERRORS = 200
"""Misclassified tickets shown of one field by one analyser on one source."""

_LONGEST_TEXT = 400


def page(
    title: str, results: Sequence[SubjectResult], remarks: Iterable[str] = (), errors_of: Iterable[Labelled] = ()
) -> str:
    """The report as HTML. It holds no words of tickets but those of wrong answers on ``errors_of``, redacted."""
    examples = {labelled.name: labelled.examples for labelled in errors_of}
    made = templates().get_template("eval.html")
    page = made.render(
        title=title,
        remarks=list(remarks),
        overview=list(tables.overview(results)),
        subjects=[
            (
                f"{result.name}: {source.source}",
                [_field(result.name, item, examples.get(source.source)) for item in found],
            )
            for result in results
            for source in result.sources
            if (found := source.fields)
        ],
    )
    return f"{page}\n"


@cache
def templates(*folders: Path) -> Environment:
    """The templates of these folders and of this one, which escape what is put into them."""
    from jinja2 import Environment, FileSystemLoader, StrictUndefined
    from markupsafe import Markup

    loader = FileSystemLoader([*folders, Path(__file__).parent])
    made = Environment(loader=loader, autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True)
    made.filters["as_html"] = lambda found: Markup(as_html(found))  # noqa: S704 - it has escaped every text
    return made


def _field(name: str, item: FieldResult, examples: Sequence[Example] | None) -> dict[str, Any]:
    """One field by the analyser ``name``, for the template; a language is never asked how sure it is."""
    from .charts import abstention, reliability

    scores = item.scores
    pictures = []
    if scores.ece is not None:
        pictures = [
            (reliability(scores.reliability), "Calibration: on the dashed line, 0.8 means 80%"),
            (abstention(scores.abstention), "Abstention: precision if only the surest are answered"),
        ]
    folded = (
        tables.languages(item, "By language"),
        tables.proposals(name, item),
        misses(item, examples) if examples else None,
    )
    return {
        "name": item.field.capitalize(),
        "scores": scores,
        "labels": None if item.field == "language" else tables.labels(scores),
        "pictures": pictures,
        "folded": [found for found in folded if found is not None],
    }


def misses(item: FieldResult, examples: Sequence[Example]) -> Table | None:
    """The wrong answers, surest first, at most :data:`MOST_ERRORS`, with the tickets' redacted words."""
    answers = zip(item.pairs.rows, item.pairs.gold, item.pairs.predicted, item.confidence, strict=True)
    wrong = sorted((answer for answer in answers if answer[1] != answer[2]), key=lambda answer: -answer[3])
    rows = tuple(
        (examples[row].id, truth, said, f"{confidence:.2f}", shown_text(examples[row]))
        for row, truth, said, confidence in wrong[:MOST_ERRORS]
    )
    shown = "surest first" if len(rows) == len(wrong) else f"the surest {len(rows)} of them"
    columns = ("<ticket", "<truth", "<answer", "confidence", "<<redacted text")
    return Table(f"{len(wrong)} wrong answers, {shown}", columns, rows) if rows else None


def shown_text(example: Example) -> str:
    """A ticket's beginning, cleaned and redacted, for a list of errors."""
    text = redact(clean(example.subject, example.body), names=example.names).text.strip()
    return text if len(text) <= _LONGEST_TEXT else text[:_LONGEST_TEXT].rstrip() + "…"
