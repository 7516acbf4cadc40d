"""The imitated Help Center: its languages, its articles, and the search in them."""

from __future__ import annotations

import re
from typing import Any

from .clock import iso, parse_iso
from .messages import Response, json_response, refuse
from .store import Store
from .text import html_to_text
from .zendesk_call import Call, forbidden
from .zendesk_paging import neighbours, paged

DEFAULT_LOCALE = "en-us"
_WORD = re.compile(r"\w{2,}")
_SNIPPET = 160
EXPORT_PAGE = 1_000
SIGNED_IN, STAFF, SOME = 80_001, 80_002, 80_003
SEGMENTS = (
    {"id": SIGNED_IN, "name": "Signed-in users", "user_type": "signed_in_users", "built_in": True},
    {"id": STAFF, "name": "Agents and admins", "user_type": "staff", "built_in": True},
    {"id": SOME, "name": "VIP customers", "user_type": "signed_in_users", "built_in": False},
)
"""Who may see an article that names one of them."""

ARTICLES = (
    ("Understanding your invoice", "en-us", ("billing",), "Each invoice lists your plan, its price and the taxes."),
    ("Paying by card or bank transfer", "en-us", ("billing", "payment"), "Choose a payment method in your settings."),
    ("Reset your password", "en-us", ("login",), "Choose forgot password on the login page of your account."),
    ("Track your order", "en-us", (), "Your confirmation mail holds the tracking number of the parcel."),
    ("What's new this spring", "en-us", (), "We fixed a crash at start, and an error when a refund was shown twice."),
    ("Ihre Rechnung verstehen", "de", ("billing",), "Jede Rechnung nennt Tarif, Preis und Steuern."),
    ("Passwort zurücksetzen", "de", (), "Wählen Sie auf der Anmeldeseite „Passwort vergessen“."),
)
"""Title, language, labels and words of what a fresh Help Center holds: on some topics nothing, on some a side note."""


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
    rows = sorted(
        (row for row in call.store.articles if int(parse_iso(row["updated_at"])) >= start),
        key=lambda row: (row["updated_at"], row["id"]),
    )
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


def articles(call: Call) -> Response:
    """``GET /help_center/articles`` and ``/help_center/{locale}/articles``"""
    call.rules.enter_help_center()
    locale = call.args[0] if call.args else None
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
    words = set(_WORD.findall(query.get("query", "").lower()))
    labels = {name for name in query.get("label_names", "").split(",") if name}
    asked = query.get("locale", "").lower()
    locale = asked if asked in ("*", *_locales(call.store)) else DEFAULT_LOCALE
    scored: list[tuple[int, dict[str, Any]]] = []
    for row in call.store.articles:
        if row["draft"] or locale not in ("*", row["locale"]):
            continue
        text = html_to_text(row["body"])
        found = words & set(_WORD.findall(f"{row['title']} {text} {' '.join(row['label_names'])}".lower()))
        if labels and not labels & set(row["label_names"]):
            continue
        if not words or call.rules.finds(words, found):
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
    """Put :data:`ARTICLES` into the Help Center."""
    for title, locale, labels, text in ARTICLES:
        add_article(store, title, f"<p>{text}</p>", locale=locale, label_names=labels)


def add_article(
    store: Store,
    title: str,
    body: str,
    *,
    locale: str = DEFAULT_LOCALE,
    draft: bool = False,
    label_names: tuple[str, ...] = (),
    user_segment_id: int | None = None,
) -> int:
    """Put an article (``body`` is HTML) into the help center; gives its id."""
    with store.lock:
        article_id = 50_001 + len(store.articles)
        stamp = iso(store.now())
        url = f"{store.base_url}/hc/{locale}/articles/{article_id}"
        store.articles.append(
            {
                "id": article_id,
                "url": f"{store.base_url}/api/v2/help_center/{locale}/articles/{article_id}.json",
                "html_url": url,
                "author_id": 7001,
                **dict.fromkeys(("title", "name"), title),
                "body": body,
                **dict.fromkeys(("locale", "source_locale"), locale),
                "draft": draft,
                **dict.fromkeys(("promoted", "comments_disabled", "outdated"), False),
                **dict.fromkeys(("position", "vote_count", "vote_sum"), 0),
                "label_names": list(label_names),
                "section_id": 60_001,
                "permission_group_id": 1,
                "user_segment_id": user_segment_id,
                **dict.fromkeys(("created_at", "updated_at", "edited_at"), stamp),
            }
        )
        return article_id


def _shown(call: Call, row: dict[str, Any]) -> dict[str, Any]:
    """An article, with its translations where the query asks for them."""
    if "translations" not in call.request.query.get("include", "").split(","):
        return row
    names = ("title", "body", "locale", "draft", "outdated", "html_url", "created_at", "updated_at")
    own = {"source_id": row["id"], "source_type": "Article", "hidden": False, **{name: row[name] for name in names}}
    return {**row, "translations": [own, *call.store.article_translations.get(row["id"], ())]}


def _locales(store: Store) -> list[str]:
    others = {row["locale"] for row in store.articles} - {DEFAULT_LOCALE}
    return [DEFAULT_LOCALE, *sorted(others)]
