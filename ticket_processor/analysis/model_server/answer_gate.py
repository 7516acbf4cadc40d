"""The gate on what a model answers: plain code that lets closed values and plain words through, and nothing else.

Whatever the server promised is checked again here. Category, urgency and sentiment have to be there and right. A
confidence that cannot be read counts as none: the answer was paid for, and people look at what is unsure. Every other
part is taken when it is right and left out when it is not, since weaker models forget parts; it is then made up from
the ticket, or empty. No value of an answer ever appears in an error.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Collection, Mapping
from contextlib import suppress
from typing import Any

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from ...core.errors import AnalysisFailed
from ...core.models import Risk, Sentiment, Urgency
from ...core.sanitize import strip_hidden
from ...core.taxonomy import Taxonomy
from ..text.language import detect_language
from ..text.outgoing import leaving_line
from .advice import Advice, read_advice, without_advice
from .answer_object import found_object, read_confidence
from .prompt import MAX_ENTITY, MAX_QUOTE, MAX_QUOTES, MAX_SECONDARY, MAX_SUMMARY

_AROUND_QUOTES = " \"'“”„«»…."
_RISK = {Urgency.CRITICAL: Risk.HIGH, Urgency.HIGH: Risk.MEDIUM, Urgency.MEDIUM: Risk.LOW, Urgency.LOW: Risk.LOW}


class AllowedLabels(BaseModel):
    """The labels that every answer must hold."""

    model_config = ConfigDict(extra="ignore", hide_input_in_errors=True, frozen=True)

    category: str = Field(min_length=1)
    urgency: Urgency
    sentiment: Sentiment
    confidence: float = Field(ge=0, le=1, allow_inf_nan=False)


class Answer(AllowedLabels):
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
    advice: Advice = Advice()


def checked(
    answer: str,
    ticket: str,
    taxonomy: Taxonomy,
    *,
    shown: str = "",
    entities: Collection[str] = (),
    finished: bool = True,
    advised: bool = False,
    hide: Callable[[str], str] = str,
) -> Answer:
    """The trustworthy parts of what ``answer`` says about ``ticket`` (the redacted text).

    ``shown`` is what of the ticket the model saw, cut and without marks: JSON that stands in either is no answer.
    ``advised``: advice was asked for as well; an answer that is cut off in it is taken without.
    ``hide`` is put over every free text before it is made plain, and what is plain is looked at once more. Raises
    :class:`AnalysisFailed` for an answer without the labels: ``answer_cut_off``, ``answer_not_json`` or
    ``answer_off_schema`` with the fields' names.
    """
    found = found_object(answer, ticket, shown, repair=finished)
    if advised and not finished and "category" not in (found or ()):
        found = found_object(without_advice(answer), ticket, shown, repair=False)
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
        return leaving_line(hide(text[: 10 * limit]), limit) if isinstance(text, str) else ""

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
        advice=read_advice(found, ticket, plain) if advised else Advice(),
    )


def _labels(found: Mapping[str, Any], taxonomy: Taxonomy) -> AllowedLabels:
    words = {name: _word(found.get(name)) for name in ("category", "urgency", "sentiment")}
    try:
        labels = AllowedLabels.model_validate(words | {"confidence": read_confidence(found.get("confidence"))})
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
