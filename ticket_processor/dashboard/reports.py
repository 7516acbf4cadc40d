"""Evaluation reports of ``ticketbot eval`` in a folder, and how to show them.

A report may be any file. Its HTML stands in a frame that can run nothing, fetch nothing and see nothing of the page
around it.
"""

from __future__ import annotations

import html
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ..core.errors import CannotRun

MOST_REPORTS = 200
MOST_BYTES = 20_000_000
_SUFFIXES = (".html", ".json")
_NOTHING = "default-src 'none'; style-src 'unsafe-inline'; img-src data:; font-src data:; frame-src 'self'"


@dataclass(frozen=True)
class ReportFile:
    """A file of the folder. ``changed`` is Unix seconds."""

    name: str
    path: Path
    changed: float
    size: int

    @property
    def is_page(self) -> bool:
        """Whether it is HTML; else it is the output of ``--json``."""
        return self.path.suffix.lower() == ".html"

    def read(self) -> str:
        """The file's text. Raises :class:`CannotRun` when it cannot be read, or is too large for a report."""
        if self.size > MOST_BYTES:
            raise CannotRun(f"{self.path} is too large to be a report: {self.size / 1e6:.0f} MB")
        try:
            return self.path.read_text(encoding="utf-8-sig", errors="replace")
        except OSError as error:
            raise CannotRun(f"{self.path} cannot be read: {error.strerror or type(error).__name__}") from None


def reports_in(folder: Path) -> list[ReportFile]:
    """The folder's reports, newest first; none when there is no such folder. Subfolders are not searched.

    Raises :class:`CannotRun` when the folder cannot be read.
    """
    try:
        found = list(_reports(folder)) if folder.is_dir() else []
    except OSError as error:
        raise CannotRun(f"the folder {folder} cannot be read: {error.strerror or type(error).__name__}") from None
    return sorted(found, key=lambda report: (-report.changed, report.name))[:MOST_REPORTS]


def _reports(folder: Path) -> Iterator[ReportFile]:
    for path in folder.iterdir():
        if path.suffix.lower() in _SUFFIXES and path.is_file():
            about = path.stat()
            yield ReportFile(path.name, path, about.st_mtime, about.st_size)


def framed(page: str) -> str:
    """A page that holds ``page`` in a sandboxed frame without any permission."""
    return (
        f'<!doctype html><meta charset="utf-8"><meta http-equiv="Content-Security-Policy" content="{_NOTHING}">'
        "<style>html, body { margin: 0; height: 100%; background: #fff }"
        "iframe { border: 0; width: 100%; height: 100% }</style>"
        f'<iframe sandbox="" title="report" srcdoc="{html.escape(page)}"></iframe>'
    )


def score_rows(text: str) -> list[dict[str, object]]:
    """A row for each analyser, source and field of the output of ``--json``; none for another text."""
    try:
        told = json.loads(text)
    except (ValueError, RecursionError):
        return []
    analysers = told.get("analysers") if isinstance(told, dict) else None
    try:
        return [row for analyser in analysers or () for row in _rows_of(analyser)]
    except (KeyError, TypeError, AttributeError):
        return []


def _rows_of(analyser: Mapping[str, Any]) -> Iterator[dict[str, object]]:
    for source in analyser["sources"]:
        for field, scores in source["fields"].items():
            yield {
                "Analyser": str(analyser["analyser"]),
                "Source": str(source["source"]),
                "Field": str(field),
                "Tickets": int(scores["rows"]),
                "Accuracy": float(scores["accuracy"]),
                "Macro-F1": float(scores["macro_f1"]),
                "Median ms": float(source["ms"]["p50"]),
                "95% ms": float(source["ms"]["p95"]),
                "Cost $": source["cost_usd"],
            }
