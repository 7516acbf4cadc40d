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

from .clock import parse_iso
from .credentials import Identity
from .messages import Refusal, Response, json_response, refuse
from .records import Audit, Item, Job, StoredTicket, accepted
from .store import Store
from .text import cut, expand_placeholders, html_to_text, normalise_tags, squeeze
from .zendesk_call import NOT_FOUND, Call, Rules, bad_request, invalid, too_many_values

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


UPDATABLE = frozenset(
    """additional_collaborators assignee_email assignee_id attribute_value_ids collaborator_ids comment
    custom_fields custom_status_id due_at email_ccs external_id followers group_id metadata organization_id
    priority problem_id requester_id safe_update sharing_agreement_ids status subject tags type
    updated_stamp""".split()
)
CREATABLE = UPDATABLE | frozenset(
    "brand_id description raw_subject recipient requester submitter_id ticket_form_id via".split()
)
SETTABLE = frozenset(
    """assignee_id collaborator_ids due_at external_id group_id organization_id priority problem_id
    requester_id sharing_agreement_ids status subject type brand_id recipient ticket_form_id""".split()
)
ENUMS = {
    "priority": ("urgent", "high", "normal", "low"),
    "status": ("new", "open", "pending", "hold", "solved", "closed"),
    "type": ("problem", "incident", "question", "task"),
}


def unknown_keys(payload: Mapping[str, Any], known: frozenset[str], action: str = "update") -> dict[str, str]:
    """The warning header for keys that are going to be ignored; nothing when there are none."""
    strange = [key for key in payload if key not in known and key != "id"]
    if not strange:
        return {}
    listed = ", ".join('"ticket.' + key.encode("ascii", "replace").decode()[:80] + '"' for key in strange)
    told = f':controller=>"tickets", :action=>"{action}", :unpermitted_keys=>[{listed}], :invalid_values=>[]'
    return {"x-zendesk-api-warn": f"{{:allowed_parameters=>{{{told}}}}}"}


def check_guard(ticket: StoredTicket, payload: Mapping[str, Any], rules: Rules, *, queued: float | None = None) -> None:
    """Safe update: 409 when the ticket is not as the caller read it, 400 when the stamp is missing.

    The key ``safe_update`` alone makes a write safe, whatever its value. Jobs are always safe: without an
    own stamp the time they were ``queued`` stands in for it.
    """
    stamp = payload.get("updated_stamp")
    if "safe_update" in payload:
        if not stamp:
            raise bad_request("Invalid attribute", "updated_stamp is required for a safe update")
        if str(stamp) == ticket.stamp:
            return
        try:
            moment = parse_iso(str(stamp))
        except ValueError:
            raise bad_request("Invalid attribute", "updated_stamp is not a valid time") from None
        current = parse_iso(ticket.stamp)
        if rules.passes(moment, current):
            return
    elif queued is None or int(ticket.changed) <= int(queued):
        return
    raise rules.refusal(
        409,
        "UpdateConflict",
        "Safe Update prevented the update due to outdated ticket data. "
        "Please fetch the latest ticket data and try again.",
    )


def apply_update(
    store: Store,
    ticket: StoredTicket,
    payload: Mapping[str, Any],
    identity: Identity,
    rules: Rules,
    *,
    queued: float | None = None,
    sent: Mapping[str, Any] | None = None,
) -> Audit | None:
    """Update a ticket by a payload; ``None`` when nothing changed.

    ``sent`` is what the caller had sent, where less of it counts.
    """
    check_guard(ticket, payload, rules, queued=queued)
    if ticket.json["status"] == "closed":
        raise invalid("status", "Status: closed prevents ticket update", "RecordInvalid")
    fields = field_values(store, payload)
    if fields.get("assignee_id") and ticket.json["status"] == "new" and "status" not in fields:
        fields["status"] = "open"
    author, comment = _comment(ticket, payload.get("comment"), identity)
    if comment is not None and len(ticket.comments) >= rules.most_comments:
        raise invalid("base", "Comments: too many comments on this ticket")
    return store.change(
        ticket,
        fields,
        actor="api",
        author_id=author,
        comment=comment,
        custom=_metadata(payload),
        raw=payload if sent is None else sent,
    )


def apply_creation(store: Store, payload: Mapping[str, Any], identity: Identity) -> StoredTicket:
    """A new ticket from a payload."""
    fields = field_values(store, payload)
    comment = payload.get("comment")
    comment = comment if isinstance(comment, dict) else {"body": payload.get("description")}
    body, markup = comment.get("body"), comment.get("html_body")
    if not body and not markup:
        raise invalid("base", "Description: cannot be blank", "BlankValue")
    name, email, author = _requester(store, payload, identity)
    via = payload.get("via")
    channel = via.get("channel") if isinstance(via, dict) else None
    if custom := fields.pop("custom_fields", None):
        fields["custom_fields"] = fields["fields"] = [{"id": key, "value": value} for key, value in custom.items()]
    subject, status = fields.pop("subject", None), fields.pop("status", None)
    fields.pop("requester_id", None)
    return store.create(
        subject=str(subject or ""),
        body=None if body is None else cut(str(body)),
        html_body=None if markup is None or body else cut(str(markup)),
        requester_name=name,
        requester_email=email,
        channel=str(channel or "api"),
        status=status or ("open" if fields.get("assignee_id") else "new"),
        public=comment.get("public") is not False,
        actor="api",
        author_id=author,
        custom=_metadata(payload),
        raw=payload,
        fields=fields,
    )


def field_values(store: Store, payload: Mapping[str, Any]) -> dict[str, Any]:
    """The ticket's fields that a payload sets, validated and normalised; 422 for a value that cannot be."""
    values = {name: value for name, value in payload.items() if name in SETTABLE}
    for name, allowed in ENUMS.items():
        value = values.get(name)
        if value is not None and value not in allowed:
            raise invalid(name, f"{name.capitalize()}: {value} is not valid")
    if values.get("status", "new") is None:
        del values["status"]
    for name in ("external_id", "subject"):
        if values.get(name) is not None:
            values[name] = str(values[name])
    if "subject" in values and values["subject"] is None:
        values["subject"] = ""
    requester = values.get("requester_id", 0)
    if requester != 0 and (not isinstance(requester, int) or requester not in store.users):
        raise invalid("requester", "Requester: is invalid")
    if payload.get("tags") is not None:
        values["tags"] = normalise_tags(payload["tags"])
    email = payload.get("assignee_email")
    if isinstance(email, str):
        people = [key for key, user in store.users.items() if user["email"] == email.lower()]
        if not people:
            raise invalid("assignee", "Assignee: is invalid")
        values["assignee_id"] = people[0]
    group = values.get("group_id")
    if group is not None and (not isinstance(group, int) or group not in store.groups):
        raise invalid("group", "Group: is invalid")
    custom = payload.get("custom_fields")
    given: dict[int, Any] = {}
    if isinstance(custom, dict):
        given = {int(key): value for key, value in custom.items() if str(key).isdigit()}
    elif isinstance(custom, list):
        given = {
            item["id"]: item.get("value")
            for item in custom
            if isinstance(item, dict) and isinstance(item.get("id"), int)
        }
    if taken := accepted(store.ticket_fields, given):
        values["custom_fields"] = taken
    return values


def _comment(
    ticket: StoredTicket, comment: object, identity: Identity
) -> tuple[int, tuple[str, str | None, bool] | None]:
    if not isinstance(comment, dict):
        return identity.user_id, None
    author = comment.get("author_id")
    author_id = author if isinstance(author, int) else identity.user_id
    body, markup = comment.get("body"), comment.get("html_body")
    public = comment.get("public")
    # Left out, the form of the ticket's first comment goes on, and that of a mail is public.
    is_public = bool(ticket.comments[0]["public"]) if public is None else public not in (False, "false")
    if markup:
        expanded = cut(expand_placeholders(str(markup), ticket.json, ticket.requester_name))
        return author_id, (html_to_text(expanded), expanded, is_public)
    if body:
        text = expand_placeholders(str(body), ticket.json, ticket.requester_name)
        return author_id, (cut(squeeze(text)), None, is_public)
    return author_id, None


def _metadata(payload: Mapping[str, Any]) -> dict[str, Any]:
    metadata = payload.get("metadata")
    return dict(metadata) if isinstance(metadata, dict) else {}


def _requester(store: Store, payload: Mapping[str, Any], identity: Identity) -> tuple[str, str | None, int | None]:
    """Name, address and author of a new ticket; the caller, when no requester is named."""
    requester = payload.get("requester")
    if isinstance(requester, dict):
        email = requester.get("email")
        if email is not None and (not isinstance(email, str) or "@" not in email):
            raise invalid("requester", f"Requester: Email: {email} is not properly formatted")
        return str(requester.get("name") or email or "Customer"), email, None
    given = payload.get("requester_id")
    user = store.users.get(given if isinstance(given, int) else identity.user_id)
    if user is None:
        raise invalid("requester", "Requester: is invalid")
    return user["name"], user["email"], None


def explain(refusal: Refusal) -> str:
    """A refusal in one line, as a job's failed item gives it, in whatever form it is written."""
    try:
        body = refusal.response.json()
    except ValueError:
        return refusal.response.body.decode("utf-8").strip()
    details = body.get("details")
    if isinstance(details, dict):
        return " ".join(entry["description"] for entries in details.values() for entry in entries)
    if "errors" in body:
        return " ".join(str(entry["title"]) for entry in body["errors"])
    error = body.get("error")
    return str(body.get("description") or (error.get("message") if isinstance(error, dict) else error))
