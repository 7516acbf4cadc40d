"""Background jobs: ``update_many``, and looking at what became of it.

A job's items are done one after the other at their own moments, so other people's edits fall between them,
and each is written under the rules of a single request, always as a safe update.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from functools import partial
from typing import Any

from .messages import Refusal, Response, json_response, refuse
from .records import Item, Job
from .zendesk_call import NOT_FOUND, Call, bad_request, too_many_values
from .zendesk_writes import UPDATABLE, apply_update, explain, unknown_keys

MOST_ITEMS = 100


def update_many(call: Call) -> Response:
    """``PUT /tickets/update_many``: a batch of ``tickets``, each with its own change."""
    return start(call, [work for _, work in updates(call)])


def updates(call: Call) -> list[tuple[object, Item]]:
    """The items of a job of updates, each with its ticket; 400 when one asks for a safe update without a stamp."""
    payloads = call.payload().get("tickets")
    if not isinstance(payloads, list) or not payloads or not all(isinstance(item, dict) for item in payloads):
        raise bad_request("Invalid attribute", "tickets must be a list of objects")
    if len(payloads) > MOST_ITEMS:
        raise too_many_values(MOST_ITEMS)
    keys = {key: None for payload in payloads for key in payload}
    call.headers |= unknown_keys(keys, call.rules.told(UPDATABLE), "update_many")
    for payload in payloads:
        if "safe_update" in payload and not payload.get("updated_stamp"):
            raise bad_request("Invalid attribute", "updated_stamp is required for a safe update")
    return [
        (payload.get("id"), partial(_update_item, call, index, payload.get("id"), payload))
        for index, payload in enumerate(payloads)
    ]


def show_job(call: Call) -> Response:
    """``GET /job_statuses/{id}``: kept for a day."""
    job = call.store.jobs.get(call.args[0])
    if job is None or not job.found(call.now):
        raise refuse(404, NOT_FOUND)
    return json_response(200, {"job_status": job_json(job, call.store.base_url)})


def show_many_jobs(call: Call) -> Response:
    """``GET /job_statuses/show_many?ids=``: ids that are unknown, or no longer found, are absent."""
    jobs = [call.store.jobs[name] for name in call.names() if name in call.store.jobs]
    shown = [job_json(job, call.store.base_url) for job in jobs if job.found(call.now)]
    return json_response(200, {"job_statuses": shown})


def job_json(job: Job, base_url: str) -> dict[str, Any]:
    """A job as the API shows it: ``results`` is null until it has completed."""
    done = job.finished_at is not None
    message = f"Updating ticket #{job.progress}" if job.started else None
    if job.finished_at is not None:
        moment = datetime.fromtimestamp(int(job.finished_at), UTC)
        message = f"{job.status.capitalize()} at {moment:%Y-%m-%d %H:%M:%S} +0000"
    return {
        "id": job.id,
        "job_type": "Bulk Update Ticket",
        "url": f"{base_url}/api/v2/job_statuses/{job.id}.json",
        "total": job.total,
        "progress": job.progress if job.started else None,
        "status": job.status if done else "working" if job.started else "queued",
        "message": message,
        "results": job.shown,
    }


def start(call: Call, work: Sequence[Item], kind: Callable[[str, int], Job] = Job) -> Response:
    """Queue a job of so many items; the answer shows it as it is then."""
    store, rules = call.store, call.rules
    active = sum(job.finished_at is None for job in store.jobs.values())
    if active >= rules.max_jobs:
        message = f"You can only have {rules.max_jobs} jobs queued or running at once."
        raise rules.refusal(429, "TooManyJobs", message, Retry_After="10")
    for name in [name for name, job in store.jobs.items() if job.forgotten(call.now)]:
        del store.jobs[name]
    job = kind(f"V3-{store.random.getrandbits(128):032x}", len(work))
    store.jobs[job.id] = job
    answer = json_response(200, {"job_status": job_json(job, store.base_url)})
    delay, pace = rules.job_seconds
    begun = call.now + delay + job.delay
    todo = job.todo(work)

    def begin() -> None:
        job.started = True

    def perform(item: Item) -> None:
        job.results.append(item())
        job.progress += 1

    store.later(begun, begin)
    for index, item in enumerate(todo):
        store.later(begun + index * pace, partial(perform, item))
    store.later(begun + len(todo) * pace, lambda: job.finish(store.now()))
    return answer


def _update_item(call: Call, index: int, ticket_id: object, payload: Mapping[str, Any]) -> dict[str, Any]:
    counts = call.rules.counting(payload, in_batch=True)
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
            queued=call.rules.guarded_since(call.now),
            sent=payload,
        )
    except Refusal as refusal:
        return failed_item(call, index, ticket_id, explain(refusal))
    return {"action": "update", "id": ticket_id, "status": "Updated", "success": True}


def failed_item(call: Call, index: int, ticket_id: object, details: str) -> dict[str, Any]:
    """The result of an item that was not done."""
    return call.rules.failed_item(index, {"id": ticket_id, "error": "TicketUpdateFailed", "details": details})
