"""``ticketbot audit export``: writes events of the log into a file, with a manifest beside it."""

from __future__ import annotations

import json
from collections.abc import Collection
from contextlib import closing
from pathlib import Path
from typing import IO, Annotated, Literal

import typer

from .. import __version__
from ..audit.export import CountingWriter, as_lines, as_table, chosen
from ..audit.files import log_files, replace_file
from ..audit.writer import last_head
from ..core.clock import Deadline, SystemClock, iso
from ..core.errors import CannotRun, ConfigError, ExitCode
from ..settings.load import load
from ..settings.schema import Settings
from ..wiring.desks import requesters_of
from ..wiring.parts import keyring, transport_for
from .audit import no_log
from .options import ConfigOption
from .parse_time import parse_moment
from .screen import Screen, standard_output

STDOUT = "-"


def export(
    clock: SystemClock,
    since: Annotated[str | None, typer.Option(metavar="WHEN", help="From: 12h, 7d, 2026-11-01 or a full time.")] = None,
    until: Annotated[str | None, typer.Option(metavar="WHEN", help="To, in the same form; not included.")] = None,
    tickets: TicketsOption = None,
    requester: RequesterOption = None,
    form: Annotated[
        Literal["jsonl", "csv"], typer.Option("--format", help="The log's own lines, or a table.")
    ] = "jsonl",
    out: Annotated[str, typer.Option(metavar="FILE", help="The file, with a manifest beside it; - prints.")] = "-",
    with_text: Annotated[
        bool, typer.Option("--with-text", help="Also summaries, quotes, found entities and notes.")
    ] = False,
    config: ConfigOption = None,
) -> int:
    """Export events, decrypted, without personal data unless --with-text asks for it."""
    now = clock.now()
    begin = iso(parse_moment(since, now), milliseconds=True) if since else ""
    end = iso(parse_moment(until, now, "--until"), milliseconds=True) if until else "9999"
    if begin >= end:
        raise ConfigError("--until lies before --since: nothing is between them")
    settings = load(config=config, need_helpdesk=requester is not None)
    ring = keyring(settings)
    wanted: Collection[int] | None = frozenset(tickets or ()) or None
    if requester is not None:
        wanted = frozenset(tickets or ()) | tickets_of(settings, clock, requester)
    if not log_files(settings.log_dir):
        raise no_log(settings)
    told: dict[str, object] = {}

    def write(target: IO[bytes]) -> None:
        counted = CountingWriter(target)
        lines = chosen(settings.log_dir, ring, since=begin, until=end, tickets=wanted)
        events = (as_lines if form == "jsonl" else as_table)(lines, counted, with_text=with_text)
        told.update(events=events, bytes=counted.bytes, sha256=counted.sha256)

    screen = Screen()
    if out == STDOUT:
        printed = standard_output()
        write(printed)
        printed.flush()
        screen.notices([f"{told['events']} events, SHA-256 {told['sha256']}"])
        return ExitCode.OK
    file = Path(out)
    head = last_head(log_files(settings.log_dir), ring)
    try:
        replace_file(file, write)
        manifest = {
            "file": file.name,
            "format": form,
            **told,
            "with_text": with_text,
            "since": since and begin,
            "until": until and end,
            "tickets": None if wanted is None else sorted(wanted),
            "log_head": head and str(head),
            "created": iso(now),
            "ticketbot": __version__,
        }
        data = json.dumps(manifest, indent=2).encode() + b"\n"
        beside = file.with_name(file.name + ".manifest.json")
        replace_file(beside, lambda target: _wrote(target, data))
    except OSError as error:
        raise CannotRun(f"{file} cannot be written: {error.strerror or error}") from error
    screen.say(f"{told['events']} events in {file}, which {beside.name} describes")
    return ExitCode.OK


def _wrote(target: IO[bytes], data: bytes) -> None:
    target.write(data)


PATIENCE_S = 1800.0
TicketsOption = Annotated[
    list[int] | None, typer.Option("--ticket", min=1, metavar="ID", help="Only this ticket; may be repeated.")
]
RequesterOption = Annotated[
    str | None,
    typer.Option("--requester", metavar="ID_OR_EMAIL", help="All tickets of this requester; asks the helpdesk."),
]


def tickets_of(settings: Settings, clock: SystemClock, named: str) -> frozenset[int]:
    """The numbers of all tickets of the user with this id or e-mail address; the helpdesk is only read.

    Raises ``ConfigError`` when there is no such user, and ``CannotRun`` when the helpdesk does not answer.
    """
    deadline, share = Deadline(clock, PATIENCE_S), settings.run.limit_share
    with closing(transport_for(settings.desk, clock, deadline, share=share, read_only=True)) as transport:
        requesters = requesters_of(settings, transport)
        return frozenset(requesters.tickets(requesters.find(named)))
