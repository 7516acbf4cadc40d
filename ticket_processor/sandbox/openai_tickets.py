"""Tickets that the imitated model writes when it is asked for some: sentences put together, the same for the same line.

It knows four languages and writes English in any other, as a weak model does.
"""

from __future__ import annotations

import random
import re
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from .openai_words import SYNONYMS

_SENTENCES = tomllib.loads(Path(__file__).with_suffix(".toml").read_text(encoding="utf-8"))
_LINE = re.compile(r"^\W*(\d{1,4})[.):]\s+(.+)$", re.MULTILINE)
_CATEGORY = re.compile(r"category\W{1,3}([\w-]{2,60})", re.IGNORECASE)
_LANGUAGE = re.compile(r"\(([a-z]{2,3})\)")
_MOOD = re.compile(r"\b(negative|neutral|positive)\b", re.IGNORECASE)


def asks_for_tickets(schema: Mapping[str, Any]) -> bool:
    """Whether an answer's schema is a list of things with a subject and a body."""
    properties = schema.get("properties")
    listed = properties.get("tickets") if isinstance(properties, Mapping) else None
    items = listed.get("items") if isinstance(listed, Mapping) else None
    fields = items.get("properties") if isinstance(items, Mapping) else None
    return isinstance(fields, Mapping) and {"subject", "body"} <= set(fields)


def write_tickets(text: str) -> dict[str, object]:
    """One ticket for each numbered line of ``text``."""
    return {"tickets": [_ticket(int(number), line) for number, line in _LINE.findall(text)]}


def _ticket(number: int, line: str) -> dict[str, object]:
    dice = random.Random(line)
    found = _LANGUAGE.search(line)
    said = _SENTENCES.get(found[1] if found else "", _SENTENCES["en"])
    named = _CATEGORY.search(line)
    category = named[1].lower().replace("-", "_") if named else "general"
    category = category if category in said["matters"] else SYNONYMS.get(category, "general")
    mood = _MOOD.search(line)
    matters = dice.sample(said["matters"][category], 2)
    detail = dice.choice(said["details"]).format(number=dice.randrange(10_000, 99_999), day=dice.randrange(2, 28))
    feeling = dice.choice(said["moods"][mood[1].lower() if mood else "neutral"])
    greeting, closing = dice.choice(said["greetings"]), dice.choice(said["closings"])
    middle = [*matters, detail]
    dice.shuffle(middle)
    body = f"{greeting},\n\n{' '.join(middle)} {feeling}\n\n{closing}"
    return {"n": number, "subject": matters[0].rstrip(".?!"), "body": body}
