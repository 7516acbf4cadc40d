"""``ticketbot local``: takes the local helpdesk out as lines of JSON, such lines in, and erases a customer from it."""

from __future__ import annotations

import codecs
import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import IO, Annotated, Any

import orjson
import typer

from ..audit.files import replace_file
from ..core.clock import SystemClock
from ..core.errors import CannotRun, ConfigError, ExitCode
from ..core.text import many
from ..helpdesk.local_model import LocalHelpdeskError
from ..helpdesk.local_store import LocalStore
from ..helpdesk.local_transfer import MAIL_FOLDER, CustomerTraces
from ..settings.load import load
from ..wiring.desks import local_store
from .options import ConfigOption, DryEraseOption, YesOption, confirm
from .screen import Screen, print_raw

STDOUT = "-"
FileArgument = Annotated[
    str, typer.Argument(metavar="FILE", help="The file of JSON lines; - is standard input or output.")
]


def export_all(file: FileArgument, config: ConfigOption = None) -> int:
    """Write everything on the local helpdesk as JSON lines: people, tickets, messages, events, ratings and files.

    It holds customers' words and addresses. Passwords, sessions and tokens stay behind.
    """
    settings = load(config=config, need_helpdesk=False)
    screen = Screen()
    with local_store(settings) as store:
        if file == STDOUT:
            tickets = _written(store, print_raw)
        elif Path(file).exists() and store.path.samefile(file):
            raise ConfigError(f"{file} is the helpdesk itself, which the export would replace; name another file")
        else:
            written: list[int] = []
            try:
                replace_file(Path(file), lambda target: written.append(_written(store, target.write)))
            except OSError as error:
                raise CannotRun(f"{file} cannot be written: {error.strerror or error}") from error
            (tickets,) = written
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
            new, existing = store.import_lines(_read(lines))
        except LocalHelpdeskError as error:
            raise ConfigError(f"{file}: {error}") from error
    Screen().say(f"{new} tickets imported, {existing} were there already")
    return ExitCode.OK


def _written(store: LocalStore, write: Callable[[bytes], object]) -> int:
    """Write every line; the number of tickets."""
    tickets = 0
    for line in store.export_lines():
        write(orjson.dumps(line) + b"\n")
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


ELSEWHERE = "not reached: what tickets of others say of this person, mail that was sent, exports and backups"
_IN_USE = (
    "the helpdesk is in use, and {}-wal may hold some of it until an erasure, a run or the portal's start ends that"
)


def erase(
    clock: SystemClock,
    email: Annotated[str, typer.Argument(metavar="EMAIL", help="The customer's mail address.")],
    dry_run: DryEraseOption = False,
    yes: YesOption = False,
    config: ConfigOption = None,
) -> int:
    """Erase a customer from the local helpdesk: name, address, the words and files of all tickets, links and ratings.

    Open tickets are closed; what happened when stays, without words. Exit code 1: something may be left. One that
    was cut off is finished first, as it is by a run and by a start of the portal.
    """
    settings = load(config=config, need_helpdesk=False)
    screen, outbox, ended = Screen(), settings.state_folder / MAIL_FOLDER, list[CustomerTraces]()
    with local_store(settings) as store:
        try:
            for found in store.unfinished() if dry_run else ():
                screen.say("\n".join(["To be finished, since it was cut off: " + _in_words(found), *_next(found)]))
                ended.append(found)
            for done in () if dry_run else store.finish_erasures(clock.now(), outbox):
                _say(screen, "Finished what was interrupted", done)
                ended.append(done)
            person = store.by_email(email)
            if person is None and not ended:
                raise ConfigError("nobody on the local helpdesk has this address")
            if person is not None:
                found = store.traces_of(person.id)
                if dry_run:
                    screen.say("\n".join(["To be erased: " + _in_words(found), *_next(found)]))
                    return ExitCode.OK
                if not yes:
                    confirm(f"Erase the customer, {_in_words(found)}?")
                ended.append(store.erase(person.id, clock.now(), outbox))
                _say(screen, "Erased", ended[-1])
        except LocalHelpdeskError as refused:
            raise ConfigError(str(refused)) from refused
    if all(done.is_gone for done in ended):
        return ExitCode.OK
    sys.stderr.write(f"ticketbot: {_IN_USE.format(settings.local_account.file)}\n")
    return ExitCode.SOME_FAILED


def _say(screen: Screen, first: str, done: CustomerTraces) -> None:
    line = f"{first}: {_in_words(done)}, {many(done.mails, 'mail')} in the outbox"
    screen.say("\n".join([line, *_next(done)]))


def _in_words(found: CustomerTraces) -> str:
    counts = (many(len(found.tickets), "ticket"), many(found.messages, "message"), many(found.files, "file"))
    return ", ".join(counts)


def _next(found: CustomerTraces) -> list[str]:
    """What is still to be done."""
    tickets = " ".join(f"--ticket {number}" for number in found.tickets)
    log = [f"  receipts, state folder and solved tickets: ticketbot audit erase {tickets}"] if tickets else []
    return [*log, f"  {ELSEWHERE}"]
