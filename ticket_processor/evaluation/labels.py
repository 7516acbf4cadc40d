"""Label spaces: what an analyser says, in the words that a set of labelled tickets uses.

A set may know fewer categories than the taxonomy. Answers are then put into its words before they are compared:
what it has no word for goes to its catch-all.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from ..core.models import Analysis, Urgency
from ..core.taxonomy import Taxonomy
from .data import Example, listed

SUBCATEGORY: Literal["subcategory"] = "subcategory"

ScoredField = Literal["category", "urgency", "sentiment", "language", "subcategory"]
"""The fields of the data, and the sub-category where the taxonomy has a second level and the truth names it."""

_ISSUES: Mapping[str, str] = {"technical": "bug", "feature_request": "feature", "refund": "refund"}
_ISSUE_NAMES = frozenset({"bug", "feature", "refund", "other"})
_SEVEN = frozenset({"billing", "technical", "account", "refund", "security", "order", "general"})


@dataclass(frozen=True)
class LabelSpace:
    """One set's words for categories. ``words`` maps the taxonomy's where they differ; ``rest`` is the catch-all."""

    known: frozenset[str]
    words: Mapping[str, str]
    rest: str | None = None

    def word(self, category: str) -> str:
        """An answer in this space."""
        word = self.words.get(category, category)
        return word if self.rest is None or word in self.known else self.rest


def category_space(names: Sequence[str], taxonomy: Taxonomy, *, capitals: bool = False) -> LabelSpace:
    """The space that knows most of a set's labels; the taxonomy's own where it knows as many as any other.

    Known besides are ``bug``/``feature``/``refund``/``other``, and seven categories ``Written Like This`` without one
    for wishes. A class that the set never uses belongs to the catch-all there.
    """
    counts = Counter(names)
    own = LabelSpace(frozenset(taxonomy.names), {})
    issues = frozenset(counts) & _ISSUE_NAMES
    spaces = [own, LabelSpace(issues, _ISSUES, "other" if "other" in issues else None)]
    if capitals:
        seven = frozenset(counts) & (_SEVEN | {"feature_request"})
        spaces.insert(0, LabelSpace(seven, {}, "general" if "general" in seven else None))
    return max(spaces, key=lambda space: sum(counts[name] for name in space.known))


@dataclass(frozen=True)
class Pairs:
    """Truth and answers of one field, row by row; ``rows`` are the tickets they belong to.

    ``unknown`` counts labels that the taxonomy does not have; those rows are not among the others.
    """

    rows: tuple[int, ...]
    gold: tuple[str, ...]
    predicted: tuple[str, ...]
    unknown: Counter[str]


def pairs(
    field: ScoredField,
    examples: Sequence[Example],
    analyses: Sequence[Analysis],
    taxonomy: Taxonomy,
    *,
    capitals: bool = False,
) -> Pairs:
    """The pairs to compare for ``field``, in the words of the truth."""
    if field == "category":
        return _categories(examples, analyses, taxonomy, capitals)
    if field == SUBCATEGORY:
        return _subcategories(examples, analyses, taxonomy)
    rows, gold = _given([str(value) if (value := getattr(item, field)) is not None else None for item in examples])
    predicted = [str(getattr(analyses[row], field)) for row in rows]
    if field == "urgency" and Urgency.CRITICAL not in gold:
        # A system of three levels: what it knows of critical matters it calls high.
        predicted = [str(Urgency.HIGH) if label == Urgency.CRITICAL else label for label in predicted]
    return Pairs(tuple(rows), tuple(gold), tuple(predicted), Counter())


def unknown_labels(found: Pairs, source: str) -> str | None:
    """A sentence about labels that could not be compared, if there are any."""
    if not found.unknown:
        return None
    return (
        f"{source}: {found.unknown.total()} rows have a category that the taxonomy does not know "
        f"({listed(found.unknown)}); not scored for it"
    )


def _categories(examples: Sequence[Example], analyses: Sequence[Analysis], taxonomy: Taxonomy, capitals: bool) -> Pairs:
    rows, names = _given([item.category for item in examples])
    space = category_space(names, taxonomy, capitals=capitals)
    kept = [(row, name) for row, name in zip(rows, names, strict=True) if name in space.known]
    return Pairs(
        rows=tuple(row for row, _ in kept),
        gold=tuple(_top(name, taxonomy) for _, name in kept),
        predicted=tuple(space.word(analyses[row].category) for row, _ in kept),
        unknown=Counter(name for name in names if name not in space.known),
    )


def _subcategories(examples: Sequence[Example], analyses: Sequence[Analysis], taxonomy: Taxonomy) -> Pairs:
    lower = {name for name in taxonomy.names if taxonomy[name].parent is not None}
    rows = [row for row, item in enumerate(examples) if item.category in lower]
    gold = [str(examples[row].category) for row in rows]
    predicted = [analyses[row].subcategory or analyses[row].category for row in rows]
    return Pairs(tuple(rows), tuple(gold), tuple(predicted), Counter())


def _top(name: str, taxonomy: Taxonomy) -> str:
    return taxonomy.split(name)[0] if name in taxonomy.names else name


def _given(labels: Sequence[str | None]) -> tuple[list[int], list[str]]:
    rows = [row for row, label in enumerate(labels) if label is not None]
    return rows, [label for label in labels if label is not None]
