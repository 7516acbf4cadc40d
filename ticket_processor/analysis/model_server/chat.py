"""Asking an OpenAI-compatible server for a chat answer, in whatever clothes the answer comes.

Retrying is the chain's business, checking the answer's words the analyser's. Which request a server did not take is
learnt here once and not asked of it again.
"""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from typing import Any, Protocol

from ...core.errors import AnalysisFailed
from ...core.models import Usage
from ..budget import Allowance
from .connection import AnswerUnusable, Connection, FormRefused, failure
from .prompt import in_words
from .settings import ModelTarget, Price, cost_usd

REASONING_TOKENS = (0, 2000, 8000)
"""Room for thoughts, which count as output where a model has them: none, and what it grows to when they fill it."""
LIMITS = ("max_tokens", "max_completion_tokens", "temperature")


@dataclass(frozen=True)
class _Ways:
    """What a model has shown of itself: that it takes limits in OpenAI's newer words, arguments that it does not take,
    and how often its room for thoughts was grown."""

    reasoning: bool = False
    refused: frozenset[str] = frozenset()
    grown: int = 0


@dataclass(frozen=True)
class RawAnswer:
    """An unchecked answer. ``model`` is the name that the server gave, which may differ from the one asked for.

    ``cost_usd`` is there where the model has a price, and who asked knows it.
    """

    text: str
    usage: Usage
    model: str
    finished: bool = True
    cost_usd: float | None = None


class ChatServer(Protocol):
    """A server that answers chat messages. Thread-safe."""

    def complete(
        self,
        model: str,
        messages: Sequence[Mapping[str, str]],
        response_format: Mapping[str, object] | None,
        allowance: Allowance | None = None,
    ) -> RawAnswer:
        """One answer, for no more money than ``allowance`` has.

        Raises ``ModelBusy``, ``FormRefused``, ``AnswerUnusable`` or another ``AnalysisFailed``.
        """


FORMS = ("json_schema", "json_schema_plain", "json_object", "prompt")
"""Ways to ask for structure, best first: a strict schema; the same without lengths and limits, where there are any;
JSON; nothing but words."""
Message = dict[str, str]


class StructuredModel:
    """A model asked for objects of a schema, in the best form that its server takes. Thread-safe.

    What a server refuses is not asked of it again in this process. ``price`` is input, output and cached input in
    dollars per million tokens.
    """

    def __init__(self, server: ChatServer, model: str, name: str, price: Price | None = None) -> None:
        """``name`` is what the server is told that the schema is called."""
        self.form = FORMS[0]
        self._server = server
        self._model = model
        self._name = name
        self._price = price

    def ask(
        self,
        messages: Sequence[Message],
        schema: Mapping[str, object],
        plain: Mapping[str, object] | None = None,
        allowance: Allowance | None = None,
    ) -> RawAnswer:
        """One answer; ``plain`` is the schema without limits, if it has any. Raises as :meth:`ChatServer.complete`."""
        detail = ""
        for form in FORMS[FORMS.index(self.form) :]:
            if form == "json_schema_plain" and plain is None:
                continue
            given = schema if plain is None or form == "json_schema" else plain
            named = {"type": "json_schema", "json_schema": {"name": self._name, "strict": True, "schema": given}}
            asked = {"json_object": {"type": "json_object"}, "prompt": None}.get(form, named)
            try:
                raw = self._server.complete(self._model, self.in_form(messages, schema, form), asked, allowance)
            except FormRefused as refused:
                detail = refused.detail
            except AnswerUnusable as error:  # only here is it known what tokens cost
                usage = error.usage
                raise AnswerUnusable(error.reason, error.detail, usage=usage, cost_usd=self.cost(usage)) from error
            else:
                self.at_least(form)  # remembered only now: the refusal may have had another reason
                return replace(raw, cost_usd=self.cost(raw.usage))
        raise AnalysisFailed("model_refused_request", detail)

    def in_form(self, messages: Sequence[Message], schema: Mapping[str, object], form: str = "") -> list[Message]:
        """The messages as they are sent in a form, or in the one that the server is known to take."""
        if (form or self.form).startswith("json_schema"):
            return list(messages)
        return [{**messages[0], "content": f"{messages[0]['content']}\n{in_words(schema)}"}, *messages[1:]]

    def at_least(self, form: str) -> None:
        """Ask in this form from now on, unless in one further down already."""
        self.form = max(self.form, form, key=FORMS.index)

    def room(self, usual: int) -> int:
        """The output tokens that an answer may take at most; ``usual`` where the server does not tell."""
        room = getattr(self._server, "room", None)  # thoughts count as output, and only servers know who thinks
        return int(room(self._model)) if room else usual

    def cost(self, usage: Usage) -> float | None:
        """US dollars; ``None`` without a price."""
        return None if self._price is None else round(cost_usd(usage, self._price), 8)


class OpenAIServer:
    """A :class:`ChatServer` through the openai SDK. Thread-safe."""

    def __init__(
        self,
        target: ModelTarget,
        remaining: Callable[[], float],
        connect: Callable[[ModelTarget], Connection] = Connection,
    ) -> None:
        """The server of ``target``, and of every target with the same place, limits and preset.

        No call outlives the ``remaining`` seconds of the run.
        """
        self._target = target
        self._remaining = remaining
        self._connection = connect(target)
        self._known: dict[str, _Ways] = {}
        self._lock = threading.RLock()

    def complete(
        self,
        model: str,
        messages: Sequence[Mapping[str, str]],
        response_format: Mapping[str, object] | None,
        allowance: Allowance | None = None,
    ) -> RawAnswer:
        """One answer; up to three requests while the server's ways are being learnt."""
        form = "prompt" if response_format is None else str(response_format.get("type"))
        if form not in self._target.traits.forms:
            raise FormRefused
        # Half a surrogate pair cannot be sent: the SDK fails on it, and servers fail on it too.
        sent = [{name: text.encode("utf-8", "replace").decode() for name, text in each.items()} for each in messages]
        arguments: dict[str, Any] = {"model": model, "messages": sent}
        if response_format is not None:
            arguments["response_format"] = response_format
        most = None if allowance is None else allowance.output_tokens
        grown = self._ways(model).grown
        answer = self._asked(model, arguments, structured=response_format is not None, most=most)
        grown = max(grown, 1) if self._ways(model).reasoning else grown  # as that request may have shown
        if not answer.thoughts_only or grown + 1 >= len(REASONING_TOKENS):
            return answer.checked()
        self._learn(model, grown=max(grown + 1, self._ways(model).grown))
        try:
            if allowance is not None:
                allowance.again(answer.raw.usage, output=self.room(model))
                most = allowance.output_tokens
            again = self._asked(model, arguments, structured=response_format is not None, most=most)
        except AnalysisFailed as failed:
            if failed.reason == "model_prompt_too_long":
                self._learn(model, grown=grown)  # there is no room for more thoughts
            spent = failed.usage if isinstance(failed, AnswerUnusable) else Usage()
            raise AnswerUnusable(failed.reason, failed.detail, usage=answer.raw.usage + spent) from failed
        return again.checked(spent_before=answer.raw.usage)

    def room(self, model: str) -> int:
        """The output tokens that an answer of ``model`` may take at most, as far as the model is known by now."""
        return self._target.max_output_tokens + REASONING_TOKENS[self._ways(model).grown]

    def get_ready(self) -> None:
        """See :meth:`Connection.get_ready`."""
        self._connection.get_ready()

    def close(self) -> None:
        """Close the connections to the server."""
        self._connection.close()

    def _asked(self, model: str, arguments: dict[str, Any], *, structured: bool, most: int | None = None) -> _Answer:
        while True:
            sent = {**arguments, **self._limits(model, most), **self._extras(model)}
            try:
                seconds = max(0.1, min(self._target.timeout_s, self._remaining()))
                body = self._connection.post("chat", sent, seconds=seconds, structured=structured)
            except AnalysisFailed as failed:
                if failed.reason == "model_prompt_too_long" or not self._gives_in(model, failed.about, sent):
                    raise
                continue
            try:
                return _read(body, asked=model, structured=structured)
            except (AttributeError, LookupError, TypeError, ValueError, RecursionError) as error:
                # It answered all the same: without a count of tokens that costs what was set aside for it.
                raise AnswerUnusable("model_nonsense", type(error).__name__) from error

    def _gives_in(self, model: str, about: tuple[str, ...], sent: Mapping[str, object]) -> bool:
        """Learn what the model does not take; whether that is anything that was sent.

        It goes by what was sent: another thread may have learnt it while this request was under way.
        """
        refused = {f"{name}={sent[name]}" for name in about if name in self._target.extras and name in sent}
        other_limits = not refused and "temperature" in sent and any(name in LIMITS for name in about)
        with self._lock:
            ways = self._ways(model)
            if refused - ways.refused:
                self._learn(model, refused=ways.refused | refused)
            elif other_limits and not ways.reasoning:
                self._learn(model, reasoning=True, grown=max(1, ways.grown))
        return bool(refused or other_limits)

    def _ways(self, model: str) -> _Ways:
        return self._known.get(model, _Ways())

    def _learn(self, model: str, **found: Any) -> None:
        with self._lock:
            self._known[model] = replace(self._ways(model), **found)

    def _extras(self, model: str) -> dict[str, object]:
        """What is asked besides, as far as the server takes it."""
        refused = self._ways(model).refused
        found = {
            name: next((value for value in values if f"{name}={value}" not in refused), None)
            for name, values in self._target.extras.items()
        }
        return {name: value for name, value in found.items() if value is not None}

    def _limits(self, model: str, most: int | None = None) -> dict[str, Any]:
        """A limit is always sent: without one some servers write until their context is full.

        OpenAI's reasoning models refuse ``max_tokens`` and a temperature; other servers know nothing newer, or ignore
        it without a word.
        """
        room = self.room(model) if most is None else min(most, self.room(model))
        if self._ways(model).reasoning:
            return {"max_completion_tokens": room}
        return {self._target.traits.limit: room, "temperature": 0}


@dataclass(frozen=True)
class _Answer:
    """An answer that has been read, and the reason ``why`` it is of no use; empty: it is.

    ``thoughts_only``: the limit was reached before the answer began; many servers hide the thoughts that it went to.
    """

    raw: RawAnswer
    why: str
    thoughts_only: bool

    def checked(self, spent_before: Usage = Usage()) -> RawAnswer:  # noqa: B008 - it cannot be changed
        usage = self.raw.usage + spent_before
        if self.why:
            raise AnswerUnusable(self.why, usage=usage)
        return replace(self.raw, usage=usage)


_CUT = ("length", "max_tokens", "MAX_TOKENS")
_MOST_TOKENS = 10**9


def _read(body: bytes, *, asked: str, structured: bool) -> _Answer:
    """Raises ``AnalysisFailed``, or what reading odd data raises."""
    answer = json.loads(body)
    if not isinstance(answer, dict):
        raise AnswerUnusable("model_nonsense", "no object")
    error = answer.get("error")
    if isinstance(error, Mapping) and not answer.get("choices"):  # some proxies put one into an answer with status 200
        with suppress(ValueError):
            status = int(str(error.get("code")))
            if 400 <= status < 600:
                raise failure(status, error, {}, structured=structured)
    usage = _usage(answer.get("usage"))
    choices = answer.get("choices")
    if not isinstance(choices, list) or not choices:
        raise AnswerUnusable("model_nonsense", "no choices", usage=usage)
    choice = choices[0]
    message = choice["message"] if isinstance(choice, dict) and "message" in choice else {}
    if not isinstance(message, dict):
        raise AnswerUnusable("model_nonsense", "no message", usage=usage)
    text = _text(message.get("content"))
    if not text.strip():
        text = _arguments(message)
    ended = str(choice.get("finish_reason") or "") if isinstance(choice, dict) else ""
    unclosed = "<think" in text and "</think" not in text
    thoughts_only = ended in _CUT and (not text.strip() or unclosed)
    thoughts = _text(message.get("reasoning_content") or message.get("reasoning"))
    if not text.strip() and ended not in _CUT and "{" in thoughts:
        text = thoughts  # vLLM's reasoning parsers file a short answer under thoughts
    why = ""
    if ended in ("content_filter", "safety", "SAFETY"):
        why = "model_content_filter"
    elif not text.strip():
        why = "model_refused" if message.get("refusal") else "model_empty_answer"
    name = answer["model"] if isinstance(answer.get("model"), str) and answer["model"] else asked
    return _Answer(RawAnswer(text, usage, name, finished=ended not in _CUT), why, thoughts_only)


def _text(content: object) -> str:
    """Content as a text; some servers give it in parts."""
    if isinstance(content, list):
        parts = [part for part in content if isinstance(part, dict) and part.get("type") in ("text", "output_text")]
        return "".join(str(part.get("text") or "") for part in parts)
    return content if isinstance(content, str) else ""


def _arguments(message: Mapping[str, Any]) -> str:
    """The arguments of a tool call. No tool was offered and none is called: they are read as the answer."""
    calls = message.get("tool_calls")
    called = calls[0].get("function") if isinstance(calls, list) and calls and isinstance(calls[0], dict) else None
    called = called or message.get("function_call")
    arguments = called.get("arguments") if isinstance(called, dict) else None
    return json.dumps(arguments) if isinstance(arguments, dict) else _text(arguments)


def _usage(counted: object) -> Usage:
    if not isinstance(counted, dict):
        return Usage()
    parts = (counted.get("prompt_tokens_details"), counted.get("completion_tokens_details"))
    details, thoughts = (part if isinstance(part, dict) else {} for part in parts)
    asked = _count(counted, "prompt_tokens", "input_tokens")
    answered, thought = _count(counted, "completion_tokens", "output_tokens"), _count(thoughts, "reasoning_tokens")
    # Some servers count hidden thoughts in the total only, or beside the answer.
    hidden = max(_count(counted, "total_tokens") - asked - answered, thought if thought > answered else 0)
    return Usage(
        input=asked,
        output=answered + max(0, hidden),
        cached=_count(details, "cached_tokens") or _count(counted, "prompt_cache_hit_tokens"),
        written=_count(details, "cache_write_tokens"),
    )


def _count(counted: Mapping[str, Any], *names: str) -> int:
    """The first of these counts that is there. What is none raises ``ValueError``: a budget cannot be kept by it."""
    value = next((counted[name] for name in names if counted.get(name)), 0)
    number = float(value) if isinstance(value, str) else value
    is_number = isinstance(number, int | float) and not isinstance(number, bool)
    if not is_number or not 0 <= number <= _MOST_TOKENS or number != int(number):
        raise ValueError("no number of tokens")
    return int(number)
