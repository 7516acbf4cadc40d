"""Applies updates and creations to tickets: which keys count, the guard, validation, the comment.

Single requests and the items of jobs share these rules. A write that is not allowed raises
:class:`~.messages.Refusal` before anything has changed; the store's lock makes check and write one step.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from .choices import accepted
from .clock import parse_iso
from .credentials import Identity
from .messages import Refusal
from .records import Audit, StoredTicket
from .store import Store
from .text import cut, expand_placeholders, html_to_text, normalise_tags, squeeze
from .zendesk_call import Rules, bad_request, invalid

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
    tags = fields.pop("tags", [])
    custom_fields = fields.pop("custom_fields", {})
    listed = [{"id": key, "value": value} for key, value in custom_fields.items()]
    priority, subject = fields.pop("priority", None), fields.pop("subject", None)
    external_id, status = fields.pop("external_id", None), fields.pop("status", None)
    fields.pop("requester_id", None)
    return store.create(
        subject=str(subject or ""),
        body=None if body is None else cut(str(body)),
        html_body=None if markup is None or body else cut(str(markup)),
        requester_name=name,
        requester_email=email,
        channel=str(channel or "api"),
        external_id=external_id,
        tags=tags,
        priority=priority,
        status=status or ("open" if fields.get("assignee_id") else "new"),
        public=comment.get("public") is not False,
        actor="api",
        author_id=author,
        custom=_metadata(payload),
        raw=payload,
        fields={**fields, "custom_fields": listed, "fields": listed},
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
