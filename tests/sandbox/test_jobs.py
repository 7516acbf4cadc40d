"""Jobs: batches of updates, and what a job says about itself."""

from __future__ import annotations

from .helpers import Desk

STALE = "2020-01-01T00:00:00Z"


def test_a_job_goes_from_queued_over_working_to_completed() -> None:
    desk = Desk(3)
    queued = desk.ask("PUT", "tickets/update_many", {"tickets": [{"id": key, "priority": "high"} for key in desk.ids]})
    job = queued.json()["job_status"]
    assert (job["status"], job["results"], job["total"]) == ("queued", None, 3)
    assert job["id"].startswith("V3-")
    assert len(job["id"]) == 35
    desk.clock.advance(1.1)
    working = desk.get(f"job_statuses/{job['id']}")["job_status"]
    assert (working["status"], working["progress"], working["results"]) == ("working", 2, None)
    done = desk.finish(queued)
    assert done["results"][0] == {"action": "update", "id": 1, "status": "Updated", "success": True}
    assert done["message"] == "Completed at 2026-11-21 03:30:01 +0000"


def test_each_item_of_a_batch_has_its_own_guard_and_a_failed_item_does_not_fail_the_job() -> None:
    desk = Desk(2)
    items = [
        {"id": 1, "tags": ["a"], "safe_update": True, "updated_stamp": desk.stamp(1)},
        {"id": 2, "tags": ["b"], "safe_update": True, "updated_stamp": STALE},
        {"id": 99, "tags": ["c"], "safe_update": True, "updated_stamp": STALE},
    ]
    job = desk.finish(desk.ask("PUT", "tickets/update_many", {"tickets": items}))
    good, stale, missing = job["results"]
    assert good["success"] is True
    assert "success" not in stale
    assert (stale["index"], stale["id"], stale["error"]) == (1, 2, "TicketUpdateFailed")
    assert "outdated" in stale["details"]
    assert missing["details"] == "Not found"
    assert (desk.tags(1), desk.tags(2)) == (["a"], [])


def test_an_edit_between_queue_and_work_beats_an_item_without_a_stamp() -> None:
    desk = Desk(2)
    queued = desk.ask("PUT", "tickets/update_many", {"tickets": [{"id": 1, "tags": []}, {"id": 2, "tags": ["x"]}]})
    desk.clock.advance(1.0)
    desk.store.person_edit(2, add_tags=["person"])
    job = desk.finish(queued)
    assert job["results"][1]["error"] == "TicketUpdateFailed"
    assert desk.tags(2) == ["person"]


def test_items_are_written_one_after_the_other() -> None:
    desk = Desk(3)
    desk.finish(desk.ask("PUT", "tickets/update_many", {"tickets": [{"id": key, "tags": ["x"]} for key in desk.ids]}))
    moments = [desk.store.tickets[key].audits[-1].at for key in (1, 2, 3)]
    assert moments == sorted(set(moments))


def test_a_batch_with_a_mistake_is_refused() -> None:
    desk = Desk(1)
    unsafe = desk.ask("PUT", "tickets/update_many", {"tickets": [{"id": 1, "safe_update": True}]})
    assert unsafe.status == 400
    answer = desk.ask("PUT", "tickets/update_many", {"tickets": [{"id": 1}] * 101})
    assert (answer.status, answer.json()["error"]) == (400, "TooManyValues")


def test_more_than_thirty_jobs_at_once_are_too_many() -> None:
    desk = Desk(1)
    change = {"tickets": [{"id": 1, "priority": "low"}]}
    answers = [desk.ask("PUT", "tickets/update_many", change) for _ in range(31)]
    assert [answer.status for answer in answers] == [200] * 30 + [429]
    assert answers[-1].json()["error"] == "TooManyJobs"
    desk.clock.advance(10)
    assert desk.ask("PUT", "tickets/update_many", change).status == 200


def test_jobs_can_be_looked_up_together_and_are_forgotten_after_a_day() -> None:
    desk = Desk(1)
    first = desk.ask("PUT", "tickets/update_many", {"tickets": [{"id": 1, "priority": "low"}]}).json()["job_status"][
        "id"
    ]
    assert [job["id"] for job in desk.get("job_statuses/show_many", ids=f"{first},V3-x")["job_statuses"]] == [first]
    desk.clock.advance(86_500)
    assert desk.ask("GET", f"job_statuses/{first}").status == 404
    assert desk.get("job_statuses/show_many", ids=first)["job_statuses"] == []
