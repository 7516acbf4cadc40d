"""Background jobs: ``create_many``, ``update_many``, and looking at what became of them.

A job's items are done one after the other at their own moments, so other people's edits fall between them,
and each is written under the rules of a single request, always as a safe update.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from functools import partial
from typing import Any

from .messages import Refusal, Response, json_response, refuse
from .records import Job
from .zendesk_call import NOT_FOUND, Call, bad_request, too_many_values
from .zendesk_tickets import ticket_payload
from .zendesk_writes import CREATABLE, UPDATABLE, apply_creation, apply_update, explain, unknown_keys

MOST_ITEMS = 100
KEPT_SECONDS = 86_400

Item = Callable[[], dict[str, Any]]


def create_many(call: Call) -> Response:
    """``POST /tickets/create_many``: at most 100; a job."""
    payloads = _objects(call.payload().get("tickets"), "tickets")
    call.headers |= _warnings(payloads, CREATABLE)
    work = [partial(_create_item, call, index, payload) for index, payload in enumerate(payloads)]
    return _start(call, "Bulk Create Ticket", work)


def create_later(call: Call) -> Response:
    """``POST /tickets?async=true``: 202 and a job of one."""
    payload = ticket_payload(call)
    response = _start(call, "Create Ticket", [partial(_create_item, call, 0, payload)])
    response.status = 202
    return response


def update_many(call: Call) -> Response:
    """``PUT /tickets/update_many``: one change for ``ids=``, or a batch of ``tickets`` with their own changes.

    400 when an item asks for a safe update without a stamp.
    """
    body = call.payload()
    if "tickets" in body:
        payloads = _objects(body["tickets"], "tickets")
        tag_edits = call.rules.batch_tag_edits
        known = UPDATABLE | {"additional_tags", "remove_tags"} if tag_edits else UPDATABLE
        targets = [(payload.get("id"), payload) for payload in payloads]
    else:
        payload = ticket_payload(call)
        tag_edits = True
        known = UPDATABLE | {"additional_tags", "remove_tags"}
        targets = [(ticket_id, payload) for ticket_id in call.ids()]
    call.headers |= _warnings([payload for _, payload in targets], known)
    for _, payload in targets:
        if "safe_update" in payload and not payload.get("updated_stamp"):
            raise bad_request("Invalid attribute", "updated_stamp is required for a safe update")
    if call.rules.jobs_count_as_updates:
        for _ in targets:
            call.spend("update_ticket")
    work = [
        partial(_update_item, call, index, ticket_id, payload, tag_edits)
        for index, (ticket_id, payload) in enumerate(targets)
    ]
    return _start(call, "Bulk Update Ticket", work)


def show_job(call: Call) -> Response:
    """``GET /job_statuses/{id}``: kept for a day."""
    job = call.store.jobs.get(call.args[0])
    if job is None or _forgotten(job, call.now):
        raise refuse(404, NOT_FOUND)
    return json_response(200, {"job_status": job_json(job, call.store.base_url)})


def show_many_jobs(call: Call) -> Response:
    """``GET /job_statuses/show_many?ids=``: unknown ids are absent."""
    names = [name.strip() for name in call.request.query.get("ids", "").split(",") if name.strip()]
    if len(names) > MOST_ITEMS:
        raise too_many_values(MOST_ITEMS)
    jobs = [call.store.jobs[name] for name in names if name in call.store.jobs]
    return _job_list(call, jobs)


def list_jobs(call: Call) -> Response:
    """``GET /job_statuses``: newest first."""
    return _job_list(call, list(call.store.jobs.values())[::-1][:MOST_ITEMS])


def _job_list(call: Call, jobs: list[Job]) -> Response:
    shown = [job_json(job, call.store.base_url) for job in jobs if not _forgotten(job, call.now)]
    return json_response(200, {"job_statuses": shown})


def job_json(job: Job, base_url: str) -> dict[str, Any]:
    """A job as the API shows it: ``results`` is null until it has completed."""
    done = job.finished_at is not None
    message = None
    if job.finished_at is not None:
        moment = datetime.fromtimestamp(int(job.finished_at), UTC)
        message = f"Completed at {moment:%Y-%m-%d %H:%M:%S} +0000"
    return {
        "id": job.id,
        "job_type": job.job_type,
        "url": f"{base_url}/api/v2/job_statuses/{job.id}.json",
        "total": job.total,
        "progress": job.progress if job.started else None,
        "status": "completed" if done else "working" if job.started else "queued",
        "message": message,
        "results": job.results if done else None,
    }


def _start(call: Call, job_type: str, work: Sequence[Item]) -> Response:
    store, rules = call.store, call.rules
    active = sum(job.finished_at is None for job in store.jobs.values())
    if active >= rules.max_jobs:
        message = f"You can only have {rules.max_jobs} jobs queued or running at once."
        raise refuse(429, {"error": "TooManyJobs", "description": message}, **{"Retry-After": "10"})
    _tidy(store.jobs, call.now)
    job = Job(f"V3-{store.random.getrandbits(128):032x}", job_type, len(work), call.now)
    store.jobs[job.id] = job
    wait, pace = rules.job_seconds
    start = call.now + wait

    def begin() -> None:
        job.started = True

    def perform(item: Item) -> None:
        job.results.append(item())
        job.progress += 1

    def finish() -> None:
        job.finished_at = store.now()

    store.later(start, begin)
    for index, item in enumerate(work):
        store.later(start + index * pace, partial(perform, item))
    store.later(start + len(work) * pace, finish)
    return json_response(200, {"job_status": job_json(job, store.base_url)})


def _update_item(
    call: Call, index: int, ticket_id: object, payload: Mapping[str, Any], tag_edits: bool
) -> dict[str, Any]:
    try:
        ticket = call.store.living(ticket_id) if isinstance(ticket_id, int) else None
        if ticket is None:
            raise refuse(404, NOT_FOUND)
        apply_update(call.store, ticket, payload, call.identity, call.rules, queued=call.now, tag_edits=tag_edits)
    except Refusal as refusal:
        failed = {"id": ticket_id, "error": "TicketUpdateFailed", "details": explain(refusal)}
        if call.rules.failed_item == "schema":
            return {"action": "update", "success": False, **failed}
        return {"index": index, **failed}
    return {"action": "update", "id": ticket_id, "status": "Updated", "success": True}


def _create_item(call: Call, index: int, payload: Mapping[str, Any]) -> dict[str, Any]:
    try:
        ticket = apply_creation(call.store, payload, call.identity)
    except Refusal as refusal:
        return {"index": index, "error": "TicketCreateFailed", "details": explain(refusal)}
    return {"index": index, "id": ticket.id, "account_id": 1}


def _objects(value: object, name: str) -> list[dict[str, Any]]:
    if not isinstance(value, list) or not value or not all(isinstance(item, dict) for item in value):
        raise bad_request("Invalid attribute", f"{name} must be a list of objects")
    if len(value) > MOST_ITEMS:
        raise too_many_values(MOST_ITEMS)
    return value


def _warnings(payloads: list[dict[str, Any]], known: frozenset[str]) -> dict[str, str]:
    return unknown_keys({key: None for payload in payloads for key in payload}, known)


def _forgotten(job: Job, now: float) -> bool:
    return job.finished_at is not None and now - job.finished_at > KEPT_SECONDS


def _tidy(jobs: dict[str, Job], now: float) -> None:
    for name in [name for name, job in jobs.items() if _forgotten(job, now)]:
        del jobs[name]
