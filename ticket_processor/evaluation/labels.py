"""Label spaces: what an analyser says, in the words that a set of labelled tickets uses.

A set may know fewer categories than the taxonomy. Answers are then put into its words before they are compared:
what it has no word for goes to its catch-all.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal, NamedTuple

from ..core.models import Analysis, Urgency
from ..core.taxonomy import Taxonomy
from .data import Example, listed

SUBCATEGORY: Literal["subcategory"] = "subcategory"

ScoredField = Literal["category", "urgency", "sentiment", "language", "subcategory"]
"""The fields of the data, and the sub-category where the taxonomy has a second level and the truth names it."""

_ISSUES: Mapping[str, str] = {"technical": "bug", "feature_request": "feature", "refund": "refund"}
_ISSUE_NAMES = frozenset({"bug", "feature", "refund", "other"})
_SEVEN = frozenset({"billing", "technical", "account", "refund", "security", "order", "general"})


class LabelSpace(NamedTuple):
    """One set's words for categories. ``words`` maps the taxonomy's where they differ; ``rest`` is the catch-all."""

    known: frozenset[str]
    words: Mapping[str, str]
    rest: str | None = None

    def word(self, category: str) -> str:
        """An answer in this space."""
        word = self.words.get(category, category)
        return word if self.rest is None or word in self.known else self.rest


def category_space(names: Sequence[str], taxonomy: Taxonomy, *, capitals: bool) -> LabelSpace:
    """The space that knows most of a set's labels; the taxonomy's own where it knows as many as any other.

    Known besides are ``bug``/``feature``/``refund``/``other``, and seven categories ``Written Like This`` without one
    for wishes. A class that the set never uses belongs to the catch-all there.
    """
    counts = Counter(names)
    issues = frozenset(counts) & _ISSUE_NAMES
    spaces = [LabelSpace(frozenset(taxonomy.names), {}), LabelSpace(issues, _ISSUES, _if_used("other", issues))]
    if capitals:
        seven = frozenset(counts) & (_SEVEN | {"feature_request"})
        spaces.insert(0, LabelSpace(seven, {}, _if_used("general", seven)))
    return max(spaces, key=lambda space: sum(counts[name] for name in space.known))


def _if_used(name: str, used: frozenset[str]) -> str | None:
    return name if name in used else None


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


def pairs(
    field: ScoredField,
    examples: Sequence[Example],
    analyses: Sequence[Analysis],
    taxonomy: Taxonomy,
    *,
    capitals: bool = False,
) -> Pairs:
    """The pairs to compare for ``field``, in the words of the truth."""
    labels = [item.label("category" if field == SUBCATEGORY else field) for item in examples]
    given = [(row, label, analyses[row]) for row, label in enumerate(labels) if label is not None]
    unknown: Counter[str] = Counter()
    if field == "category":
        space = category_space([label for _, label, _ in given], taxonomy, capitals=capitals)
        unknown = Counter(label for _, label, _ in given if label not in space.known)
        found = [
            (row, taxonomy.split(label)[0] if label in taxonomy.names else label, space.word(analysis.category))
            for row, label, analysis in given
            if label in space.known
        ]
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
