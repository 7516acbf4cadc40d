"""``ticketbot local``: takes what is on this machine out as JSON lines, and such lines in; erases a customer."""

from __future__ import annotations

import codecs
import sys
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from itertools import chain
from pathlib import Path
from typing import IO, Annotated, Any

import orjson
import typer

from ..audit.files import replace_file
from ..core.clock import SystemClock
from ..core.errors import CannotRun, ConfigError, ExitCode
from ..core.text import many
from ..helpdesk.local_model import LocalHelpdeskError
from ..helpdesk.local_transfer import MAIL_FOLDER, CustomerTraces, unknown_kind
from ..settings.load import load, settings_file
from ..wiring.bundle import bundle_lines, read_bundle, settings_for, taken_in
from ..wiring.desks import local_store
from .options import ConfigOption, DryEraseOption, YesOption, confirm
from .screen import Screen, print_raw

STDOUT = "-"
FileArgument = Annotated[
    str, typer.Argument(metavar="FILE", help="The file of JSON lines; - is standard input or output.")
]


def export_all(file: FileArgument, config: ConfigOption = None) -> int:
    """Write as JSON lines what another machine needs to go on: settings, approved corrections, pins, the classifier.

    Of the local helpdesk also people, tickets, messages, events, ratings and files; those of any other stay there. It
    holds customers' words and addresses. Passwords, keys, tokens and sessions stay behind.
    """
    settings = load(config=config, need_helpdesk=False, need_any=True)
    if not settings.desk.named:
        raise ConfigError("the settings name no helpdesk whose export this could be")
    screen, left, counts = Screen(), list[str](), Counter[str]()
    with ExitStack() as stack:
        store = stack.enter_context(local_store(settings)) if settings.helpdesk == "local" else None
        place = settings_file(config)
        lines = bundle_lines(settings, place, store.erased_tickets() if store else (), left.append)

        def write(out: Callable[[bytes], object]) -> None:
            for line in chain(lines, store.export_lines() if store else ()):
                out(orjson.dumps(line) + b"\n")
                counts[line["kind"]] += 1

        for own, what in ((store and store.path, "the helpdesk itself"), (place, "the settings file")):
            if Path(file).exists() and own and own.exists() and own.samefile(file):
                raise ConfigError(f"{file} is {what}, which the export would replace; name another file")
        if file == STDOUT:
            write(print_raw)
        else:
            try:
                replace_file(Path(file), lambda target: write(target.write))
            except OSError as error:
                raise CannotRun(f"{file} cannot be written: {error.strerror or error}") from error
    named = {"ticket": "ticket", "correction": "approved correction", "pin": "pin", "classifier": "classifier"}
    told = [many(counts[kind], name) for kind, name in named.items() if counts[kind] or (kind == "ticket" and store)]
    told += ["settings"] * counts["settings"]
    screen.notices([*left, f"{', '.join(told) or 'nothing that was learnt, and no settings,'} exported"])
    return ExitCode.OK


def import_all(file: FileArgument, config: ConfigOption = None) -> int:
    """Take in an export; all of it, or nothing. It may be repeated, as after a disk that failed: what is there stays.

    A local helpdesk is made where there is none, and ids are kept. Settings are written where there are none, else
    beside them. Any other helpdesk has to be the same account.
    """
    with ExitStack() as stack:
        try:
            lines = sys.stdin.buffer if file == STDOUT else stack.enter_context(Path(file).open("rb"))
        except OSError as error:
            raise ConfigError(f"{file} cannot be read: {error.strerror or error}") from error
        said: list[str] = []
        try:
            bundle, rest, first = read_bundle(_read(lines))
            settings = settings_for(bundle, config)
            if bundle is not None:
                said = stack.enter_context(taken_in(bundle, settings, settings_file(config)))
            if bundle is None or settings.helpdesk == "local":
                with local_store(settings, make=True) as store:
                    new, existing = store.import_lines(rest, first)
                said.insert(0, f"{new} tickets imported, {existing} were there already")
            elif line := next(rest, None):
                raise LocalHelpdeskError(f"line {first}: {unknown_kind(line.get('kind'))}")
            said.append("if anybody was erased after this export was made, erase them here too: it cannot know")
        except LocalHelpdeskError as error:
            raise ConfigError(f"{file}: {error}") from error
    Screen().say("\n".join(said))
    return ExitCode.OK


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
