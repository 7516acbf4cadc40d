"""A Zendesk account's triggers and automations. Reads only.

Facts and their sources: developer.zendesk.com, "Triggers", "Automations", "Conditions reference", "Actions reference".
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from .business_rules import BusinessRule, Clause, RuleAction, RuleCondition, RuleKind
from .json_values import mapping, string
from .transport import Transport
from .zendesk_paging import listed_rows


def read_rules(transport: Transport, unread: list[str]) -> list[BusinessRule]:
    """The active rules, a page of a hundred at a time. What was not read is added to ``unread``.

    Raises :class:`CannotRun` where the account does not show them.
    """
    kinds: Mapping[str, RuleKind] = {"triggers": "trigger", "automations": "automation"}
    return [
        _rule(kind, row)
        for name, kind in kinds.items()
        for row in listed_rows(transport, name, name, unread, needed=True)
        if row.get("active") is not False
    ]


def _rule(kind: RuleKind, row: Mapping[str, Any]) -> BusinessRule:
    given = mapping(row.get("conditions"))
    every, some = (tuple(_conditions(given.get(join))) for join in ("all", "any"))
    return BusinessRule(
        kind=kind,
        id=str(row.get("id")),
        title=string(row.get("title")),
        conditions=Clause("all", (*every, Clause("any", some)) if some else every),
        actions=tuple(
            RuleAction(string(item.get("field")), _values(item.get("value")))
            for item in map(mapping, row.get("actions") or ())
        ),
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
