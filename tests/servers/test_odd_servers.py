"""What servers do besides answering, and what is done next: the real SDK, analyser and chain link over real sockets.

Next is one of: accepted; other limits (the same request with the answer's limits in other words); next form (another
way of asking for structure); repair (the model is told what was wrong); retry (after a wait); next link (this model is
done with for this ticket).
"""

from __future__ import annotations

import gzip
import json
import tracemalloc
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import Any

import pytest

from ticket_processor.analysis.chain import ModelLink
from ticket_processor.analysis.model_server.chat import OpenAIServer
from ticket_processor.analysis.model_server.connection import AnswerUnusable, ModelBusy
from ticket_processor.analysis.text.redact import redact
from ticket_processor.core.clock import Deadline
from ticket_processor.core.errors import AnalysisFailed
from ticket_processor.core.guards import Breaker
from ticket_processor.core.models import Analysis, Usage
from ticket_processor.core.taxonomy import default_taxonomy
from ticket_processor.llm import ModelAnalyser

from ..support.chats import compatible
from ..support.fakes import ManualClock, Upper
from .scripted import Reply, ScriptedServer, reply, scripted

TEXT = redact("Charged twice\nPlease help, I was charged twice.")
LABELS: dict[str, Any] = {
    "summary": "Charged twice.",
    "evidence": ["charged twice"],
    "category": "billing",
    "secondary": [],
    "urgency": "high",
    "urgent_tone": False,
    "sentiment": "negative",
    "risk": "medium",
    "language": "en",
    "confidence": 0.9,
}
SAID = json.dumps(LABELS)
COUNTED = {"prompt_tokens": 700, "completion_tokens": 60, "total_tokens": 760}


def said(**fields: Any) -> str:
    return json.dumps({**LABELS, **fields})


def completion(content: object = SAID, ended: str | None = "stop", **fields: Any) -> dict[str, Any]:
    message = {"role": "assistant", "content": content, **fields.pop("message", {})}
    return {
        "id": "x",
        "object": "chat.completion",
        "created": 0,
        "model": "served",
        "choices": [{"index": 0, "message": message, "finish_reason": ended}],
        "usage": COUNTED,
        **fields,
    }


def error(message: str, code: object = None, type_: object = "invalid_request_error") -> dict[str, Any]:
    return {"error": {"message": message, "type": type_, "param": None, "code": code}}


def answers(content: object = SAID, ended: str | None = "stop", **fields: Any) -> Reply:
    return reply(completion(content, ended, **fields))


def packed(layers: int, body: object) -> bytes:
    raw = (body if isinstance(body, str) else json.dumps(body)).encode()
    for _ in range(layers):
        raw = gzip.compress(raw)
    return raw


GOOD = answers()
LCP_500 = (
    "[{'type': 'literal_error', 'loc': ('body', 'response_format', 'type'), 'msg': \"Input should be 'text' or "
    "'json_object'\", 'input': 'json_schema'}]"
)
AZURE_FILTER = {
    "error": {
        "message": "The response was filtered due to the prompt triggering Azure OpenAI's content management policy.",
        "code": "content_filter",
        "status": 400,
        "innererror": {"code": "ResponsibleAIPolicyViolation"},
    }
}
HTML = "<!DOCTYPE html><html><title>Sign in</title></html>"


@dataclass(frozen=True)
class Row:
    """One odd behaviour; the server is well again after ``times`` of it."""

    what: str
    odd: Reply
    then: str
    reason: str = ""
    wait: float | None = None
    times: int = 1
    seconds: float = 20.0
    confidence: float = 0.9


ROWS = [
    # Answers that are good enough
    Row("fenced JSON", answers(f"```json\n{SAID}\n```"), "accepted"),
    Row("prose around", answers(f"Sure!\n{SAID}\nHope that helps."), "accepted"),
    Row("reasoning tags", answers(f'<think>Is it {{"category": "refund"}}?</think>{SAID}'), "accepted"),
    Row("reasoning beside", answers(message={"reasoning_content": "Hm. {"}), "accepted"),
    Row("reasoning in its other name", answers(message={"reasoning": "Hm."}), "accepted"),
    Row("answer filed under reasoning", answers(None, message={"reasoning_content": SAID}), "accepted"),
    Row(
        "tool call instead of content",
        answers(None, "tool_calls", message={"tool_calls": [{"function": {"name": "f", "arguments": SAID}}]}),
        "accepted",
    ),
    Row(
        "tool call with an object",
        answers(None, "tool_calls", message={"tool_calls": [{"function": {"name": "f", "arguments": LABELS}}]}),
        "accepted",
    ),
    Row("old function call", answers(None, message={"function_call": {"arguments": SAID}}), "accepted"),
    Row("content in parts", answers([{"type": "text", "text": SAID}]), "accepted"),
    Row("no usage", answers(usage=None), "accepted"),
    Row("tokens as text", answers(usage={"prompt_tokens": "700", "completion_tokens": 60.0}), "accepted"),
    Row(
        "optional fields null, others extra",
        answers(
            usage={**COUNTED, "prompt_tokens_details": None},
            system_fingerprint=None,
            timings={"x": 1},
            message={"refusal": None, "token_ids": None},
        ),
        "accepted",
    ),
    Row("no finish reason", answers(ended=None), "accepted"),
    Row("two choices", answers(choices=completion()["choices"] * 2), "accepted"),
    Row("said not to be compressed", reply(completion(), content_encoding="identity"), "accepted"),
    Row("byte order mark", reply(b"\xef\xbb\xbf" + json.dumps(completion()).encode()), "accepted"),
    Row("called plain text", reply(json.dumps(completion()), content_type="text/plain"), "accepted"),
    Row("in many small pieces", reply(completion(), pieces=50), "accepted"),
    Row("200 characters of white space", answers(SAID.replace(",", ",\n" + " " * 20)), "accepted"),
    # Answers that can be mended
    Row("schema ignored: prose", answers("It is about billing."), "repair"),
    Row("wrong enum", answers(said(urgency="apocalyptic")), "repair"),
    Row("no such category", answers(said(category="pizza")), "repair"),
    Row("NaN", answers(said(confidence=float("nan"))), "accepted", confidence=0.0),
    Row("number beyond floats", answers(SAID.replace("0.9", "5374E3908890")), "accepted", confidence=0.0),
    Row("minimum and maximum not enforced", answers(said(confidence=8888)), "accepted", confidence=0.0),
    Row("duplicate keys", answers(SAID.replace('"risk"', '"category": "refund", "risk"')), "repair"),
    Row("a list", answers("[1, 2, 3]"), "repair"),
    Row("cut off", answers(SAID[:60], "length"), "repair"),
    Row("half a pair of surrogates", answers(said(category="\ud800")), "repair"),
    # Requests that it wants otherwise
    Row("thoughts took all the room", answers("", "length", message={"reasoning_content": "Hm."}), "other limits"),
    Row("thoughts in the content took all the room", answers("<think>Hm.", "length"), "other limits"),
    Row("max_tokens refused", reply(error("Unsupported parameter: 'max_tokens'"), 400), "other limits"),
    Row("temperature refused", reply(error("'temperature' does not support 0"), 400), "other limits"),
    Row("schema refused with 400", reply(error("Invalid schema for response_format 'triage'"), 400), "next form"),
    Row("schema refused with 422", reply({"detail": [{"loc": ["body"]}]}, 422), "next form"),
    Row("schema refused with 501", reply(error("not supported", 501), 501), "next form"),
    Row("schema refused with 500", reply(error(LCP_500, type_="internal_server_error"), 500), "next form"),
    Row("grammar refused", reply(error("failed to parse grammar", 400), 400), "next form"),
    Row(
        "json_object refused in a bare word",
        reply({"error": "'response_format.type' must be 'json_schema' or 'text'"}, 400),
        "next form",
        times=3,
    ),
    # Servers that may answer later
    Row("429 with seconds", reply(error("x"), 429, retry_after="7"), "retry", wait=7),
    Row("429 with junk", reply("slow down", 429, retry_after="soon"), "retry"),
    Row("429 as a list", reply([error("Resource exhausted", 429)], 429), "retry"),
    Row("429 within 200", reply(error("Rate limited upstream", 429)), "retry"),
    Row("500 in plain text", reply("Internal Server Error", 500), "retry"),
    Row("500 for a dead upstream", reply(error("Connection error.", "500"), 500), "retry"),
    Row("502 in HTML", reply(HTML, 502), "retry"),
    Row("503 while it loads", reply(error("Loading model", 503), 503, retry_after="3"), "retry", wait=3),
    Row("529", reply(error("overloaded"), 529), "retry"),
    Row("408", reply(error("timeout"), 408), "retry"),
    Row("hangs", Reply(ends="hang"), "retry", seconds=0.5),
    Row("reset before the answer", Reply(ends="reset"), "retry"),
    Row("reset in mid-answer", reply(completion(), ends="reset"), "retry"),
    # Servers that will not
    Row("429 for a day", reply(error("x"), 429, retry_after="86400"), "next link", "model_rate_limited"),
    Row("no quota", reply(error("x", "insufficient_quota", "insufficient_quota"), 429), "next link", "model_no_quota"),
    Row("nothing paid", reply(error("Insufficient Balance"), 402), "next link", "model_no_quota"),
    Row("401 in an object", reply(error("x", "invalid_api_key"), 401), "next link", "model_not_authorised"),
    Row("401 in a word", reply({"error": "Unauthorized"}, 401), "next link", "model_not_authorised"),
    Row("403", reply(error("x"), 403), "next link", "model_not_authorised"),
    Row("wrong key told as 400", reply(error("No connected db.", "400"), 400), "next link", "model_not_authorised"),
    Row("unknown model", reply(error("The model does not exist.", 404), 404), "next link", "model_unknown"),
    Row("unknown path", reply({"detail": "Not Found"}, 404), "next link", "model_unknown"),
    Row(
        "unknown model told as 400",
        reply(error("/chat/completions: Invalid model name passed in model=m", "400"), 400),
        "next link",
        "model_unknown",
    ),
    Row(
        "prompt too long (llama.cpp)",
        reply(error("request exceeds the available context size", 400, "exceed_context_size_error"), 400),
        "next link",
        "model_prompt_too_long",
    ),
    Row(
        "prompt too long (vLLM)",
        reply(error("'max_tokens' is too large: 400. This model's maximum context length is 128 tokens", 400), 400),
        "next link",
        "model_prompt_too_long",
    ),
    Row(
        "prompt too long (llama-cpp-python)",
        reply(error("This model's…", "context_length_exceeded"), 400),
        "next link",
        "model_prompt_too_long",
    ),
    Row("413", reply("", 413), "next link", "model_http_413"),
    Row("filter before", reply(AZURE_FILTER, 400), "next link", "model_content_filter"),
    Row("filter after", answers(SAID[:30], "content_filter"), "next link", "model_content_filter"),
    Row("refusal", answers(None, message={"refusal": "I cannot help with that."}), "next link", "model_refused"),
    Row("redirect", reply("", 307, location="http://127.0.0.1:9/v1"), "next link", "model_redirected"),
    Row("HTML with 200", reply(HTML, content_type="text/html"), "next link", "model_nonsense"),
    Row("nothing with 200", reply(""), "next link", "model_nonsense"),
    Row("half of JSON", reply(json.dumps(completion())[:90]), "next link", "model_nonsense"),
    Row("null", reply("null"), "next link", "model_nonsense"),
    Row("a list with 200", reply([1]), "next link", "model_nonsense"),
    Row("deep", reply("[" * 200_000), "next link", "model_nonsense"),
    Row("bytes that are no text", reply(b'{"choices": "\xff\xfe"}'), "next link", "model_nonsense"),
    Row("garbage said to be gzip", reply(b"garbage", content_encoding="gzip"), "next link", "model_nonsense"),
    Row("compressed unasked", reply(packed(1, completion()), content_encoding="gzip"), "next link", "model_nonsense"),
    Row("compressed in a way nobody knows", reply(b"x", content_encoding="x-new"), "next link", "model_nonsense"),
    Row(
        "an error compressed unasked",
        reply(packed(1, error("x")), 429, content_encoding="gzip", retry_after="7"),
        "retry",
        wait=7,
    ),
    Row("2 MB", answers("x" * 2_000_000), "next link", "model_answer_too_long"),
    Row("2 MB of error", reply("x" * 2_000_000, 500), "retry"),
    Row("empty choices", answers(choices=[]), "next link", "model_nonsense"),
    Row("choices of nothing", answers(choices=[None]), "next link", "model_empty_answer"),
    Row("choice without message", answers(choices=[{}]), "next link", "model_empty_answer"),
    Row("message of nothing", answers(choices=[{"message": None}]), "next link", "model_nonsense"),
    Row("choices by name", answers(choices={"a": 1}), "next link", "model_nonsense"),
    Row("empty content", answers("  "), "next link", "model_empty_answer"),
    Row("error within 200", reply(error("Something broke")), "next link", "model_nonsense"),
    Row("tokens in words", answers(usage={"prompt_tokens": "many"}), "next link", "model_nonsense"),
    Row(
        "tokens without end",
        answers(usage={"prompt_tokens": float("inf")}),
        "next link",
        "model_nonsense",
    ),
]


@contextmanager
def linked(server: ScriptedServer, clock: ManualClock, *, seconds: float = 20.0, **options: Any) -> Iterator[ModelLink]:
    chat = OpenAIServer(compatible(server.url, api_key="key"), lambda: seconds)
    analyser = ModelAnalyser(chat, "m", default_taxonomy(), fence=lambda: "fence", **options)
    try:
        yield ModelLink(analyser, Breaker("m", clock), Deadline(clock, 500), rng=Upper())
    finally:
        chat.close()


def next_step(server: ScriptedServer, clock: ManualClock, answered: Analysis | None) -> str:
    bodies = [request.body for request in server.received]
    if answered is None:
        assert len(bodies) == 1
        return "next link"
    if len(bodies) == 1:
        return "accepted"
    first, second = bodies[0], bodies[-1]
    if clock.waits:
        assert first == second
        return "retry"
    if len(second["messages"]) > len(first["messages"]):
        return "repair"
    return "next form" if first.get("response_format") != second.get("response_format") else "other limits"


@pytest.mark.parametrize("row", ROWS, ids=[row.what for row in ROWS])
def test_every_odd_behaviour_has_its_next_step(row: Row) -> None:
    clock = ManualClock()
    with scripted(*[row.odd] * row.times, GOOD) as server, linked(server, clock, seconds=row.seconds) as link:
        try:
            answered, reason = link.analyse(TEXT), ""
        except AnalysisFailed as failed:
            answered, reason = None, failed.reason
        assert next_step(server, clock, answered) == row.then
        assert reason == row.reason
        if answered is not None:
            assert (answered.category, answered.confidence, answered.model) == ("billing", row.confidence, "served")
            assert len(server.received) == row.times + (row.then != "accepted")
        if row.wait is not None:
            assert clock.waits == [pytest.approx(row.wait)]


def test_what_was_learnt_of_a_server_is_not_tried_again() -> None:
    refuses_schema = next(row.odd for row in ROWS if row.what == "schema refused with 500")
    refuses_limit = next(row.odd for row in ROWS if row.what == "max_tokens refused")
    clock = ManualClock()
    with scripted(refuses_limit, refuses_schema, refuses_schema, GOOD) as server, linked(server, clock) as link:
        for _ in range(3):
            assert link.analyse(TEXT).category == "billing"
    learning, after = server.received[:-2], server.received[-2:]
    assert len(learning) == 4
    for request in after:
        assert request.body["response_format"]["type"] == "json_object"
        assert "max_tokens" not in request.body
        assert request.body["max_completion_tokens"] > 400


def test_what_an_answer_of_no_use_has_cost_is_kept() -> None:
    refusal, filtered = answers(None, message={"refusal": "No."}), answers("x", "content_filter")
    for odd in (refusal, filtered, answers(" "), answers("prose"), answers(choices=[])):
        clock = ManualClock()
        with scripted(odd) as server, linked(server, clock, price=(1.0, 10.0, 0.1)) as link:
            with pytest.raises(AnswerUnusable) as failed:
                link.analyse(TEXT)
            calls = len(server.received)
        assert failed.value.usage == Usage(input=700 * calls, output=60 * calls)
        assert failed.value.cost_usd == pytest.approx(calls * (700 * 1.0 + 60 * 10.0) / 1e6)


def test_thoughts_are_paid_for_also_when_the_server_fails_after_them() -> None:
    clock = ManualClock()
    thoughts = answers("", "length", message={"reasoning_content": "Hm."})
    with (
        scripted(thoughts, reply("", 503)) as server,
        linked(server, clock) as link,
        pytest.raises(AnswerUnusable) as failed,
    ):
        link.analyse(TEXT)
    assert (failed.value.reason, failed.value.usage) == ("model_http_503", Usage(input=700, output=60))


def test_a_redirect_gets_neither_the_ticket_nor_the_key() -> None:
    clock = ManualClock()
    with scripted(GOOD) as other:
        for status in (301, 302, 307, 308):
            away = reply("", status, location=f"{other.url}/chat/completions")
            with scripted(away) as server, linked(server, clock) as link, pytest.raises(AnalysisFailed, match="redir"):
                link.analyse(TEXT)
        assert other.received == []


def test_a_ticket_with_half_a_pair_of_surrogates_is_sent_without_it() -> None:
    with scripted(GOOD) as server:
        chat = OpenAIServer(compatible(server.url), lambda: 5)
        chat.complete("m", [{"role": "user", "content": "half \ud800 and nul \x00"}], None)
        chat.close()
    assert server.received[0].body["messages"][0]["content"] == "half ? and nul \x00"


LONG_HEAD = {"x-filler": "x" * 100}
DRIPPED = {
    "head": replace(GOOD, headers=LONG_HEAD, head_pieces=100),
    "body": replace(GOOD, pieces=100),
    "head of an error": replace(reply(error("x"), 400), headers=LONG_HEAD, head_pieces=100),
    "body of an error": replace(reply(error("x" * 100), 400), pieces=100),
}


@pytest.mark.parametrize("dripped", DRIPPED.values(), ids=DRIPPED.keys())
def test_whatever_drips_in_is_given_up_at_the_timeout_for_the_whole(dripped: Reply) -> None:
    with scripted(GOOD, replace(dripped, pause=0.02)) as server:
        chat = OpenAIServer(compatible(server.url), lambda: 0.25)
        assert chat.complete("m", [{"role": "user", "content": "x"}], None).text == SAID
        with pytest.raises(ModelBusy, match="model_timeout"):
            chat.complete("m", [{"role": "user", "content": "x"}], None)
        assert server.finished == 1
        chat.close()


@pytest.mark.parametrize("status", [200, 400, 500])
@pytest.mark.parametrize("layers", [1, 2])
def test_a_small_answer_that_would_unpack_to_a_large_one_is_never_unpacked(status: int, layers: int) -> None:
    bomb = reply(packed(layers, " " * 40_000_000), status, content_encoding=", ".join(["gzip"] * layers))
    with scripted(GOOD, bomb) as server:
        chat = OpenAIServer(compatible(server.url), lambda: 20)
        chat.complete("m", [{"role": "user", "content": "x"}], None)
        tracemalloc.start()
        try:
            with pytest.raises(AnalysisFailed):
                chat.complete("m", [{"role": "user", "content": "x"}], None)
            _, peak = tracemalloc.get_traced_memory()
        finally:
            tracemalloc.stop()
            chat.close()
    assert peak < 5_000_000
