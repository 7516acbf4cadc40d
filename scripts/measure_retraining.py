"""Measure what a classifier gains from approved corrections, and what one account's false ones do to it.

    python scripts/measure_retraining.py DATA_DIR [--files it_service …] [--draws 3]

For each file and draw, a classifier learns the category from 300 labelled rows and answers 600 others. People correct
90% of its errors, and 5% of them to a wrong label; it learns from the 300 and the corrections, and both versions answer
the rest of the file (1,000 rows of it, for time). Then one account "corrects" 200 of its right answers to one label.
"refused" counts the trainings that ``train --from-corrections`` would not have stored.
"""

from __future__ import annotations

import argparse
import random
import statistics
import tempfile
from collections.abc import Sequence
from pathlib import Path

import development  # noqa: F401 - for its effect
from labelled_files import labelled_files

from ticket_processor.analysis.classifier.analyser import LocalClassifier
from ticket_processor.analysis.classifier.storage import write
from ticket_processor.analysis.rules.analyser import RulesAnalyser
from ticket_processor.core.errors import AnalysisFailed
from ticket_processor.core.taxonomy import default_taxonomy
from ticket_processor.evaluation.data import Example, read_examples
from ticket_processor.evaluation.scores import score
from ticket_processor.evaluation.training.comparison import gains, worse
from ticket_processor.evaluation.training.corpus import corpus_of, text_of
from ticket_processor.evaluation.training.fitting import Trained, train

FILES = ("it_service", "tickets_german", "banking77")
LEARNT, ANSWERED, MOST_TESTED, POISON = 300, 600, 1_000, 200
NOTICED, MISTAKEN = 0.9, 0.05
TAXONOMY = default_taxonomy()
RULES = RulesAnalyser(TAXONOMY)


def learnt(rows: Sequence[Example], corrected: Sequence[Example] = ()) -> Trained:
    """A classifier of categories, as ``train`` makes it."""
    corpus = corpus_of(rows, corrected)
    return train(corpus, TAXONOMY, RULES, tasks=("category",), source="measurement", trained_at="", own_desk=True)


def answers(trained: Trained, rows: Sequence[Example]) -> list[str]:
    """Its categories, whether or not it beats the rules."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        description = write(folder, trained.description, trained.arrays)
        classifier = LocalClassifier(folder, description, TAXONOMY, RULES)
        found = []
        for row in rows:
            try:
                found.append(classifier.predict(text_of(row), ("category",))["category"].label)
            except AnalysisFailed:
                found.append(TAXONOMY.fallback)
    return found


def measure(rows: Sequence[Example], seed: int) -> dict[str, float]:
    """One draw."""
    dice = random.Random(seed)
    drawn = dice.sample(list(rows), len(rows))
    base, seen, fresh = drawn[:LEARNT], drawn[LEARNT : LEARNT + ANSWERED], drawn[LEARNT + ANSWERED :][:MOST_TESTED]
    labels, gold = sorted({str(row.category) for row in rows}), [str(row.category) for row in fresh]
    before = learnt(base)
    said = answers(before, seen)
    wrong = [row for row, answer in zip(seen, said, strict=True) if row.category != answer and dice.random() < NOTICED]
    corrections = [
        row.model_copy(update={"category": dice.choice(labels)}) if dice.random() < MISTAKEN else row for row in wrong
    ]
    right = [row for row, answer in zip(seen, said, strict=True) if row.category == answer]
    target = max(labels, key=[str(row.category) for row in rows].count)
    poison = [row.model_copy(update={"category": target}) for row in right if row.category != target][:POISON]
    result = {"corrections": float(len(corrections)), "before": score(gold, answers(before, fresh)).macro_f1}
    for name, taught in (("after", corrections), ("poisoned", poison)):
        trained = learnt(base, taught)
        result[name] = score(gold, answers(trained, fresh)).macro_f1
        result[f"{name} refused"] = float(bool(worse(gains(before, trained))))
    return result


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("data_dir", type=Path, help="folder with *.jsonl.gz files")
    parser.add_argument("--files", nargs="+", default=FILES)
    parser.add_argument("--draws", type=int, default=3)
    options = parser.parse_args()
    for name, path in labelled_files(options.data_dir, options.files):
        others = {"urgency": None, "sentiment": None}
        rows = [row.model_copy(update=others) for row in read_examples([path]) if row.category in TAXONOMY.names]
        found = [measure(rows, seed) for seed in range(options.draws)]
        for one in found:
            print(f"{name}: " + ", ".join(f"{key} {value:.3f}" for key, value in one.items()), flush=True)
        mean = {key: statistics.mean(one[key] for one in found) for key in found[0]}
        print(f"{name}, mean: " + ", ".join(f"{key} {value:.3f}" for key, value in mean.items()), flush=True)


if __name__ == "__main__":
    main()
