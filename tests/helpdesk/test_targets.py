"""Groups and fields on their way through the write-back: filled in where empty, and never against a person."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from ticket_processor.core.errors import PartRefused
from ticket_processor.core.models import Change, Decision, OutcomeStatus, TakenOff, Ticket
from ticket_processor.helpdesk.ticket_history import Edit, History

from ..pipeline.test_writeback import Bench
from ..support.fakes import FakeDesk, a_decision, a_ticket

WANTED = a_decision(tags=("ai_processed", "ai_billing", "finance"), group=7, fields={1: "topic", 2: "money"})


class AskedDesk(FakeDesk):
    """A helpdesk where somebody has taken something off."""

    off = TakenOff()

    def history(self, ticket_id: int) -> History:
        super().history(ticket_id)
        off = self.off
        return History(
            edits=(
                Edit(
                    at="",
                    tags_removed=off.tags,
                    fields=dict.fromkeys(off.fields, ("theirs", None)),
                    group=(1, None) if off.group else None,
                ),
            )
        )


@pytest.fixture
def bench(tmp_path: Path) -> Iterator[Bench]:
    bench = Bench(tmp_path)
    yield bench
    bench.audit.close()
    bench.state.close()


def settle(bench: Bench, ticket: Ticket, decision: Decision = WANTED, off: TakenOff | None = None) -> AskedDesk:
    bench.desk = desk = AskedDesk(ticket)
    desk.off = off or TakenOff()
    (outcome,) = bench.bring([bench.verdict(decision=decision)])
    assert outcome.status is OutcomeStatus.UPDATED
    return desk


def test_a_touched_ticket_keeps_what_people_filled_in_and_stays_without_what_they_took_off(bench: Bench) -> None:
    off = TakenOff(tags=frozenset({"finance"}), fields=frozenset({2}), group=True)
    desk = settle(bench, a_ticket(touched=60, fields={1: "theirs"}), off=off)
    (change,) = desk.written
    assert (change.group, change.fields, change.fields_kept) == (None, {}, (1, 2))
    assert change.tags == ("ai_processed", "ai_billing")


@pytest.mark.parametrize(
    ("decision", "asked"),
    [
        (a_decision(priority=None), 0),
        (a_decision(), 1),
        (a_decision(priority=None, tags=("ai_processed", "finance")), 1),
        (a_decision(priority=None, group=7), 1),
        (a_decision(priority=None, fields={1: "x"}), 1),
    ],
    ids=["labels of ours", "a priority", "a tag", "a group", "a field"],
)
def test_only_for_what_people_may_have_set_is_it_asked_what_they_took_off(
    bench: Bench, decision: Decision, asked: int
) -> None:
    assert settle(bench, a_ticket(touched=60), decision).times("history") == asked


def test_the_intent_on_disk_names_group_and_fields_before_they_are_sent(bench: Bench) -> None:
    settle(bench, a_ticket())
    (line,) = [line for line in bench.lines() if line["event"] == "intent"]
    assert line["change"]["group"] == {"from": None, "to": 7}
    assert line["change"]["fields"] == {"1": {"from": None, "to": "topic"}, "2": {"from": None, "to": "money"}}


def refuses_group(change: Change) -> None:
    if change.group is not None:
        raise PartRefused("the helpdesk knows no such group", "group")


def test_an_unknown_group_costs_the_ticket_its_group_only_and_is_tried_once_in_a_run(bench: Bench) -> None:
    bench.desk = desk = FakeDesk(a_ticket(1), a_ticket(2), a_ticket(3))
    desk.updates = [refuses_group] * 4
    decisions = [WANTED, WANTED, WANTED.model_copy(update={"group": 8})]
    verdicts = [bench.verdict(number, decision=decision) for number, decision in enumerate(decisions, start=1)]
    outcomes = bench.bring(verdicts)
    assert [outcome.status for outcome in outcomes] == [OutcomeStatus.UPDATED] * 3
    assert [(change.ticket_id, change.group) for change in desk.written] == [
        (1, 7),
        (1, None),
        (2, None),
        (3, 8),
        (3, None),
    ]
    refused, written = desk.written[:2]
    assert (written.tags, written.fields, written.stamp) == (refused.tags, refused.fields, refused.stamp)
    intents = [line for line in bench.lines() if line["event"] == "intent"][:2]
    assert [line["change"]["group"]["to"] for line in intents] == [7, None]
    assert len({line["intent"] for line in intents} | {refused.intent, written.intent}) == 2


def test_a_write_without_its_group_is_guarded_as_any_other(bench: Bench) -> None:
    bench.desk = desk = FakeDesk(a_ticket())
    desk.updates = [refuses_group, bench.conflict(tags=("theirs",)), None]
    (outcome,) = bench.bring([bench.verdict(decision=WANTED)])
    assert outcome.status is OutcomeStatus.UPDATED
    assert desk.written[-1].group is None
    assert "theirs" in desk.written[-1].tags
    assert desk.written[-1].stamp != desk.written[0].stamp
