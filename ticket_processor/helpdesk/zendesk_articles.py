"""Searching the articles of a Zendesk Help Center. Reads only.

Facts and their sources: developer.zendesk.com, "Help Center API: Search", "Translations" (locales). The Help Center
counts requests apart from tickets, so give it a transport of its own.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ..core.errors import CannotRun, HelpdeskDown, NotAuthorised
from .http_messages import Reply
from .protocol import ArticleHit
from .transport import Transport

PAGE_SIZE = 50
"""Results of a search, best first; a topic with so many articles lacks none."""

FEW = 5
"""Asked for instead where these have longer texts than are read."""

ANY = "*"
"""In place of a language: all of them."""

_WHY = {
    403: "this Zendesk user may not read the Help Center (HTTP 403)",
    404: "this Zendesk account has no Help Center (HTTP 404)",
}


class HelpCenter:
    """The Help Center of one account, all of its brands. Thread-safe, as its transport is."""

    def __init__(self, transport: Transport) -> None:
        self._transport = transport

    def locales(self) -> tuple[str, ...]:
        """The languages in which there are articles, such as ``en-us``, the account's own first; one request.

        Raises :class:`CannotRun` where there is no Help Center, or none for this user, besides what reading raises.
        """
        try:
            body = _body(self._get("/help_center/locales", {}))
        except NotAuthorised as error:
            raise NotAuthorised(
                f"{error}: so Zendesk also answers for its Help Center where the account's plan has none"
            ) from error
        names = [name.lower() for name in body.get("locales") or () if isinstance(name, str)]
        own = str(body.get("default_locale") or "").lower()
        return tuple(sorted(dict.fromkeys(names), key=lambda name: (name != own, len(name), name)))

    def search(self, query: str, locale: str) -> tuple[ArticleHit, ...]:
        """Published articles in this language (:data:`ANY`: in all) for some words, best first; one request or two."""
        params: dict[str, str | int] = {
            "query": query,
            "locale": locale,
            "multibrand": "true",
            "per_page": PAGE_SIZE,
        }
        try:
            reply = self._get("/help_center/articles/search", params)
        except HelpdeskDown as down:
            if not down.too_long:
                raise
            reply = self._get("/help_center/articles/search", {**params, "per_page": FEW})
        rows = _body(reply).get("results")
        if not isinstance(rows, list):
            raise HelpdeskDown("Zendesk's answer holds no list of articles")
        found = (_article(row) for row in rows if isinstance(row, dict) and not row.get("draft"))
        # For a language that it does not know, Zendesk searches the account's own.
        return tuple(article for article in found if article is not None and locale in (ANY, article.locale))

    def _get(self, path: str, params: Mapping[str, str | int]) -> Reply:
        reply = self._transport.request("GET", "/api/v2" + path, params=params)
        if not reply.ok:
            raise CannotRun(_WHY.get(reply.status, f"Zendesk refuses to search the Help Center (HTTP {reply.status})"))
        return reply


def _body(reply: Reply) -> Mapping[str, Any]:
    if not isinstance(reply.body, dict):
        raise HelpdeskDown("Zendesk's answer is no JSON object")
    return reply.body


def _article(row: Mapping[str, Any]) -> ArticleHit | None:
    if not isinstance(row.get("id"), int):
        return None
    labels = row.get("label_names")
    return ArticleHit(
        id=row["id"],
        title=str(row.get("title") or row.get("name") or ""),
        labels=tuple(map(str, labels)) if isinstance(labels, list) else (),
        locale=str(row.get("locale") or "").lower(),
    )
