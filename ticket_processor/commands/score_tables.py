"""The figures of ``eval`` for people: tables on a terminal, aligned plain lines elsewhere."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import TextIO

from ..core.taxonomy import Taxonomy
from ..evaluation.data import FIELDS, Labelled
from ..evaluation.doubtful_labels import DoubtfulLabel, doubtful_labels
from ..evaluation.labels import SUBCATEGORY
from ..evaluation.measure import (
    SECOND_COLUMNS,
    SECOND_TITLE,
    FieldResult,
    SourceResult,
    SubjectResult,
    advice_of,
    label_rows,
    second_rows,
)
from ..evaluation.scores import Threshold
from ..policy.decide import PARTS

_MOST_LANGUAGES = 12
MOST_DOUBTS = 20
SETTING = {"category": "policy.tags", "urgency": "policy.priority"}
"""The setting of each field's threshold."""
_AS_GOOD = {"category": ("policy.group", "policy.fields")}
"""Settings of what follows from a field."""


@dataclass(frozen=True)
class Table:
    """A title, the columns' names (``<`` before one puts it to the left), and rows of text."""

    title: str
    columns: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]


def show(tables: Sequence[Table], out: TextIO | None = None) -> None:
    """Print the tables."""
    out = out or sys.stdout
    if not out.isatty():
        for table in tables:
            print("\n".join(_plain(table)), file=out)
        out.flush()
        return
    from rich import box
    from rich.console import Console
    from rich.table import Table as RichTable
    from rich.text import Text

    console = Console(file=out)
    for table in tables:
        shown = RichTable(box=box.SIMPLE_HEAD)
        for column in table.columns:
            shown.add_column(Text(column.removeprefix("<")), justify="left" if column.startswith("<") else "right")
        for row in table.rows:
            shown.add_row(*(Text(cell) for cell in row))
        console.print(Text(f" {table.title}", style="bold"), shown)  # a table's own title wraps at the table's width


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
    several = any(len(result.sources) > 1 for result in results)
    for field in (*FIELDS, SUBCATEGORY):
        rows: list[tuple[str, ...]] = []
        for result in results:
            found = [(source.source, item) for source in result.sources if (item := source.of(field))]
            rows += [(result.name, source, *_headline(item)) for source, item in found]
            mean = result.mean(field)
            if several and mean and mean[0] > 1:
                rows.append((result.name, f"mean of {mean[0]}", "", f"{mean[1]:.3f}", f"{mean[2]:.3f}", "", "", ""))
        if rows:
            columns = ("<analyser", "<tickets from", "n", "accuracy", "macro-F1", "largest alone", "ECE", "<said most")
            yield Table(field, columns, tuple(rows))
        if field == "category" and (second := second_rows(results)):
            yield Table(SECOND_TITLE, SECOND_COLUMNS, second)
    yield from (Table(*table) for table in advice_of(results))
    yield Table(
        "each ticket",
        ("<analyser", "<tickets from", "median ms", "p95 ms", "tokens", "cost", "<answered by", "<fell back"),
        tuple((result.name, source.source, *_cost(source)) for result in results for source in result.sources),
    )


def details(result: SubjectResult, source: SourceResult) -> Iterator[Table]:
    """One analyser on one source, field by field."""
    for item in source.fields:
        title = f"{item.field}, {result.name}, {source.source}"
        scores = item.scores
        if item.field != "language":
            yield Table(
                f"{title}: per label",
                ("<label", "precision", "recall", "F1", "n", "answered", "coverage"),
                label_rows(scores),
            )
            labels = list(scores.per_label)
            yield Table(
                f"{title}: confusion (a row for each truth, a column for each answer)",
                ("<", *labels),
                tuple(
                    (truth, *(str(row.get(label, 0) or "·") for label in labels))
                    for truth, row in scores.confusion.items()
                ),
            )
        if item.thresholds is not None:
            yield Table(
                f"{title}: calibration",
                ("<confidence", "n", "mean", "right"),
                tuple(
                    (
                        f"{part.lower:.1f}-{part.upper:.1f}",
                        str(part.count),
                        f"{part.confidence:.3f}",
                        f"{part.accuracy:.3f}",
                    )
                    for part in scores.reliability
                    if part.count
                ),
            )
            yield Table(
                f"{title}: abstention (only the surest are answered)",
                ("coverage", "precision", "from confidence"),
                tuple(
                    (f"{point.coverage:.0%}", f"{point.precision:.3f}", f"{point.threshold:.2f}")
                    for point in item.curve()
                ),
            )
        if len(item.by_language) > 1:
            yield Table(
                f"{title}: by language",
                ("<language", "n", "accuracy"),
                tuple(
                    (language, str(count), f"{hits / count:.3f}")
                    for language, (count, hits) in list(item.by_language.items())[:_MOST_LANGUAGES]
                ),
            )


def proposals(result: SubjectResult, source: SourceResult) -> Iterator[Table]:
    """From which confidence on each field, and each of its labels, may be applied."""
    for item in source.fields:
        if item.thresholds is None or item.field not in SETTING:
            continue
        wanted = item.thresholds.precision
        found = [(f"all ({SETTING[item.field]})", item.thresholds.all, item.scores.count)]
        found += [
            (label, threshold, item.scores.per_label[label].predicted)
            for label, threshold in item.thresholds.per_label.items()
        ]
        yield Table(
            f"{item.field}, {result.name}: apply from which confidence for a precision of {wanted:.0%}",
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
    return (
        str(scores.count),
        f"{scores.accuracy:.3f}",
        f"{scores.macro_f1:.3f}",
        f"{scores.majority_macro_f1:.3f}",
        "" if scores.ece is None else f"{scores.ece:.3f}",
        f"{label} {most.coverage:.0%}",
    )


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


def _counts(counts: object) -> str:
    return ", ".join(f"{name} {count}" for name, count in dict(counts).items()) if isinstance(counts, dict) else ""


def _proposal(found: Threshold | None) -> tuple[str, ...]:
    if found is None:
        return ("never", "-", "-", "-", "-")
    return (
        f"{found.threshold:.2f}",
        f"{found.precision:.3f}",
        f"{found.lower:.3f}",
        f"{found.coverage:.0%}",
        str(found.count),
    )


def _plain(table: Table) -> Iterator[str]:
    names = tuple(column.removeprefix("<") for column in table.columns)
    widths = [max(map(len, cells)) for cells in zip(names, *table.rows, strict=True)]
    left = [column.startswith("<") for column in table.columns]
    yield ""
    yield table.title
    for row in (names, *table.rows):
        cells = zip(row, widths, left, strict=True)
        yield "  " + "  ".join(cell.ljust(width) if to_left else cell.rjust(width) for cell, width, to_left in cells)
