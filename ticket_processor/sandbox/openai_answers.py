"""The imitated model's answers: a schema filled in from simple evidence in the last user message.

Every property is filled by its name, its enum and its type. Evidence for an enum value is, in this order: known
words for well-known meanings in several languages, the value's own words, and the words that stand beside
the value in the system message. Claims about articles are sentences of theirs that share words with the question.
"""

from __future__ import annotations

import json
import re
import tomllib
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import orjson

_FILE = tomllib.loads(Path(__file__).with_name("openai_words.toml").read_text(encoding="utf-8"))

Words = Mapping[str, list[str]]
CATEGORIES: Words = _FILE["categories"]
SYNONYMS: Mapping[str, str] = {name: meaning for meaning, names in _FILE["synonyms"].items() for name in names}
URGENCY: Words = _FILE["urgency"]
URGENCY_SYNONYMS: Words = _FILE["urgency_synonyms"]
NEGATIVE: list[str] = _FILE["sentiment"]["negative"]
POSITIVE: list[str] = _FILE["sentiment"]["positive"]
LANGUAGES: Mapping[str, frozenset[str]] = {code: frozenset(words.split()) for code, words in _FILE["languages"].items()}


_ALIKE = 0.6
"""The share of what two texts have between them that both have. Redaction and cuts change a part of a text."""


class KnownAnswers:
    """Answers by text: to a text that is nearly the same, and to no other. Safe in any thread."""

    def __init__(self, answers: Iterable[tuple[str, Mapping[str, Any]]] = ()) -> None:
        self._answers = [(_pieces(text), answer) for text, answer in answers]

    def answer_to(self, text: str) -> Mapping[str, Any]:
        """The known answer, by the names of its fields; empty where there is none."""
        pieces = _pieces(text)
        shares = [(len(pieces & known) / (len(pieces | known) or 1), answer) for known, answer in self._answers]
        share, answer = max(shares, key=lambda pair: pair[0], default=(0.0, {}))
        return answer if share >= _ALIKE else {}


def known_values(known: Mapping[str, Any], schema: Mapping[str, Any]) -> dict[str, Any]:
    """Those of the ``known`` values that a schema of an object has room for."""
    fields = _object(schema.get("properties"))
    return {name: value for name, value in known.items() if name in fields and _fits(value, fields[name])}


def _fits(value: Any, schema: Any) -> bool:
    if not isinstance(schema, Mapping):
        return False
    allowed, longest, most = (schema.get(name) for name in ("enum", "maxLength", "maxItems"))
    if isinstance(allowed, list):
        return value in allowed
    if isinstance(value, list):
        items = schema.get("items", {})
        return (not isinstance(most, int) or len(value) <= most) and all(_fits(item, items) for item in value)
    return not (isinstance(value, str) and isinstance(longest, int) and len(value) > longest)


def _pieces(text: str) -> frozenset[str]:
    """Three letters each: there are words in every script, but not everywhere are there blanks between them."""
    letters = "".join(filter(str.isalpha, text.casefold()))
    return frozenset(letters[at : at + 3] for at in range(max(1, len(letters) - 2)))


MOST_CLAIMS = 3
SHARED = 2
"""Words that a sentence has in common with the question, by their first letters."""
_STEM = 5
_SENTENCE = re.compile(r"[^.!?。！？\n]+[.!?。！？]")
_LONG_WORD = re.compile(r"[^\W\d_]{4,}")
_SECTION = re.compile(r"^(?:\w+ )?(?P<label>\w+):$", re.MULTILINE)


def asks_for_claims(schema: Mapping[str, Any]) -> Sequence[str]:
    """The labels of the sources that ``schema`` wants claims from; none where it wants something else."""
    claim: Any = schema
    for name in ("properties", "claims", "items", "properties", "source", "enum"):
        claim = _object(claim).get(name)
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
    near = sorted((item for item in found if item[0] >= SHARED), key=lambda item: -item[0])[:MOST_CLAIMS]
    claims = [{"text": sentence, "source": label, "quote": sentence} for _, label, sentence in near]
    return {"claims": claims, "steps": [], "missing": [], "verdict": "answer" if claims else "no_answer"}


def _stems(text: str) -> set[str]:
    return {word.lower()[:_STEM] for word in _LONG_WORD.findall(text)}


Schema = Mapping[str, Any]

DEFAULT_SCHEMA: Schema = {
    "type": "object",
    "properties": {
        "category": {"enum": list(CATEGORIES)},
        "urgency": {"enum": ["critical", "high", "medium", "low"]},
        "sentiment": {"enum": ["negative", "neutral", "positive"]},
        "language": {"type": "string"},
        "summary": {"type": "string"},
        "confidence": {"type": "number"},
    },
}

_WORD = re.compile(r"[^\W\d_]{2,}")
_SUBJECT = re.compile(r"^\W*subject\W{0,4}\s*(.+)$", re.IGNORECASE | re.MULTILINE)
_FENCE = re.compile(r"<[^>\n]{1,80}>|^\W*(?:subject|body|description|text|message)\W{0,3}:", re.I | re.M)


_PICKED = {
    r"order|invoice|number|reference": r"\b(?:[A-Z]{1,4}-?)?\d{4,12}\b",
    r"amount|price|sum|money": r"[$€£¥] ?\d[\d.,]*\d|\b\d[\d.,]*\d ?(?:[$€£¥]|EUR|USD|GBP)",
}
"""Patterns in a field's name, and what is then looked for."""


@dataclass(frozen=True)
class PromptText:
    """The text the model looks at, and the instructions that came before it."""

    text: str
    instructions: str

    @property
    def lowered(self) -> str:
        """The text without regard to case."""
        return self.text.lower()


def answer_for(
    messages: Sequence[Mapping[str, Any]], response_format: Schema, known: KnownAnswers | None = None
) -> str:
    """The assistant's answer: JSON for a schema or where JSON was asked for, a sentence otherwise.

    What is ``known`` of the text goes before evidence, in the properties that have a name of its fields.
    """
    texts = [(str(message.get("role")), _plain(message.get("content"))) for message in messages]
    user = [text for role, text in texts if role == "user"] or [texts[-1][1]]
    instructions = "\n".join(text for role, text in texts if role in ("system", "developer"))
    evidence = PromptText(_without_fence(user[-1]), instructions)
    kind = response_format.get("type")
    schema = response_format.get("schema")
    if kind == "text" and "json" not in (instructions + user[0]).lower():
        return summary_of(evidence, 300)
    if not isinstance(schema, Mapping) or not schema:
        schema = _schema_in([text for _, text in texts]) or DEFAULT_SCHEMA
    if labels := asks_for_claims(schema):
        return orjson.dumps(write_claims(user[-1], labels)).decode("utf-8")
    filled = fill(schema, evidence)
    if known is not None and isinstance(filled, dict):
        filled |= known_values(known.answer_to(evidence.text), schema)
    return orjson.dumps(filled).decode("utf-8")


def fill(schema: object, evidence: PromptText, name: str = "") -> Any:
    """A value that a JSON schema allows, chosen by what the text says."""
    if not isinstance(schema, Mapping):
        return None
    if isinstance(schema.get("enum"), list) and schema["enum"]:
        return choose(name, schema["enum"], evidence)
    kind = schema.get("type")
    if isinstance(kind, list):
        return _picked_out(schema, name, evidence) if "null" in kind else None
    if kind == "object" or "properties" in schema:
        properties = _object(schema.get("properties"))
        return {key: fill(inner, evidence, key) for key, inner in properties.items()}
    if kind == "array":
        return _array(schema, evidence, name)
    if kind in ("number", "integer"):
        share = _certainty(evidence) if re.search(r"confiden|score|probab|certain", name, re.I) else 0.5
        return round(share) if kind == "integer" else share
    if kind == "boolean":
        return bool(re.search(r"urgen|escalat", name, re.I)) and urgency_of(evidence) in ("critical", "high")
    return None if kind == "null" else _string(schema, name, evidence)


def choose(name: str, values: Sequence[Any], evidence: PromptText) -> Any:
    """The enum value there is most evidence for; without any, a value that means "other"."""
    words = [value for value in values if isinstance(value, str)]
    if not words:
        return values[0]
    feelings = {"negative", "positive"} <= {value.lower() for value in words}
    if meant := _meant("sentiment" if feelings else name, evidence):
        return _nearest(words, *meant)
    scores = [_score(value, evidence) for value in words]
    best = max(scores)
    if best > 0:
        return words[scores.index(best)]
    return next((value for value in words if SYNONYMS.get(value.lower()) == "general"), words[-1])


def _meant(name: str, evidence: PromptText) -> tuple[str, Words] | None:
    """The word for a field of a well-known name, and words that mean nearly the same; ``None`` for other names."""
    for pattern, tell, synonyms in _MEANINGS:
        if re.search(pattern, name, re.I):
            return tell(evidence), synonyms
    return None


def _score(value: str, evidence: PromptText) -> float:
    meaning = SYNONYMS.get(value.lower().replace("-", "_").replace(" ", "_"), value.lower())
    score = 2.0 * _hits(CATEGORIES.get(meaning, ()), evidence.lowered)
    own = [word for word in re.split(r"[\W_]+", value.lower()) if len(word) > 2]
    score += sum(1.0 for word in own if word[:6] in evidence.lowered)
    if meaning not in CATEGORIES and evidence.instructions:
        beside = [line for line in evidence.instructions.lower().splitlines() if value.lower() in line]
        known = {word for line in beside for word in _WORD.findall(line) if len(word) > 3}
        score += 0.5 * len(known & set(_WORD.findall(evidence.lowered)))
    return score


def urgency_of(evidence: PromptText) -> str:
    """``critical``, ``high``, ``medium`` or ``low``."""
    for level, words in URGENCY.items():
        if _hits(words, evidence.lowered):
            return level
    return "high" if evidence.text.count("!") >= 3 else "medium"


def sentiment_of(evidence: PromptText) -> str:
    """``negative``, ``neutral`` or ``positive``."""
    balance = _hits(POSITIVE, evidence.lowered) - _hits(NEGATIVE, evidence.lowered)
    return "positive" if balance > 0 else "negative" if balance < 0 else "neutral"


def language_of(evidence: PromptText) -> str:
    """An ISO 639-1 code, by the most common small words; ``en`` when nothing tells."""
    words = _WORD.findall(evidence.lowered)
    scores = {code: sum(word in small for word in words) for code, small in LANGUAGES.items()}
    best = max(scores, key=lambda code: scores[code])
    return best if scores[best] else "en"


_MEANINGS: tuple[tuple[str, Callable[[PromptText], str], Words], ...] = (
    ("urgen|priorit|sever", urgency_of, URGENCY_SYNONYMS),
    ("sentiment|mood|tone", sentiment_of, {"neutral": ["mixed", "unknown"]}),
    ("risk|stake", urgency_of, {"critical": ["high"]}),
    ("lang|locale", language_of, {}),
)
"""Parts of a field's name, what tells its word, and what may stand for that word."""


def summary_of(evidence: PromptText, longest: int) -> str:
    """The subject, or the first sentence, cut at a word."""
    found = _SUBJECT.search(evidence.text)
    text = found[1] if found else _FENCE.sub(" ", evidence.text)
    first = re.split(r"(?<=[.!?])\s+|\n{2,}", " ".join(text.split()) if found else text.strip())[0]
    line = " ".join(first.split()).strip(" \"',:") or "No text."
    if len(line) <= longest:
        return line
    return line[: max(1, longest - 1)].rsplit(" ", 1)[0][: max(1, longest - 1)] + "…"


def quotes_of(evidence: PromptText, most: int, longest: int) -> list[str]:
    """The sentences that say most, word for word, in the ticket's order; greetings say nothing."""
    sentences = [text.strip()[:longest].strip() for text in re.split(r"(?<=[.!?])\s+|\n+", evidence.text)]
    words = [word for listed in (*CATEGORIES.values(), *URGENCY.values()) for word in listed]
    told = [(_hits(words, text.lower()), -at, text) for at, text in enumerate(sentences) if len(text) > 3]
    best = sorted(item for item in told if item[0])[-most:] or told[:1]
    return [text for _, _, text in sorted(best, key=lambda item: -item[1])]


def _picked_out(schema: Schema, name: str, evidence: PromptText) -> str | None:
    """The order number or amount in a text; ``None`` when there is none, or something else is asked."""
    longest = schema.get("maxLength")
    for pattern, form in _PICKED.items():
        found = re.search(form, evidence.text) if re.search(pattern, name, re.I) else None
        if found:
            return found[0][: longest if isinstance(longest, int) else None]
    return None


def _nearest(values: Sequence[str], wanted: str, synonyms: Mapping[str, Iterable[str]]) -> str:
    """The value that means what is wanted: itself, a synonym, or the middle of the list."""
    for word in (wanted, *synonyms.get(wanted, ())):
        for value in values:
            if value.lower() == word:
                return value
    return values[len(values) // 2]


def _string(schema: Schema, name: str, evidence: PromptText) -> str:
    longest = schema.get("maxLength")
    limit = longest if isinstance(longest, int) and longest > 0 else 160
    if meant := _meant(name, evidence):
        return meant[0][:limit]
    return summary_of(evidence, min(limit, 160))


def _certainty(evidence: PromptText) -> float:
    """How sure the model says it is: by how far the best category's words outnumber the second's."""
    hits = sorted((_hits(words, evidence.lowered) for words in CATEGORIES.values()), reverse=True)
    best, second = (*hits, 0, 0)[:2]
    if not best:
        return 0.4
    return min(0.95, 0.6 + 0.1 * min(3, best - second) + 0.05 * (best > 2))


def _array(schema: Schema, evidence: PromptText, name: str) -> list[Any]:
    inner, most = _object(schema.get("items")), schema.get("maxItems")
    if isinstance(inner.get("enum"), list):
        good = [value for value in inner["enum"] if isinstance(value, str) and _score(value, evidence) > 0]
        return good[: most if isinstance(most, int) else None]
    if name == "evidence":
        longest = inner.get("maxLength")
        return quotes_of(evidence, most if isinstance(most, int) else 2, longest if isinstance(longest, int) else 160)
    return []


def _object(value: object) -> Mapping[str, Any]:
    """A value that should be an object; empty where it is none."""
    return value if isinstance(value, Mapping) else {}


def _hits(words: Iterable[str], text: str) -> int:
    return sum(word in text for word in words)


def _without_fence(text: str) -> str:
    """What stands between the last two equal lines that mark data in a prompt; all of it where there are none."""
    rest, _, last = f"\n{text.strip()}".rpartition("\n")
    _, fence, inner = f"{rest}\n".rpartition(f"\n{last}\n")
    return inner.removesuffix("\n") if last and fence and " " not in last else text


def _plain(content: object) -> str:
    if isinstance(content, str):
        return content
    if isinstance(content, list):
        return "\n".join(str(part.get("text") or "") for part in content if isinstance(part, dict))
    return ""


def _schema_in(texts: Iterable[str]) -> Schema | None:
    """A JSON schema written into a message, as is done for servers that take none with the request."""
    decoder = json.JSONDecoder()
    for text in texts:
        for found in re.finditer(r"\{", text):
            try:
                told, _ = decoder.raw_decode(text, found.start())
            except ValueError:
                continue
            for schema in (told, told.get("schema")):
                if isinstance(schema, dict) and isinstance(schema.get("properties"), dict):
                    return schema
    return None
