"""The batch interface of an OpenAI-compatible server: many requests in one file, answered within a day for half.

A batch is found again by the name that it was given, so that one whose creation got no clear answer is not paid for
twice. What requests ask and what answers mean is nobody's business here.
"""

from __future__ import annotations

import functools
import random
import re
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from typing import IO, TYPE_CHECKING, Any, Final, TypeVar

import orjson

from . import bounded_json
from .bounded_json import JsonTooLarge
from .chat_server import retrying
from .clock import Deadline
from .errors import AnalysisFailed, CannotRun
from .openai_client import Connection, ModelBusy, bounded_body
from .presets import ModelTarget
from .sdk_client import is_packed

if TYPE_CHECKING:
    import httpx2
    from openai import OpenAI

ENDPOINT: Final = "/v1/chat/completions"
MAX_REQUESTS = 50_000
MAX_BYTES = 190_000_000
"""Below the 200 MB that a file may have, in whichever megabytes these are."""
MAX_REPLY_BYTES = 10_000_000
MAX_OUTPUT_BYTES = 2_000_000_000
HALF = 0.5
"""What an answer of a batch costs, as a share of the usual price."""
NAME = "ticketbot"
"""The key of a batch's name in its metadata."""

CALL_S = 60.0
TRANSFER_S = 1800.0
ATTEMPTS = 4
LONGEST_WAIT_S = 120.0
_MANY = 100
_MOST_PAGES = 20
_UNDER_WAY = ("validating", "in_progress", "finalizing", "cancelling")
_WORD = re.compile(r"[A-Za-z0-9_.-]{1,60}")
Result = TypeVar("Result")


@dataclass(frozen=True)
class BatchStatus:
    """How far a batch is. ``output`` is the file of its answers, ``codes`` say why it failed as a whole."""

    id: str
    name: str
    status: str
    input: str | None = None
    output: str | None = None
    errors: str | None = None
    total: int = 0
    answered: int = 0
    codes: tuple[str, ...] = ()

    @property
    def ended(self) -> bool:
        """Nothing more will come of it."""
        return self.status not in _UNDER_WAY

    @property
    def files(self) -> tuple[str, ...]:
        """Everything that is kept on the server for it."""
        return tuple(file for file in (self.input, self.output, self.errors) if file)


class BatchApi:
    """The batch interface of one model's server. For one thread.

    What passes is tried again some times. Every method raises :class:`CannotRun` when the server does not answer, or
    not as the interface says, and what ``deadline`` raises.
    """

    def __init__(self, target: ModelTarget, deadline: Deadline, *, rng: random.Random | None = None) -> None:
        self._target = target
        self._deadline = deadline
        self._rng = rng or random.Random()
        self._connection = Connection(target)

    def close(self) -> None:
        """Close the connections to the server."""
        self._connection.close()

    def why_not(self) -> str | None:
        """Why batches cannot be handed in here, in a word; ``None`` when they can."""
        try:
            self._json(lambda api, timeout: api.batches.with_streaming_response.list(limit=1, timeout=timeout))
        except ModelBusy:
            with self._translated("say whether it takes batches"):
                raise
        except AnalysisFailed as failed:
            return "no_batches" if failed.reason == "model_unknown" else failed.reason
        return None

    def submit(self, requests: IO[bytes], name: str) -> BatchStatus:
        """Hand in a file of requests as the batch ``name``, which no other batch has."""
        with self._translated("take the requests"):

            def upload(api: OpenAI, timeout: httpx2.Timeout) -> Any:
                requests.seek(0)
                return api.files.with_streaming_response.create(
                    file=(f"{name}.jsonl", requests), purpose="batch", timeout=timeout
                )

            file = _string(self._json(upload, seconds=TRANSFER_S).get("id"))

            def create(api: OpenAI, timeout: httpx2.Timeout) -> Any:
                return api.batches.with_streaming_response.create(
                    input_file_id=file,
                    endpoint=ENDPOINT,
                    completion_window="24h",
                    metadata={NAME: name},
                    timeout=timeout,
                )

            try:
                return _status(self._json(create, attempts=1))
            except ModelBusy:
                # It may have been created all the same, and would be paid for twice.
                found = self.find(name)
                return found if found is not None else _status(self._json(create, attempts=1))

    def find(self, name: str) -> BatchStatus | None:
        """The batch of this name, among the newest of the account; ``None`` where there is none."""
        after: str | None = None

        def page(api: OpenAI, timeout: httpx2.Timeout) -> Any:
            place = {} if after is None else {"after": after}
            return api.batches.with_streaming_response.list(limit=_MANY, extra_query=place, timeout=timeout)

        with self._translated("list batches"):
            for _ in range(_MOST_PAGES):
                answer = self._json(page)
                rows = answer.get("data")
                found = [_status(row) for row in rows if isinstance(row, dict)] if isinstance(rows, list) else []
                for status in found:
                    if status.name == name:
                        return status
                if not answer.get("has_more") or not found:
                    break
                after = found[-1].id
        return None

    def status(self, batch_id: str) -> BatchStatus | None:
        """How far a batch is; ``None`` when the server knows none of this id."""
        with self._translated("tell how far a batch is"):
            try:
                return _status(
                    self._json(
                        lambda api, timeout: api.batches.with_streaming_response.retrieve(batch_id, timeout=timeout)
                    )
                )
            except AnalysisFailed as failed:
                if failed.reason == "model_unknown":
                    return None
                raise

    def cancel(self, batch_id: str) -> None:
        """Ask for an end of a batch; what it has answered by then stays, and is paid for."""
        with self._translated("cancel a batch"):
            try:
                self._json(
                    lambda api, timeout: api.batches.with_streaming_response.cancel(batch_id, timeout=timeout),
                    attempts=1,
                )
            except AnalysisFailed as failed:
                if failed.reason != "model_http_409":  # it has ended meanwhile
                    raise

    def download(self, file_id: str, into: IO[bytes]) -> None:
        """Write the content of a file into ``into``."""
        with self._translated("give a batch's answers"):

            def fetch(api: OpenAI, timeout: httpx2.Timeout) -> None:
                into.seek(0)
                into.truncate()
                with api.files.with_streaming_response.content(file_id, timeout=timeout) as response:
                    if is_packed(response.headers):
                        raise AnalysisFailed("model_nonsense", "compressed, which nobody asked for")
                    for chunk in response.iter_bytes():
                        into.write(chunk)
                        if into.tell() > MAX_OUTPUT_BYTES:
                            raise AnalysisFailed("model_answer_too_long")

            self._tried(fetch, seconds=TRANSFER_S)

    def forget(self, *file_ids: str) -> None:
        """Delete files on the server, which hold redacted words of tickets. That they stay is no failure."""
        for file_id in file_ids:
            delete = functools.partial(_deleted, file_id)
            with suppress(AnalysisFailed):
                self._json(delete, attempts=1)

    def _json(
        self,
        ask: Callable[[OpenAI, httpx2.Timeout], Any],
        *,
        seconds: float = CALL_S,
        attempts: int = ATTEMPTS,
    ) -> Mapping[str, Any]:
        def asked(api: OpenAI, timeout: httpx2.Timeout) -> bytes:
            with ask(api, timeout) as response:
                return bounded_body(response, MAX_REPLY_BYTES)

        try:
            body = self._tried(asked, seconds=seconds, attempts=attempts)
            answer = bounded_json.loads(body, most=bounded_json.GROWTH * MAX_REPLY_BYTES)
        except JsonTooLarge as error:
            raise AnalysisFailed("model_answer_too_long") from error
        except orjson.JSONDecodeError as error:
            raise AnalysisFailed("model_nonsense", "no JSON") from error
        if not isinstance(answer, dict):
            raise AnalysisFailed("model_nonsense", "no object")
        return answer

    def _tried(
        self, ask: Callable[[OpenAI, httpx2.Timeout], Result], *, seconds: float, attempts: int = ATTEMPTS
    ) -> Result:
        again = retrying(self._deadline, self._rng, attempts=attempts, longest_wait_s=LONGEST_WAIT_S)
        return again(lambda: self._connection.call(ask, seconds=seconds))

    @contextmanager
    def _translated(self, what: str) -> Iterator[None]:
        try:
            yield
        except AnalysisFailed as error:
            raise CannotRun(
                f"the server of the model {self._target.name} did not {what} ({error.reason.replace('_', ' ')}); "
                "nothing is lost: run the same command again later"
            ) from error


def _deleted(file_id: str, api: OpenAI, timeout: httpx2.Timeout) -> Any:
    return api.files.with_streaming_response.delete(file_id, timeout=timeout)


def _status(row: Mapping[str, Any]) -> BatchStatus:
    counts, metadata, errors = row.get("request_counts"), row.get("metadata"), row.get("errors")
    counts = counts if isinstance(counts, dict) else {}
    data = errors.get("data") if isinstance(errors, dict) else None
    codes = (item.get("code") for item in data if isinstance(item, dict)) if isinstance(data, list) else ()
    batch_id, status = _string(row.get("id")), _string(row.get("status"))
    return BatchStatus(
        id=batch_id,
        name=str(metadata.get(NAME, "")) if isinstance(metadata, dict) else "",
        status=status,
        input=_file(row.get("input_file_id")),
        output=_file(row.get("output_file_id")),
        errors=_file(row.get("error_file_id")),
        total=_count(counts.get("total")),
        answered=_count(counts.get("completed")),
        codes=tuple(dict.fromkeys(code for code in codes if isinstance(code, str) and _WORD.fullmatch(code)))[:5],
    )


def _string(value: object) -> str:
    if not isinstance(value, str) or not value:
        raise AnalysisFailed("model_nonsense", "no id or status")
    return value


def _file(value: object) -> str | None:
    return value if isinstance(value, str) and value else None


def _count(value: object) -> int:
    return value if isinstance(value, int) and value >= 0 else 0
