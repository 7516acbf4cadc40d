"""Asking the model for a batch of tickets: in the best form it takes, with retries, within the budget."""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass

import tenacity

from ..backoff import backoff_seconds
from ..breaker import Breaker
from ..budget import Budget
from ..chat_server import AnswerUnusable, ChatServer, FormRefused, ModelBusy, RawAnswer
from ..clock import Deadline
from ..errors import AnalysisFailed
from ..models import Usage
from ..presets import FORMS, Price
from ..tokens import estimate_tokens
from .request import SCHEMA, drafts_in, messages

ATTEMPTS = 3
LONGEST_WAIT_S = 120.0
"""Nobody else answers meanwhile, so a busy server is waited for longer than by a run."""
TOKENS_A_TICKET = 500
"""Set aside for each ticket of an answer until the server has said what it took."""
BREAKER_OPEN = "model_breaker_open"


class OutOfBudget(AnalysisFailed):
    """Another request could pass a limit of the budget."""


@dataclass(frozen=True)
class Batch:
    """What the model wrote: subject and body, unchecked, by line number; ``whole`` is false for a cut-off answer."""

    drafts: dict[int, tuple[object, object]]
    usage: Usage
    cost_usd: float | None
    whole: bool = True


class Author:
    """One model that writes tickets. Thread-safe. ``model`` is what its server calls it, ``name`` what the reader does.

    ``price`` is in US dollars for a million tokens: input, output, cached input.
    """

    def __init__(
        self,
        server: ChatServer,
        model: str,
        instructions: str,
        *,
        breaker: Breaker,
        deadline: Deadline,
        budget: Budget,
        name: str | None = None,
        price: Price | None = None,
        rng: random.Random | None = None,
    ) -> None:
        self.name = name or model
        self.instructions = instructions
        self.breaker = breaker
        self._server = server
        self._model = model
        self._deadline = deadline
        self._budget = budget
        self._price = price
        self._rng = rng or random.Random()
        self._form = 0

    def write(self, lines: Sequence[str]) -> Batch:
        """The model's answer to these lines of a prompt, one ticket each; at most three tries.

        Raises :class:`OutOfBudget`; :class:`ModelBusy` when the server did not answer; another
        :class:`AnalysisFailed` when it refused, when its breaker is open, or when its answer cannot be read.
        """
        retrying = tenacity.Retrying(
            retry=tenacity.retry_if_exception_type(ModelBusy),
            wait=self._wait,
            stop=self._stop,
            sleep=self._deadline.wait,
            reraise=True,
        )
        return retrying(self._once, lines)

    def _once(self, lines: Sequence[str]) -> Batch:
        self._deadline.check()
        tokens = estimate_tokens(self.instructions) + sum(map(estimate_tokens, lines))
        most = Usage(input=tokens, output=TOKENS_A_TICKET * len(lines))
        hold = self._budget.reserve(self.name, most.input + most.output, self._cost(most))
        if isinstance(hold, str):
            raise OutOfBudget(hold)
        try:
            raw = self._guarded(lines)
        except AnswerUnusable as error:
            self._budget.settle(hold, error.usage, error.cost_usd)
            raise
        except BaseException:
            self._budget.settle(hold, Usage(), None, answered=False)
            raise
        usage, cost = raw.usage, self._cost(raw.usage)
        self._budget.settle(hold, usage, cost)
        return Batch(drafts_in(raw.text, len(lines)), usage, cost, whole=raw.finished)

    def _guarded(self, lines: Sequence[str]) -> RawAnswer:
        admission = self.breaker.admit()
        if admission is None:
            raise AnalysisFailed(BREAKER_OPEN)
        try:
            raw = self._ask(lines)
        except AnalysisFailed as error:
            # The server is there, whatever it thinks of this request.
            (self.breaker.failure if isinstance(error, ModelBusy) else self.breaker.success)(admission)
            raise
        except BaseException:
            self.breaker.failure(admission)
            raise
        self.breaker.success(admission)
        return raw

    def _ask(self, lines: Sequence[str]) -> RawAnswer:
        for form in range(self._form, len(FORMS)):
            asked = messages(self.instructions, lines, schema_in_prompt=form > 0)
            try:
                raw = self._server.complete(self._model, asked, _response_format(form))
            except FormRefused:
                continue
            self._form = max(self._form, form)  # remembered only now: the refusal may have had another reason
            return raw
        raise AnalysisFailed("model_refused_request")

    def _cost(self, usage: Usage) -> float | None:
        if self._price is None:
            return None
        fresh, output, cached = self._price
        reused = min(usage.cached, usage.input)
        return ((usage.input - reused) * fresh + reused * cached + usage.output * output) / 1e6

    def _wait(self, state: tenacity.RetryCallState) -> float:
        error = state.outcome.exception() if state.outcome else None
        asked = error.wait if isinstance(error, ModelBusy) else None
        return backoff_seconds(state.attempt_number, self._rng) if asked is None else asked

    def _stop(self, state: tenacity.RetryCallState) -> bool:
        wait = state.upcoming_sleep
        return state.attempt_number >= ATTEMPTS or wait > min(LONGEST_WAIT_S, self._deadline.remaining())


def _response_format(form: int) -> dict[str, object] | None:
    if FORMS[form] == "json_schema":
        return {"type": "json_schema", "json_schema": {"name": "tickets", "strict": True, "schema": SCHEMA}}
    return {"type": "json_object"} if FORMS[form] == "json_object" else None
