"""Checks of tickets that a model wrote: none may give the model, the prompt or a real person away.

Every rejection has a short fixed reason, which is counted. A doubtful label is no rejection: the row is flagged.
"""

from __future__ import annotations

import ipaddress
import re
import zlib
from collections import Counter, defaultdict
from dataclasses import dataclass

from ...analysis.rules.analyser import RulesAnalyser
from ...analysis.text.language import detect_language
from ...analysis.text.redact import redact, replaced_spans
from ...core.models import Sentiment
from ...core.sanitize import strip_hidden
from ...core.taxonomy import Taxonomy
from ..corpus import is_reserved_address
from .plan import Slot

SUBJECT_CHARS = (3, 150)
BODY_CHARS = (12, 6000)
SURE_OF_LANGUAGE_FROM = 60
"""Characters; a shorter text may be in any language as far as the detector knows."""
RULES_ARE_SURE_FROM = 0.6
STOCK_NAMES_SHARE = 0.02
PROMPT_RUN = 6
"""Consecutive words shared with the prompt that count as copied from it."""


@dataclass(frozen=True)
class Draft:
    """A ticket's text after cleaning, not yet judged."""

    subject: str
    body: str

    @property
    def text(self) -> str:
        """Subject and body as the analysers get them."""
        return f"{self.subject}\n{self.body}"


class Checks:
    """Judges drafts, one after the other. Keeps count of stock names, so it belongs to one thread."""

    def __init__(self, taxonomy: Taxonomy, rules: RulesAnalyser, prompt: str, *, accepted: int = 0) -> None:
        self._taxonomy = taxonomy
        self._rules = rules
        self._prompt_runs = _runs(prompt)
        self._accepted = accepted
        self._stock_names = 0
        names = "|".join(re.escape(name) for name in taxonomy.names if "_" in name)
        self._label_names = re.compile(rf"\b(?:{names})\b") if names else None

    def draft(self, subject: object, body: object) -> Draft | str:
        """The cleaned text of what a model gave, or why there is none."""
        if not isinstance(subject, str) or not isinstance(body, str):
            return "empty"
        try:
            f"{subject}{body}".encode()
        except UnicodeEncodeError:
            return "unreadable"
        if any(_CONTROL.search(text) or "\ufffd" in text for text in (subject, body)):
            return "unreadable"
        draft = Draft(" ".join(strip_hidden(subject).split()), _tidy(strip_hidden(body)))
        return draft if draft.subject and draft.body else "empty"

    def objection(self, draft: Draft, slot: Slot, line: str) -> str | None:
        """Why this draft is not taken for ``slot``, or ``None``. ``line`` is the prompt's line that asked for it."""
        for sizes, text in ((SUBJECT_CHARS, draft.subject), (BODY_CHARS, draft.body)):
            # An ideograph says as much as a word of letters does.
            if len(text.encode()) < sizes[0]:
                return "too_short"
            if len(text) > sizes[1]:
                return "too_long"
        text = draft.text
        if _LEAKED.search(text) or any(_PREAMBLE.match(part) for part in (draft.subject, draft.body)):
            return "leaked_reasoning"
        if _PLACEHOLDER.search(text):
            return "placeholder"
        if _LABEL.search(text) or (self._label_names and self._label_names.search(text)):
            return "label_named"
        if _words_run_in(text, self._prompt_runs) or _words_run_in(text, _runs(line)):
            return "leaked_prompt"
        if _personal(text):
            return "personal_data"
        if not _in_language(text, slot.cell.language):
            return "wrong_language"
        if _STOCK_NAME.search(text) and self._stock_names + 1 > max(1.0, STOCK_NAMES_SHARE * self._accepted):
            return "stock_name"
        return None

    def accepted(self, draft: Draft) -> None:
        """Take note that this draft was taken."""
        self._accepted += 1
        self._stock_names += bool(_STOCK_NAME.search(draft.text))

    def doubt(self, draft: Draft, slot: Slot) -> str | None:
        """The keyword rules' firm objection to the labels, for a person to look at, or ``None``."""
        found = self._rules.analyse(redact(draft.text))
        wanted = self._taxonomy.split(slot.cell.category)[0]
        doubts = []
        if found.category != wanted and found.confidence >= RULES_ARE_SURE_FROM:
            doubts.append(f"category {found.category}")
        if {found.sentiment, slot.cell.mood} == {Sentiment.NEGATIVE, Sentiment.POSITIVE}:
            doubts.append(f"sentiment {found.sentiment}")
        return f"rules say {', '.join(doubts)}" if doubts else None


_CONTROL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]")
_LEAKED = re.compile(
    r"</?\s*(?:think|thinking|reasoning|tool_call|answer)\b|<\|[a-z_]+\|?>|\[/?INST\]|```|"
    r"\bas an? (?:ai|artificial intelligence|(?:large )?language model)\b|\b(?:large )?language model\b|"
    r"\bals (?:eine? )?(?:KI|Sprachmodell)\b|\ben tant qu['’]IA\b|\bcomo (?:una )?(?:IA|inteligencia artificial)\b|"
    r"\b(?:synthetic|invented|fictional|sample|simulated) (?:ticket|message|customer|request)s?\b|"
    r"\bthe user (?:wants|asks|asked) (?:me|for a (?:ticket|message))\b|\bthe prompt (?:wants|asks|says)\b|"
    r"\b(?:word count|end of (?:message|ticket|email))\b",
    re.IGNORECASE,
)
_PREAMBLE = re.compile(
    r"\W*(?:(?:sure|certainly|of course|absolutely|okay|ok|alright|gerne|natürlich|klar|bien sûr|claro|por supuesto)"
    r"\s*[,!:.]|here(?:['’]s| is| are) (?:a|an|the|your|one|my|some|\d+)\b(?=.{0,60}(?:ticket|message|e-?mail|request|"
    r"draft|example)[^\n]{0,80}:)|(?:hier ist|voici|aquí (?:está|tienes)|ecco) .{0,80}:\s*$|"
    r"(?:ticket|message|nachricht)\s*#?\d+\s*:|(?:subject|betreff|objet|asunto|oggetto|body)\s*:|"
    r"let me (?:write|draft|think)|i(?:['’]ll| will| need to| should) (?:write|draft|create|generate))",
    re.IGNORECASE | re.MULTILINE,
)
_PLACEHOLDER = re.compile(
    r"\{\{?[^{}\n]{0,60}\}?\}|\[[^\W\d_][^\[\]\n]{0,60}\]|<[^\W\d_][\w .:'-]{0,40}>|%[A-Z][A-Z_]{2,}%|"
    r"\$\{?[A-Z][A-Z_]{2,}\b|(?<![A-Za-z])[Xx]{3,}(?![A-Za-z])|_{3,}|(?<!\.)\.{5,}|\b(?:TBD|TODO:|FIXME)|"
    r"(?i:lorem ipsum|\binsert (?:your|the|name|date|order|product|company)\b|\byour (?:name|company) here\b)"
)
_LABEL = re.compile(
    r"\b(?:category|sentiment|mood|urgency|priority|label|kategorie|stimmung|dringlichkeit|priorität|catégorie|humeur|"
    r"urgence|priorité|categoría|ánimo|urgencia|prioridad|categoria|umore|urgenza|priorità|categorie|urgentie|"
    r"prioriteit)\s*[:=]",
    re.IGNORECASE,
)
_STOCK_NAME = re.compile(
    r"\b(?:(?:John|Jane) (?:Doe|Smith)|Max Mustermann|Erika Mustermann|Jean Dupont|Juan Pérez|Mario Rossi|Acme|ACME|"
    r"Foo ?Bar|Contoso|XYZ (?:Corp|Inc|Ltd)|ABC (?:Corp|Inc|Ltd|Company))\b"
)
_WORD = re.compile(r"[^\W_]+")
# By the detector, even where its learned model is missing; other languages it may take for one of these.
_RECOGNISED = frozenset(
    "ar bg bn cs da de el en es fa fi fr gu he hi hu hy id it ja ka kn ko ml nl no pa pl pt ro ru sv ta te th tr uk ur "
    "vi zh".split()
)


def _tidy(body: str) -> str:
    lines = [line.rstrip() for line in body.replace("\r\n", "\n").replace("\r", "\n").split("\n")]
    return re.sub(r"\n{3,}", "\n\n", "\n".join(lines)).strip()


def _runs(text: str) -> frozenset[tuple[str, ...]]:
    words = _WORD.findall(text.casefold())
    return frozenset(tuple(words[start : start + PROMPT_RUN]) for start in range(len(words) - PROMPT_RUN + 1))


def _words_run_in(text: str, runs: frozenset[tuple[str, ...]]) -> bool:
    return not runs.isdisjoint(_runs(text))


def _personal(text: str) -> bool:
    return any(not _harmless(kind, text[start:end]) for start, end, kind in replaced_spans(text))


def _harmless(kind: str, value: str) -> bool:
    """Whether apparent personal data belongs to no person: addresses that are reserved for such use."""
    if kind == "EMAIL":
        return is_reserved_address(value)
    if kind == "IP":
        try:
            return not ipaddress.ip_address(value).is_global
        except ValueError:
            return False
    return False


def _in_language(text: str, wanted: str) -> bool:
    found = detect_language(text)
    if found in (wanted, "und") or len(text) < SURE_OF_LANGUAGE_FROM:
        return True
    # What a model falls back to is English.
    return wanted not in _RECOGNISED and found != "en"


SHINGLE = 8
"""Characters: letters serve every script, words only those with spaces."""

TOO_ALIKE = 0.4
"""Jaccard similarity from which two texts count as one. Different tickets of the built-in corpus stay below 0.1, their
variations (other names, numbers, greeting and closing) above 0.45."""

_DIGITS = re.compile(r"\d+")
_SPACES = re.compile(r"[\W_]+")


def shingles(text: str) -> frozenset[int]:
    """Hashes of all runs of eight characters; letter case, numbers, punctuation and white space do not count."""
    plain = _SPACES.sub(" ", _DIGITS.sub("0", text.casefold())).strip()
    last = max(1, len(plain) - SHINGLE + 1)
    return frozenset(zlib.crc32(plain[start : start + SHINGLE].encode("utf-8", "replace")) for start in range(last))


class KnownTexts:
    """Texts seen so far, with an index from shingle to text, so that a new one meets only those it shares with."""

    def __init__(self, *, too_alike: float = TOO_ALIKE) -> None:
        self._too_alike = too_alike
        self._sizes: list[int] = []
        self._holders: defaultdict[int, list[int]] = defaultdict(list)

    def closest(self, text: str) -> float:
        """Similarity (0 to 1) to the most similar text known."""
        marks = shingles(text)
        shared = Counter(number for mark in marks for number in self._holders.get(mark, ()))
        return max((both / (len(marks) + self._sizes[number] - both) for number, both in shared.items()), default=0.0)

    def is_new(self, text: str) -> bool:
        """Whether nothing like it is known."""
        return self.closest(text) < self._too_alike

    def add(self, text: str) -> None:
        """Know this text from now on."""
        marks = shingles(text)
        for mark in marks:
            self._holders[mark].append(len(self._sizes))
        self._sizes.append(len(marks))
