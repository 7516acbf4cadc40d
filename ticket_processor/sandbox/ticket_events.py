"""The events of an audit: what each field was before, and is now."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

STATUS_IDS = {"new": 1, "open": 2, "pending": 3, "hold": 4, "solved": 5, "closed": 6}


def creations(json: Mapping[str, Any], event_id: Callable[[], int]) -> list[dict[str, Any]]:
    """The events of a new ticket; of empty fields only priority and type are named."""
    names = ("subject", "requester_id", "priority", "type", "status", "assignee_id", "group_id", "tags")
    fields = [(str(item["id"]), item["value"]) for item in json["custom_fields"]]
    return [
        {"id": event_id(), "type": "Create", "field_name": name, "value": value}
        for name, value in [*((name, json[name]) for name in names), *fields]
        if value not in (None, []) or name in ("priority", "type")
    ]


def set_field(json: dict[str, Any], name: str, value: Any, event_id: Callable[[], int]) -> list[dict[str, Any]]:
    """Set a ticket's field, or several of the account's own; the events of what that changes."""
    if name == "custom_fields":
        return _set_custom_fields(json, value, event_id)
    before = json.get(name)
    if before == value:
        return []
    json[name] = value
    if name == "subject":
        json["raw_subject"] = value
    elif name == "status":
        json["custom_status_id"] = STATUS_IDS.get(value, 1)
    return [_change(event_id(), name, before, value)]


def _set_custom_fields(
    json: dict[str, Any], values: Mapping[int, Any], event_id: Callable[[], int]
) -> list[dict[str, Any]]:
    current = {item["id"]: item["value"] for item in json["custom_fields"]}
    changed = {key: value for key, value in values.items() if current.get(key) != value}
    if not changed:
        return []
    merged = [{"id": key, "value": value} for key, value in (current | changed).items()]
    json["custom_fields"] = json["fields"] = merged
    return [_change(event_id(), str(key), current.get(key), value) for key, value in changed.items()]


def _change(event_id: int, name: str, before: Any, after: Any) -> dict[str, Any]:
    return {"id": event_id, "type": "Change", "field_name": name, "value": after, "previous_value": before}
