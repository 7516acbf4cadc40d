"""What a Freshdesk account has besides tickets: fields and groups, its people, its automation rules, and
who we are. Reads only.

Facts and their sources: developers.freshdesk.com/api, "Ticket Fields", "Groups", "Contacts" (list), "Agents" (list),
"Tickets" (list), "Automations", "Authentication". There is no list of the tags in use;
archived, deleted and spam tickets are in no list.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from ..core.errors import CannotRun, ConfigError
from .freshdesk_format import PRIORITIES, listed
from .http_messages import Reply
from .json_values import mapping, string
from .protocol import (
    BY_TICKET,
    AccountLabels,
    BusinessRule,
    Clause,
    RequesterSearch,
    RuleAction,
    RuleCondition,
    TicketField,
)
from .transport import FixedAuth, Transport

PAGE_SIZE = 100
GROUP_PAGES = 20

_KINDS = {"custom_checkbox": "checkbox"}
"""Freshdesk's kinds of fields that others have another word for."""


def read_labels(transport: Transport) -> AccountLabels:
    """Everything at once; a handful of requests. Raises :class:`CannotRun`, as any reading of the helpdesk."""
    fields = tuple(_field(row) for row in _rows(transport, "ticket_fields", {}))
    return AccountLabels(tags=None, fields=fields, groups=dict(_groups(transport)))


def _groups(transport: Transport) -> Iterator[tuple[int, str]]:
    for page in range(1, GROUP_PAGES + 1):
        rows = _rows(transport, "groups", {"per_page": PAGE_SIZE, "page": page})
        yield from ((row["id"], str(row.get("name"))) for row in rows)
        if len(rows) < PAGE_SIZE:
            return


def _field(row: Mapping[str, Any]) -> TicketField:
    kind = str(row.get("type") or "")
    return TicketField(
        id=row["id"],
        title=str(row.get("label") or row.get("name") or ""),
        kind=_KINDS.get(kind, kind),
        active=not row.get("archived"),
        system=row.get("default") is True,
        required=row.get("required_for_closure") is True,
        options={value: value for value in _choices(row.get("choices"))},
    )


def _choices(choices: object) -> Iterator[str]:
    """The values of a drop-down: a list or, where one choice leads to others, the names at the top of the tree."""
    if isinstance(choices, list | dict):
        yield from map(str, choices)


def _rows(transport: Transport, name: str, params: Mapping[str, str | int]) -> list[dict[str, Any]]:
    return listed(transport.request("GET", f"/api/v2/{name}", params=params), name.replace("_", " "))


MAX_PAGES = 300
"""More are refused."""
BEGINNING = "1970-01-01T00:00:00Z"
"""Without a moment the list ends after thirty days."""
HINT = f"; {BY_TICKET}"


class FreshdeskRequesters(RequesterSearch):
    """The people of an account: contacts and agents, who may be requesters as well."""

    def __init__(self, transport: Transport) -> None:
        self._transport = transport

    def with_address(self, address: str) -> set[int]:
        """See :meth:`RequesterSearch.with_address`."""
        found = {row["id"] for row in listed(self._get("/contacts", {"email": address}), "contacts", HINT)}
        if not found:
            agents = self._get("/agents", {"email": address})
            found = set() if agents.status == 403 else {row["id"] for row in listed(agents, "agents", HINT)}
        return found

    def tickets(self, user: int) -> Iterator[int]:
        """See :meth:`RequesterSearch.tickets`. In the order of their creation, which nothing changes meanwhile."""
        for page in range(1, MAX_PAGES + 1):
            params: dict[str, str | int] = {
                "requester_id": user,
                "updated_since": BEGINNING,
                "order_by": "created_at",
                "order_type": "asc",
                "per_page": PAGE_SIZE,
                "page": page,
            }
            reply = self._get("/tickets", params)
            if reply.status in (400, 404):
                raise ConfigError(f"--requester: the helpdesk knows no such user; {BY_TICKET}")
            rows = listed(reply, "tickets", HINT)
            yield from (row["id"] for row in rows)
            if len(rows) < PAGE_SIZE:
                return
        raise CannotRun(f"Freshdesk lists the first {MAX_PAGES * PAGE_SIZE} tickets only; {BY_TICKET}")

    def _get(self, path: str, params: Mapping[str, str | int]) -> Reply:
        return self._transport.request("GET", "/api/v2" + path, params=params)


CREATION, HOURLY, UPDATE = 1, 3, 4
"""Numbers of the kinds of rules. Those on creation have worked before we write, so they are left out."""
_NAMES = {
    "tag_names": "current_tags",
    "tag_ids": "current_tags",
    "add_tag": "current_tags",
    "send_email_to_requester": "notification_user",
    "note_type": "comment_is_public",
    "reply_sent": "comment_is_public",
}
_OPERATORS = {"in": "is", "not_in": "is_not", "equal": "is", "contains": "includes", "does_not_contain": "not_includes"}
_STATUSES = {"2": "open", "3": "pending", "4": "solved", "5": "closed"}
_PRIORITIES = {str(number): priority.value for number, priority in PRIORITIES.items()}
_ANY = ("--", "any", "")
_BY_CUSTOMER = "2"
"""The performer that is the customer: such rules do not work on our updates."""


def read_rules(transport: Transport) -> list[BusinessRule]:
    """The active rules. Raises :class:`CannotRun` where the account does not show them."""
    rules = []
    for kind in (UPDATE, HOURLY):
        reply = transport.request("GET", f"/api/v2/automations/{kind}/rules")
        if not reply.ok:
            raise CannotRun(
                f"Freshdesk does not show its automation rules (HTTP {reply.status}): the key has to be an admin's, "
                "and not every plan has them"
            )
        rows = reply.body if isinstance(reply.body, list) else mapping(reply.body).get("rules") or ()
        rules += [_rule(row, kind) for row in map(mapping, rows) if row.get("active") is not False]
    return rules


def _rule(row: Mapping[str, Any], kind: int) -> BusinessRule:
    parts: list[RuleCondition | Clause] = []
    performer = str(mapping(row.get("performer")).get("type") or "")
    if performer == _BY_CUSTOMER:
        parts.append(RuleCondition("role", "is", ("end_user",)))
    events = tuple(_event(mapping(item)) for item in row.get("events") or ())
    if kind == UPDATE:
        parts.append(RuleCondition("update_type", "is", ("Change",)))
        parts += [Clause("any", events)] if events else []
    sets = tuple(_clause(mapping(item)) for item in row.get("conditions") or ())
    if sets:
        parts.append(Clause("any" if " or " in string(row.get("operator")) else "all", sets))
    return BusinessRule(
        kind="trigger" if kind == UPDATE else "automation",
        id=str(row.get("id")),
        title=string(row.get("name")),
        conditions=Clause("all", tuple(parts)),
        actions=tuple(_actions(row.get("actions") or ())),
    )


def _event(item: Mapping[str, Any]) -> RuleCondition | Clause:
    """One of the changes on which a rule works: a field from one value to another, or a reply, note or the like."""
    name = string(item.get("field_name"))
    old, new = (_values(name, item.get(key)) for key in ("from", "to"))
    if name in ("reply_sent", "note_type"):
        public = name == "reply_sent" or "public" in _values(name, item.get("value"))
        return RuleCondition("comment_is_public", "is", ("true" if public else "not_relevant",))
    if name == "priority" and old == ("low",):
        old = ("low", "")  # what we take for an empty priority
    moves = [RuleCondition(_name(name), "changed")]
    moves += [RuleCondition(_name(name), "value_previous", old)] if old[0] not in _ANY else []
    moves += [RuleCondition(_name(name), "value", new)] if new[0] not in _ANY else []
    return Clause("all", tuple(moves))


def _clause(item: Mapping[str, Any]) -> Clause:
    return Clause(
        "any" if item.get("match_type") == "any" else "all",
        tuple(_condition(mapping(part)) for part in item.get("properties") or ()),
    )


def _condition(item: Mapping[str, Any]) -> RuleCondition:
    name = string(item.get("field_name"))
    operator = _OPERATORS.get(string(item.get("operator")), string(item.get("operator")))
    ours = _name(name)
    if ours == "current_tags":
        operator = {"is": "includes", "is_not": "not_includes"}.get(operator, operator)
    return RuleCondition(ours, operator, _values(name, item.get("value")))


def _actions(rows: object) -> Iterator[RuleAction]:
    for item in map(mapping, rows if isinstance(rows, list) else ()):
        name = string(item.get("field_name"))
        mails = name == "send_email_to_requester"
        yield RuleAction(_name(name), ("requester_id",) if mails else _values(name, item.get("value")))


def _name(name: str) -> str:
    return _NAMES.get(name, name)


def _values(name: str, value: object) -> tuple[str, ...]:
    """The values as text, those of priority and status in everybody's words. A tag with blanks is none of ours."""
    words = {"priority": _PRIORITIES, "status": _STATUSES}.get(name, {})
    items = value if isinstance(value, list) else [value]
    found = tuple("" if item is None else words.get(str(item), str(item)) for item in items)
    if _name(name) == "current_tags":
        found = tuple(word.strip().replace(" ", "-") for item in found for word in item.split(","))
    return found or ("",)


class ApiKey(FixedAuth):
    """An agent's API key, by HTTP Basic; the password is a dummy."""

    def __init__(self, key: str) -> None:
        super().__init__(self.basic(key, "X"))


def own_user(transport: Transport) -> int | None:
    """The number of the agent whose key ``transport`` uses; ``None`` where Freshdesk does not say. One request."""
    reply = transport.request("GET", "/api/v2/agents/me")
    number = reply.body.get("id") if reply.ok and isinstance(reply.body, dict) else None
    return number if isinstance(number, int) else None
