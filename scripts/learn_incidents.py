"""Learn the weights that tell incident mails from their look-alikes, or print how good they are.

    python scripts/learn_incidents.py            # writes the weights from all mails but those held back
    python scripts/learn_incidents.py --measure  # tests on each hand's mails what the others taught; writes nothing

The mails are invented, in eight languages, in ``tests/analysis/incident_texts``: ``first``, ``second`` and ``third``
are by different hands, ``held_back`` by a fourth, of which nothing is learnt. Needs the extra ``ml``.
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

from tests.analysis.invented import PRAISE
from tests.analysis.mails import read as read_mails
from ticket_processor.analysis.rules import incident_model
from ticket_processor.analysis.rules.alarms import found_in, marks_of
from ticket_processor.analysis.rules.analyser import RulesAnalyser
from ticket_processor.analysis.rules.incident_model import FILE, SCALE, distinct_tokens, features
from ticket_processor.analysis.rules.matcher import words_of
from ticket_processor.analysis.text.cleaning import clean
from ticket_processor.analysis.text.language import detect_language
from ticket_processor.analysis.text.redact import redact
from ticket_processor.core.taxonomy import default_taxonomy
from ticket_processor.core.text import PLACEHOLDER

TEXTS = development.ROOT / "tests" / "analysis" / "incident_texts"
KINDS = ("none", "security", "outage", "safety")
HANDS = ("first", "second", "third")
FEWEST_TEXTS, MOST_FEATURES = 2, 6_000
FEWEST_TOKENS = 8
"""A word of thanks counts as if it had so many, or each of its few would weigh too much."""
PIECE, MARK = 0.5, 0.3
"""How much a piece of a word counts beside a whole word, and a mark of the word lists beside all words."""
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


def as_seen(text: str) -> str:
    """``text`` as the rules see it: cleaned and redacted, with nothing where something was taken out."""
    subject, _, body = text.partition("\n")
    return PLACEHOLDER.sub(" ", redact(clean(subject, body)).text)


def vector(mail: str) -> dict[str, float]:
    text = as_seen(mail)
    tokens = distinct_tokens(words_of(text))
    counts = Counter(feature for token in tokens for feature in features(token))
    length = math.sqrt(max(FEWEST_TOKENS, len(tokens)))
    marks = marks_of(*found_in(text, detect_language(text)), text)
    return {feature: count / length for feature, count in counts.items()} | dict.fromkeys(marks, 1.0)


def is_mark(feature: str) -> bool:
    return len(feature) > 1 and feature.startswith("@")


def scale(feature: str, texts_with: int, texts: int) -> float:
    """How much a feature counts: the rarer the more."""
    if is_mark(feature):
        return MARK
    whole = feature.startswith("=") or " " in feature[1:-1]
    return (math.log((1 + texts) / (1 + texts_with)) + 1) * (1.0 if whole else PIECE)


def learn(mails: Sequence[Mail]) -> Learnt:
    """Logistic regression on weighed features: first on all, then on those that told most."""
    vectors = [vector(mail.text) for mail in mails]
    kinds = [KINDS.index(mail.kind) for mail in mails]
    texts_with = Counter(feature for each in vectors for feature in each)
    scales = {
        feature: scale(feature, count, len(mails)) for feature, count in texts_with.items() if count >= FEWEST_TEXTS
    }
    for most in (None, MOST_FEATURES):
        columns = DictVectorizer()
        matrix = columns.fit_transform(
            [{name: value * scales[name] for name, value in each.items() if name in scales} for each in vectors]
        )
        model = LogisticRegression(C=1.0, max_iter=500, class_weight="balanced", tol=1e-4).fit(matrix, kinds)
        names = columns.get_feature_names_out()
        against_none = model.coef_[1:] - model.coef_[0]
        if most is not None:
            break
        spread = [scales[name] * math.sqrt(texts_with[name]) if not is_mark(name) else math.inf for name in names]
        told = np.abs(against_none).max(axis=0) * spread
        scales = {name: scales[name] for name in names[np.argsort(-told)[:MOST_FEATURES]]}
    weights = {
        str(name): tuple(round(SCALE * scales[name] * float(row[at])) for row in against_none)
        for at, name in enumerate(names)
    }
    bias = tuple(round(SCALE * float(each)) for each in model.intercept_[1:] - model.intercept_[0])
    return Learnt({name: row for name, row in weights.items() if any(row)}, bias)


def use(learnt: Learnt) -> None:
    """Let the program count with these weights in this process."""
    weights = {name: incident_model.joined(row) for name, row in {**learnt.weights, "": learnt.bias}.items()}
    incident_model._weights = lambda: weights
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
    hands, more = {hand: read(hand) for hand in HANDS}, everyday()
    if parser.parse_args().measure:
        print_figures("held back, weights as shipped", read("held_back"))
        for unknown, mails in hands.items():
            known = [mail for hand, others in hands.items() if hand != unknown for mail in others]
            use(learn([*known, *more]))
            print_figures(f"{unknown}, learnt without it", mails)
        return
    mails = [mail for each in (*hands.values(), more) for mail in each]
    learnt = learn(mails)
    rows = ["\t".join(map(str, (name, *row))) for name, row in sorted({**learnt.weights, "": learnt.bias}.items())]
    path = Path(incident_model.__file__).parent / FILE
    path.write_text(HEAD + "\n".join(rows) + "\n", encoding="utf-8", newline="\n")
    print(f"{len(rows)} features from {len(mails)} mails: {path}")


if __name__ == "__main__":
    main()
