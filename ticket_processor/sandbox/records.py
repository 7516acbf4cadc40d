"""The records of a Zendesk account: tickets in the API's own shape, their changes as audits with events, and jobs.

Drop-downs and tags are two sides of one thing. How far the vendor goes is known from reports only, so the stricter form
is imitated: of a list of tags and a drop-down that disagree in one write, the tags win; a value that is no option is
dropped without a word.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

from .account import HeldTicket, shaped
from .clock import iso
from .text import text_to_html

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


STATUS_IDS = {"new": 1, "open": 2, "pending": 3, "hold": 4, "solved": 5, "closed": 6}

Actor = Literal["api", "person", "system", "fill"]
"""Who made a change: a caller of the API, a person at the agent's screen, the vendor itself, the filling."""

NO_SOURCE: dict[str, Any] = {"from": {}, "to": {}, "rel": None}
"""The ``via.source`` of everything but mail."""


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
    before, after = {name: json.get(name)}, {name: value}
    if name == "custom_fields":
        before, after = {item["id"]: item["value"] for item in json["custom_fields"]}, value
    changed = [key for key in after if before.get(key) != after[key]]
    if name == "custom_fields" and changed:
        values = {**before, **{key: after[key] for key in changed}}
        json["custom_fields"] = json["fields"] = [{"id": key, "value": it} for key, it in values.items()]
    elif changed:
        json[name] = value
        if name == "subject":
            json["raw_subject"] = value
        elif name == "status":
            json["custom_status_id"] = STATUS_IDS.get(value, 1)
    return [
        {
            "id": event_id(),
            "type": "Change",
            "field_name": str(key),
            "value": after[key],
            "previous_value": before.get(key),
        }
        for key in changed
    ]


@dataclass(frozen=True)
class Audit:
    """One change of one ticket: the ground truth that tests judge a client by.

    ``at`` is the exact Unix time, where the API shows whole seconds. ``raw`` is the payload an API caller
    sent for this ticket and ``raw_keys`` its keys; both empty for other actors. ``comment_public`` is
    ``None`` when the change carried no comment. ``visible`` is False for a silent change by the system,
    which leaves neither an audit nor a new ``updated_at`` in the API.
    """

    id: int
    ticket_id: int
    at: float
    author_id: int
    actor: Actor
    events: Sequence[dict[str, Any]]
    via: dict[str, Any]
    custom: Mapping[str, Any] = field(default_factory=dict)
    raw: Mapping[str, Any] = field(default_factory=dict)
    comment_public: bool | None = None
    visible: bool = True
    stamp_before: str = ""

    @property
    def raw_keys(self) -> tuple[str, ...]:
        """The keys of the payload that an API caller sent for this ticket."""
        return tuple(self.raw)

    def change(self, field_name: str) -> tuple[Any, Any] | None:
        """A field's value before and after, or ``None`` when this audit left it alone."""
        for event in self.events:
            if event.get("field_name") == field_name:
                return event.get("previous_value"), event.get("value")
        return None

    @property
    def tags_added(self) -> frozenset[str]:
        """Tags that were not there before."""
        before, after = self.change("tags") or ((), ())
        return frozenset(after or ()) - frozenset(before or ())

    @property
    def tags_removed(self) -> frozenset[str]:
        """Tags that are gone."""
        before, after = self.change("tags") or ((), ())
        return frozenset(before or ()) - frozenset(after or ())

    def as_json(self) -> dict[str, Any]:
        """The audit as the API shows it: ids are text in its events."""
        return {
            "id": self.id,
            "ticket_id": self.ticket_id,
            "created_at": iso(self.at),
            "author_id": self.author_id,
            "metadata": {"system": {}, "custom": self.custom},
            "events": [_shown_event(event) for event in self.events],
            "via": self.via,
        }


def _shown_event(event: dict[str, Any]) -> dict[str, Any]:
    if not str(event.get("field_name")).endswith("_id"):
        return event
    told = {key: event[key] for key in ("value", "previous_value") if event.get(key) is not None}
    return {**event, **{key: str(value) for key, value in told.items()}}


@dataclass
class StoredTicket(HeldTicket):
    """A ticket of Zendesk's; ``json`` is what the incremental export shows."""

    comments: list[dict[str, Any]] = field(default_factory=list)
    audits: list[Audit] = field(default_factory=list)

    @property
    def shown(self) -> dict[str, Any]:
        """The ticket as every endpoint but the incremental export shows it."""
        return without_generated(self.json)


def without_generated(json: Mapping[str, Any]) -> dict[str, Any]:
    """A ticket as every endpoint but the incremental export shows it: those have no ``generated_timestamp``."""
    return {name: value for name, value in json.items() if name != "generated_timestamp"}


Item = Callable[[], dict[str, Any]]
"""One item of a job: what does it, and gives its result."""


@dataclass
class Job:
    """A background job over many tickets; ``results`` fills while it works and is ``shown`` at the end."""

    id: str
    total: int
    progress: int = 0
    started: bool = False
    finished_at: float | None = None
    status: str = "completed"
    results: list[dict[str, Any]] = field(default_factory=list)
    shown: list[dict[str, Any]] | None = None

    delay = 0.0
    """Seconds by which it starts later than others."""

    def todo(self, work: Sequence[Item]) -> Sequence[Item]:
        """The items that it does."""
        return work

    def finish(self, moment: float) -> None:
        """It is done, and shows its results."""
        self.finished_at, self.shown = moment, self.results

    def forgotten(self, now: float) -> bool:
        """Whether it ended more than a day ago."""
        return self.finished_at is not None and now - self.finished_at > 86_400

    def found(self, now: float) -> bool:
        """Whether a look-up by its id finds it."""
        return not self.forgotten(now)


def new_comment(
    ticket: StoredTicket,
    comment_id: int,
    moment: float,
    author_id: int,
    text: str,
    markup: str | None,
    public: bool,
    attachments: Iterable[Mapping[str, Any]] = (),
) -> dict[str, Any]:
    """A comment in the API's shape, added to its ticket; its ``audit_id`` is set once there is an audit."""
    comment = shaped(
        "zendesk comment",
        id=comment_id,
        author_id=author_id,
        body=text,
        html_body=text_to_html(text) if markup is None else markup,
        plain_body=text,
        public=public,
        attachments=[dict(item) for item in attachments],
        via={"channel": "api", "source": NO_SOURCE} if ticket.comments else ticket.json["via"],
        created_at=iso(moment),
    )
    ticket.comments.append(comment)
    return comment


def via_of(channel: str, name: str, email: str | None) -> dict[str, Any]:
    """Where a ticket came from; mail says from whom and to which address."""
    if channel != "email":
        return {"channel": channel, "source": NO_SOURCE}
    to = {"name": "Support", "address": "support@example.com"}
    return {"channel": "email", "source": {"from": {"address": email, "name": name}, "to": to, "rel": None}}
