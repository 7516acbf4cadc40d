"""The imitated Help Center: its languages, its articles, and the search in them."""

from __future__ import annotations

import re
from typing import Any

from .clock import iso
from .messages import Response, json_response, refuse
from .store import Store
from .text import html_to_text
from .zendesk_call import NOT_FOUND, Call, forbidden
from .zendesk_lists import neighbours, paged

DEFAULT_LOCALE = "en-us"
_WORD = re.compile(r"\w{2,}")
_SNIPPET = 160

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
    _open(call)
    return json_response(200, {"locales": _locales(call.store), "default_locale": DEFAULT_LOCALE})


def articles(call: Call) -> Response:
    """``GET /help_center/articles`` and ``/help_center/{locale}/articles``"""
    _open(call)
    locale = call.args[0] if call.args else None
    rows = [row for row in call.store.articles if locale in (None, row["locale"])]
    return paged(call, "articles", rows, sorts=("created_at", "updated_at", "title"))


def article(call: Call) -> Response:
    """``GET /help_center/articles/{id}``"""
    _open(call)
    for row in call.store.articles:
        if row["id"] == int(call.args[0]):
            return json_response(200, {"article": row})
    raise refuse(404, NOT_FOUND)


def search_articles(call: Call) -> Response:
    """``GET /help_center/articles/search``: published articles with the words asked for, best first, a snippet each.

    Whether one of several words is enough is a rule of the account. Without a language, or with one that there is
    not, the default one is searched.
    """
    _open(call)
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
        if not words or (found == words if call.rules.article_search == "all" else found):
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
                "title": title,
                "name": title,
                "body": body,
                "locale": locale,
                "source_locale": locale,
                "draft": draft,
                "promoted": False,
                "position": 0,
                "comments_disabled": False,
                "outdated": False,
                "label_names": list(label_names),
                "section_id": 60_001,
                "permission_group_id": 1,
                "user_segment_id": user_segment_id,
                "vote_count": 0,
                "vote_sum": 0,
                "created_at": stamp,
                "updated_at": stamp,
                "edited_at": stamp,
            }
        )
        return article_id


def _locales(store: Store) -> list[str]:
    others = {row["locale"] for row in store.articles} - {DEFAULT_LOCALE}
    return [DEFAULT_LOCALE, *sorted(others)]


def _open(call: Call) -> None:
    """Refuses where the account has no Help Center, or does not let this user in."""
    state = call.rules.help_center
    if state == "none":
        raise refuse(404, {"error": "InvalidEndpoint", "description": "Not found"})
    if state == "not_in_plan":
        raise refuse(401, {"error": "Couldn't authenticate you"})
    if state == "forbidden":
        raise forbidden()
