"""The loop with a scripted model: bad rows, duplicates, going on after any end, budgets, a model that is down."""

from __future__ import annotations

import itertools
import json
import random
import re
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ticket_processor.analysis.budget import Budget
from ticket_processor.analysis.cache import AnswerStore
from ticket_processor.analysis.model_server.chat import RawAnswer
from ticket_processor.analysis.model_server.connection import AnswerUnusable, FormRefused, ModelBusy
from ticket_processor.analysis.model_server.settings import BudgetSettings
from ticket_processor.analysis.rules.analyser import RulesAnalyser
from ticket_processor.core.circuit_breaker import Breaker
from ticket_processor.core.clock import Deadline
from ticket_processor.core.errors import AnalysisFailed, CannotRun, ConfigError, RunLocked, Stopping
from ticket_processor.core.models import Sentiment, Usage
from ticket_processor.core.taxonomy import Taxonomy, default_taxonomy
from ticket_processor.seeding.corpus import SeedTicket, load_file
from ticket_processor.seeding.synthetic.author import Author
from ticket_processor.seeding.synthetic.plan import count_there, missing, ordered_cells
from ticket_processor.seeding.synthetic.request import instructions
from ticket_processor.seeding.synthetic.rowfile import RowFile
from ticket_processor.seeding.synthetic.writing import MOST_ASKS, USELESS_IN_A_ROW, Writing, WritingReport

from ..support.fakes import ManualClock, Upper

TAXONOMY = default_taxonomy()
RULES = RulesAnalyser(TAXONOMY)
CELLS = ordered_cells(("billing", "order"), ("en",), (Sentiment.NEGATIVE, Sentiment.NEUTRAL), 0)
WORDS = (
    "kettle garden invoice window lantern bridge marble pocket silver ladder basket coffee engine violin harbour "
    "meadow pepper candle ribbon tunnel saddle copper blanket feather mirror hammer button carpet barrel needle"
).split()
TEN_TOKENS = Usage(input=7, output=3, cached=5)


class Model:
    """A chat server that writes good tickets, each unlike the others, unless a step says otherwise.

    A step is an exception to raise, a text to answer with, or a function that may change the tickets of one answer.
    """

    def __init__(self, *steps: object, refuses: Sequence[str] = (), last: object = None, dice: int = 0) -> None:
        self._steps = list(steps)
        self._last = last
        self._refuses = refuses
        self._dice = random.Random(dice)
        self.forms: list[str] = []
        self.lines: list[list[str]] = []

    def complete(
        self, model: str, messages: Sequence[Mapping[str, str]], response_format: Mapping[str, object] | None
    ) -> RawAnswer:
        self.forms.append(str(response_format["type"]) if response_format else "prompt")
        if self.forms[-1] in self._refuses:
            raise FormRefused
        lines = messages[-1]["content"].split("\n")
        self.lines.append(lines)
        step = self._steps.pop(0) if self._steps else self._last
        if isinstance(step, BaseException):
            raise step
        tickets = [self._ticket(line) for line in lines]
        if callable(step):
            tickets = step(tickets)
        text = step if isinstance(step, str) else json.dumps({"tickets": tickets})
        return RawAnswer(text, TEN_TOKENS, "served", finished=not text.startswith("CUT"))

    def _ticket(self, line: str) -> dict[str, Any]:
        number = re.match(r"\d+", line)
        assert number
        words = " ".join(self._dice.choices(WORDS, k=16))
        return {"n": int(number[0]), "subject": f"About the {words[:20]}", "body": f"Hello, the {words} is not here."}


class Desk:
    """Everything a writing needs, with a scripted model and time that only waiting moves."""

    def __init__(self, folder: Path, model: Model, **options: Any) -> None:
        self.model = model
        self.clock = options.pop("clock", None) or ManualClock()
        self.path = folder / "rows.jsonl"
        self.deadline = Deadline(self.clock, options.pop("seconds", 3600.0))
        self.breaker = Breaker("model m", self.clock)
        self.limits = options.pop("limits", BudgetSettings())
        self.price = options.pop("price", None)
        self.known: Sequence[SeedTicket] = options.pop("known", ())
        self.workers = options.pop("workers", 1)
        self.told: list[str] = []
        assert not options

    def write(self, count: int = 12, *, taxonomy: Taxonomy = TAXONOMY, cells: Sequence[Any] = CELLS) -> WritingReport:
        author = Author(
            self.model,
            "m",
            instructions(taxonomy),
            breaker=self.breaker,
            deadline=self.deadline,
            budget=Budget(self.limits, AnswerStore(None, self.clock)),
            price=self.price,
            rng=Upper(),
        )
        with RowFile(self.path) as file, ThreadPoolExecutor(self.workers) as executor:
            writing = Writing(
                author,
                file,
                taxonomy,
                RULES if taxonomy is TAXONOMY else RulesAnalyser(taxonomy),
                seed=0,
                known=self.known,
                executor=executor,
                workers=self.workers,
                clock=self.clock,
                deadline=self.deadline,
                tell=self.told.append,
            )
            return writing.fill(missing(cells, count, count_there(cells, file.rows)))

    @property
    def rows(self) -> list[dict[str, Any]]:
        return [json.loads(line) for line in self.path.read_text(encoding="utf-8").splitlines()]


MakeDesk = Callable[..., Desk]


@pytest.fixture
def desk(tmp_path: Path) -> MakeDesk:
    dice = itertools.count()
    return lambda *steps, **options: Desk(
        tmp_path,
        Model(*steps, refuses=options.pop("refuses", ()), last=options.pop("last", None), dice=next(dice)),
        **options,
    )


def test_every_cell_of_the_plan_gets_its_rows_in_the_shape_that_is_promised(desk: MakeDesk) -> None:
    here = desk(price=(1.0, 2.0, 0.5))
    report = here.write(12)
    assert (report.saved, report.open, report.stopped) == (12, 0, None)
    promised = ["id", "subject", "body", "category", "priority", "sentiment", "language", "source"]
    assert [name for name in here.rows[0] if name != "doubt"] == promised
    assert {row["source"] for row in here.rows} == {"synthetic:m"}
    assert {tuple(count_there(CELLS, here.rows)[cell] for cell in CELLS)} == {(3, 3, 3, 3)}
    assert len({row["id"] for row in here.rows}) == 12
    assert report.answers == len(here.model.lines) == 3
    assert report.usage == Usage(input=21, output=9, cached=15)
    assert report.cost_usd == pytest.approx(3 * (2 * 1.0 + 5 * 0.5 + 3 * 2.0) / 1e6)
    assert here.told[-1] == "12 written, 0 to go"


def test_a_seeding_reads_the_rows_with_their_labels(desk: MakeDesk) -> None:
    here = desk()
    here.write(4)
    tickets = list(load_file(here.path))
    assert [ticket.id for ticket in tickets] == [row["id"] for row in here.rows]
    assert {ticket.labels.category for ticket in tickets} == {"billing", "order"}
    assert all(ticket.labels.urgency and ticket.labels.sentiment for ticket in tickets)
    assert all(ticket.requester.email.endswith("@example.com") for ticket in tickets)


def spoil(field: str, value: object) -> Callable[[list[dict[str, Any]]], list[dict[str, Any]]]:
    return lambda tickets: [{**tickets[0], field: value}, *tickets[1:]]


@pytest.mark.parametrize(
    ("reason", "step"),
    [
        ("placeholder", spoil("body", "Hello, my order {order_number} is not here, where is it?")),
        ("leaked_reasoning", spoil("body", "<think>angry</think> Hello, my order is not here, where is it?")),
        ("personal_data", spoil("body", "Hello, my card 4111 1111 1111 1111 was charged twice for it.")),
        ("wrong_language", spoil("body", "Guten Tag, mein Paket ist immer noch nicht da, und keiner antwortet mir.")),
        ("label_named", spoil("body", "Category: billing. Hello, my order is not here, where is it?")),
        ("empty", spoil("subject", "")),
        ("empty", spoil("body", None)),
        ("unreadable", spoil("body", "half a pair \ud800 of surrogates is no text at all")),
        ("not_in_answer", lambda tickets: tickets[1:]),
        ("not_in_answer", spoil("n", 99)),
    ],
)
def test_a_bad_row_is_counted_asked_for_again_and_never_kept(desk: MakeDesk, reason: str, step: object) -> None:
    here = desk(step)
    report = here.write(5)
    assert dict(report.rejected) == {reason: 1}
    assert (report.saved, report.open, len(here.rows)) == (5, 0, 5)
    asked_again = here.model.lines[-1]
    assert len(asked_again) == 1
    assert asked_again[0] != here.model.lines[0][0]  # other hints
    assert not any("{" in row["body"] or "think" in row["body"] for row in here.rows)


def test_near_duplicates_are_dropped_within_the_run_against_the_file_and_against_what_is_known(
    desk: MakeDesk, tmp_path: Path
) -> None:
    text = "Hello, the blue kettle that I ordered 12 days ago has not come, and nobody answers."
    twins = [text.replace("12", "19"), text.replace("blue", "green")]
    here = desk(
        lambda tickets: [
            {**tickets[0], "body": text},
            {**tickets[1], "body": twins[0], **{"subject": tickets[0]["subject"]}},
        ]
    )
    assert (here.write(2).duplicates, len(here.rows)) == (1, 2)

    again = desk(lambda tickets: [{**tickets[0], "body": twins[1], "subject": here.rows[0]["subject"]}, *tickets[1:]])
    assert (again.write(4).duplicates, len(again.rows)) == (1, 4)

    known = SeedTicket.model_validate(
        {"id": "k", "subject": "S", "body": text, "requester": {"name": "A", "email": "a@example.com"}}
    )
    third = desk(spoil("body", text.upper()), known=[known])
    third.path.unlink()
    assert third.write(2).duplicates == 1


def test_what_can_never_be_written_well_is_given_up_in_the_end(desk: MakeDesk) -> None:
    here = desk(last=lambda tickets: [{**item, "body": "[NAME]" * 9} for item in tickets])
    report = here.write(5)
    assert (report.saved, report.open) == (0, 5)
    assert report.rejected["placeholder"] == 5 * MOST_ASKS
    assert len(here.model.lines) == MOST_ASKS


def test_a_model_that_writes_only_rubbish_is_not_paid_for_long(desk: MakeDesk) -> None:
    here = desk(last="I would rather talk about the weather.")
    report = here.write(400)
    assert len(here.model.lines) == report.answers == USELESS_IN_A_ROW
    assert "no usable ticket" in (report.stopped or "")
    assert report.open == 400


def test_a_refusal_costs_what_it_costs_and_is_asked_again(desk: MakeDesk) -> None:
    here = desk(AnswerUnusable("model_refused", usage=TEN_TOKENS, cost_usd=0.5), price=(0.0, 0.0, 0.0))
    report = here.write(5)
    assert report.rejected == {"model_refused": 5}
    assert (report.saved, report.cost_usd) == (5, 0.5)
    assert report.usage.input == 14


def test_an_answer_that_was_cut_off_makes_the_next_ones_smaller(desk: MakeDesk) -> None:
    here = desk("CUT off at once")
    report = here.write(5)
    assert report.rejected == {"cut_off": 5}
    assert [len(lines) for lines in here.model.lines] == [5, 2, 2, 1]
    assert report.saved == 5


def test_a_server_that_knows_no_schema_is_asked_in_words_and_only_once_the_hard_way(desk: MakeDesk) -> None:
    here = desk(refuses=("json_schema", "json_object"))
    assert here.write(10).saved == 10
    assert here.model.forms == ["json_schema", "json_object", "prompt", "prompt"]


def test_a_server_that_takes_no_form_at_all_cannot_be_used(desk: MakeDesk) -> None:
    with pytest.raises(CannotRun, match="model_refused_request"):
        desk(refuses=("json_schema", "json_object", "prompt")).write()


def test_a_batch_is_in_one_language(desk: MakeDesk, tmp_path: Path) -> None:
    cells = ordered_cells(("billing", "order"), ("en", "sw"), (Sentiment.NEUTRAL,), 0)
    here = desk()
    here.write(12, cells=cells)
    languages = [set(re.findall(r"\(([a-z]{2})\)", "\n".join(lines))) for lines in here.model.lines]
    assert {len(found) for found in languages} == {1}
    assert set.union(*languages) == {"en", "sw"}


def test_sub_categories_are_kept_beside_their_category(desk: MakeDesk) -> None:
    taxonomy = Taxonomy.model_validate(
        {
            "categories": [
                {"name": "money", "description": "About money."},
                {"name": "refund", "description": "Money back.", "parent": "money"},
                {"name": "general", "description": "The rest."},
            ]
        }
    )
    here = desk()
    here.write(2, taxonomy=taxonomy, cells=ordered_cells(("refund",), ("en",), (Sentiment.NEUTRAL,), 0))
    assert {(row["category"], row["subcategory"]) for row in here.rows} == {("money", "refund")}


# --- the model is busy, down or forbidden -------------------------------------------------------------------------


def test_a_busy_server_is_asked_again_after_the_time_it_names(desk: MakeDesk) -> None:
    here = desk(ModelBusy("model_rate_limited", 42.0), ModelBusy("model_http_503"))
    assert here.write(5).saved == 5
    assert here.clock.waits[0] == 42.0
    assert here.clock.waits[1] > 0


def test_a_model_that_never_answered_ends_it_with_an_error_and_few_requests(desk: MakeDesk) -> None:
    here = desk(last=ModelBusy("model_unreachable"))
    with pytest.raises(CannotRun, match="model m does not answer: model_unreachable"):
        here.write()
    assert len(here.model.lines) == 3
    assert here.rows == []


@pytest.mark.parametrize("reason", ["model_not_authorised", "model_unknown", "model_no_quota"])
def test_what_asking_again_cannot_change_ends_it_at_once(desk: MakeDesk, reason: str) -> None:
    here = desk(last=AnalysisFailed(reason))
    with pytest.raises(CannotRun, match=reason):
        here.write()
    assert len(here.model.lines) == 1


def test_many_workers_wait_for_the_first_answer_so_that_a_dead_model_gets_few_requests(desk: MakeDesk) -> None:
    here = desk(last=ModelBusy("model_unreachable"), workers=8)
    with pytest.raises(CannotRun, match="model_unreachable"):
        here.write(100)
    assert len(here.model.lines) == 3


def test_a_model_that_goes_down_is_waited_for_a_while_and_what_was_written_is_kept(desk: MakeDesk) -> None:
    here = desk(None, last=ModelBusy("model_unreachable"))
    with pytest.raises(CannotRun, match=r"5 tickets are in .*rows\.jsonl, and the same command goes on"):
        here.write(12)
    assert len(here.rows) == 5
    assert len(here.model.lines) <= 1 + 3 * 3
    here.model = Model(dice=99)
    here.breaker = Breaker("model m", here.clock)
    assert here.write(12).saved == 7


def test_a_model_that_comes_back_is_gone_on_with(desk: MakeDesk) -> None:
    here = desk(None, *[ModelBusy("model_http_503")] * 5)
    report = here.write(12)
    assert (report.saved, report.open, report.stopped) == (12, 0, None)
    assert not report.rejected


def test_a_batch_that_takes_too_long_is_asked_for_in_parts(desk: MakeDesk) -> None:
    here = desk(None, *[ModelBusy("model_timeout")] * 3)
    assert here.write(15).saved == 15
    sizes = [len(lines) for lines in here.model.lines]
    assert sizes[:4] == [5, 5, 5, 5]
    assert set(sizes[4:]) <= {1, 2}


# --- limits -------------------------------------------------------------------------------------------------------


def test_it_stops_before_a_limit_is_passed_and_goes_on_with_a_new_budget(desk: MakeDesk) -> None:
    here = desk(limits=BudgetSettings(run_usd=0.02), price=(0.0, 2.0, 0.0))
    here.model._last = None
    big = Usage(input=1000, output=4000)
    original = here.model.complete

    def dear(*arguments: Any) -> RawAnswer:
        raw = original(*arguments)
        return RawAnswer(raw.text, big, raw.model)

    here.model.complete = dear  # type: ignore[method-assign]
    report = here.write(40)
    assert report.stopped == "the budget of a run is spent"
    assert (report.cost_usd or 1.0) <= 0.02
    assert report.saved == 10
    assert report.open == 30
    assert here.write(40).saved == 10


def test_a_limit_of_tokens_holds_without_any_price(desk: MakeDesk) -> None:
    report = desk(limits=BudgetSettings(run_tokens=100)).write(5)
    assert (report.saved, report.answers) == (0, 0)
    assert report.stopped == "the budget of a run is spent"


def test_the_deadline_ends_it_with_everything_kept(desk: MakeDesk) -> None:
    here = desk(None, last=ModelBusy("model_http_503", 90.0), seconds=97.0)
    report = here.write(40)
    assert report.stopped == "the time is used up"
    assert report.saved == len(here.rows) == 40 - report.open > 0


def test_a_signal_ends_it_with_everything_kept(desk: MakeDesk) -> None:
    here = desk()
    original = here.model.complete

    def stopped_at_the_second(*arguments: Any) -> RawAnswer:
        here.clock.stopped = len(here.model.lines) >= 1
        return original(*arguments)

    here.model.complete = stopped_at_the_second  # type: ignore[method-assign]
    with pytest.raises(Stopping):
        here.write(40)
    here.clock.stopped = False
    kept = len(here.rows)
    here.model = Model(dice=99)
    assert kept + here.write(40).saved == 40


# --- going on -----------------------------------------------------------------------------------------------------


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(cut=st.integers(0, 400), count=st.integers(1, 12))
def test_wherever_a_crash_cut_the_file_the_next_start_fills_the_plan(tmp_path: Path, cut: int, count: int) -> None:
    here = Desk(tmp_path, Model())
    here.path.unlink(missing_ok=True)
    here.write(count)
    whole = here.path.read_bytes()
    here.path.write_bytes(whole[: max(0, len(whole) - cut)])
    here.model = Model(dice=2)
    here.write(count)
    rows = here.rows
    assert len(rows) == count
    assert count_there(CELLS, rows) == count_there(CELLS, [json.loads(line) for line in whole.splitlines()])


def test_a_finished_plan_asks_nobody_anything(desk: MakeDesk) -> None:
    here = desk()
    here.write(8)
    before = here.path.read_bytes()
    here.model = Model(dice=99)
    report = here.write(8)
    assert (report.saved, report.answers, here.model.lines) == (0, 0, [])
    assert here.path.read_bytes() == before


@pytest.mark.parametrize(
    "content", ["my notes", '{"subject": "no id"}\n', '{"id": "a"}\nnonsense\n', '{"id": "a"}\nlast words', "[1]\n"]
)
def test_a_file_that_holds_something_else_is_refused_and_left_alone(tmp_path: Path, content: str) -> None:
    path = tmp_path / "mine.jsonl"
    path.write_text(content, encoding="utf-8")
    with pytest.raises(ConfigError, match=r"mine\.jsonl, line \d"), RowFile(path):
        pass
    assert path.read_text(encoding="utf-8") == content


def test_a_last_row_without_its_line_break_is_kept(tmp_path: Path) -> None:
    path = tmp_path / "rows.jsonl"
    path.write_text('{"id": "a"}\n{"id": "b"}', encoding="utf-8")
    with RowFile(path) as file:
        file.append({"id": "c"})
    assert not file.repaired
    assert [json.loads(line)["id"] for line in path.read_text(encoding="utf-8").splitlines()] == ["a", "b", "c"]


def test_a_torn_row_is_cut_off_and_told(tmp_path: Path) -> None:
    path = tmp_path / "rows.jsonl"
    path.write_bytes(b'{"id": "a"}\n{"id":"llm-77","subject":"Gr' + "ü".encode()[:1])
    with RowFile(path) as file:
        assert file.repaired
    assert path.read_bytes() == b'{"id": "a"}\n'


def test_two_writers_do_not_meet_in_one_file(tmp_path: Path) -> None:
    path = tmp_path / "rows.jsonl"
    with RowFile(path), pytest.raises(RunLocked), RowFile(path):
        pass
    with RowFile(path):
        pass


def test_the_name_says_what_the_file_is(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="jsonl"):
        RowFile(tmp_path / "rows.csv")
