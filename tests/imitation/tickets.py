"""Tickets that the imitated model writes: put together from sentences, the same for the same line of a request."""

from __future__ import annotations

import random
import re
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from ticket_processor.sandbox.openai_answers import SYNONYMS, KnownAnswers

_SENTENCES = tomllib.loads(Path(__file__).with_name("tickets.toml").read_text(encoding="utf-8"))
"""In four languages; any other gets the English ones."""
_LINE = re.compile(r"^\W*(\d{1,4})[.):]\s+(.+)$", re.MULTILINE)
_CATEGORY = re.compile(r"category\W{1,3}([\w-]{2,60})", re.IGNORECASE)
_LANGUAGE = re.compile(r"\(([a-z]{2,3})\)")
_MOOD = re.compile(r"\b(negative|neutral|positive)\b", re.IGNORECASE)


class TicketWriter(KnownAnswers):
    """Where an answer has room for ``tickets``: one for each numbered line of the text."""

    def answer_to(self, text: str) -> Mapping[str, Any]:
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
    return {"n": number, "subject": matters[0].rstrip(".?!"), "body": f"{' '.join(matters)} {detail} {feeling}"}
