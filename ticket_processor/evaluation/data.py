"""Labelled tickets: from files of JSON lines to plain data; labels in lower case, their words joined by ``_``."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from pydantic import Field

from ..core.errors import ConfigError
from ..core.files import json_rows
from ..core.models import Analysis, Frozen, Sentiment, Urgency
from ..core.taxonomy import Taxonomy

FieldName = Literal["category", "urgency", "sentiment", "language"]
FIELDS: tuple[FieldName, ...] = ("category", "urgency", "sentiment", "language")

Remark = Callable[[str], object]

_NOT_IN_A_NAME = re.compile(r"[^\w]+")
_OTHER_WORDS = {"urgent": "critical", "normal": "medium", "very_low": "low"}
"""Helpdesks' own names of priorities."""

_NO_LABEL = frozenset({"", "null", "none", "nan"})
_SHOWN = 5
_LONGEST_NAME = 30


class Example(Frozen):
    """A ticket with the labels of a careful person; ``None`` for those not given. The text is the customer's."""

    id: str
    subject: str = ""
    body: str = ""
    names: tuple[str, ...] = Field((), description="the requester's, as far as known: to be redacted")
    category: str | None = None
    urgency: Urgency | None = None
    sentiment: Sentiment | None = None
    language: str | None = None

    def label(self, field: FieldName) -> str | None:
        value = getattr(self, field)
        return None if value is None else str(value)


@dataclass(frozen=True)
class Labelled:
    """One source of labelled tickets."""

    name: str
    examples: tuple[Example, ...]


def read_examples(paths: Iterable[Path], remark: Remark = lambda _sentence: None) -> list[Example]:
    """The labelled tickets of all files, in order; as :func:`read_file`."""
    return [example for path in paths for example in read_file(path, remark).examples]


def read_file(path: Path, remark: Remark = lambda _sentence: None) -> Labelled:
    """The labelled tickets of a ``.jsonl`` or ``.jsonl.gz`` file; rows without any label are left out.

    A row has ``subject`` and ``body`` (or ``text``), and any of ``category``, ``priority`` or ``urgency``,
    ``sentiment``, ``language``, at the top or under ``labels``. ``remark`` is told in a sentence of labels that are
    not known. Raises :class:`ConfigError` naming the line that is no such row.
    """
    unknown: dict[str, Counter[str]] = {"urgency": Counter(), "sentiment": Counter()}
    found = (_example(row, f"{path.name}:{number}", unknown) for number, row in json_rows(path))
    examples = [one for one in found if any(one.label(field) is not None for field in FIELDS)]
    if not examples:
        raise ConfigError(f"{path} holds no labelled ticket (category, priority or urgency, sentiment, language)")
    for field, names in unknown.items():
        if names:
            remark(f"{path.name}: {names.total()} rows have an unknown {field} ({listed(names)}); not scored for it")
    return Labelled(path.name, tuple(examples))


def label_name(value: object) -> str | None:
    """A label as it is compared: lower case, words joined by ``_``; ``None`` for what is no label."""
    if not isinstance(value, str):
        return None
    name = _NOT_IN_A_NAME.sub("_", value.strip().casefold()).strip("_")
    return None if name in _NO_LABEL else name


def urgency_of(value: object) -> Urgency | None:
    """A priority in any helpdesk's words; ``None`` for what is none."""
    name = label_name(value)
    name = _OTHER_WORDS.get(name or "", name)
    return Urgency(name) if name in set(Urgency) else None


def listed(names: Counter[str]) -> str:
    """The most frequent names for a sentence, cut to a bearable length."""
    shown = [name[:_LONGEST_NAME] for name, _ in names.most_common(_SHOWN)]
    return ", ".join([*shown, "…"] if len(names) > _SHOWN else shown)


def _example(row: Mapping[str, object], place: str, unknown: Mapping[str, Counter[str]]) -> Example:
    nested = row.get("labels")
    labels: Mapping[str, object] = {**(nested if isinstance(nested, dict) else {}), **row}
    priority = labels["urgency"] if labels.get("urgency") is not None else labels.get("priority")
    urgency = urgency_of(priority)
    mood = label_name(labels.get("sentiment"))
    sentiment = Sentiment(mood) if mood in set(Sentiment) else None
    for field, given, known in (("urgency", priority, urgency), ("sentiment", mood, sentiment)):
        name = label_name(given)
        if name is not None and known is None:
            unknown[field][name] += 1
    language = label_name(labels.get("language"))
    return Example(
        id=str(row.get("id") or place),
        subject=_text(row.get("subject")),
        body=_text(row.get("body")) or _text(row.get("text")) or _text(row.get("html")),
        category=label_name(labels.get("category")),
        urgency=urgency,
        sentiment=sentiment,
        language=None if language is None else language.partition("_")[0],
    )


def _text(value: object) -> str:
    return value if isinstance(value, str) else ""


SUBCATEGORY: Literal["subcategory"] = "subcategory"

ScoredField = Literal["category", "urgency", "sentiment", "language", "subcategory"]
"""The fields of the data, and the sub-category where the taxonomy has a second level and the truth names it."""


@dataclass(frozen=True)
class Pairs:
    """Truth and answers of one field, row by row; ``rows`` are the tickets they belong to.

    ``unknown`` counts labels that the taxonomy does not have; those rows are not among the others.
    """

    rows: tuple[int, ...]
    gold: tuple[str, ...]
    predicted: tuple[str, ...]
    unknown: Counter[str]

    def unknown_told(self, source: str) -> str:
        """A sentence about labels that could not be compared."""
        return (
            f"{source}: {self.unknown.total()} rows have a category that the taxonomy does not know "
            f"({listed(self.unknown)}); not scored for it"
        )


def pairs(field: ScoredField, examples: Sequence[Example], analyses: Sequence[Analysis], taxonomy: Taxonomy) -> Pairs:
    """The pairs to compare for ``field``, in the words of the truth."""
    labels = [item.label("category" if field == SUBCATEGORY else field) for item in examples]
    given = [(row, label, analyses[row]) for row, label in enumerate(labels) if label is not None]
    unknown: Counter[str] = Counter()
    if field == "category":
        unknown = Counter(label for _, label, _ in given if label not in taxonomy.names)
        known = (one for one in given if one[1] in taxonomy.names)
        found = [(row, taxonomy.split(label)[0], analysis.category) for row, label, analysis in known]
    elif field == SUBCATEGORY:
        found = [
            (row, label, analysis.subcategory or analysis.category)
            for row, label, analysis in given
            if label in taxonomy.names and taxonomy[label].parent is not None
        ]
    else:
        found = [(row, label, str(getattr(analysis, field))) for row, label, analysis in given]
        if field == "urgency" and Urgency.CRITICAL not in {label for _, label, _ in found}:
            # A system of three levels: what it knows of critical matters it calls high.
            found = [(row, gold, "high" if said == Urgency.CRITICAL else said) for row, gold, said in found]
    rows, gold, predicted = zip(*found, strict=True) if found else ((), (), ())
    return Pairs(rows, gold, predicted, unknown)
