"""Fill a sandbox with tickets of different ages, straight into its store."""

from __future__ import annotations

import random
from collections.abc import Mapping, Sequence
from typing import Any

from .app import Sandbox
from .freshdesk_records import HIGH, LOW, MEDIUM, OPEN, URGENT

_SOURCES = {"email": 1, "web": 2, "api": 2, "voice": 3, "phone": 3, "chat": 7, "messaging": 7}
_PRIORITIES = {"low": LOW, "normal": MEDIUM, "high": HIGH, "urgent": URGENT}
_STATUSES = {"new": OPEN, "open": OPEN, "pending": 3, "hold": 3, "solved": 4, "closed": 5}

YOUNGEST = 120.0
"""Seconds. The exports show a ticket once it is a minute old."""


def fill(
    sandbox: Sandbox,
    rows: Sequence[Mapping[str, Any]],
    *,
    count: int | None = None,
    oldest: float = 6 * 3600.0,
    seed: int = 0,
) -> list[int]:
    """Create tickets from ``rows`` and give their ids, oldest first.

    A row has ``subject`` and ``body`` or ``html_body``; it may have ``requester`` (``name``, ``email``), ``channel``
    (``email`` by default), ``external_id``, ``attachments`` (names, or the API's objects), ``tags``, ``priority``
    and ``status``; Freshdesk gets its own numbers for these words, and no ``external_id``. With ``count`` the rows are
    used again, in turn, until there are that many. Ages lie between two minutes and ``oldest`` seconds; an ``age`` in a
    row, in seconds, wins. Raises ``ValueError`` without rows.
    """
    if not rows:
        raise ValueError("there is nothing to fill the sandbox with")
    dice = random.Random(seed)
    total = len(rows) if count is None else count
    with sandbox.agenda.lock:
        now = sandbox.agenda.now()
        chosen = [rows[index % len(rows)] for index in range(total)]
        aged = [(_age(row, oldest, dice), row) for row in chosen]
        aged.sort(key=lambda pair: -pair[0])
        return [_create(sandbox, row, now - age) for age, row in aged]


def _age(row: Mapping[str, Any], oldest: float, dice: random.Random) -> float:
    given = row.get("age")
    return dice.uniform(YOUNGEST, max(YOUNGEST, oldest)) if given is None else float(given)


def _create(sandbox: Sandbox, row: Mapping[str, Any], moment: float) -> int:
    requester = row.get("requester") or {}
    common: dict[str, Any] = {
        "subject": str(row.get("subject") or ""),
        "body": row.get("body"),
        "html_body": row.get("html_body"),
        "requester_name": str(requester.get("name") or "Customer"),
        "requester_email": requester.get("email") or "customer@example.com",
        "tags": row.get("tags") or (),
        "created_at": moment,
    }
    channel, status = str(row.get("channel") or "email"), str(row.get("status") or "new")
    files = [{"file_name": item} if isinstance(item, str) else item for item in row.get("attachments") or ()]
    if sandbox.helpdesk == "freshdesk":
        return sandbox.desk.create(
            source=_SOURCES.get(channel, 2),
            attachments=[item["file_name"] for item in files],
            priority=_PRIORITIES.get(row.get("priority") or "low", LOW),
            status=_STATUSES.get(status, OPEN),
            **common,
        ).id
    external_id, priority = row.get("external_id"), row.get("priority")
    return sandbox.store.create(
        channel=channel, external_id=external_id, attachments=files, priority=priority, status=status, **common
    ).id
