from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest

from ticket_processor.core.errors import (
    Halted,
    JobRefused,
    NotePublished,
)
from ticket_processor.core.models import Outcome, OutcomeStatus
from ticket_processor.helpdesk.ticket_history import Edit
from ticket_processor.pipeline import job_trust
from ticket_processor.pipeline.jobs import TRIAL_ITEMS, Delivery
from ticket_processor.state.records import Verdict
from ticket_processor.tags import reference

from ..support.fakes import a_ticket
from ..support.writeback_rig import Bench, learnt, opened

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


def test_many_tickets_go_as_jobs_and_the_log_says_so_once(bench: Bench) -> None:
    outcomes = bench.bring(tickets(bench, 230), delivery=Delivery())
    assert bench.desk.sizes() == [100, 100, 30]
    assert bench.desk.written == []
    written_once(bench, outcomes)
    assert {outcome.job for outcome in outcomes} == {"job-1", "job-2", "job-3"}
    (said,) = alerts(bench, "write_mode")
    assert (said["mode"], said["why"]) == ("batch", "230 tickets are under way")
    assert said["verified"] == "by reading back"


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


# Ends before the end


def test_the_kill_switch_stops_a_job_before_it_is_sent(bench: Bench) -> None:
    def switch() -> None:
        raise Halted("the kill switch is set")

    with pytest.raises(Halted):
        bench.bring(tickets(bench, 30), delivery=Delivery(), before_write=switch)
    assert bench.desk.times("update_many") == 0
    assert [item.sent for item in bench.state.unsettled()] == [()] * 30
