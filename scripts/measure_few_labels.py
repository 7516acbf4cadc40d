"""Measure what a classifier learnt from few labels does, and whether it is ever put in use to the harm of a desk.

    python scripts/measure_few_labels.py DATA_DIR [--labels 50 100 200] [--draws 3]

``DATA_DIR`` holds ``*.jsonl.gz`` ticket sets. For each file, field, number and draw, so many labelled rows are drawn
(by a fixed seed) and learnt from. "in use" is macro-F1 of the whole analysis over all labels of the other rows (1,000
of them, for time), "rules" that of the keyword rules alone. A field needs 100 rows to test on.
"""

from __future__ import annotations

import argparse
import random
import statistics
import tempfile
from collections import defaultdict
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from measure_classifier import NOT_TICKETS

from ticket_processor.analysis.classifier.analyser import LocalClassifier
from ticket_processor.analysis.classifier.storage import TASKS, Task, write
from ticket_processor.analysis.rules.analyser import RulesAnalyser
from ticket_processor.analysis.text.redact import RedactedText
from ticket_processor.core.errors import AnalysisFailed, ConfigError
from ticket_processor.core.models import Analysis
from ticket_processor.core.taxonomy import default_taxonomy
from ticket_processor.evaluation.data import Example, read_examples
from ticket_processor.evaluation.scores import score
from ticket_processor.evaluation.training.corpus import corpus_of, text_of
from ticket_processor.evaluation.training.fitting import rules_label, train

MOST_TEST_ROWS, FEWEST_TEST_ROWS = 1_000, 100
WORSE, MUCH_WORSE = 0.005, 0.03
TAXONOMY = default_taxonomy()
RULES = RulesAnalyser(TAXONOMY)


class Result(NamedTuple):
    """One training. ``cv_gain`` is what it said of itself."""

    used: bool
    in_use: float
    rules: float
    cv_gain: str

    @property
    def loss(self) -> float:
        return max(0.0, self.rules - self.in_use)


def measure(
    rows: Sequence[Example],
    texts: Sequence[RedactedText],
    by_rules: Sequence[Analysis],
    task: Task,
    labels: int,
    seed: int,
) -> Result:
    """One draw: what is in use after ``labels`` rows, tested on the others."""
    order = random.Random(seed).sample(range(len(rows)), len(rows))
    learnt_from, tested = order[:labels], order[labels:][:MOST_TEST_ROWS]
    others = dict.fromkeys(other for other in TASKS if other != task)
    gold = [str(rows[at].label(task)) for at in tested]
    known = {str(row.label(task)) for row in rows}
    rules = score(gold, [rules_label(task, by_rules[at], known) for at in tested]).macro_f1
    try:
        trained = train(
            corpus_of([rows[at].model_copy(update=others) for at in learnt_from]),
            TAXONOMY,
            RULES,
            tasks=(task,),
            source="measurement",
            trained_at="",
            own_desk=True,
        )
    except ConfigError:
        return Result(False, rules, rules, "cannot be learnt")
    learnt = trained.description.tasks[task]
    told = f"{learnt.macro_f1 - learnt.rules_macro_f1:+.2f} ({learnt.gain_low:+.2f} to {learnt.gain_high:+.2f})"
    if not learnt.used:
        return Result(False, rules, rules, told)
    with tempfile.TemporaryDirectory() as name:
        description = write(Path(name), trained.description, trained.arrays)
        classifier = LocalClassifier.load(Path(name), TAXONOMY, RULES)
        analyses = [_analysed(classifier, texts[at], by_rules[at]) for at in tested]
    in_use = score(gold, [rules_label(task, analysis, known) for analysis in analyses]).macro_f1
    return Result(bool(description.used), in_use, rules, told)


def _analysed(classifier: LocalClassifier, text: RedactedText, by_rules: Analysis) -> Analysis:
    try:
        return classifier.analyse(text)
    except AnalysisFailed:  # no word that it knows
        return by_rules


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("data_dir", type=Path, help="folder with *.jsonl.gz files")
    parser.add_argument("--labels", type=int, nargs="+", default=[50, 100, 200])
    parser.add_argument("--draws", type=int, default=3)
    parser.add_argument("--only", default="", help="files whose name holds this")
    options = parser.parse_args()
    found: dict[tuple[Task, int], dict[str, list[Result]]] = defaultdict(dict)
    print(f"{'file':20} {'task':10} {'labels':>6} {'used':>4} {'in use':>6} {'rules':>6} {'worst':>6}  gain it told")
    for path in sorted(options.data_dir.glob("*.jsonl.gz")):
        name = path.name.removesuffix(".jsonl.gz")
        if options.only not in name or name in NOT_TICKETS:
            continue
        examples = read_examples([path])
        for task in TASKS:
            rows = [row for row in examples if row.label(task) is not None]
            if len({row.label(task) for row in rows}) < 2:
                continue
            texts = [text_of(row) for row in rows]
            by_rules = [RULES.analyse(text) for text in texts]
            for labels in options.labels:
                if len(rows) - labels < FEWEST_TEST_ROWS:
                    continue
                results = [measure(rows, texts, by_rules, task, labels, seed) for seed in range(options.draws)]
                found[task, labels][name] = results
                used = sum(result.used for result in results)
                print(
                    f"{name:20} {task:10} {labels:6} {used:2}/{len(results)} "
                    f"{_mean(results, 'in_use'):6.3f} {_mean(results, 'rules'):6.3f} "
                    f"{max(result.loss for result in results):6.3f}  {'; '.join(result.cv_gain for result in results)}",
                    flush=True,
                )
    for labels in options.labels:
        chosen = [
            result for (_, count), files in found.items() if count == labels for r in files.values() for result in r
        ]
        worse = [result.loss for result in chosen if result.loss > WORSE]
        much = sum(loss > MUCH_WORSE for loss in worse)
        print(
            f"{labels} labels: {len(chosen)} trainings, {sum(result.used for result in chosen)} put in use, "
            f"{len(worse)} ({len(worse) / max(1, len(chosen)):.1%}) worse than the rules by more than {WORSE}, "
            f"{much} by more than {MUCH_WORSE}, at worst {max(worse, default=0.0):.3f}"
        )
        for task in TASKS:
            files = found.get((task, labels), {})
            if files:
                means = [
                    statistics.mean(_mean(results, field) for results in files.values())
                    for field in ("in_use", "rules")
                ]
                print(f"  {task}: mean of {len(files)} files in use {means[0]:.3f}, rules {means[1]:.3f}")


def _mean(results: Sequence[Result], field: str) -> float:
    return statistics.mean(getattr(result, field) for result in results)


if __name__ == "__main__":
    main()
