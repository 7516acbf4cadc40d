"""Files and batches of the OpenAI part: what goes in, what comes out, and when."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import orjson
import pytest

from ticket_processor.sandbox import Request, Response
from ticket_processor.sandbox.messages import json_response

from .helpers import Desk

KEY = "Bearer sandbox-key"
DAY = 86_400
CHAT = "/v1/chat/completions"


class Office(Desk):
    """A sandbox, and somebody who hands batches in."""

    def __init__(self) -> None:
        super().__init__(0)
        self.batches = self.sandbox.openai.batches

    def v1(self, method: str, path: str, payload: object = None) -> Response:
        return self.ask(method, f"/v1/{path}", payload, auth=KEY)

    def upload(self, content: bytes, name: str = "requests.jsonl", purpose: str = "batch") -> Response:
        parts = (
            f'--b\r\nContent-Disposition: form-data; name="purpose"\r\n\r\n{purpose}\r\n'
            f'--b\r\nContent-Disposition: form-data; name="file"; filename="{name}"\r\n'
            "Content-Type: application/octet-stream\r\n\r\n"
        )
        body = parts.encode() + content + b"\r\n--b--\r\n"
        headers = {"Content-Type": "multipart/form-data; boundary=b", "Authorization": KEY}
        return self.sandbox.handle(Request("POST", "/v1/files", headers=headers, body=body))

    def hand_in(self, content: bytes, **more: Any) -> dict[str, Any]:
        file = self.upload(content).json()["id"]
        wanted = {"input_file_id": file, "endpoint": CHAT, "completion_window": "24h", **more}
        answer = self.v1("POST", "batches", wanted)
        assert answer.status == 200, answer.body
        batch: dict[str, Any] = answer.json()
        return batch

    def look(self, batch: dict[str, Any]) -> dict[str, Any]:
        found: dict[str, Any] = self.v1("GET", f"batches/{batch['id']}").json()
        return found

    def lines(self, file_id: str) -> dict[str, Any]:
        answer = self.v1("GET", f"files/{file_id}/content")
        assert answer.status == 200
        return {line["custom_id"]: line for line in map(orjson.loads, answer.body.splitlines())}


@pytest.fixture
def office() -> Office:
    return Office()


def requests(names: Sequence[str], *, model: str = "sandbox-model", text: str = "Grüße, my order is late") -> bytes:
    rows = [
        {
            "custom_id": name,
            "method": "POST",
            "url": CHAT,
            "body": {"model": model, "messages": [{"role": "user", "content": f"{text} {name}"}]},
        }
        for name in names
    ]
    return b"".join(orjson.dumps(row) + b"\n" for row in rows)


def test_a_batch_goes_from_validating_to_completed_in_its_own_time(office: Office) -> None:
    batch = office.hand_in(requests(["1", "2", "3", "4"]), metadata={"mine": "yes"})
    assert (batch["status"], batch["object"], batch["metadata"]) == ("validating", "batch", {"mine": "yes"})
    assert batch["expires_at"] - batch["created_at"] == DAY
    office.clock.advance(3)
    half = office.look(batch)
    assert (half["status"], half["request_counts"]) == ("in_progress", {"total": 4, "completed": 2, "failed": 0})
    assert half["output_file_id"] is None
    office.clock.advance(60)
    done = office.look(batch)
    assert (done["status"], done["error_file_id"]) == ("completed", None)
    assert done["request_counts"] == {"total": 4, "completed": 4, "failed": 0}
    assert done["completed_at"] == done["created_at"] + 5


def test_answers_are_those_of_chat_found_by_their_custom_ids(office: Office) -> None:
    batch = office.hand_in(requests(["a", "b"]))
    office.clock.advance(60)
    lines = office.lines(office.look(batch)["output_file_id"])
    assert set(lines) == {"a", "b"}
    for line in lines.values():
        assert line["error"] is None
        assert line["response"]["status_code"] == 200
        body = line["response"]["body"]
        assert body["object"] == "chat.completion"
        assert "Grüße" in body["choices"][0]["message"]["content"]
        assert body["usage"]["prompt_tokens"] > 0
    assert office.sandbox.llm_calls == 2


def test_requests_that_fail_go_into_a_file_of_their_own(office: Office) -> None:
    office.batches.spoil = lambda name: json_response(500, {"error": {"message": "no"}}) if name == "b" else None
    batch = office.hand_in(requests(["a", "b", "c"]))
    office.clock.advance(60)
    done = office.look(batch)
    assert done["request_counts"] == {"total": 3, "completed": 2, "failed": 1}
    assert set(office.lines(done["output_file_id"])) == {"a", "c"}
    (failed,) = office.lines(done["error_file_id"]).values()
    assert (failed["custom_id"], failed["response"]["status_code"]) == ("b", 500)


def test_a_batch_that_takes_more_than_a_day_expires_with_what_is_done(office: Office) -> None:
    office.batches.seconds = 4.0 * DAY
    batch = office.hand_in(requests([str(n) for n in range(8)]))
    office.clock.advance(DAY - 1)
    assert office.look(batch)["status"] == "in_progress"
    office.clock.advance(2)
    ended = office.look(batch)
    assert ended["status"] == "expired"
    assert 0 < ended["request_counts"]["completed"] < 8
    errors = office.lines(ended["error_file_id"])
    assert {line["error"]["code"] for line in errors.values()} == {"batch_expired"}
    assert len(errors) + ended["request_counts"]["completed"] == 8


def test_a_cancelled_batch_keeps_what_it_has_answered(office: Office) -> None:
    batch = office.hand_in(requests(["1", "2", "3", "4"]))
    office.clock.advance(3)
    assert office.v1("POST", f"batches/{batch['id']}/cancel").json()["status"] == "cancelling"
    office.clock.advance(10)
    ended = office.look(batch)
    assert (ended["status"], ended["request_counts"]["completed"]) == ("cancelled", 2)
    assert len(office.lines(ended["output_file_id"])) == 2
    assert office.v1("POST", f"batches/{batch['id']}/cancel").status == 409


@pytest.mark.parametrize(
    ("content", "code"),
    [
        (b"", "empty_file"),
        (b"no json\n", "invalid_json_line"),
        (requests(["a", "a"]), "duplicate_custom_id"),
        (requests(["a"]).replace(b"/v1/chat", b"/v2/chat"), "invalid_url"),
        (requests(["a"]) + requests(["b"], model="other"), "mismatched_model"),
        (requests(["a"]).replace(b"custom_id", b"own_id"), "missing_required_parameter"),
    ],
)
def test_a_file_that_does_not_fit_fails_as_a_whole(office: Office, content: bytes, code: str) -> None:
    batch = office.hand_in(content)
    office.clock.advance(5)
    failed = office.look(batch)
    assert failed["status"] == "failed"
    assert failed["errors"]["data"][0]["code"] == code
    assert failed["output_file_id"] is None
    assert office.sandbox.llm_calls == 0


def test_files_can_be_shown_and_deleted(office: Office) -> None:
    file = office.upload(b"{}\n").json()
    assert (file["bytes"], file["purpose"], file["filename"]) == (3, "batch", "requests.jsonl")
    assert office.v1("GET", f"files/{file['id']}").json()["id"] == file["id"]
    assert [row["id"] for row in office.v1("GET", "files").json()["data"]] == [file["id"]]
    assert office.v1("DELETE", f"files/{file['id']}").json()["deleted"] is True
    assert office.v1("GET", f"files/{file['id']}/content").status == 404


def test_batches_are_listed_newest_first_and_by_pages(office: Office) -> None:
    ids = [office.hand_in(requests([str(n)]))["id"] for n in range(3)]
    page = office.v1("GET", "batches?limit=2").json()
    assert ([row["id"] for row in page["data"]], page["has_more"]) == ([ids[2], ids[1]], True)
    rest = office.v1("GET", f"batches?limit=2&after={ids[1]}").json()
    assert ([row["id"] for row in rest["data"]], rest["has_more"]) == ([ids[0]], False)


@pytest.mark.parametrize(
    ("wanted", "status"),
    [
        ({"endpoint": "/v1/embeddings"}, 400),
        ({"completion_window": "1h"}, 400),
        ({"input_file_id": "file-unknown"}, 404),
    ],
)
def test_a_batch_that_is_asked_for_wrongly_is_refused(office: Office, wanted: dict[str, str], status: int) -> None:
    file = office.upload(requests(["a"])).json()["id"]
    body = {"input_file_id": file, "endpoint": CHAT, "completion_window": "24h", **wanted}
    answer = office.v1("POST", "batches", body)
    assert answer.status == status
    assert answer.json()["error"]["message"]


def test_nobody_without_the_key_gets_in(office: Office) -> None:
    for path in ("/v1/batches", "/v1/files"):
        assert office.ask("GET", path, auth="Bearer wrong").status == 401


def test_requests_are_counted_without_the_ids(office: Office) -> None:
    batch = office.hand_in(requests(["a"]))
    office.look(batch)
    assert office.sandbox.requests["GET v1/batches/{id}"] == 1
