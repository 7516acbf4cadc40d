"""Handing in and collecting batches: how history is split, what is paid once, and what a later command finds."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import IO, Any

import orjson
import pytest

from ticket_processor.analysis import ModelLink, Understanding
from ticket_processor.answer_store import AnswerStore
from ticket_processor.backfill import Backfill, Judgement
from ticket_processor.backfill_batch import Batches
from ticket_processor.backfill_file import BackfillFile, Results
from ticket_processor.batch_answers import BatchModel
from ticket_processor.batch_plan import Part, PlanFile
from ticket_processor.breaker import Breaker
from ticket_processor.budget import Budget
from ticket_processor.chat_server import RawAnswer
from ticket_processor.clock import Deadline
from ticket_processor.errors import AnalysisFailed, CannotRun, ConfigError
from ticket_processor.llm import ModelAnalyser
from ticket_processor.model_settings import BudgetSettings
from ticket_processor.models import Usage
from ticket_processor.openai_batch import BatchStatus
from ticket_processor.policy import Policy
from ticket_processor.presets import ModelTarget
from ticket_processor.rules import RulesAnalyser
from ticket_processor.taxonomy import default_taxonomy

from .fakes import ManualClock, Upper
from .test_backfill import Here, HistoryDesk, solved
from .test_backfill_file import ACCOUNT, a_header

LABELS = {"category": "billing", "urgency": "high", "sentiment": "neutral", "confidence": 0.9, "summary": "Twice."}
PRICE = (1000.0, 1000.0, 1000.0)


class Server:
    """Answers every direct question in the same way, or not at all."""

    def __init__(self) -> None:
        self.asked: list[str] = []
        self.error: Exception | None = None

    def complete(
        self, model: str, messages: Sequence[Mapping[str, str]], _form: object, allowance: object = None
    ) -> RawAnswer:
        self.asked.append(messages[-1]["content"])
        if self.error is not None:
            raise self.error
        return RawAnswer(json.dumps(LABELS), Usage(input=500, output=100), model)

    def body(self, model: str, messages: Sequence[Mapping[str, str]], form: object) -> dict[str, object]:
        return {"model": model, "messages": list(messages), "response_format": form, "max_tokens": 400}

    def room(self, _model: str) -> int:
        return 400


class Api:
    """A batch interface in memory. ``status`` is what all its batches are; ``lost`` answers are not in their output."""

    def __init__(self) -> None:
        self.handed_in: dict[str, list[dict[str, Any]]] = {}
        self.status_now = "in_progress"
        self.lost: set[int] = set()
        self.forgotten: list[str] = []
        self.fails: list[Exception] = []
        self.late: Exception | None = None
        self.cancelled: list[str] = []

    def why_not(self) -> str | None:
        return None

    def submit(self, requests: IO[bytes], name: str) -> BatchStatus:
        if self.fails:
            raise self.fails.pop()
        requests.seek(0)
        self.handed_in[name] = [orjson.loads(line) for line in requests]
        if self.late is not None:
            raise self.late
        return self._status(name)

    def find(self, name: str) -> BatchStatus | None:
        return self._status(name) if name in self.handed_in else None

    def status(self, batch_id: str) -> BatchStatus | None:
        return self.find(batch_id.removeprefix("batch_"))

    def cancel(self, batch_id: str) -> None:
        self.cancelled.append(batch_id)

    def download(self, file_id: str, into: IO[bytes]) -> None:
        lines = self.handed_in[file_id.removeprefix("out_")]
        for line in reversed(lines):
            if int(line["custom_id"]) not in self.lost:
                into.write(orjson.dumps(self._answer(line)) + b"\n")

    def forget(self, *file_ids: str) -> None:
        self.forgotten += file_ids

    def _status(self, name: str) -> BatchStatus:
        ended = self.status_now in ("completed", "expired", "cancelled")
        output = f"out_{name}" if ended else None
        return BatchStatus(
            f"batch_{name}", name, self.status_now, f"in_{name}", output, total=len(self.handed_in[name])
        )

    @staticmethod
    def _answer(line: dict[str, Any]) -> dict[str, Any]:
        message = {"role": "assistant", "content": json.dumps(LABELS)}
        usage = {"prompt_tokens": 500, "completion_tokens": 100}
        body = {"model": "m", "choices": [{"message": message, "finish_reason": "stop"}], "usage": usage}
        return {"custom_id": line["custom_id"], "response": {"status_code": 200, "body": body}, "error": None}

    @property
    def sizes(self) -> list[int]:
        return [len(lines) for lines in self.handed_in.values()]


class Office:
    """Commands, one after the other, on one file."""

    def __init__(self, folder: Path, desk: HistoryDesk, *, cache_days: int = 30, **budget: Any) -> None:
        self.path = folder / "f.jsonl"
        self.clock = ManualClock()
        self.desk = desk
        self.server = Server()
        self.api = Api()
        self.store = AnswerStore(None, self.clock, days=cache_days)
        self._limits = BudgetSettings(**budget)
        self._days = cache_days
        self.batches: Batches
        self.walk: Backfill

    def __call__(
        self, *, cancel: bool = False, tickets: int | None = None, no_llm: bool = False, **sizes: int
    ) -> Batches:
        taxonomy = default_taxonomy()
        rules = RulesAnalyser(taxonomy)
        deadline = Deadline(self.clock, 1e9)
        target = ModelTarget("m", "m", "compatible", "http://127.0.0.1/v1", None, price=PRICE)
        analyser = ModelAnalyser(self.server, "m", taxonomy, price=PRICE)
        budget = Budget(self._limits, self.store)
        link = ModelLink(
            analyser, Breaker("m", self.clock), deadline, name="m", store=self.store, budget=budget, rng=Upper()
        )
        model = BatchModel(target, self.server, analyser, link, self.api)  # type: ignore[arg-type]
        understanding = Understanding(() if no_llm else (link,), rules)
        with BackfillFile(self.path, a_header()) as file:
            self.walk = Backfill(
                self.desk, understanding, Judgement(Policy()), file, Here(), self.clock, deadline, limit=tickets
            )
            self.batches = Batches(
                self.walk,
                PlanFile(self.path, ACCOUNT),
                self.desk,
                understanding,
                budget,
                self.clock,
                deadline,
                offered=lambda: model,
                named=lambda _name: model,
                no_repeats=self._days > 0,
                **{f"most_{name}": size for name, size in sizes.items()},
            )
            if cancel:
                self.batches.cancel(wait=False)
            else:
                self.batches.go_on(0.0, wait=False)
        return self.batches

    def plan(self) -> tuple[Part, ...]:
        return PlanFile(self.path, ACCOUNT).plan.parts

    def sources(self) -> dict[int, str]:
        entries = Results(self.path, ACCOUNT).entries()
        return {entry.ticket_id: entry.analysis.source for entry in entries if entry.analysis}


def office(folder: Path, count: int, **options: Any) -> Office:
    return Office(folder, HistoryDesk(*(solved(number) for number in range(1, count + 1)), size=100), **options)


def test_a_file_has_no_more_requests_than_it_may(tmp_path: Path) -> None:
    desk = office(tmp_path, 8)
    desk(requests=3)
    assert desk.api.sizes == [3, 3, 1]  # and one that was asked about directly
    assert [len(part.tickets) for part in desk.plan()] == [3, 3, 1]
    assert len(desk.batches.under_way) == 3
    desk.api.status_now = "completed"
    desk(requests=3)
    assert sorted(desk.sources()) == list(range(1, 9))
    assert set(desk.sources().values()) == {"model"}
    assert len(desk.server.asked) == 1
    assert desk.plan() == ()
    assert len(desk.api.forgotten) == 6


def test_a_file_has_no_more_bytes_than_it_may(tmp_path: Path) -> None:
    desk = office(tmp_path, 6)
    desk(bytes=9_000)
    assert len(desk.api.sizes) > 1
    for lines in desk.api.handed_in.values():
        assert sum(len(orjson.dumps(line)) + 1 for line in lines) <= 9_000
    assert sum(desk.api.sizes) == 5


def test_each_batch_has_a_fence_of_its_own_that_no_ticket_could_know(tmp_path: Path) -> None:
    desk = office(tmp_path, 5)
    desk(requests=2)
    fences = [part.fence for part in desk.plan()]
    assert len(set(fences)) == 2
    for part, lines in zip(desk.plan(), desk.api.handed_in.values(), strict=True):
        assert all(line["body"]["messages"][1]["content"].startswith(f"{part.fence}\n") for line in lines)


def test_answers_cost_half_and_their_usage_is_told(tmp_path: Path) -> None:
    desk = office(tmp_path, 3)
    desk()
    desk.api.status_now = "completed"
    desk()
    assert desk.walk.tally.usage == Usage(input=1000, output=200)
    assert desk.walk.tally.cost_usd == pytest.approx(0.6)


def test_what_is_handed_in_is_booked_at_once_and_not_again_when_it_is_collected(tmp_path: Path) -> None:
    desk = office(tmp_path, 4)
    desk()
    spent = desk.store.spent_today()
    assert spent.usd > 0.6 + 3 * 0.3  # at most: with room for the longest answer
    desk.api.status_now = "completed"
    desk()
    assert desk.store.spent_today() == spent


def test_a_limit_of_the_budget_hands_in_what_it_allows_and_ends_the_walk(tmp_path: Path) -> None:
    desk = office(tmp_path, 30, day_tokens=9000)
    desk()
    assert desk.walk.spent
    assert 0 < sum(desk.api.sizes) < 29
    assert desk.store.spent_today().tokens <= 9000
    assert not PlanFile(desk.path, ACCOUNT).plan.walked
    sent = desk.api.sizes
    desk()
    assert desk.api.sizes == sent


def test_a_batch_that_could_not_be_handed_in_is_handed_in_by_the_next_command(tmp_path: Path) -> None:
    desk = office(tmp_path, 4)
    desk.api.fails = [CannotRun("no answer")]
    with pytest.raises(CannotRun):
        desk()
    assert [part.batch for part in desk.plan()] == [None]
    desk()
    assert desk.api.sizes == [2]  # one is asked about directly each time that something is handed in
    assert len(desk.plan()) == 1


def test_a_batch_that_was_taken_without_an_answer_is_found_and_not_paid_for_twice(tmp_path: Path) -> None:
    desk = office(tmp_path, 4)
    desk.api.late = CannotRun("no answer")
    with pytest.raises(CannotRun):
        desk()
    desk.api.late = None
    desk.api.status_now = "completed"
    desk()
    assert desk.api.sizes == [3]
    assert sorted(desk.sources()) == [1, 2, 3, 4]


def test_a_batch_that_the_server_has_forgotten_is_asked_for_anew(tmp_path: Path) -> None:
    desk = office(tmp_path, 4)
    desk()
    desk.api.handed_in.clear()
    desk()
    assert desk.api.sizes == [2]
    assert "does not know it" in desk.batches.remarks[0]


@pytest.mark.parametrize("status", ["completed", "expired"])
def test_what_was_not_answered_is_asked_directly(tmp_path: Path, status: str) -> None:
    desk = office(tmp_path, 6)
    desk()
    desk.api.status_now, desk.api.lost = status, {3, 5}
    desk()
    assert sorted(desk.sources()) == [1, 2, 3, 4, 5, 6]
    assert len(desk.server.asked) == 1 + 2


def test_what_was_not_answered_gets_the_rules_word_where_no_model_may_be_asked(tmp_path: Path) -> None:
    desk = office(tmp_path, 6)
    desk()
    desk.api.status_now, desk.api.lost = "expired", {3, 5}
    desk(no_llm=True)
    assert {number for number, source in desk.sources().items() if source == "rules"} == {3, 5}
    assert len(desk.server.asked) == 1


def test_what_a_cancelled_batch_did_not_answer_is_left(tmp_path: Path) -> None:
    desk = office(tmp_path, 5)
    desk()
    desk(cancel=True)
    assert len(desk.api.cancelled) == 1
    desk.api.status_now, desk.api.lost = "cancelled", {2}
    desk(cancel=True)
    assert sorted(desk.sources()) == [1, 3, 4, 5]
    assert desk.plan() == ()
    assert len(desk.server.asked) == 1


def test_collecting_that_was_broken_off_goes_on_and_takes_nothing_twice(tmp_path: Path) -> None:
    desk = office(tmp_path, 5)
    desk()
    desk.api.status_now = "completed"
    fetch, desk.desk.fetch = desk.desk.fetch, lambda _numbers: (_ for _ in ()).throw(CannotRun("gone"))  # type: ignore[method-assign]
    with pytest.raises(CannotRun):
        desk()
    assert len(desk.plan()) == 1
    desk.desk.fetch = fetch  # type: ignore[method-assign]
    desk()
    desk()
    assert [entry.ticket_id for entry in Results(desk.path, ACCOUNT).entries()] == [1, 2, 3, 4, 5]


def test_the_helpdesk_is_asked_for_a_history_again_only_where_the_ticket_has_changed(tmp_path: Path) -> None:
    desk = office(tmp_path, 4)
    desk()
    desk.desk.asked.clear()
    changed = desk.desk.tickets[3]
    desk.desk.tickets[3] = changed.model_copy(update={"updated_at": "2026-11-21T03:00:00Z"})
    del desk.desk.tickets[4]
    desk.api.status_now = "completed"
    desk()
    assert [what for name, what in desk.desk.asked if name == "history"] == [3]
    assert sorted(desk.sources()) == [1, 2, 3]


def test_texts_that_come_again_are_asked_about_once_and_cost_nothing_more(tmp_path: Path) -> None:
    same = [solved(number, description="The nightly alarm, please look.") for number in range(2, 7)]
    desk = Office(tmp_path, HistoryDesk(solved(1), *same, size=100))
    desk()
    assert desk.api.sizes == [1]
    (part,) = desk.plan()
    assert (list(part.tickets), list(part.repeats)) == ([2], [3, 4, 5, 6])
    desk.api.status_now = "completed"
    desk()
    assert sorted(desk.sources()) == [1, 2, 3, 4, 5, 6]
    assert len(desk.server.asked) == 1
    assert desk.walk.tally.cached == 4


def test_where_no_answers_are_kept_every_text_is_asked_about(tmp_path: Path) -> None:
    same = [solved(number, description="The nightly alarm, please look.") for number in range(2, 7)]
    desk = Office(tmp_path, HistoryDesk(solved(1), *same, size=100), cache_days=0)
    desk()
    assert desk.api.sizes == [5]


@pytest.mark.parametrize("reason", ["model_refused", "model_content_filter"])
def test_a_first_ticket_that_the_model_will_not_read_does_not_stand_for_all(tmp_path: Path, reason: str) -> None:
    desk = office(tmp_path, 4)

    class Picky(Server):
        def complete(
            self, model: str, messages: Sequence[Mapping[str, str]], form: object, allowance: object = None
        ) -> RawAnswer:
            self.error = AnalysisFailed(reason) if "order 1." in messages[-1]["content"] else None
            return super().complete(model, messages, form)

    desk.server = Picky()
    desk()
    assert desk.api.sizes == [2]
    assert desk.sources() == {1: "rules", 2: "model"}


def test_a_model_that_cannot_be_asked_is_handed_nothing(tmp_path: Path) -> None:
    desk = office(tmp_path, 4)
    desk.server.error = AnalysisFailed("model_not_authorised")
    with pytest.raises(CannotRun, match="nothing was handed in"):
        desk()
    assert desk.api.sizes == []
    assert desk.plan() == ()


# The plan


A_PART = Part(name="ab" * 8, model="m", fence="f", tickets={1: "2026-01-01T00:00:00Z"}, repeats={2: "x"})


def test_a_plan_is_read_as_it_was_written_and_gone_when_nothing_is_under_way(tmp_path: Path) -> None:
    plan = PlanFile(tmp_path / "f.jsonl", ACCOUNT)
    assert not plan.path.exists()
    plan.add(A_PART)
    plan.handed_in(A_PART, "batch_1")
    plan.walked(True)
    again = PlanFile(tmp_path / "f.jsonl", ACCOUNT)
    assert again.plan == plan.plan
    assert again.plan.parts == (A_PART.model_copy(update={"batch": "batch_1"}),)
    again.drop(A_PART)
    again.walked(False)
    assert not plan.path.exists()
    assert list(tmp_path.iterdir()) == []


def test_a_plan_of_another_account_or_of_nobody_is_refused(tmp_path: Path) -> None:
    plan = PlanFile(tmp_path / "f.jsonl", ACCOUNT)
    plan.add(A_PART)
    with pytest.raises(ConfigError, match="is about"):
        PlanFile(tmp_path / "f.jsonl", "https://other.zendesk.com")
    plan.path.write_text("[]", encoding="utf-8")
    with pytest.raises(ConfigError, match="cannot be read by this version"):
        PlanFile(tmp_path / "f.jsonl", ACCOUNT)
