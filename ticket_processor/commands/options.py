"""Options that several commands share, the times that people type, and the files that commands write."""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Annotated, Any

import typer

from ..core.clock import parse_iso
from ..core.errors import CannotRun, ConfigError
from ..core.files import opener

ConfigOption = Annotated[
    Path | None,
    typer.Option(
        "--config", metavar="FILE", help="Configuration file (default: TICKETBOT_CONFIG, or ticketbot.toml here)."
    ),
]
ConfigsOption = Annotated[
    list[Path] | None,
    typer.Option(
        "--config",
        metavar="FILE",
        help="Configuration file (default: TICKETBOT_CONFIG, or ticketbot.toml here); several, or a folder of them: "
        "an account each.",
    ),
]
JsonOption = Annotated[bool, typer.Option("--json", help="Print one JSON object instead of text.")]
QuietOption = Annotated[bool, typer.Option("--quiet", help="Print only what went wrong.")]
NoModelOption = Annotated[bool, typer.Option("--no-llm", help="Keyword rules only, whatever models are set.")]
DetailedOption = Annotated[bool, typer.Option("--details", help="Print all of it, not forty lines.")]
OfflineOption = Annotated[bool, typer.Option("--offline", help="Do not ask helpdesk and model servers.")]
YesOption = Annotated[bool, typer.Option("--yes", help="Do not ask.")]
DryEraseOption = Annotated[bool, typer.Option("--dry-run", help="Print what would be erased; change nothing.")]
TicketsOption = Annotated[
    list[int] | None, typer.Option("--ticket", min=1, metavar="ID", help="Only this ticket; may be repeated.")
]
HostOption = Annotated[str, typer.Option(metavar="ADDRESS", help="Where to listen.")]
PortOption = Annotated[
    int, typer.Option(min=0, max=65535, metavar="PORT", help="Where to listen; 0 picks a free port.")
]
LabelledFiles = Annotated[
    list[Path] | None,
    typer.Argument(
        metavar="FILE…", help="Labelled tickets, .jsonl or .jsonl.gz: subject, body, category, …", show_default=False
    ),
]
FromHelpdeskOption = Annotated[
    bool, typer.Option("--from-helpdesk", help="Solved tickets of the helpdesk, by what people chose; writes nothing.")
]


def _verbose(asked: bool) -> None:
    if asked:
        from ..core.verbose import show

        show("debug", insist=True)


VerboseOption = Annotated[
    bool,
    typer.Option(
        "--verbose",
        callback=_verbose,
        is_eager=True,
        expose_value=False,
        help="Show requests and decisions on standard error; TICKETBOT_LOG_LEVEL does so for every command.",
    ),
]


def check_together(
    values: Mapping[str, object], *, parts: Mapping[str, Sequence[str]] = {}, apart: Mapping[str, Sequence[str]] = {}
) -> set[str]:
    """The options that were given, of a command's parameters and their ``values``.

    Raises :class:`ConfigError` with each of them that is a part of one that is missing, or does not go with another.
    """
    given = {f"--{name.replace('_', '-')}" for name, value in values.items() if value not in (None, False)}
    problems = []
    for whole, names in parts.items():
        problems += [f"{part} belongs to {whole}" for part in names if part in given and whole not in given]
    for name, others in apart.items():
        problems += [f"{name} does not go with {other}" for other in others if {name, other} <= given]
    if problems:
        raise ConfigError(*problems)
    return given


def confirm(question: str) -> None:
    """Ask a person. Raises :class:`ConfigError` without a terminal, and when the answer is no."""
    if not sys.stdin.isatty():
        raise ConfigError("this cannot be taken back: add --yes, or look first with --dry-run")
    if not typer.confirm(question, err=True):
        raise ConfigError("nothing was erased")


EXPORTED_AFTER_S = 65
_AGO = re.compile(r"^(\d{1,6})\s*([mhdw])$")
_UNIT_S = {"m": 60, "h": 3600, "d": 86_400, "w": 604_800}


def parse_since(text: str, now: float) -> float:
    """``now``, ``45m``, ``12h``, ``7d``, ``2w``, a date or a full ISO time as Unix seconds.

    Raises :class:`ConfigError`, also for the future. The newest minute is left to a later run, because the
    helpdesk's export withholds it.
    """
    return max(0.0, min(parse_moment(text, now), now - EXPORTED_AFTER_S))


def parse_moment(text: str, now: float, option: str = "--since") -> float:
    """Like :func:`parse_since` without the helpdesk's minute. Raises :class:`ConfigError`."""
    cleaned = text.strip().lower()
    ago = _AGO.match(cleaned)
    try:
        moment = now if cleaned == "now" else now - int(ago[1]) * _UNIT_S[ago[2]] if ago else parse_iso(text.strip())
    except (ValueError, OverflowError):
        raise ConfigError(
            f"{option}: not understood; write now, 45m, 12h, 7d, 2w, 2026-11-01 or 2026-11-01T08:00:00Z"
        ) from None
    if moment > now:
        raise ConfigError(f"{option} lies in the future")
    return moment


def check_out(files: Sequence[Path], known: Sequence[str]) -> None:
    """Raise :class:`ConfigError` unless each file has a ``known`` ending, and goes into an existing folder.

    Making a folder unasked would hide a typing error.
    """
    problems = []
    for file in files:
        if file.is_dir():
            problems.append(f"--out {file}: this is a folder; name a file in it")
        elif file.suffix.lower() not in known:
            problems.append(f"--out {file}: its ending says the format, and must be one of {', '.join(known)}")
        elif not file.parent.is_dir():
            problems.append(f"--out {file}: there is no folder {file.parent}; make it, or put the name right")
    if problems:
        raise ConfigError(*problems)


def write_out(files: Sequence[Path], formats: Mapping[str, Callable[[], str]]) -> list[str]:
    """Write each file in the format of its ending. Returns a line on each. Raises :class:`CannotRun`."""
    for file in files:
        write_text(file, formats[file.suffix.lower()]())
    return [f"Written: {file}" for file in files]


def write_text(file: Path, text: str) -> None:
    """Write a file for its owner alone. Raises :class:`CannotRun`."""
    try:
        with open(file, "w", encoding="utf-8", newline="\n", opener=opener) as stream:
            stream.write(text)
    except OSError as error:
        raise CannotRun(f"{file} cannot be written: {error.strerror or error}") from None


def json_text(data: Any) -> str:
    """The text of a JSON file."""
    return json.dumps(data, ensure_ascii=False, indent=2) + "\n"
