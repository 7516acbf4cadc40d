"""What stands around every request to a model: tries, circuit breakers, patience, and the budget."""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Protocol, TypeVar

from ..core.clock import Deadline
from ..core.errors import AnalysisFailed
from ..core.guards import Admission, Breaker, Crowded
from ..core.models import Usage
from .budget import Allowance, Budget, Full, NotAsked, Patience, Question
from .model_server.connection import AnswerUnusable, ModelBusy, retrying

MODEL_ATTEMPTS = 3
LONGEST_WAIT_S = 20.0
"""A model that asks for a longer pause is passed over for this ticket; the next link answers meanwhile."""
CROWDED_WAIT_S = 0.05
ROOM_S = 0.5
"""Longest wait for a call in flight to make room before deadline and stop signals are checked again."""
USELESS_IN_A_ROW = 20
"""Consecutive unusable answers before a model is left alone for a while: each had to be paid for."""

PERMANENT = (
    "model_not_authorised",
    "model_unknown",
    "model_no_quota",
    "model_redirected",
    "model_connection_settings",
)
"""Reasons that concern every ticket, not this one."""
_OF_THIS_TEXT = ("model_refused", "model_content_filter", "model_prompt_too_long")
"""Reasons that say nothing about the next ticket."""


class Paid(Protocol):
    """An answer that says what it cost."""

    @property
    def usage(self) -> Usage:
        """The tokens of all requests that it took."""

    @property
    def cost_usd(self) -> float | None:
        """US dollars; ``None`` for a model without a price."""


Answer = TypeVar("Answer", bound=Paid)


@dataclass(frozen=True)
class Guard:
    """One model's retries, breaker and patience; thread-safe.

    With a ``budget`` no call is made that could pass it. ``useless`` is the breaker that answers of no use open.
    """

    name: str
    breaker: Breaker
    deadline: Deadline
    budget: Budget | None = None
    useless: Breaker | None = None
    rng: random.Random = field(default_factory=random.Random)

    def ask(
        self, call: Callable[[Allowance | None], Answer], question: Callable[[], Question] | None = None
    ) -> tuple[Answer, int]:
        """What ``call`` gives after at most three tries, and how many it took. Raises :class:`AnalysisFailed`.

        ``question`` is the request with which a call begins; ``call`` gets the money for it.
        """
        again = retrying(
            self.rng,
            attempts=MODEL_ATTEMPTS,
            longest_wait_s=LONGEST_WAIT_S,
            remaining=self.deadline.remaining,
            sleep=self.deadline.wait,
        )
        tries = 0
        asked = question() if question and self.budget else Question(0, 0)

        def once() -> Answer:
            nonlocal tries
            admission, allowance = self._leave(asked)
            tries += 1
            try:
                answer = self._booked(call, allowance)
            except NotAsked:
                tries -= 1
                self.breaker.release(admission)
                raise
            except ModelBusy as error:
                self.breaker.failure(admission, str(error))
                raise
            except AnalysisFailed as error:
                # A refusal of this one text says nothing about the next; a wrong key or model name does.
                if error.reason in PERMANENT:
                    self.breaker.failure(admission, str(error))
                else:
                    self.breaker.success(admission)
                raise
            except BaseException:
                self.breaker.failure(admission, "analyser_broken")
                raise
            self.breaker.success(admission)
            return answer

        return again(once), tries

    def _leave(self, question: Question) -> tuple[Admission, Allowance | None]:
        """Permission to call, and the money for it. While others hold the money, the breaker is asked again."""
        patience = Patience(self.deadline)
        while True:
            admission = self._admission()
            if self.budget is None:
                return admission, None
            held = self.budget.set_aside(self.name, question)
            if not isinstance(held, Full):
                return admission, Allowance(self.budget, self.name, question, held, self.deadline)
            self.breaker.release(admission)
            patience.wait(held)

    def _admission(self) -> Admission:
        while True:
            self.deadline.check()
            try:
                admission = self.breaker.admit(ROOM_S)
            except Crowded:
                self.deadline.wait(CROWDED_WAIT_S)
                continue
            if admission is None:
                reason, _, detail = self.breaker.cause.partition(": ")
                raise AnalysisFailed(reason or "model_breaker_open", detail)
            return admission

    def _booked(self, call: Callable[[Allowance | None], Answer], allowance: Allowance | None) -> Answer:
        if allowance is None:
            return self._useful(call, None)
        try:
            answer = self._useful(call, allowance)
        except AnswerUnusable as error:
            allowance.settle(error.usage, error.cost_usd)
            raise
        except BaseException:
            allowance.settle(Usage(), None, answered=False)
            raise
        allowance.settle(answer.usage, answer.cost_usd)
        return answer

    def _useful(self, call: Callable[[Allowance | None], Answer], allowance: Allowance | None) -> Answer:
        """One call, unless the model's answers have been of no use for a while."""
        if self.useless is None:
            return call(allowance)
        admission = self.useless.admit()
        if admission is None:
            raise NotAsked("model_answers_useless", self.useless.cause)
        try:
            answer = call(allowance)
        except AnalysisFailed as error:
            if isinstance(error, (ModelBusy, NotAsked)) or error.reason in (*PERMANENT, *_OF_THIS_TEXT):
                self.useless.release(admission)
            else:
                self.useless.failure(admission, error.in_words)
            raise
        except BaseException:
            self.useless.release(admission)
            raise
        self.useless.success(admission)
        return answer
