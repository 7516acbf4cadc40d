"""Measure the local classifier on labelled data: each fifth of a file answered by what the other four taught.

    python scripts/measure_classifier.py DATA_DIR

``DATA_DIR`` holds ``*.jsonl.gz`` ticket sets, and perhaps a ``README.md`` with a table of *learnable* macro-F1 figures.
"plain" is TF-IDF and logistic regression as anyone would write it, on the raw text and the same split. "rules" are the
keyword rules with the default taxonomy on the same test rows. "ms" is the mean processor time of
the whole analysis for one ticket, rules included. "ours" are the learnt answers as they are, "in use" those of the
whole analysis: with floors of urgency, and the rules' where the classifier did not beat them. "CV" columns are what
training itself said, from the four fifths.

ECE has ten bins, and is of the answers to all five fifths. "chance" is the mean and the 95% point of what answers of
the same confidence would have if it were exactly true: an ECE below the latter shows no fault. "a fifth" is the mean
ECE of single fifths, beside the mean by chance: few tickets have a large one, whatever the confidence.
"""

from __future__ import annotations

import argparse
import re
import statistics
import tempfile
import time
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import StratifiedKFold
from sklearn.pipeline import make_pipeline

from ticket_processor.analysis.classifier.analyser import LocalClassifier
from ticket_processor.analysis.classifier.storage import TASKS, Task, write
from ticket_processor.analysis.rules.analyser import RulesAnalyser
from ticket_processor.core.taxonomy import default_taxonomy
from ticket_processor.evaluation.data import Example, read_examples
from ticket_processor.evaluation.fitting import rules_label, train
from ticket_processor.evaluation.learners import corpus_of, text_of
from ticket_processor.evaluation.scores import calibration_error, percentile, reliability, score

USED = {0: "no", 1: "yes"}
NOT_TICKETS = ("pii", "injections", "language_id")
PARTS = 5
DRAWS = 200


def learnable(readme: Path) -> dict[tuple[str, str], float]:
    """The figures of the data's own table, by file and task."""
    if not readme.is_file():
        return {}
    row = re.compile(r"^\| `(\w+)` \| (category|priority|sentiment) \|.*?\| (\d\.\d+) \(majority", re.MULTILINE)
    found = row.findall(readme.read_text(encoding="utf-8"))
    return {(name, "urgency" if field == "priority" else field): float(figure) for name, field, figure in found}


def plain(train_rows: Sequence[Example], test_rows: Sequence[Example], task: Task) -> float:
    model = make_pipeline(
        TfidfVectorizer(ngram_range=(1, 2), sublinear_tf=True),
        LogisticRegression(C=10, class_weight="balanced", max_iter=300, tol=1e-3),
    )
    model.fit([f"{row.subject}\n{row.body}" for row in train_rows], [str(getattr(row, task)) for row in train_rows])
    predicted = model.predict([f"{row.subject}\n{row.body}" for row in test_rows])
    return score([str(getattr(row, task)) for row in test_rows], [str(label) for label in predicted]).macro_f1


def ece_of(right: Sequence[bool], confidence: Sequence[float]) -> float:
    return calibration_error(reliability(right, confidence))


def ece_by_chance(confidence: Sequence[float]) -> tuple[float, float]:
    """The mean and the 95% point of the ECE of answers that are right exactly as often as their confidence says."""
    rng = np.random.default_rng(0)
    drawn = [ece_of([bool(hit) for hit in rng.random(len(confidence)) < confidence], confidence) for _ in range(DRAWS)]
    return statistics.mean(drawn), percentile(drawn, 0.95)


def measure(
    train_rows: Sequence[Example], test_rows: Sequence[Example], task: Task, seed: int
) -> tuple[dict[str, float], list[bool], list[float]]:
    """One part: macro-F1 of the plain model, of ours and of the rules, ECE, and milliseconds.

    Then which answers are right, and their confidence.
    """
    taxonomy = default_taxonomy()
    rules = RulesAnalyser(taxonomy)
    others = dict.fromkeys(other for other in TASKS if other != task)
    trained = train(
        corpus_of([row.model_copy(update=others) for row in train_rows]),
        taxonomy,
        rules,
        tasks=(task,),
        source="measurement",
        trained_at="",
        own_desk=True,
        seed=seed,
    )
    texts = [text_of(row) for row in test_rows]
    gold = [str(getattr(row, task)) for row in test_rows]
    with tempfile.TemporaryDirectory() as name:
        description = write(Path(name), trained.description, trained.content)
        classifier = LocalClassifier(Path(name), description, taxonomy, rules)
        classifier.predict(texts[0])  # reads the weights
        answers = [classifier.predict(text)[1][task] for text in texts]
        start = time.process_time()
        analyses = [classifier.analyse(text) for text in texts] if description.used else []
        spent = 1000 * (time.process_time() - start) / len(texts)
    learnt = description.tasks[task]
    ours = score(gold, [answer.label for answer in answers])
    by_rules = score(gold, [rules_label(task, rules.analyse(text), learnt.labels) for text in texts])
    in_use = [rules_label(task, analysis, learnt.labels) for analysis in analyses]
    right = [answer.label == truth for answer, truth in zip(answers, gold, strict=True)]
    confidence = [answer.confidence for answer in answers]
    figures = {
        "in_use": score(gold, in_use).macro_f1 if in_use else by_rules.macro_f1,
        "plain": plain(train_rows, test_rows, task),
        "ours": ours.macro_f1,
        "rules": by_rules.macro_f1,
        "ece": ece_of(right, confidence),
        "chance": ece_by_chance(confidence)[0],
        "cv": learnt.macro_f1,
        "cv_ece": learnt.ece,
        "used": float(learnt.used),
        "ms": spent,
    }
    return figures, right, confidence


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("data_dir", type=Path, help="folder with *.jsonl.gz files")
    parser.add_argument("--only", default="", help="files whose name holds this")
    options = parser.parse_args()
    told = learnable(options.data_dir / "README.md")
    print(
        f"{'file':20} {'task':10} {'rows':>5} {'learnable':>9} {'plain':>6} {'ours':>6} {'in use':>6} {'rules':>6} "
        f"{'used':>4} {'ECE':>6} {'chance':>12} {'a fifth':>12} {'CV F1':>6} {'CV ECE':>6} {'ms':>5}"
    )
    short = []
    for path in sorted(options.data_dir.glob("*.jsonl.gz")):
        name = path.name.removesuffix(".jsonl.gz")
        if options.only not in name or name in NOT_TICKETS:
            continue
        examples = read_examples([path])
        for task in TASKS:
            rows = [row for row in examples if getattr(row, task) is not None]
            if len(Counter(getattr(row, task) for row in rows)) < 2:
                continue
            splits = StratifiedKFold(PARTS, shuffle=True, random_state=0).split(
                rows, [str(getattr(row, task)) for row in rows]
            )
            results, right, confidence = [], list[bool](), list[float]()
            for part, (known, asked) in enumerate(splits):
                result, hits, sure = measure([rows[at] for at in known], [rows[at] for at in asked], task, part)
                results.append(result)
                right += hits
                confidence += sure
            mean = {key: statistics.mean(result[key] for result in results) for key in results[0]}
            chance, bound = ece_by_chance(confidence)
            figure = told.get((name, task))
            if figure is not None and mean["ours"] < figure - 0.02:
                short.append(f"{name} {task}")
            print(
                f"{name:20} {task:10} {len(rows):5} "
                f"{'-' if figure is None else format(figure, '.3f'):>9} {mean['plain']:6.3f} {mean['ours']:6.3f} "
                f"{mean['in_use']:6.3f} {mean['rules']:6.3f} {USED.get(mean['used'], 'part'):>4} "
                f"{ece_of(right, confidence):6.3f} {chance:5.3f}, {bound:.3f} {mean['ece']:5.3f}, {mean['chance']:.3f} "
                f"{mean['cv']:6.3f} {mean['cv_ece']:6.3f} {mean['ms']:5.2f}",
                flush=True,
            )
    print(f"more than 0.02 below the learnable figure: {', '.join(short) or 'none'}")


if __name__ == "__main__":
    main()
