"""Fill a sandbox with tickets of different ages, and with articles, straight into its store."""

from __future__ import annotations

import random
from collections.abc import Mapping, Sequence
from typing import Any

from .app import Sandbox
from .store import SHAPES, Store

YOUNGEST = 120.0
"""Seconds. The exports show a ticket once it is a minute old."""


def fill(
    sandbox: Sandbox,
    rows: Sequence[Mapping[str, Any]],
    *,
    oldest: float = 6 * 3600.0,
    seed: int = 0,
) -> list[int]:
    """Create tickets from ``rows`` and give their ids, oldest first.

    A row has ``subject`` and ``body`` or ``html_body``; it may have ``requester`` (``name``, ``email``), ``channel``
    (``email`` by default), ``external_id``, ``attachments`` (names, or the API's objects), ``tags``, ``priority``
    and ``status``; Freshdesk gets its own numbers for these words, and no ``external_id``.
    Ages lie between two minutes and ``oldest`` seconds; an ``age`` in a row, in seconds, wins.
    """
    dice = random.Random(seed)
    with sandbox.store.lock:
        now, aged = sandbox.store.now(), []
        for row in rows:
            age = dice.uniform(YOUNGEST, max(YOUNGEST, oldest)) if row.get("age") is None else float(row["age"])
            aged.append((age, row))
        aged.sort(key=lambda pair: -pair[0])
        return [_created(sandbox.store, now - age, row) for age, row in aged]


def _created(store: Store, moment: float, row: Mapping[str, Any]) -> int:
    requester = row.get("requester") or {}
    ticket = store.create(
        created_at=moment,
        subject=str(row.get("subject") or ""),
        body=row.get("body"),
        html_body=row.get("html_body"),
        requester_name=str(requester.get("name") or "Customer"),
        requester_email=requester.get("email") or "customer@example.com",
        tags=row.get("tags") or (),
        **store.worded(row),
    )
    return ticket.id


def fill_articles(store: Store) -> None:
    """Put the articles of a fresh account into it: on some topics nothing, on some a side note."""
    for row in [row for row in SHAPES["articles"] if row["locale"][:2] in store.languages]:
        store.add_article(row["title"], f"<p>{row['text']}</p>", locale=row["locale"], labels=row["labels"])
