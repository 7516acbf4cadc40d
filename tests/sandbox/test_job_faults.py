"""What can go wrong with a job: it vanishes, dies, is slow, fails items for no reason, or does not say what it did."""

from __future__ import annotations

from typing import Any

import pytest

from ticket_processor.sandbox.messages import Response

from ..imitation import FaultPlan, Rules
from .helpers import Desk

MANY = 20


def desk_with(faults: str, tickets: int = MANY, **options: Any) -> Desk:
    return Desk(tickets, faults=faults, **options)


def batch(desk: Desk) -> Response:
    """A job that tags every ticket, each item guarded by its own stamp."""
    items = [{"id": key, "tags": ["mine"], "safe_update": True, "updated_stamp": desk.stamp(key)} for key in desk.ids]
    return desk.ask("PUT", "tickets/update_many.json", {"tickets": items})


def job_id(response: Response) -> str:
    assert response.status == 200, response.body
    return str(response.json()["job_status"]["id"])


def shown(desk: Desk, name: str) -> Any:
    """The job by its id; ``None`` when it is not found, by either way of asking."""
    one = desk.ask("GET", f"job_statuses/{name}")
    together = desk.get("job_statuses/show_many", ids=name)["job_statuses"]
    assert (one.status == 404) == (together == [])
    return one.json()["job_status"] if one.status == 200 else None


def done(desk: Desk) -> list[int]:
    return [key for key in desk.ids if desk.tags(key) == ["mine"]]


def ended(desk: Desk, response: Response) -> Any:
    desk.clock.advance(30)
    job = shown(desk, job_id(response))
    assert len(done(desk)) == (job or {"progress": len(done(desk))})["progress"]
    return job


def test_a_job_that_vanishes_is_done_all_the_same() -> None:
    desk = desk_with("job-vanishes")
    queued = batch(desk)
    assert queued.json()["job_status"]["status"] == "queued"
    assert shown(desk, job_id(queued)) is None
    assert ended(desk, queued) is None
    assert done(desk) == desk.ids
    assert list(desk.store.jobs) == [job_id(queued)]


def test_it_can_vanish_after_it_was_seen() -> None:
    desk = desk_with("job-vanishes:seconds=2")
    name = job_id(batch(desk))
    assert shown(desk, name)["status"] == "queued"
    desk.clock.advance(1.5)
    assert shown(desk, name)["status"] == "working"
    desk.clock.advance(0.6)
    assert shown(desk, name) is None


def test_a_lost_job_is_accepted_and_never_done_and_does_not_count_among_those_that_run() -> None:
    desk = desk_with("job-lost")
    assert ended(desk, batch(desk)) is None
    assert done(desk) == []
    assert not desk.store.jobs
    desk = desk_with("job-lost", 1, rules=Rules(max_jobs=1))
    assert [batch(desk).status for _ in range(3)] == [200, 200, 200]


def test_a_failed_job_has_done_nothing_and_a_killed_one_some_of_its_first_items() -> None:
    desk = desk_with("job-fails")
    job = ended(desk, batch(desk))
    assert (job["status"], job["results"], done(desk)) == ("failed", None, [])
    desk = desk_with("job-killed", seed=4)
    job = ended(desk, batch(desk))
    assert (job["status"], job["results"]) == ("killed", None)
    assert 0 < len(done(desk)) < MANY
    assert done(desk) == desk.ids[: len(done(desk))]
    assert str(job["message"]).startswith("Killed at ")


def test_items_fail_for_no_reason_each_with_the_rules_probability() -> None:
    desk = desk_with("job-item-fails=0.4")
    job = ended_partly(desk)
    failed = [item for item in job["results"] if item.get("success") is not True]
    assert 2 <= len(failed) <= 15
    assert all("success" not in item and item["error"] == "TicketUpdateFailed" for item in failed)
    assert sorted(item["id"] for item in failed) == sorted(set(desk.ids) - set(done(desk)))
    desk = desk_with("job-item-fails", rules=Rules(failed_item_form="schema"))
    assert all(item["success"] is False for item in ended_partly(desk)["results"])
    assert done(desk) == []


def ended_partly(desk: Desk) -> Any:
    response = batch(desk)
    desk.clock.advance(30)
    job = shown(desk, job_id(response))
    assert (job["status"], job["progress"]) == ("completed", MANY)
    return job


def test_a_job_can_be_silent_about_some_of_its_items_or_all() -> None:
    desk = desk_with("job-results-missing")
    job = ended(desk, batch(desk))
    told = [item["id"] for item in job["results"]]
    assert len(told) < MANY
    assert set(told) < set(done(desk)) == set(desk.ids)
    desk = desk_with("job-no-results")
    job = ended(desk, batch(desk))
    assert (job["status"], job["results"], done(desk)) == ("completed", None, desk.ids)


def test_a_slow_job_stays_queued() -> None:
    desk = desk_with("job-slow:seconds=300")
    name = job_id(batch(desk))
    desk.clock.advance(300)
    assert (shown(desk, name)["status"], done(desk)) == ("queued", [])
    desk.clock.advance(30)
    assert (shown(desk, name)["status"], done(desk)) == ("completed", desk.ids)


def test_a_person_beats_a_slow_job() -> None:
    desk = desk_with("job-slow:seconds=300")
    batch(desk)
    desk.clock.advance(100)
    desk.store.person_edit(3, add_tags=["person"])
    desk.clock.advance(300)
    desk.get("tickets/1")
    assert done(desk) == [key for key in desk.ids if key != 3]
    assert desk.tags(3) == ["person"]


def test_faults_of_a_job_add_up_and_go_with_a_lost_reply() -> None:
    desk = desk_with("job-slow:seconds=50,job-vanishes,lost-reply:PUT")
    assert batch(desk).fate == "drop"
    desk.clock.advance(49)
    desk.get("tickets/1")
    assert done(desk) == []
    desk.clock.advance(30)
    desk.get("tickets/1")
    assert done(desk) == desk.ids
    [job] = desk.store.jobs
    assert shown(desk, job) is None


def test_a_late_job_meets_its_faults_when_it_lands() -> None:
    desk = desk_with("late-commit:PUT:seconds=20,job-fails")
    assert batch(desk).fate == "drop"
    desk.clock.advance(60)
    desk.store.settle()
    [job] = desk.store.jobs.values()
    assert (job.status, done(desk)) == ("failed", [])


def test_only_jobs_of_updates_are_struck() -> None:
    desk = desk_with("job-lost")
    made = desk.ask("POST", "tickets", {"ticket": {"comment": {"body": "x"}}})
    assert made.json()["ticket"]["id"] == MANY + 1
    assert desk.put(1, tags=["one"]).status == 200
    assert desk.sandbox.faults.counts() == {"job-lost": 0}


@pytest.mark.parametrize("kind", ["job-killed", "job-item-fails=0.5", "job-results-missing"])
def test_the_same_seed_hits_the_same_items_whatever_the_pace(kind: str) -> None:
    def run(seed: int, pace: float) -> tuple[list[int], Any]:
        desk = desk_with(kind, seed=seed, rules=Rules(job_seconds=(1.0, pace)))
        response = batch(desk)
        desk.clock.advance(30)
        job = shown(desk, job_id(response))
        return done(desk), job["results"]

    assert run(1, 0.0) == run(1, 0.5)
    assert len({str(run(seed, 0.0)) for seed in range(4)}) > 1


def test_plans_without_job_faults_roll_as_they_did() -> None:
    def answers(faults: str) -> list[str]:
        desk = Desk(3, faults=FaultPlan.parse(faults, 7), plan="unlimited")
        return [desk.put(1, subject=str(number)).fate for number in range(40)]

    assert answers("lost-reply=0.5") == answers("job-lost=0.5,lost-reply=0.5")
