"""Keeps the last reading of people's replies in the state folder: verdicts and numbers, no words."""

from __future__ import annotations

from pathlib import Path

from pydantic import ValidationError

from ..audit.files import replace_file
from .reply_counts import Replies

FILE_NAME = "replies.json"


def keep(folder: Path, found: Replies) -> str | None:
    """Keep it for the dashboard and for gaps; why that failed, if it did. Without a state folder nothing is kept."""
    if not folder.is_dir():
        return None
    try:
        replace_file(folder / FILE_NAME, lambda file: file.writelines([found.model_dump_json().encode()]))
    except OSError as error:
        return f"what became of replies could not be kept: {error.strerror or type(error).__name__}"
    return None


def kept(folder: Path) -> Replies | None:
    """What was kept; ``None`` where nothing was, or it cannot be read."""
    try:
        return Replies.model_validate_json((folder / FILE_NAME).read_bytes())
    except (OSError, ValidationError):
        return None
