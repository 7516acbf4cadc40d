"""The helpdesk's own triage beside analysers: the same tickets, the same truth, and said where it is flattered."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from ticket_processor.core.errors import ConfigError
from ticket_processor.core.models import Analysis, Sentiment, Urgency
from ticket_processor.core.taxonomy import default_taxonomy
from ticket_processor.evaluation.data import Example
from ticket_processor.evaluation.rivals import TRIAGE, BakeOff, IntentMap, RivalRow, bake_off, triaged
from ticket_processor.evaluation.runner import TimedAnalysis

TAXONOMY = default_taxonomy()
KINDS = ("billing", "technical", "order", "account")
INTENTS = {
    "billing": "intent__invoice__twice",
    "technical": "intent__app__crash",
    "order": "intent__delivery__late",
    "account": "intent__login__locked",
}


def solved(count: int = 80) -> tuple[Example, ...]:
    """The newest first, as a helpdesk lists them."""
    return tuple(Example(id=str(count - n), subject="x", category=KINDS[n % 4]) for n in range(count))


def tags(examples: tuple[Example, ...], *, level: str = "high") -> list[tuple[str, ...]]:
    return [("shop", INTENTS[str(one.category)], f"intent_confidence__{level}", "language__en") for one in examples]


def answers(examples: tuple[Example, ...], say: Callable[[int], str], **update: object) -> list[TimedAnalysis]:
    one = Analysis(
        category="general",
        urgency=Urgency.LOW,
        sentiment=Sentiment.NEUTRAL,
        language="en",
        summary="",
        confidence=0.5,
        source="rules",
    )
    return [TimedAnalysis(one.model_copy(update={"category": say(row), **update}), 1.0) for row in range(len(examples))]


def row(told: BakeOff, name: str) -> RivalRow:
    return next(item for item in told.rows if item.name == name)


def test_an_intent_and_its_confidence_are_read_off_the_tags() -> None:
    found = triaged(("vip", "intent__billing__refund", "intent_confidence__low", "sentiment__negative"))
    assert found is not None
    assert found.intent == "billing__refund"
    surer = triaged(("intent__billing", "intent_confidence__high"))
    assert surer is not None
    assert surer.confidence > found.confidence
    assert triaged(("intent__a", "intent__b")) is None
    assert triaged(("intent_confidence__high",)) is None


def test_meanings_are_learnt_on_older_tickets_and_all_are_scored_on_newer_ones() -> None:
    examples = solved()
    told = bake_off(examples, tags(examples), {"rules": answers(examples, lambda _row: "billing")}, TAXONOMY, price=25)
    assert row(told, TRIAGE).accuracy == row(told, TRIAGE).coverage == 1
    assert row(told, TRIAGE).price == 25
    assert [item.count for item in told.rows] == [40, 40]
    assert row(told, "rules").accuracy == row(told, "rules").precision == 0.25
    assert "older 40 tickets" in told.remarks[0]


def test_what_an_intent_never_meant_before_is_no_answer() -> None:
    examples = solved()
    marks = [("intent__brand_new",) if row < 20 else kept for row, kept in enumerate(tags(examples))]
    told = row(bake_off(examples, marks, {}, TAXONOMY), TRIAGE)
    assert (told.coverage, told.accuracy, told.precision) == (0.5, 0.5, 1)
    assert told.surest_half == 1


def test_an_unknown_intent_takes_its_parents_meaning() -> None:
    learnt = IntentMap.learnt(
        [("billing__refund", "refund"), ("billing__charge", "billing"), ("billing__tax", "billing")]
    )
    assert learnt.category("billing__refund__partly") == "refund"
    assert learnt.category("billing__dispute") == "billing"
    assert learnt.category("shipping") is None


def test_with_a_file_of_meanings_every_ticket_is_scored(tmp_path: Path) -> None:
    path = tmp_path / "intents.toml"
    path.write_text('invoice = "billing"\nintent__app = "technical"\n', encoding="utf-8")
    examples = solved()
    told = bake_off(examples, tags(examples), {}, TAXONOMY, intents=IntentMap.read(path, TAXONOMY))
    assert row(told, TRIAGE).count == 80
    assert row(told, TRIAGE).coverage == 0.5
    assert row(told, TRIAGE).precision == 1


@pytest.mark.parametrize("text", ['billing = "no_such_category"', "billing", ""])
def test_a_file_of_meanings_that_means_nothing_is_refused(tmp_path: Path, text: str) -> None:
    path = tmp_path / "intents.toml"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(ConfigError, match="--intents"):
        IntentMap.read(path, TAXONOMY)
    with pytest.raises(ConfigError, match="cannot be read"):
        IntentMap.read(tmp_path / "missing.toml", TAXONOMY)


def test_prices_are_what_answers_cost_nothing_for_rules_and_unknown_without_a_price() -> None:
    examples = solved()
    told = bake_off(
        examples,
        tags(examples),
        {
            "rules": answers(examples, lambda _row: "billing"),
            "priced": answers(examples, lambda _row: "billing", attempts=1, cost_usd=0.002),
            "unpriced": answers(examples, lambda _row: "billing", attempts=1),
        },
        TAXONOMY,
    )
    assert [item.price for item in told.rows] == [None, 0.0, pytest.approx(2.0), None]


def test_without_a_rival_everything_else_is_compared_on_all_tickets() -> None:
    examples = solved()
    told = bake_off(examples, [()] * 80, {"rules": answers(examples, lambda row: KINDS[row % 4])}, TAXONOMY)
    assert [(item.name, item.count, item.accuracy) for item in told.rows] == [("rules", 80, 1)]
    assert "No ticket" in told.remarks[0]
