"""Labels of people that look wrong: a model that learnt from the other tickets gives them little chance."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from ..core.taxonomy import Taxonomy
from .data import Example

FEWEST_TICKETS, FEWEST_OF_A_LABEL = 100, 5
MOST_TICKETS = 5_000
FOLDS = 5
LEAST_ACCURACY = 0.65
"""Below it the model knows too little to doubt anybody."""
DOUBTFUL = 0.1
"""A label is listed whose probability is below this, while another one has more than half."""


@dataclass(frozen=True)
class DoubtfulLabel:
    """A ticket's label with its probability, and the label that is probable instead."""

    ticket: str
    label: str
    probability: float
    instead: str
    probability_instead: float


def doubtful_labels(examples: Sequence[Example], taxonomy: Taxonomy) -> list[DoubtfulLabel]:
    """The doubtful categories of the first level, the most doubtful first. None where too little is known.

    Raises :class:`ImportError` without scikit-learn.
    """
    labelled = [(one, taxonomy.split(one.category)[0]) for one in examples if one.category in taxonomy.names]
    counts = Counter(label for _, label in labelled)
    labelled = [(one, label) for one, label in labelled if counts[label] >= FEWEST_OF_A_LABEL][:MOST_TICKETS]
    labels = [label for _, label in labelled]
    if len(labels) < FEWEST_TICKETS or min(Counter(labels).values()) < FOLDS or len(set(labels)) < 2:
        return []
    from sklearn.feature_extraction.text import TfidfVectorizer
    from sklearn.linear_model import LogisticRegression
    from sklearn.model_selection import cross_val_predict
    from sklearn.pipeline import make_pipeline

    learner = make_pipeline(
        TfidfVectorizer(sublinear_tf=True, min_df=2), LogisticRegression(C=10, max_iter=300, tol=1e-2)
    )
    texts = [f"{one.subject}\n{one.body}" for one, _ in labelled]
    found = cross_val_predict(learner, texts, labels, cv=FOLDS, method="predict_proba")
    names = sorted(set(labels))
    best = [names[place] for place in found.argmax(axis=1)]
    if sum(map(str.__eq__, best, labels)) < LEAST_ACCURACY * len(labels):
        return []
    doubts = [
        DoubtfulLabel(one.id, label, float(row[names.index(label)]), instead, float(row.max()))
        for (one, label), instead, row in zip(labelled, best, found, strict=True)
    ]
    doubts = [one for one in doubts if one.probability < DOUBTFUL and one.probability_instead > 0.5]
    return sorted(doubts, key=lambda one: (one.probability, one.ticket))
