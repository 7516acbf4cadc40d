"""``ticketbot analyse``: shows one ticket's way through the chain, step by step; writes nothing.

``ticketbot redact``: shows a text as a model would see it. Needs no settings, writes nothing.
"""

from __future__ import annotations

import sys
from codecs import getincrementaldecoder
from pathlib import Path
from typing import Annotated

import typer

from ..analysis.text.redact import redact as redact_text
from ..core.clock import Deadline, SystemClock
from ..core.errors import ConfigError, ExitCode
from ..core.models import Ticket
from ..core.text import MAX_INPUT, RedactionLevel
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
    read = fetched(int(ticket), settings, clock, deadline) if by_id else _typed(_read(STDIN), clock)
    walked = walk(read, settings, clock, deadline)
    screen = Screen(as_json=as_json)
    screen.notices(walked.troubles)
    screen.result("\n".join(in_words(walked, details=details)), as_data(read, walked))
    return ExitCode.OK


def _typed(text: str, clock: SystemClock) -> Ticket:
    """A ticket from a text whose first line is the subject."""
    if not text.strip():
        raise ConfigError("standard input is empty: give a text whose first line is the subject")
    subject, _, body = text.lstrip().partition("\n")
    return pasted(clock, subject, body)


def redact(
    file: Annotated[str, typer.Argument(help="A text file, or - for standard input.")],
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
    body = _read(file)
    if len(body) > MAX_INPUT:
        screen.notices([f"a text of {len(body)} characters: what lies past {MAX_INPUT} never leaves, and is not shown"])
    redacted = redact_text(body, names=names or (), level=level)
    counts = dict(sorted(redacted.counts.items()))
    found = ", ".join(f"{number} {kind}" for kind, number in counts.items()) or "nothing"
    text = redacted.text.rstrip("\n")
    screen.result(
        f"{text}\n\nreplaced at level {level.value}: {found}",
        {"level": level.value, "counts": counts, "texts": [{"text": redacted.text, "counts": counts}]},
    )
    return ExitCode.OK


def _read(file: str) -> str:
    called = "standard input" if file == STDIN else file
    try:
        # Bytes are UTF-8 whatever the locale says; a Windows console's code page would garble them.
        data = sys.stdin.buffer.read(MOST_READ) if file == STDIN else Path(file).read_bytes()
        # Where reading ended in the middle of a character, the rest of that is missing.
        return getincrementaldecoder("utf-8-sig")().decode(data, final=len(data) != MOST_READ)
    except UnicodeDecodeError:
        raise ConfigError(f"{called} is not UTF-8 text; a packed text has to be unpacked first (gunzip)") from None
    except OSError as error:
        raise ConfigError(f"{called} cannot be read: {error.strerror or error}") from None
