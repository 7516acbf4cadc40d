"""Whether a sentence is supported by the passage that it cites, without asking a model. Pure.

Its quote stands in the passage word for word, it has no figure that the quoted sentences lack, its own wording is
nearly all theirs, and it leaves out neither a "not" nor how they begin. A word counts by its first letters, which stem
it well enough in every language; frequent words count half. Text without spaces is cut into pairs of letters.
"""

from __future__ import annotations

import re
from bisect import bisect_left, bisect_right
from collections.abc import Callable, Iterator
from functools import cache
from itertools import accumulate

from ..analysis.rules.matcher import KANA_OR_HAN, lists, words_of
from ..analysis.rules.telling import sentences_in
from ..analysis.text.language import detect_language
from ..analysis.text.outgoing import leaving_line, with_names
from ..core.text import compatible, plain_line, strip_hidden
from ..knowledge.model import Passage
from . import usable_text
from .figures import unseen

STEM = 6
"""Letters of a word that count."""
FREQUENT = 0.5
"""The weight of a word that every text of its language has."""


def share_found(sentence: str, source: str) -> float:
    """The share of the sentence's words that ``source`` has, 0 to 1; 0 for a sentence without words."""
    known = all_stems(source)
    weights = [(weight, stem in known) for stem, weight in _stems(sentence)]
    whole = sum(weight for weight, _ in weights)
    return sum(weight for weight, found in weights if found) / whole if whole else 0.0


def all_stems(text: str) -> set[str]:
    """The stems of all words in ``text``."""
    return {stem for stem, _ in _stems(text)}


def telling_stems(text: str) -> list[str]:
    """The stems of the words in ``text`` that are not frequent ones, each once, in order."""
    return list(dict.fromkeys(stem for stem, weight in _stems(text) if weight == 1.0))


def is_negated(text: str, language: str) -> bool | None:
    """Whether ``text`` says that something is not so; ``None`` for a language whose words for it are not known."""
    words = _negations().get(language)
    return None if words is None else not words.isdisjoint(words_of(text.replace("’", "'")))


def _stems(text: str) -> Iterator[tuple[str, float]]:
    for word in words_of(compatible(strip_hidden(text))):
        if not word.isascii() and KANA_OR_HAN.search(word):
            for run in KANA_OR_HAN.findall(word):
                yield from ((run[at : at + 2], 1.0) for at in range(max(1, len(run) - 1)))
        else:
            yield word.removesuffix("'s").strip("'")[:STEM], FREQUENT if word in _frequent() else 1.0


@cache
def _frequent() -> frozenset[str]:
    return frozenset(word for words in lists("languages")["words"].values() for word in words.split())


@cache
def _negations() -> dict[str, frozenset[str]]:
    table: dict[str, str] = lists("moods")["negations"]
    return {language: frozenset(word.strip() for word in words.split(",")) for language, words in table.items()}


_MENU = re.compile(r"(?<=\S) +> +(?=\S)")
_DOLLARS = re.compile(r"\$(?=\d)")
_ANY_CURRENCY = "¤"
"""Stands for a dollar sign while mark-up is taken out."""


def plain_words(text: str, limit: int) -> str:
    """``text`` as one line without links, mark-up and mentions; ``File > Save`` has an arrow, and a price its ``$``."""
    return _prepared(plain_line, text, limit)


def plain_words_leaving(text: str, limit: int) -> str:
    """The same, without personal data; names of files and machines have raised dots."""
    return _prepared(leaving_line, with_names(text), limit)


def _prepared(plain: Callable[[str, int], str], text: str, limit: int) -> str:
    marked = _DOLLARS.sub(_ANY_CURRENCY, _MENU.sub(" → ", text.replace(_ANY_CURRENCY, "")))
    return plain(marked, limit).replace(_ANY_CURRENCY, "$")


LEAST_SHARE = 0.91
"""The share of a sentence's wording that its source has: of the answers above it, 95% were judged supported."""
HEAD = 2
"""Telling words at the beginning of a quoted sentence that must be said: a condition stands there, or who said it."""
FEWEST_IN_QUOTE = 2
"""Telling words of a quote; with fewer it says nothing."""
_SAME_QUOTES = str.maketrans(dict.fromkeys("“”„‟«»″＂", '"') | dict.fromkeys("‘’‚‛´′", "'") | dict.fromkeys("*`"))
_AROUND_QUOTE = " \"'."


def language_of(source: Passage) -> str:
    """The language of a passage: the one it says, else the one it seems to be in."""
    return re.split("[-_]", source.lang.lower())[0] or detect_language(source.text)


def sentences_of(text: str) -> list[str]:
    """The sentences of one line."""
    return [text[place.start : place.end].strip() for place in sentences_in(text)]


def unsupported(text: str, quote: str, source: Passage | None, language: str) -> str:
    """Why ``text``, written in ``language``, is not what the passage says; empty when each of its sentences is.

    The reason is a fixed word, for people and for the log. A source in another language is compared by its figures
    only.
    """
    if source is None:
        return "source"
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
