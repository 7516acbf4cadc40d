"""Reads the solution articles of a Freshdesk account: categories, folders within folders, articles, translations.

Facts and their sources: developers.freshdesk.com/api, "Solutions". There is no filter by time, so each sync walks all
folders; translations are asked for only where an article has changed.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from ..core.errors import CannotRun, HelpdeskDown
from ..helpdesk.json_values import mapping, with_ids
from ..helpdesk.transport import Transport
from .model import Article, Audience
from .store import KeptArticle
from .sync import Portion, language_of, moment_of
from .text import html_to_text

PAGE = 100
PUBLISHED = 2
AUDIENCES: Mapping[int, Audience] = {1: "everyone", 2: "customers"}
"""Of a folder's ``visibility``. All others are for agents, bots, or some companies and segments only."""
DEEPEST = 8


class FreshdeskArticles:
    """The solution articles of one account, in all of its portal's languages."""

    name = "freshdesk"

    def __init__(self, transport: Transport) -> None:
        self._transport = transport

    def portions(self, kept: Mapping[str, KeptArticle]) -> Iterator[Portion]:
        """Every folder's articles; those whose stamp is known keep their translations as they are."""
        own, others = self._languages()
        everything: set[str] = set()
        for category in self._listed("/solutions/categories"):
            for folder in self._listed(f"/solutions/categories/{category['id']}/folders"):
                for inner in self._with_inner(folder, DEEPEST):
                    articles = self._of_folder(inner, kept, own, others, everything)
                    everything.update(article.id for article, _ in articles)
                    yield Portion(articles=tuple(articles))
        yield Portion(all_ids=everything)

    def _with_inner(self, folder: Mapping[str, Any], deepest: int) -> Iterator[Mapping[str, Any]]:
        yield folder
        if folder.get("sub_folders_count", 1) and deepest:
            for inner in self._listed(f"/solutions/folders/{folder['id']}/subfolders", may_be_absent=True):
                yield from self._with_inner(inner, deepest - 1)

    def _of_folder(
        self,
        folder: Mapping[str, Any],
        kept: Mapping[str, KeptArticle],
        own: str,
        others: tuple[str, ...],
        everything: set[str],
    ) -> list[tuple[Article, str]]:
        """Changed articles of one folder; known ones are noted in ``everything``."""
        audience = AUDIENCES.get(folder.get("visibility", 0), "agents")
        articles: list[tuple[Article, str]] = []
        for row in self._listed(f"/solutions/folders/{folder['id']}/articles"):
            if row.get("status") != PUBLISHED:
                continue
            stamp = f"{row.get('updated_at')} {audience}"
            first = self._article(row, own, own, audience)
            known = {f"{self.name}:{row['id']}/{name}" for name in (own, *others)} & kept.keys()
            if first.id in known and all(kept[name].stamp == stamp for name in known):
                everything |= known
                continue
            articles.append((first, stamp))
            for name in others:
                if (text := self._translation(row["id"], name)) is not None:
                    articles.append((self._article({**row, **text}, name, own, audience), stamp))
        return articles

    def _article(self, row: Mapping[str, Any], language: str, own: str, audience: Audience) -> Article:
        place = "" if language == own else f"{language}/"
        return Article(
            id=f"{self.name}:{row['id']}/{language}",
            source=self.name,
            title=str(row.get("title") or "").strip(),
            url=f"{self._transport.base_url}/{place}support/solutions/articles/{row['id']}",
            lang=language_of(language),
            audience=audience,
            updated_at=moment_of(row.get("updated_at")),
            body_text=html_to_text(str(row.get("description") or "")),
            labels=tuple(map(str, row.get("tags") or ())),
        )

    def _translation(self, article: int, language: str) -> Mapping[str, Any] | None:
        reply = self._transport.request("GET", f"/api/v2/solutions/articles/{article}/{language}")
        body = reply.body
        return body if reply.ok and isinstance(body, dict) and body.get("status") == PUBLISHED else None

    def _languages(self) -> tuple[str, tuple[str, ...]]:
        """The portal's own language, and its others."""
        reply = self._transport.request("GET", "/api/v2/settings/helpdesk")
        told = mapping(reply.body if reply.ok else None)
        own, others = str(told.get("primary_language") or "en").lower(), told.get("portal_languages")
        names = [name.lower() for name in others if isinstance(name, str)] if isinstance(others, list) else []
        return own, tuple(dict.fromkeys(name for name in names if name not in ("", own)))

    def _listed(self, path: str, *, may_be_absent: bool = False) -> Iterator[Mapping[str, Any]]:
        page = 1
        while True:
            reply = self._transport.request("GET", f"/api/v2{path}", params={"page": page, "per_page": PAGE})
            if reply.status == 404 and may_be_absent:
                return
            if not reply.ok:
                raise CannotRun(f"Freshdesk refuses to show its solution articles to this agent (HTTP {reply.status})")
            if not isinstance(reply.body, list):
                raise HelpdeskDown("Freshdesk's answer is no list")
            yield from with_ids(reply.body)
            if len(reply.body) < PAGE:
                return
            page += 1
