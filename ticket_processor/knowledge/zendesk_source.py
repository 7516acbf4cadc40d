"""Reads the articles of a Zendesk Help Center.

Facts and their sources: developer.zendesk.com, "Help Center API: Articles", "Translations", "User segments". All are
listed each time: the incremental export is silent about deleted ones.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from ..core.errors import CannotRun, HelpdeskDown, NotAuthorised
from ..helpdesk.transport import Transport
from .model import Article, Audience
from .store import KeptArticle
from .sync import Portion, language_of, moment_of
from .text import html_to_text

PAGE = 100
MOST_BYTES = 60_000_000
"""Of a page of a hundred articles with their translations."""
_WHY = {
    403: "this Zendesk user may not read the Help Center (HTTP 403)",
    404: "this Zendesk account has no Help Center (HTTP 404)",
}


class ZendeskArticles:
    """The Help Center of one account, in all of its languages."""

    name = "zendesk"

    def __init__(self, transport: Transport) -> None:
        self._transport = transport
        self._segments: Mapping[int, Audience] | None = None

    def portions(self, kept: Mapping[str, KeptArticle]) -> Iterator[Portion]:
        """Every article, a page at a time; the last portion ends the listing."""
        params: dict[str, str | int] = {"page[size]": PAGE, "include": "translations"}
        while True:
            page = self._get("/help_center/articles", params)
            articles = {article.id: article for row in _rows(page) for article in self._published(row)}
            meta = page.get("meta") or {}
            after = str(meta.get("after_cursor") or "") if meta.get("has_more") else ""
            some = tuple((article, "") for article in articles.values())
            yield Portion(some, None if after else articles.keys())
            if not after:
                return
            params["page[after]"] = after

    def _published(self, row: Mapping[str, Any]) -> Iterator[Article]:
        """The article in each language in which it may be read."""
        for text in _languages(row):
            draft = text.get("draft") or (row.get("draft") and text is row)
            if not (draft or text.get("outdated") or text.get("hidden")):
                yield self._article(row, text)

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
                rows = self._get("/help_center/user_segments", {"per_page": PAGE}).get("user_segments") or ()
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
