"""``ticketbot redact``: shows a text as a model would see it. Needs no settings, writes nothing."""

from __future__ import annotations

import gzip
import json
import sys
import zlib
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, TextIO

import typer

from ..analysis.text.redact import RedactedText
from ..analysis.text.redact import redact as redact_text
from ..core.errors import ConfigError, ExitCode
from ..core.models import RedactionLevel
from ..core.sanitize import MAX_INPUT
from .options import JsonOption
from .screen import Screen

STDIN = "-"


@dataclass(frozen=True)
class Shown:
    """One redacted text, and the id of its row."""

    id: object
    redacted: RedactedText


def redact(
    file: Annotated[str, typer.Argument(help="A text file, .jsonl with subject and body, or - for standard input.")],
    level: Annotated[
        str, typer.Option(metavar="LEVEL", help="How much to replace: secrets, standard or strict.")
    ] = "standard",
    names: Annotated[
        list[str] | None,
        typer.Option("--name", metavar="NAME", help="A known name, such as the requester's; may be repeated."),
    ] = None,
    as_json: JsonOption = False,
) -> int:
    """Show a text as a model would see it, and how much was replaced; redacts only, and needs no settings."""
    chosen = _level(level)
    screen = Screen(as_json=as_json)
    text = _read(file, sys.stdin)
    rows = file.removesuffix(".gz").endswith(".jsonl")
    tickets = _tickets(text, file) if rows else [(None, text, ())]
    longest = max((len(body) for _, body, _ in tickets), default=0)
    if longest > MAX_INPUT:
        screen.notices([f"a text of {longest} characters: what lies past {MAX_INPUT} never leaves, and is not shown"])
    shown = [Shown(id, redact_text(body, names=[*(names or ()), *own], level=chosen)) for id, body, own in tickets]
    counts = Counter[str]()
    for item in shown:
        counts.update(item.redacted.counts)
    for item in shown:
        if rows:
            screen.say(f"--- {item.id}" if item.id is not None else "---")
        screen.say(item.redacted.text.rstrip("\n"))
    found = ", ".join(f"{number} {kind}" for kind, number in sorted(counts.items())) or "nothing"
    screen.result(
        f"\nreplaced at level {chosen.value}: {found}",
        {
            "level": chosen.value,
            "counts": dict(sorted(counts.items())),
            "texts": [
                {
                    **({} if item.id is None else {"id": item.id}),
                    "text": item.redacted.text,
                    "counts": item.redacted.counts,
                }
                for item in shown
            ],
        },
    )
    return ExitCode.OK


def _level(name: str) -> RedactionLevel:
    try:
        return RedactionLevel(name)
    except ValueError:
        raise ConfigError(f"--level: {' or '.join(RedactionLevel)}") from None


def _read(file: str, stdin: TextIO) -> str:
    try:
        if file == STDIN:
            raw = getattr(stdin, "buffer", None)
            return stdin.read() if raw is None else raw.read().decode("utf-8-sig")
        path = Path(file)
        data = gzip.decompress(path.read_bytes()) if file.endswith(".gz") else path.read_bytes()
        return data.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise ConfigError(f"{_called(file)} is not UTF-8 text") from None
    except (gzip.BadGzipFile, EOFError, zlib.error):
        raise ConfigError(f"{_called(file)} is no gzip file, or a damaged one") from None
    except OSError as error:
        raise ConfigError(f"{_called(file)} cannot be read: {error.strerror or error}") from None


def _called(file: str) -> str:
    return "standard input" if file == STDIN else file


def _tickets(text: str, file: str) -> list[tuple[object, str, tuple[str, ...]]]:
    """Id, text and own names of each row of a ``.jsonl`` file; blank lines are skipped."""
    found: list[tuple[object, str, tuple[str, ...]]] = []
    for number, line in enumerate(text.split("\n"), start=1):
        if not line.strip():
            continue
        try:
            row: Any = json.loads(line)
        except (ValueError, RecursionError):
            row = None
        if not isinstance(row, Mapping):
            raise ConfigError(f"{file}, line {number}: not a JSON object")
        parts = [row.get("subject"), row.get("body")]
        if not all(part is None or isinstance(part, str) for part in parts) or not any(map(_is_text, parts)):
            raise ConfigError(f"{file}, line {number}: neither subject nor body is a text")
        own = row.get("names")
        names = tuple(filter(_is_text, own)) if isinstance(own, list) else ()
        found.append((row.get("id"), "\n".join(part for part in parts if part), names))
    return found


def _is_text(value: object) -> bool:
    return isinstance(value, str)
