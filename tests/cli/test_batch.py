"""``ticketbot run`` with many tickets: jobs over HTTP, what can become of them, and what is remembered."""

from __future__ import annotations

import threading
from collections import Counter
from typing import Any

import pytest

from ticket_processor.core.latency_histogram import Latencies
from ticket_processor.helpdesk import batch_trust
from ticket_processor.pipeline.delivery import FEW
from ticket_processor.pipeline.jobs import TRIAL_ITEMS
from ticket_processor.pipeline.writeback import SMALL_JOB
from ticket_processor.sandbox.account import BOT_ID, PERSON_ID
from ticket_processor.sandbox.messages import Request, Response
from ticket_processor.state.store import FILE_NAME, State

from ..imitation import Rules, Sandbox
from .conftest import Desk, OpenDesk, is_update, rows, wait_for

MANY = 60
AREA = 2001
"""A drop-down of the imitation's own."""


def configure(desk: Desk, toml: str) -> None:
    (desk.folder / "ticketbot.toml").write_text(toml, encoding="utf-8")


def is_job(request: Request) -> bool:
    return request.method == "PUT" and request.path.endswith("/update_many")


def is_single(request: Request) -> bool:
    return is_update(request) and not is_job(request)


def modes(desk: Desk) -> list[tuple[str, str]]:
    """What the log says about the way that writes went."""
    return [(line["mode"], line["why"]) for line in desk.events("alert") if line["what"] == "write_mode"]


def state_of(desk: Desk) -> State:
    return State(desk.state / FILE_NAME)


def learnt(desk: Desk) -> batch_trust.BatchTrust | None:
    state = state_of(desk)
    try:
        return batch_trust.learnt(state)
    finally:
        state.close()


def jobs_of_open_intents(desk: Desk) -> set[str | None]:
    state = state_of(desk)
    try:
        return {item.job for item in state.unsettled()}
    finally:
        state.close()


def exactly_once(desk: Desk) -> None:
    """Every ticket is done, and its one note of ours is internal."""
    desk.assert_done()
    for number in desk.tickets:
        (audit,) = [audit for audit in desk.tickets[number].audits if audit.author_id == BOT_ID]
        assert audit.comment_public is False
        assert set(audit.custom["ticketbot"]) == {"key", "intent"}


# Which way


def test_many_tickets_take_few_requests_and_the_log_says_why(open_desk: OpenDesk) -> None:
    desk = open_desk(100)
    ended = desk("run", "--since", "1d", "--json")
    exactly_once(desk)
    assert ended.object["outcomes"] == {"updated": 100}
    asked = desk.helpdesk_requests()
    assert not any(line.startswith("PUT") and not line.endswith("/update_many") for line in asked)
    assert sum(not line.endswith("/audits") for line in asked) <= 12
    assert len(asked) <= 40  # the first five and a sample of the rest are looked at closely
    ((mode, why),) = modes(desk)
    assert (mode, why.partition(" ")[2]) == ("batch", "tickets are under way")
    told = [line for line in desk.events("ticket") if line["job"]]
    assert len(told) == 100
    assert set(told[0]["change"]) >= {"tags_added", "priority", "note", "stamp", "key"}
    intents = [line["intent"] for line in desk.events("intent")]
    assert {line["intent"] for line in told} <= set(intents)
    assert len(intents) == 101, "the trial's stale item was sent again"


@pytest.mark.slow
def test_the_time_of_a_job_makes_no_ticket_slow(open_desk: OpenDesk) -> None:
    desk = open_desk(MANY)
    configure(desk, '[run]\nwrite_mode = "batch"\n')
    desk("run", "--since", "1d")
    times = [line["timings_ms"] for line in desk.events("ticket")]
    assert all(line["job"] for line in desk.events("ticket"))
    assert min(time["write"] for time in times) > 10 * max(1, min(time["analyse"] for time in times))
    slowest = max(time["analyse"] for time in times)
    assert desk("report", "--json").object["latency_ms"]["most"] == slowest
    (finished,) = desk.events("run_finished")
    assert 1.11 * slowest + 1 >= (Latencies(finished["latencies"]).quantile(1.0) or 0)


def test_a_few_tickets_go_one_by_one(open_desk: OpenDesk) -> None:
    desk = open_desk(10)
    desk("run", "--since", "1d")
    exactly_once(desk)
    assert sum(map(is_single, desk.seen)) == 10
    assert modes(desk) == []


@pytest.mark.parametrize(("mode", "count", "as_jobs"), [("single", MANY, 0), ("batch", 3, 3)])
def test_the_way_can_be_chosen(open_desk: OpenDesk, mode: str, count: int, as_jobs: int) -> None:
    desk = open_desk(count)
    configure(desk, f'[run]\nwrite_mode = "{mode}"\n')
    desk("run", "--since", "1d")
    exactly_once(desk)
    assert sum(bool(line["job"]) for line in desk.events("ticket")) == as_jobs
    assert sum(map(is_single, desk.seen)) == count - as_jobs


def test_a_dry_run_of_many_sends_no_write(open_desk: OpenDesk) -> None:
    desk = open_desk(MANY)
    ended = desk("run", "--since", "1d", "--dry-run", "--json")
    assert ended.object["outcomes"] == {"planned": MANY}
    assert not any(map(is_update, desk.seen))
    assert desk.marked() == []


@pytest.mark.slow
def test_the_first_job_on_an_account_is_small_and_what_it_showed_is_remembered(open_desk: OpenDesk) -> None:
    desk = open_desk(MANY)
    sizes: list[int] = []
    desk.sandbox.on_request.append(
        lambda request: sizes.append(len(request.json()["tickets"])) if is_job(request) else None
    )
    desk("run", "--since", "1d")
    exactly_once(desk)
    assert sizes[0] == 6  # five, and one that has to fail
    known = learnt(desk)
    assert known is not None
    assert known.ok

    sizes.clear()
    for row in rows(MANY):
        desk.sandbox.store.create(subject=row["subject"], body=row["body"])
    desk.advance(120)
    desk("run")
    exactly_once(desk)
    assert sum(sizes) >= MANY - FEW  # so few that come late are written one by one
    assert sizes[0] >= SMALL_JOB


# Accounts whose jobs do less than single updates


@pytest.mark.slow
@pytest.mark.parametrize(
    ("lacks", "word"), [({"batch_comment": False}, "its note"), ({"batch_metadata": False}, "its metadata")]
)
def test_an_account_whose_jobs_lose_something_is_written_to_one_by_one_from_then_on(
    open_desk: OpenDesk, lacks: dict[str, Any], word: str
) -> None:
    desk = open_desk(MANY, rules=Rules(job_seconds=(0.05, 0.0), **lacks))
    desk("run", "--since", "1d")
    assert len(desk.marked()) == MANY
    assert sum(len(desk.notes(number)) for number in desk.tickets) == (MANY - 5 if "note" in word else MANY)
    assert sum(map(is_job, desk.seen)) == 1
    assert [mode for mode, _ in modes(desk)] == ["batch", "single"]
    assert word in modes(desk)[-1][1]

    desk.seen.clear()
    for row in rows(MANY):
        desk.sandbox.store.create(subject=row["subject"], body=row["body"])
    desk.advance(120)
    desk("run")
    assert len(desk.marked()) == 2 * MANY
    assert not any(map(is_job, desk.seen))


def test_an_account_whose_jobs_publish_notes_halts_every_run_after_the_first_five(open_desk: OpenDesk) -> None:
    desk = open_desk(MANY, rules=Rules(job_seconds=(0.05, 0.0), batch_private=False))
    ended = desk("run", "--since", "1d", code=3)
    assert "became public" in ended.err
    assert len(desk.marked()) == 5
    assert [line["what"] for line in desk.events("alert")][-1] == "note_published"
    desk.seen.clear()
    again = desk("run", code=3)
    assert "--resume" in again.err
    assert not any(map(is_update, desk.seen))


def test_an_account_that_refuses_jobs_gets_single_updates(open_desk: OpenDesk) -> None:
    desk = open_desk(MANY, faults="status:PUT:/update_many:status=403")
    desk("run", "--since", "1d")
    exactly_once(desk)
    assert "HTTP 403" in modes(desk)[-1][1]


# What can become of a job


@pytest.mark.slow
@pytest.mark.parametrize(
    "faults",
    [
        "job-item-fails=0.3",
        "job-fails:times=1:after=1",
        "job-killed:times=1:after=1",
        "job-lost:times=1:after=1",
        "job-vanishes:seconds=0:times=1:after=1",
        "job-results-missing:times=1:after=1",
        "job-no-results:times=1:after=1",
        "lost-reply:PUT:/update_many:times=1:after=1",
        "lost-request:PUT:/update_many:times=1:after=1",
        "error-after:PUT:/update_many:times=1:after=1",
        "half-body:PUT:/update_many:times=1:after=1",
        "late-commit:PUT:/update_many:seconds=2:times=1:after=1",
        "error-before=0.3:GET:/job_statuses",
        "human-edit:PUT:/update_many:edit=add-tag,job-results-missing:times=1:after=1",
    ],
)
def test_whatever_goes_wrong_with_a_job_every_ticket_is_written_once(open_desk: OpenDesk, faults: str) -> None:
    desk = open_desk(MANY, faults=faults, seed=3)
    ended = desk("run", "--since", "1d", code=None)
    assert ended.code in (0, 1), ended.err
    desk.sandbox.faults.rules.clear()
    desk.advance(300)
    desk("run")
    exactly_once(desk)
    people = {tag for ticket in desk.tickets.values() for audit in ticket.audits for tag in audit.tags_added}
    kept = {tag for ticket in desk.tickets.values() for tag in ticket.tags}
    assert {tag for tag in people if tag.startswith("human_")} <= kept


def test_what_a_person_does_between_the_read_and_the_job_stays(open_desk: OpenDesk) -> None:
    desk = open_desk(MANY)
    edited: list[int] = []

    def edit(request: Request) -> None:
        if is_job(request) and not edited:
            for item in request.json()["tickets"][:3]:
                edited.append(item["id"])
                desk.sandbox.store.person_edit(item["id"], add_tags=("theirs",), priority="low")

    desk.sandbox.on_request.append(edit)
    desk("run", "--since", "1d", code=None)
    desk.advance(300)
    desk("run")
    exactly_once(desk)
    assert len(edited) == 3
    for number in edited:
        assert "theirs" in desk.ticket(number)["tags"]
        assert desk.ticket(number)["priority"] == "low"


# Runs that end while a job is under way


@pytest.mark.slow
def test_jobs_that_outlast_a_run_are_found_by_the_next_one_and_not_sent_again(open_desk: OpenDesk) -> None:
    desk = open_desk(MANY, faults="job-slow:seconds=60:after=1")
    configure(desk, "[run]\ndeadline_s = 15\n")
    first = desk("run", "--since", "1d", code=1)
    assert "by their ids" in first.err + first.out
    assert len(desk.marked()) == 5
    (job,) = jobs_of_open_intents(desk)
    assert job is not None

    desk.advance(120)
    desk.seen.clear()
    desk("run")
    exactly_once(desk)
    assert not any(map(is_update, desk.seen))
    asked = [request for request in desk.seen if request.path.endswith("/job_statuses/show_many")]
    assert [request.query["ids"] for request in asked] == [job]
    counted = Counter(line["ticket_id"] for line in desk.events("ticket"))
    assert counted == dict.fromkeys(range(1, MANY + 1), 1)


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


@pytest.mark.slow
def test_the_kill_switch_stops_a_run_before_its_next_job(open_desk: OpenDesk) -> None:
    desk = open_desk(MANY)

    def switch(request: Request) -> None:
        if is_job(request):
            (desk.state / "STOP").touch()

    desk.sandbox.on_request.append(switch)
    ended = desk("run", "--since", "1d", code=3)
    assert "STOP" in ended.err
    desk.advance(1)
    assert len(desk.marked()) == 5  # the job that was under way
    desk.sandbox.on_request.remove(switch)
    (desk.state / "STOP").unlink()
    desk("run")
    exactly_once(desk)


# Parts


@pytest.mark.slow
def test_a_group_that_does_not_exist_is_left_out_and_completed_once_it_does(open_desk: OpenDesk) -> None:
    desk = open_desk(MANY)
    configure(
        desk,
        'fallback_category = "general"\n'
        '[[categories]]\nname = "general"\ndescription = "Everything."\ngroup = 424242\n'
        '[[categories]]\nname = "other"\ndescription = "Nothing."\n',
    )
    ended = desk("run", "--since", "1d")
    exactly_once(desk)
    assert {desk.ticket(number)["group_id"] for number in desk.tickets} == {None}
    assert "424242" in ended.out + ended.err
    state = state_of(desk)
    waiting = {item.reason for item in state.retries()}, len(state.retries())
    state.close()
    assert waiting == ({"incomplete"}, MANY)

    store = desk.sandbox.store
    store.groups[424242] = {**next(iter(store.groups.values())), "id": 424242, "name": "New"}
    desk.advance(300)
    desk("run")
    assert {desk.ticket(number)["group_id"] for number in desk.tickets} == {424242}
    assert all(len(desk.notes(number)) == 1 for number in desk.tickets)
    state = state_of(desk)
    assert state.retries() == []
    state.close()


@pytest.mark.parametrize("mode", ["single", "batch"])
@pytest.mark.parametrize("overwrite", ["never", "always"])
def test_values_that_are_there_are_replaced_only_where_the_settings_say_so(
    open_desk: OpenDesk, mode: str, overwrite: str
) -> None:
    desk = open_desk(2)
    store = desk.sandbox.store
    group, theirs = list(store.groups)[:2]
    store.person_edit(1, priority="low", group_id=theirs, custom_fields={AREA: "area_web_shop"}, add_tags=("vip",))
    desk.advance(300)
    permissions = "".join(f'[policy.{name}]\noverwrite = "{overwrite}"\n' for name in ("priority", "group", "fields"))
    configure(
        desk,
        f"""
fallback_category = "general"
[run]
write_mode = "{mode}"
{permissions}
[[categories]]
name = "general"
description = "Everything."
group = {group}
fields = {{ {AREA} = "area_app" }}
[[categories]]
name = "other"
description = "Nothing."
""",
    )
    desk("run", "--since", "1d")
    exactly_once(desk)
    mine = desk.ticket(1)
    fields = {item["id"]: item["value"] for item in mine["custom_fields"]}
    if overwrite == "always":
        assert mine["priority"] != "low"
        assert (mine["group_id"], fields[AREA]) == (group, "area_app")
        assert "area_app" in mine["tags"]
        assert "area_web_shop" not in mine["tags"]
    else:
        assert (mine["priority"], mine["group_id"], fields[AREA]) == ("low", theirs, "area_web_shop")
        assert "area_app" not in mine["tags"]
    assert "vip" in mine["tags"]
    assert {item["id"]: item["value"] for item in desk.ticket(2)["custom_fields"]}[AREA] == "area_app"


class Overwriting(Sandbox):
    """A helpdesk whose guard has a hole: somebody's edit falls into the second of the stamp of the first update."""

    done = False

    def handle(self, request: Request) -> Response:
        if is_single(request) and not self.done:
            self.done = True
            number = int(request.path.rsplit("/", 1)[1])
            with self.store.lock:
                before = self.store.tickets[number].json["updated_at"]
                self.store.person_edit(number, add_tags=("theirs",), priority="low")
                self.store.tickets[number].json["updated_at"] = before
        return super().handle(request)


def test_what_a_write_took_away_all_the_same_is_told_and_put_back_by_the_next_run(open_desk: OpenDesk) -> None:
    desk = open_desk(1, kind=Overwriting)
    desk("run", "--since", "1d")
    assert "theirs" not in desk.ticket(1)["tags"]
    (said,) = [line for line in desk.events("alert") if line["what"] == "overwrote"]
    assert (said["ticket_id"], said["parts"]) == (1, ["tags", "priority"])

    desk.advance(300)
    desk("run")
    assert "theirs" in desk.ticket(1)["tags"]
    assert desk.ticket(1)["priority"] == "low"
    desk.assert_done()
    desk.advance(300)
    assert "nothing to do" in desk("run").out


# Accounts without a place for our jobs, records that are refused, runs that end early


class Crowded(Sandbox):
    """A helpdesk whose jobs are all taken by others, and which asks for no more than a second's patience."""

    def handle(self, request: Request) -> Response:
        response = super().handle(request)
        if "Retry-After" in response.headers:
            response.headers["Retry-After"] = "1"
        return response


@pytest.mark.slow
def test_an_account_whose_job_slots_stay_full_gets_single_updates(open_desk: OpenDesk) -> None:
    desk = open_desk(MANY, kind=Crowded, rules=Rules(max_jobs=0))
    ended = desk("run", "--since", "1d", "--json")
    exactly_once(desk)
    assert ended.object["outcomes"] == {"updated": MANY}
    assert ended.object["writes"] == {"singly": MANY, "in_jobs": 0, "jobs": 0, "open": 0, "without": 0}
    assert [mode for mode, _ in modes(desk)] == ["batch", "single"]
    assert "other programs use all the jobs" in modes(desk)[-1][1]
    assert jobs_of_open_intents(desk) == set()


def test_an_account_whose_records_cannot_be_read_is_written_to_one_by_one(open_desk: OpenDesk) -> None:
    desk = open_desk(MANY, faults="status:GET:/audits:status=422")
    ended = desk("run", "--since", "1d", "--json", code=3)  # what the trial wrote is not known
    assert ended.object["writes"]["singly"] >= MANY - 3 * (TRIAL_ITEMS + 1)
    assert ended.object["writes"]["in_jobs"] == 0, "what a job's items replaced is not known"
    assert learnt(desk) is None
    desk.sandbox.faults.rules.clear()
    desk("run")
    exactly_once(desk)


@pytest.mark.slow
def test_a_limit_holds_for_what_an_earlier_run_left_open(open_desk: OpenDesk) -> None:
    desk = open_desk(MANY, faults="job-slow:seconds=60:after=1")
    configure(desk, "[run]\ndeadline_s = 15\n")
    desk("run", "--since", "1d", code=1)
    before = len(desk.marked())
    desk.sandbox.faults.rules.clear()
    configure(desk, '[run]\nwrite_mode = "single"\n')
    desk.advance(120)
    told = len(desk.events("ticket"))
    ended = desk("run", "--limit", "3", "--json")
    assert sum(ended.object["outcomes"].values()) == 3
    assert len(desk.events("ticket")) == told + 3
    assert before == 5
    desk.advance(120)
    desk("run")
    exactly_once(desk)


def test_the_last_lines_of_a_run_say_by_which_way_it_wrote(open_desk: OpenDesk) -> None:
    desk = open_desk(MANY)
    assert f"written: {MANY} in 2 jobs" in desk("run", "--since", "1d").out


@pytest.mark.parametrize("status", ["pending", "solved"])
def test_what_a_write_took_away_is_put_back_although_the_person_has_moved_the_ticket_on(
    open_desk: OpenDesk, status: str
) -> None:
    desk = open_desk(1, kind=Overwriting)
    desk("run", "--since", "1d")
    desk.sandbox.store.person_edit(1, status=status, assignee_id=PERSON_ID)
    desk.advance(300)
    desk("run")
    assert "theirs" in desk.ticket(1)["tags"]
    assert desk.ticket(1)["priority"] == "low"
    assert desk.ticket(1)["status"] == status
