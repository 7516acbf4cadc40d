"""What a Zendesk account does by itself: triggers, automations, macros, views, SLA policies. Reads only.

Facts and their sources: developer.zendesk.com, "Triggers", "Automations", "Macros", "Views", "SLA Policies",
"Conditions reference", "Actions reference".
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from .business_rules import AccountSetup, BusinessRule, Clause, RuleAction, RuleCondition, RuleKind
from .json_values import mapping, string
from .transport import Transport
from .zendesk_auth import own_user
from .zendesk_fields import read_labels
from .zendesk_paging import listed_rows, one_page

SAMPLE = 100
WEBHOOK_PATH = "/webhooks/zendesk"
"""The end of the address at which ``ticketbot serve`` takes deliveries in."""

_LISTS: Mapping[str, RuleKind] = {
    "triggers": "trigger",
    "automations": "automation",
    "macros": "macro",
    "views": "view",
    "slas/policies": "SLA policy",
}
_NEEDED = ("triggers", "automations")
"""Without these nothing can be promised; not every plan has the others."""


def read_setup(transport: Transport) -> AccountSetup:
    """Everything at once, a page of a hundred at a time. Raises :class:`CannotRun`, as any reading of the helpdesk."""
    unread: list[str] = []
    rules = []
    for path, kind in _LISTS.items():
        name = "sla_policies" if path == "slas/policies" else path
        rows = listed_rows(transport, path, name, unread, needed=path in _NEEDED)
        rules += [_rule(kind, row) for row in rows if row.get("active") is not False]
    webhooks = listed_rows(transport, "webhooks", "webhooks", unread)
    tickets = list(one_page(transport, "tickets", "tickets", {"page[size]": SAMPLE, "sort": "-id"}, unread)[0])
    number = own_user(transport)
    return AccountSetup(
        rules=tuple(rules),
        labels=read_labels(transport),
        own_user=None if number is None else str(number),
        our_webhooks=frozenset(
            str(row.get("id")) for row in webhooks if string(row.get("endpoint")).endswith(WEBHOOK_PATH)
        ),
        sampled=len(tickets),
        filled=frozenset(
            int(item["id"])
            for row in tickets
            for item in map(mapping, row.get("custom_fields") or ())
            if item.get("id") is not None and item.get("value") not in (None, "", [], False)
        ),
        unread=tuple(unread),
    )


def _rule(kind: RuleKind, row: Mapping[str, Any]) -> BusinessRule:
    given = mapping(row.get("filter") if kind == "SLA policy" else row.get("conditions"))
    every, some = (tuple(_conditions(given.get(join))) for join in ("all", "any"))
    metrics = row.get("policy_metrics") or ()
    return BusinessRule(
        kind=kind,
        id=str(row.get("id")),
        title=string(row.get("title")),
        conditions=Clause("all", (*every, Clause("any", some)) if some else every),
        actions=tuple(
            RuleAction(string(item.get("field")), _values(item.get("value")))
            for item in map(mapping, row.get("actions") or ())
        )
        + tuple(RuleAction("target_of_priority", _values(mapping(item).get("priority"))) for item in metrics),
    )


def _conditions(rows: object) -> Iterator[RuleCondition]:
    for row in rows if isinstance(rows, list) else ():
        item = mapping(row)
        yield RuleCondition(
            string(item.get("field")) or string(item.get("source")),
            string(item.get("operator")) or "is",
            _values(item.get("value")),
        )


def _values(value: object) -> tuple[str, ...]:
    if isinstance(value, list):
        return tuple(_text(item) for item in value) or ("",)
    return (_text(value),)


def _text(value: object) -> str:
    return "" if value is None else str(value).lower() if isinstance(value, bool) else str(value)
