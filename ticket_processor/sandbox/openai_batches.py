"""Files and batches of the OpenAI API: requests handed in together, answered some seconds of sandbox time later."""

from __future__ import annotations

import random
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from email import policy
from email.parser import BytesParser
from typing import Any

import orjson

from .messages import Refusal, Request, Response, json_response, refuse

ENDPOINT = "/v1/chat/completions"
PREFIXES = ("/v1/files", "/v1/batches")
MOST_REQUESTS = 50_000
WINDOW_S = 86_400
VALIDATING_S = 1.0
CANCELLING_S = 1.0
_ID = re.compile(r"/(?:file-|batch_)[^/]*")
_ENDED = ("completed", "failed", "expired", "cancelled")


@dataclass(frozen=True)
class _File:
    id: str
    name: str
    purpose: str
    content: bytes
    created: int

    def shown(self) -> dict[str, Any]:
        return {
            "id": self.id,
            "object": "file",
            "bytes": len(self.content),
            "created_at": self.created,
            "filename": self.name,
            "purpose": self.purpose,
            "status": "processed",
            "status_details": None,
        }


@dataclass
class _Batch:
    id: str
    lines: list[dict[str, Any]]
    wrong: list[dict[str, Any]]
    created: float
    seconds: float
    shown: dict[str, Any]
    cancelled_at: float | None = None
    ended: bool = False


class Batches:
    """Answers everything under ``/v1/files`` and ``/v1/batches``. The sandbox's lock covers it.

    ``seconds`` pass from the end of a batch's validation to its completion; more than a day, and it expires with the
    part that was done by then. ``spoil`` may give a request, by its custom id, another response than its answer.
    """

    def __init__(self, ask: Callable[[Request, float], Response], dice: random.Random) -> None:
        self.seconds = 4.0
        self.spoil: Callable[[str], Response | None] = lambda _custom_id: None
        self._ask = ask
        self._dice = dice
        self._files: dict[str, _File] = {}
        self._batches: dict[str, _Batch] = {}

    @property
    def files(self) -> Mapping[str, bytes]:
        """What is kept: contents by the files' ids."""
        return {key: file.content for key, file in self._files.items()}

    def handle(self, request: Request, now: float) -> Response:
        """The answer. Raises :class:`Refusal`."""
        for batch in self._batches.values():
            self._advance(batch, now)
        _, _, kind, *rest = request.path.rstrip("/").split("/")
        match (request.method, kind, *rest):
            case ("POST", "files"):
                return self._upload(request, now)
            case ("GET", "files"):
                return _listed([file.shown() for file in self._files.values()])
            case ("GET", "files", file_id):
                return json_response(200, self._file(file_id).shown())
            case ("GET", "files", file_id, "content"):
                content = self._file(file_id).content
                return Response(200, {"Content-Type": "application/octet-stream"}, content)
            case ("DELETE", "files", file_id):
                del self._files[self._file(file_id).id]
                return json_response(200, {"id": file_id, "object": "file", "deleted": True})
            case ("POST", "batches"):
                return self._create(request, now)
            case ("GET", "batches"):
                return self._list(request)
            case ("GET", "batches", batch_id):
                return json_response(200, self._batch(batch_id).shown)
            case ("POST", "batches", batch_id, "cancel"):
                return self._cancel(self._batch(batch_id), now)
        raise _error(404, f"Invalid URL ({request.method} {request.path[:80]})")

    def _upload(self, request: Request, now: float) -> Response:
        parts = _form(request)
        name, content = parts.get("file", ("", b""))
        purpose = parts.get("purpose", ("", b""))[1].decode("utf-8", "replace")
        if not name:
            raise _error(400, "'file' is a required property")
        if purpose not in ("batch", "fine-tune", "assistants", "user_data"):
            raise _error(400, f"'{purpose[:40]}' is not one of the known purposes")
        if purpose == "batch" and not name.endswith(".jsonl"):
            raise _error(400, "Invalid file format for Batch API. Must be .jsonl")
        return json_response(200, self._kept(name, purpose, content, now).shown())

    def _kept(self, name: str, purpose: str, content: bytes, now: float) -> _File:
        file = _File(f"file-{self._dice.getrandbits(96):024x}", name, purpose, content, int(now))
        self._files[file.id] = file
        return file

    def _file(self, file_id: str) -> _File:
        file = self._files.get(file_id)
        if file is None:
            raise _error(404, f"No such File object: {file_id[:80]}")
        return file

    def _create(self, request: Request, now: float) -> Response:
        try:
            body = request.json()
        except ValueError:
            body = None
        if not isinstance(body, dict):
            raise _error(400, "We could not parse the JSON body of your request.")
        if body.get("endpoint") != ENDPOINT:
            raise _error(400, f"Invalid value for 'endpoint'; this server has {ENDPOINT}")
        if body.get("completion_window") != "24h":
            raise _error(400, "Invalid value for 'completion_window'; supported: '24h'")
        file = self._file(str(body.get("input_file_id")))
        if file.purpose != "batch":
            raise _error(400, "The input file must have the purpose 'batch'.")
        lines, wrong = _read(file.content)
        batch_id = f"batch_{self._dice.getrandbits(96):024x}"
        moments = ("in_progress", "finalizing", "completed", "failed", "expired", "cancelling", "cancelled")
        shown = {
            "id": batch_id,
            "object": "batch",
            "endpoint": ENDPOINT,
            "errors": None,
            "input_file_id": file.id,
            "completion_window": "24h",
            "status": "validating",
            "output_file_id": None,
            "error_file_id": None,
            "created_at": int(now),
            "expires_at": int(now) + WINDOW_S,
            **{f"{moment}_at": None for moment in moments},
            "request_counts": {"total": 0, "completed": 0, "failed": 0},
            "metadata": body.get("metadata"),
        }
        self._batches[batch_id] = _Batch(batch_id, lines, wrong, now, self.seconds, shown)
        return json_response(200, shown)

    def _batch(self, batch_id: str) -> _Batch:
        batch = self._batches.get(batch_id)
        if batch is None:
            raise _error(404, f"No batch found with id '{batch_id[:80]}'.")
        return batch

    def _list(self, request: Request) -> Response:
        newest_first = [batch.shown for batch in reversed(self._batches.values())]
        ids = [shown["id"] for shown in newest_first]
        after = request.query.get("after", "")
        start = ids.index(after) + 1 if after in ids else 0
        limit = request.query.get("limit", "20")
        end = start + (min(int(limit), 100) if limit.isdecimal() else 20)
        return _listed(newest_first[start:end], has_more=end < len(ids))

    def _cancel(self, batch: _Batch, now: float) -> Response:
        if batch.shown["status"] in _ENDED:
            raise _error(409, f"Cannot cancel a batch with status '{batch.shown['status']}'.")
        if batch.cancelled_at is None:
            batch.cancelled_at = now
            batch.shown |= {"status": "cancelling", "cancelling_at": int(now)}
        return json_response(200, batch.shown)

    # Time

    def _advance(self, batch: _Batch, now: float) -> None:
        """Bring a batch to where it is by ``now``."""
        shown = batch.shown
        begun = batch.created + VALIDATING_S
        if batch.ended or now < begun:
            return
        if batch.wrong and batch.cancelled_at is None:
            errors = {"object": "list", "data": batch.wrong}
            shown |= {"status": "failed", "failed_at": int(begun), "errors": errors}
            batch.ended = True
            return
        total = len(batch.lines)
        shown["request_counts"] = {"total": total, "completed": 0, "failed": 0}
        shown["in_progress_at"] = int(begun)
        stopped = batch.created + WINDOW_S if batch.cancelled_at is None else batch.cancelled_at
        reached = min(now, stopped) - begun
        share = 1.0 if reached >= batch.seconds else max(0.0, reached / batch.seconds)
        shown["request_counts"]["completed"] = int(share * total)
        if share == 1.0:
            self._end(batch, "completed", total, begun + batch.seconds)
        elif batch.cancelled_at is not None:
            if now >= batch.cancelled_at + CANCELLING_S:
                self._end(batch, "cancelled", int(share * total), batch.cancelled_at + CANCELLING_S)
        elif now >= stopped:
            self._end(batch, "expired", int(share * total), stopped)
        else:
            shown["status"] = "in_progress"

    def _end(self, batch: _Batch, status: str, done: int, at: float) -> None:
        output: list[bytes] = []
        errors: list[bytes] = []
        for number, line in enumerate(batch.lines):
            answer: dict[str, Any] = {"id": f"batch_req_{self._dice.getrandbits(96):024x}"}
            answer |= {"custom_id": line["custom_id"], "response": None, "error": None}
            if number >= done:
                told = f"This request could not be executed before the batch was {status}."
                answer["error"] = {"code": f"batch_{status}", "message": told}
                errors.append(orjson.dumps(answer))
                continue
            response = self.spoil(line["custom_id"]) or self._answered(line, at)
            request_id = f"req_{self._dice.getrandbits(96):024x}"
            answer["response"] = {"status_code": response.status, "request_id": request_id, "body": response.json()}
            (output if response.status == 200 else errors).append(orjson.dumps(answer))
        self._dice.shuffle(output)  # the order is not promised
        shown = batch.shown
        for name, rows in (("output", output), ("error", errors)):
            if rows:
                content = b"\n".join(rows) + b"\n"
                shown[f"{name}_file_id"] = self._kept(f"{batch.id}_{name}.jsonl", "batch_output", content, at).id
        shown["status"] = status
        shown[f"{status}_at"] = int(at)
        shown["request_counts"] = {"total": len(batch.lines), "completed": len(output), "failed": len(errors)}
        batch.ended = True

    def _answered(self, line: Mapping[str, Any], at: float) -> Response:
        try:
            return self._ask(Request("POST", ENDPOINT, body=orjson.dumps(line["body"])), at)
        except Refusal as refusal:
            return refusal.response


def without_ids(path: str) -> str:
    """A path under ``/v1/`` with the ids of files and batches left out, for counting."""
    return _ID.sub("/{id}", path)


def _read(content: bytes) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    """The requests of an input file, and what is wrong with it."""
    lines: list[dict[str, Any]] = []
    wrong: list[dict[str, Any]] = []
    seen: set[str] = set()

    def error(code: str, message: str, number: int | None) -> None:
        wrong.append({"code": code, "message": message, "param": None, "line": number})

    for number, raw in enumerate(content.splitlines(), start=1):
        try:
            line = orjson.loads(raw)
        except ValueError:
            line = None
        if not isinstance(line, dict) or not isinstance(line.get("body"), dict):
            error("invalid_json_line", "This line is not parseable as valid JSON.", number)
        elif not isinstance(line.get("custom_id"), str):
            error("missing_required_parameter", "Missing required parameter: 'custom_id'.", number)
        elif line["custom_id"] in seen:
            error("duplicate_custom_id", "The custom_id of this line is there already.", number)
        elif line.get("url") != ENDPOINT or line.get("method") != "POST":
            error("invalid_url", "The URL provided for this request does not match the batch endpoint.", number)
        else:
            seen.add(line["custom_id"])
            lines.append(line)
    if not lines and not wrong:
        error("empty_file", "The input file is empty.", None)
    if len(lines) > MOST_REQUESTS:
        error("too_many_tasks", f"The batch input file has more than {MOST_REQUESTS} requests.", None)
    if len({str(line["body"].get("model")) for line in lines}) > 1:
        error("mismatched_model", "All requests of a batch must have the same model.", None)
    return lines, wrong


def _form(request: Request) -> dict[str, tuple[str, bytes]]:
    """The parts of a multipart body by name: file name and content."""
    kind = request.header("content-type")
    if not kind.startswith("multipart/form-data"):
        raise _error(400, "The body must be multipart/form-data.")
    head = f"Content-Type: {kind}\r\n\r\n".encode("utf-8", "replace")
    found: dict[str, tuple[str, bytes]] = {}
    for part in BytesParser(policy=policy.HTTP).parsebytes(head + request.body).walk():
        content = part.get_payload(decode=True)
        if isinstance(content, bytes) and not part.is_multipart():
            name = part.get_param("name", header="content-disposition")
            found[str(name)] = (part.get_filename() or "", content)
    return found


def _listed(rows: list[dict[str, Any]], *, has_more: bool = False) -> Response:
    ids = [row["id"] for row in rows] or [None]
    return json_response(
        200, {"object": "list", "data": rows, "first_id": ids[0], "last_id": ids[-1], "has_more": has_more}
    )


def _error(status: int, message: str) -> Refusal:
    error = {"message": message, "type": "invalid_request_error", "param": None, "code": None}
    return refuse(status, {"error": error})
