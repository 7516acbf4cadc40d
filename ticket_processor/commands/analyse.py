"""``ticketbot analyse``: shows one ticket's way through the chain, step by step; writes nothing."""

from __future__ import annotations

import json
import sys
from typing import Annotated, Any

import typer

from ..core.clock import Deadline, SystemClock
from ..core.errors import ConfigError, ExitCode
from ..core.models import Ticket
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
