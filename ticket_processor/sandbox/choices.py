"""Drop-downs and tags are two sides of one thing: what an account's own fields accept, and which tags follow.

How far the vendor goes is known from reports only, so the stricter form is imitated: of a list of tags and a
drop-down that disagree in one write, the tags win; a value that is no option is dropped without a word.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

Fields = Sequence[Mapping[str, Any]]


def options_of(fields: Fields) -> dict[int, frozenset[str]]:
    """The values that each drop-down and multi-select takes."""
    return {
        field["id"]: frozenset(option["value"] for option in field.get("custom_field_options") or ())
        for field in fields
        if field["type"] in ("tagger", "multiselect")
    }


def blank(fields: Fields) -> list[dict[str, Any]]:
    """The account's own fields as a new ticket shows them."""
    return [{"id": field["id"], "value": None} for field in fields if field["removable"]]


def accepted(fields: Fields, values: Mapping[int, Any]) -> dict[int, Any]:
    """The values that the account accepts: of known fields, and with known options."""
    own = {field["id"] for field in fields if field["removable"]}
    options = options_of(fields)
    return {
        key: value
        for key, value in values.items()
        if key in own and (not value or key not in options or options[key].issuperset(_listed(value)))
    }


def linked(fields: Fields, tags: Sequence[str], values: Mapping[int, Any], wanted: Mapping[str, Any]) -> dict[str, Any]:
    """A change with what follows from it: a drop-down's tag where a value is set, a value where a tag is.

    ``tags`` and ``values`` are the ticket's before the change.
    """
    if "tags" not in wanted and "custom_fields" not in wanted:
        return dict(wanted)
    named = set(wanted["tags"]) if "tags" in wanted else None
    after = set(tags) if named is None else named
    custom = dict(wanted.get("custom_fields") or {})
    for key, options in options_of(fields).items():
        before = set(_listed(values.get(key)))
        asked = set(_listed(custom[key])) if key in custom else before
        if named is None:
            after = (after - options) | asked if key in custom else after
            continue
        chosen = named & options
        if not isinstance(values.get(key), list) and not isinstance(custom.get(key), list) and len(chosen) > 1:
            # A drop-down holds one value: the one asked for, or the tag that was not there before.
            chosen = {min(chosen & asked - before or chosen - before or chosen & asked or chosen)}
        after = (after - options) | chosen
        if chosen != asked or key in custom:
            many = isinstance(custom.get(key, values.get(key)), list)
            custom[key] = sorted(chosen) if many else next(iter(chosen), None)
    changed = dict(wanted)
    if named is not None or after != set(tags):
        kept = [tag for tag in (tags if named is None else wanted["tags"]) if tag in after]
        changed["tags"] = [*kept, *sorted(after.difference(kept))]
    if custom:
        changed["custom_fields"] = custom
    return changed


def fill_in(fields: Fields, json: dict[str, Any]) -> None:
    """A new ticket has every field of the account, mostly empty, and the tags of its drop-downs."""
    given = {item["id"]: item["value"] for item in json["custom_fields"]}
    made = linked(fields, (), {}, {"custom_fields": given})
    # A choice brings its tag, and a tag its choice.
    tags = list(dict.fromkeys((*json["tags"], *made.get("tags", ()))))
    made = linked(fields, (), given, {"tags": tags})
    values = {item["id"]: item["value"] for item in blank(fields)} | given | made.get("custom_fields", {})
    json["custom_fields"] = json["fields"] = [{"id": key, "value": value} for key, value in values.items()]
    json["tags"] = tags


def _listed(value: Any) -> list[str]:
    return [] if not value else [str(item) for item in value] if isinstance(value, list) else [str(value)]
