from __future__ import annotations

import random
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor

import pytest

from ticket_processor.analysis.budget import PATIENCE_S, Allowance, Budget, Full, Hold, Question
from ticket_processor.analysis.cache import AnswerStore
from ticket_processor.analysis.chain import ModelLink, Understanding
from ticket_processor.analysis.model_server.chat import RawAnswer
from ticket_processor.analysis.model_server.prompt import estimate_tokens
from ticket_processor.analysis.model_server.settings import BudgetSettings
from ticket_processor.analysis.rules.analyser import RulesAnalyser
from ticket_processor.analysis.text.redact import redact
from ticket_processor.core.clock import Deadline, SystemClock
from ticket_processor.core.errors import AnalysisFailed
from ticket_processor.core.guards import Breaker
from ticket_processor.core.models import Analysis, Usage
from ticket_processor.core.taxonomy import default_taxonomy
from ticket_processor.llm import ModelAnalyser

from ..support.fakes import ManualClock, a_ticket

TAXONOMY = default_taxonomy()
RULES = RulesAnalyser(TAXONOMY)
PRICE = (0.25, 2.0, 0.025)
GOOD = (
    '{"category": "billing", "urgency": "low", "sentiment": "neutral", "language": "en", "summary": "-", '
    '"confidence": 0.9}'
)


class Server:
    """Answers with as many tokens as the dice say, and no more than it is told; a part of the answers is of no use."""

    def __init__(self, seed: int = 1, *, bad: float = 0.0, seconds: float = 0.0, most: int = 160) -> None:
        self._dice = random.Random(seed)
        self._lock = threading.Lock()
        self._bad = bad
        self._seconds = seconds
        self._most = most
        self.calls = 0
        self.spent = 0.0

    def complete(
        self, model: str, messages: Sequence[Mapping[str, str]], _form: object, allowance: Allowance | None = None
    ) -> RawAnswer:
        most = 400 if allowance is None or allowance.output_tokens is None else allowance.output_tokens
        time.sleep(self._seconds)
        with self._lock:
            self.calls += 1
            wanted = self._dice.randint(40, self._most)
            text = "I would rather not." if self._dice.random() < self._bad else GOOD
            asked = int(0.8 * sum(estimate_tokens(message["content"]) for message in messages))
            usage = Usage(input=asked, output=min(wanted, most))
            self.spent += (usage.input * PRICE[0] + usage.output * PRICE[1]) / 1e6
        return RawAnswer(text if wanted <= most else text[:20], usage, model, finished=wanted <= most)


class Desk:
    """One model with a budget, for real threads: those that wait for each other need time that passes."""

    def __init__(self, limits: BudgetSettings, server: Server, *, seconds: float = 60.0) -> None:
        clock = SystemClock()
        self.clock = clock
        self.server = server
        self.budget = Budget(limits, AnswerStore(None, ManualClock()))
        self.analyser = ModelAnalyser(server, "m", TAXONOMY, price=PRICE)
        self.breaker = Breaker("m", clock, proven=False)
        link = ModelLink(self.analyser, self.breaker, Deadline(clock, seconds), budget=self.budget)
        self._understand = Understanding([link], RULES)

    def run(self, tickets: int, workers: int) -> list[Analysis]:
        made = [a_ticket(n, subject=f"Order {n}", description=f"Where is order {n}? " * 3) for n in range(tickets)]
        with ThreadPoolExecutor(workers) as pool:
            return list(pool.map(self._understand, made))


def cost_of_one() -> float:
    desk = Desk(BudgetSettings(), Server())
    desk.run(20, 1)
    return desk.server.spent / 20


ONE = cost_of_one()


@pytest.mark.parametrize("workers", [1, 2, 8, 50, 200])
@pytest.mark.parametrize("bad", [0.0, 0.3])
def test_with_any_workers_spending_ends_between_90_and_100_percent_of_the_limit(workers: int, bad: float) -> None:
    limit = 40 * ONE
    shares = []
    for _ in range(3):  # a machine that holds threads up may keep the last answers from being asked for
        desk = Desk(BudgetSettings(run_usd=limit), Server(workers, bad=bad, seconds=0.001))
        answers = desk.run(150, workers)
        assert desk.server.spent <= limit
        assert desk.budget.spent == pytest.approx(desk.server.spent)
        assert {answer.why_fallback for answer in answers if answer.source == "rules"} <= {
            "budget_of_run_spent",
            "answer_not_json",
            "answer_cut_off",
        }
        shares.append(desk.server.spent / limit)
        if shares[-1] >= 0.9:
            break
    assert max(shares) >= 0.9


def question(tokens: int, output: int = 0) -> Question:
    """One that costs a dollar a token."""
    return Question(tokens, output, (1e6, 1e6, 1e6))


def filled(clock: ManualClock) -> tuple[Budget, Hold]:
    """A budget of ten, nine of which another call holds."""
    budget = Budget(BudgetSettings(run_usd=10), AnswerStore(None, clock))
    held = budget.set_aside("m", question(9))
    assert isinstance(held, Hold)
    return budget, held


def test_what_does_not_fit_now_waits_and_what_will_never_fit_does_not() -> None:
    budget, held = filled(ManualClock())
    now, never = budget.set_aside("m", question(5)), budget.set_aside("m", question(11))
    assert isinstance(now, Full)
    assert isinstance(never, Full)
    assert (now.for_now, never.for_now) == (True, False)
    budget.settle(held, Usage(input=4), 4.0)
    assert isinstance(budget.set_aside("m", question(5)), Hold)


def waiting(clock: ManualClock, seconds: float = 540.0) -> Callable[[], Analysis]:
    """A ticket that has to wait for the money of a call that never ends."""
    budget, _ = filled(clock)

    class Model:
        def question(self, _text: object) -> Question:
            return question(5)

        def analyse(self, _text: object, _allowance: object = None) -> Analysis:
            raise AssertionError("asked without money")

    link = ModelLink(Model(), Breaker("m", clock, proven=False), Deadline(clock, seconds), budget=budget)  # type: ignore[arg-type]
    return lambda: link.analyse(redact("Charged twice"))


def test_nobody_waits_for_ever_for_the_money_of_a_call_that_hangs() -> None:
    clock = ManualClock()
    ask = waiting(clock)
    with pytest.raises(AnalysisFailed, match="budget_of_run_spent"):
        ask()
    assert sum(clock.waits) <= PATIENCE_S + 1
    before = len(clock.waits)
    with pytest.raises(AnalysisFailed, match="budget_of_run_spent"):
        ask()
    assert len(clock.waits) == before  # a call of that age is not waited for again


def test_a_second_request_needs_money_of_its_own() -> None:
    desk = Desk(BudgetSettings(run_usd=60 * ONE), Server(bad=1.0))
    answers = desk.run(10, 1)
    assert desk.server.calls == 20
    assert sum(answer.cost_usd or 0.0 for answer in answers) == pytest.approx(desk.server.spent)
    assert desk.budget.spent == pytest.approx(desk.server.spent)


def test_a_vocabulary_that_takes_more_tokens_than_estimated_is_learnt_for_the_next_request() -> None:
    budget = Budget(BudgetSettings(run_usd=1000), AnswerStore(None, ManualClock()))
    for _ in range(2):
        held = budget.set_aside("m", question(100))
        assert isinstance(held, Hold)
        budget.settle(held, Usage(input=150), 150.0)
    assert held.question.input == 150
    later = budget.set_aside("m", question(400))
    assert isinstance(later, Hold)
    assert later.question.input == 600
    assert isinstance(budget.set_aside("m", question(100)), Full)
