"""The walk over history: which tickets, what is decided about them, and what it does when models do not answer."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from concurrent.futures import Executor, Future
from pathlib import Path
from typing import Any

import pytest

from ticket_processor.analysis.chain import Analyser, Understanding
from ticket_processor.analysis.rules.analyser import RulesAnalyser
from ticket_processor.analysis.text.redact import RedactedText
from ticket_processor.core.clock import Deadline
from ticket_processor.core.errors import AnalysisFailed, CannotRun, HelpdeskDown, Stopping, TicketError
from ticket_processor.core.models import Analysis, Overwrite, Priority, Risk, Ticket, Urgency
from ticket_processor.core.taxonomy import Category, Taxonomy, default_taxonomy
from ticket_processor.helpdesk.ticket_history import History
from ticket_processor.pipeline.backfill.results_file import DECIDED, BackfillFile, Entry, Results
from ticket_processor.pipeline.backfill.walk import MOST_PAUSES, PAUSE_S, Backfill, BackfillPolicy
from ticket_processor.policy.decide import FieldPolicy, Policy
from ticket_processor.tags import write_key

from ..support.fakes import FakeDesk, ManualClock, a_ticket, an_analysis
from .test_results_file import ACCOUNT, a_header

Answer = Analysis | Exception | Callable[[], Analysis]


def solved(number: int, **fields: Any) -> Ticket:
    """Solved an hour after it was written."""
    given = {
        "status": "solved",
        "description": f"I was charged twice, order {number}.",
        "touched": 3600.0,
        "age": 7200.0,
    }
    return a_ticket(number, **{**given, **fields})


class HistoryDesk(FakeDesk):
    """A helpdesk whose pages of history are these; ``broken`` tickets give their history to nobody."""

    def __init__(self, *tickets: Ticket, size: int = 2) -> None:
        super().__init__(*tickets)
        self._size = size
        self.broken: dict[int, Exception] = {}
        self.given = 0

    def solved(self, since: float) -> Iterator[tuple[Ticket, ...]]:
        self.asked.append(("solved", since))
        rows = list(self.tickets.values())
        for start in range(0, len(rows), self._size):
            self.given += 1
            yield tuple(rows[start : start + self._size])

    def history(self, ticket_id: int) -> History:
        found = super().history(ticket_id)
        if ticket_id in self.broken:
            raise self.broken[ticket_id]
        return found


class Model:
    """A link of the chain that answers with these in turn, the last one for ever."""

    name = "m-1"

    def __init__(self, *answers: Answer) -> None:
        self._answers = list(answers)
        self.texts: list[str] = []

    def analyse(self, text: RedactedText) -> Analysis:
        self.texts.append(text.text)
        answer = self._answers.pop(0) if len(self._answers) > 1 else self._answers[0]
        if isinstance(answer, Exception):
            raise answer
        return answer() if callable(answer) else answer


class Here(Executor):
    """Does everything at once, in this thread."""

    def submit(self, fn: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Future[Any]:
        future: Future[Any] = Future()
        try:
            future.set_result(fn(*args, **kwargs))
        except BaseException as error:  # as an executor does
            future.set_exception(error)
        return future


class Walk:
    """A walk with everything around it made up."""

    def __init__(self, folder: Path, desk: HistoryDesk, *links: Analyser, **options: Any) -> None:
        self.path = folder / "f.jsonl"
        self.clock = ManualClock()
        self.desk = desk
        self.told: list[tuple[int, str]] = []
        self._links = links
        self._policy = options.pop("policy", Policy())
        self._as_new = options.pop("as_new", False)
        self._taxonomy: Taxonomy = options.pop("taxonomy", default_taxonomy())
        self._options = options
        self.walk: Backfill

    def __call__(self, *, tickets: int | None = None) -> Backfill:
        with BackfillFile(self.path, a_header(as_new=self._as_new)) as file:
            self.walk = Backfill(
                self.desk,
                Understanding(self._links, RulesAnalyser(self._taxonomy)),
                BackfillPolicy(self._policy, self._taxonomy, as_new=self._as_new),
                file,
                self._options.pop("executor", Here()),
                self.clock,
                Deadline(self.clock, 1e9),
                told=lambda number, what: self.told.append((number, what)),
                limit=tickets,
                **self._options,
            )
            self.walk.run(self.walk.history(0.0))
        return self.walk

    @property
    def entries(self) -> list[Entry]:
        return list(Results(self.path, ACCOUNT).entries())

    def by_number(self) -> dict[int, str]:
        return {entry.ticket_id: entry.kind for entry in self.entries}


def test_history_is_understood_and_noted_with_what_a_write_will_need(tmp_path: Path) -> None:
    walk = Walk(tmp_path, HistoryDesk(solved(1), solved(2, status="closed")), Model(an_analysis()))
    tally = walk().tally
    first, second = walk.entries
    assert (first.ticket_id, first.status, first.reason) == (1, "solved", "by m-1, confidence 0.90")
    assert first.key == write_key(solved(1))
    assert first.clean_stamp == solved(1).updated_at
    assert first.analysis == an_analysis()
    assert second.status == "closed"
    assert tally.seen == 2
    assert tally.counts == {DECIDED: 2}
    assert tally.answered_by == {"m-1": 2}


def test_what_was_done_already_or_by_a_machine_is_noted_and_never_shown_to_a_model(tmp_path: Path) -> None:
    desk = HistoryDesk(
        solved(1, tags=("ai_processed",)),
        solved(2),
        solved(3),
        solved(4, tags=("ai_processed",), follow_up=True),
        solved(5, status="open"),
    )
    desk.found[2, write_key(desk.tickets[2])] = "run-1"
    model = Model(an_analysis())
    walk = Walk(tmp_path, desk, model, left_alone=lambda ticket: "skip_rule_brand" if ticket.id == 3 else None)
    tally = walk().tally
    assert walk.by_number() == {1: "already_done", 2: "already_done", 3: "skip_rule_brand", 4: DECIDED}
    assert tally.counts == {"already_done": 2, "skip_rule_brand": 1, DECIDED: 1, "reopened": 1}
    assert len(model.texts) == 1


def test_the_helpdesk_is_asked_for_a_history_only_where_a_write_of_ours_could_be(tmp_path: Path) -> None:
    desk = HistoryDesk(solved(1), solved(2, status="closed"), solved(3, touched=7200.0))
    Walk(tmp_path, desk, Model(an_analysis()))()
    assert [what for name, what in desk.asked if name == "history"] == [1]


def test_a_second_walk_goes_on_where_the_first_ended(tmp_path: Path) -> None:
    desk = HistoryDesk(*(solved(number) for number in range(1, 8)))
    model = Model(an_analysis())
    walk = Walk(tmp_path, desk, model)
    walk(tickets=3)
    assert sorted(walk.by_number()) == [1, 2, 3]
    assert desk.given == 2  # no page more than needed
    walk(tickets=3)
    walk()
    assert sorted(walk.by_number()) == list(range(1, 8))
    assert len(model.texts) == 7


def test_a_search_that_lists_a_ticket_twice_has_it_understood_once(tmp_path: Path) -> None:
    class Twice(HistoryDesk):
        def solved(self, since: float) -> Iterator[tuple[Ticket, ...]]:
            for page in super().solved(since):
                yield page + page

    model = Model(an_analysis())
    Walk(tmp_path, Twice(solved(1), solved(2)), model)()
    assert len(model.texts) == 2


def test_a_ticket_whose_history_is_refused_is_told_and_left_for_the_next_walk(tmp_path: Path) -> None:
    desk = HistoryDesk(solved(1), solved(2))
    desk.broken[1] = TicketError("Zendesk refuses this ticket's audits (HTTP 403)")
    walk = Walk(tmp_path, desk, Model(an_analysis()))
    tally = walk().tally
    assert sorted(walk.by_number()) == [2]
    assert tally.failed == {"Zendesk refuses this ticket's audits (HTTP 403)": 1}
    assert walk.told[0] == (1, "failed (Zendesk refuses this ticket's audits (HTTP 403))")


def test_a_helpdesk_that_is_gone_ends_the_walk_and_keeps_what_there_is(tmp_path: Path) -> None:
    desk = HistoryDesk(*(solved(number) for number in range(1, 5)))
    desk.broken[3] = HelpdeskDown("no answer")
    walk = Walk(tmp_path, desk, Model(an_analysis()))
    with pytest.raises(HelpdeskDown):
        walk()
    assert set(walk.by_number()) <= {1, 2}
    desk.broken.clear()
    walk()
    assert sorted(walk.by_number()) == [1, 2, 3, 4]


def test_the_kill_switch_and_a_signal_end_the_walk(tmp_path: Path) -> None:
    def check() -> None:
        raise CannotRun("the kill switch is set")

    walk = Walk(tmp_path, HistoryDesk(solved(1)), Model(an_analysis()), check=check)
    with pytest.raises(CannotRun, match="kill switch"):
        walk()
    other = Walk(tmp_path, HistoryDesk(solved(1)), Model(an_analysis()))
    other.clock.stopped = True
    with pytest.raises(Stopping):
        other()
    assert other.entries == []


# Decisions

SEVERE = an_analysis(urgency=Urgency.CRITICAL, risk=Risk.HIGH, category="money")
TAXONOMY = Taxonomy(
    categories=(
        Category(name="money", description="Money", tag="finance", group=77, fields={42: "topic_money"}),
        Category(name="general", description="The rest"),
    ),
    fallback="general",
)
ALWAYS = FieldPolicy(overwrite=Overwrite.ALWAYS)


def test_history_gets_labels_and_fields_and_nothing_that_asks_for_work() -> None:
    policy = Policy(fields=ALWAYS, priority=ALWAYS)
    decision = BackfillPolicy(policy, TAXONOMY)(1, SEVERE)
    assert {"ai_processed", "ai_money", "ai_urgency_critical", "finance"} <= set(decision.tags)
    assert "ai_escalated" not in decision.tags
    assert decision.fields == {42: "topic_money"}
    assert (decision.priority, decision.group, decision.note) == (None, None, None)
    assert decision.fields_overwrite is Overwrite.NEVER
    assert not decision.suggest_only


def test_as_new_the_whole_decision_is_kept() -> None:
    decision = BackfillPolicy(Policy(priority=ALWAYS), TAXONOMY, as_new=True)(1, SEVERE)
    assert "ai_escalated" in decision.tags
    assert decision.priority is Priority.HIGH
    assert decision.group == 77
    assert decision.note
    assert decision.priority_overwrite is Overwrite.ALWAYS


# Models that do not answer

DOWN = AnalysisFailed("model_unreachable")


def test_a_walk_waits_for_models_and_goes_on_when_they_are_back(tmp_path: Path) -> None:
    walk = Walk(tmp_path, HistoryDesk(*(solved(n) for n in range(1, 4))), Model(DOWN, DOWN, DOWN, an_analysis()))
    walk()
    assert walk.by_number() == {1: DECIDED, 2: DECIDED, 3: DECIDED}
    assert {entry.analysis.source for entry in walk.entries if entry.analysis} == {"model"}
    assert walk.clock.waits.count(PAUSE_S) >= 1


def test_a_walk_stops_when_models_stay_away_and_writes_no_rules_word(tmp_path: Path) -> None:
    walk = Walk(tmp_path, HistoryDesk(*(solved(n) for n in range(1, 4))), Model(DOWN))
    with pytest.raises(CannotRun, match="model unreachable"):
        walk()
    assert walk.clock.waits.count(PAUSE_S) == MOST_PAUSES
    assert walk.entries == []


@pytest.mark.parametrize("reason", ["model_not_authorised", "model_no_quota", "model_unknown"])
def test_a_walk_does_not_wait_for_what_waiting_does_not_mend(tmp_path: Path, reason: str) -> None:
    walk = Walk(tmp_path, HistoryDesk(solved(1)), Model(AnalysisFailed(reason)))
    with pytest.raises(CannotRun, match=reason.replace("_", " ")):
        walk()
    assert walk.clock.waits == []


@pytest.mark.parametrize("why", ["budget_of_run_spent", "budget_of_day_spent"])
def test_a_spent_budget_ends_the_walk_and_keeps_what_was_paid_for(tmp_path: Path, why: str) -> None:
    model = Model(an_analysis(), an_analysis(), AnalysisFailed(why))
    walk = Walk(tmp_path, HistoryDesk(*(solved(n) for n in range(1, 9))), model)
    ended = walk()
    assert walk.by_number() == {1: DECIDED, 2: DECIDED}
    assert ended.enough is not None
    assert "budget." in ended.enough
    assert walk.clock.waits == []


@pytest.mark.parametrize("why", ["model_refused", "model_content_filter", "answer_off_schema"])
def test_a_text_that_a_model_can_make_nothing_of_gets_the_rules_word(tmp_path: Path, why: str) -> None:
    walk = Walk(tmp_path, HistoryDesk(solved(1)), Model(AnalysisFailed(why)))
    walk()
    (entry,) = walk.entries
    assert entry.analysis is not None
    assert (entry.analysis.source, entry.analysis.why_fallback) == ("rules", why)
    assert entry.decision is not None
    assert "ai_fallback" in entry.decision.tags


def test_a_ticket_that_always_fails_does_not_hold_up_the_others_for_ever(tmp_path: Path) -> None:
    class Picky(Model):
        def analyse(self, text: RedactedText) -> Analysis:
            if "order 2." in text.text:
                raise AnalysisFailed("model_http_500")
            return super().analyse(text)

    desk = HistoryDesk(*(solved(n) for n in range(1, 30)))
    walk = Walk(tmp_path, desk, Picky(an_analysis()))
    walk()
    assert len(walk.entries) == 29
    sources = {entry.ticket_id: entry.analysis.source for entry in walk.entries if entry.analysis}
    assert sources[1] == "model"
    assert sources[2] == "rules"


def test_without_models_the_rules_answer_everything(tmp_path: Path) -> None:
    walk = Walk(tmp_path, HistoryDesk(solved(1), solved(2)))
    walk()
    assert [entry.analysis.source for entry in walk.entries if entry.analysis] == ["rules", "rules"]


def test_an_accident_with_one_ticket_is_told_without_its_words(tmp_path: Path) -> None:
    class Accident(Understanding):
        def __call__(self, ticket: Ticket, **_: Any) -> Analysis:
            raise KeyError(ticket.description)

    walk = Walk(tmp_path, HistoryDesk(solved(1)), Model(an_analysis()))
    with BackfillFile(walk.path, a_header()) as file:
        backfill = Backfill(
            walk.desk,
            Accident((), RulesAnalyser(default_taxonomy())),
            BackfillPolicy(Policy()),
            file,
            Here(),
            walk.clock,
            Deadline(walk.clock, 1e9),
        )
        backfill.run(backfill.history(0.0))
    (why,) = backfill.tally.failed
    assert "KeyError" in why
    assert "Charged" not in why


def test_what_was_finished_when_a_signal_came_is_in_the_file(tmp_path: Path) -> None:
    class Signalled(HistoryDesk):
        def solved(self, since: float) -> Iterator[tuple[Ticket, ...]]:
            yield (solved(1),)
            raise Stopping

    walk = Walk(tmp_path, Signalled(), Model(an_analysis()))
    with pytest.raises(Stopping):
        walk()
    assert walk.by_number() == {1: DECIDED}


def test_the_file_holds_no_word_that_redaction_takes_out(tmp_path: Path) -> None:
    ticket = solved(1, description="My mail is jane.doe@example.com, please refund me.", names=("Jane Doe",))
    walk = Walk(tmp_path, HistoryDesk(ticket))
    walk()
    text = walk.path.read_text(encoding="utf-8")
    assert "jane.doe" not in text
    assert walk.by_number() == {1: DECIDED}
