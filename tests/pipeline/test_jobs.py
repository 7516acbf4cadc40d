"""Many tickets as jobs of a hundred: which way a write goes, and that no doubt about a job leads to a second write."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest

from ticket_processor.core.errors import (
    DeadlineReached,
    Halted,
    JobRefused,
    NotePublished,
    PartRefused,
)
from ticket_processor.core.models import Outcome, OutcomeStatus
from ticket_processor.helpdesk.ticket_history import Edit
from ticket_processor.pipeline import job_trust
from ticket_processor.pipeline.jobs import TRIAL_ITEMS, Delivery
from ticket_processor.state.records import Verdict
from ticket_processor.tags import reference

from ..support.fakes import a_decision, a_ticket
from ..support.writeback_rig import Bench, learnt, opened, outcomes_of

BATCH = Delivery("batch")


@pytest.fixture
def bench(tmp_path: Path) -> Iterator[Bench]:
    """An account whose jobs were seen to hold, and are read back."""
    with opened(tmp_path) as bench:
        yield bench


def tickets(bench: Bench, count: int, first: int = 1) -> list[Verdict]:
    numbers = range(first, first + count)
    bench.desk.tickets |= {number: a_ticket(number, tags=("vip",)) for number in numbers}
    return [bench.verdict(number) for number in numbers]


def alerts(bench: Bench, what: str) -> list[dict[str, Any]]:
    return [line for line in bench.lines() if line["event"] == "alert" and line["what"] == what]


def by_status(outcomes: Sequence[Outcome]) -> dict[int, OutcomeStatus]:
    return {outcome.ticket_id: outcome.status for outcome in outcomes}


def written_once(bench: Bench, outcomes: Sequence[Outcome]) -> None:
    """Every ticket is told as updated, carries the marker, and has one edit of ours."""
    assert set(by_status(outcomes).values()) == {OutcomeStatus.UPDATED}
    assert sorted(by_status(outcomes)) == sorted(bench.desk.tickets)
    for number, ticket in bench.desk.tickets.items():
        singly = [change for change in bench.desk.written if change.ticket_id == number]
        assert len(singly) + sum(bool(edit.key) for edit in bench.desk.edits.get(number, ())) == 1, number
        assert "ai_processed" in ticket.tags or singly


# Which way


@pytest.mark.parametrize(("count", "delivery"), [(24, Delivery()), (130, Delivery("single"))], ids=["few", "wanted"])
def test_a_few_tickets_go_one_by_one_and_as_many_as_are_wanted_so(bench: Bench, count: int, delivery: Delivery) -> None:
    outcomes = bench.bring(tickets(bench, count), delivery=delivery)
    assert (len(bench.desk.written), bench.desk.jobs_taken) == (count, {})
    assert alerts(bench, "write_mode") == []
    assert {outcome.job for outcome in outcomes} == {None}


def test_many_tickets_go_as_jobs_and_the_log_says_so_once(bench: Bench) -> None:
    outcomes = bench.bring(tickets(bench, 230), delivery=Delivery())
    assert bench.desk.sizes() == [100, 100, 30]
    assert bench.desk.written == []
    written_once(bench, outcomes)
    assert {outcome.job for outcome in outcomes} == {"job-1", "job-2", "job-3"}
    (said,) = alerts(bench, "write_mode")
    assert (said["mode"], said["why"]) == ("batch", "230 tickets are under way")
    assert said["verified"] == "by reading back"


def test_tickets_that_are_still_being_analysed_count_as_on_their_way(bench: Bench) -> None:
    write_back = bench.write_back(delivery=Delivery())
    write_back.take(tickets(bench, 3))
    assert list(write_back.advance(outstanding=40)) == []
    assert bench.desk.written == []  # they wait for others to fill a job
    bench.clock.advance(11)
    list(write_back.advance(outstanding=40))
    assert bench.desk.sizes() == [3]  # but not for ever


def test_towards_the_end_jobs_are_sent_before_they_are_full(bench: Bench) -> None:
    write_back = bench.write_back(delivery=Delivery())
    write_back.take(tickets(bench, 60))
    list(write_back.advance(outstanding=60))
    list(write_back.advance(outstanding=183, last=True))
    assert bench.desk.sizes() == []
    list(write_back.advance(outstanding=182, last=True))
    assert bench.desk.sizes() == [60]  # a third as many as are still to come


def test_a_dry_run_sends_no_job(bench: Bench) -> None:
    outcomes = bench.bring(tickets(bench, 150), delivery=BATCH, dry_run=True)
    assert set(by_status(outcomes).values()) == {OutcomeStatus.PLANNED}
    assert (bench.desk.jobs_taken, bench.desk.written, bench.lines()) == ({}, [], [])


# A job


def test_an_item_that_failed_is_read_and_goes_alone(bench: Bench) -> None:
    bench.desk.items = {7: "failed"}
    outcomes = bench.bring(tickets(bench, 30), delivery=Delivery())
    written_once(bench, outcomes)
    assert [change.ticket_id for change in bench.desk.written] == [7]
    (seven,) = [outcome for outcome in outcomes if outcome.ticket_id == 7]
    assert (seven.attempts, seven.job) == (2, None)


def test_a_job_that_takes_too_long_is_judged_by_reading(bench: Bench) -> None:
    write_back = bench.write_back(delivery=BATCH)
    write_back.take(tickets(bench, 3))
    bench.desk.slow = True
    outcomes = outcomes_of(write_back.finish())
    written_once(bench, outcomes)
    assert {outcome.reason for outcome in outcomes} == {"confirmed_by_reading"}
    assert 180 <= sum(bench.clock.waits) <= 190


# Several jobs


def test_an_account_that_takes_no_jobs_gets_single_updates_and_the_log_says_why(bench: Bench) -> None:
    bench.desk.takings = [JobRefused("refused (HTTP 403)")]
    outcomes = bench.bring(tickets(bench, 130), delivery=Delivery())
    written_once(bench, outcomes)
    assert bench.desk.times("update_many") == 1
    assert len(bench.desk.written) == 130
    assert [said["why"] for said in alerts(bench, "write_mode")][-1] == "refused (HTTP 403)"


# An account of which nothing is known


def test_when_job_after_job_does_nothing_the_run_goes_on_one_by_one(bench: Bench) -> None:
    bench.desk.fates = ["lost"] * 10
    outcomes = bench.bring(tickets(bench, 500), delivery=Delivery("batch", most_jobs=4))
    written_once(bench, outcomes)
    assert bench.desk.times("update_many") == 4
    assert len(bench.desk.written) == 500
    (said,) = [said for said in alerts(bench, "write_mode") if said["mode"] == "single"]
    assert "changed nothing" in said["why"]


@pytest.fixture
def unknown(bench: Bench) -> Bench:
    """An account whose jobs nobody has looked at."""
    bench.state.forget(job_trust.TRUST)
    return bench


def test_the_first_job_on_an_unknown_account_is_small_and_looked_at_closely(unknown: Bench) -> None:
    outcomes = unknown.bring(tickets(unknown, 130), delivery=Delivery())
    written_once(unknown, outcomes)
    assert unknown.desk.sizes() == [TRIAL_ITEMS + 1, 100, 25]
    assert unknown.desk.times("history") == TRIAL_ITEMS + 2, "each of the first job's items, and one of each other job"
    known = learnt(unknown.state)
    assert (known.ok, known.stamps) == (True, True)


def test_no_second_job_is_sent_before_the_first_was_looked_at(unknown: Bench) -> None:
    write_back = unknown.write_back(delivery=Delivery())
    write_back.take(tickets(unknown, 300))
    unknown.desk.slow = True
    list(write_back.advance(0))
    unknown.clock.advance(30)
    list(write_back.advance(0))
    assert unknown.desk.sizes() == [TRIAL_ITEMS + 1]


@pytest.mark.parametrize(("loses", "what"), [("no note", "its note"), ("no metadata", "its metadata")])
def test_an_account_whose_jobs_lose_something_gets_single_updates_for_good(
    unknown: Bench, loses: Any, what: str
) -> None:
    unknown.desk.items = dict.fromkeys(range(1, 31), loses)
    outcomes = unknown.bring(tickets(unknown, 30), delivery=Delivery())
    assert set(by_status(outcomes).values()) == {OutcomeStatus.UPDATED}
    assert unknown.desk.sizes() == [TRIAL_ITEMS + 1]
    assert len(unknown.desk.written) == 30 - TRIAL_ITEMS
    assert what in alerts(unknown, "write_mode")[-1]["why"]

    more = {number: a_ticket(number) for number in range(31, 61)}
    unknown.desk.tickets |= more
    unknown.settle(*more, delivery=BATCH)  # another run, which remembers
    assert unknown.desk.sizes() == [TRIAL_ITEMS + 1]


def test_a_note_that_a_job_publishes_ends_everything(unknown: Bench) -> None:
    unknown.desk.items = {2: "public"}
    with pytest.raises(NotePublished, match="ticket 2 became public"):
        unknown.bring(tickets(unknown, 30), delivery=Delivery())
    assert (unknown.desk.sizes(), unknown.desk.written) == ([TRIAL_ITEMS + 1], [])
    assert job_trust.learnt(unknown.state) is None


def test_a_published_note_is_known_by_its_reference_where_the_item_lost_its_metadata_too(unknown: Bench) -> None:
    verdicts = tickets(unknown, 30)
    unknown.desk.items = {2: "no metadata"}
    unknown.desk.edits[2] = [Edit(at="", comment="public", text=f"Billing. Ref {reference(verdicts[1].key)}")]
    with pytest.raises(NotePublished):
        unknown.bring(verdicts, delivery=Delivery())


def test_a_first_job_of_which_nothing_held_proves_nothing_and_is_not_tried_for_ever(unknown: Bench) -> None:
    unknown.desk.fates = ["failed"] * 100
    outcomes = unknown.bring(tickets(unknown, 200), delivery=Delivery())
    written_once(unknown, outcomes)
    assert len(unknown.desk.jobs_taken) <= 3
    assert job_trust.learnt(unknown.state) is None  # another run may find it in a better mood
    assert alerts(unknown, "write_mode")[-1]["mode"] == "single"


# Ends before the end


def test_a_deadline_leaves_jobs_to_the_next_run_which_asks_for_them_by_their_ids(bench: Bench) -> None:
    verdicts = tickets(bench, 30)
    bench.desk.slow = True
    write_back = bench.write_back(delivery=Delivery(), seconds=20.0)
    write_back.take(verdicts)
    with pytest.raises(DeadlineReached, match="by their ids"):
        list(write_back.finish())
    assert {item.job for item in bench.state.unsettled()} == {"job-1"}

    bench.desk.slow = False
    bench.desk.asked.clear()
    outcomes = bench.run(delivery=Delivery())
    written_once(bench, outcomes)
    assert {outcome.job for outcome in outcomes} == {"job-1"}
    assert bench.desk.asked[0] == ("jobs", ("job-1",))
    assert bench.desk.sizes() == [30]
    assert bench.state.unsettled() == []


def test_the_kill_switch_stops_a_job_before_it_is_sent(bench: Bench) -> None:
    def switch() -> None:
        raise Halted("the kill switch is set")

    with pytest.raises(Halted):
        bench.bring(tickets(bench, 30), delivery=Delivery(), before_write=switch)
    assert bench.desk.times("update_many") == 0
    assert [item.sent for item in bench.state.unsettled()] == [()] * 30


# Parts that are refused, and what is written later


def of_group(bench: Bench, count: int, **fields: Any) -> list[Verdict]:
    return [
        verdict.model_copy(update={"decision": a_decision(verdict.ticket_id, group=77, **fields)})
        for verdict in tickets(bench, count)
    ]


def test_what_a_helpdesk_refuses_in_a_job_is_left_out_and_completed_by_a_later_run(bench: Bench) -> None:
    verdicts = of_group(bench, 1)
    bench.desk.items = {1: "failed"}
    bench.desk.updates = [PartRefused("knows no group 77", "group"), bench.happens]
    (outcome,) = bench.run(verdicts, delivery=BATCH)
    assert (outcome.status, outcome.missing) == (OutcomeStatus.UPDATED, ("group",))
    assert [change.group for change in bench.desk.written] == [77, None]
    (waiting,) = bench.state.retries()
    assert (waiting.ticket_id, waiting.attempts, waiting.reason) == (1, 0, "incomplete")

    bench.desk.updates = [bench.happens]
    (later,) = bench.run(delivery=Delivery())
    assert later.status is OutcomeStatus.UPDATED
    change = bench.desk.written[-1]
    assert (change.group, change.tags_added, change.note, change.priority) == (77, (), None, None)
    assert change.key != verdicts[0].key
    assert bench.desk.tickets[1].group == 77
    assert (bench.state.retries(), bench.state.unsettled()) == ([], [])


def test_once_a_group_is_known_to_be_refused_no_other_ticket_asks_for_it(bench: Bench) -> None:
    verdicts = of_group(bench, 3)
    bench.desk.updates = [PartRefused("knows no group 77", "group")]
    outcomes = bench.run(verdicts, delivery=Delivery("single"))
    assert [change.group for change in bench.desk.written] == [77, None, None, None]
    assert [outcome.missing for outcome in outcomes] == [("group",)] * 3
