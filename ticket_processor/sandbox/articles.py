"""The imitated knowledge bases: Zendesk's Help Center, and Freshdesk's solutions in their folders.

Both keep their articles in the account's ``articles``, and both find those that have words in common with a query.
"""

from __future__ import annotations

import re
from typing import Any

from .account import PERSON_ID, SHAPES, shaped
from .calls import Row
from .clock import iso, parse_iso
from .freshdesk_call import FreshdeskCall, missing, not_found, validation_failed
from .freshdesk_store import FreshdeskStore
from .messages import Response, json_response, refuse
from .store import Store
from .text import html_to_text
from .zendesk_call import Call, forbidden, neighbours, paged

_WORD = re.compile(r"\w{2,}")


def words(text: str) -> set[str]:
    """The words of a text, in small letters."""
    return set(_WORD.findall(text.lower()))


# --- Zendesk ----------------------------------------------------------------------------------------------

DEFAULT_LOCALE = "en-us"
_SNIPPET = 160
EXPORT_PAGE = 1_000
SIGNED_IN, STAFF, SOME = 80_001, 80_002, 80_003
SEGMENTS = (
    {"id": SIGNED_IN, "name": "Signed-in users", "user_type": "signed_in_users", "built_in": True},
    {"id": STAFF, "name": "Agents and admins", "user_type": "staff", "built_in": True},
    {"id": SOME, "name": "VIP customers", "user_type": "signed_in_users", "built_in": False},
)
"""Who may see an article that names one of them."""


def locales(call: Call) -> Response:
    """``GET /help_center/locales``: those in which there is an article, and the default one."""
    call.rules.enter_help_center()
    return json_response(200, {"locales": _locales(call.store), "default_locale": DEFAULT_LOCALE})


def incremental(call: Call) -> Response:
    """``GET /help_center/incremental/articles?start_time=``: those changed since, oldest change first, for agents.

    A page holds a thousand. ``end_time`` is when the last of them changed; the next page starts there.
    """
    call.rules.enter_help_center()
    if call.identity.role not in ("agent", "admin"):
        raise forbidden()
    start = call.number("start_time", 0, at_most=1 << 40)
    rows = [row for row in call.store.articles if parse_iso(row["updated_at"]) >= start]
    rows.sort(key=lambda row: (row["updated_at"], row["id"]))
    taken = rows[:EXPORT_PAGE]
    end = int(parse_iso(taken[-1]["updated_at"])) if taken else start
    payload = {
        "articles": [_shown(call, row) for row in taken],
        "count": len(taken),
        "end_time": end,
        "next_page": call.link(start_time=str(end)) if len(rows) > EXPORT_PAGE else None,
    }
    return json_response(200, payload)


def user_segments(call: Call) -> Response:
    """``GET /help_center/user_segments``"""
    call.rules.enter_help_center()
    return json_response(200, {"user_segments": list(SEGMENTS), **neighbours(call, 1, 100, len(SEGMENTS))})


def list_articles(call: Call) -> Response:
    """``GET /help_center/articles`` and ``/help_center/{locale}/articles``"""
    call.rules.enter_help_center()
    locale = call.args[0].lower() if call.args else None
    rows = [row for row in call.store.articles if locale in (None, row["locale"])]
    sorts = ("created_at", "updated_at", "title")
    return paged(call, "articles", rows, sorts=sorts, show=lambda row: _shown(call, row))


def search_articles(call: Call) -> Response:
    """``GET /help_center/articles/search``: published articles with the words asked for, best first, a snippet each.

    Without a language, or with one that there is not, the default one is searched.
    """
    call.rules.enter_help_center()
    query = call.request.query
    if not query.get("query") and not query.get("label_names"):
        description = "query, category, section or label_names is required"
        raise refuse(400, {"error": "BadRequest", "description": description})
    wanted = words(query.get("query", ""))
    labels = {name for name in query.get("label_names", "").split(",") if name}
    asked = query.get("locale", "").lower()
    locale = asked if asked in ("*", *_locales(call.store)) else DEFAULT_LOCALE
    scored: list[tuple[int, Row]] = []
    for row in call.store.articles:
        if row["draft"] or locale not in ("*", row["locale"]) or (labels and labels.isdisjoint(row["label_names"])):
            continue
        text = html_to_text(row["body"])
        found = wanted & words(f"{row['title']} {text} {' '.join(row['label_names'])}")
        if not wanted or call.rules.finds(wanted, found):
            scored.append((-len(found), {**row, "snippet": text[:_SNIPPET], "result_type": "article"}))
    scored.sort(key=lambda pair: (pair[0], pair[1]["id"]))
    page = call.number("page", 1, at_most=10)
    size = call.number("per_page", 25, at_most=100)
    payload = {
        "results": [row for _, row in scored][(page - 1) * size : page * size],
        "page": page,
        "page_count": -(-len(scored) // size),
        "per_page": size,
        **neighbours(call, page, size, len(scored)),
    }
    return json_response(200, payload)


def fill_help_center(store: Store) -> None:
    """Put the articles of a fresh account into the Help Center: on some topics nothing, on some a side note."""
    for row in SHAPES["articles"]:
        add_article(store, row["title"], f"<p>{row['text']}</p>", locale=row["locale"], label_names=row["labels"])


def add_article(store: Store, title: str, body: str, *, locale: str = DEFAULT_LOCALE, **others: object) -> int:
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


def _shown(call: Call, row: Row) -> Row:
    """An article, with its translations where the query asks for them."""
    if "translations" not in call.request.query.get("include", "").split(","):
        return row
    names = ("title", "body", "locale", "draft", "outdated", "html_url", "created_at", "updated_at")
    own = {"source_id": row["id"], "source_type": "Article", "hidden": False, **{name: row[name] for name in names}}
    return {**row, "translations": [own, *call.store.article_translations.get(row["id"], ())]}


def _locales(store: Store) -> list[str]:
    others = {row["locale"] for row in store.articles} - {DEFAULT_LOCALE}
    return [DEFAULT_LOCALE, *sorted(others)]


# --- Freshdesk --------------------------------------------------------------------------------------------

EVERYBODY, AGENTS = 1, 3
"""Values of a folder's ``visibility``; there are more."""
DRAFT, PUBLISHED = 1, 2
OWN_LANGUAGE = "en"


def categories(call: FreshdeskCall) -> Response:
    """``GET /solutions/categories``"""
    return call.paged(call.store.categories)


def folders(call: FreshdeskCall) -> Response:
    """``GET /solutions/categories/{id}/folders``"""
    category = _named(call, call.store.categories)
    return _folders(call, [row for row in _inside(call, None) if row["category_id"] == category["id"]])


def subfolders(call: FreshdeskCall) -> Response:
    """``GET /solutions/folders/{id}/subfolders``"""
    return _folders(call, _inside(call, _named(call, call.store.folders)["id"]))


def _folders(call: FreshdeskCall, rows: list[Row]) -> Response:
    return call.paged([{**row, "sub_folders_count": len(_inside(call, row["id"]))} for row in rows])


def _inside(call: FreshdeskCall, parent: int | None) -> list[Row]:
    return [row for row in call.store.folders if row["parent_folder_id"] == parent]


def articles(call: FreshdeskCall) -> Response:
    """``GET /solutions/folders/{id}/articles``: drafts as well."""
    folder = _named(call, call.store.folders)
    return call.paged([row for row in call.store.articles if row["folder_id"] == folder["id"]])


def article(call: FreshdeskCall) -> Response:
    """``GET /solutions/articles/{id}``"""
    return json_response(200, _named(call, call.store.articles))


def translation(call: FreshdeskCall) -> Response:
    """``GET /solutions/articles/{id}/{language}``"""
    row = _named(call, call.store.articles)
    for text in (row, *call.store.translations):
        if (text["id"], text["language"]) == (row["id"], call.args[-1].lower()):
            return json_response(200, text)
    raise not_found()


def search(call: FreshdeskCall) -> Response:
    """``GET /search/solutions?term=`` and ``/search/solutions/{language}``: articles that have one of the words."""
    wanted = words(call.request.query.get("term", ""))
    if not wanted:
        raise validation_failed([missing("term")])
    language = call.args[0].lower() if call.args else OWN_LANGUAGE
    if language not in _languages(call.store):
        raise not_found()
    visible = {row["id"]: row["visibility"] for row in call.store.folders}
    found = [
        {**row, "folder_visibility": visible[row["folder_id"]]}
        for row in call.store.articles
        if row["language"] == language and wanted & words(f"{row['title']} {row['description_text']}")
    ]
    return call.paged(found)


def settings(call: FreshdeskCall) -> Response:
    """``GET /settings/helpdesk``: the languages of the account."""
    others = [name for name in _languages(call.store) if name != OWN_LANGUAGE]
    told = {"primary_language": OWN_LANGUAGE, "supported_languages": others, "portal_languages": others}
    return json_response(200, {**told, "help_widget_languages": []})


def _languages(store: FreshdeskStore) -> list[str]:
    return sorted({OWN_LANGUAGE, *(row["language"] for row in (*store.articles, *store.translations))})


def _named(call: FreshdeskCall, rows: list[Row]) -> Row:
    """The one that the path names; 404 when there is none."""
    for row in rows:
        if row["id"] == call.args[0]:
            return row
    raise not_found()


def fill_solutions(store: FreshdeskStore) -> None:
    """Put the articles of a fresh account into one folder."""
    folder = add_folder(store, "Getting started")
    for row in SHAPES["articles"]:
        add_solution(
            store, folder, row["title"], f"<p>{row['text']}</p>", tags=row["labels"], language=row["locale"][:2]
        )


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
        stamps = dict.fromkeys(("created_at", "updated_at"), iso(store.now()))
        parent = next((row["id"] for row in store.categories if row["name"] == category), None)
        if parent is None:
            parent = store.next_id()
            store.categories.append({"id": parent, "name": category, "description": None, **stamps})
        folder_id = store.next_id()
        row = {"id": folder_id, "name": name, "description": None, "visibility": visibility}
        store.folders.append({**row, "category_id": parent, "parent_folder_id": parent_folder, **stamps})
        return folder_id


def add_solution(store: FreshdeskStore, folder_id: int, title: str, markup: str, **others: Any) -> int:
    """Put an article (HTML) into a folder; gives its id. ``others`` are fields such as ``status`` and ``language``."""
    with store.lock:
        folder = next(row for row in store.folders if row["id"] == folder_id)
        article_id = store.next_id()
        row = shaped(
            "freshdesk article",
            id=article_id,
            agent_id=PERSON_ID,
            category_id=folder["category_id"],
            folder_id=folder_id,
            title=title,
            description=markup,
            description_text=html_to_text(markup),
            **dict.fromkeys(("created_at", "updated_at"), iso(store.now())),
        )
        store.articles.append({**row, **others})
        return article_id
