"""Whether a sentence is supported by the passage that it cites, without asking a model. Pure.

Its quote stands in the passage word for word, it has no figure that the quoted sentences lack, its own wording is
nearly all theirs, and it leaves out neither a "not" nor how they begin. How near was learnt from answers that people
judged.
"""

from __future__ import annotations

import re
from bisect import bisect_left, bisect_right
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from itertools import accumulate

from ..analysis.rules.telling import split_of
from ..analysis.text.language import detect_language
from ..core.sanitize import compatible, strip_hidden
from .figures import unseen
from .sources import Citable, usable_text
from .wording import all_stems, is_negated, share_found, telling_stems

LEAST_SHARE = 0.91
"""The share of a sentence's wording that its source has: of the answers above it, 95% were judged supported."""
HEAD = 2
"""Telling words at the beginning of a quoted sentence that must be said: a condition stands there, or who said it."""
FEWEST_IN_QUOTE = 2
"""Telling words of a quote; with fewer it says nothing."""
_SAME_QUOTES = str.maketrans(dict.fromkeys("“”„‟«»″＂", '"') | dict.fromkeys("‘’‚‛´′", "'") | dict.fromkeys("*`"))
_AROUND_QUOTE = " \"'."


class Support(StrEnum):
    """How a sentence stands to its sources."""

    SUPPORTED = "supported"
    MISATTRIBUTED = "misattributed"
    UNSUPPORTED = "unsupported"


@dataclass(frozen=True)
class Judgement:
    """What a sentence, or several, was found to be, and why not ``supported``: a word for people and for the log."""

    support: Support
    reason: str = ""


def grounding(answer: str, source: str, language: str = "en", source_language: str = "en") -> float:
    """The share of the answer's wording that ``source`` has; 0 with any figure that it lacks."""
    if unseen(answer, source, language=language, source_language=source_language):
        return 0.0
    return share_found(answer, source)


def judged(text: str, quote: str, cited: Citable | None, sources: Sequence[Citable], language: str) -> Judgement:
    """How ``text``, written in ``language``, stands to the passage it cites: the worst of its sentences counts.

    Misattributed is what another one of the ``sources`` would support. A source in another language is compared by its
    figures only.
    """
    reason = _wrong(text, quote, cited, language) if cited is not None else "source"
    if not reason:
        return Judgement(Support.SUPPORTED)
    elsewhere = any(not _wrong(text, quote, other, language) for other in sources if other is not cited)
    return Judgement(Support.MISATTRIBUTED if elsewhere else Support.UNSUPPORTED, reason)


def language_of(source: Citable) -> str:
    """The language of a passage: the one it says, else the one it seems to be in."""
    return re.split("[-_]", source.lang.lower())[0] or detect_language(source.text)


def sentences_of(text: str) -> list[str]:
    """The sentences of one line."""
    return [text[place.start : place.end].strip() for place in split_of(text).places]


def _wrong(text: str, quote: str, source: Citable, language: str) -> str:
    """Why the passage does not support the text; empty when it does."""
    quoted = _quoted_sentences(quote, usable_text(source.text))
    if not quoted:
        return "quote"
    theirs = language_of(source)
    scope = f"{usable_text(source.title)} {usable_text(source.heading)} {' '.join(quoted)}"
    for sentence in sentences_of(text) or [""]:
        lacks = unseen(sentence, scope, language=language, source_language=theirs)
        if lacks:
            return lacks[0]
        if theirs == language and share_found(sentence, scope) < LEAST_SHARE:
            return "wording"
    if theirs != language:
        return ""
    if is_negated(text, language) != is_negated(quote, language):
        return "negation"
    heads = {stem for sentence in quoted for stem in telling_stems(sentence)[:HEAD]}
    return "" if heads <= all_stems(text) else "beginning"


def _quoted_sentences(quote: str, text: str) -> list[str]:
    """The sentences of ``text`` of which ``quote`` has a part; none where it does not stand there word for word."""
    wanted = normalised_quote(quote).strip(_AROUND_QUOTE)
    if len(telling_stems(wanted)) < FEWEST_IN_QUOTE:
        return []
    sentences = [normalised_quote(each) for line in text.splitlines() for each in sentences_of(line)]
    border = r"(?!\w)" if wanted.isascii() else ""
    place = re.search(rf"(?<!\w){re.escape(wanted)}{border}" if border else re.escape(wanted), " ".join(sentences))
    if place is None:
        return []
    ends = list(accumulate(len(sentence) + 1 for sentence in sentences))
    return sentences[bisect_right(ends, place.start()) : bisect_left(ends, place.end()) + 1]


def normalised_quote(text: str) -> str:
    """A text as quotes are compared: without regard to case, white space, emphasis and kinds of quotation marks."""
    return " ".join(compatible(strip_hidden(text.translate(_SAME_QUOTES))).casefold().split())
