"""Reads articles and questions from JSON lines, plain or gzip: the files that ``kb eval`` measures with."""

from __future__ import annotations

import gzip
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from ..core.errors import ConfigError
from .evaluate import LabelledQuestion
from .model import READABLE, Article
from .text import html_to_text, markdown_to_text


def read_articles(path: Path) -> Iterator[Article]:
    """Articles with ``id``, ``title`` and ``text`` (Markdown) or ``html``; ``url``, ``lang``, ``audience`` if any."""
    for number, row in _rows(path):
        if not isinstance(row.get("text", row.get("html")), str):
            raise ConfigError(f"{path}, line {number}: an article needs text or html")
        yield Article(
            id=_id(path, number, row),
            source="file",
            title=str(row.get("title") or ""),
            url=str(row.get("url") or ""),
            lang=str(row.get("lang") or ""),
            audience=next((name for name in READABLE if name == row.get("audience")), "everyone"),
            updated_at=0.0,
            body_text=markdown_to_text(row["text"]) if isinstance(row.get("text"), str) else html_to_text(row["html"]),
        )


def read_questions(path: Path) -> list[LabelledQuestion]:
    """Questions with ``id``, ``text`` and ``gold``, the ids of the articles that answer it."""
    found = []
    for number, row in _rows(path):
        gold = row.get("gold", [])
        if not isinstance(row.get("text"), str) or not isinstance(gold, (list, str)):
            raise ConfigError(f"{path}, line {number}: a question needs text, and gold as a list of article ids")
        names = [gold] if isinstance(gold, str) else gold
        found.append(
            LabelledQuestion(
                _id(path, number, row), row["text"], frozenset(map(str, names)), str(row.get("lang") or "")
            )
        )
    if not found:
        raise ConfigError(f"{path} holds no questions")
    return found


def _rows(path: Path) -> Iterator[tuple[int, dict[str, Any]]]:
    try:
        with gzip.open(path, "rt", encoding="utf-8") if path.suffix == ".gz" else path.open(encoding="utf-8") as file:
            for number, line in enumerate(file, start=1):
                if not line.strip():
                    continue
                row = json.loads(line)
                if not isinstance(row, dict):
                    raise ConfigError(f"{path}, line {number}: no JSON object")
                yield number, row
    except (OSError, EOFError) as error:
        raise ConfigError(f"{path} cannot be read: {getattr(error, 'strerror', None) or error}") from error
    except ValueError as error:
        raise ConfigError(f"{path} is no file of JSON lines in UTF-8") from error


def _id(path: Path, number: int, row: dict[str, Any]) -> str:
    if not isinstance(row.get("id"), (str, int)):
        raise ConfigError(f"{path}, line {number}: there is no id")
    return str(row["id"])
