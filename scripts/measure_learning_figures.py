"""Measure what is learnt from labels: whether thresholds keep their promise, and whether doubted labels are wrong.

    python scripts/measure_learning_figures.py DATA_DIR [--histories 200] [--draws 10] [--files it_service …]

``DATA_DIR`` holds ``*.jsonl.gz`` ticket sets. Answers are the neighbours' leave-one-out vote on a whole file, their
confidence is its share. Thresholds: of 200 random histories of 300 answers of a file, how many have a threshold, and
how many of all have one that keeps less than 94% on the file's other answers. Doubts: a tenth of a file's labels,
drawn at random, become others; how many of the 50 most doubtful are among them, mean of ten draws.
"""

from __future__ import annotations

import argparse
import random
from collections import defaultdict
from pathlib import Path

import development  # noqa: F401 - for its effect
from labelled_files import labelled_files

from ticket_processor.analysis.text.cleaning import clean
from ticket_processor.analysis.text.redact import redact
from ticket_processor.evaluation.data import read_examples
from ticket_processor.evaluation.scores import threshold_for
from ticket_processor.learning.doubtful_labels import Neighbours, doubtful_labels, neighbours_of
from ticket_processor.learning.neighbours import VOTERS
from ticket_processor.learning.thresholds import LEAST_REVIEWED

FILES = ("it_service", "banking77", "tickets_german", "github_issues")
PROMISED, BROKEN = 0.95, 0.94
FLIPPED, LISTED = 0.1, 50


def tickets_of(path: Path) -> tuple[list[str], list[str]]:
    """Categories and redacted texts of a file's labelled tickets."""
    rows = [row for row in read_examples([path]) if row.category is not None]
    texts = [redact(clean(row.subject, row.body), names=row.names).text for row in rows]
    return [str(row.category) for row in rows], texts


def answers_of(labels: list[str], neighbours: Neighbours) -> list[tuple[bool, float]]:
    """Whether the vote of each ticket's neighbours is right, and its confidence."""
    found = []
    for label, near in zip(labels, neighbours, strict=True):
        weights: defaultdict[str, float] = defaultdict(float)
        for place, score in near[:VOTERS]:
            weights[labels[place]] += score
        if total := sum(weights.values()):
            best = max(weights, key=weights.__getitem__)
            found.append((best == label, weights[best] / total))
    return found


def promises(answers: list[tuple[bool, float]], histories: int) -> tuple[int, int, float]:
    """How many histories have a threshold, how many break its promise, and the mean coverage of those that have one."""
    dice, found, broken, covered = random.Random(19), 0, 0, 0.0
    for _ in range(histories):
        drawn = dice.sample(answers, len(answers))
        seen, fresh = drawn[:LEAST_REVIEWED], drawn[LEAST_REVIEWED:]
        threshold = threshold_for(PROMISED, [right for right, _ in seen], [sure for _, sure in seen])
        if threshold is None:
            continue
        kept = [right for right, sure in fresh if sure >= threshold.threshold]
        found += 1
        broken += sum(kept) < BROKEN * len(kept)
        covered += len(kept) / len(fresh)
    return found, broken, covered / max(1, found)


def doubted(labels: list[str], neighbours: Neighbours, draws: int) -> tuple[float, float, float]:
    """How many of the listed labels are planted, mean and fewest, where there is a list; the vote's mean accuracy."""
    names = sorted(set(labels))
    shares, accuracies = [], []
    for seed in range(draws):
        dice = random.Random(seed)
        flipped = set(dice.sample(range(len(labels)), round(FLIPPED * len(labels))))
        planted = [
            (str(place), dice.choice([name for name in names if name != label]) if place in flipped else label)
            for place, label in enumerate(labels)
        ]
        found = doubtful_labels(planted, neighbours)
        accuracies.append(found.accuracy)
        if found.usable:
            shares.append(sum(int(one.ticket) in flipped for one in found.doubtful[:LISTED]) / LISTED)
    mean = sum(shares) / len(shares) if shares else float("nan")
    return mean, min(shares, default=float("nan")), sum(accuracies) / len(accuracies)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("data_dir", type=Path, help="folder with *.jsonl.gz files")
    parser.add_argument("--histories", type=int, default=200)
    parser.add_argument("--draws", type=int, default=10)
    parser.add_argument("--files", nargs="+", default=FILES)
    options = parser.parse_args()
    for name, path in labelled_files(options.data_dir, options.files):
        labels, texts = tickets_of(path)
        near = neighbours_of(texts)
        found, broken, coverage = promises(answers_of(labels, near), options.histories)
        print(
            f"{name}: of {options.histories} histories {found} have a threshold, {broken} break its promise "
            f"({broken / options.histories:.1%}), coverage {coverage:.0%}",
            flush=True,
        )
        mean, least, accuracy = doubted(labels, near, options.draws)
        print(
            f"{name}: of the {LISTED} most doubtful labels {mean:.2f} are planted (fewest {least:.2f}), "
            f"vote {accuracy:.3f}",
            flush=True,
        )


if __name__ == "__main__":
    main()
