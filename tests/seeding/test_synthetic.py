"""Tickets that a scripted model writes: what passes the check, what is asked for again, and how it ends."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import pytest

from ticket_processor.analysis.budget import Budget
from ticket_processor.analysis.cache import AnswerStore
from ticket_processor.analysis.model_server.chat import RawAnswer
from ticket_processor.analysis.model_server.connection import AnswerUnusable, ModelBusy
from ticket_processor.analysis.model_server.settings import BudgetSettings, ModelSettings, resolve
from ticket_processor.core.clock import Deadline
from ticket_processor.core.errors import AnalysisFailed, CannotRun
from ticket_processor.core.models import Usage
from ticket_processor.core.taxonomy import default_taxonomy
from ticket_processor.seeding.synthetic import ROUNDS, TicketWriter, wishes

from ..support.fakes import ManualClock

GOOD = "I was charged twice for my subscription this month, please refund one of the two payments. Case {}."
GERMAN = "Mir wurde diesen Monat zweimal die Rechnung abgebucht, bitte erstatten Sie mir eine der Zahlungen. Fall {}."
OTHER_LABEL = "The app crashes with an error on every login since the update, nobody can work. Case {}."


class Model:
    """Answers each line with ``text``; a step is an exception to raise, or another text, used up one a request."""

    def __init__(self, text: str = GOOD, *steps: str | Exception) -> None:
        self.text = text
        self.steps = list(steps)
        self.asked = 0

    def complete(
        self,
        model: str,
        messages: Sequence[Mapping[str, str]],
        response_format: Mapping[str, object] | None,
        allowance: object = None,
    ) -> RawAnswer:
        step = self.steps.pop(0) if self.steps else self.text
        if isinstance(step, Exception):
            raise step
        lines = messages[-1]["content"].splitlines()
        tickets = []
        for place, _ in enumerate(lines, start=1):
            self.asked += 1
            tickets.append({"n": place, "subject": "About my account", "body": step.format(self.asked)})
        return RawAnswer(f"Here you are: {json.dumps({'tickets': tickets})}", Usage(input=7, output=3), "served")


@pytest.fixture
def executor() -> Iterator[ThreadPoolExecutor]:
    with ThreadPoolExecutor(1) as pool:
        yield pool


def writer(model: Model, executor: ThreadPoolExecutor) -> TicketWriter:
    clock = ManualClock()
    target = replace(resolve(ModelSettings(names=("m",)), "m"), price=(1.0, 10.0, 0.5))
    budget = Budget(BudgetSettings(), AnswerStore(None, clock))
    return TicketWriter(model, target, default_taxonomy(), budget, Deadline(clock, 3600.0), clock, executor)


BILLING = wishes(["billing"], ["en"], 6, 0)


def test_wishes_share_the_combinations_evenly_and_are_the_same_for_the_same_seed() -> None:
    wanted = wishes(["billing", "order"], ["en", "de"], 24, 3)
    assert set(Counter((wish.category, wish.language, wish.mood) for wish in wanted).values()) == {2}
    assert len({wish.line(1) for wish in wanted}) == 24
    assert wanted == wishes(["billing", "order"], ["en", "de"], 24, 3)
    assert wanted != wishes(["billing", "order"], ["en", "de"], 24, 4)


def test_good_tickets_are_taken_with_their_labels_and_what_they_cost(executor: ThreadPoolExecutor) -> None:
    model = Model()
    writing = writer(model, executor)
    tickets = list(writing.tickets(BILLING))
    assert len({ticket.id for ticket in tickets}) == writing.written == 6
    assert {(ticket.labels.category, ticket.labels.language) for ticket in tickets} == {("billing", "en")}
    assert (writing.usage, writing.stopped) == (Usage(input=14, output=6), "")
    assert writing.cost_usd == pytest.approx(14e-6 + 60e-6)


@pytest.mark.parametrize("bad", [GERMAN, OTHER_LABEL, "", "The same text of every ticket about my invoice."])
def test_another_language_or_label_no_text_and_the_same_text_are_asked_for_again(
    bad: str, executor: ThreadPoolExecutor
) -> None:
    model = Model(GOOD, bad, bad)
    writing = writer(model, executor)
    tickets = list(writing.tickets(BILLING))
    assert writing.written == len(tickets) == 6
    assert model.asked >= 6 + 5
    assert not any(GERMAN[:20] in ticket.text or OTHER_LABEL[:20] in ticket.text for ticket in tickets)


def test_a_ticket_that_never_passes_is_missing_after_some_rounds(executor: ThreadPoolExecutor) -> None:
    model = Model(GERMAN)
    writing = writer(model, executor)
    assert list(writing.tickets(BILLING)) == []
    assert model.asked == ROUNDS * 6


def test_a_useless_answer_is_paid_for_and_asked_for_again(executor: ThreadPoolExecutor) -> None:
    spent = Usage(input=5, output=5)
    writing = writer(Model(GOOD, AnswerUnusable("model_answers_useless", usage=spent)), executor)
    assert len(list(writing.tickets(BILLING[:2]))) == 2
    assert writing.usage == spent + Usage(input=7, output=3)


def test_a_busy_server_is_asked_again_and_one_that_stays_busy_ends_it(executor: ThreadPoolExecutor) -> None:
    assert len(list(writer(Model(GOOD, ModelBusy("model_http_503")), executor).tickets(BILLING[:2]))) == 2
    with pytest.raises(CannotRun, match="does not answer: model_http_503"):
        list(writer(Model(GOOD, *[ModelBusy("model_http_503")] * 3), executor).tickets(BILLING))
    with pytest.raises(CannotRun, match="cannot be used: model_unknown"):
        list(writer(Model(GOOD, AnalysisFailed("model_unknown")), executor).tickets(BILLING))
