"""How good models' advice is: their likelihoods against what happened, cause and steps against a person's words. Pure.

Words are compared by their stems, as for the drafts of replies: how much of what was said stands in the truth
(precision), and how much of the truth was said (recall, nothing where nothing was said).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from statistics import fmean

from ..core.models import Analysis
from ..core.tables import Table
from ..replies.grounding import share_found
from .data import Example
from .scores import LikelihoodScores, score_likelihood


@dataclass(frozen=True)
class WordScores:
    """One part in words: rows with a truth, the share of them with an answer, and how much of the words is shared."""

    count: int
    given: float
    precision: float | None
    recall: float


@dataclass(frozen=True)
class AdviceScores:
    """The parts of the advice that some rows have a truth for; ``None`` for the others."""

    resolution_likelihood: LikelihoodScores | None = None
    root_cause: WordScores | None = None
    steps: WordScores | None = None


def score_advice(examples: Sequence[Example], analyses: Sequence[Analysis]) -> AdviceScores | None:
    """The scores; ``None`` where no row has a truth, or no answer any advice."""
    if not any(example.says_what_solved_it for example in examples) or not any(map(_advises, analyses)):
        return None
    rows = list(zip(examples, analyses, strict=True))
    solved = [(one.solved_first_reply, said.resolution_likelihood) for one, said in rows]
    return AdviceScores(
        resolution_likelihood=score_likelihood([(truth, said) for truth, said in solved if truth is not None]),
        root_cause=_words([(one.root_cause, said.root_cause) for one, said in rows]),
        steps=_words([(one.steps, "\n".join(said.steps)) for one, said in rows]),
    )


def _advises(analysis: Analysis) -> bool:
    return bool(analysis.root_cause or analysis.steps or analysis.resolution_likelihood is not None)


def _words(pairs: Sequence[tuple[str, str]]) -> WordScores | None:
    labelled = [(truth, said) for truth, said in pairs if truth]
    given = [(truth, said) for truth, said in labelled if said]
    if not labelled:
        return None
    return WordScores(
        count=len(labelled),
        given=len(given) / len(labelled),
        precision=fmean(share_found(said, truth) for truth, said in given) if given else None,
        recall=fmean(share_found(truth, said) for truth, said in labelled),
    )


def advice_data(found: AdviceScores) -> dict[str, dict[str, float | None]]:
    """The scores as plain data, each part that has any."""
    return {
        name: {key: None if value is None else round(value, 6) for key, value in scores.items()}
        for name, scores in asdict(found).items()
        if scores is not None
    }


LIKELIHOOD_TITLE = "solved by the first reply"
LIKELIHOOD_COLUMNS = ("<analyser", "<tickets from", "n", "given", "solved", "Brier", "of the share", "AUROC", "ECE")
WORDS_TITLE = "cause and steps: shared words"
WORDS_COLUMNS = ("<analyser", "<tickets from", "<part", "n", "given", "precision", "recall")
Row = tuple[str, ...]
Found = Sequence[tuple[str, str, AdviceScores]]
"""Scores behind the names of analyser and source."""


def advice_tables(found: Found) -> list[Table]:
    """Each table that has rows, for a screen or a page."""
    tables: list[tuple[str, tuple[str, ...], Callable[[AdviceScores], list[Row]]]] = [
        (LIKELIHOOD_TITLE, LIKELIHOOD_COLUMNS, _likelihood_rows),
        (WORDS_TITLE, WORDS_COLUMNS, _word_rows),
    ]
    made = [
        Table(title, columns, tuple((name, source, *row) for name, source, scores in found for row in rows_of(scores)))
        for title, columns, rows_of in tables
    ]
    return [table for table in made if table.rows]


def _likelihood_rows(found: AdviceScores) -> list[Row]:
    scores = found.resolution_likelihood
    if scores is None:
        return []
    figures = (scores.given, scores.solved, scores.brier, scores.brier_of_share, scores.auroc, scores.ece)
    return [(str(scores.count), *map(_shown, figures))]


def _word_rows(found: AdviceScores) -> list[Row]:
    parts = (("cause", found.root_cause), ("steps", found.steps))
    return [(part, str(one.count), *map(_shown, (one.given, one.precision, one.recall))) for part, one in parts if one]


def _shown(value: float | None) -> str:
    return "-" if value is None else f"{value:.3f}"
