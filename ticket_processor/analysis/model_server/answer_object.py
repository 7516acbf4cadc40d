"""Finding the one JSON object in what a model said, and telling it from JSON that stands in the ticket itself.

Reasoning, prose, fences and wrappings around the object are ignored. An object with the labels of one in the ticket is
a quotation, however it is wrapped, escaped or interrupted there. Pure functions, safe in any thread.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Sequence
from typing import Any

from ...core.lazy_pattern import lazy_pattern
from .prompt import REASONING_ENDS, REASONING_STARTS

MAX_ANSWER_CHARS = 32_000
"""Read from either end of an answer, once its reasoning is taken out."""
MAX_REASONING_CHARS = 1_000_000
MAX_REPAIRED_CHARS = 4_000
"""Repair takes time that grows with the square of what it is given, and more so of open brackets."""
MAX_COMPARED_BRACKETS = 10_000
_MOST_BRACKETS = 40
_MOST_OBJECTS = 100
_LABELS = ("category", "urgency", "sentiment", "confidence")

_THOUGHTS = lazy_pattern(rf"(?:{REASONING_STARTS}).*?(?:{REASONING_ENDS}|\Z)", re.DOTALL | re.IGNORECASE)
# Some chat templates open the reasoning in the prompt, so that only its end is in the answer.
_END_OF_THOUGHTS = lazy_pattern(REASONING_ENDS, re.IGNORECASE)
_FINAL = lazy_pattern(r"<\|channel\|>final|final answer\W{0,6}:", re.IGNORECASE)
_ESCAPE = lazy_pattern(r"\\(?:u([0-9a-fA-F]{4})|(.))", re.DOTALL)
_LETTERS = {"b": "\b", "f": "\f", "n": "\n", "r": "\r", "t": "\t"}

_CONFIDENCE_WORDS = {
    **dict.fromkeys(("certain", "very high", "very_high"), 0.95),
    **dict.fromkeys(("high", "confident", "sure"), 0.85),
    **dict.fromkeys(("medium", "moderate"), 0.6),
}
"""Any other word ("low", "unsure") counts as no confidence."""
_NUMBER = lazy_pattern(r"([0-9]{1,20}(?:[.,][0-9]{1,20})?|[.,][0-9]{1,20})\s*(%|percent)?", re.ASCII)

_Key = tuple[object, ...]


class _Ambiguous:
    """Stands for two values under one name: it passes no check."""


def _no_twins(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    made: dict[str, Any] = {}
    for name, value in pairs:
        key = re.sub(r"[\s-]+", "_", name.strip().lower())
        made[key] = _Ambiguous() if key in made and made[key] != value else value
    return made


_DECODER = json.JSONDecoder(object_pairs_hook=_no_twins, strict=False)


def found_object(text: str, ticket: str = "", shown: str = "", *, repair: bool = True) -> dict[str, Any] | None:
    """The answer's JSON object, its keys in small letters; ``None`` if there is none.

    Of several the last counts. One whose labels are those of an object in ``ticket``, or in ``shown``, which is the
    ticket as the model saw it, is no answer. A name with two different values has none that is valid. With ``repair``
    slips of JSON (single quotes, missing commas, comments) are forgiven where nothing else is found, unless the
    ticket itself reads like an answer.
    """
    whole = _decoded(text.strip()) if len(text) <= MAX_ANSWER_CHARS else None
    if isinstance(whole, str):  # JSON that was encoded twice
        text, whole = whole, _decoded(whole.strip())
    readings = _readings(ticket, shown)
    planted = _planted(readings)
    if planted is None:
        return None
    if isinstance(whole, dict | list):
        found = _with_labels(whole)
        return None if found is not None and _key(found) in planted else found
    spoken = _THOUGHTS.sub(" ", text[:MAX_REASONING_CHARS])
    end = _END_OF_THOUGHTS.search(spoken)
    if end and end.end() <= spoken.rfind("{"):
        spoken = spoken[end.end() :]
    final = max((match.end() for match in _FINAL.finditer(spoken)), default=0)
    parts = [spoken[final:], spoken[:final]] if "{" in spoken[final:] else [spoken]
    windows = (window for part in parts for window in (part[-MAX_ANSWER_CHARS:], part[:MAX_ANSWER_CHARS]))
    spare = None
    for window in windows:
        candidates = [found for value in objects_in(window) if (found := _with_labels(value))]
        said = [found for found in candidates if _key(found) not in planted]
        labelled = [found for found in said if "category" in found]
        if labelled:
            return labelled[-1]
        spare = spare or (said[-1] if said else None)  # in an answer with a slip it may be a part of the answer
    found = _repaired(parts[0]) if repair and not _reads_like_an_answer(readings) else None
    return found or spare


# What stands in the ticket


def _readings(*texts: str) -> list[str]:
    """The texts in every way in which JSON in them may be read: escapes decoded once and twice, reasoning cut out."""
    readings: dict[str, None] = {}
    for text in filter(None, texts):
        once = _unescaped(text)
        for reading in (text, once, _unescaped(once)):
            readings[reading] = None
            readings[_THOUGHTS.sub(" ", reading)] = None
    return list(readings)


def _unescaped(text: str) -> str:
    return _ESCAPE.sub(_letter, text) if "\\" in text else text


def _letter(escape: re.Match[str]) -> str:
    return chr(int(escape[1], 16)) if escape[1] else _LETTERS.get(escape[2], escape[2])


def _planted(readings: Sequence[str]) -> set[_Key] | None:
    """The labels of every object in the readings, inner ones too; ``None`` when there is too much to compare."""
    planted: set[_Key] = set()
    for reading in readings:
        if reading.count("{") > MAX_COMPARED_BRACKETS:
            return None
        position = reading.find("{")
        while position != -1:
            try:
                value, _ = _DECODER.raw_decode(reading, position)
            except ValueError:
                pass
            except RecursionError:
                return None
            else:
                if "category" in value:
                    key = _key(value)
                    # An answer that is not sure of itself may be a quotation that has lost its confidence.
                    planted |= {key, (*key[:-1], 0.0)}
            position = reading.find("{", position + 1)
    return planted


def _key(found: dict[str, Any]) -> _Key:
    """An answer's labels as the gate reads them: answers with equal ones are the same."""
    words = [found.get(name) for name in _LABELS[:3]]
    spelt = (re.sub(r"[\s-]+", "_", word.strip().lower()) if isinstance(word, str) else None for word in words)
    return (*spelt, read_confidence(found.get("confidence")))


def read_confidence(value: object) -> float:
    """A confidence as a model gives it, from 0 to 1: a share, percent or a word; 0 for what is none of these.

    A number between 1 and 2 is ambiguous and counts as 0. Never raises.
    """
    if isinstance(value, str) and value.strip().lower() in _CONFIDENCE_WORDS:
        return _CONFIDENCE_WORDS[value.strip().lower()]
    return read_share(value) or 0.0


def read_share(value: object) -> float | None:
    """A number from 0 to 1, also as text or in percent; ``None`` for what is none. Never raises."""
    if isinstance(value, str):
        found = _NUMBER.fullmatch(value.strip().lower())
        if found is None:
            return None
        number = float(found[1].replace(",", "."))
        return _share(number / 100) if found[2] else _share(number, or_percent=True)
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    return _share(value, or_percent=True)


def _share(number: float, *, or_percent: bool = False) -> float | None:
    if or_percent and 2 <= number <= 100:
        number = number / 100
    return float(number) if 0 <= number <= 1 else None


def _reads_like_an_answer(readings: Sequence[str]) -> bool:
    """Whether a ticket names every label, so that what was repaired may be its own words."""
    return any(all(name in reading.lower() for name in _LABELS) for reading in readings)


# What the model said


def _decoded(text: str) -> Any:
    try:
        value, end = _DECODER.raw_decode(text)
    except (ValueError, RecursionError):
        return None
    return value if end == len(text) else None


def objects_in(text: str, decoder: json.JSONDecoder = _DECODER, tries: int = _MOST_OBJECTS) -> Iterator[dict[str, Any]]:
    """The outermost JSON objects of a text in order; at most ``tries`` opening brackets are looked at."""
    position = text.find("{")
    for _ in range(tries):
        if position == -1:
            return
        try:
            value, end = decoder.raw_decode(text, position)
        except (ValueError, RecursionError):
            end = position + 1
        else:
            yield value
        position = text.find("{", end)


def _with_labels(value: object, deep: int = 2) -> dict[str, Any] | None:
    """The object that has a category: this one, or one that it wraps (``{"answer": {…}}``, ``[{…}]``)."""
    if isinstance(value, dict) and ("category" in value or not deep):
        return value
    inner = list(value.values()) if isinstance(value, dict) else value if isinstance(value, list) else []
    for item in reversed(inner[:20]):
        if isinstance(item, dict | list) and deep:
            found = _with_labels(item, deep - 1)
            if found is not None and "category" in found:
                return found
    return value if isinstance(value, dict) else None


def _repaired(text: str) -> dict[str, Any] | None:
    text = text[max(0, text.find("{")) :]
    if not 1 <= text.count("{") <= _MOST_BRACKETS or len(text) > MAX_REPAIRED_CHARS:
        return None
    import json_repair  # needed seldom, and half of what reading this module costs

    try:
        written = json_repair.repair_json(text, skip_json_loads=True)
        value = _DECODER.decode(written) if isinstance(written, str) and written else None
    except (ValueError, RecursionError, LookupError, TypeError, AttributeError):
        return None
    found = _with_labels(value)
    return found if found is not None and "category" in found else None
