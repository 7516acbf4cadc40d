"""The gate on what a model answers: plain code that lets closed values and plain words through, and nothing else.

Whatever the server promised is checked again here. Category, urgency, sentiment and confidence have to be there and
right. Every other part is taken when it is right and left out when it is not, since weaker models forget parts; it
is then made up from the ticket, or empty. No value of an answer ever appears in an error.
"""

from __future__ import annotations

import json
import re
import unicodedata
from collections.abc import Callable, Collection, Iterator, Mapping
from contextlib import suppress
from typing import Any

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from .errors import AnalysisFailed
from .language import detect_language
from .models import Risk, Sentiment, Urgency
from .plain import plain_line, strip_hidden
from .prompt import MAX_ENTITY, MAX_QUOTE, MAX_QUOTES, MAX_SECONDARY, MAX_SUMMARY
from .taxonomy import Taxonomy

MAX_ANSWER_CHARS = 32_000
"""Read from either end of an answer, once its reasoning is taken out."""
MAX_REASONING_CHARS = 1_000_000
MAX_REPAIRED_CHARS = 4_000
"""Repair takes time that grows with the square of what it is given, and more so of open brackets."""
_MOST_BRACKETS = 40
_MOST_OBJECTS = 100
_AROUND_QUOTES = " \"'“”„«»…."
_RISK = {Urgency.CRITICAL: Risk.HIGH, Urgency.HIGH: Risk.MEDIUM, Urgency.MEDIUM: Risk.LOW, Urgency.LOW: Risk.LOW}


class Labels(BaseModel):
    """What every answer must hold."""

    model_config = ConfigDict(extra="ignore", hide_input_in_errors=True, frozen=True)

    category: str = Field(min_length=1)
    urgency: Urgency
    sentiment: Sentiment
    confidence: float = Field(ge=0, le=1, allow_inf_nan=False)


class Answer(Labels):
    """A whole answer after checking; closed, so that nothing outside it reaches the helpdesk.

    ``category`` is a name of either level. ``evidence`` and the values of ``entities`` are words of the ticket.
    """

    secondary: tuple[str, ...] = ()
    urgent_tone: bool = False
    risk: Risk
    language: str
    summary: str
    entities: dict[str, str] = {}
    evidence: tuple[str, ...] = ()


def checked(
    answer: str,
    ticket: str,
    taxonomy: Taxonomy,
    *,
    entities: Collection[str] = (),
    finished: bool = True,
    hide: Callable[[str], str] = str,
) -> Answer:
    """What ``answer`` says about ``ticket`` (the redacted text that was sent), as far as it may be believed.

    ``hide`` is put over every free text before it is made plain. Raises :class:`AnalysisFailed` for an answer
    without the labels: ``answer_cut_off``, ``answer_not_json`` or ``answer_off_schema`` with the fields' names.
    """
    found = found_object(answer, ticket, repair=finished)
    if not finished and "category" not in (found or ()):
        raise AnalysisFailed("answer_cut_off")
    if not found:
        raise AnalysisFailed("answer_not_json")
    labels = _labels(found, taxonomy)
    same = (labels.category, taxonomy[labels.category].parent, taxonomy.fallback)
    matching = normalised(ticket)

    def plain(value: object, limit: int) -> str:
        # A number is what an order number may be; of a longer text no helpdesk shows more.
        text = str(value) if isinstance(value, int) and not isinstance(value, bool) else value
        return plain_line(hide(text[: 10 * limit]), limit) if isinstance(text, str) else ""

    def quoted(value: object, limit: int) -> str:
        text = plain(value, limit).strip(_AROUND_QUOTES) if _occurs(value, matching) else ""
        return text if any(map(str.isalnum, text)) else ""

    given = found.get("entities")
    given = given if isinstance(given, dict) else {}
    picked = {name: quoted(given.get(name), MAX_ENTITY) for name in entities}
    quotes = (quoted(item, MAX_QUOTE) for item in _items(found.get("evidence")))
    others = (_word(item) for item in _items(found.get("secondary")))
    secondary = dict.fromkeys(item for item in others if item in taxonomy.names and item not in same)
    return Answer(
        **labels.model_dump(),
        secondary=tuple(secondary)[:MAX_SECONDARY],
        urgent_tone=found.get("urgent_tone") is True,
        risk=_risk(found.get("risk"), labels.urgency),
        language=_language(found.get("language"), ticket),
        summary=plain(found.get("summary"), MAX_SUMMARY) or plain(ticket.strip().partition("\n")[0], 120),
        entities={name: value for name, value in picked.items() if value},
        evidence=tuple(dict.fromkeys(quote for quote in quotes if quote))[:MAX_QUOTES],
    )


def _labels(found: Mapping[str, Any], taxonomy: Taxonomy) -> Labels:
    words = {name: _word(found.get(name)) for name in ("category", "urgency", "sentiment")}
    confidence = found.get("confidence")
    try:
        labels = Labels.model_validate(words | {"confidence": None if isinstance(confidence, bool) else confidence})
    except ValidationError as error:
        fields = sorted({str(item["loc"][0]) for item in error.errors(include_input=False) if item["loc"]})
        raise AnalysisFailed("answer_off_schema", ", ".join(fields)) from None
    category = {name.replace("-", "_"): name for name in taxonomy.names}.get(re.sub(r"[\s-]+", "_", labels.category))
    if category is None:
        raise AnalysisFailed("answer_off_schema", "category")
    return labels.model_copy(update={"category": category})


def _word(value: object) -> str:
    return value.strip().lower() if isinstance(value, str) else ""


def _items(value: object) -> list[object]:
    """The first of a list; models also write one value, or several in one text."""
    if isinstance(value, str):
        return [value]
    return value[:10] if isinstance(value, list) else []


def _risk(value: object, urgency: Urgency) -> Risk:
    with suppress(ValueError):
        return Risk(_word(value))
    return _RISK[urgency]


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


# Finding the object

_REASONING = r"think(?:ing)?|reason(?:ing)?|thoughts?|reflection|analysis|scratchpad|seed:think"
_OPEN = rf"(?:<(?:{_REASONING})>|\u25c1think\u25b7|\[THINK\])"
_CLOSE = rf"(?:</(?:{_REASONING})>|\u25c1/think\u25b7|\[/THINK\])"
_THOUGHTS = re.compile(rf"{_OPEN}.*?(?:{_CLOSE}|\Z)", re.DOTALL | re.IGNORECASE)
# Some chat templates open the reasoning in the prompt, so that only its end is in the answer.
_END_OF_THOUGHTS = re.compile(_CLOSE, re.IGNORECASE)
_FINAL = re.compile(r"<\|channel\|>final|final answer\W{0,6}:", re.IGNORECASE)


class _Ambiguous:
    """Stands for two values under one name: it passes no check."""


def _no_twins(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    made: dict[str, Any] = {}
    for name, value in pairs:
        key = re.sub(r"[\s-]+", "_", name.strip().lower())
        made[key] = _Ambiguous() if key in made and made[key] != value else value
    return made


_DECODER = json.JSONDecoder(object_pairs_hook=_no_twins, strict=False)


def found_object(text: str, ticket: str = "", *, repair: bool = True) -> dict[str, Any] | None:
    """The answer's JSON object, its keys in small letters; ``None`` if there is none.

    Reasoning, prose, fences, lists and wrappings around it are ignored; of several the last counts. One that stands
    just so in ``ticket`` is a quotation, not the answer. A name with two different values has none that is valid.
    With ``repair`` slips of JSON (single quotes, missing commas, comments) are forgiven where nothing else is found.
    """
    whole = _decoded(text.strip()) if len(text) <= MAX_ANSWER_CHARS else None
    if isinstance(whole, str):  # JSON that was encoded twice
        text, whole = whole, _decoded(whole.strip())
    quoted = list(_objects(ticket))
    if isinstance(whole, dict | list):
        found = _with_labels(whole)
        return None if found in quoted else found
    spoken = _THOUGHTS.sub(" ", text[:MAX_REASONING_CHARS])
    for end in _END_OF_THOUGHTS.finditer(spoken):
        if "{" in spoken[end.end() :]:
            spoken = spoken[end.end() :]
            break
    final = max((match.end() for match in _FINAL.finditer(spoken)), default=0)
    parts = [spoken[final:], spoken[:final]] if "{" in spoken[final:] else [spoken]
    windows = (window for part in parts for window in (part[-MAX_ANSWER_CHARS:], part[:MAX_ANSWER_CHARS]))
    spare = None
    for window in windows:
        said = [found for value in _objects(window) if (found := _with_labels(value)) not in quoted]
        labelled = [found for found in said if found and "category" in found]
        if labelled:
            return labelled[-1]
        spare = spare or (said[-1] if said else None)  # in an answer with a slip it may be a part of the answer
    found = None if not repair or _stands_in(parts[0], ticket) else _repaired(parts[0])
    return spare if found is None or found in quoted else found


def _stands_in(text: str, ticket: str) -> bool:
    """Whether what an answer has in brackets is the ticket's own, white space apart."""
    bracketed = text[max(0, text.find("{")) : text.rfind("}") + 1]
    return bool(bracketed) and "".join(bracketed.split()) in "".join(ticket.split())


def _decoded(text: str) -> Any:
    try:
        value, end = _DECODER.raw_decode(text)
    except (ValueError, RecursionError):
        return None
    return value if end == len(text) else None


def _objects(text: str) -> Iterator[dict[str, Any]]:
    """The outermost objects of a text, in order."""
    position = text.find("{")
    for _ in range(_MOST_OBJECTS):
        if position == -1:
            return
        try:
            value, end = _DECODER.raw_decode(text, position)
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
