"""Asking an OpenAI-compatible server, and telling its many ways of failing apart.

The SDK's own retries are off and its ten-minute timeout is replaced; retrying is the chain's business.
"""

from __future__ import annotations

import re
import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

from .backoff import retry_after_seconds
from .clock import parse_http_date
from .errors import AnalysisFailed
from .loopback import is_loopback
from .models import Usage

if TYPE_CHECKING:
    from openai import OpenAI

CONNECT_TIMEOUT_S = 5.0
REASONING_TOKENS = 2000
"""Room for thoughts, which count as output where a model has them."""


class ModelBusy(AnalysisFailed):
    """The server could not answer now: worth another try, after ``wait`` seconds if it said so."""

    def __init__(self, reason: str, wait: float | None = None) -> None:
        self.wait = wait
        super().__init__(reason)


class FormRefused(AnalysisFailed):
    """The server does not take this way of asking for structure."""

    def __init__(self) -> None:
        super().__init__("form_refused")


@dataclass(frozen=True)
class RawAnswer:
    """What came back, unchecked. ``model`` is the name the server gave, which may differ from the one asked for."""

    text: str
    usage: Usage
    model: str
    finished: bool = True


class ChatServer(Protocol):
    """A server that answers chat messages. Thread-safe."""

    def complete(
        self, model: str, messages: Sequence[Mapping[str, str]], response_format: Mapping[str, object] | None
    ) -> RawAnswer:
        """One answer. Raises ``ModelBusy``, ``FormRefused`` or another ``AnalysisFailed``."""


class OpenAIServer:
    """A :class:`ChatServer` through the openai SDK. The SDK is imported at the first call: it takes half a second."""

    def __init__(
        self,
        *,
        base_url: str | None,
        api_key: str | None,
        timeout_s: Callable[[], float],
        max_output_tokens: int,
    ) -> None:
        self._base_url = base_url
        self._api_key = api_key
        self._timeout_s = timeout_s
        self._max_output_tokens = max_output_tokens
        self._lock = threading.Lock()
        self._client: OpenAI | None = None
        self._reasoning: set[str] = set()

    def complete(
        self, model: str, messages: Sequence[Mapping[str, str]], response_format: Mapping[str, object] | None
    ) -> RawAnswer:
        client = self._connected()
        import httpx2
        import openai

        arguments: dict[str, Any] = {
            "model": model,
            "messages": list(messages),
            "timeout": httpx2.Timeout(self._timeout_s(), connect=CONNECT_TIMEOUT_S),
        }
        if response_format is not None:
            arguments["response_format"] = response_format
        try:
            try:
                completion = client.chat.completions.create(**arguments, **self._limits(model))
            except openai.BadRequestError as error:
                if model in self._reasoning or not _REASONING_ONLY.search(str(error.body)):
                    raise
                self._reasoning.add(model)
                completion = client.chat.completions.create(**arguments, **self._limits(model))
        except openai.APITimeoutError as error:
            raise ModelBusy("model_timeout") from error
        except openai.APIConnectionError as error:
            raise ModelBusy("model_unreachable") from error
        except openai.APIStatusError as error:
            raise _from_status(error, structured=response_format is not None) from error
        except (openai.OpenAIError, ValueError, UnicodeError, RecursionError) as error:
            # Broken JSON with status 200 and unencodable text are bare errors, not the SDK's.
            raise AnalysisFailed("model_nonsense", type(error).__name__) from error
        try:
            return _raw_answer(completion, model)
        except (AttributeError, LookupError, TypeError, ValueError) as error:
            raise AnalysisFailed("model_nonsense", type(error).__name__) from error

    def _limits(self, model: str) -> dict[str, Any]:
        """OpenAI's reasoning models refuse ``max_tokens`` and a temperature; other servers know nothing newer."""
        if model in self._reasoning:
            return {"max_completion_tokens": self._max_output_tokens + REASONING_TOKENS}
        return {"max_tokens": self._max_output_tokens, "temperature": 0}

    def _connected(self) -> OpenAI:
        with self._lock:
            if self._client is None:
                import openai

                # A proxy named in the environment cannot reach this machine's own loopback.
                local = is_loopback(self._base_url or "")
                self._client = openai.OpenAI(
                    base_url=self._base_url,
                    api_key=self._api_key or "none",  # servers without keys take any
                    max_retries=0,
                    http_client=openai.DefaultHttpxClient(trust_env=False) if local else None,
                )
            return self._client


_REASONING_ONLY = re.compile(r"max_tokens|max_completion_tokens|temperature")
_SCHEMA_WORD = re.compile(r"response_format|json_schema|grammar", re.IGNORECASE)


def _from_status(error: Any, *, structured: bool) -> AnalysisFailed:
    status = int(error.status_code)
    if status == 429:
        body = error.body if isinstance(error.body, dict) else {}
        if body.get("code") == "insufficient_quota":
            return AnalysisFailed("model_no_quota")
        date = error.response.headers.get("date")
        wait = retry_after_seconds(error.response.headers.get("retry-after"), parse_http_date(date) or 0.0)
        return ModelBusy("model_rate_limited", wait)
    if status in (401, 403):
        return AnalysisFailed("model_not_authorised")
    if status == 404:
        return AnalysisFailed("model_unknown")
    if structured and (status in (400, 422, 501) or (status == 500 and _SCHEMA_WORD.search(str(error.body)))):
        # Some servers answer a schema that they do not know with 400, llama-cpp-python with 500.
        return FormRefused()
    if status in (408, 409) or status >= 500:
        return ModelBusy(f"model_http_{status}")
    return AnalysisFailed(f"model_http_{status}")


def _raw_answer(completion: Any, asked: str) -> RawAnswer:
    # A page of HTML comes back as a str, a JSON list as a list, {} as an object with choices=None.
    choices = getattr(completion, "choices", None)
    if not choices:
        raise AnalysisFailed("model_nonsense", "no choices")
    message = choices[0].message
    text = getattr(message, "content", None)
    if not isinstance(text, str) or not text.strip():
        raise AnalysisFailed("model_empty_answer")
    usage = getattr(completion, "usage", None)
    details = getattr(usage, "prompt_tokens_details", None)
    return RawAnswer(
        text=text,
        usage=Usage(
            input=getattr(usage, "prompt_tokens", 0) or 0,
            output=getattr(usage, "completion_tokens", 0) or 0,
            cached=getattr(details, "cached_tokens", 0) or 0,
        ),
        model=str(getattr(completion, "model", None) or asked),
        finished=getattr(choices[0], "finish_reason", None) != "length",
    )
