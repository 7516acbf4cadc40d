"""Asking the model for a batch of tickets: in the best form it takes, with retries, within the budget."""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass

from ...analysis.budget import Budget
from ...analysis.model_server.chat import ChatServer, RawAnswer, retrying
from ...analysis.model_server.connection import AnswerUnusable, FormRefused, ModelBusy
from ...analysis.model_server.presets import FORMS, Price, cost_usd
from ...analysis.model_server.token_estimate import estimate_tokens
from ...core.circuit_breaker import Breaker
from ...core.clock import Deadline
from ...core.errors import AnalysisFailed
from ...core.models import Usage
from .request import SCHEMA, drafts_in, messages

ATTEMPTS = 3
LONGEST_WAIT_S = 120.0
"""Longer than a run waits for a busy server: no other analyser can write tickets meanwhile."""
TOKENS_A_TICKET = 500
"""Set aside for each ticket of an answer until the server has said what it took."""
BREAKER_OPEN = "model_breaker_open"


class OutOfBudget(AnalysisFailed):
    """Another request could pass a limit of the budget."""


@dataclass(frozen=True)
class Batch:
    """The model's tickets: subject and body, unchecked, by line number; ``whole`` is false for a cut-off answer."""

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
        again = retrying(self._deadline, self._rng, attempts=ATTEMPTS, longest_wait_s=LONGEST_WAIT_S)
        return again(self._once, lines)

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
        return None if self._price is None else cost_usd(usage, self._price)


def _response_format(form: int) -> dict[str, object] | None:
    if FORMS[form] == "json_schema":
        return {"type": "json_schema", "json_schema": {"name": "tickets", "strict": True, "schema": SCHEMA}}
    return {"type": "json_object"} if FORMS[form] == "json_object" else None
