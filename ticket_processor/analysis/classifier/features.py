"""What the classifier sees of a ticket: its text as TF-IDF, and what the keyword rules found in it.

Words and pairs of neighbouring words carry the matter; pieces of three to five characters carry inflection, compounds,
typing errors and the scripts that put no space between words. Training and use see the same. Needs scikit-learn.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from contextlib import suppress
from typing import Any, NamedTuple, TypeAlias

import numpy as np
import numpy.typing as npt
from scipy import sparse
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.pipeline import FeatureUnion

from ...core.models import Analysis, Sentiment, Urgency
from ...core.taxonomy import Taxonomy
from .storage import Task

Floats: TypeAlias = npt.NDArray[np.floating[Any]]
Ints: TypeAlias = npt.NDArray[np.int64]
Matrix: TypeAlias = sparse.csr_matrix

MAX_CHARACTERS = 2_000
"""Characters read of a ticket; later ones add time rather than accuracy."""

FEWEST_TICKETS = 2
"""Different tickets in which an n-gram must occur; they may be of one customer, who is not known here."""

_PLACEHOLDER = re.compile(r"\[([A-Z][A-Z_]*)_\d{1,6}\]")
_LONG_NUMBER = re.compile(r"\d{4,}")


def plain_form(text: str) -> str:
    """``text`` in lower case, placeholders without their numbers, numbers of four or more digits made equal.

    The rest of a number identifies no person: "[PHONE_2]" becomes "_phone_", an order number "0000".
    """
    text = _PLACEHOLDER.sub(lambda found: f" _{found[1].lower()}_ ", text[:MAX_CHARACTERS])
    return _LONG_NUMBER.sub("0000", text).lower()


WORDS, PIECES = "words", "pieces"
_OPTIONS: Mapping[str, Mapping[str, Any]] = {
    WORDS: {"token_pattern": r"\w\w+", "ngram_range": (1, 2), "max_features": 60_000},
    PIECES: {"analyzer": "char_wb", "ngram_range": (3, 5), "max_features": 50_000},
}


def _vectorizer(part: str, vocabulary: Sequence[str] | None = None) -> TfidfVectorizer:
    return TfidfVectorizer(
        preprocessor=plain_form,
        sublinear_tf=True,
        min_df=FEWEST_TICKETS,
        dtype=np.float32,
        vocabulary=vocabulary,
        **_OPTIONS[part],
    )


def learn_text(texts: Sequence[str]) -> FeatureUnion:
    """TF-IDF as ``texts`` teach it. Raises ``ValueError`` when they have nothing in common."""
    parts = []
    for part in _OPTIONS:
        with suppress(ValueError):  # none of its n-grams occurs twice
            parts.append((part, _vectorizer(part).fit(texts)))
    if not parts:
        raise ValueError("the tickets have no words in common")
    return FeatureUnion(parts)


def text_content(text: FeatureUnion) -> dict[str, dict[str, Any]]:
    """For storing: the n-grams a line each, and their weights. skops would need minutes for a vocabulary as it is."""
    return {
        part: {"grams": "\n".join(fitted.get_feature_names_out()), "idf": fitted.idf_}
        for part, fitted in text.transformer_list
    }


def text_from(content: Mapping[str, Mapping[str, Any]]) -> FeatureUnion:
    """What :func:`text_content` stored. Raises ``KeyError`` or ``ValueError`` when its parts do not fit together."""
    parts = []
    for part, stored in content.items():
        fitted = _vectorizer(part, stored["grams"].split("\n"))
        fitted.idf_ = stored["idf"]
        parts.append((part, fitted))
    return FeatureUnion(parts)


def beside(text: Matrix, points: Floats) -> Matrix:
    """The rules' points as columns behind those of the text, a row for each ticket."""
    return sparse.hstack([text, sparse.csr_matrix(points)], format="csr", dtype=np.float32)


# --- what the rules found ---------------------------------------------------------------------------------------------

_ALARMS = ("security", "outage", "legal", "safety", "churn")
"""In the order of stored weights, so that an alarm that is added does not make every classifier unusable."""
_LEVELS = (Urgency.LOW, Urgency.MEDIUM, Urgency.HIGH, Urgency.CRITICAL)
_CLEAR = 5.0
"""Points of a category of which the rules are sure."""
_CLEAR_HASTE: Mapping[str, float] = {"low": -3.0, "medium": 0.0, "high": 6.0, "critical": 16.0}
_MOOD = 1.5


def rules_features(
    task: Task, analysis: Analysis, points: Mapping[str, float], urgency: float, names: Sequence[str]
) -> Floats:
    """The rules' answer for one ticket as numbers, none negative. ``names`` are the categories known at training."""
    if task == "category":
        return np.log1p([points.get(name, 0.0) for name in names])
    if task == "sentiment":
        return np.array([_MOOD * (mood == analysis.sentiment) for mood in Sentiment])
    haste = np.log1p([max(urgency, 0.0), max(-urgency, 0.0)])
    alarms = [alarm in analysis.alarms for alarm in _ALARMS]
    return np.array([*haste, *alarms, analysis.urgent_tone, *(level == analysis.urgency for level in _LEVELS)], float)


def vote(task: Task, label: str, names: Sequence[str]) -> Floats:
    """The features of a ticket of which the rules are sure that it is ``label``."""
    sure = Analysis(
        category=label,
        urgency=Urgency(label) if task == "urgency" else Urgency.MEDIUM,
        sentiment=Sentiment(label) if task == "sentiment" else Sentiment.NEUTRAL,
        language="und",
        summary="-",
        confidence=1.0,
        source="rules",
    )
    return rules_features(task, sure, {label: _CLEAR}, _CLEAR_HASTE.get(label, 0.0), names)


# --- from shares to an answer -----------------------------------------------------------------------------------------


class Groups(NamedTuple):
    """The labels of the first level, and which of them each label belongs to: sub-categories to their category."""

    groups: tuple[str, ...]
    group_of: Ints


def groups_of(task: Task, labels: Sequence[str], taxonomy: Taxonomy) -> Groups:
    """The groups of ``labels``; those of other tasks than the category are one each."""
    tops = [taxonomy.split(label)[0] if task == "category" else label for label in labels]
    names = tuple(dict.fromkeys(tops))
    return Groups(names, np.array([names.index(top) for top in tops]))


def decide(shares: Floats, group_of: Ints) -> tuple[Ints, Floats]:
    """The best label of each row, and the shares of all groups: first the best group, then the best label in it."""
    groups = shares @ np.eye(group_of.max() + 1)[group_of]
    own = group_of == groups.argmax(axis=1)[:, None]
    return np.where(own, shares, -1).argmax(axis=1), groups


def certainty(groups: Floats) -> Floats:
    """What the confidence in an answer is computed from: the log-odds of its group's share, and which group it is."""
    best = np.clip(groups.max(axis=1), 1e-7, 1 - 1e-7)
    # Ten times the log-odds, so that regularisation holds the offsets of the groups and hardly the slope.
    return np.column_stack((10 * np.log(best / (1 - best)), np.eye(groups.shape[1])[groups.argmax(axis=1)]))
