"""The batch interface through the real SDK: handed in once whatever gets lost, found again, collected, cancelled."""

from __future__ import annotations

import io
from collections.abc import Iterator
from typing import Any

import orjson
import pytest

from ticket_processor.clock import Deadline
from ticket_processor.errors import CannotRun
from ticket_processor.openai_batch import ENDPOINT, BatchApi, BatchStatus
from ticket_processor.presets import ModelTarget
from ticket_processor.sandbox import OffsetClock, Sandbox, SandboxServer

from ..unit.fakes import ManualClock, Upper
from .scripted import reply, scripted

NAME = "0123456789abcdef"


class Office:
    """A sandbox, and a client at its door. The client's waits take no time."""

    def __init__(self, sandbox: Sandbox, url: str, *, key: str | None = None, path: str = "/v1") -> None:
        self.sandbox = sandbox
        self.clock = ManualClock()
        target = ModelTarget(
            "m", "sandbox-model", "compatible", url + path, sandbox.credentials.openai_key if key is None else key
        )
        self.api = BatchApi(target, Deadline(self.clock, 10_000), rng=Upper())

    def advance(self, seconds: float) -> None:
        assert isinstance(self.sandbox.clock, OffsetClock)
        self.sandbox.clock.advance(seconds)

    def calls(self, route: str) -> int:
        return self.sandbox.requests[route]


@pytest.fixture
def sandbox() -> Sandbox:
    return Sandbox(OffsetClock())


@pytest.fixture
def office(sandbox: Sandbox) -> Iterator[Office]:
    with SandboxServer(sandbox) as server:
        made = Office(sandbox, server.url)
        yield made
        made.api.close()


def requests(count: int = 3) -> io.BytesIO:
    rows = [
        {
            "custom_id": str(number),
            "method": "POST",
            "url": ENDPOINT,
            "body": {"model": "sandbox-model", "messages": [{"role": "user", "content": f"Größe {number}"}]},
        }
        for number in range(1, count + 1)
    ]
    return io.BytesIO(b"".join(orjson.dumps(row) + b"\n" for row in rows))


def test_a_batch_is_handed_in_found_by_name_and_collected(office: Office) -> None:
    handed_in = office.api.submit(requests(), NAME)
    assert (handed_in.name, handed_in.ended) == (NAME, False)
    assert office.api.find(NAME) == handed_in
    assert office.api.find("another") is None
    office.advance(60)
    done = office.api.status(handed_in.id)
    assert done is not None
    assert (done.status, done.ended, done.answered, done.total) == ("completed", True, 3, 3)
    assert done.output is not None
    answers = io.BytesIO(b"what was here before")
    office.api.download(done.output, answers)
    lines = [orjson.loads(line) for line in answers.getvalue().splitlines()]
    assert {line["custom_id"] for line in lines} == {"1", "2", "3"}
    assert all("Größe" in line["response"]["body"]["choices"][0]["message"]["content"] for line in lines)
    office.api.forget(*done.files)
    assert office.sandbox.openai.batches.files == {}


@pytest.mark.parametrize("fault", ["lost-reply", "error-after", "half-body"])
def test_a_batch_whose_reply_got_lost_is_not_handed_in_twice(office: Office, fault: str) -> None:
    office.sandbox.faults = office.sandbox.faults.parse(f"{fault}:POST:/v1/batches:times=1", 0)
    handed_in = office.api.submit(requests(), NAME)
    assert handed_in.name == NAME
    assert office.calls("POST v1/batches") == 1
    assert office.api.find(NAME) == handed_in


@pytest.mark.parametrize("fault", ["lost-request", "error-before", "rate-limit"])
def test_a_batch_that_did_not_arrive_is_handed_in_again(office: Office, fault: str) -> None:
    office.sandbox.faults = office.sandbox.faults.parse(f"{fault}:POST:/v1/batches:times=1", 0)
    office.api.submit(requests(), NAME)
    assert office.calls("POST v1/batches") == 2
    assert office.api.find(NAME) is not None


def test_an_upload_that_fails_is_sent_again_whole(office: Office) -> None:
    office.sandbox.faults = office.sandbox.faults.parse("error-before:POST:/v1/files:times=2", 0)
    handed_in = office.api.submit(requests(), NAME)
    office.advance(60)
    done = office.api.status(handed_in.id)
    assert done is not None
    assert done.answered == 3


def test_a_download_that_breaks_off_begins_anew(office: Office) -> None:
    handed_in = office.api.submit(requests(), NAME)
    office.advance(60)
    done = office.api.status(handed_in.id)
    assert done is not None
    assert done.output is not None
    office.sandbox.faults = office.sandbox.faults.parse("half-body:GET:/content:times=1", 0)
    answers = io.BytesIO()
    office.api.download(done.output, answers)
    assert len([orjson.loads(line) for line in answers.getvalue().splitlines()]) == 3


def test_a_server_that_stays_away_is_told_in_a_sentence_without_the_key(office: Office) -> None:
    office.sandbox.faults = office.sandbox.faults.parse("error-before:/v1/", 0)
    with pytest.raises(CannotRun, match="nothing is lost: run the same command again later") as told:
        office.api.submit(requests(), NAME)
    assert office.sandbox.credentials.openai_key not in str(told.value)


def test_a_file_that_the_server_makes_nothing_of_is_told_by_its_code(office: Office) -> None:
    handed_in = office.api.submit(io.BytesIO(b"{}\n"), NAME)
    office.advance(5)
    failed = office.api.status(handed_in.id)
    assert failed is not None
    assert (failed.status, failed.ended, failed.codes) == ("failed", True, ("invalid_json_line",))


def test_cancelling_keeps_what_is_answered_and_may_come_too_late(office: Office) -> None:
    office.sandbox.openai.batches.seconds = 1000.0
    handed_in = office.api.submit(requests(4), NAME)
    office.advance(501)
    office.api.cancel(handed_in.id)
    office.advance(5)
    ended = office.api.status(handed_in.id)
    assert ended is not None
    assert (ended.status, ended.answered) == ("cancelled", 2)
    office.api.cancel(handed_in.id)


def test_a_batch_that_nobody_knows_is_none(office: Office) -> None:
    assert office.api.status("batch_unknown") is None


@pytest.mark.parametrize(
    ("options", "why"),
    [({}, None), ({"path": ""}, "no_batches"), ({"key": "wrong"}, "model_not_authorised")],
)
def test_a_server_says_whether_it_takes_batches(sandbox: Sandbox, options: dict[str, str], why: str | None) -> None:
    with SandboxServer(sandbox) as server:
        made = Office(sandbox, server.url, **options)
        assert made.api.why_not() == why
        made.api.close()


def asked(body: Any) -> BatchStatus | None:
    with scripted(reply(body)) as server:
        target = ModelTarget("m", "m", "compatible", server.url, "key")
        api = BatchApi(target, Deadline(ManualClock(), 100), rng=Upper())
        try:
            return api.status("b")
        finally:
            api.close()


@pytest.mark.parametrize("body", [b"<html>", b"[]", b'{"id": 7}', b'{"data": 1}', b'{"id": "b"}'])
def test_an_answer_that_is_none_is_told_as_such(body: bytes) -> None:
    with pytest.raises(CannotRun, match="model nonsense"):
        asked(body)


def test_odd_parts_of_an_answer_are_passed_over() -> None:
    status = asked({"id": "b", "status": "in_progress", "errors": 3, "metadata": [], "request_counts": {"total": "x"}})
    assert status == BatchStatus(id="b", name="", status="in_progress")
