"""An answer that came by a batch is understood as one that came directly, and costs half."""

from __future__ import annotations

import io
import json
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import orjson
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ticket_processor.analysis import ModelLink, Understanding
from ticket_processor.answer_store import AnswerStore
from ticket_processor.batch_answers import BatchModel, FromBatch, places
from ticket_processor.breaker import Breaker
from ticket_processor.chat_server import AnswerUnusable, OpenAIServer, RawAnswer, read_answer
from ticket_processor.clock import Deadline
from ticket_processor.errors import AnalysisFailed
from ticket_processor.llm import ModelAnalyser
from ticket_processor.models import Analysis, RedactionLevel, Usage
from ticket_processor.presets import ModelTarget
from ticket_processor.redact import redact
from ticket_processor.rules import RulesAnalyser
from ticket_processor.taxonomy import default_taxonomy

from .fakes import ManualClock, a_ticket

TEXT = redact("Charged twice\nPlease help, I was charged twice. My card is 4111 1111 1111 1111.")
LABELS: dict[str, Any] = {
    "summary": "Charged twice.",
    "evidence": ["charged twice"],
    "category": "billing",
    "secondary": [],
    "urgency": "high",
    "urgent_tone": False,
    "sentiment": "negative",
    "risk": "low",
    "language": "en",
    "confidence": 0.9,
}
PRICE = (100.0, 200.0, 10.0)
FENCE = "0123456789ab"


class Saying:
    """A server that says this, and keeps what it was asked."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.asked: list[tuple[object, object]] = []

    def complete(
        self, model: str, messages: Sequence[Mapping[str, str]], response_format: Mapping[str, object] | None
    ) -> RawAnswer:
        self.asked.append((list(messages), response_format))
        return RawAnswer(self.text, Usage(input=400, output=80, cached=100), model)


def analyser(server: Any) -> ModelAnalyser:
    return ModelAnalyser(server, "m-1", default_taxonomy(), price=PRICE, fence=lambda: FENCE)


def body(text: str, **message: Any) -> bytes:
    usage = {"prompt_tokens": 400, "completion_tokens": 80, "prompt_tokens_details": {"cached_tokens": 100}}
    choice = {"index": 0, "message": {"role": "assistant", "content": text, **message}, "finish_reason": "stop"}
    return orjson.dumps({"model": "m-1", "choices": [choice], "usage": usage})


def model(level: RedactionLevel = RedactionLevel.STANDARD, store: AnswerStore | None = None) -> BatchModel:
    clock = ManualClock()
    target = ModelTarget("m", "m-1", "compatible", "http://127.0.0.1/v1", None, price=PRICE, redaction=level)
    asked = analyser(Saying(""))
    link = ModelLink(asked, Breaker("m", clock), Deadline(clock, 1e6), name="m", level=level, store=store)
    server = OpenAIServer(timeout_s=lambda: 1.0, max_output_tokens=400, target=target)
    return BatchModel(target, server, asked, link, None)  # type: ignore[arg-type]


def test_what_is_prepared_is_what_would_be_asked() -> None:
    server = Saying(json.dumps(LABELS))
    asking = analyser(server)
    messages, form = asking.request(TEXT, FENCE)
    asking.analyse(TEXT)
    assert server.asked == [(messages, form)]
    ready = OpenAIServer(timeout_s=lambda: 1.0, max_output_tokens=400).body("m-1", messages, form)
    assert ready == {
        "model": "m-1",
        "messages": messages,
        "response_format": form,
        "max_tokens": 400,
        "temperature": 0,
    }


ODD = st.sampled_from(["billing", "BILLING", "world peace", "", None, 7, ["billing"], 0.5, 2, "high", "negative", "en"])


@given(st.dictionaries(st.sampled_from(sorted(LABELS)), ODD, max_size=3), st.sampled_from(["", "Sure! ", "```json\n"]))
@settings(max_examples=150, deadline=None)
def test_a_batch_s_answer_goes_through_the_same_gate_as_a_direct_one(changes: dict[str, Any], before: str) -> None:
    text = before + json.dumps({**LABELS, **changes})
    by_batch = came_to(lambda: FromBatch(model(), body(text), FENCE).analyse(TEXT))
    directly = came_to(lambda: analyser(Saying(text)).analyse(TEXT))
    if isinstance(directly, AnalysisFailed):
        assert isinstance(by_batch, AnswerUnusable)
        assert by_batch.reason == directly.reason
        assert by_batch.usage == Usage(input=400, output=80, cached=100)
        assert by_batch.cost_usd == pytest.approx(0.0235)
    else:
        assert isinstance(by_batch, Analysis)
        assert by_batch.cost_usd == pytest.approx((directly.cost_usd or 0.0) / 2)
        assert by_batch.model_copy(update={"cost_usd": directly.cost_usd}) == directly


def came_to(ask: Callable[[], Analysis]) -> Analysis | AnalysisFailed:
    try:
        return ask()
    except AnalysisFailed as failed:
        return failed


@pytest.mark.parametrize(
    ("answer", "reason"),
    [
        (body("", refusal="I cannot help."), "model_refused"),
        (body(""), "model_empty_answer"),
        (b"{}", "model_nonsense"),
        (b"[]", "model_nonsense"),
        (b'{"error": {"message": "no", "code": 500}}', "model_http_500"),
        (body("I would say billing."), "answer_not_json"),
        (body(TEXT.text), "answer_not_json"),
    ],
)
def test_what_is_no_answer_fails_there_as_it_does_directly(answer: bytes, reason: str) -> None:
    with pytest.raises(AnalysisFailed) as failed:
        FromBatch(model(), answer, FENCE).analyse(TEXT)
    assert failed.value.reason == reason


def test_a_refusal_costs_half_as_well() -> None:
    with pytest.raises(AnswerUnusable) as refused:
        FromBatch(model(), body("", refusal="no"), FENCE).analyse(TEXT)
    assert refused.value.cost_usd == pytest.approx(0.0235)


def test_an_answer_is_kept_for_the_same_text() -> None:
    chosen = model(store=AnswerStore(None, ManualClock()))
    assert chosen.link.known(TEXT) is None
    FromBatch(chosen, body(json.dumps(LABELS)), FENCE).analyse(TEXT)
    known = chosen.link.known(TEXT)
    assert known is not None
    assert (known.category, known.cached, known.cost_usd) == ("billing", True, 0.0)


def test_of_a_model_that_sees_more_only_what_others_may_see_gets_out() -> None:
    ticket = a_ticket(subject="Login", description="I cannot log in with jane.doe@example.com, please help.")
    told = {**LABELS, "summary": "jane.doe@example.com cannot log in.", "evidence": ["jane.doe@example.com"]}
    first = FromBatch(model(RedactionLevel.SECRETS), body(json.dumps(told)), FENCE)
    analysis = Understanding((), RulesAnalyser(default_taxonomy()))(ticket, first=first)
    assert analysis.source == "model"
    assert "jane" not in analysis.model_dump_json()


def test_the_fence_in_an_answer_is_taken_out_of_it() -> None:
    text = json.dumps({**LABELS, "summary": f"{FENCE} charged twice"})
    assert FENCE not in FromBatch(model(), body(text), FENCE).analyse(TEXT).summary


def test_places_are_those_of_answers_and_of_nothing_else() -> None:
    good = orjson.dumps({"custom_id": "7", "response": {"status_code": 200, "body": {"ok": "ä\u2028"}}})
    lines = [
        b"no json",
        orjson.dumps({"custom_id": "1", "response": {"status_code": 500, "body": {}}}),
        orjson.dumps({"custom_id": "2", "response": None, "error": {"code": "batch_expired"}}),
        orjson.dumps({"custom_id": "x", "response": {"status_code": 200, "body": {}}}),
        b"[]",
        good,
        orjson.dumps({"custom_id": "8", "response": {"status_code": 200, "body": "text"}}),
    ]
    file = io.BytesIO(b"\n".join(lines))
    found = places(file)
    assert list(found) == [7]
    at, length = found[7]
    assert orjson.loads(file.getvalue()[at : at + length]) == orjson.loads(good)


def test_reading_an_answer_names_the_model_that_was_asked_where_the_server_does_not() -> None:
    raw = read_answer(b'{"choices": [{"message": {"content": "hi"}}]}', asked="m-1")
    assert (raw.model, raw.text) == ("m-1", "hi")
