"""Fill a sandbox with tickets of different ages, and with articles, straight into its store."""

from __future__ import annotations

import random
from collections.abc import Mapping, Sequence
from typing import Any

from .app import Sandbox
from .basics import html_to_text, iso
from .freshdesk_store import HIGH, LOW, MEDIUM, OPEN, URGENT, FreshdeskStore
from .store import PERSON_ID, SHAPES, shaped
from .zendesk_store import ZendeskStore

_SOURCES = {"email": 1, "web": 2, "api": 2, "voice": 3, "phone": 3, "chat": 7, "messaging": 7}
_PRIORITIES = {"low": LOW, "normal": MEDIUM, "high": HIGH, "urgent": URGENT}
_STATUSES = {"new": OPEN, "open": OPEN, "pending": 3, "hold": 3, "solved": 4, "closed": 5}

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
        return [sandbox.store.create(created_at=now - age, **_given(sandbox, row)).id for age, row in aged]


def _given(sandbox: Sandbox, row: Mapping[str, Any]) -> dict[str, Any]:
    """What a ticket is created with."""
    requester = row.get("requester") or {}
    common: dict[str, Any] = {
        "subject": str(row.get("subject") or ""),
        "body": row.get("body"),
        "html_body": row.get("html_body"),
        "requester_name": str(requester.get("name") or "Customer"),
        "requester_email": requester.get("email") or "customer@example.com",
        "tags": row.get("tags") or (),
    }
    channel, status = str(row.get("channel") or "email"), str(row.get("status") or "new")
    files = [{"file_name": item} if isinstance(item, str) else item for item in row.get("attachments") or ()]
    if sandbox.helpdesk == "freshdesk":
        return common | {
            "source": _SOURCES.get(channel, 2),
            "attachments": [item["file_name"] for item in files],
            "priority": _PRIORITIES.get(row.get("priority") or "low", LOW),
            "status": _STATUSES.get(status, OPEN),
        }
    common |= {name: row.get(name) for name in ("external_id", "priority")}
    return common | {"channel": channel, "attachments": files, "status": status}


# --- articles ---------------------------------------------------------------------------------------------

DEFAULT_LOCALE = "en-us"
EVERYBODY, AGENTS = 1, 3
"""Values of a folder's ``visibility``; there are more."""
DRAFT, PUBLISHED = 1, 2


def fill_help_center(store: ZendeskStore) -> None:
    """Put the articles of a fresh account into the Help Center: on some topics nothing, on some a side note."""
    for row in SHAPES["articles"]:
        add_article(store, row["title"], f"<p>{row['text']}</p>", locale=row["locale"], label_names=row["labels"])


def add_article(store: ZendeskStore, title: str, body: str, *, locale: str = DEFAULT_LOCALE, **others: object) -> int:
    """Put an article (``body`` is HTML) into the help center; gives its id.

    ``others`` are further fields, such as ``draft``, ``label_names`` and ``user_segment_id``.
    """
    with store.lock:
        article_id = 50_001 + len(store.articles)
        row = shaped(
            "zendesk article",
            id=article_id,
            url=f"{store.base_url}/api/v2/help_center/{locale}/articles/{article_id}.json",
            html_url=f"{store.base_url}/hc/{locale}/articles/{article_id}",
            **dict.fromkeys(("title", "name"), title),
            body=body,
            **dict.fromkeys(("locale", "source_locale"), locale),
            **dict.fromkeys(("created_at", "updated_at", "edited_at"), iso(store.now())),
        )
        store.articles.append({**row, **others})
        return article_id


def fill_solutions(store: FreshdeskStore) -> None:
    """Put the articles of a fresh account into one folder."""
    folder = add_folder(store, "Getting started")
    for row in SHAPES["articles"]:
        named = {"tags": row["labels"], "language": row["locale"][:2]}
        add_solution(store, folder, row["title"], f"<p>{row['text']}</p>", **named)


def add_folder(store: FreshdeskStore, name: str, **others: object) -> int:
    """Put a folder into the one category; gives its id. ``others`` are fields such as ``visibility``."""
    with store.lock:
        stamps = dict.fromkeys(("created_at", "updated_at"), iso(store.now()))
        if not store.categories:
            store.categories.append({"id": store.next_id(), "name": "Help", "description": None, **stamps})
        folder_id, category_id = store.next_id(), store.categories[0]["id"]
        row = {"id": folder_id, "name": name, "description": None, "visibility": EVERYBODY, "category_id": category_id}
        store.folders.append({**row, "parent_folder_id": None, **stamps, **others})
        return folder_id


def add_solution(store: FreshdeskStore, folder_id: int, title: str, markup: str, **others: Any) -> int:
    """Put an article (HTML) into a folder; gives its id. ``others`` are fields such as ``status`` and ``language``."""
    with store.lock:
        article_id = store.next_id()
        row = shaped(
            "freshdesk article",
            id=article_id,
            agent_id=PERSON_ID,
            category_id=store.categories[0]["id"],
            folder_id=folder_id,
            title=title,
            description=markup,
            description_text=html_to_text(markup),
            **dict.fromkeys(("created_at", "updated_at"), iso(store.now())),
        )
        store.articles.append({**row, **others})
        return article_id
