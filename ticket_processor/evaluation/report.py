"""The report: one HTML file with plots in it, which needs nothing else and runs nothing."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

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
    parts = []
    for result in results:
        for source in result.sources:
            for item in source.fields:
                of = f"{result.name}, {source.source}"
                more = (tables.proposals(result.name, item), misses(item, examples.get(source.source, ())))
                folded = [*tables.details(item, of), *(one for one in more if one is not None)]
                parts.append((f"{item.field.capitalize()}, {of}", item.scores, folded))
    made = templates().get_template("eval.html")
    overview = list(tables.overview(results))
    return made.render(title=title, remarks=list(remarks), overview=overview, fields=parts) + "\n"


@cache
def templates(*folders: Path) -> Environment:
    """The templates of these folders and of this one, which escape what is put into them."""
    from jinja2 import Environment, FileSystemLoader, StrictUndefined
    from markupsafe import Markup

    loader = FileSystemLoader([*folders, Path(__file__).parent])
    made = Environment(loader=loader, autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True)
    made.filters["as_html"] = lambda found: Markup(as_html(found))  # noqa: S704 - it has escaped every text
    return made


def misses(item: FieldResult, examples: Sequence[Example]) -> Table | None:
    """The wrong answers, surest first, at most :data:`MOST_ERRORS`, with the tickets' redacted words."""
    answers = zip(item.pairs.rows, item.pairs.gold, item.pairs.predicted, item.confidence, strict=True)
    wrong = sorted((answer for answer in answers if answer[1] != answer[2]), key=lambda answer: -answer[3])
    if not (wrong and examples):
        return None
    rows = tuple(
        (examples[row].id, truth, said, f"{confidence:.2f}", _shown(examples[row]))
        for row, truth, said, confidence in wrong[:MOST_ERRORS]
    )
    shown = "surest first" if len(rows) == len(wrong) else f"the surest {len(rows)} of them"
    columns = ("<ticket", "<truth", "<answer", "confidence", "<<redacted text")
    return Table(f"{len(wrong)} wrong answers, {shown}", columns, rows)


def _shown(example: Example) -> str:
    text = redact(clean(example.subject, example.body), names=example.names).text.strip()
    return text if len(text) <= _LONGEST_TEXT else text[:_LONGEST_TEXT].rstrip() + "…"
