"""Applies updates and creations to Zendesk's tickets, and does updates in background jobs.

Single requests and the items of jobs share these rules: which keys count, the guard, validation, the comment. A write
that is not allowed raises :class:`~.messages.Refusal` before anything has changed; the store's lock makes check and
write one step. A job's items are done one after the other at their own moments, so other people's edits fall between
them, and each is always a safe update.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from functools import partial
from typing import Any

from .basics import cut, expand_placeholders, html_to_text, normalise_tags, squeeze
from .messages import Refusal, Response, json_response, refuse
from .store import BOT_ID, SHAPES, Audit, Comment, Row, StoredTicket
from .zendesk_call import NOT_FOUND, PAGE, Call, invalid, too_many_values
from .zendesk_store import Item, Job, ZendeskStore, audit_json, without_generated


def update_many(call: Call) -> Response:
    """``PUT /tickets/update_many``: a batch of ``tickets``, each with its own change."""
    work = [item for _, item in updates(call)]
    return start(call, Job(len(work)), work)


def updates(call: Call) -> list[tuple[object, Item]]:
    """The items of a job of updates, each with its ticket."""
    payloads = call.request.json()["tickets"]
    if len(payloads) > PAGE:
        raise too_many_values()
    keys = {key: None for payload in payloads for key in payload}
    call.headers |= unknown_keys(keys, UPDATABLE, "update_many")
    return [
        (payload["id"], partial(_update_item, call, index, payload["id"], payload))
        for index, payload in enumerate(payloads)
    ]


def show_many_jobs(call: Call) -> Response:
    """``GET /job_statuses/show_many?ids=``: those that are known, for a day after their end."""
    jobs = [call.store.jobs[name] for name in call.names() if name in call.store.jobs]
    shown = [_job_json(job, call) for job in jobs if job.found(call.now)]
    return json_response(200, {"job_statuses": shown})


def _job_json(job: Job, call: Call) -> Row:
    """A job as the API shows it: ``results`` is null until it has completed."""
    done, started = job.finished_at is not None, call.now >= job.begins
    message = f"Updating ticket #{len(job.results)}" if started else None
    if job.finished_at is not None:
        moment = datetime.fromtimestamp(int(job.finished_at), UTC)
        message = f"{job.status.capitalize()} at {moment:%Y-%m-%d %H:%M:%S} +0000"
    return {
        "id": job.id,
        "job_type": "Bulk Update Ticket",
        "url": f"{call.store.base_url}/api/v2/job_statuses/{job.id}.json",
        "total": job.total,
        "progress": len(job.results) if started else None,
        "status": job.status if done else "working" if started else "queued",
        "message": message,
        "results": job.shown,
    }


def start(call: Call, job: Job, work: Sequence[Item], delay: float = 0.0) -> Response:
    """Queue a job that does this work, ``delay`` seconds later than others; the answer shows it as it is then."""
    store = call.store
    if sum(job.finished_at is None for job in store.jobs.values()) >= store.max_jobs:
        message = f"You can only have {store.max_jobs} jobs queued or running at once."
        raise refuse(429, {"error": "TooManyJobs", "description": message}, Retry_After="10")
    usual_delay, pace = store.job_seconds
    job.id, job.begins = f"V3-{store.random.getrandbits(128):032x}", call.now + usual_delay + delay
    store.jobs[job.id] = job
    for index, item in enumerate(work):
        store.later(job.begins + index * pace, partial(lambda item: job.results.append(item()), item))
    store.later(job.begins + len(work) * pace, lambda: job.finish(store.now()))
    return json_response(200, {"job_status": _job_json(job, call)})


def _update_item(call: Call, index: int, ticket_id: int, payload: Mapping[str, Any]) -> Row:
    try:
        ticket = call.store.living(ticket_id)
        if ticket is None:
            raise refuse(404, NOT_FOUND)
        apply_update(call, ticket, payload, queued=call.now)
    except Refusal as refusal:
        body = refusal.response.json()
        reasons = [entry["description"] for entries in body.get("details", {}).values() for entry in entries]
        return failed_item(index, ticket_id, " ".join(reasons) or body["description"])
    return {"action": "update", "id": ticket_id, "status": "Updated", "success": True}


def failed_item(index: int, ticket_id: object, details: str) -> Row:
    return {"index": index, "id": ticket_id, "error": "TicketUpdateFailed", "details": details}


_SET, _TOO, _NEW = (frozenset(SHAPES["zendesk keys"][name]) for name in ("set", "too", "new"))
UPDATABLE = _SET | _TOO
CREATABLE = UPDATABLE | _NEW
SETTABLE = _SET | {"brand_id", "recipient", "ticket_form_id"}


def unknown_keys(payload: Mapping[str, Any], known: frozenset[str], action: str = "update") -> dict[str, str]:
    """The warning header for keys that are going to be ignored; nothing when there are none."""
    strange = [key for key in payload if key not in known and key != "id"]
    if not strange:
        return {}
    listed = ", ".join('"ticket.' + key.encode("ascii", "replace").decode()[:80] + '"' for key in strange)
    warning = f':controller=>"tickets", :action=>"{action}", :unpermitted_keys=>[{listed}], :invalid_values=>[]'
    return {"x-zendesk-api-warn": f"{{:allowed_parameters=>{{{warning}}}}}"}


def apply_update(
    call: Call, ticket: StoredTicket, sent: Mapping[str, Any], queued: float | None = None
) -> Audit | None:
    """Update a ticket by a payload, in a job when it was ``queued``; ``None`` when nothing changed."""
    payload = call.store.counting(sent, in_batch=queued is not None)
    if call.store.outdated(ticket, payload, queued):
        outdated = "Safe Update prevented the update due to outdated ticket data. "
        message = f"{outdated}Please fetch the latest ticket data and try again."
        raise refuse(409, {"error": "UpdateConflict", "description": message})
    if ticket.json["status"] == "closed":
        raise invalid("status", "Status: closed prevents ticket update", "RecordInvalid")
    fields = _field_values(call.store, payload)
    comment = _comment(ticket, payload.get("comment") or {})
    if comment is not None and len(ticket.comments) >= call.store.most_comments:
        raise invalid("base", "Comments: too many comments on this ticket")
    said: dict[str, Any] = {"comment": comment, "custom": payload.get("metadata") or {}, "raw": sent}
    return call.store.change(ticket, fields, actor="api", author_id=BOT_ID, **said)


def _field_values(store: ZendeskStore, payload: Mapping[str, Any]) -> Row:
    """The ticket's fields that a payload sets, validated and normalised; 422 for a value that cannot be."""
    values = {name: value for name, value in payload.items() if name in SETTABLE}
    if payload.get("tags") is not None:
        values["tags"] = normalise_tags(payload["tags"])
    group = values.get("group_id")
    if group is not None and group not in store.groups:
        raise invalid("group", "Group: is invalid")
    given = {item["id"]: item["value"] for item in payload.get("custom_fields") or ()}
    if taken := store.accepted(given):
        values["custom_fields"] = taken
    return values


def _comment(ticket: StoredTicket, comment: Row) -> Comment | None:
    """An update's comment as the ticket gets it."""
    body, markup, public = comment.get("body"), comment.get("html_body"), comment.get("public")
    # Left out, the form of the ticket's first comment goes on, and that of a mail is public.
    is_public = bool(ticket.comments[0]["public"] if public is None else public)
    text = expand_placeholders(str(markup or body or ""), ticket.json, ticket.requester_name)
    if markup:
        return Comment(html_to_text(cut(text)), cut(text), is_public)
    return Comment(cut(squeeze(text)), None, is_public) if body else None


# --- requests ---------------------------------------------------------------------------------------------


def update(call: Call) -> Response:
    """``PUT /tickets/{id}``: 200 with the ticket and the audit of the change."""
    ticket = call.ticket()
    payload = call.request.json()["ticket"]
    audit = apply_update(call, ticket, payload)
    call.headers |= unknown_keys(payload, UPDATABLE)
    if audit is None:  # the answer has one all the same, which is not kept
        audit = Audit(call.store.next_id(), ticket.id, call.now, BOT_ID, "api")
    return json_response(200, {"ticket": without_generated(ticket.json), "audit": audit_json(audit, ticket)})


def create(call: Call) -> Response:
    """``POST /tickets``: 201 with the ticket and its first audit."""
    payload = call.request.json()["ticket"]
    call.headers |= unknown_keys(payload, CREATABLE, "create")
    fields, comment = _field_values(call.store, payload), payload["comment"]
    requester = payload.get("requester") or call.store.users[BOT_ID]
    body, markup = (text and cut(text) for text in (comment.get("body"), comment.get("html_body")))
    given = {name: value for name, value in fields.items() if value is not None and name != "requester_id"}
    given["custom_fields"] = [{"id": key, "value": value} for key, value in fields.get("custom_fields", {}).items()]
    ticket = call.store.create(
        body=body,
        html_body=None if body else markup,
        requester_name=requester["name"],
        requester_email=requester["email"],
        channel=payload.get("via", {}).get("channel") or "api",
        public=comment.get("public") is not False,
        actor="api",
        custom=payload.get("metadata") or {},
        raw=payload,
        **given,
    )
    answer = {"ticket": without_generated(ticket.json), "audit": audit_json(ticket.audits[0], ticket)}
    return json_response(201, answer, Location=ticket.json["url"])


ROUTES: dict[str, Callable[[Call], Response]] = {
    "POST tickets": create,
    "PUT tickets/{id}": update,
    "PUT tickets/update_many": update_many,
    "GET job_statuses/show_many": show_many_jobs,
}
