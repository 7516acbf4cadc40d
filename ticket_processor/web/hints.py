"""Reads the ticket's number from a delivery, and uses nothing else of it. Pure.

Zendesk's bodies are the trigger's own (``{"ticket_id": "35436"}``) or events of its ``ticket`` family
(developer.zendesk.com/api-reference/webhooks/event-types/ticket-events); Freshdesk's are those of an automation rule.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

import orjson

_SUBJECT = re.compile(r"zen:ticket:(\d{1,18})", re.ASCII)
_EVENT = "zen:event-type:ticket."
MOST = 2**63 - 1


@dataclass(frozen=True)
class Hint:
    """A ticket that was told of; ``event_id`` is the helpdesk's own name for the event."""

    ticket_id: int
    event_id: str = ""


@dataclass(frozen=True)
class Nothing:
    """There is nothing to do, and why."""

    reason: str


def of_zendesk(body: bytes, *, own_user: int | None, marker: str | None) -> Hint | Nothing:
    """The hint in an authentic body of Zendesk.

    Dropped is what our own user did (``own_user``, where known) and an event of a ticket that has the ``marker``
    already (``None``: answers of customers are wanted too).
    """
    said = _object(body)
    kind = said.get("type")
    if not isinstance(kind, str):
        number = _number(said.get("ticket_id"))
        return Nothing("no ticket") if number is None else Hint(number)
    if not kind.startswith(_EVENT):
        return Nothing("no event of a ticket")
    detail = said.get("detail")
    detail = detail if isinstance(detail, dict) else {}
    subject = _SUBJECT.fullmatch(str(said.get("subject")))
    number = _number(subject[1] if subject else detail.get("id"))
    if number is None:
        return Nothing("no ticket")
    if own_user is not None and _number(detail.get("actor_id")) == own_user:
        return Nothing("our own change")
    tags = detail.get("tags")
    if marker is not None and isinstance(tags, list) and marker in tags:
        return Nothing("done already")
    event = said.get("id")
    return Hint(number, event if isinstance(event, str) else "")


def of_freshdesk(body: bytes) -> Hint | Nothing:
    """The hint in a body of Freshdesk; its own layout puts everything into ``freshdesk_webhook``."""
    said = _object(body)
    inner = said.get("freshdesk_webhook")
    said = inner if isinstance(inner, dict) else said
    number = _number(said.get("ticket_id", said.get("id")))
    return Nothing("no ticket") if number is None else Hint(number)


def _object(body: bytes) -> dict[str, Any]:
    try:
        said = orjson.loads(body)
    except orjson.JSONDecodeError:
        return {}
    return said if isinstance(said, dict) else {}


def _number(value: object) -> int | None:
    """A ticket's or user's number, which may be written as text."""
    if isinstance(value, str) and value.isascii() and value.isdecimal() and len(value) < 20:
        value = int(value)
    return value if isinstance(value, int) and not isinstance(value, bool) and 0 < value <= MOST else None
