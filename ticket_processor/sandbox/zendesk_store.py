"""Zendesk's account: how its tickets, audits and jobs look, and what follows from a change."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from .basics import SandboxClock, iso, normalise_tags, parse_iso, text_to_html
from .store import BOT_ID, PERSON_ID, Actor, AddressBook, Audit, Comment, Row, Store, StoredTicket, shaped

STATUS_IDS = {"new": 1, "open": 2, "pending": 3, "hold": 4, "solved": 5, "closed": 6}
NO_SOURCE: Row = {"from": {}, "to": {}, "rel": None}
"""The ``via.source`` of everything but mail."""
_TITLES = ("raw_title", "description", "raw_description", "title_in_portal", "raw_title_in_portal")
_TOLD_OF_NEW = ("subject", "requester_id", "priority", "type", "status", "assignee_id", "group_id", "tags")
_MESSAGING = ("native_messaging", "whatsapp", "line", "telegram", "instagram_dm")
QUICK_JOBS = 0.1, 0.0


class ZendeskStore(Store):
    """An account of Zendesk. ``generated_timestamp`` moves at every change, and orders the list of changes."""

    vendor = "zendesk"
    languages = ("en", "de")
    max_jobs = 30
    """That may be queued or working at once."""
    most_comments = 5_000

    def __init__(self, clock: SandboxClock, *, seed: int = 0) -> None:
        super().__init__(clock, seed=seed)
        self.users = self.people = AddressBook(self, role="end-user")
        self.jobs: dict[str, Job] = {}
        self.sla_policy: Row = {}
        """Its title, and minutes by metric and priority; a ticket without a priority has no targets."""
        self.triggers: dict[int, Row] = {}
        self.automations: list[Row] = []
        self.users.add("Ticket Bot", "bot@example.com", user_id=BOT_ID)
        self.users.add("Alex Agent", "alex@example.com", user_id=PERSON_ID, role="agent")
        self.groups[8_001]["default"] = True
        for position, row in enumerate(self.ticket_fields):
            row |= {"position": position, **dict.fromkeys(_TITLES, row["title"])}

    def _begin(
        self,
        ticket: StoredTicket,
        text: str,
        markup: str | None,
        author_id: int,
        *,
        channel: str = "email",
        tags: Iterable[str] = (),
        status: str = "new",
        attachments: Iterable[Mapping[str, Any]] = (),
        public: bool = True,
        custom: Mapping[str, Any] | None = None,
        **others: Any,
    ) -> Row:
        """``others`` are further keys of the ticket, taken as they are."""
        json = ticket.json
        json |= {
            "url": f"{self.base_url}/api/v2/tickets/{ticket.id}.json",
            "generated_timestamp": ticket.listed,
            "via": _via(channel, ticket.requester_name, self.users[json["requester_id"]]["email"]),
            "raw_subject": json["subject"],
            "description": text,
            "status": status,
            "custom_status_id": STATUS_IDS.get(status, 1),
            "submitter_id": author_id,
            "is_public": public,
            "tags": normalise_tags(tags),
            "recipient": "support@example.com" if channel == "email" else None,
            "from_messaging_channel": channel in _MESSAGING,
            **others,
        }
        self._complete(json)
        comment = self._comment(ticket, Comment(text, markup, public), author_id, ticket.created)
        comment["attachments"] = [dict(item) for item in attachments]
        return {"values": _creations(json), "comment": comment, "custom": custom or {}}

    def worded(self, row: Mapping[str, Any]) -> Row:
        files = [{"file_name": item} if isinstance(item, str) else item for item in row.get("attachments") or ()]
        words = {"channel": row.get("channel") or "email", "status": row.get("status") or "new"}
        return {**words, "external_id": row.get("external_id"), "priority": row.get("priority"), "attachments": files}

    def add_article(
        self, title: str, body: str, *, locale: str = "en-us", labels: Sequence[str] = (), **more: Any
    ) -> int:
        with self.lock:
            number = 50_001 + len(self.articles)
            row = self.made(
                "article",
                id=number,
                url=f"{self.base_url}/api/v2/help_center/{locale}/articles/{number}.json",
                html_url=f"{self.base_url}/hc/{locale}/articles/{number}",
                **dict.fromkeys(("title", "name"), title),
                body=body,
                label_names=labels,
                **dict.fromkeys(("locale", "source_locale"), locale),
                edited_at=iso(self.now()),
            )
            self.articles.append({**row, **more})
            return number

    def read(self, *ticket_ids: int) -> list[StoredTicket]:
        """The living tickets of these, all as of one moment. For looking at only."""
        found = [self.living(ticket_id) for ticket_id in ticket_ids]
        return [ticket for ticket in found if ticket is not None]

    def service_times(self, row: Row) -> dict[str, Row]:
        """``slas`` and ``metric_events`` of a ticket, in the form that public clients have recorded."""
        metrics: list[Row] = []
        events: dict[str, list[Row]] = {}
        ticket = self.tickets[row["id"]]
        said = (one for one in ticket.comments if one["public"] and one["author_id"] != row["requester_id"])
        replied = next((one["created_at"] for one in said), None)
        solved = row["updated_at"] if row["status"] in ("solved", "closed") else None
        for name, minutes in self.sla_policy.get("minutes", {}).items():
            if row["priority"] not in minutes:
                continue
            due = ticket.created + 60 * minutes[row["priority"]]
            done = replied or solved if name == "first_reply_time" else solved
            paused = not done and row["status"] in ("pending", "hold")
            left = round((due - self.now()) / 60)
            size = ("minutes", 1) if abs(left) < 60 else ("hours", 60) if abs(left) < 1440 else ("days", 1440)
            stage = "achieved" if done else "paused" if paused else "active"
            metrics.append(
                {
                    "breach_at": None if paused else iso(due),
                    "stage": stage,
                    "metric": name,
                    size[0]: round(left / size[1]),
                }
            )
            kind = "reply_time" if name.endswith("reply_time") else name.removeprefix("total_")
            policy = {"id": 1, "title": self.sla_policy["title"], "description": None}
            applied = {"target": minutes[row["priority"]], "business_hours": False, "policy": policy}
            events.setdefault(kind, []).append(
                {"ticket_id": row["id"], "metric": kind, "type": "apply_sla", "time": row["created_at"], "sla": applied}
            )
            if done:
                events[kind].append({"ticket_id": row["id"], "metric": kind, "type": "fulfill", "time": done})
        return {"slas": {"policy_metrics": metrics}, "metric_events": events}

    def counting(self, payload: Mapping[str, Any], *, in_batch: bool) -> Mapping[str, Any]:
        """The part of an update, or of a batch's item, that the account honours."""
        return payload

    def outdated(self, ticket: StoredTicket, payload: Mapping[str, Any], queued: float | None) -> bool:
        """Whether a safe update fails, the ticket not being as the caller read it.

        The key ``safe_update`` alone makes a write safe, whatever its value. Jobs are always safe: without an own stamp
        the time they were ``queued`` stands in for it.
        """
        if "safe_update" in payload:
            return parse_iso(payload["updated_stamp"]) != parse_iso(ticket.stamp)
        return queued is not None and int(ticket.changed) > int(queued)

    def indexed(self, ticket: StoredTicket) -> Row | None:
        """A ticket as the search index has it; ``None`` where it has not."""
        return None if ticket.deleted else ticket.json

    def accepted(self, values: Mapping[int, Any]) -> dict[int, Any]:
        """The values of the account's own fields that it takes; of others nothing is said."""
        own = {field["id"] for field in self.ticket_fields if field["removable"]}
        return {key: value for key, value in values.items() if key in own}

    def linked(self, tags: Sequence[str], values: Mapping[int, Any], wanted: Mapping[str, Any]) -> Mapping[str, Any]:
        """A change with what follows from it; ``tags`` and ``values`` are the ticket's before."""
        return wanted

    def _complete(self, json: Row) -> None:
        """A new ticket has every field of the account, mostly empty."""
        blank: dict[int, Any] = {field["id"]: None for field in self.ticket_fields if field["removable"]}
        values = blank | {item["id"]: item["value"] for item in json["custom_fields"]}
        json["custom_fields"] = json["fields"] = [{"id": key, "value": value} for key, value in values.items()]

    def note(self, ticket: StoredTicket, actor: Actor, author_id: int, **told: Any) -> Audit:
        change = super().note(ticket, actor, author_id, **told)
        if change.comment is not None:
            ticket.comments[-1]["audit_id"] = change.id
        return change

    def _set(self, ticket: StoredTicket, fields: Mapping[str, Any]) -> dict[str, tuple[Any, Any]]:
        json = ticket.json
        own = {item["id"]: item["value"] for item in json["custom_fields"]}
        wanted = dict(self.linked(json["tags"], own, fields))
        new = wanted.pop("custom_fields", None) or {}
        changed = super()._set(ticket, wanted)
        changed |= {str(key): (own.get(key), value) for key, value in new.items() if own.get(key) != value}
        json["custom_fields"] = json["fields"] = [{"id": key, "value": it} for key, it in (own | new).items()]
        json["raw_subject"], json["custom_status_id"] = json["subject"], STATUS_IDS.get(json["status"], 1)
        return changed

    def _say(self, ticket: StoredTicket, comment: Comment, author_id: int, actor: Actor) -> Row:
        ticket.json["is_public"] = ticket.json["is_public"] or comment.public
        return self._comment(ticket, comment, author_id, self.now())

    def _comment(self, ticket: StoredTicket, comment: Comment, author_id: int, moment: float) -> Row:
        row = shaped(
            "zendesk comment",
            id=self.next_id(),
            author_id=author_id,
            **dict.fromkeys(("body", "plain_body"), comment.text),
            html_body=text_to_html(comment.text) if comment.markup is None else comment.markup,
            public=comment.public,
            via={"channel": "api", "source": NO_SOURCE} if ticket.comments else ticket.json["via"],
            created_at=iso(moment),
        )
        ticket.comments.append(row)
        return row

    def _changed(self, ticket: StoredTicket, moment: float) -> None:
        self._list(ticket, int(moment))
        ticket.json["generated_timestamp"] = ticket.listed

    def _edits(
        self, ticket: StoredTicket, add_tags: tuple[str, ...], remove_tags: tuple[str, ...], values: Mapping[str, Any]
    ) -> dict[str, Any]:
        add_tags, remove_tags = (tuple(normalise_tags(tags)) for tags in (add_tags, remove_tags))
        edits = super()._edits(ticket, add_tags, remove_tags, values)
        return {**edits, "tags": sorted(edits["tags"])} if "tags" in edits else edits


# --- how things look --------------------------------------------------------------------------------------


def audit_json(change: Audit, ticket: StoredTicket) -> Row:
    """A change as the API shows it: ids are text in its events."""
    via = {"channel": {"api": "api", "person": "web", "customer": "web"}.get(change.actor, "system")}
    return {
        "id": change.id,
        "ticket_id": change.ticket_id,
        "created_at": iso(change.at),
        "author_id": change.author_id,
        "metadata": {"system": {}, "custom": change.custom},
        "events": _events(change),
        "via": ticket.json["via"] if change.creates else {**via, "source": NO_SOURCE},
    }


def _events(change: Audit) -> list[Row]:
    rows: list[Row] = [dict(change.comment)] if change.comment is not None else []
    for name, (before, after) in change.values.items():
        values = {"value": after} if change.creates else {"value": after, "previous_value": before}
        if name.endswith("_id"):
            values = {key: value if value is None else str(value) for key, value in values.items()}
        rows.append({"type": "Create" if change.creates else "Change", "field_name": name, **values})
    if change.event is not None:
        rows.append(dict(change.event))
    return [{"id": change.id + place, **row} for place, row in enumerate(rows, 1)]


def without_generated(json: Mapping[str, Any]) -> Row:
    """A ticket as every endpoint but the incremental export shows it: those have no ``generated_timestamp``."""
    return {name: value for name, value in json.items() if name != "generated_timestamp"}


def _creations(json: Mapping[str, Any]) -> dict[str, tuple[Any, Any]]:
    """The fields of a new ticket as its record tells them; of empty ones only priority and type are named."""
    fields = {name: json[name] for name in _TOLD_OF_NEW} | {str(i["id"]): i["value"] for i in json["custom_fields"]}
    given = {name: value for name, value in fields.items() if value not in (None, []) or name in ("priority", "type")}
    return {name: (None, value) for name, value in given.items()}


def _via(channel: str, name: str, email: str | None) -> Row:
    """Where a ticket came from; mail says from whom and to which address."""
    if channel != "email":
        return {"channel": channel, "source": NO_SOURCE}
    to = {"name": "Support", "address": "support@example.com"}
    return {"channel": "email", "source": {"from": {"address": email, "name": name}, "to": to, "rel": None}}


# --- jobs -------------------------------------------------------------------------------------------------

Item = Callable[[], Row]
"""One item of a job: what does it, and gives its result."""


@dataclass
class Job:
    """A background job over many tickets; ``results`` fills while it works and is ``shown`` at the end."""

    total: int
    id: str = ""
    begins: float = 0.0
    finished_at: float | None = None
    status: str = "completed"
    results: list[Row] = field(default_factory=list)
    shown: list[Row] | None = None

    def finish(self, moment: float) -> None:
        self.finished_at, self.shown = moment, self.results

    def found(self, now: float) -> bool:
        """Whether the account knows it: for a day after its end."""
        return self.finished_at is None or now - self.finished_at <= 86_400
