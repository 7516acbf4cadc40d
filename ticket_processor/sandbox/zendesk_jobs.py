"""Background jobs: ``create_many``, ``update_many``, and looking at what became of them.

A job's items are done one after the other at their own moments, so other people's edits fall between them,
and each is written under the rules of a single request, always as a safe update.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from functools import partial
from typing import Any

from .job_faults import NO_FAULT, JobFault
from .messages import Refusal, Response, json_response, refuse
from .records import Job
from .zendesk_call import NOT_FOUND, Call, bad_request, too_many_values
from .zendesk_rules import Rules, error_in_form
from .zendesk_tickets import ticket_payload
from .zendesk_writes import CREATABLE, UPDATABLE, apply_creation, apply_update, explain, unknown_keys

MOST_ITEMS = 100
KEPT_SECONDS = 86_400
END_OF_TIME = 1e12

Item = Callable[[], dict[str, Any]]


def create_many(call: Call) -> Response:
    """``POST /tickets/create_many``: at most 100; a job."""
    payloads = _objects(call.payload().get("tickets"), "tickets")
    call.headers |= _warnings(payloads, CREATABLE, "create_many")
    work = [partial(_create_item, call, index, payload) for index, payload in enumerate(payloads)]
    return _start(call, "Bulk Create Ticket", work, NO_FAULT)


def update_many(call: Call) -> Response:
    """``PUT /tickets/update_many``: one change for ``ids=``, or a batch of ``tickets`` with their own changes.

    400 when an item asks for a safe update without a stamp.
    """
    body = call.payload()
    batch = "tickets" in body
    if batch:
        payloads = _objects(body["tickets"], "tickets")
        tag_edits = call.rules.batch_tag_edits
        known = UPDATABLE | {"additional_tags", "remove_tags"} if tag_edits else UPDATABLE
        targets = [(payload.get("id"), payload) for payload in payloads]
    else:
        payload = ticket_payload(call)
        tag_edits = True
        known = UPDATABLE | {"additional_tags", "remove_tags"}
        targets = [(ticket_id, payload) for ticket_id in call.ids()]
    if call.rules.drops_told:
        known = known.difference(call.rules.drops)
    call.headers |= _warnings([payload for _, payload in targets], known, "update_many")
    for _, payload in targets:
        if "safe_update" in payload and not payload.get("updated_stamp"):
            raise bad_request("Invalid attribute", "updated_stamp is required for a safe update")
    failing = call.job_fault.failing(len(targets))
    work: list[Item] = [
        partial(_failed_item, call, index, ticket_id, "Ticket: could not be updated")
        if index in failing
        else partial(_update_item, call, index, ticket_id, payload, batch, tag_edits)
        for index, (ticket_id, payload) in enumerate(targets)
    ]
    return _start(call, "Bulk Update Ticket", work, call.job_fault)


def show_job(call: Call) -> Response:
    """``GET /job_statuses/{id}``: kept for a day."""
    job = call.store.jobs.get(call.args[0])
    if job is None or not _found(job, call.now):
        raise refuse(404, NOT_FOUND)
    return json_response(200, {"job_status": job_json(job, call.store.base_url)})


def show_many_jobs(call: Call) -> Response:
    """``GET /job_statuses/show_many?ids=``: ids that are unknown, or no longer found, are absent."""
    names = [name.strip() for name in call.request.query.get("ids", "").split(",") if name.strip()]
    if len(names) > MOST_ITEMS:
        raise too_many_values(MOST_ITEMS)
    jobs = [call.store.jobs[name] for name in names if name in call.store.jobs]
    shown = [job_json(job, call.store.base_url) for job in jobs if _found(job, call.now)]
    return json_response(200, {"job_statuses": shown})


def job_json(job: Job, base_url: str) -> dict[str, Any]:
    """A job as the API shows it: ``results`` is null until it has completed."""
    done = job.finished_at is not None
    message = None
    if job.started:
        message = f"{'Creating' if 'Create' in job.job_type else 'Updating'} ticket #{job.progress}"
    if job.finished_at is not None:
        moment = datetime.fromtimestamp(int(job.finished_at), UTC)
        message = f"{job.status.capitalize()} at {moment:%Y-%m-%d %H:%M:%S} +0000"
    return {
        "id": job.id,
        "job_type": job.job_type,
        "url": f"{base_url}/api/v2/job_statuses/{job.id}.json",
        "total": job.total,
        "progress": job.progress if job.started else None,
        "status": job.status if done else "working" if job.started else "queued",
        "message": message,
        "results": job.shown,
    }


def _start(call: Call, job_type: str, work: Sequence[Item], fault: JobFault) -> Response:
    store, rules = call.store, call.rules
    active = sum(job.finished_at is None for job in store.jobs.values())
    if active >= rules.max_jobs:
        message = f"You can only have {rules.max_jobs} jobs queued or running at once."
        status = rules.too_many_jobs_status
        wait = {"Retry-After": "10"} if status in (429, 503) else {}
        raise error_in_form(rules.too_many_jobs_form, status, "TooManyJobs", message, **wait)
    _tidy(store.jobs, call.now)
    job = Job(f"V3-{store.random.getrandbits(128):032x}", job_type, len(work))
    answer = json_response(200, {"job_status": job_json(job, store.base_url)})
    if fault.lost:
        return answer
    store.jobs[job.id] = job
    job.hidden_from = None if fault.found_for is None else call.now + fault.found_for
    delay, pace = rules.job_seconds
    start = call.now + delay + fault.delay
    todo = work[: fault.items_done(len(work))]

    def begin() -> None:
        job.started = True

    def perform(item: Item) -> None:
        job.results.append(item())
        job.progress += 1

    def finish() -> None:
        job.finished_at = store.now()
        job.status, job.shown = fault.status, fault.tell(job.results)

    store.later(start, begin)
    for index, item in enumerate(todo):
        store.later(start + index * pace, partial(perform, item))
    store.later(start + len(todo) * pace, finish)
    return answer


def _update_item(
    call: Call, index: int, ticket_id: object, payload: Mapping[str, Any], batch: bool, tag_edits: bool
) -> dict[str, Any]:
    counts = _what_counts(payload, call.rules) if batch else payload
    try:
        ticket = call.store.living(ticket_id) if isinstance(ticket_id, int) else None
        if ticket is None:
            raise refuse(404, NOT_FOUND)
        apply_update(
            call.store,
            ticket,
            counts,
            call.identity,
            call.rules,
            queued=call.now if call.rules.batch_guard else END_OF_TIME,
            tag_edits=tag_edits,
            sent=payload,
        )
    except Refusal as refusal:
        return _failed_item(call, index, ticket_id, explain(refusal))
    return {"action": "update", "id": ticket_id, "status": "Updated", "success": True}


def _failed_item(call: Call, index: int, ticket_id: object, details: str) -> dict[str, Any]:
    failed = {"id": ticket_id, "error": "TicketUpdateFailed", "details": details}
    if call.rules.failed_item == "schema":
        return {"action": "update", "success": False, **failed}
    return {"index": index, **failed}


def _what_counts(payload: Mapping[str, Any], rules: Rules) -> Mapping[str, Any]:
    """The part of a batch's item that the account honours."""
    dropped = set(rules.drops) | (set() if rules.batch_comment else {"comment"})
    dropped |= set() if rules.batch_metadata else {"metadata"}
    dropped |= set() if rules.batch_stamps else {"safe_update", "updated_stamp"}
    counts = {key: value for key, value in payload.items() if key not in dropped}
    if not rules.batch_private and isinstance(counts.get("comment"), dict):
        counts["comment"] = {key: value for key, value in counts["comment"].items() if key != "public"}
    return counts


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


def _warnings(payloads: list[dict[str, Any]], known: frozenset[str], action: str) -> dict[str, str]:
    return unknown_keys({key: None for payload in payloads for key in payload}, known, action)


def _forgotten(job: Job, now: float) -> bool:
    return job.finished_at is not None and now - job.finished_at > KEPT_SECONDS


def _found(job: Job, now: float) -> bool:
    """Whether a look-up by id finds it."""
    return not _forgotten(job, now) and (job.hidden_from is None or now < job.hidden_from)


def _tidy(jobs: dict[str, Job], now: float) -> None:
    for name in [name for name, job in jobs.items() if _forgotten(job, now)]:
        del jobs[name]
