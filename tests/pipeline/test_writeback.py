from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from ticket_processor.audit.receipts import AuditLog
from ticket_processor.core.errors import (
    AuditUnwritable,
    CannotRun,
    OutcomeUnknown,
    UpdateConflict,
    UpdateRefused,
)
from ticket_processor.core.models import Change, OutcomeStatus, Priority

from ..support.fakes import a_ticket
from ..support.writeback_rig import Bench, opened


@pytest.fixture
def bench(tmp_path: Path) -> Iterator[Bench]:
    with opened(tmp_path, a_ticket(1, tags=("vip",)), known=False) as bench:
        yield bench


def test_the_intent_is_on_disk_and_in_the_state_before_anything_is_sent(bench: Bench) -> None:
    def look(change: Change) -> None:
        assert [(line["event"], line["intent"]) for line in bench.lines()] == [("intent", change.intent)]
        assert [item.sent for item in bench.state.unsettled()] == [(change,)]

    bench.desk.updates = [look]
    assert bench.one().status is OutcomeStatus.UPDATED


def test_without_a_receipt_nothing_is_sent(bench: Bench, tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    bench.audit = AuditLog(tmp_path / "file", bench.clock, "run")
    with pytest.raises(AuditUnwritable):
        bench.settle()
    assert bench.desk.written == []


def test_after_a_conflict_the_ticket_is_merged_anew_with_what_a_person_did(bench: Bench) -> None:
    bench.desk.updates = [bench.conflict(tags=("vip", "theirs"), priority=Priority.LOW)]
    outcome = bench.one()
    assert (outcome.status, outcome.attempts) == (OutcomeStatus.UPDATED, 2)
    first, second = bench.desk.written
    assert second.tags == ("vip", "theirs", "ai_processed", "ai_billing")
    assert second.priority is None
    assert second.priority_before is Priority.LOW
    assert second.stamp == bench.desk.tickets[1].updated_at
    assert first.intent != second.intent
    assert bench.desk.times("history") == 1


def test_an_unknown_outcome_that_did_happen_is_confirmed_by_reading_and_not_repeated(bench: Bench) -> None:
    bench.desk.updates = [bench.lands(OutcomeUnknown("lost"))]
    outcome = bench.one()
    assert (outcome.status, outcome.reason) == (OutcomeStatus.UPDATED, "confirmed_by_reading")
    assert len(bench.desk.written) == 1
    assert outcome.change == bench.desk.written[0]


def test_a_marker_whose_origin_the_record_does_not_tell_means_hands_off(bench: Bench) -> None:
    bench.somebody(tags=("vip", "ai_processed"))
    outcome = bench.one()
    assert (outcome.status, outcome.reason, outcome.change) == (OutcomeStatus.SKIPPED, "marked_by_others", None)
    assert bench.desk.written == []


@pytest.mark.parametrize("ago", [0.0, 1.0, 5.0, 6.0])
def test_a_ticket_that_changed_just_now_is_left_for_a_later_run(bench: Bench, ago: float) -> None:
    verdict = bench.verdict()
    bench.somebody(ago=ago)
    (outcome,) = bench.bring([verdict])
    if ago < 6.0:
        assert (outcome.status, outcome.reason) == (OutcomeStatus.SKIPPED, "deferred_changed_just_now")
    assert (outcome.retry, len(bench.desk.written)) == ((True, 0) if ago < 6.0 else (False, 1))


def test_a_reply_without_a_date_is_no_ground_for_a_write(bench: Bench) -> None:
    bench.somebody(ago=100, read_at=None)
    with pytest.raises(CannotRun, match="no Date header"):
        bench.one()
    assert bench.desk.written == []


def test_three_conflicts_are_enough_for_one_run(bench: Bench) -> None:
    bench.desk.updates = [bench.conflict(ago=100 - number) for number in range(9)]
    outcome = bench.one()
    assert (outcome.status, outcome.reason) == (OutcomeStatus.FAILED, "changed_again_and_again")
    assert outcome.retry
    assert (outcome.attempts, len(bench.desk.written)) == (3, 3)


def test_a_dry_run_plans_and_sends_nothing(bench: Bench) -> None:
    outcome = bench.one(dry_run=True)
    assert outcome.status is OutcomeStatus.PLANNED
    assert outcome.change is not None
    assert outcome.change.tags_added == ("ai_processed", "ai_billing")
    assert bench.desk.written == []
    assert bench.lines() == []


GONE = {
    "solved": "solved",
    "closed": "closed",
    "deleted": "deleted",
    "pending": "person_was_faster_pending",
    "hold": "person_was_faster_hold",
    "not there": "deleted",
}


@pytest.mark.parametrize("when", ["since it was read", "during a conflict"])
@pytest.mark.parametrize(("status", "reason"), GONE.items())
def test_a_ticket_that_somebody_has_dealt_with_is_skipped(bench: Bench, status: str, reason: str, when: str) -> None:
    def gone(_change: Change | None = None) -> None:
        if status == "not there":
            del bench.desk.tickets[1]
        else:
            bench.somebody(status=status)
        if when == "during a conflict":
            raise UpdateConflict("changed")

    if when == "during a conflict":
        bench.desk.updates = [gone]
    else:
        gone()
    outcome = bench.one()
    assert (outcome.status, outcome.reason, outcome.retry) == (OutcomeStatus.SKIPPED, reason, False)
    assert len(bench.desk.written) == (when == "during a conflict")


@pytest.mark.parametrize(("ago", "told"), [(1.0, []), (100.0, ["note_left"])])
def test_a_note_that_stays_alone_is_told_of_unless_the_next_run_goes_on(
    bench: Bench, ago: float, told: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def stays(_change: Change) -> None:
        raise UpdateRefused("the helpdesk deletes no notes")

    def conflict(_change: Change) -> None:
        bench.somebody(ago=ago, status="open" if ago == 1.0 else "solved")
        raise UpdateConflict("changed")

    monkeypatch.setattr(bench.desk, "withdraw", stays)
    bench.desk.updates = [conflict]
    outcome = bench.one()
    assert (outcome.status, outcome.retry) == (OutcomeStatus.SKIPPED, ago == 1.0)
    assert [line["what"] for line in bench.lines() if line["event"] == "alert"] == told


@pytest.mark.parametrize("when", ["since it was analysed", "during a conflict"])
def test_a_hands_off_tag_that_is_set_while_the_model_thinks_is_heeded(bench: Bench, when: str) -> None:
    verdict = bench.verdict()
    tags = ("vip", "ai_hands_off")
    if when == "during a conflict":
        bench.desk.updates = [bench.conflict(tags=tags)]
    else:
        bench.somebody(tags=tags)
    (outcome,) = bench.bring([verdict])
    assert (outcome.status, outcome.reason, outcome.retry) == (OutcomeStatus.SKIPPED, "hands_off", False)
    assert len(bench.desk.written) == (when == "during a conflict")
    assert bench.desk.tickets[1].tags == tags
