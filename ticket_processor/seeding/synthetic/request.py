"""The prompt that asks for tickets, and the reader of its answer."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from typing import Any

from ...analysis.model_server.answer_object import objects_in
from ...analysis.model_server.prompt import LANGUAGES
from ...core.models import Sentiment, Urgency
from ...core.taxonomy import Taxonomy
from .plan import Hints, Slot

MAX_ANSWER_CHARS = 200_000
_MOST_TRIES = 400

_MOODS = {
    Sentiment.NEGATIVE: "negative (annoyed, disappointed or angry with the company, and one hears it)",
    Sentiment.NEUTRAL: "neutral (matter-of-fact)",
    Sentiment.POSITIVE: "positive (pleased with the company, or thankful, even where something is amiss)",
}
_URGENCIES = {
    Urgency.CRITICAL: "critical (outage, loss of data, break-in, danger)",
    Urgency.HIGH: "high (work is blocked, money is at risk, or a date is near)",
    Urgency.MEDIUM: "medium (an ordinary problem)",
    Urgency.LOW: "low (no hurry at all)",
}

SCHEMA: dict[str, object] = {
    "type": "object",
    "properties": {
        "tickets": {
            "type": "array",
            "items": {
                "type": "object",
                "properties": {"n": {"type": "integer"}, "subject": {"type": "string"}, "body": {"type": "string"}},
                "required": ["n", "subject", "body"],
                "additionalProperties": False,
            },
        }
    },
    "required": ["tickets"],
    "additionalProperties": False,
}
"""Of an answer: ``n`` says which of the numbered tickets it is."""


def instructions(taxonomy: Taxonomy) -> str:
    """The fixed part of the prompt, first in every request."""
    categories = "\n".join(f"- {category.name}: {category.description}" for category in taxonomy.categories)
    return (
        "You write invented messages from customers to a helpdesk, as test data. Each numbered line says what one "
        "message has to be like. Write it as its writer would: from the first word to the last in the language that "
        "is named, concrete, and unlike the others. The mood and the urgency show in what is said and how; never name "
        "category, mood or urgency.\n"
        "Invent what is needed: product names, order numbers, error codes, amounts, dates. Leave nothing to be filled "
        "in: no brackets, no blanks. No phone numbers, card or account numbers, passwords, links or postal addresses; "
        "an e-mail address only at example.com. A writer signs with an invented, uncommon first name or not at "
        "all.\n"
        f"Categories:\n{categories}\n"
        'Answer with JSON only: {"tickets": [{"n": 1, "subject": "…", "body": "…"}, …]}, one entry for each line, "n" '
        "being its number."
    )


def slot_line(number: int, slot: Slot, hints: Hints) -> str:
    """The line of the prompt that describes one ticket."""
    cell = slot.cell
    language = LANGUAGES.get(cell.language, "the language with the ISO 639-1 code")
    return (
        f"{number}. category {cell.category}; {language} ({cell.language}); mood {_MOODS[cell.mood]}; urgency "
        f"{_URGENCIES[hints.urgency]}; {hints.length}; by {hints.writer}; {hints.channel}; to {hints.area}; "
        f"{hints.detail}; {hints.style}"
    )


def messages(system: str, lines: Sequence[str], *, schema_in_prompt: bool) -> list[dict[str, str]]:
    """The chat messages for one batch."""
    if schema_in_prompt:
        system += f"\nAnswer with one JSON object that fits this schema: {json.dumps(SCHEMA)}"
    return [{"role": "system", "content": system}, {"role": "user", "content": "\n".join(lines)}]


def drafts_in(text: str, count: int) -> dict[int, tuple[object, object]]:
    """Subject and body, unchecked, by number (from 1 to ``count``), from a model's answer.

    Reasoning and prose around the JSON are passed over. Of an answer that was cut off, whole tickets are kept. The
    first ticket of a number counts. Tickets without numbers count by their order, if they are as many as asked for.
    """
    text = _after_thoughts(text[:MAX_ANSWER_CHARS])
    items: list[dict[str, Any]] = []
    loose: list[dict[str, Any]] = []
    for value in objects_in(text, json.JSONDecoder(), _MOST_TRIES):
        listed = _listed(value)
        if listed:
            items = listed  # the last one: an earlier one may have been thinking aloud
        elif _is_ticket(value):
            loose.append(value)
    items = items or loose
    found: dict[int, tuple[object, object]] = {}
    for item in items:
        number = item.get("n")
        if isinstance(number, int) and not isinstance(number, bool) and 1 <= number <= count:
            found.setdefault(number, (item.get("subject"), item.get("body")))
    if not found and len(items) == count and not any("n" in item for item in items):
        return {place: (item.get("subject"), item.get("body")) for place, item in enumerate(items, start=1)}
    return found


_THOUGHTS = re.compile(r"\s*<(think|thinking|reasoning)>", re.IGNORECASE)


def _after_thoughts(text: str) -> str:
    opened = _THOUGHTS.match(text)
    if not opened:
        return text
    # Within the tickets such a tag stays, to be found by the checks.
    return text[opened.end() :].partition(f"</{opened[1]}>")[2]


def _is_ticket(value: object) -> bool:
    return isinstance(value, dict) and "subject" in value and "body" in value


def _listed(value: dict[str, Any]) -> list[dict[str, Any]]:
    """The tickets in an object's list, whatever the model calls it."""
    for inner in value.values():
        if isinstance(inner, list):
            tickets = [item for item in inner if _is_ticket(item)]
            if tickets:
                return tickets
    return []
