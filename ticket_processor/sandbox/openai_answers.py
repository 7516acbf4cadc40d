"""The imitated model's answers: the request's schema, filled in from simple evidence in the last user message.

A property that ticketbot asks for by a known name gets what the text says of it; every other one is filled by its type.
Evidence for an enum value is, in this order: known words for well-known meanings in several languages, the value's own
words, and the words that stand beside the value in the system message. Claims about articles are sentences of theirs
that share words with the question. A schema that stands in a message alone is not read.
"""

from __future__ import annotations

import re
import textwrap
import tomllib
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import orjson

_FILE = tomllib.loads(Path(__file__).with_name("openai_words.toml").read_text(encoding="utf-8"))

Schema = Mapping[str, Any]
CATEGORIES: Mapping[str, list[str]] = _FILE["categories"]
_CATEGORY_WORDS = [word for words in CATEGORIES.values() for word in words]
SYNONYMS: Mapping[str, str] = {name: meaning for meaning, names in _FILE["synonyms"].items() for name in names}
URGENCY: Mapping[str, list[str]] = _FILE["urgency"]
_TELLING = [*_CATEGORY_WORDS, *(word for words in URGENCY.values() for word in words)]
LANGUAGES: Mapping[str, frozenset[str]] = {code: frozenset(words.split()) for code, words in _FILE["languages"].items()}

USUAL: Schema = {
    "properties": {
        "category": {"enum": list(CATEGORIES)},
        **{name: {} for name in ("urgency", "sentiment", "language", "summary", "confidence")},
    }
}
"""What is answered where JSON is asked for without a schema."""

_ALIKE = 0.6
"""The share of what two texts have between them that both have. Redaction and cuts change a part of a text."""
_WORD = re.compile(r"[^\W\d_]{2,}")
_SUBJECT = re.compile(r"^\W*subject\W{0,4}\s*(.+)$", re.IGNORECASE | re.MULTILINE)
_FENCE = re.compile(r"<[^>\n]{1,80}>|^\W*(?:subject|body|description|text|message)\W{0,3}:", re.I | re.M)


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


NONE_KNOWN = KnownAnswers()


def _pieces(text: str) -> frozenset[str]:
    """Three letters each: there are words in every script, but not everywhere are there blanks between them."""
    letters = "".join(filter(str.isalpha, text.casefold()))
    return frozenset(letters[at : at + 3] for at in range(max(1, len(letters) - 2)))


class PromptText:
    """The text the model looks at, and the instructions that came before it; ``lowered`` and these have no capitals."""

    def __init__(self, text: str, instructions: str) -> None:
        self.text, self.lowered, self.instructions = text, text.lower(), instructions.lower()


def answer_for(messages: Sequence[Mapping[str, Any]], response_format: Schema, known: KnownAnswers = NONE_KNOWN) -> str:
    """The assistant's answer: JSON for a schema or where JSON was asked for, a sentence otherwise.

    What is ``known`` of the text goes before evidence, in the properties that have a name of its fields.
    """
    texts = [(message.get("role"), str(message.get("content") or "")) for message in messages]
    user = [text for role, text in texts if role == "user"] or [texts[-1][1]]
    instructions = "\n".join(text for role, text in texts if role in ("system", "developer"))
    evidence = PromptText(_without_fence(user[-1]), instructions)
    if response_format["type"] == "text" and "json" not in (instructions + user[0]).lower():
        return summary_of(evidence, 300)
    schema = response_format.get("json_schema", {}).get("schema") or USUAL
    if labels := _sources_in(schema):
        return orjson.dumps(write_claims(user[-1], labels)).decode("utf-8")
    filled, answer = fill(schema, evidence), known.answer_to(evidence.text)
    filled |= {name: answer[name] for name, part in schema["properties"].items() if _has_room(part, answer.get(name))}
    return orjson.dumps(filled).decode("utf-8")


def _has_room(schema: Schema, value: object) -> bool:
    """Whether a property takes a known value."""
    if isinstance(value, list):
        return all(_has_room(schema.get("items", {}), item) for item in value)
    return value is not None and value in schema.get("enum", [value])


def _without_fence(text: str) -> str:
    """What stands between the last two equal lines that mark data in a prompt; all of it where there are none."""
    rest, _, last = f"\n{text.strip()}".rpartition("\n")
    _, fence, inner = f"{rest}\n".rpartition(f"\n{last}\n")
    return inner.removesuffix("\n") if last and fence and " " not in last else text


def fill(schema: Schema, evidence: PromptText, name: str = "") -> Any:
    """A value for a JSON schema, chosen by what the text says."""
    longest, most, inner = schema.get("maxLength") or 160, schema.get("maxItems"), schema.get("items", {})
    if name in _TOLD:
        return _TOLD[name](evidence, longest)
    if "enum" in schema:
        return choose(schema["enum"], evidence)
    if "properties" in schema:
        return {key: fill(part, evidence, key) for key, part in schema["properties"].items()}
    if name == "evidence":
        return quotes_of(evidence, most or 2, inner.get("maxLength") or 160)
    if schema.get("type") == "array":
        return [value for value in inner.get("enum", ()) if _score(value, evidence) > 0][:most]
    plain = {"string": summary_of(evidence, longest), "number": 0.5, "integer": 0, "boolean": False}
    return plain.get(str(schema.get("type")))


def choose(values: Sequence[Any], evidence: PromptText) -> Any:
    """The enum value there is most evidence for; without any, a value that means "other"."""
    best = max(values, key=lambda value: _score(value, evidence))
    if _score(best, evidence) > 0:
        return best
    return next((value for value in values if SYNONYMS.get(str(value).lower()) == "general"), values[-1])


def _score(value: object, evidence: PromptText) -> float:
    word = str(value).lower()
    meaning = SYNONYMS.get(word.replace("-", "_").replace(" ", "_"), word)
    score = 2.0 * _hits(CATEGORIES.get(meaning, ()), evidence.lowered)
    own = [part for part in re.split(r"[\W_]+", word) if len(part) > 2]
    score += sum(1.0 for part in own if part[:6] in evidence.lowered)
    if meaning not in CATEGORIES:
        beside = [line for line in evidence.instructions.splitlines() if word in line]
        known = {other for line in beside for other in _WORD.findall(line) if len(other) > 3}
        score += 0.5 * len(known & set(_WORD.findall(evidence.lowered)))
    return score


def urgency_of(evidence: PromptText) -> str:
    return next((level for level, words in URGENCY.items() if _hits(words, evidence.lowered)), "medium")


def sentiment_of(evidence: PromptText) -> str:
    good, bad = (_hits(_FILE["sentiment"][kind], evidence.lowered) for kind in ("positive", "negative"))
    return "positive" if good > bad else "negative" if good < bad else "neutral"


def language_of(evidence: PromptText) -> str:
    """An ISO 639-1 code, by the most common small words; ``en`` when nothing tells."""
    words = _WORD.findall(evidence.lowered)
    return max(["en", *LANGUAGES], key=lambda code: sum(word in LANGUAGES[code] for word in words))


def summary_of(evidence: PromptText, longest: int) -> str:
    """The subject, or the first sentence, cut at a word."""
    found = _SUBJECT.search(evidence.text)
    text = found[1] if found else _FENCE.sub(" ", evidence.text)
    first = re.split(r"(?<=[.!?])\s+|\n{2,}", " ".join(text.split()) if found else text.strip())[0]
    return textwrap.shorten(first.strip(" \"',:\n") or "No text.", longest, placeholder="…")


def quotes_of(evidence: PromptText, most: int, longest: int) -> list[str]:
    """The sentences that say most, word for word, in the ticket's order; greetings say nothing."""
    sentences = [text.strip()[:longest].strip() for text in re.split(r"(?<=[.!?])\s+|\n+", evidence.text)]
    long_enough = [text for text in sentences if len(text) > 3]
    best = sorted(long_enough, key=lambda text: -_hits(_TELLING, text.lower()))[:most]
    return [text for text in long_enough if text in best and _hits(_TELLING, text.lower())] or long_enough[:1]


_TOLD: Mapping[str, Callable[[PromptText, int], Any]] = {
    "summary": lambda evidence, longest: summary_of(evidence, min(longest, 160)),
    "urgency": lambda evidence, _: urgency_of(evidence),
    "urgent_tone": lambda evidence, _: urgency_of(evidence) in ("critical", "high"),
    "risk": lambda evidence, _: urgency_of(evidence).replace("critical", "high"),
    "sentiment": lambda evidence, _: sentiment_of(evidence),
    "language": lambda evidence, _: language_of(evidence),
    "confidence": lambda evidence, _: 0.8 if _hits(_CATEGORY_WORDS, evidence.lowered) else 0.4,
}
"""What the text says of a property with one of these names, at most so many characters of it."""


def _hits(words: Iterable[str], text: str) -> int:
    return sum(word in text for word in words)


# --- claims about articles --------------------------------------------------------------------------------

_SENTENCE = re.compile(r"[^.!?。！？\n]+[.!?。！？]")
_LONG_WORD = re.compile(r"[^\W\d_]{4,}")
_SECTION = re.compile(r"^(?:\w+ )?(\w+):$", re.MULTILINE)


def _sources_in(schema: Schema) -> Sequence[str]:
    """The labels of the sources that ``schema`` wants claims from; none where it wants something else."""
    claim: Any = schema
    for name in ("properties", "claims", "items", "properties", "source", "enum"):
        claim = claim.get(name, {})
    return list(claim)


def write_claims(message: str, labels: Sequence[str]) -> dict[str, object]:
    """The nearest sentences of the sources in ``message``; the last section is the question."""
    _, *parts = _SECTION.split(message)
    sections = dict(zip(parts[::2], parts[1::2], strict=True))
    asked = _stems(parts[-1] if parts else "")
    found = [
        (len(asked & _stems(sentence)), label, sentence.strip())
        for label in labels
        for sentence in _SENTENCE.findall(sections.get(label, ""))
    ]
    near = sorted((item for item in found if item[0] > 1), key=lambda item: -item[0])[:3]
    claims = [{"text": sentence, "source": label, "quote": sentence} for _, label, sentence in near]
    return {"claims": claims, "steps": [], "verdict": "answer" if claims else "no_answer"}


def _stems(text: str) -> set[str]:
    return {word.lower()[:5] for word in _LONG_WORD.findall(text)}
