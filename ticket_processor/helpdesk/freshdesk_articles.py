"""Searching the solution articles of a Freshdesk account. Reads only.

Facts and their sources: developers.freshdesk.com/api, "Solutions" (search, translations), "Settings" (languages).
"""

from __future__ import annotations

from collections.abc import Mapping
from urllib.parse import quote

from ..core.errors import CannotRun, HelpdeskDown
from .http_messages import Reply
from .json_values import mapping, with_ids
from .protocol import ArticleHit
from .transport import Transport

ANY = "*"
"""In place of a language: the account's own."""
PUBLISHED = 2
AGENTS_ONLY = 3
"""The visibility of a folder that customers do not see."""


def portal_languages(settings: object, own: str = "") -> tuple[str, tuple[str, ...]]:
    """The portal's own language, by default ``own``, and its others, from the helpdesk's settings."""
    told = mapping(settings)
    own = str(told.get("primary_language") or own).lower()
    others = told.get("portal_languages")
    names = [name.lower() for name in others if isinstance(name, str)] if isinstance(others, list) else []
    return own, tuple(dict.fromkeys(name for name in names if name not in ("", own)))


class KnowledgeBase:
    """The solution articles of one account. Thread-safe, as its transport is."""

    def __init__(self, transport: Transport) -> None:
        self._transport = transport
        self._own = ""

    def locales(self) -> tuple[str, ...]:
        """The languages of the portal, such as ``pt-br``, the account's own first; one request.

        Raises :class:`CannotRun` where this agent may not see them, besides what reading raises.
        """
        reply = self._get("/settings/helpdesk", {})
        self._own, others = portal_languages(reply.body)
        return (self._own, *others) if self._own else others

    def search(self, query: str, locale: str) -> tuple[ArticleHit, ...]:
        """Published articles in this language that customers can see, best first; one request."""
        place = "" if locale in (ANY, self._own) else f"/{quote(locale, safe='')}"
        rows = self._get(f"/search/solutions{place}", {"term": query}).body
        if not isinstance(rows, list):
            raise HelpdeskDown("Freshdesk's answer is no list of articles")
        return tuple(
            ArticleHit(
                id=row["id"],
                title=str(row.get("title") or ""),
                labels=tuple(map(str, row.get("tags") or ())),
                locale=self._own if locale == ANY else locale,
            )
            for row in with_ids(rows)
            if row.get("status") == PUBLISHED and row.get("folder_visibility") != AGENTS_ONLY
        )

    def _get(self, path: str, params: Mapping[str, str | int]) -> Reply:
        reply = self._transport.request("GET", "/api/v2" + path, params=params)
        if not reply.ok:
            what = "languages" if path.startswith("/settings") else "solution articles"
            raise CannotRun(f"Freshdesk refuses to show its {what} to this agent (HTTP {reply.status})")
        return reply
