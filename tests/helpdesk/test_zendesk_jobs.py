"""The Zendesk client's jobs of many updates, against the imitation in memory and against odd answers."""

from __future__ import annotations

from typing import Any

import pytest
import requests

from ticket_processor.core.errors import JobRefused, OutcomeUnknown, RateLimited, TooManyJobs
from ticket_processor.core.models import Change
from ticket_processor.sandbox.store import BOT_ID
from ticket_processor.zendesk import Zendesk

from ..imitation import Rules
from ..support.fakes import Wire, a_change, answer
from .test_zendesk import AREA, ORDER, Account


def handed_in(account: Account, *changes: Change) -> str:
    return account.desk.update_many(changes)


def test_one_request_hands_in_a_job_whose_items_carry_everything_a_single_update_does() -> None:
    wire = Wire(answer(200, {"job_status": {"id": "V3-1", "status": "queued"}}))
    desk = Zendesk(wire.transport)
    change = a_change(7, group=5)
    assert desk.update_many([change, a_change(8)]) == "V3-1"
    assert (wire.adapter.sent[0].method, wire.adapter.sent[0].url) == (
        "PUT",
        "https://desk.invalid/api/v2/tickets/update_many",
    )
    first, second = wire.adapter.json()["tickets"]
    assert first == {
        "id": 7,
        "tags": ["vip", "ai_processed"],
        "safe_update": True,
        "updated_stamp": "2026-11-21T02:30:00Z",
        "metadata": {"ticketbot": {"key": "k" * 32, "intent": "run-1"}},
        "priority": "high",
        "group_id": 5,
        "comment": {"html_body": "<p>Triage: billing.</p>", "public": False},
    }
    assert second["id"] == 8
    assert wire.calls == 1


def test_the_item_that_is_to_be_refused_has_an_older_stamp_and_the_others_their_own() -> None:
    wire = Wire(answer(200, {"job_status": {"id": "V3-1", "status": "queued"}}))
    Zendesk(wire.transport).update_many([a_change(7), a_change(8)], stale=8)
    stamps = {item["id"]: item["updated_stamp"] for item in wire.adapter.json()["tickets"]}
    assert stamps == {7: "2026-11-21T02:30:00Z", 8: "2026-11-21T01:30:00Z"}


def test_a_job_writes_its_items_and_tells_of_each() -> None:
    account = Account(2, rules=Rules(job_seconds=(1.0, 0.0)))
    first, second = account.ids
    stale = account.change(second)
    account.clock.advance(100)
    account.store.person_edit(second, add_tags=("theirs",))
    job = handed_in(account, account.change(first), stale)
    assert account.desk.jobs([job])[job].ended is False
    account.clock.advance(2)
    status = account.desk.jobs([job])[job]
    assert (status.ended, dict(status.results)) == (True, {first: True, second: False})
    (edit,) = [edit for edit in account.desk.history(first).edits if edit.author == BOT_ID]
    assert (edit.key, edit.intent, edit.comment) == ("k" * 32, "run-1", "internal")
    assert account.one(second).tags == ("theirs",)


def test_many_jobs_are_asked_for_in_one_request_and_unknown_ones_are_absent() -> None:
    account = Account(3, rules=Rules(job_seconds=(0.0, 0.0)))
    jobs = [handed_in(account, account.change(number)) for number in account.ids]
    account.clock.advance(1)
    account.sent.clear()
    told = account.desk.jobs([*jobs, "V3-unknown"])
    assert set(told) == set(jobs)
    assert [request.path for request in account.sent] == ["/api/v2/job_statuses/show_many"]


@pytest.mark.parametrize("form", ["error", "titled", "errors"])
@pytest.mark.parametrize("status", [422, 429, 503])
def test_an_account_that_has_too_many_jobs_says_so_in_some_form(form: Any, status: int) -> None:
    rules = Rules(max_jobs=1, job_seconds=(60.0, 0.0), too_many_jobs_form=form, too_many_jobs_status=status)
    account = Account(2, rules=rules)
    first, second = account.ids
    handed_in(account, account.change(first))
    account.sent.clear()
    with pytest.raises(TooManyJobs) as caught:
        handed_in(account, account.change(second))
    assert caught.value.wait == 10.0
    assert sum(request.method == "PUT" for request in account.sent) == 1
    account.clock.advance(120)
    handed_in(account, account.change(second))


def test_too_many_requests_are_not_too_many_jobs() -> None:
    body = {"error": "APIRateLimitExceeded"}
    wire = Wire(answer(429, body, Retry_After="900"))
    with pytest.raises(RateLimited):
        Zendesk(wire.transport).update_many([a_change()])


@pytest.mark.parametrize("status", [400, 403, 404, 422])
def test_a_job_that_is_refused_as_a_whole_is_told_without_the_answers_words(status: int) -> None:
    wire = Wire(answer(status, {"error": "Forbidden", "description": "Jane's ticket"}))
    with pytest.raises(JobRefused, match=f"HTTP {status}, Forbidden") as caught:
        Zendesk(wire.transport).update_many([a_change()])
    assert "Jane" not in str(caught.value)


@pytest.mark.parametrize(
    "odd",
    [
        answer(200, {}),
        answer(200, {"job_status": None}),
        answer(200, {"job_status": {"id": 7}}),
        answer(200, {"job_status": {"id": "a b/../c"}}),
        answer(200, "<html>"),
        answer(500, {}),
    ],
)
def test_an_answer_that_names_no_job_leaves_the_outcome_unknown(odd: requests.Response) -> None:
    wire = Wire(odd)
    with pytest.raises(OutcomeUnknown):
        Zendesk(wire.transport).update_many([a_change()])
    assert wire.calls == 1


@pytest.mark.parametrize(
    ("told", "ended", "results"),
    [
        *(
            ({"results": results}, True, {})
            for results in (None, "odd", [None], [{"id": "7", "success": True}], [{"success": True}])
        ),
        *(({"results": [{"id": 7, "success": success}]}, True, {7: False}) for success in ("true", 1, None)),
        *(({"status": status}, True, {}) for status in ("failed", "killed", "something new")),
        *(({"status": status}, False, {}) for status in ("queued", "working")),
    ],
    ids=str,
)
def test_of_a_job_only_a_plain_true_is_a_success_and_any_unknown_status_an_end(
    told: dict[str, Any], ended: bool, results: dict[int, bool]
) -> None:
    rows = [{"id": "V3-1", "status": "completed", **told}, {"id": "V3-9", "status": "completed"}]
    found = Zendesk(Wire(answer(200, {"job_statuses": rows})).transport).jobs(["V3-1"])
    assert {name: (job.ended, dict(job.results)) for name, job in found.items()} == {"V3-1": (ended, results)}


@pytest.mark.parametrize("status", [400, 403, 404, 500, 504])
def test_a_stale_job_that_cannot_be_read_is_an_unknown_one_and_hides_no_other(status: int) -> None:
    def reply(request: requests.PreparedRequest) -> requests.Response:
        if "V3-1" in request.path_url:
            return answer(status)
        return answer(200, {"job_statuses": [{"id": "V3-2", "status": "completed", "results": []}]})

    assert list(Zendesk(Wire(reply).transport).jobs(["V3-1", "V3-2"])) == ["V3-2"]
    assert Zendesk(Wire(reply).transport).jobs(["V3-1"]) == {}


# Drop-downs


@pytest.mark.parametrize("as_job", [False, True], ids=["single", "job"])
def test_a_drop_downs_new_choice_comes_with_its_tag_and_the_old_ones_goes(as_job: bool) -> None:
    account = Account(1, rules=Rules(job_seconds=(0.0, 0.0)))
    (number,) = account.ids
    account.store.person_edit(number, custom_fields={AREA: "area_web_shop", ORDER: "A-1"})
    account.store.person_edit(number, add_tags=("vip",))
    account.clock.advance(100)
    ticket = account.one(number)
    assert "area_web_shop" in ticket.tags
    change = account.change(number, fields={AREA: "area_app", ORDER: "A-2"}, fields_replaced=(AREA, ORDER))
    if as_job:
        handed_in(account, change)
    else:
        account.desk.update(change)
    account.clock.advance(1)
    after = account.one(number)
    assert after.fields == {AREA: "area_app", ORDER: "A-2"}
    assert set(after.tags) == {"vip", "ai_processed", "area_app"}
