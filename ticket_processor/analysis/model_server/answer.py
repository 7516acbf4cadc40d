"""What a model answers: the one JSON object in it, and the gate that lets closed values and plain words through.

Reasoning, prose, fences and wrappings around the object are ignored. An object with the labels of one in the ticket is
a quotation, however it is wrapped, escaped or interrupted there. Whatever the server promised is checked again here.
Category, urgency and sentiment have to be there and right. A confidence that cannot be read counts as none: the answer
was paid for, and people look at what is unsure. Every other part is taken when it is right and left out when it is not,
since weaker models forget parts; it is then made up from the ticket, or empty. No value of an answer ever appears in
an error.

Advice to agents goes into the internal note and nowhere else. Whoever wrote the ticket may speak through it: a sentence
that is not plain words, gives orders to a program, or names a number that the ticket lacks is dropped. Of steps all or
none are taken: without one of them the others may do harm. Pure functions, safe in any thread.
"""

from __future__ import annotations

import json
import re
import unicodedata
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import suppress
from enum import StrEnum
from typing import Any, TypeVar

from ...core.errors import AnalysisFailed
from ...core.models import Analysis, Risk, Sentiment, Urgency
from ...core.taxonomy import Taxonomy
from ...core.text import compatible, lazy_pattern, strip_hidden
from ..rules.injection import signs_of
from ..text.language import detect_language
from ..text.outgoing import leaving_line
from .prompt import (
    MAX_ENTITY,
    MAX_QUOTE,
    MAX_QUOTES,
    MAX_ROOT_CAUSE,
    MAX_SECONDARY,
    MAX_STEP,
    MAX_STEPS,
    MAX_SUMMARY,
    REASONING_ENDS,
    REASONING_STARTS,
)

MAX_ANSWER_CHARS = 32_000
"""Read from either end of an answer, once its reasoning is taken out."""
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
Label = TypeVar("Label", bound=StrEnum)


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
    whole = _decoded(text) if len(text) <= MAX_ANSWER_CHARS else None
    if isinstance(whole, str):  # JSON that was encoded twice
        text, whole = whole, _decoded(whole)
    readings = _readings(ticket, shown)
    planted = _planted(readings)
    if planted is None:
        return None
    if isinstance(whole, dict | list):
        found = _with_labels(whole) or (whole if isinstance(whole, dict) else None)
        return None if found is not None and _key(found) in planted else found
    spoken = _THOUGHTS.sub(" ", text)
    end = _END_OF_THOUGHTS.search(spoken)
    if end and end.end() <= spoken.rfind("{"):
        spoken = spoken[end.end() :]
    final = max((match.end() for match in _FINAL.finditer(spoken)), default=0)
    parts = [spoken[final:], spoken[:final]] if "{" in spoken[final:] else [spoken]
    windows = (window for part in parts for window in (part[-MAX_ANSWER_CHARS:], part[:MAX_ANSWER_CHARS]))
    for window in windows:
        candidates = [found for value in objects_in(window) if (found := _with_labels(value))]
        said = [found for found in candidates if _key(found) not in planted]
        if said:
            return said[-1]
    # Where a ticket names every label, what was repaired may be its own words.
    planted_labels = any(all(name in reading.lower() for name in _LABELS) for reading in readings)
    return _repaired(parts[0]) if repair and not planted_labels else None


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
    return _ESCAPE.sub(lambda found: chr(int(found[1], 16)) if found[1] else _LETTERS.get(found[2], found[2]), text)


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
    percent = False
    if isinstance(value, str):
        found = _NUMBER.fullmatch(value.strip().lower())
        if found is None:
            return None
        value, percent = float(found[1].replace(",", ".")), bool(found[2])
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    number = value / 100 if percent or 2 <= value <= 100 else value
    return float(number) if 0 <= number <= 1 else None


# What the model said


def _decoded(text: str) -> Any:
    with suppress(ValueError, RecursionError):
        return _DECODER.decode(text)
    return None


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
    if isinstance(value, dict) and "category" in value:
        return value
    inner = list(value.values()) if isinstance(value, dict) else value if isinstance(value, list) else []
    found = (_with_labels(item, deep - 1) for item in reversed(inner[:20]) if deep)
    return next(filter(None, found), None)


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
    return _with_labels(value)


# Advice


_OWN_NUMBER = re.compile(r"\s*\(?\d{1,2}[.):]\s+")


def _advice(found: Mapping[str, Any], ticket: str, plain: Callable[[object, int], str]) -> dict[str, Any]:
    """The advice in an answer about ``ticket``; ``plain`` makes a text redacted plain words. Never raises."""
    numbers = _numbers(ticket)

    def sentence(value: object, limit: int) -> str | None:
        """Plain words; empty for none, ``None`` where they may not be shown."""
        if not isinstance(value, str) or len(value) > limit:
            return None
        text = value[own.end() :] if (own := _OWN_NUMBER.match(value)) else value
        words = plain(text.replace(" > ", " → "), limit)  # a menu's sign is mark-up to helpdesks
        same = _letters(words) == _letters(text)  # or it has lost a link, an address or mark-up
        return words if same and not signs_of(value) and _numbers(words) <= numbers else None

    cause = sentence(found.get("root_cause"), MAX_ROOT_CAUSE)
    given = found.get("steps")
    steps = [sentence(item, MAX_STEP) for item in given[:MAX_STEPS]] if isinstance(given, list) else [None]
    return {
        "root_cause": cause or "",
        "steps": () if None in steps else tuple(dict.fromkeys(filter(None, steps))),
        "resolution_likelihood": read_share(found.get("resolution_likelihood")),
    }


def _letters(text: str) -> str:
    """Letters and digits alone: what differs in them lost or gained a word when it was made plain."""
    return re.sub(r"[\W_]", "", compatible(strip_hidden(text))).casefold()


def _numbers(text: str) -> set[str]:
    return set(re.findall(r"\d+", compatible(strip_hidden(text))))


# The gate


_AROUND_QUOTES = " \"'“”„«»…."
_RISK = {Urgency.CRITICAL: Risk.HIGH, Urgency.HIGH: Risk.MEDIUM, Urgency.MEDIUM: Risk.LOW, Urgency.LOW: Risk.LOW}


def checked(
    answer: str,
    ticket: str,
    taxonomy: Taxonomy,
    *,
    shown: str = "",
    entities: Collection[str] = (),
    finished: bool = True,
    advised: bool = False,
) -> Analysis:
    """The trustworthy parts of what ``answer`` says about ``ticket`` (the redacted text), and nothing else of it.

    ``shown`` is what of the ticket the model saw, cut and without marks: JSON that stands in either is no answer.
    ``advised``: advice was asked for as well.
    Every free text that is plain is looked at once more. Raises :class:`AnalysisFailed` for an answer without the
    labels: ``answer_cut_off``, ``answer_not_json`` or ``answer_off_schema`` with the fields' names.
    """
    found = found_object(answer, ticket, shown, repair=finished)
    if not finished and "category" not in (found or ()):
        raise AnalysisFailed("answer_cut_off")
    if not found:
        raise AnalysisFailed("answer_not_json")
    names = {name.replace("-", "_"): name for name in taxonomy.names}
    category = names.get(re.sub(r"[\s-]+", "_", _word(found.get("category"))))
    sentiment, urgency = _one_of(Sentiment, found.get("sentiment")), _one_of(Urgency, found.get("urgency"))
    if category is None or sentiment is None or urgency is None:
        labels = {"category": category, "sentiment": sentiment, "urgency": urgency}
        raise AnalysisFailed("answer_off_schema", ", ".join(name for name, value in labels.items() if value is None))
    same = (category, taxonomy[category].parent, taxonomy.fallback)
    matching = normalised(ticket)

    def plain(value: object, limit: int) -> str:
        # A number is what an order number may be; of a longer text no helpdesk shows more.
        text = str(value) if isinstance(value, int) and not isinstance(value, bool) else value
        return leaving_line(text[: 10 * limit], limit) if isinstance(text, str) else ""

    def quoted(value: object, limit: int) -> str:
        text = plain(value, limit).strip(_AROUND_QUOTES) if _occurs(value, matching) else ""
        return text if any(map(str.isalnum, text)) else ""

    given = found.get("entities")
    given = given if isinstance(given, dict) else {}
    picked = {name: quoted(given.get(name), MAX_ENTITY) for name in entities}
    quotes = (quoted(item, MAX_QUOTE) for item in _items(found.get("evidence")))
    others = (_word(item) for item in _items(found.get("secondary")))
    secondary = dict.fromkeys(item for item in others if item in taxonomy.names and item not in same)
    top, below = taxonomy.split(category)
    return Analysis(
        category=top,
        subcategory=below,
        secondary=tuple(secondary)[:MAX_SECONDARY],
        urgency=urgency,
        urgent_tone=found.get("urgent_tone") is True,
        sentiment=sentiment,
        risk=_one_of(Risk, found.get("risk")) or _RISK[urgency],
        language=_language(found.get("language"), ticket),
        summary=plain(found.get("summary"), MAX_SUMMARY) or plain(ticket.strip().partition("\n")[0], 120),
        entities={name: value for name, value in picked.items() if value},
        evidence=tuple(dict.fromkeys(quote for quote in quotes if quote))[:MAX_QUOTES],
        confidence=read_confidence(found.get("confidence")),
        source="model",
        **(_advice(found, ticket, plain) if advised else {}),
    )


def _word(value: object) -> str:
    return value.strip().lower() if isinstance(value, str) else ""


def _items(value: object) -> list[object]:
    """The first of a list; models also write one value, or several in one text."""
    if isinstance(value, str):
        return [value]
    return value[:10] if isinstance(value, list) else []


def _one_of(kind: type[Label], value: object) -> Label | None:
    with suppress(ValueError):
        return kind(_word(value))
    return None


def _language(value: object, ticket: str) -> str:
    """The code given, without region ("en-US" is English); what is no code is found out here."""
    code = re.split(r"[-_]", _word(value))[0]
    return code if re.fullmatch(r"[a-z]{2,3}", code) else detect_language(ticket)


def normalised(text: str) -> str:
    """A text as it is compared: without regard to case, white space and ways of writing the same character."""
    return " ".join(unicodedata.normalize("NFKC", strip_hidden(text)).casefold().split())


def _occurs(value: object, matching: str) -> bool:
    """Whether a quote stands in the ticket, as whole words."""
    if isinstance(value, bool) or not isinstance(value, str | int):
        return False
    wanted = normalised(str(value)[:2000]).strip(_AROUND_QUOTES)
    if not wanted:
        return False
    before = r"(?<![a-z0-9])" if wanted[0].isascii() and wanted[0].isalnum() else ""
    after = r"(?![a-z0-9])" if wanted[-1].isascii() and wanted[-1].isalnum() else ""
    return re.search(before + re.escape(wanted) + after, matching) is not None
