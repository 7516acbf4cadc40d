"""Reads articles: from folders of Markdown and HTML files, Freshdesk's solutions, and Zendesk's Help Center.

An unchanged file is told by its size and time; one whose time only has changed, by its digest.

Facts and their sources: developers.freshdesk.com/api, "Solutions" (there is no filter by time, so each sync walks all
folders; translations are asked for only where an article has changed); developer.zendesk.com, "Help Center API:
Articles", "Translations", "User segments" (all are listed: the incremental export is silent about deleted ones).
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from ..core.errors import CannotRun, ConfigError, HelpdeskDown, NotAuthorised
from ..helpdesk.http_messages import mapping, with_ids
from ..helpdesk.transport import Transport
from .model import READABLE, Article, Audience
from .store import KeptArticle
from .sync import Portion, language_of, moment_of
from .text import MAX_TEXT, html_to_text, markdown_to_text

MARKDOWN, HTML = (".md", ".markdown"), (".html", ".htm")
PORTION = 200

_FRONT = re.compile(r"\A---[ \t]*\n(.{0,10000}?)\n(?:---|\.\.\.)[ \t]*(?:\n|\Z)", re.DOTALL)
_FIELD = re.compile(r"([A-Za-z_][\w-]*)\s*:\s*(.*?)\s*$")
_FIRST_HEADING = re.compile(r"^#{1,6}\s+(\S.*)$", re.MULTILINE)
_TITLE_TAG = re.compile(r"<title[^>]*>([^<]{1,500})</title>", re.IGNORECASE)


class FolderArticles:
    """The articles below one folder. ``lang`` and ``audience`` are of files that do not say their own."""

    def __init__(self, folder: Path, *, lang: str, audience: Audience) -> None:
        self.name = f"folder:{folder.name}"
        self._folder = folder
        self._lang = lang
        self._audience = audience

    def portions(self, kept: Mapping[str, KeptArticle]) -> Iterator[Portion]:
        """Changed files, some at a time, and at the end the names of all."""
        if not self._folder.is_dir():
            raise ConfigError(f"knowledge.folders names {self._folder}, which is no folder")
        everything: set[str] = set()
        articles: list[tuple[Article, str]] = []
        for path in self._files():
            article_id = f"{self.name}/{path.relative_to(self._folder).as_posix()}"
            about = path.stat()
            stamp = f"{about.st_mtime_ns} {about.st_size} {self._lang} {self._audience}"
            if article_id in kept and kept[article_id].stamp == stamp:
                everything.add(article_id)
                continue
            article = self._article(article_id, path, about.st_mtime)
            if article is None:
                continue
            everything.add(article_id)
            articles.append((article, stamp))
            if len(articles) >= PORTION:
                yield Portion(articles)
                articles = []
        yield Portion(articles, everything)

    def _files(self) -> Iterator[Path]:
        """Files in a fixed order. A link is not followed: it may lead out of the folder."""
        for place, folders, names in os.walk(self._folder):
            folders[:] = sorted(name for name in folders if not name.startswith("."))
            for name in sorted(names):
                path = Path(place, name)
                if path.suffix.lower() in (*MARKDOWN, *HTML) and not name.startswith(".") and not path.is_symlink():
                    yield path

    def _article(self, article_id: str, path: Path, changed: float) -> Article | None:
        """The article; ``None`` for a draft."""
        with path.open("rb") as file:
            raw = file.read(MAX_TEXT * 4).decode("utf-8-sig", "replace").replace("\r\n", "\n")
        fields, text = front_matter(raw)
        if fields.get("draft", "").lower() in ("true", "yes", "1"):
            return None
        if path.suffix.lower() in HTML:
            body = html_to_text(text)
            tag = _TITLE_TAG.search(text)
            title = tag[1].strip() if tag else ""
        else:
            body, title = markdown_to_text(text), ""
        heading = _FIRST_HEADING.search(body)
        audience = next((name for name in READABLE if name == fields.get("audience")), None)
        return Article(
            id=article_id,
            source=self.name,
            title=fields.get("title") or (heading[1].strip() if heading else "") or title or path.stem,
            url=fields.get("url", ""),
            lang=language_of(fields.get("lang") or self._lang),
            # A word that is none of ours may mean fewer readers, never more.
            audience=audience or ("agents" if fields.get("audience") else self._audience),
            updated_at=changed,
            body_text=body,
        )


def front_matter(text: str) -> tuple[dict[str, str], str]:
    """The simple fields at the head of a file, and the rest of it."""
    found = _FRONT.match(text)
    if not found:
        return {}, text
    fields = {}
    for line in found[1].splitlines():
        if field := _FIELD.match(line):
            fields[field[1].lower()] = field[2].strip("\"'")
    return fields, text[found.end() :]


_FRESHDESK_PAGE = 100
PUBLISHED = 2
AUDIENCES: Mapping[int, Audience] = {1: "everyone", 2: "customers"}
"""Of a folder's ``visibility``. All others are for agents, bots, or some companies and segments only."""
DEEPEST = 8


class FreshdeskArticles:
    """The solution articles of one account, in all of its portal's languages."""

    name = "freshdesk"

    def __init__(self, transport: Transport) -> None:
        self._transport = transport
        self._own, self._others = "", tuple[str, ...]()

    def portions(self, kept: Mapping[str, KeptArticle]) -> Iterator[Portion]:
        """Every folder's articles; those whose stamp is known keep their translations as they are."""
        self._own, self._others = self._languages()
        everything: set[str] = set()
        for category in self._listed("/solutions/categories"):
            for folder in self._listed(f"/solutions/categories/{category['id']}/folders"):
                for inner in self._with_inner(folder, DEEPEST):
                    articles = self._of_folder(inner, kept, everything)
                    everything.update(article.id for article, _ in articles)
                    yield Portion(articles=tuple(articles))
        yield Portion(all_ids=everything)

    def _with_inner(self, folder: Mapping[str, Any], deepest: int) -> Iterator[Mapping[str, Any]]:
        yield folder
        if folder.get("sub_folders_count", 1) and deepest:
            for inner in self._listed(f"/solutions/folders/{folder['id']}/subfolders", may_be_absent=True):
                yield from self._with_inner(inner, deepest - 1)

    def _of_folder(
        self, folder: Mapping[str, Any], kept: Mapping[str, KeptArticle], everything: set[str]
    ) -> list[tuple[Article, str]]:
        """Changed articles of one folder; known ones are noted in ``everything``."""
        audience = AUDIENCES.get(folder.get("visibility", 0), "agents")
        articles: list[tuple[Article, str]] = []
        for row in self._listed(f"/solutions/folders/{folder['id']}/articles"):
            if row.get("status") != PUBLISHED:
                continue
            stamp = f"{row.get('updated_at')} {audience}"
            first = self._article(row, self._own, audience)
            known = {f"{self.name}:{row['id']}/{name}" for name in (self._own, *self._others)} & kept.keys()
            if first.id in known and all(kept[name].stamp == stamp for name in known):
                everything |= known
                continue
            articles.append((first, stamp))
            for name in self._others:
                if (text := self._translation(row["id"], name)) is not None:
                    articles.append((self._article({**row, **text}, name, audience), stamp))
        return articles

    def _article(self, row: Mapping[str, Any], language: str, audience: Audience) -> Article:
        place = "" if language == self._own else f"{language}/"
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
            reply = self._transport.request("GET", f"/api/v2{path}", params={"page": page, "per_page": _FRESHDESK_PAGE})
            if reply.status == 404 and may_be_absent:
                return
            if not reply.ok:
                raise CannotRun(f"Freshdesk refuses to show its solution articles to this agent (HTTP {reply.status})")
            if not isinstance(reply.body, list):
                raise HelpdeskDown("Freshdesk's answer is no list")
            yield from with_ids(reply.body)
            if len(reply.body) < _FRESHDESK_PAGE:
                return
            page += 1


_ZENDESK_PAGE = 100
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
        params: dict[str, str | int] = {"page[size]": _ZENDESK_PAGE, "include": "translations"}
        while True:
            page = self._get("/help_center/articles", params)
            if not isinstance(rows := page.get("articles"), list):
                raise HelpdeskDown("Zendesk's answer holds no list of articles")
            articles = {article.id: article for row in with_ids(rows) for article in self._published(row)}
            meta = page.get("meta") or {}
            after = str(meta.get("after_cursor") or "") if meta.get("has_more") else ""
            some = tuple((article, "") for article in articles.values())
            yield Portion(some, None if after else articles.keys())
            if not after:
                return
            params["page[after]"] = after

    def _published(self, row: Mapping[str, Any]) -> Iterator[Article]:
        """The article in each language in which it may be read; its translations where the account shows them."""
        rows = shown if isinstance(shown := row.get("translations"), list) else ()
        texts: Sequence[Mapping[str, Any]] = [one for one in rows if isinstance(one, dict)]
        for text in [text for text in texts if text.get("locale")] or [row]:
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
                rows = self._get("/help_center/user_segments", {"per_page": _ZENDESK_PAGE}).get("user_segments") or ()
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
