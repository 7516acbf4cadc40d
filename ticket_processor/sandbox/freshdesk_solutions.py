"""The imitated Freshdesk knowledge base: categories hold folders, folders hold articles."""

from __future__ import annotations

import re
from typing import Any

from .clock import iso
from .freshdesk_call import FreshdeskCall, missing, not_found, validation_failed
from .freshdesk_store import FreshdeskStore
from .messages import Response, json_response
from .text import html_to_text
from .zendesk_help_center import ARTICLES

EVERYBODY, AGENTS = 1, 3
"""Values of a folder's ``visibility``; there are more."""

DRAFT, PUBLISHED = 1, 2
OWN_LANGUAGE = "en"
_WORD = re.compile(r"\w{2,}")


def categories(call: FreshdeskCall) -> Response:
    """``GET /solutions/categories``"""
    return call.paged(call.store.solutions["categories"])


def folders(call: FreshdeskCall) -> Response:
    """``GET /solutions/categories/{id}/folders``"""
    _there(call, "categories")
    rows = [row for row in call.store.solutions["folders"] if row["category_id"] == call.args[0]]
    return call.paged([_counted(call, row) for row in rows if row["parent_folder_id"] is None])


def subfolders(call: FreshdeskCall) -> Response:
    """``GET /solutions/folders/{id}/subfolders``"""
    _there(call, "folders")
    rows = [row for row in call.store.solutions["folders"] if row["parent_folder_id"] == call.args[0]]
    return call.paged([_counted(call, row) for row in rows])


def _counted(call: FreshdeskCall, folder: dict[str, Any]) -> dict[str, Any]:
    inner = [row for row in call.store.solutions["folders"] if row["parent_folder_id"] == folder["id"]]
    return {**folder, "sub_folders_count": len(inner)}


def articles(call: FreshdeskCall) -> Response:
    """``GET /solutions/folders/{id}/articles``: drafts as well."""
    _there(call, "folders")
    return call.paged([row for row in call.store.solutions["articles"] if row["folder_id"] == call.args[0]])


def article(call: FreshdeskCall) -> Response:
    """``GET /solutions/articles/{id}``"""
    return json_response(200, _there(call, "articles"))


def translation(call: FreshdeskCall) -> Response:
    """``GET /solutions/articles/{id}/{language}``"""
    row = _there(call, "articles")
    language = call.request.path.rstrip("/").rpartition("/")[2].lower()
    for text in (row, *call.store.solutions["translations"]):
        if text["id"] == row["id"] and text["language"] == language:
            return json_response(200, text)
    raise not_found()


def search(call: FreshdeskCall) -> Response:
    """``GET /search/solutions?term=`` and ``/search/solutions/{language}``: articles that have one of the words."""
    words = set(_WORD.findall(call.request.query.get("term", "").lower()))
    if not words:
        raise validation_failed([missing("term")])
    asked = call.request.path.rstrip("/").rpartition("/")[2].lower()
    languages = _languages(call.store)
    if asked not in (*languages, "solutions"):
        raise not_found()
    language = OWN_LANGUAGE if asked == "solutions" else asked
    visible = {row["id"]: row["visibility"] for row in call.store.solutions["folders"]}
    found = [
        {**row, "folder_visibility": visible[row["folder_id"]]}
        for row in call.store.solutions["articles"]
        if row["language"] == language and words & set(_WORD.findall(_text(row).lower()))
    ]
    return call.paged(found)


def settings(call: FreshdeskCall) -> Response:
    """``GET /settings/helpdesk``: the languages of the account."""
    others = [name for name in _languages(call.store) if name != OWN_LANGUAGE]
    told = {"primary_language": OWN_LANGUAGE, "supported_languages": others, "portal_languages": others}
    return json_response(200, {**told, "help_widget_languages": []})


def _languages(store: FreshdeskStore) -> list[str]:
    rows = (*store.solutions["articles"], *store.solutions["translations"])
    return sorted({OWN_LANGUAGE, *(row["language"] for row in rows)})


def _there(call: FreshdeskCall, kind: str) -> dict[str, Any]:
    for row in call.store.solutions[kind]:
        if row["id"] == call.args[0]:
            return row
    raise not_found()


def _text(row: dict[str, Any]) -> str:
    return f"{row['title']} {row['description_text']}"


def fill_solutions(store: FreshdeskStore) -> None:
    """Put the articles of a fresh help center into one folder."""
    folder = add_folder(store, "Getting started")
    for title, locale, labels, text in ARTICLES:
        add_article(store, folder, title, f"<p>{text}</p>", tags=labels, language=locale[:2])


def add_folder(
    store: FreshdeskStore,
    name: str,
    *,
    category: str = "Help",
    visibility: int = EVERYBODY,
    parent_folder: int | None = None,
) -> int:
    """Put a folder into a category, which is made if there is none of the name, or a folder; gives the folder's id."""
    with store.lock:
        stamp = iso(store.now())
        kept = store.solutions["categories"]
        parent = next((row["id"] for row in kept if row["name"] == category), None)
        if parent is None:
            parent = store.next_id()
            kept.append({"id": parent, "name": category, "description": None, "created_at": stamp, "updated_at": stamp})
        folder_id = store.next_id()
        row = {
            "id": folder_id,
            "name": name,
            "description": None,
            "visibility": visibility,
            "category_id": parent,
            "parent_folder_id": parent_folder,
            "created_at": stamp,
            "updated_at": stamp,
        }
        store.solutions["folders"].append(row)
        return folder_id


def add_article(
    store: FreshdeskStore,
    folder_id: int,
    title: str,
    markup: str,
    *,
    status: int = PUBLISHED,
    tags: tuple[str, ...] = (),
    language: str = OWN_LANGUAGE,
) -> int:
    """Put an article (HTML) into a folder; gives its id."""
    with store.lock:
        folder = next(row for row in store.solutions["folders"] if row["id"] == folder_id)
        stamp = iso(store.now())
        article_id = store.next_id()
        row = {
            "id": article_id,
            "type": 1,
            "status": status,
            "agent_id": 7001,
            "category_id": folder["category_id"],
            "folder_id": folder_id,
            "title": title,
            "description": markup,
            "description_text": html_to_text(markup),
            "tags": list(tags),
            "language": language,
            **dict.fromkeys(("thumbs_up", "thumbs_down", "hits"), 0),
            "created_at": stamp,
            "updated_at": stamp,
        }
        store.solutions["articles"].append(row)
        return article_id
