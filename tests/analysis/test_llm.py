from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

import pytest

from ticket_processor.analysis.model_server.chat import RawAnswer
from ticket_processor.analysis.model_server.connection import AnswerUnusable, ModelBusy
from ticket_processor.analysis.model_server.prompt import answer_schema, estimate_tokens, in_words, instructions
from ticket_processor.analysis.rules.analyser import RulesAnalyser
from ticket_processor.analysis.text.redact import redact
from ticket_processor.core.errors import AnalysisFailed
from ticket_processor.core.models import Risk, Urgency, Usage
from ticket_processor.core.taxonomy import Category, Taxonomy, default_taxonomy
from ticket_processor.llm import ModelAnalyser
from ticket_processor.policy.decide import Policy, decide

from ..support.chats import Answer, ScriptedChat

GOOD: dict[str, Any] = {
    "category": "billing",
    "urgency": "high",
    "sentiment": "negative",
    "language": "en",
    "summary": "Charged twice.",
    "confidence": 0.9,
}
TEXT = redact("Charged twice\nPlease help.")
SCHEMA = answer_schema(default_taxonomy())


def said(**fields: Any) -> str:
    return json.dumps({**GOOD, **fields})


def script(*steps: Answer, refuses: Sequence[str] = ()) -> ScriptedChat:
    return ScriptedChat(*steps, refuses=refuses, model="served-model", usage=Usage(input=100, output=10, cached=40))


def analyser(server: ScriptedChat, **options: Any) -> ModelAnalyser:
    return ModelAnalyser(server, "asked-model", default_taxonomy(), **options)


# What a server quotes


@pytest.mark.parametrize(
    "quote",
    [
        "I was charged twice, please refund",
        'I WAS   charged\\ntwice: "please refund',
        "\u0049 was charged twice please refund",
        "请尽快退款谢谢",
    ],
)
def test_a_servers_sentence_does_not_hold_the_ticket_that_it_quotes(quote: str) -> None:
    text = redact("Charged twice\nI was charged twice, please refund. 您好请尽快退款谢谢")
    server = script(AnalysisFailed("model_http_400", f"cannot read '{quote}' of model b"))
    with pytest.raises(AnalysisFailed) as error:
        analyser(server).analyse(text)
    assert error.value.detail == "cannot read '[…]' of model b"


# One answer


def test_the_name_that_the_server_gave_is_recorded_in_plain_text() -> None:
    assert analyser(script(said())).analyse(TEXT).model == "served-model"
    odd = RawAnswer(said(), Usage(), "<b>m</b>\nINJECTED {{x}}" + "y" * 200)
    name = analyser(script(odd)).analyse(TEXT).model or ""
    assert not set("<>\n{}") & set(name)
    assert len(name) <= 80


# Floors


@pytest.mark.parametrize(
    ("category", "said_urgency", "urgency"),
    [
        ("outage", "low", Urgency.HIGH),
        ("site", "medium", Urgency.HIGH),
        ("outage", "critical", Urgency.CRITICAL),
        ("other", "low", Urgency.LOW),
    ],
)
def test_a_categorys_floor_holds_for_models_too_and_for_answers_that_were_kept(
    category: str, said_urgency: str, urgency: Urgency
) -> None:
    taxonomy = Taxonomy(
        categories=(
            Category(name="outage", description="Down.", priority_floor=Urgency.HIGH),
            Category(name="site", parent="outage", description="The site is down."),
            Category(name="other", description="The rest."),
        ),
        fallback="other",
    )
    link = ModelAnalyser(script(said(category=category, urgency=said_urgency)), "m", taxonomy)
    answer = link.analyse(TEXT)
    assert answer.urgency is urgency
    if urgency is Urgency.HIGH:
        assert link.hold(answer.model_copy(update={"urgency": Urgency.LOW}), TEXT) == answer


@pytest.mark.parametrize(
    ("words", "said_urgency", "said_risk", "urgency", "risk"),
    [
        ("Our account was hacked.", "low", "low", Urgency.HIGH, Risk.HIGH),
        ("Our account was hacked.", "critical", "high", Urgency.CRITICAL, Risk.HIGH),
        ("We will cancel our subscription.", "low", "low", Urgency.LOW, Risk.MEDIUM),
        ("We will cancel our subscription.", "low", "high", Urgency.LOW, Risk.HIGH),
        ("Please help.", "low", "medium", Urgency.LOW, Risk.MEDIUM),
    ],
)
def test_no_model_goes_below_what_the_tickets_own_words_ask_for(
    words: str, said_urgency: str, said_risk: str, urgency: Urgency, risk: Risk
) -> None:
    rules = RulesAnalyser(default_taxonomy())
    text = redact(f"A question\n{words}")
    analysis = analyser(script(said(urgency=said_urgency, risk=said_risk)), rules=rules).analyse(text)
    assert (analysis.urgency, analysis.risk) == (urgency, risk)
    assert analysis.alarms == rules.stakes(text).alarms


def test_a_legal_threat_is_always_passed_on() -> None:
    rules = RulesAnalyser(default_taxonomy())
    text = redact("I will take legal action, my lawyer will sue you.")
    server = script(said(risk="low", urgency="low"))
    analysis = analyser(server, rules=rules).analyse(text)
    assert "ai_escalated" in decide(1, analysis, Policy()).tags


# The second try


def test_an_answer_that_does_not_fit_is_sent_back_once_with_the_schema_in_words() -> None:
    server = script("nonsense " * 1000, said())
    analysis = analyser(server).analyse(TEXT)
    assert (analysis.category, analysis.attempts, len(server.asked)) == ("billing", 2, 2)
    assert analysis.usage == Usage(input=200, output=20, cached=80)
    first, second = (messages for messages in server.asked)
    assert second[: len(first)] == first
    assert [message["role"] for message in second[len(first) :]] == ["assistant", "user"]
    assert "cannot be used (answer_not_json)" in second[-1]["content"]
    assert in_words(SCHEMA) in second[-1]["content"]
    assert len(second[-2]["content"]) <= 2000


def test_two_answers_of_no_use_are_the_end_for_this_model_and_have_to_be_paid_for() -> None:
    server = script("nonsense", said(category="pizza"))
    with pytest.raises(AnswerUnusable) as error:
        analyser(server, price=(1.0, 10.0, 0.1)).analyse(TEXT)
    assert str(error.value) == "answer_off_schema: category"
    assert error.value.usage == Usage(input=200, output=20, cached=80)
    assert error.value.cost_usd == pytest.approx((120 * 1.0 + 80 * 0.1 + 20 * 10.0) / 1e6)
    assert len(server.asked) == 2


@pytest.mark.parametrize(
    "failure", [ModelBusy("model_timeout"), AnalysisFailed("model_timeout"), AnswerUnusable("model_timeout")]
)
def test_a_server_that_fails_at_the_repair_does_not_make_the_first_answer_free(failure: AnalysisFailed) -> None:
    with pytest.raises(AnswerUnusable) as error:
        analyser(script("nonsense", failure), price=(1.0, 1.0, 1.0)).analyse(TEXT)
    assert (error.value.reason, error.value.usage) == ("model_timeout", Usage(input=100, output=10, cached=40))
    assert error.value.cost_usd == pytest.approx(110 / 1e6)


# Cost


def test_cost_is_counted_from_tokens_with_the_cached_ones_at_their_price() -> None:
    analysis = analyser(script(said()), price=(1.0, 10.0, 0.1)).analyse(TEXT)
    assert analysis.cost_usd == pytest.approx((60 * 1.0 + 40 * 0.1 + 10 * 10.0) / 1e6)
    assert analyser(script(said())).analyse(TEXT).cost_usd is None


def test_a_question_covers_what_is_sent_and_the_answer_to_it() -> None:
    server = script(said())
    link = analyser(server, max_output_tokens=100)
    question = link.question(TEXT)
    link.analyse(TEXT)
    sent = sum(estimate_tokens(message["content"]) for messages in server.asked for message in messages)
    assert sent <= question.input <= 2 * sent
    assert question.output == 100


# The prompt


def test_every_ticket_gets_a_fence_of_its_own_and_the_same_fixed_part() -> None:
    server = script(said())
    link = analyser(server)
    for _ in range(5):
        link.analyse(TEXT)
    assert len({messages[1]["content"].split("\n")[0] for messages in server.asked}) == 5
    assert {messages[0]["content"] for messages in server.asked} == {instructions(default_taxonomy())}


def test_a_models_fingerprint_changes_with_everything_that_is_asked() -> None:
    first, *others = default_taxonomy().categories
    raised = Taxonomy(categories=(first.model_copy(update={"priority_floor": Urgency.CRITICAL}), *others))
    links = [
        analyser(script(said())),
        analyser(script(said()), ticket_tokens=100),
        analyser(script(said()), team_language="de"),
        analyser(script(said()), entities={"order": "its number"}),
        analyser(script(said()), entities={"order": "something else"}),
        analyser(script(said()), advice=True),
        ModelAnalyser(script(said()), "asked-model", raised),
    ]
    assert len({link.fingerprint for link in links}) == len(links)
    assert links[0].fingerprint == analyser(script(said())).fingerprint
