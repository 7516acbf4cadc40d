"""The analyser chain: first model, next model, local classifier, keyword rules.

It says which one answered, and it always answers. Analysis is a pure function of the ticket's text: any worker can do
it, twice does no harm, and nothing here holds the helpdesk's credentials.
"""

from __future__ import annotations

import random
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Protocol

from .. import __version__
from ..core.clock import Clock, Deadline
from ..core.errors import AnalysisFailed, TicketbotError, unexpected
from ..core.guards import Breaker
from ..core.models import URGENT, Analysis, Ticket, Usage
from ..core.reasons import NO_MODEL
from ..core.text import RedactionLevel
from .budget import Allowance, Budget, Question
from .cache import AnswerStore, normalised
from .guard import CROWDED_WAIT_S, Guard
from .model_server.connection import AnswerUnusable
from .rules.analyser import RulesAnalyser
from .rules.injection import signs_of
from .rules.telling import condenses
from .text.cleaning import clean
from .text.language import TAKEN_FOR_OTHERS, detect_language
from .text.outgoing import analysis_leaving, made_of
from .text.redact import RedactedText, redact

NOTHING_TO_READ = "nothing_to_read"
_FEW_WORDS = 60
"""Bytes of a text whose language a model may know better than the detector."""
_NO_ADVICE: dict[str, object] = {"root_cause": "", "steps": (), "resolution_likelihood": None}
"""What a ticket gets that may have dictated it."""


class Analyser(Protocol):
    """Anything that understands a redacted text, or raises :class:`AnalysisFailed`. Thread-safe."""

    def analyse(self, text: RedactedText) -> Analysis: ...


class AskedModel(Protocol):
    """A language model. Thread-safe."""

    def fingerprint_of(self, text: RedactedText) -> str:
        """A digest of everything besides the text that the answer to it depends on: model, prompt, taxonomy."""

    def question(self, text: RedactedText) -> Question:
        """The request with which understanding ``text`` begins."""

    def analyse(self, text: RedactedText, allowance: Allowance | None = None) -> Analysis:
        """As :meth:`Analyser.analyse`; more requests than the first are made with money from ``allowance``."""

    def hold(self, analysis: Analysis, text: RedactedText) -> Analysis:
        """An answer that was given before, held to what ``text`` itself says."""


class ModelLink:
    """One model of the chain, with its own retries, breaker and patience; thread-safe.

    ``place`` is the server and the model on it, as far as ``name`` does not tell. With a ``store`` a text that comes
    again is answered from there; with a ``budget`` no call is made that could pass it. ``useless`` is the breaker that
    answers of no use open.
    """

    def __init__(
        self,
        analyser: AskedModel,
        breaker: Breaker,
        deadline: Deadline,
        *,
        name: str | None = None,
        place: str = "",
        store: AnswerStore | None = None,
        budget: Budget | None = None,
        useless: Breaker | None = None,
        rng: random.Random | None = None,
    ) -> None:
        self.name = name or breaker.name
        self.analyser = analyser
        self.guard = Guard(self.name, breaker, deadline, budget, useless, rng or random.Random())
        self._place = place
        self._asking: set[str] = set()
        self._asking_lock = threading.Lock()
        self._store = store if store is not None and store.keeps_answers else None

    def analyse(self, text: RedactedText) -> Analysis:
        """The model's answer, after at most three tries. Raises :class:`AnalysisFailed`.

        A text that another thread is asking about just now is waited for, and not paid for twice.
        """
        if self._store is None:
            return self._fresh(text)
        # The version stands for the rules, whose floors and signs are part of an answer.
        about = (__version__, self.name, self._place, self.analyser.fingerprint_of(text))
        fingerprint = "\0".join(about)
        key = normalised(text.text)
        while not self._begun(key):
            self.guard.deadline.wait(CROWDED_WAIT_S)
        try:
            known = self._store.get(fingerprint, text.text)
            if known is not None:
                return self._held(known, text)
            analysis = self._fresh(text)
            self._store.put(fingerprint, text.text, analysis)
        finally:
            self._asking.discard(key)
        return analysis

    def _begun(self, key: str) -> bool:
        """Whether no other thread is asking about this text; from then on this one is."""
        with self._asking_lock:
            is_first = key not in self._asking
            self._asking.add(key)
            return is_first

    def _held(self, known: Analysis, text: RedactedText) -> Analysis:
        """A kept answer, with today's floors: the text may differ in what makes no other text to the store."""
        answer = self.analyser.hold(known, text)
        return answer.model_copy(update={"cached": True, "cost_usd": None if known.cost_usd is None else 0.0})

    def _fresh(self, text: RedactedText) -> Analysis:
        ask, size = partial(self.analyser.analyse, text), partial(self.analyser.question, text)
        analysis, tries = self.guard.ask(ask, size)
        return analysis.model_copy(update={"attempts": analysis.attempts + tries - 1})


@dataclass(frozen=True)
class Step:
    """One link's answer, or the ``reason`` why it gave none, with ``detail`` for people."""

    link: str
    analysis: Analysis | None = None
    reason: str | None = None
    ms: int = 0
    detail: str = ""


class Understanding:
    """Ticket in, analysis out: clean, redact, ask the chain. Thread-safe; call it from any worker.

    ``level`` is how much is redacted for models. ``classifier`` is asked before the rules. ``price_note`` is to be
    said beside costs.
    """

    def __init__(
        self,
        links: Sequence[Analyser],
        rules: RulesAnalyser,
        *,
        level: RedactionLevel = RedactionLevel.STANDARD,
        classifier: Analyser | None = None,
        clock: Clock | None = None,
        trouble: Callable[[str], object] = lambda _sentence: None,
        price_note: str = "",
        settings_file: str = "",
    ) -> None:
        """Every analysis names ``settings_file``; it is empty where one file alone decides."""
        self.price_note = price_note
        self._settings_file = settings_file
        self.links = tuple(links)
        self.level = level
        self._rules = rules
        self._classifier = classifier
        self._clock = clock
        self._trouble = trouble
        self.details: dict[str, str] = {}
        """Details of each reason why a model gave no answer, from its last occurrence."""

    def __call__(
        self,
        ticket: Ticket,
        *,
        watch: Callable[[Step], None] = lambda _step: None,
    ) -> Analysis:
        """Never fails for want of a model: classifier or rules answer then, and say why.

        ``watch`` gets each link's :class:`Step`. Usage, cost and attempts are those of all links together.
        """
        cleaned = clean(ticket.subject, ticket.description)
        spent: list[tuple[Usage, float | None, int]] = []  # by each answer, unusable ones included
        best: Analysis | None = None
        why = None
        if self.links and not any(map(str.isalpha, cleaned)):
            why = NOTHING_TO_READ
        text = redact(cleaned, names=ticket.names, level=self.level)
        for link in () if why else self.links:
            started = self._now()
            try:
                answer = self._asked(link, text)
            except AnalysisFailed as error:
                why = error.reason
                if isinstance(error, AnswerUnusable):
                    spent.append((error.usage, error.cost_usd, 1))
                self.details[why] = error.detail
                watch(Step(_name(link), reason=why, ms=self._ms(started), detail=error.detail))
                continue
            watch(Step(_name(link), answer, ms=self._ms(started)))
            spent.append((answer.usage, answer.cost_usd, answer.attempts))
            best = answer
            break
        if best is None:
            if self.level is not RedactionLevel.STANDARD:
                text = redact(cleaned, names=ticket.names)
            best = self._without_models(text, why or NO_MODEL, watch)
        elif best.urgency in URGENT:
            best = best.model_copy(update={"urgent_words": self._rules.analyse(text).urgent_words})
        priced = [usd for _, usd, _ in spent if usd is not None]
        paid: dict[str, object] = {
            "usage": sum((usage for usage, _, _ in spent), Usage()),
            "cost_usd": round(sum(priced), 8) if priced else None,
            "attempts": sum(attempts for _, _, attempts in spent),
        }
        return self._leaving(best, ticket, cleaned, paid)

    def without_models(self, ticket: Ticket, why: str) -> Analysis:
        """The answer at once, for a ticket whose model call hangs."""
        text = redact(clean(ticket.subject, ticket.description), names=ticket.names)
        return self._leaving(self._without_models(text, why, lambda _step: None), ticket, text.text, {})

    def _leaving(self, analysis: Analysis, ticket: Ticket, text: str, paid: dict[str, object]) -> Analysis:
        """The answer as others may see it, held to the ticket as it came and to its cleaned ``text``."""
        suspicious = tuple(dict.fromkeys((*analysis.suspicious, *signs_of(f"{ticket.subject}\n{ticket.description}"))))
        changes: dict[str, object] = {
            "suspicious": suspicious,
            **({} if analysis.urgency in URGENT else {"urgent_words": ()}),
            **(_NO_ADVICE if suspicious else {}),
            "language": _language(analysis, text),
            "condenses": condenses(text, analysis.summary),
            "urgent_tone": analysis.urgent_tone and self._rules.asks_us(text, analysis.language),
            "settings_file": self._settings_file,
        }
        return analysis_leaving(analysis, **paid, **changes)

    def _without_models(self, text: RedactedText, why: str, watch: Callable[[Step], None]) -> Analysis:
        if self._classifier is not None:
            started = self._now()
            try:
                analysis = self._asked(self._classifier, text)
            except AnalysisFailed as error:
                watch(Step("classifier", reason=error.reason, ms=self._ms(started)))
            else:
                watch(Step("classifier", analysis, ms=self._ms(started)))
                return made_of(text, analysis, why_fallback=why)
        started = self._now()
        analysis = self._rules.analyse(text)
        watch(Step("rules", analysis, ms=self._ms(started)))
        return made_of(text, analysis, why_fallback=why)

    def _asked(self, link: Analyser, text: RedactedText) -> Analysis:
        """The link's answer. An unexpected error fails the link, not the ticket."""
        try:
            return link.analyse(text)
        except TicketbotError:
            raise
        except Exception as error:
            self._trouble(f"{_name(link)} could not be asked ({unexpected(error)})")
            raise AnalysisFailed("analyser_broken") from error

    def _now(self) -> float:
        return 0.0 if self._clock is None else self._clock.monotonic()

    def _ms(self, started: float) -> int:
        return round((self._now() - started) * 1000)


def _language(analysis: Analysis, cleaned: str) -> str:
    """The language; a model names that of its instructions now and then.

    It knows best what few words are in, and languages that the detector takes for their neighbours.
    """
    named, few = analysis.language, len(cleaned.encode("utf-8", "replace")) < _FEW_WORDS
    if analysis.source != "model" or few or named in TAKEN_FOR_OTHERS:
        return named
    found = detect_language(cleaned)
    return named if found == "und" else found


def _name(link: Analyser) -> str:
    return str(getattr(link, "name", type(link).__name__))
