from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest

from ticket_processor.core.errors import NotePublished, TooManyJobs
from ticket_processor.core.models import Change, Outcome, OutcomeStatus, Ticket
from ticket_processor.core.run_summary import Writes
from ticket_processor.helpdesk.ticket_history import History
from ticket_processor.pipeline import job_trust
from ticket_processor.pipeline.job_trust import DAY_S
from ticket_processor.pipeline.jobs import FULL_IN_A_ROW, LOST_JOB_S, TRIAL_ITEMS, Delivery
from ticket_processor.state.records import Verdict

from ..support.fakes import a_decision, a_ticket
from ..support.memory_helpdesk import AS_JOBS, Office, Open
from ..support.writeback_rig import SEEN, Bench, learnt, opened


@pytest.fixture
def bench(tmp_path: Path) -> Iterator[Bench]:
    """An account of whose jobs nothing is known."""
    with opened(tmp_path, *many(60), known=False) as bench:
        yield bench


def many(count: int) -> list[Ticket]:
    return [a_ticket(number, tags=("vip",)) for number in range(1, count + 1)]


def is_full(*_: object) -> None:
    raise TooManyJobs("thirty under way", 10.0)


def ended(outcomes: Sequence[Outcome]) -> set[OutcomeStatus]:
    return {outcome.status for outcome in outcomes}


# An account whose jobs are all taken by others


def test_an_account_whose_job_slots_stay_full_gets_single_updates_and_the_log_says_so(bench: Bench) -> None:
    bench.desk.takings = [is_full] * 1000
    bench.desk.updates = [bench.happens] * 60
    outcomes = bench.run(bench.verdicts(), delivery=AS_JOBS)
    assert (len(outcomes), ended(outcomes)) == (60, {OutcomeStatus.UPDATED})
    assert bench.desk.times("update_many") == FULL_IN_A_ROW
    assert len(bench.desk.written) == 60
    said = [line for line in bench.lines() if line["event"] == "alert"]
    assert [line["mode"] for line in said] == ["batch", "single"]
    assert "other programs use all the jobs" in said[-1]["why"]
    assert {outcome.attempts for outcome in outcomes} == {1}


# Runs that are shorter than the patience with a job


def at_work(open_office: Open) -> Office:
    """An account whose jobs hold, as was seen, and now work for ever and do nothing."""
    office = open_office(*many(60))
    job_trust.remember(office.state, SEEN)
    office.desk.slow, office.desk.fates = True, ["failed"] * 20
    return office


def test_a_run_that_ends_before_its_jobs_do_says_so_and_ends_with_1(open_office: Open) -> None:
    office = at_work(open_office)
    summary = office.run(delivery=AS_JOBS, seconds=60)
    why = "jobs with 60 tickets are not finished at the helpdesk; the next run asks for them by their ids"
    assert (summary.exit_code, summary.stopped, summary.stopped_by) == (1, why, "DeadlineReached")
    assert why in office.logged()


def test_a_job_that_an_unguarded_account_is_still_at_work_on_has_its_tickets_left_alone(open_office: Open) -> None:
    """Where no stamp guards, what the job may still do would come on top of what is sent again."""
    office = at_work(open_office)
    job_trust.remember(office.state, SEEN.model_copy(update={"stamps": False}))
    office.run(delivery=AS_JOBS, seconds=60)
    office.clock.advance(130)
    summary = office.run(delivery=AS_JOBS, seconds=60)
    assert (summary.outcomes, office.desk.written) == ({"skipped": 60}, [])
    office.clock.advance(60)
    summary = office.run(delivery=AS_JOBS, seconds=60)
    assert (summary.outcomes, office.desk.written) == ({"skipped": 60}, [])
    office.clock.advance(LOST_JOB_S)
    office.desk.slow = False
    assert office.run(delivery=AS_JOBS).outcomes == {"updated": 60}


# Jobs that are looked at closely


def jobs_one_by_one(bench: Bench, count: int) -> None:
    job_trust.remember(bench.state, SEEN)
    delivery = Delivery("batch", job_items=4, most_jobs=1)
    bench.run([bench.verdict(number) for number in range(1, 4 * count + 1)], delivery=delivery)


def test_the_trial_holds_one_item_that_must_fail_and_an_account_that_makes_it_is_written_to_one_by_one(
    bench: Bench,
) -> None:
    bench.desk.ignores_stamps = True
    bench.run(bench.verdicts(), delivery=AS_JOBS)
    assert (bench.desk.sizes(), len(bench.desk.stale)) == ([TRIAL_ITEMS + 1], 1)
    assert len(bench.desk.written) == 60 - (TRIAL_ITEMS + 1), "the stale item carried its change"
    known = learnt(bench.state)
    assert (known.ok, known.stamps) == (False, False)
    bench.run(bench.verdicts(), delivery=AS_JOBS)
    assert len(bench.desk.sizes()) == 1


def of_group(bench: Bench) -> list[Verdict]:
    return [
        verdict.model_copy(update={"decision": a_decision(verdict.ticket_id, group=77)}) for verdict in bench.verdicts()
    ]


def test_an_item_with_a_group_proves_that_stamps_guard_once_its_ticket_is_written_whole(bench: Bench) -> None:
    assert ended(bench.run(of_group(bench), delivery=AS_JOBS)) == {OutcomeStatus.UPDATED}
    assert bench.desk.sizes()[:2] == [TRIAL_ITEMS + 1] * 2
    assert len(bench.desk.stale) == 2
    assert learnt(bench.state).stamps is True


def test_an_account_that_begins_to_publish_notes_is_found_out_by_that(bench: Bench) -> None:
    bench.desk.items = dict.fromkeys(range(17, 61), "public")
    with pytest.raises(NotePublished, match="ticket 17 became public"):
        jobs_one_by_one(bench, 15)
    assert len(bench.desk.sizes()) == 5


# A guard that ends


def without_guard(open_office: Open, *touched: int) -> Office:
    """An account whose stamps are known to guard, and do no longer: people touch these tickets after they are read."""
    office = open_office(*many(60))
    job_trust.remember(office.state, SEEN)
    office.desk.ignores_stamps = True

    def touch(_changes: Sequence[Change]) -> None:
        for number in touched:
            office.desk.person(number, ago=100.0, tags=("vip", "callback"))

    office.desk.takings = [touch]
    return office


def test_a_guard_that_ends_is_noticed_by_the_sample_and_what_it_cost_is_put_back_by_the_next_run(
    open_office: Open,
) -> None:
    touched = range(25, 40)
    office = without_guard(open_office, *touched)
    summary = office.run(delivery=AS_JOBS, verify=20)
    assert (summary.exit_code, summary.stopped) == (1, None)
    assert "15 tickets lost a person's edit, which the next run puts back" in "".join(summary.remarks)
    assert [line["mode"] for line in office.alerts("write_mode")] == ["batch", "single"]
    office.desk.tickets |= {number: a_ticket(number) for number in range(61, 121)}
    office.clock.advance(600)
    assert office.run(delivery=AS_JOBS).writes == Writes(singly=60 + 15)
    assert all("callback" in office.desk.tickets[number].tags for number in touched)
    assert all("ai_processed" in ticket.tags for ticket in office.desk.tickets.values())


def test_a_late_record_that_shows_a_persons_edit_and_not_our_write_yet_does_not_mean_lost_metadata(
    open_office: Open, monkeypatch: pytest.MonkeyPatch
) -> None:
    office = without_guard(open_office, 1)
    office.state.forget(job_trust.TRUST)
    office.desk.items = {TRIAL_ITEMS + 1: "failed"}  # so that stamps seem to guard
    whole, late = office.desk.history, [1]

    def history(ticket_id: int) -> History:
        found = whole(ticket_id)
        if ticket_id not in late:
            return found
        late.remove(ticket_id)
        return History(edits=tuple(edit for edit in found.edits if not edit.key))

    monkeypatch.setattr(office.desk, "history", history)
    office.run(delivery=AS_JOBS)
    assert not late
    assert learnt(office.state).metadata
    assert [line["ticket_id"] for line in office.alerts("overwrote")] == [1]
    office.clock.advance(600)
    office.run(delivery=AS_JOBS)
    assert {"callback", "ai_processed"} <= set(office.desk.tickets[1].tags)


def test_a_guard_that_holds_is_tried_by_one_stale_item_a_day(open_office: Open) -> None:
    office = without_guard(open_office)
    office.desk.ignores_stamps = False
    office.run(delivery=AS_JOBS)
    assert office.desk.stale == []
    office.clock.advance(DAY_S + 1)
    for start in (61, 121):
        office.desk.tickets |= {number: a_ticket(number) for number in range(start, start + 60)}
        assert office.run(delivery=AS_JOBS).exit_code == 0
        assert len(office.desk.stale) == 1
