"""``ticketbot analyse``: shows one ticket's way through the chain, step by step; writes nothing.

``ticketbot redact``: shows a text as a model would see it. Needs no settings, writes nothing.
"""

from __future__ import annotations

import json
import sys
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Any

import typer

from ..analysis.text.redact import redact as redact_text
from ..core.clock import Deadline, SystemClock
from ..core.errors import ConfigError, ExitCode
from ..core.json_input import json_rows
from ..core.models import RedactionLevel, Ticket
from ..core.text import MAX_INPUT
from ..settings.load import load
from ..wiring.explain import as_data, fetched, in_words, pasted, walk
from .options import ConfigOption, JsonOption, NoModelOption
from .screen import Screen

DEADLINE_S = 300.0
STDIN = "-"
MOST_READ = 5_000_000


def analyse(
    clock: SystemClock,
    ticket: Annotated[str, typer.Argument(metavar="TICKET", help="A ticket's number, or - for standard input.")],
    no_llm: NoModelOption = False,
    details: Annotated[bool, typer.Option("--details", help="Print whole texts, and what models were asked.")] = False,
    as_json: JsonOption = False,
    config: ConfigOption = None,
) -> int:
    """Show one ticket's way through the chain, step by step; writes nothing."""
    flags: dict[tuple[str, ...], object] = {("models", "names"): []} if no_llm else {}
    by_id = ticket != STDIN
    if by_id and not (ticket.isascii() and ticket.isdecimal()):
        raise ConfigError("the ticket must be a number, or - to read one from standard input")
    settings = load(config=config, flags=flags, need_helpdesk=by_id)
    deadline = Deadline(clock, DEADLINE_S)
    read = fetched(int(ticket), settings, clock, deadline) if by_id else _from(sys.stdin, clock)
    walked = walk(read, settings, clock, deadline)
    screen = Screen(as_json=as_json)
    screen.notices(walked.troubles)
    screen.result("\n".join(in_words(walked, details=details)), as_data(read, walked))
    return ExitCode.OK


def _from(stream: Any, clock: SystemClock) -> Ticket:
    """A ticket from JSON with ``subject`` and ``body`` (or ``description``), or from text with a subject line."""
    # Bytes are UTF-8 whatever the locale says; a Windows console's code page would garble them.
    raw = getattr(stream, "buffer", stream).read(MOST_READ)
    text = raw.decode("utf-8", "replace") if isinstance(raw, bytes) else raw
    if not text.strip():
        raise ConfigError("standard input is empty: give a text, or JSON with subject and body")
    subject, _, body = text.lstrip("\ufeff").lstrip().partition("\n")
    names: tuple[str, ...] = ()
    if text.lstrip("\ufeff \t\r\n").startswith("{"):
        try:
            row = json.loads(text.lstrip("\ufeff"))
        except (ValueError, RecursionError):
            row = None
        if isinstance(row, dict):
            subject = str(row.get("subject") or "")
            body = str(row.get("description") or row.get("body") or "")
            requester = row.get("requester")
            names = (requester,) if isinstance(requester, str) else ()
    return pasted(clock, subject, body, names)


def redact(
    file: Annotated[str, typer.Argument(help="A text file, .jsonl with subject and body, or - for standard input.")],
    level: Annotated[RedactionLevel, typer.Option(metavar="LEVEL", help="secrets, standard or strict.")] = (
        RedactionLevel.STANDARD
    ),
    names: Annotated[
        list[str] | None, typer.Option("--name", metavar="NAME", help="Such as the requester's; may be repeated.")
    ] = None,
    as_json: JsonOption = False,
) -> int:
    """Show a text as a model would see it, and how much was replaced; redacts only, and needs no settings."""
    screen = Screen(as_json=as_json)
    are_rows = file.lower().endswith((".jsonl", ".jsonl.gz"))
    tickets = [*_tickets(Path(file))] if are_rows else [(None, _read(file), ())]
    longest = max((len(body) for _, body, _ in tickets), default=0)
    if longest > MAX_INPUT:
        screen.notices([f"a text of {longest} characters: what lies past {MAX_INPUT} never leaves, and is not shown"])
    shown = [(id, redact_text(body, names=[*(names or ()), *own], level=level)) for id, body, own in tickets]
    counts = Counter[str]()
    for id, redacted in shown:
        counts.update(redacted.counts)
        if are_rows:
            screen.say(f"--- {id}" if id is not None else "---")
        screen.say(redacted.text.rstrip("\n"))
    found = ", ".join(f"{number} {kind}" for kind, number in sorted(counts.items())) or "nothing"
    texts = [
        {**({} if id is None else {"id": id}), "text": redacted.text, "counts": redacted.counts}
        for id, redacted in shown
    ]
    screen.result(
        f"\nreplaced at level {level.value}: {found}",
        {"level": level.value, "counts": dict(sorted(counts.items())), "texts": texts},
    )
    return ExitCode.OK


def _read(file: str) -> str:
    called = "standard input" if file == "-" else file
    try:
        # Bytes are UTF-8 whatever the locale says; a Windows console's code page would garble them.
        return (sys.stdin.buffer.read() if file == "-" else Path(file).read_bytes()).decode("utf-8-sig")
    except UnicodeDecodeError:
        raise ConfigError(f"{called} is not UTF-8 text; a packed text has to be unpacked first (gunzip)") from None
    except OSError as error:
        raise ConfigError(f"{called} cannot be read: {error.strerror or error}") from None


def _tickets(path: Path) -> Iterator[tuple[object, str, tuple[str, ...]]]:
    """Id, text and own names of each row."""
    for number, row in json_rows(path):
        parts = [row.get("subject"), row.get("body")]
        if not all(part is None or isinstance(part, str) for part in parts) or not any(map(_is_text, parts)):
            raise ConfigError(f"{path}, line {number}: neither subject nor body is a text")
        own = row.get("names")
        names = tuple(filter(_is_text, own)) if isinstance(own, list) else ()
        yield row.get("id"), "\n".join(part for part in parts if part), names


def _is_text(value: object) -> bool:
    return isinstance(value, str)
