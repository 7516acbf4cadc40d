"""Reads the articles of a Zendesk Help Center.

Facts and their sources: developer.zendesk.com, "Understanding incremental article exports", "Help Center API:
Articles", "Translations", "User segments". The export also lists articles of which only votes or labels changed, and
is silent about deleted ones.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any
from urllib.parse import parse_qs, urlsplit

from ..core.errors import CannotRun, HelpdeskDown, NotAuthorised
from ..helpdesk.transport import Transport
from .model import Article, Audience
from .store import KeptArticle
from .sync import Portion, language_of, moment_of
from .text import html_to_text

EXPORT_PAGE = 1_000
LIST_PAGE = 100
MOST_BYTES = 60_000_000
"""Of a page of a thousand articles."""
_WHY = {
    403: "this Zendesk user may not read the Help Center (HTTP 403): its export needs an agent or admin",
    404: "this Zendesk account has no Help Center (HTTP 404)",
}


class ZendeskArticles:
    """The Help Center of one account, in all of its languages."""

    name = "zendesk"

    def __init__(self, transport: Transport) -> None:
        self._transport = transport
        self._segments: Mapping[int, Audience] | None = None

    def portions(self, kept: Mapping[str, KeptArticle], cursor: str | None, *, whole: bool) -> Iterator[Portion]:
        """Changed articles by the incremental export; ``whole``: then every one by the list, to notice deletions."""
        yield from self._changed(int(cursor or 0), kept)
        if whole:
            yield from self._everything()

    def _changed(self, start: int, kept: Mapping[str, KeptArticle]) -> Iterator[Portion]:
        """The portions of the export."""
        seen: frozenset[Any] = frozenset()
        while True:
            page = self._get("/help_center/incremental/articles", {"start_time": start, "include": "translations"})
            rows = _rows(page)
            end = _next_start(page, start)
            yield self._portion(rows, kept, str(end))
            ids = frozenset(row.get("id") for row in rows)
            # More than a page of articles changed in one second: the export cannot go past them; the list finds them.
            if len(rows) < EXPORT_PAGE or not page.get("next_page") or (end <= start and ids == seen):
                return
            start, seen = max(end, start), ids

    def _everything(self) -> Iterator[Portion]:
        params: dict[str, str | int] = {"page[size]": LIST_PAGE, "include": "translations"}
        everything: set[str] = set()
        while True:
            page = self._get("/help_center/articles", params)
            portion = self._portion(_rows(page), {}, None)
            everything.update(article.id for article, _ in portion.articles)
            yield Portion(articles=portion.articles)
            meta = page.get("meta") or {}
            if not meta.get("has_more") or not meta.get("after_cursor"):
                break
            params["page[after]"] = str(meta["after_cursor"])
        yield Portion(all_ids=everything)

    def _portion(self, rows: list[Mapping[str, Any]], kept: Mapping[str, KeptArticle], cursor: str | None) -> Portion:
        articles: dict[str, Article] = {}
        before: set[str] = set()
        ids_by_number: dict[str, list[str]] = {}
        for name in kept:
            ids_by_number.setdefault(name.partition("/")[0], []).append(name)
        for row in rows:
            before.update(ids_by_number.get(f"{self.name}:{row['id']}", ()))
            for text in _languages(row):
                draft = text.get("draft") or (row.get("draft") and text is row)
                if not (draft or text.get("outdated") or text.get("hidden")):
                    article = self._article(row, text)
                    articles[article.id] = article
        return Portion(
            articles=tuple((article, "") for article in articles.values()),
            gone=frozenset(before - articles.keys()),
            cursor=cursor,
        )

    def _article(self, row: Mapping[str, Any], text: Mapping[str, Any]) -> Article:
        locale = str(text.get("locale") or row.get("locale") or "").lower()
        return Article(
            id=f"{self.name}:{row['id']}/{locale}",
            source=self.name,
            title=str(text.get("title") or row.get("title") or "").strip(),
            url=str(text.get("html_url") or row.get("html_url") or ""),
            lang=language_of(locale),
            audience=self._audience(row),
            updated_at=moment_of(text.get("edited_at") or text.get("updated_at") or row.get("edited_at")),
            body_text=html_to_text(str(text.get("body") or "")),
            labels=tuple(map(str, row.get("label_names") or ())),
        )

    def _audience(self, row: Mapping[str, Any]) -> Audience:
        """Without a segment an article is for everyone; but the list of segments may hold what the single one lacks."""
        one, many = row.get("user_segment_id"), row.get("user_segment_ids")
        segments = [*(many if isinstance(many, list) else ()), *(() if one is None else (one,))]
        if not segments:
            return "everyone"
        return "customers" if "customers" in map(self._of_segment, segments) else "agents"

    def _of_segment(self, segment: Any) -> Audience:
        if self._segments is None:
            try:
                rows = self._get("/help_center/user_segments", {"per_page": LIST_PAGE}).get("user_segments") or ()
            except (NotAuthorised, CannotRun):
                rows = ()  # who may not see the segments takes them for narrow ones
            self._segments = {
                row["id"]: "customers"
                for row in rows
                if isinstance(row, dict) and row.get("user_type") == "signed_in_users" and row.get("built_in")
            }
        return self._segments.get(segment, "agents")

    def _get(self, path: str, params: Mapping[str, str | int]) -> Mapping[str, Any]:
        try:
            reply = self._transport.request("GET", "/api/v2" + path, params=params, most=MOST_BYTES)
        except NotAuthorised as error:
            raise NotAuthorised(
                f"{error}: so Zendesk also answers for its Help Center where the account's plan has none"
            ) from error
        if not reply.ok:
            raise CannotRun(_WHY.get(reply.status, f"Zendesk refuses its Help Center articles (HTTP {reply.status})"))
        if not isinstance(reply.body, dict):
            raise HelpdeskDown("Zendesk's answer is no JSON object")
        return reply.body


def _rows(page: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    rows = page.get("articles")
    if not isinstance(rows, list):
        raise HelpdeskDown("Zendesk's answer holds no list of articles")
    return [row for row in rows if isinstance(row, dict) and isinstance(row.get("id"), int)]


def _languages(row: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    """The article in each of its languages, each once; with its translations where the account shows them."""
    shown = row.get("translations")
    texts: list[Mapping[str, Any]] = []
    if isinstance(shown, list):
        texts = [text for text in shown if isinstance(text, dict) and text.get("locale")]
    return texts or [row]


def _next_start(page: Mapping[str, Any], start: int) -> int:
    end = page.get("end_time")
    if isinstance(end, int):
        return end
    values = parse_qs(urlsplit(str(page.get("next_page") or "")).query).get("start_time", [])
    return int(values[0]) if values and values[0].isdecimal() else start
