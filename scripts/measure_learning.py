"""Measure what a site without a model gains in eight weeks from people's corrections, and what one account can spoil.

    python scripts/measure_learning.py DATA_DIR [--files it_service tickets_german] [--seeds 0 1 2] [--by person rule]

``DATA_DIR`` holds ``*.jsonl.gz`` ticket sets. Of each file 40% of the rows (500 at most) are tested on and never learnt
from; texts whose first words are alike are taken once. The others come in as 60 tickets a day, again from the first
when all have been. Eight people deal with them all: they correct nine of ten wrong categories, 5% of these to a wrong
one. At the end of each week a person approves all but what one account pushes ("person"), or ``learning.auto_approve``
does ("rule"). "week N" is the accuracy on the tested rows with what was approved before it.

Poisoned: in the third week one more account moves 200 tickets to one label, the commonest or the rarest one; "lost" is
against the same course without it, in week 8 and in the worst week; "let in" are its corrections that were approved,
the most over the seeds. All figures are means over the seeds but "lowest", "worst", "least" and "most". "Shuffled": the
share of tested rows that get the same category from the same examples kept in another order. Tokens are estimates of
what examples add to a prompt; no model is asked.
"""

from __future__ import annotations

import argparse
import random
import statistics
from collections import Counter
from collections.abc import Sequence
from contextlib import closing
from dataclasses import dataclass, replace
from pathlib import Path

from labelled_files import labelled_files

from ticket_processor.analysis.model_server.token_estimate import estimate_tokens
from ticket_processor.analysis.rules.analyser import RulesAnalyser
from ticket_processor.analysis.text.redact import RedactedText
from ticket_processor.core.models import RedactionLevel
from ticket_processor.core.taxonomy import default_taxonomy
from ticket_processor.evaluation.data import read_examples
from ticket_processor.evaluation.scores import score
from ticket_processor.evaluation.training.corpus import text_of
from ticket_processor.knowledge.lexical import query_words
from ticket_processor.learning.decisions import approve_agreed
from ticket_processor.learning.model import Correction
from ticket_processor.learning.neighbours import ExampleIndex, LearntExample, examples_of
from ticket_processor.learning.prompt_examples import ExamplePicker
from ticket_processor.learning.review import correction_groups
from ticket_processor.learning.store import LearningStore

WEEKS, A_WEEK, A_DAY_S = 8, 7 * 60, 86_400.0
CORRECTED, WRONGLY, PEOPLE = 0.9, 0.05, 8
POISONED_WEEK, POISONED, POISONER = 3, 200, 66
TESTED, MOST_TESTED = 0.4, 500
START = 1_800_000_000.0
TAXONOMY = default_taxonomy()
RULES = RulesAnalyser(TAXONOMY)


@dataclass(frozen=True)
class Row:
    text: RedactedText
    gold: str
    rules: str


@dataclass
class Course:
    """A site's eight weeks: accuracy and macro-F1 with what was approved before each week, and at the end."""

    accuracy: list[float]
    macro_f1: list[float]
    found: list[LearntExample]
    index: ExampleIndex
    tested: list[Row]
    let_in: int = 0


def rows_of(path: Path) -> list[Row]:
    found: dict[tuple[str, ...], Row] = {}
    for example in read_examples([path]):
        if (gold := example.label("category")) is None:
            continue
        text = text_of(example)
        key = tuple(query_words(text.text)[:12])
        if key and key not in found:
            found[key] = Row(text, str(gold), RULES.analyse(text).category)
    return list(found.values())


def answered(row: Row, index: ExampleIndex) -> str:
    opinion = index.opinion(row.text.text, TAXONOMY)
    return row.rules if opinion is None else opinion.category


def course(rows: Sequence[Row], seed: int, *, by: str, touched: bool = True, poison: str | None = None) -> Course:
    """``by`` is who approves: ``person`` or ``rule``."""
    rng = random.Random(seed)
    order = rng.sample(range(len(rows)), len(rows))
    apart = int(TESTED * len(rows))
    tested, coming = [rows[at] for at in order[:apart][:MOST_TESTED]], [rows[at] for at in order[apart:]]
    labels = sorted({row.gold for row in rows})
    done = Course([], [], [], ExampleIndex(()), tested)
    with closing(LearningStore(None)) as store:
        for week in range(1, WEEKS + 2):
            given = [answered(row, done.index) for row in tested]
            done.accuracy.append(sum(row.gold == label for row, label in zip(tested, given, strict=True)) / len(tested))
            done.macro_f1.append(score([row.gold for row in tested], given).macro_f1)
            if week > WEEKS:
                break
            if touched:
                _work(week, coming, labels, done.index, store, rng, poison if week == POISONED_WEEK else None)
            now = START + 7 * week * A_DAY_S
            if by == "rule":
                approve_agreed(store, now)
            else:
                groups = correction_groups(store.corrections("pending", kept=True))
                if ids := {number for group in groups for number in set(group.ids) - set(group.pushed)}:
                    store.decide(ids, "approved", "a person", now)
            done.found = examples_of(store, TAXONOMY)
            done.index = ExampleIndex(done.found)
        done.let_in = sum(item.author == POISONER for item in store.corrections("approved"))
    return done


def _work(
    week: int,
    coming: Sequence[Row],
    labels: Sequence[str],
    index: ExampleIndex,
    store: LearningStore,
    rng: random.Random,
    poison: str | None,
) -> None:
    """A week's tickets, as people leave them behind."""
    found: list[Correction] = []
    moved = 0
    for place in range(A_WEEK):
        number = (week - 1) * A_WEEK + place
        row = coming[number % len(coming)]
        ours = theirs = answered(row, index)
        author = 100 + rng.randrange(PEOPLE)
        corrects, wrongly, which = rng.random() < CORRECTED, rng.random() < WRONGLY, rng.random()
        if ours != row.gold and corrects:
            others = [label for label in labels if label not in (row.gold, ours)]
            theirs = others[int(which * len(others))] if others and wrongly else row.gold
        if poison is not None and moved < POISONED and ours != poison:
            theirs, author, moved = poison, POISONER, moved + 1
        at = START + ((week - 1) * 7 + place / 60) * A_DAY_S
        found.append(
            Correction(0, number + 1, "category", ours, theirs, author, "person", at, text=row.text.text[:1_000])
        )
    store.keep([], found)


def same_when_shuffled(one: Course, seed: int) -> float:
    """The share of tested rows with the same answer from the same examples, kept in another order."""
    shuffled = random.Random(seed).sample(one.found, len(one.found))
    index = ExampleIndex(replace(item, id=place) for place, item in enumerate(shuffled, start=1))
    return statistics.mean(answered(row, index) == answered(row, one.index) for row in one.tested)


def tokens(index: ExampleIndex, rows: Sequence[Row], most: int) -> list[int]:
    """What examples add to the prompts of these rows."""
    picker = ExamplePicker(index, most)
    return [
        estimate_tokens(some.before("a1b2c3d4e5f6", RedactionLevel.STANDARD)) if some.ids else 0
        for some in (picker(row.text) for row in rows)
    ]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("data_dir", type=Path, help="folder with *.jsonl.gz files")
    parser.add_argument("--files", nargs="+", default=["it_service", "tickets_german"])
    parser.add_argument("--seeds", type=int, nargs="+", default=[0, 1, 2])
    parser.add_argument("--by", nargs="+", default=["person", "rule"], choices=["person", "rule"])
    options = parser.parse_args()
    for name, path in labelled_files(options.data_dir, options.files):
        rows = rows_of(path)
        print(f"{name}: {len(rows)} rows")
        ranked = [label for label, _ in Counter(row.gold for row in rows).most_common()]
        untouched = course(rows, options.seeds[0], by="person", touched=False)
        print(f"  nobody touches anything: {len(untouched.found)} examples, accuracy {set(untouched.accuracy)}")
        for by in options.by:
            runs = [course(rows, seed, by=by) for seed in options.seeds]
            weeks = [f"{statistics.mean(each):.3f}" for each in zip(*(run.accuracy for run in runs), strict=True)]
            gains = [run.accuracy[WEEKS - 1] - run.accuracy[0] for run in runs]
            first, last = (statistics.mean(run.macro_f1[at] for run in runs) for at in (0, WEEKS - 1))
            lowest = min(min(run.accuracy) - run.accuracy[0] for run in runs)
            print(
                f"  approved by {by}: weeks 1 to 9 {' '.join(weeks)}; week 8 {statistics.mean(gains):+.3f} "
                f"(least {min(gains):+.3f}), lowest {lowest:+.3f}; macro-F1 {first:.3f} to {last:.3f}; "
                f"{len(runs[0].found):,} examples",
                flush=True,
            )
            for label in (ranked[0], ranked[-1]):
                spoilt = [course(rows, seed, by=by, poison=label) for seed in options.seeds]
                lost = [
                    [was - now for was, now in zip(run.accuracy, poisoned.accuracy, strict=True)]
                    for run, poisoned in zip(runs, spoilt, strict=True)
                ]
                print(
                    f"    poisoned to {label}: {statistics.mean(each[WEEKS - 1] for each in lost):+.3f} lost in week "
                    f"8, {max(map(max, lost)):+.3f} in the worst; {max(run.let_in for run in spoilt)} let in",
                    flush=True,
                )
        print(f"  shuffled: {statistics.mean(same_when_shuffled(run, seed) for seed, run in enumerate(runs)):.3f}")
        for most in (4, 6):
            found = tokens(runs[0].index, rows[:300], most)
            print(f"  {most} examples add {statistics.mean(found):.0f} tokens to a prompt, most {max(found)}")


if __name__ == "__main__":
    main()
