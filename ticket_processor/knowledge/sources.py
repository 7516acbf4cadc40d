"""Reads articles: from folders of Markdown and HTML files, and from a helpdesk's own Help Center.

An unchanged file is told by its size and time; one whose time only has changed, by its digest.
"""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path

from ..core.errors import ConfigError
from ..helpdesk.protocol import Audience, HelpArticle, IsUnchanged
from .model import READABLE, Article
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


class HelpCenter:
    """The articles of a helpdesk's own, as ``read`` gives them: of those that are unchanged it may give none."""

    def __init__(self, name: str, read: Callable[[IsUnchanged], Iterator[Sequence[HelpArticle]]]) -> None:
        self.name = name
        self._read = read

    def portions(self, kept: Mapping[str, KeptArticle]) -> Iterator[Portion]:
        """Changed articles as they are read, and at the end the names of all."""
        everything: set[str] = set()

        def unchanged(number: int, languages: Sequence[str], stamp: str) -> bool:
            names = [f"{self.name}:{number}/{language}" for language in languages]
            known = kept.keys() & names
            if names[0] not in known or any(kept[name].stamp != stamp for name in known):
                return False
            everything.update(known)
            return True

        for read in self._read(unchanged):
            articles = {(article := self._article(one)).id: (article, one.stamp) for one in read}
            everything |= articles.keys()
            yield Portion(tuple(articles.values()))
        yield Portion(all_ids=everything)

    def _article(self, one: HelpArticle) -> Article:
        return Article(
            id=f"{self.name}:{one.number}/{one.language}",
            source=self.name,
            title=one.title.strip(),
            url=one.url,
            lang=language_of(one.language),
            audience=one.audience,
            updated_at=moment_of(one.changed),
            body_text=html_to_text(one.html),
            labels=one.labels,
        )
