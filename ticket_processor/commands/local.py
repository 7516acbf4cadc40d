"""``ticketbot local``: takes the local helpdesk out as lines of JSON, and such lines in."""

from __future__ import annotations

import codecs
import sys
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import IO, Annotated, Any

import orjson
import typer

from ..audit.files import replace_file
from ..core.errors import CannotRun, ConfigError, ExitCode
from ..helpdesk.local_model import LocalHelpdeskError
from ..helpdesk.local_store import LocalStore
from ..settings.load import load
from ..wiring.local import local_store
from .options import ConfigOption
from .screen import Screen, standard_output

STDOUT = "-"
FileArgument = Annotated[
    str, typer.Argument(metavar="FILE", help="The file of JSON lines; - is standard input or output.")
]


def export_all(file: FileArgument, config: ConfigOption = None) -> int:
    """Write everything on the local helpdesk as JSON lines: people, tickets, messages, events, ratings and files.

    It holds customers' words and addresses. Passwords and sessions stay behind.
    """
    settings = load(config=config, need_helpdesk=False)
    screen = Screen()
    with local_store(settings) as store:
        if file == STDOUT:
            printed = standard_output()
            tickets = _written(store, printed)
            printed.flush()
        elif Path(file).exists() and store.path.samefile(file):
            raise ConfigError(f"{file} is the helpdesk itself, which the export would replace; name another file")
        else:
            told: list[int] = []
            try:
                replace_file(Path(file), lambda target: told.append(_written(store, target)))
            except OSError as error:
                raise CannotRun(f"{file} cannot be written: {error.strerror or error}") from error
            (tickets,) = told
    screen.notices([f"{tickets} tickets exported"])
    return ExitCode.OK


def import_all(file: FileArgument, config: ConfigOption = None) -> int:
    """Take in an export of a local helpdesk; all of it, or nothing.

    Ids are kept, and what is there already is passed over. The helpdesk is made where there is none.
    """
    settings = load(config=config, need_helpdesk=False)
    with ExitStack() as stack:
        try:
            lines = sys.stdin.buffer if file == STDOUT else stack.enter_context(Path(file).open("rb"))
        except OSError as error:
            raise ConfigError(f"{file} cannot be read: {error.strerror or error}") from error
        store = stack.enter_context(local_store(settings, make=True))
        try:
            done = store.import_lines(_read(lines))
        except LocalHelpdeskError as error:
            raise ConfigError(f"{file}: {error}") from error
    Screen().say(f"{done.tickets} tickets imported, {done.existing} were there already")
    return ExitCode.OK


def _written(store: LocalStore, target: IO[bytes]) -> int:
    """Write every line; the number of tickets."""
    tickets = 0
    for line in store.export_lines():
        target.write(orjson.dumps(line) + b"\n")
        tickets += line["kind"] == "ticket"
    return tickets


def _read(lines: IO[bytes]) -> Iterator[dict[str, Any]]:
    for number, raw in enumerate(lines, start=1):
        text = raw.removeprefix(codecs.BOM_UTF8).strip()  # Windows editors begin files with it
        if text:
            try:
                line = orjson.loads(text)
            except orjson.JSONDecodeError:
                line = None
            if not isinstance(line, dict):
                raise LocalHelpdeskError(f"line {number}: it is no JSON object; nothing was imported")
            yield line
