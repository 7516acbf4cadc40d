"""Labelled tickets made ready to learn from: cleaned, redacted, without repeats, counted once for all folds."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy import sparse
from sklearn.feature_extraction.text import CountVectorizer
from sklearn.preprocessing import normalize

from ...analysis.classifier.scoring import Features, Floats, character_grams, plain_form, word_grams
from ...analysis.classifier.storage import TASKS, Task
from ...analysis.text.cleaning import clean
from ...analysis.text.redact import RedactedText, redact
from ..data import Example

Rows = npt.NDArray[np.int64]

MAX_TICKETS = 20_000
"""Tickets learnt from; more take hours and change little."""

FEWEST_TICKETS = 2
"""Different tickets in which an n-gram must occur; they may be of one customer, who is not known here."""

_MOST_WORDS = 60_000
_MOST_PIECES = 50_000


@dataclass(frozen=True)
class Corpus:
    """Different tickets, and for each task one label or ``None`` a ticket; the first ``tested`` are also tested on."""

    texts: tuple[RedactedText, ...]
    labels: Mapping[Task, tuple[str | None, ...]]
    repeats: int
    passed_over: int
    tested: int


def corpus_of(examples: Sequence[Example], corrected: Sequence[Example] = ()) -> Corpus:
    """The first :data:`MAX_TICKETS` different tickets, as an analyser would see them; ``corrected`` are no test.

    A text that comes again with the same labels is left out: it would be learnt and tested at once.
    """
    seen: dict[tuple[str, ...], None] = {}
    texts: list[RedactedText] = []
    labels: dict[Task, list[str | None]] = {task: [] for task in TASKS}
    repeats = passed_over = tested = 0
    for place, example in enumerate((*examples, *corrected)):
        if len(texts) == (MAX_TICKETS if place >= len(examples) else MAX_TICKETS - len(corrected)):
            passed_over += 1
            continue
        text = text_of(example)
        given = {task: example.label(task) for task in TASKS}
        key = (plain_form(text.text), *(label or "" for label in given.values()))
        if not key[0].strip() or key in seen:
            repeats += 1
            continue
        seen[key] = None
        tested += place < len(examples)
        texts.append(text)
        for task in TASKS:
            labels[task].append(given[task])
    return Corpus(tuple(texts), {task: tuple(given) for task, given in labels.items()}, repeats, passed_over, tested)


def text_of(example: Example) -> RedactedText:
    """The text of a ticket that an analyser would see."""
    return redact(clean(example.subject, example.body), names=example.names)


Part = tuple[sparse.csr_matrix, Any, Floats]
"""Counts of n-grams in all tickets of a corpus, the n-grams, and the weight of each."""


class NgramCounts:
    """Counts of each n-gram in each ticket of a corpus."""

    def __init__(self, texts: Sequence[RedactedText]) -> None:
        forms = [plain_form(text.text) for text in texts]
        self._words, self._pieces = _count(forms, word_grams), _count(forms, character_grams)

    def space(self, rows: Rows) -> TfidfSpace:
        """TF-IDF as the tickets ``rows`` alone teach it."""
        return TfidfSpace(_weighed(*self._words, rows, _MOST_WORDS), _weighed(*self._pieces, rows, _MOST_PIECES))


@dataclass(frozen=True)
class TfidfSpace:
    """TF-IDF as learnt from some tickets, for any of the corpus."""

    words: Part
    pieces: Part

    def matrix(self, rows: Rows) -> sparse.csr_matrix:
        """One row a ticket; the same values as :meth:`Features.vector` gives."""
        blocks = []
        for counts, _, idf in (self.words, self.pieces):
            block = counts[rows].astype(np.float32)
            block.data = 1 + np.log(block.data)
            blocks.append(normalize(block.multiply(idf).tocsr(), copy=False))
        return sparse.hstack(blocks, format="csr", dtype=np.float32)

    def features(self) -> Features:
        """The same for use without scipy."""
        words, pieces = self.words[1], self.pieces[1]
        return Features(
            {str(gram): at for at, gram in enumerate(words)},
            {str(gram): at for at, gram in enumerate(pieces, len(words))},
            np.concatenate((self.words[2], self.pieces[2])),
        )


def _weighed(counts: sparse.csr_matrix, names: Any, rows: Rows, most: int) -> Part:
    """The ``most`` frequent n-grams of the tickets ``rows``."""
    tickets = np.bincount(counts[rows].indices, minlength=counts.shape[1])
    columns = np.flatnonzero(tickets >= FEWEST_TICKETS)
    if len(columns) > most:
        columns = np.sort(columns[np.argsort(-tickets[columns], kind="stable")[:most]])
    idf = np.log((1 + len(rows)) / (1 + tickets[columns])) + 1
    return counts[:, columns], names[columns], idf.astype(np.float32)


def _count(forms: list[str], analyzer: Any) -> tuple[Any, Any]:
    vectorizer = CountVectorizer(analyzer=analyzer, dtype=np.int32)
    try:
        counts = vectorizer.fit_transform(forms)
    except ValueError:  # no n-gram at all
        return sparse.csr_matrix((len(forms), 0), dtype=np.int32), np.empty(0, object)
    names = vectorizer.get_feature_names_out()
    tickets = np.bincount(counts.indices, minlength=counts.shape[1])
    kept = np.flatnonzero(tickets >= FEWEST_TICKETS)
    return counts[:, kept].tocsr(), names[kept]
