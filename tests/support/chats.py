"""The one chat server that tests put in place of a model's."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from ticket_processor.analysis.model_server.chat import RawAnswer
from ticket_processor.analysis.model_server.connection import FormRefused
from ticket_processor.analysis.model_server.settings import OPENAI_URL, ModelTarget
from ticket_processor.core.models import Usage

Messages = list[Mapping[str, str]]
Answer = str | Mapping[str, Any] | RawAnswer | Exception | Callable[[Messages], str | RawAnswer]


def compatible(base_url: str = OPENAI_URL, *, api_key: str | None = None, max_output_tokens: int = 400) -> ModelTarget:
    """A server that speaks OpenAI's protocol, for tests that need no more of one than its address."""
    return ModelTarget("m", "m", "compatible", base_url, api_key, max_output_tokens=max_output_tokens)


class ScriptedChat:
    """A chat server that gives these answers in turn, the last one for ever, and keeps what it was asked.

    An exception is raised, and a function gets the messages. Requests in a form that it ``refuses`` are kept as well.
    ``model`` is the name that it gives itself; empty: the one it was asked for.
    """

    def __init__(
        self,
        *answers: Answer,
        refuses: Sequence[str] = (),
        model: str = "",
        usage: Usage = Usage(input=100, output=20),  # noqa: B008 - it cannot be changed
        finished: bool = True,
    ) -> None:
        self._answers = list(answers)
        self.refuses = set(refuses)
        self._model, self._usage, self._finished = model, usage, finished
        self.asked: list[Messages] = []
        self.formats: list[Mapping[str, Any] | None] = []

    def complete(
        self,
        model: str,
        messages: Sequence[Mapping[str, str]],
        response_format: Mapping[str, object] | None,
        allowance: object = None,
    ) -> RawAnswer:
        self.asked.append(list(messages))
        self.formats.append(response_format)
        if self.forms[-1] in self.refuses:
            raise FormRefused
        answer = self._answers.pop(0) if len(self._answers) > 1 else self._answers[0]
        if isinstance(answer, Exception):
            raise answer
        if callable(answer):
            answer = answer(self.asked[-1])
        if isinstance(answer, RawAnswer):
            return answer
        text = answer if isinstance(answer, str) else json.dumps(answer)
        return RawAnswer(text, self._usage, self._model or model, self._finished)

    @property
    def forms(self) -> list[str]:
        """The rung of the ladder of each request."""
        return [_form_of(form) for form in self.formats]


def _form_of(form: Mapping[str, Any] | None) -> str:
    if form is None:
        return "prompt"
    if form["type"] == "json_object":
        return "json_object"
    return "json_schema" if "maxLength" in json.dumps(form) else "json_schema_plain"
