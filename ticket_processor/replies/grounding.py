"""Whether a sentence is supported by the passage that it cites, without asking a model. Pure.

Three things are asked of it: its quote stands in the passage word for word, it has no figure that the words around
the quote lack, and its own wording is nearly all theirs. How near was learnt from answers that people judged.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

from ..analysis.rules.telling import split_of
from ..analysis.text.language import detect_language
from ..core.sanitize import compatible, strip_hidden
from .figures import unseen
from .sources import Citable, usable_text
from .wording import is_negated, share_found, telling_stems

LEAST_SHARE = 0.91
"""The share of a sentence's wording that its source has: of the answers above it, 95% were judged supported."""
AROUND = 300
"""Characters before and after a quote that support a sentence as well."""
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
    around = _around(quote, usable_text(source.text))
    if not around:
        return "quote"
    theirs = language_of(source)
    scope = f"{usable_text(source.title)} {usable_text(source.heading)} {around}"
    for sentence in sentences_of(text) or [""]:
        lacks = unseen(sentence, scope, language=language, source_language=theirs)
        if lacks:
            return lacks[0]
        if theirs != language:
            continue
        if share_found(sentence, scope) < LEAST_SHARE:
            return "wording"
    if theirs == language and is_negated(text, language) != is_negated(quote, language):
        return "negation"
    return ""


def _around(quote: str, text: str) -> str:
    """The words of ``text`` around the place where ``quote`` stands in it; empty when it does not."""
    wanted, whole = normalised_quote(quote).strip(_AROUND_QUOTE), normalised_quote(text)
    if len(telling_stems(wanted)) < FEWEST_IN_QUOTE:
        return ""
    place = re.search(rf"(?<!\w){re.escape(wanted)}(?!\w)" if wanted.isascii() else re.escape(wanted), whole)
    if place is None:
        return ""
    start, end = max(0, place.start() - AROUND), place.end() + AROUND
    start = whole.find(" ", start) + 1 if start else 0  # no half words, whose beginnings would count
    return whole[start : end if end >= len(whole) else max(place.end(), whole.rfind(" ", 0, end))]


def normalised_quote(text: str) -> str:
    """A text as quotes are compared: without regard to case, white space, emphasis and kinds of quotation marks."""
    return " ".join(compatible(strip_hidden(text.translate(_SAME_QUOTES))).casefold().split())
