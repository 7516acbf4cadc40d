"""Labelled tickets made ready to learn from, and one task as the learner is asked it.

The rules' knowledge is given to the learner as tickets: one for each label, without words, of which they are sure. So
it begins as good as the rules and departs from them as far as the tickets tell, and it still answers with labels that
no ticket has.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from scipy import sparse

from ..analysis.classifier.features import Floats, Groups, Ints, Matrix, beside, groups_of, plain_form, vote
from ..analysis.classifier.storage import TASKS, Task
from ..analysis.text.cleaning import clean
from ..analysis.text.redact import RedactedText, redact
from ..core.models import Sentiment, Urgency
from ..core.taxonomy import Taxonomy
from .data import Example

MAX_TICKETS = 20_000
"""Tickets learnt from; more take hours and change little."""
VOTES = 3
"""Tickets that a vote counts for."""
FEWEST_OF_A_LABEL = 5
"""Two labels need so many tickets each, and so does a sub-category, or its tickets count for its category."""


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
    seen: set[tuple[str, ...]] = set()
    texts: list[RedactedText] = []
    labels: dict[Task, list[str | None]] = {task: [] for task in TASKS}
    repeats = passed_over = tested = 0
    for place, example in enumerate((*examples, *corrected)):
        if len(texts) == (MAX_TICKETS if place >= len(examples) else MAX_TICKETS - len(corrected)):
            passed_over += 1
            continue
        text = text_of(example)
        key = (plain_form(text.text), *(example.label(task) or "" for task in TASKS))
        if not key[0].strip() or key in seen:
            repeats += 1
            continue
        seen.add(key)
        tested += place < len(examples)
        texts.append(text)
        for task in TASKS:
            labels[task].append(example.label(task))
    return Corpus(tuple(texts), {task: tuple(given) for task, given in labels.items()}, repeats, passed_over, tested)


def text_of(example: Example) -> RedactedText:
    """The text of a ticket that an analyser would see."""
    return redact(clean(example.subject, example.body), names=example.names)


@dataclass(frozen=True)
class LabelledTask:
    """One task's labelled tickets; ``tested`` are the places of those that scores are computed from."""

    task: Task
    labels: tuple[str, ...]
    left_out: dict[str, int]
    rows: Ints
    gold: tuple[str, ...]
    targets: Ints
    names: tuple[str, ...]
    groups: Groups
    tested: Ints

    def with_votes(self, matrix: Matrix, targets: Ints, weight: float) -> tuple[Matrix, Ints, Floats]:
        """``matrix`` and ``targets`` of some rows with the rules' votes behind them, and what each row counts.

        Labels with tickets count the same, however many they have. One without counts for its vote alone. A
        sub-category has no vote.
        """
        voted = [at for at, label in enumerate(self.labels) if self.task != "category" or label in self.names]
        counts = np.bincount(targets, minlength=len(self.labels)).astype(float)
        seen = counts > 0
        counts[voted] += VOTES
        counts_for = np.where(seen, counts[seen].mean() / counts, 1)
        votes = np.array([vote(self.task, self.labels[at], self.names) for at in voted]) * weight
        blank = sparse.csr_matrix((len(voted), matrix.shape[1] - votes.shape[1]), dtype=np.float32)
        whole = sparse.vstack([matrix, beside(blank, votes)], format="csr")
        rows_count = np.concatenate((counts_for[targets], counts_for[voted] * VOTES))
        return whole, np.concatenate((targets, voted)), rows_count


def labelled_task(corpus: Corpus, task: Task, taxonomy: Taxonomy) -> LabelledTask | str:
    """The tickets to learn ``task`` from, or why there is nothing to learn."""
    given = corpus.labels[task]
    counts = Counter(label for label in given if label is not None)
    if not counts:
        return "no ticket has a label"
    space: list[str] = list(taxonomy.names) if task == "category" else [*Urgency] if task == "urgency" else [*Sentiment]
    known = [name for name in space if counts[name]]
    if not known:
        return "the tickets' labels are none of the taxonomy's categories"
    enough = [name for name in known if counts[name] >= FEWEST_OF_A_LABEL]
    if len(enough) < 2:
        return (
            f"it takes two labels with at least {FEWEST_OF_A_LABEL} different tickets each, and there are {len(enough)}"
        )
    learnt_as = {name: name for name in known}
    if task == "category":
        learnt_as |= {name: taxonomy.split(name)[0] for name in known if name not in enough}
        wanted = {*learnt_as.values(), *taxonomy.top} - {
            top for top in taxonomy.top if top not in learnt_as.values() and set(taxonomy.children(top)) & set(enough)
        }
    else:  # where nothing was ever critical there may be three levels
        wanted = {name for name in space if name in known or name != Urgency.CRITICAL}
    labels = tuple(str(name) for name in space if name in wanted)
    rows = np.array([at for at, label in enumerate(given) if label in learnt_as])
    tested = np.flatnonzero(rows < corpus.tested)
    if not len(tested):
        return "none but corrected tickets have a label, and these are no test"
    gold = tuple(str(given[at]) for at in rows)
    targets = np.array([labels.index(learnt_as[label]) for label in gold])
    left_out = {label: count for label, count in counts.items() if label not in labels}
    groups = groups_of(task, labels, taxonomy)
    return LabelledTask(task, labels, left_out, rows, gold, targets, taxonomy.names, groups, tested)
