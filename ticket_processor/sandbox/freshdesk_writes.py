"""Checks what a request would write to a Freshdesk ticket: keys, types, values. Nothing is changed here.

A write that is not allowed raises :class:`~.messages.Refusal` with every problem found. There is no guard against
others' changes: the vendor has none.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from .freshdesk_call import Problem, mismatch, missing, unexpected, validation_failed, wrong
from .freshdesk_records import PRIORITIES, SOURCES, FreshdeskTicket
from .freshdesk_store import FreshdeskStore
from .text import html_to_text

LONGEST_TAG = 32

Kinds = Mapping[str, type]

_WHOLE = """requester_id status priority responder_id email_config_id group_id parent_id product_id source company_id
    internal_agent_id internal_group_id""".split()
_TEXT = """name email facebook_id phone twitter_id unique_external_id subject type description due_by fr_due_by
    lookup_parameter""".split()
_COMMON: Kinds = {
    **dict.fromkeys(_WHOLE, int),
    **dict.fromkeys(_TEXT, str),
    "tags": list,
    "attachments": list,
    "custom_fields": dict,
}
UPDATABLE: Kinds = {**_COMMON, "skip_close_notification": bool}
CREATABLE: Kinds = {**_COMMON, "cc_emails": list, "related_ticket_ids": list}
_OF_A_NOTE: Kinds = {
    "body": str,
    "private": bool,
    "incoming": bool,
    "notify_emails": list,
    "user_id": int,
    "attachments": list,
}
_NAMES = {str: "String", bool: "Boolean", list: "Array", int: "Positive Integer", dict: "key/value pair"}
_MAY_BE_EMPTY = frozenset("responder_id email_config_id group_id product_id company_id type subject".split())
REQUESTERS = ("requester_id", "email", "facebook_id", "phone", "twitter_id", "unique_external_id")
_KEPT = frozenset(
    "requester_id status priority responder_id email_config_id group_id product_id source company_id subject type "
    "due_by fr_due_by tags custom_fields cc_emails".split()
)


def checked(
    store: FreshdeskStore,
    payload: Mapping[str, Any],
    known: Kinds,
    *,
    ticket: FreshdeskTicket | None = None,
) -> dict[str, Any]:
    """The fields of a ticket that a payload sets, as the ticket holds them; 400 when anything is wrong with it."""
    problems: list[Problem] = []
    for name, value in payload.items():
        problem = _problem(store, name, value, known)
        if problem:
            problems.append(problem)
        elif name == "custom_fields":
            problems += _custom_problems(store, value)
    if ticket is None and not any(payload.get(name) for name in REQUESTERS):
        problems.append(missing("requester_id"))
    if not problems and ticket is not None:
        problems = [missing(name) for name in _left_empty(store, payload, ticket)]
    if problems:
        raise validation_failed(problems)
    values = {name: value for name, value in payload.items() if name in _KEPT}
    if "description" in payload:
        values["description"] = payload["description"]
        values["description_text"] = html_to_text(payload["description"])
    return values


def checked_note(store: FreshdeskStore, payload: dict[str, Any]) -> dict[str, Any]:
    """The body of a request for a note; 400 with everything that is wrong with it."""
    problems = [found for name, value in payload.items() if (found := _mistyped(name, value, _OF_A_NOTE))]
    if not problems and "user_id" in payload and payload["user_id"] not in (*store.agents, *store.contacts):
        problems.append(wrong("user_id", "There is no user matching the given user_id"))
    body = payload.get("body", "")
    if isinstance(body, str) and not body.strip():
        problems.append(missing("body"))
    if problems:
        raise validation_failed(problems)
    return payload


def _mistyped(name: str, value: Any, known: Kinds) -> Problem | None:
    """The error of a key that there is not, or of a value of another type."""
    kind = known.get(name)
    if kind is None:
        return unexpected(name)
    if not isinstance(value, kind) or (kind is int and isinstance(value, bool)):
        return mismatch(name, _NAMES[kind], value)
    return None


def _problem(store: FreshdeskStore, name: str, value: Any, known: Kinds) -> Problem | None:
    """The error of one key, if any."""
    if value is None and name in _MAY_BE_EMPTY and name in known:
        return None
    if problem := _mistyped(name, value, known):
        return problem
    if isinstance(value, list) and name != "attachments" and not all(isinstance(item, str) for item in value):
        return mismatch(name, "String", next(item for item in value if not isinstance(item, str)))
    choices = {
        "status": store.statuses,
        "priority": PRIORITIES,
        "source": SOURCES,
        "type": next((row["choices"] for row in store.ticket_fields if row["name"] == "ticket_type"), ()),
    }.get(name)
    if choices is not None and value not in choices:
        return wrong(name, f"It should be one of these values: '{','.join(map(str, choices))}'")
    people = {"group_id": store.groups, "responder_id": store.agents, "requester_id": store.contacts}.get(name)
    if people is not None and value not in people:
        return wrong(name, f"There is no {name.removesuffix('_id')} matching the given {name}")
    if name == "tags" and any(not tag.strip() or len(tag) > LONGEST_TAG or "," in tag for tag in value):
        return wrong(name, f"It should only contain elements that have maximum of {LONGEST_TAG} characters")
    if name == "email" and "@" not in value:
        return wrong(name, "It should be in the 'valid email address' format")
    return None


def _custom_problems(store: FreshdeskStore, values: Mapping[str, Any]) -> list[Problem]:
    """The errors of the account's own fields."""
    fields = {field["name"]: field for field in store.ticket_fields if not field["default"]}
    problems: list[Problem] = []
    for name, value in values.items():
        field = fields.get(name)
        if field is None:
            problems.append(unexpected(name))
        elif value is not None:
            kind = {"custom_checkbox": bool, "custom_number": int}.get(field["type"], str)
            if problem := _mistyped(name, value, {name: kind}):
                problems.append(problem)
            elif "choices" in field and value not in field["choices"]:
                problems.append(wrong(name, f"It should be one of these values: '{','.join(field['choices'])}'"))
    return problems


def _left_empty(store: FreshdeskStore, payload: Mapping[str, Any], ticket: FreshdeskTicket) -> list[str]:
    """Fields that the account requires and that would be empty after the update."""
    after = {**ticket.json, **payload}
    own = {**ticket.json["custom_fields"], **(payload.get("custom_fields") or {})}
    return [name for name in store.rules.required_fields if own.get(name, after.get(name)) in (None, "", [])]
