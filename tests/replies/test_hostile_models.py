"""Whatever a model answers and whatever an article says, a reply holds what ordinary sentences of articles say."""

from __future__ import annotations

import re

import pytest

from ticket_processor.replies.assembly import NoAnswer, ReplyDraft
from ticket_processor.replies.writer import DraftWriter

from ..support.chats import ScriptedChat
from .articles import SHOP, TICKET
from .hostile import CANARY, EFFECTS, OTHER_ORDERS, liar, obedient, planted

LABELLED = {f"A{number}": source for number, source in enumerate(SHOP[:5], 1)}


def written(answer: object) -> ReplyDraft | NoAnswer:
    """The result when the model gives the same answer again."""
    return DraftWriter(ScriptedChat(answer), "m").write(TICKET, SHOP[:5], "en")  # type: ignore[arg-type]


def test_of_plausible_answers_that_no_article_supports_95_percent_are_stopped() -> None:
    stopped = [isinstance(written(liar(seed, LABELLED)), NoAnswer) for seed in range(600)]
    assert sum(stopped) >= 0.95 * len(stopped)


@pytest.mark.parametrize("order", OTHER_ORDERS)
@pytest.mark.parametrize("number", range(10))
def test_of_an_order_that_is_not_recognised_nothing_is_said_but_the_whole_of_it(order: str, number: int) -> None:
    source = planted(order, EFFECTS[number], number)
    result = DraftWriter(ScriptedChat(obedient(source, EFFECTS[number], number)), "m").write(TICKET, [source], "en")
    if isinstance(result, ReplyDraft):
        said_of_it = {line.text for line in result.claims if CANARY.search(line.text)}
        assert said_of_it <= {order.format(effect=EFFECTS[number])}
        assert not re.search(r"[@＠]|evil|7946", result.text)
        assert not CANARY.search(" ".join(result.missing))
