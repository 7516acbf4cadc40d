from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from ticket_processor.audit.files import read_events
from ticket_processor.audit.receipts import AuditLog
from ticket_processor.core.clock import Deadline
from ticket_processor.core.errors import HelpdeskDown, NotePublished, RateLimited
from ticket_processor.core.models import Change, Outcome, OutcomeStatus, Overwrite, Priority
from ticket_processor.core.run_summary import Statement
from ticket_processor.helpdesk.ticket_history import Edit, History
from ticket_processor.pipeline.job_trust import JobTrust
from ticket_processor.pipeline.jobs import Tools
from ticket_processor.pipeline.settlement import Settled
from ticket_processor.pipeline.verify import LAG_S, WriteVerifier
from ticket_processor.state.records import Verdict
from ticket_processor.state.store import State
from ticket_processor.tags import REPAIR

from ..support.fakes import ManualClock, a_change, a_decision, an_analysis

CREATED = Edit(at="", creation=True)


class Record:
    """The helpdesk's record, of which only histories are asked. A list gives its items in turn, the last for ever."""

    def __init__(self) -> None:
        self.histories: dict[int, list[History | Exception]] = {}
        self.asked: list[int] = []

    def history(self, ticket_id: int) -> History:
        self.asked.append(ticket_id)
        steps = self.histories[ticket_id]
        step = steps.pop(0) if len(steps) > 1 else steps[0]
        if isinstance(step, Exception):
            raise step
        return step

    def holds(self, change: Change, *before: Edit, **fields: Any) -> None:
        """The ticket's record has ``before``, and our write as it was meant, but for ``fields``."""
        self.histories[change.ticket_id] = [History(edits=(CREATED, *before, recorded(change, **fields)))]


def recorded(change: Change, **fields: Any) -> Edit:
    given: dict[str, Any] = {
        "at": "",
        "key": change.key,
        "intent": change.intent,
        "tags_added": frozenset(change.tags_added),
        "tags_removed": frozenset(change.tags_removed),
        "priority": (change.priority_before, change.priority) if change.priority else None,
        "group": (change.group_before, change.group) if change.group else None,
        "fields": {key: (None, value) for key, value in change.fields.items()},
        "comment": "internal" if change.note else None,
        **fields,
    }
    return Edit(**given)


class Bench:
    """A witness with a record, a state and a log of its own."""

    def __init__(self, folder: Path, *, most: int = 100) -> None:
        self.clock = ManualClock()
        self.deadline = Deadline(self.clock, 540.0)
        self.desk = Record()
        self.state = State(None)
        self.audit = AuditLog(folder, self.clock, "run")
        self.witness = self.another(most=most)

    def another(self, run_id: str = "run", *, most: int, dry_run: bool = False) -> WriteVerifier:
        desk: Any = self.desk
        tools = Tools(desk, self.state, self.audit, self.clock, self.deadline, dry_run=dry_run)
        self.trust = JobTrust(tools)
        return WriteVerifier(tools, self.trust, run_id, most=most)

    def wrote(
        self, ticket_id: int = 1, *, then: Verdict | None = None, job: str | None = None, **fields: Any
    ) -> Change:
        """A receipt of a write, which the helpdesk has recorded just so."""
        change = a_change(ticket_id, intent=f"run-{ticket_id}", **fields)
        self.desk.holds(change)
        self.witness.saw(an_end(change, job=job, follow_up=then and (then, REPAIR)))
        return change

    def kept(
        self, ticket_id: int = 1, *, replaces: tuple[str, ...] = (), puts_back: bool = False, **fields: Any
    ) -> None:
        """The verdict that the write came from, as the state has it."""
        self.state.keep_verdict(
            Verdict(
                ticket_id=ticket_id,
                key="k",
                analysis=an_analysis(),
                decision=a_decision(ticket_id, **fields),
                clean_stamp="",
                replaces=replaces,
                puts_back=puts_back,
            )
        )

    def sworn(self) -> Statement:
        self.witness.read_back(5.0)
        return self.witness.statement()

    def alerts(self) -> list[dict[str, Any]]:
        if not self.audit.path.exists():
            return []
        return [line for line in read_events(self.audit.path) if line["event"] == "alert"]


def an_end(
    change: Change | None, status: OutcomeStatus = OutcomeStatus.UPDATED, job: str | None = None, **more: Any
) -> Settled:
    ticket_id = change.ticket_id if change else 1
    return Settled(Outcome(ticket_id=ticket_id, status=status, reason="by m-1", change=change, job=job), **more)


@pytest.fixture
def bench(tmp_path: Path) -> Iterator[Bench]:
    bench = Bench(tmp_path)
    yield bench
    bench.audit.close()
    bench.state.close()


# Receipts


@pytest.mark.parametrize(
    ("rule", "expected"),
    [
        (Overwrite.ALWAYS, {"replaced_by_policy": 4}),
        (Overwrite.BOT_SET, {}),
        (Overwrite.NEVER, {"human_values_changed": 4, "tickets": (1,)}),
    ],
)
def test_a_replaced_value_is_told_by_the_rule_that_allowed_it(
    bench: Bench, rule: Overwrite, expected: dict[str, Any]
) -> None:
    bench.kept(priority_overwrite=rule, group_overwrite=rule, fields_overwrite=rule)
    change = a_change(
        priority_before=Priority.LOW,
        group_before=7,
        group=8,
        fields={4: "a", 5: "b", 6: "c"},
        fields_replaced=(4, 5),
    )
    bench.witness.saw(an_end(change))
    assert bench.witness.statement() == Statement(written=1, **expected)


@pytest.mark.parametrize(
    ("kept", "foreign"),
    [
        ({"replaces": ("old", "vip")}, 0),
        ({"replaces": ("old",)}, 1),
        ({"tags_removed": ("old", "vip")}, 2),
        ({"tags_removed": ("old", "vip"), "puts_back": True}, 0),
    ],
)
def test_other_tags_than_those_of_an_earlier_write_count_as_foreign(
    bench: Bench, kept: dict[str, Any], foreign: int
) -> None:
    bench.kept(**kept)
    bench.wrote(tags_removed=("old", "vip"))
    tickets = (1,) if foreign else ()
    assert bench.sworn() == Statement(written=1, checked=1, foreign_tags_removed=foreign, tickets=tickets)


# The record


def test_what_a_write_took_from_people_is_told_and_put_back_by_the_next_run(bench: Bench) -> None:
    change = bench.wrote(group=8, fields={5: "topic"})
    bench.desk.holds(
        change,
        tags_removed=frozenset({"callback"}),
        priority=(Priority.LOW, Priority.HIGH),
        group=(7, 8),
        fields={5: ("theirs", "topic")},
    )
    assert bench.sworn() == Statement(
        written=1, checked=1, human_values_changed=3, foreign_tags_removed=1, tickets=(1,)
    )
    (alert,) = bench.alerts()
    assert (alert["what"], alert["ticket_id"]) == ("overwrote", 1)
    assert alert["parts"] == ["tags", "priority", "group", "fields"]
    (waiting,) = bench.state.unsettled()
    decision = waiting.verdict.decision
    assert (decision.tags, decision.priority, decision.group) == (("callback",), Priority.LOW, 7)
    assert decision.fields == {5: "theirs"}
    assert decision.priority_overwrite is Overwrite.BOT_SET
    assert waiting.verdict.follows
    assert waiting.verdict.key != change.key
    assert [(item.ticket_id, item.reason) for item in bench.state.retries()] == [(1, "repair")]


def test_a_value_that_changed_although_no_receipt_names_it_counts(bench: Bench) -> None:
    change = bench.wrote(priority=None, priority_before=Priority.LOW)
    bench.desk.holds(
        change, priority=(Priority.LOW, Priority.HIGH), group=(7, 8), fields={5: ("theirs", "x"), 6: (None, "y")}
    )
    assert bench.sworn().human_values_changed == 3


def test_a_public_note_ends_everything_and_is_sworn_to(bench: Bench) -> None:
    change = bench.wrote()
    bench.desk.holds(change, comment="public")
    with pytest.raises(NotePublished, match="ticket 1 became public"):
        bench.witness.read_back(5.0)
    assert bench.witness.statement() == Statement(written=1, checked=1, public_comments=1, tickets=(1,))


def test_a_write_that_a_copy_does_not_show_yet_is_looked_for_once_more(bench: Bench) -> None:
    change = bench.wrote()
    bench.wrote(2)
    there = bench.desk.histories[1][0]
    bench.desk.histories[1] = [History(edits=(CREATED,)), there]
    assert bench.sworn() == Statement(written=2, checked=2)
    assert bench.clock.waits == [LAG_S]
    assert bench.desk.asked == [1, 2, change.ticket_id]


@pytest.mark.parametrize("what", ["no write of ours", "another write of ours", "a write without its note"])
def test_a_receipt_whose_write_is_not_there_as_sent_is_told(bench: Bench, what: str) -> None:
    change = bench.wrote()
    edit = {
        "no write of ours": Edit(at=""),
        "another write of ours": recorded(change, intent="run-0"),
        "a write without its note": recorded(change, comment=None),
    }[what]
    bench.desk.histories[1] = [History(edits=(CREATED, edit))]
    assert bench.sworn() == Statement(written=1, checked=1, not_found=1, tickets=(1,))
    (alert,) = bench.alerts()
    assert (alert["what"], alert["ticket_id"], alert["intent"]) == ("write_not_found", 1, "run-1")


@pytest.mark.parametrize("end", [HelpdeskDown("gone"), RateLimited("later", not_before=1.0)])
def test_a_helpdesk_that_stops_to_answer_ends_the_reading_and_not_the_run(
    bench: Bench, end: HelpdeskDown | RateLimited
) -> None:
    bench.wrote(1)
    bench.wrote(2)
    bench.desk.histories[2] = [end]
    assert bench.witness.read_back(5.0) is end
    assert bench.witness.statement() == Statement(written=2, checked=1)


@pytest.mark.parametrize("guard_ended", [True, False])
def test_items_that_a_run_could_not_read_are_read_by_the_next_one_and_by_no_dry_run(
    bench: Bench, guard_ended: bool
) -> None:
    """Whether it knew that the guard had ended, or was stopped before it read anything back."""
    bench.wrote(1, job="job-1", tags_before=("vip",))
    bench.trust.guard_ended = guard_ended
    bench.witness.leave_unread()
    bench.desk.holds(a_change(1, intent="run-1"), tags_removed=frozenset({"vip"}))
    bench.another("dry", most=100, dry_run=True).read_back(5.0)
    assert (bench.desk.asked, bench.alerts()) == ([], [])
    bench.another("next", most=100).read_back(5.0)
    assert (bench.desk.asked, [line["what"] for line in bench.alerts()]) == ([1], ["overwrote"])
