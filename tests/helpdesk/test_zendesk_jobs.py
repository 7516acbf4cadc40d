from __future__ import annotations

from typing import Any

import pytest
import requests

from ticket_processor.core.errors import JobRefused, OutcomeUnknown, TooManyJobs
from ticket_processor.core.models import Change
from ticket_processor.zendesk import Zendesk

from ..imitation import Rules
from ..support.fakes import Wire, a_change, answer
from .test_zendesk import Account


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
