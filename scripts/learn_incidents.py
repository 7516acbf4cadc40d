"""Learn the weights that tell incident mails from their look-alikes, or print how good they are.

    python scripts/learn_incidents.py            # writes the weights from all mails but those held back
    python scripts/learn_incidents.py --measure  # learns from one hand's mails, tests on another's; writes nothing

The mails are invented, in eight languages, in ``tests/analysis/incident_texts``: ``first`` and ``second`` are by
different hands, ``held_back`` by a third, of which nothing is learnt. Needs the extra ``ml``.
"""

from __future__ import annotations

import argparse
import json
import math
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import development
import numpy as np
from sklearn.feature_extraction import DictVectorizer
from sklearn.linear_model import LogisticRegression

from tests.analysis.mails import read as read_mails
from tests.analysis.praise import PRAISE
from ticket_processor.analysis.rules import incident_model
from ticket_processor.analysis.rules.analyser import RulesAnalyser
from ticket_processor.analysis.rules.incident_model import FILE, SCALE, distinct_tokens, features
from ticket_processor.analysis.rules.phrases import words_of
from ticket_processor.analysis.text.cleaning import clean
from ticket_processor.analysis.text.redact import redact
from ticket_processor.core.taxonomy import default_taxonomy

TEXTS = development.ROOT / "tests" / "analysis" / "incident_texts"
KINDS = ("none", "security", "outage", "safety")
FEWEST_TEXTS, MOST_FEATURES = 2, 12_000
FEWEST_TOKENS = 8
"""A word of thanks counts as if it had so many, or each of its few would weigh too much."""
HEAD = "# Written by `python scripts/learn_incidents.py`: feature, and its weight for security, outage and safety.\n"


class Mail(NamedTuple):
    """An invented mail; ``kind`` is one of :data:`KINDS`, or ``incident`` where the kind is not known."""

    kind: str
    text: str


class Learnt(NamedTuple):
    """Weights of each feature, and the bias, for security, outage and safety against none."""

    weights: dict[str, tuple[int, ...]]
    bias: tuple[int, ...]


def read(name: str) -> list[Mail]:
    with (TEXTS / f"{name}.jsonl").open(encoding="utf-8") as lines:
        rows = [json.loads(line) for line in lines]
    return [Mail(row["kind"], row["text"]) for row in rows]


def everyday() -> list[Mail]:
    """People's mails about bounces and replies, and praise: no incidents."""
    people = [f"{mail.ticket.subject}\n{mail.ticket.description}" for mail in read_mails("people")]
    return [Mail("none", text) for text in (*people, *PRAISE)]


def vector(text: str) -> dict[str, float]:
    found = distinct_tokens(words_of(text))
    counts = Counter(feature for token in found for feature in features(token))
    length = math.sqrt(max(FEWEST_TOKENS, len(found)))
    return {feature: count / length for feature, count in counts.items()}


def learn(mails: Sequence[Mail]) -> Learnt:
    """Logistic regression on weighed features: first on all, then on those that told most."""
    vectors = [vector(mail.text) for mail in mails]
    kinds = [KINDS.index(mail.kind) for mail in mails]
    texts_with = Counter(feature for each in vectors for feature in each)
    rarity = {
        feature: math.log((1 + len(mails)) / (1 + count)) + 1
        for feature, count in texts_with.items()
        if count >= FEWEST_TEXTS
    }
    for most in (None, MOST_FEATURES):
        columns = DictVectorizer()
        matrix = columns.fit_transform(
            [{name: value * rarity[name] for name, value in each.items() if name in rarity} for each in vectors]
        )
        model = LogisticRegression(C=0.3, max_iter=500, class_weight="balanced", tol=1e-4).fit(matrix, kinds)
        names = columns.get_feature_names_out()
        against_none = model.coef_[1:] - model.coef_[0]
        if most is not None:
            break
        told = np.abs(against_none).max(axis=0) * [rarity[name] * math.sqrt(texts_with[name]) for name in names]
        rarity = {name: rarity[name] for name in names[np.argsort(-told)[:MOST_FEATURES]]}
    weights = {
        str(name): tuple(round(SCALE * rarity[name] * float(row[at])) for row in against_none)
        for at, name in enumerate(names)
    }
    bias = tuple(round(SCALE * float(each)) for each in model.intercept_[1:] - model.intercept_[0])
    return Learnt({name: row for name, row in weights.items() if any(row)}, bias)


def use(learnt: Learnt) -> None:
    """Let the program count with these weights in this process."""
    scaled = {name: tuple(each / SCALE for each in row) for name, row in {**learnt.weights, "": learnt.bias}.items()}
    incident_model._weights = lambda: scaled
    incident_model._bias.cache_clear()
    incident_model._of_word.cache_clear()


def print_figures(title: str, mails: Sequence[Mail]) -> None:
    """How many are raised to high or critical by the whole of the rules."""
    analyser = RulesAnalyser(default_taxonomy())
    raised: Counter[bool] = Counter()
    total: Counter[bool] = Counter()
    placed = 0
    for mail in mails:
        subject, _, body = mail.text.partition("\n")
        found = analyser.analyse(redact(clean(subject, body)))
        incident = mail.kind != "none"
        total[incident] += 1
        raised[incident] += str(found.urgency) in ("high", "critical")
        placed += incident and found.category in ("security", "technical")
    print(
        f"{title:34} incidents raised {raised[True] / total[True]:.3f} of {total[True]} (security or technical "
        f"{placed / total[True]:.3f}), others raised {raised[False] / total[False]:.3f} of {total[False]}"
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--measure", action="store_true")
    first, second, more = read("first"), read("second"), everyday()
    if parser.parse_args().measure:
        print_figures("held back, weights as shipped", read("held_back"))
        for title, known, unknown in (("second", first, second), ("first", second, first)):
            use(learn([*known, *more]))
            print_figures(f"{title}, learnt without it", unknown)
        return
    learnt = learn([*first, *second, *more])
    rows = ["\t".join(map(str, (name, *row))) for name, row in sorted({**learnt.weights, "": learnt.bias}.items())]
    path = Path(incident_model.__file__).parent / FILE
    path.write_text(HEAD + "\n".join(rows) + "\n", encoding="utf-8", newline="\n")
    print(f"{len(rows)} features from {len(first) + len(second) + len(more)} mails: {path}")


if __name__ == "__main__":
    main()
