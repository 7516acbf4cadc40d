"""The imitated model's answers about articles: sentences of theirs that share words with the question, quoted."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

MOST = 3
SHARED = 2
"""Words that a sentence has in common with the question, by their first letters."""
_STEM = 5
_SENTENCE = re.compile(r"[^.!?。！？\n]+[.!?。！？]")
_WORD = re.compile(r"[^\W\d_]{4,}")
_SECTION = re.compile(r"^(?:\w+ )?(?P<label>\w+):$", re.MULTILINE)


def asks_for_claims(schema: Mapping[str, Any]) -> Sequence[str]:
    """The labels of the sources that ``schema`` wants claims from; none where it wants something else."""
    claim: Any = schema
    for name in ("properties", "claims", "items", "properties", "source", "enum"):
        claim = claim.get(name) if isinstance(claim, Mapping) else None
    return [label for label in claim if isinstance(label, str)] if isinstance(claim, list) else []


def write_claims(message: str, labels: Sequence[str]) -> dict[str, object]:
    """The nearest sentences of the sources in ``message``; the last section is the question."""
    marks = list(_SECTION.finditer(message))
    ends = [mark.start() for mark in marks[1:]] + [len(message)]
    sections = {mark["label"]: message[mark.end() : end] for mark, end in zip(marks, ends, strict=True)}
    asked = _stems(message[marks[-1].end() :] if marks else "")
    found = [
        (len(asked & _stems(sentence)), label, sentence.strip())
        for label in labels
        for sentence in _SENTENCE.findall(sections.get(label, ""))
    ]
    near = sorted((item for item in found if item[0] >= SHARED), key=lambda item: -item[0])[:MOST]
    claims = [{"text": sentence, "source": label, "quote": sentence} for _, label, sentence in near]
    return {"claims": claims, "steps": [], "missing": [], "verdict": "answer" if claims else "no_answer"}


def _stems(text: str) -> set[str]:
    return {word.lower()[:_STEM] for word in _WORD.findall(text)}
