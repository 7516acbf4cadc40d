"""``ticketbot run`` with many tickets: few requests, and a job that is handed in as the process is killed."""

from __future__ import annotations

import threading
from collections import Counter
from contextlib import closing
from typing import Any

import pytest

from ticket_processor.core.run_summary import Latencies
from ticket_processor.sandbox.messages import Request, Response
from ticket_processor.sandbox.store import BOT_ID
from ticket_processor.state.store import FILE_NAME, State

from .conftest import Desk, OpenDesk, wait_for

MANY = 60


def is_job(request: Request) -> bool:
    return request.method == "PUT" and request.path.endswith("/update_many")


def jobs_of_open_intents(desk: Desk) -> set[str | None]:
    with closing(State(desk.state / FILE_NAME)) as state:
        return {item.job for item in state.unsettled()}


def exactly_once(desk: Desk) -> None:
    """Every ticket is done, and its one note of ours is internal."""
    desk.assert_done()
    for number in desk.tickets:
        (audit,) = [audit for audit in desk.tickets[number].audits if audit.author_id == BOT_ID]
        assert audit.comment_public is False
        assert set(audit.custom["ticketbot"]) == {"key", "intent"}


def test_many_tickets_take_few_requests_and_the_log_says_why(open_desk: OpenDesk) -> None:
    desk = open_desk(100)
    ended = desk("run", "--since", "1d", "--json")
    exactly_once(desk)
    assert ended.object["outcomes"] == {"updated": 100}
    asked = desk.helpdesk_requests()
    assert not any(line.startswith("PUT") and not line.endswith("/update_many") for line in asked)
    assert sum(not line.endswith("/audits") for line in asked) <= 12
    assert len(asked) <= 40  # the first five and a sample of the rest are looked at closely
    (line,) = [line for line in desk.events("alert") if line["what"] == "write_mode"]
    assert (line["mode"], line["why"].partition(" ")[2]) == ("batch", "tickets are under way")
    told = [line for line in desk.events("ticket") if line["job"]]
    assert len(told) == 100
    assert set(told[0]["change"]) >= {"tags_added", "priority", "note", "stamp", "key"}
    intents = [line["intent"] for line in desk.events("intent")]
    assert {line["intent"] for line in told} <= set(intents)
    assert len(intents) == 101, "the trial's stale item was sent again"


@pytest.mark.slow
def test_the_time_of_a_job_makes_no_ticket_slow(open_desk: OpenDesk) -> None:
    desk = open_desk(MANY)
    desk.configure('[run]\nwrite_mode = "batch"\n')
    desk("run", "--since", "1d")
    times = [line["timings_ms"] for line in desk.events("ticket")]
    assert all(line["job"] for line in desk.events("ticket"))
    assert min(time["write"] for time in times) > 10 * max(1, min(time["analyse"] for time in times))
    slowest = max(time["analyse"] for time in times)
    assert desk("report", "--json").object["latency_ms"]["most"] == slowest
    (finished,) = desk.events("run_finished")
    assert 1.11 * slowest + 1 >= (Latencies(finished["latencies"]).quantile(1.0) or 0)


@pytest.mark.slow
@pytest.mark.parametrize("arrived", [True, False], ids=["the job arrived", "the job got lost"])
def test_a_crash_while_a_job_is_handed_in_is_settled_by_the_next_run(open_desk: OpenDesk, arrived: bool) -> None:
    desk = open_desk(MANY)
    dead, second, jobs = threading.Event(), threading.Event(), []

    def hold(request: Request) -> None:
        """The second job's request hangs, before or after it is taken in, until the process is dead."""
        if is_job(request):
            jobs.append(request)
            if len(jobs) == 2:
                second.set()
                dead.wait(60)
                if not arrived:
                    raise ConnectionAbortedError

    def hold_answer(request: Request, _: Response) -> None:
        hold(request)

    hooks: list[Any] = desk.sandbox.after_request if arrived else desk.sandbox.on_request
    hooks.append(hold_answer if arrived else hold)
    process = desk.start("run", "--since", "1d")
    wait_for(second, process)
    process.kill()
    process.wait(timeout=20)
    dead.set()
    hooks.pop()
    assert jobs_of_open_intents(desk) == {None}

    desk.advance(60)
    desk.seen.clear()
    desk("run")
    exactly_once(desk)
    assert sum(map(is_job, desk.seen)) == (0 if arrived else 1)
    reasons = Counter(line["reason"] for line in desk.events("ticket"))
    assert reasons["confirmed_by_reading"] == (MANY - 5 if arrived else 0)
