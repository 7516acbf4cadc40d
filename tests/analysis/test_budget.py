from __future__ import annotations

from pathlib import Path

import pytest

from ticket_processor.analysis.budget import DAY_SPENT, RUN_SPENT, Budget, Full, Hold, Question
from ticket_processor.analysis.cache import DAY_S, FILE_NAME, AnswerStore
from ticket_processor.analysis.model_server.settings import BudgetSettings
from ticket_processor.core.models import Usage

from ..support.fakes import ManualClock


def a_store(clock: ManualClock | None = None) -> AnswerStore:
    return AnswerStore(None, clock or ManualClock())


def reserve(budget: Budget, tokens: int, usd: float) -> Hold | str:
    """Money for so many tokens that cost so much, or why there is none."""
    held = budget.set_aside("m", Question(tokens, 0, (usd / tokens * 1e6, 0.0, 0.0)))
    return held.reason if isinstance(held, Full) else held


def spend(budget: Budget, tokens: int, usd: float) -> str | None:
    hold = reserve(budget, tokens, usd)
    if isinstance(hold, str):
        return hold
    budget.settle(hold, Usage(input=tokens), usd)
    return None


@pytest.mark.parametrize(
    ("limits", "whys"),
    [
        (BudgetSettings(), [None] * 4),
        (BudgetSettings(run_usd=0.25), [None, None, RUN_SPENT, RUN_SPENT]),
        (BudgetSettings(day_usd=0.25), [None, None, DAY_SPENT, DAY_SPENT]),
        (BudgetSettings(run_usd=0.0), [RUN_SPENT] * 4),
    ],
)
def test_the_call_that_could_pass_a_limit_is_not_made_and_the_others_are_counted(
    limits: BudgetSettings, whys: list[str | None]
) -> None:
    store = a_store()
    budget = Budget(limits, store)
    assert [spend(budget, 1000, 0.1) for _ in range(4)] == whys
    made = whys.count(None)
    assert budget.spent == store.spent_today() == pytest.approx(0.1 * made)
    assert spend(budget, 1000, 0.0) is None, "what costs nothing is allowed"
    assert isinstance(budget.set_aside("m", Question(1000, 100)), Hold), "what it costs is not known"


def test_the_days_limit_holds_over_runs_and_ends_with_the_day() -> None:
    clock = ManualClock()
    store, limits = a_store(clock), BudgetSettings(day_usd=0.5)
    assert spend(Budget(limits, store), 10, 0.4) is None
    assert spend(Budget(limits, store), 10, 0.4) == DAY_SPENT
    clock.advance(DAY_S)
    assert spend(Budget(limits, store), 10, 0.4) is None


def test_an_answer_whose_server_counts_no_tokens_costs_what_was_set_aside() -> None:
    store = a_store()
    budget = Budget(BudgetSettings(run_usd=2.5), store)
    for _ in range(5):
        hold = reserve(budget, 1000, 0.5)
        assert isinstance(hold, Hold)
        budget.settle(hold, Usage(), None)
    assert reserve(budget, 1000, 0.5) == RUN_SPENT
    assert store.spent_today() == pytest.approx(2.5)


def test_calls_that_a_stopped_run_leaves_under_way_are_in_the_books_once(tmp_path: Path) -> None:
    clock = ManualClock()
    store = AnswerStore(tmp_path / FILE_NAME, clock)
    budget = Budget(BudgetSettings(), store)
    hold = reserve(budget, 700, 0.25)
    assert isinstance(hold, Hold)
    store.close()
    budget.settle(hold, Usage(input=650, output=10), 0.2)
    again = AnswerStore(tmp_path / FILE_NAME, clock)
    assert again.spent_today() == pytest.approx(0.25)
    again.close()
