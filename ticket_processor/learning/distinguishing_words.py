"""The words that tell two groups of texts apart: log-odds ratios with an informative Dirichlet prior. Pure.

Monroe, Colaresi and Quinn, "Fightin' Words" (2008). A word counts once a text, so that a pasted log weighs no more.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable, Sequence

from ..analysis.text.similarity import content_words
from ..core.sanitize import PLACEHOLDER
from ..evaluation.scores import TWO_SIDED
from ..knowledge.lexical import stop_words

PRIOR_WORDS = 500
"""Words that the prior counts for, in the shares in which all texts have them; half of the smaller side at most."""
FEWEST_TEXTS = 3
"""Texts in which a word has to occur: what fewer customers wrote may name one of them."""


def distinguishing_words(texts: Sequence[str], others: Sequence[str], most: int) -> list[str]:
    """Words that occur in ``texts`` rather than in ``others``, beyond chance, those that tell most first."""
    here, there = _counts(texts), _counts(others)
    total, ours, theirs = here + there, here.total(), there.total()
    weight = min(PRIOR_WORDS, min(ours, theirs) / 2)

    def z(word: str) -> float:
        prior = weight * total[word] / total.total()
        one, other = here[word] + prior, there[word] + prior
        odds = math.log(one / (ours + weight - one)) - math.log(other / (theirs + weight - other))
        return odds / math.sqrt(1 / one + 1 / other)

    if not ours or not theirs or len(total) < 2:
        return []
    found = {word: z(word) for word, count in here.items() if count >= FEWEST_TEXTS}
    return sorted((word for word in found if found[word] > TWO_SIDED), key=lambda word: (-found[word], word))[:most]


def _counts(texts: Iterable[str]) -> Counter[str]:
    counts: Counter[str] = Counter()
    for text in texts:
        counts.update({word for word in content_words(PLACEHOLDER.sub(" ", text)) if word.isalpha()} - stop_words())
    return counts
