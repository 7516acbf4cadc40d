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
from .budget import Allowance, Budget, Full, NotAsked, Question
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
    "analyser_broken",
)
"""Reasons that concern every ticket, not this one."""
_OF_THIS_TEXT = ("model_refused", "model_content_filter", "model_prompt_too_long")
"""Reasons that say nothing about the next ticket."""


class Paid(Protocol):
    """An answer that says what it cost."""

    @property
    def usage(self) -> Usage: ...

    @property
    def cost_usd(self) -> float | None: ...


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
    longest_wait_s: float = LONGEST_WAIT_S

    def ask(
        self, call: Callable[[Allowance | None], Answer], question: Callable[[], Question] | None = None
    ) -> tuple[Answer, int]:
        """What ``call`` gives after at most three tries, and how many it took. Raises :class:`AnalysisFailed`.

        ``question`` is the request with which a call begins; ``call`` gets the money for it.
        """
        again = retrying(
            self.rng,
            attempts=MODEL_ATTEMPTS,
            longest_wait_s=self.longest_wait_s,
            remaining=self.deadline.remaining,
            sleep=self.deadline.wait,
        )
        tries = 0
        asked = question() if question and self.budget else Question(0, 0)

        def once() -> Answer:
            nonlocal tries
            admission, allowance = self._leave(asked)
            trial = None if self.useless is None else self.useless.admit()
            try:
                if self.useless is not None and trial is None:
                    raise NotAsked("model_answers_useless", self.useless.cause)
                tries += 1
                answer = call(allowance)
            except BaseException as error:
                if allowance is not None and isinstance(error, AnswerUnusable):
                    allowance.settle(error.usage, error.cost_usd)
                elif allowance is not None:
                    allowance.settle(Usage(), None, answered=False)
                self._failed(error, admission, trial)
                raise
            if allowance is not None:
                allowance.settle(answer.usage, answer.cost_usd)
            self.breaker.success(admission)
            if self.useless is not None and trial is not None:
                self.useless.success(trial)
            return answer

        return again(once), tries

    def _failed(self, error: BaseException, admission: Admission, trial: Admission | None) -> None:
        """Tell both breakers of a call that raised ``error``; ``trial`` is the admission of the second."""
        failed = error if isinstance(error, AnalysisFailed) else AnalysisFailed("analyser_broken")
        if isinstance(failed, NotAsked):
            self.breaker.release(admission)
        elif isinstance(failed, ModelBusy) or failed.reason in PERMANENT:
            self.breaker.failure(admission, str(failed))
        else:
            # A refusal of this one text says nothing about the next; a wrong key or model name does.
            self.breaker.success(admission)
        if self.useless is None or trial is None:
            return
        if isinstance(failed, ModelBusy | NotAsked) or failed.reason in (*PERMANENT, *_OF_THIS_TEXT):
            self.useless.release(trial)
        else:
            self.useless.failure(trial, failed.in_words)

    def _leave(self, question: Question) -> tuple[Admission, Allowance | None]:
        """Permission to call, and the money for it. While others hold the money, the breaker is asked again."""
        began = self.deadline.remaining()
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
            if self.budget is None:
                return admission, None
            held = self.budget.set_aside(self.name, question)
            if not isinstance(held, Full):
                return admission, Allowance(self.budget, self.name, question, held, self.deadline)
            self.breaker.release(admission)
            held.wait(self.deadline, began)
