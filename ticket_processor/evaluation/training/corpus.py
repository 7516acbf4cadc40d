"""Labelled tickets made ready to learn from: cleaned, redacted, without repeats."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from ...analysis.classifier.features import plain_form
from ...analysis.classifier.storage import TASKS, Task
from ...analysis.text.cleaning import clean
from ...analysis.text.redact import RedactedText, redact
from ..data import Example

MAX_TICKETS = 20_000
"""Tickets learnt from; more take hours and change little."""


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
