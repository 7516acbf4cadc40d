"""The analyser chain: first model, next model, keyword rules. It says which one answered, and it always answers.

Analysis is a pure function of the ticket's text: any worker can do it, twice does no harm, and nothing here
holds the helpdesk's credentials.
"""

from __future__ import annotations

import random
from collections.abc import Sequence
from typing import Protocol

import tenacity

from .backoff import backoff_seconds
from .breaker import Breaker
from .chat_server import ModelBusy
from .cleaning import clean
from .clock import Deadline
from .errors import AnalysisFailed
from .models import Analysis, Ticket
from .redact import RedactedText, redact
from .rules import RulesAnalyser

MODEL_ATTEMPTS = 3
LONGEST_WAIT_S = 20.0
"""A model that asks for a longer pause is passed over for this ticket; the next link answers meanwhile."""


class Analyser(Protocol):
    """Anything that understands a redacted text, or raises :class:`AnalysisFailed`. Thread-safe."""

    def analyse(self, text: RedactedText) -> Analysis: ...


class ModelLink:
    """One model of the chain, with its own retries, breaker and patience."""

    def __init__(
        self,
        analyser: Analyser,
        breaker: Breaker,
        deadline: Deadline,
        *,
        rng: random.Random | None = None,
    ) -> None:
        self._analyser = analyser
        self._breaker = breaker
        self._deadline = deadline
        self._rng = rng or random.Random()

    def analyse(self, text: RedactedText) -> Analysis:
        """The model's answer, after at most three tries. Raises :class:`AnalysisFailed`."""
        retrying = tenacity.Retrying(
            retry=tenacity.retry_if_exception_type(ModelBusy),
            wait=self._wait,
            stop=self._stop,
            sleep=self._deadline.wait,
            reraise=True,
        )
        tries = 0

        def once() -> Analysis:
            nonlocal tries
            self._deadline.check()
            admission = self._breaker.admit()
            if admission is None:
                raise AnalysisFailed("model_breaker_open")
            tries += 1
            try:
                analysis = self._analyser.analyse(text)
            except ModelBusy:
                self._breaker.failure(admission)
                raise
            except AnalysisFailed as error:
                # A refusal of this one text says nothing about the next; a wrong key or model name does.
                permanent = error.reason in ("model_not_authorised", "model_unknown", "model_no_quota")
                (self._breaker.failure if permanent else self._breaker.success)(admission)
                raise
            except BaseException:
                self._breaker.failure(admission)
                raise
            self._breaker.success(admission)
            return analysis

        analysis = retrying(once)
        return analysis.model_copy(update={"attempts": analysis.attempts + tries - 1})

    def _wait(self, state: tenacity.RetryCallState) -> float:
        error = state.outcome.exception() if state.outcome else None
        asked = error.wait if isinstance(error, ModelBusy) else None
        return backoff_seconds(state.attempt_number, self._rng) if asked is None else asked

    def _stop(self, state: tenacity.RetryCallState) -> bool:
        wait = state.upcoming_sleep
        return state.attempt_number >= MODEL_ATTEMPTS or wait > min(LONGEST_WAIT_S, self._deadline.remaining())


class Understanding:
    """Ticket in, analysis out: clean, redact, ask the chain. Thread-safe; call it from any worker."""

    def __init__(self, links: Sequence[Analyser], rules: RulesAnalyser) -> None:
        self._links = tuple(links)
        self._rules = rules

    def __call__(self, ticket: Ticket) -> Analysis:
        """Never fails for want of a model: rules answer then, and say why."""
        text = self.readable(ticket)
        why: str | None = None
        for link in self._links:
            try:
                return link.analyse(text)
            except AnalysisFailed as error:
                why = error.reason
        return self._by_rules(text, why)

    def without_models(self, ticket: Ticket, why: str) -> Analysis:
        """The rules' answer at once, for a ticket whose model call hangs."""
        return self._by_rules(self.readable(ticket), why)

    def readable(self, ticket: Ticket) -> RedactedText:
        """What an analyser gets to see of a ticket."""
        return redact(clean(ticket.subject, ticket.description))

    def _by_rules(self, text: RedactedText, why: str | None) -> Analysis:
        analysis = self._rules.analyse(text)
        return analysis.model_copy(update={"why_fallback": why or "no_model_configured"})
