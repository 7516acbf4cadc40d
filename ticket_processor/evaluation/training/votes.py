"""What the rules know, given to the learner as tickets: one for each label, without words, of which they are sure.

So it begins as good as the rules and departs from them as far as the tickets tell, and it still answers with labels
that no ticket has.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from scipy import sparse

from ...analysis.classifier.points import rules_features, vote
from ...analysis.classifier.scoring import Floats
from ...analysis.classifier.storage import Task
from ...core.models import Analysis
from .contenders import Matrix, Targets

VOTES = 3
"""Tickets that a vote counts for."""

RulesAnswer = tuple[Analysis, dict[str, float], float]


def rules_matrix(task: Task, answers: Sequence[RulesAnswer], names: Sequence[str]) -> Floats:
    """The rules' points, a row for each ticket."""
    return np.array([rules_features(task, *answer, names) for answer in answers], np.float32)


def with_votes(
    task: Task, labels: Sequence[str], names: Sequence[str], matrix: Matrix, targets: Targets, weight: float
) -> tuple[Matrix, Targets, Floats]:
    """``matrix`` and ``targets`` with the votes behind them, and what each row counts.

    Labels with tickets count the same, however many they have. One without counts for its vote alone. A sub-category
    has no vote.
    """
    voted = [at for at, label in enumerate(labels) if task != "category" or label in names]
    counts = np.bincount(targets, minlength=len(labels)).astype(np.float32)
    seen = counts > 0
    counts[voted] += VOTES
    counts_for = np.where(seen, counts[seen].sum() / seen.sum() / counts, 1)
    votes = np.array([vote(task, labels[at], names) for at in voted], np.float32) * np.float32(weight)
    blank = sparse.csr_matrix((len(voted), matrix.shape[1] - votes.shape[1]), dtype=np.float32)
    whole = sparse.vstack([matrix, sparse.hstack([blank, sparse.csr_matrix(votes)])], format="csr", dtype=np.float32)
    rows_count = np.concatenate((counts_for[targets], counts_for[voted] * VOTES)).astype(np.float32)
    return whole, np.concatenate((targets, voted)), rows_count
